using System.Collections.Frozen;
using System.Collections.Immutable;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// The places in which AWS returns secrets that its models do not mark as sensitive; marked ones are found by the models themselves. AWS
/// Config, Security Hub and CloudTrail return the resources of all services again, some as JSON inside a text to which no model applies, so
/// the places that matter there are listed here too.
/// </summary>
internal static class AwsSecretPlaces
{
    /// <summary>The places in any response, and in any document inside one.</summary>
    public static ImmutableArray<RedactedPlace> All { get; } =
    [
        // Lambda, ECS, Batch, CodeBuild, App Runner, Amplify, Lightsail, SageMaker.
        new("environment", "Environment/Variables/*"),
        new("environment", "Environment/Error/Message"),
        new("environment", "environment/[]/value"),
        new("environment", "environmentVariables/[]/value"),
        new("environment", "environmentVariables/*"),
        new("environment", "exportedEnvironmentVariables/[]/value"),
        new("environment", "runtimeEnvironmentVariables/*"),
        new("environment", "primaryContainer/environment/*"),
        new("environment", "containers/*/environment/*"),
        new("environment", "containers/[]/environment/*"),
        // EC2, Auto Scaling, Image Builder.
        new("user-data", "UserData"),
        new("user-data", "UserData/Value"),
        new("user-data", "userDataOverride"),
        // Glue, Batch, Systems Manager.
        new("job-argument", "DefaultArguments/*", keepsSwitches: true),
        new("job-argument", "NonOverridableArguments/*", keepsSwitches: true),
        new("job-argument", "jobDefinitions/[]/parameters/*", keepsSwitches: true),
        new("command-parameter", "AssociationDescription/Parameters/*/[]"),
        new("command-parameter", "AssociationVersions/[]/Parameters/*/[]"),
        new("command-parameter", "Commands/[]/Parameters/*/[]"),
        new("command-parameter", "RunCommand/Parameters/*/[]"),
        new("command-parameter", "TaskParameters/*/Values/[]"),
        new("command-parameter", "TaskParameters/[]/*/Values/[]"),
        new("command-parameter", "StepFunctions/Input"),
        new("command-parameter", "Lambda/Payload"),
        // ECS, Batch, SageMaker and Kubernetes: the start command of a container. Option names and harmless values are kept, because they
        // show how it is protected.
        new("argument", "command/[]") { Part = SecretParts.OfArgument },
        new("argument", "entryPoint/[]") { Part = SecretParts.OfArgument },
        new("argument", "args/[]") { Part = SecretParts.OfArgument },
        // Values in recorded CloudTrail requests and responses: the secret itself, or a parameter.
        new("request-value", "requestParameters/value", keepsSwitches: true),
        new("request-value", "requestParameters/token"),
        new("request-value", "responseElements/value", keepsSwitches: true),
        new("request-value", "responseElements/token"),
        // URLs with which a build can be started from outside.
        new("webhook-url", "webhook/payloadUrl") { Part = SecretParts.BehindHost },
        new("webhook-url", "webhook/url") { Part = SecretParts.BehindHost },
        // CloudFormation: inputs and outputs of a template. In XML, database parameters look similar and are not secrets.
        new("stack-value", "Parameters/member/ParameterValue", keepsSwitches: true),
        new("stack-value", "Parameters/[]/ParameterValue", keepsSwitches: true),
        new("stack-value", "ResolvedValue", keepsSwitches: true),
        new("stack-value", "OutputValue", keepsSwitches: true),
        // Elastic Beanstalk, databases and data loaders.
        new("option-setting", "OptionSettings/*/Value", keepsSwitches: true),
        new("option-setting", "OptionSettings/[]/Value", keepsSwitches: true),
        new("database", "InitQuery"),
        new("database", "AfterConnectScript"),
        // Log destinations of containers.
        new("log-option", "options/splunk-token"),
        // Virtual private networks: the whole device configuration, including its key.
        new("network-key", "CustomerGatewayConfiguration"),
        new("network-key", "VpnConnectionDeviceSampleConfiguration"),
        // Signed URLs and signatures.
        new("signed-url", "importManifestUrl"),
        new("signed-url", "snapshotDetailSet/item/url"),
        new("signed-url", "snapshotTaskDetail/url"),
        new("signed-url", "uploadPolicySignature"),
        // Devices and key stores.
        new("device-seed", "Base32StringSeed"),
        new("device-seed", "QRCodePNG"),
        new("key-store", "XksProxyConfiguration/AccessKeyId"),
        .. from member in new[]
           {
               "AuthKey", "BasicAuthCredentials", "BillingToken", "CallbackToken", "DeviceToken", "GrafanaToken", "HecToken", "JwtToken",
               "PreSignedLogUrl", "PreSignedUrl", "RegistrationToken", "SecretToken", "SignedUrl", "VoipDeviceToken", "WebhookUrl",
               "client_secret", "private_key", "webhook/secret",
           }
           select new RedactedPlace("secret", member),
    ];

    /// <summary>The places in responses of one service, for names that have another meaning in other services.</summary>
    private static readonly FrozenDictionary<string, ImmutableArray<RedactedPlace>> OfServices = new (string Services, RedactedPlace Place)[]
    {
        ("appsync", new("secret", "apiKeys/[]/id")),
        ("apigateway", new("environment", "variables/*", keepsSwitches: true)),
        ("apigateway apigatewayv2", new("environment", "stageVariables/*", keepsSwitches: true)),
        ("apigateway apigatewayv2", new("environment", "stageVariableOverrides/*", keepsSwitches: true)),
        ("batch", new("job-argument", "jobs/[]/parameters/*", keepsSwitches: true)),
        ("cleanroomsml", new("environment", "environment/*")),
        ("cleanroomsml", new("job-argument", "arguments/[]", keepsSwitches: true)),
        ("codepipeline", new("environment", "outputVariables/*", keepsSwitches: true)),
        ("datazone", new("environment", "environmentParameters/[]/value", keepsSwitches: true)),
        ("datazone glue", new("connection", "connectionProperties/*", keepsSwitches: true)),
        ("drs", new("command-parameter", "parameters/*/value", keepsSwitches: true)),
        ("emr", new("command-parameter", "Args/[]", keepsSwitches: true)),
        ("events", new("http-header", "HttpParameters/HeaderParameters/*")),
        ("events", new("http-header", "HttpParameters/QueryStringParameters/*")),
        ("events scheduler", new("job-argument", "PipelineParameterList/[]/Value", keepsSwitches: true)),
        ("finspace", new("job-argument", "commandLineArguments/[]/value", keepsSwitches: true)),
        ("gamelift", new("environment", "EnvironmentOverride/[]/Value")),
        ("gameliftstreams", new("environment", "AdditionalEnvironmentVariables/*")),
        ("glue", new("job-argument", "Arguments/*", keepsSwitches: true)),
        ("glue", new("job-argument", "DefaultRunProperties/*", keepsSwitches: true)),
        ("glue", new("job-argument", "RunProperties/*", keepsSwitches: true)),
        ("glue", new("job-argument", "WorkflowRunProperties/*", keepsSwitches: true)),
        ("kinesisanalyticsv2", new("environment", "PropertyMap/*", keepsSwitches: true)),
        ("mediatailor", new("http-header", "Headers/*")),
        ("mwaa-serverless", new("job-argument", "OverrideParameters/*", keepsSwitches: true)),
        ("pipes", new("job-argument", "BatchJobParameters/Parameters/*", keepsSwitches: true)),
        ("redshift-data", new("job-argument", "QueryParameters/[]/value", keepsSwitches: true)),
        ("sagemaker", new("environment", "Environment/*")),
        ("sagemaker", new("environment", "OverrideEnvironment/*")),
        ("sagemaker", new("environment", "OptimizationEnvironment/*")),
        ("sagemaker", new("environment", "ContainerEnvironmentVariables/*")),
        ("sagemaker", new("job-argument", "ContainerArguments/[]", keepsSwitches: true)),
        ("sagemaker", new("job-argument", "PipelineParameters/[]/Value", keepsSwitches: true)),
        ("sagemaker servicecatalog", new("stack-value", "ProvisioningParameters/[]/Value", keepsSwitches: true)),
    }.SelectMany(p => p.Services.Split(' ').Select(s => (Service: s, p.Place))).GroupBy(p => p.Service, p => p.Place)
        .ToFrozenDictionary(g => g.Key, g => g.ToImmutableArray(), StringComparer.Ordinal);

    /// <summary>Returns the places that apply only to responses of one service.</summary>
    public static ImmutableArray<RedactedPlace> Of(string service) => OfServices.GetValueOrDefault(service, []);

    /// <summary>The services that have their own places.</summary>
    public static IEnumerable<string> Services => OfServices.Keys;
}
