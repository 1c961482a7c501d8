using System.Collections.Frozen;
using System.Collections.Immutable;

namespace AuditCli.Collectors.Http;

/// <summary>
/// Where AWS returns secrets that its models do not call sensitive; those that they do are found by the models themselves. AWS Config,
/// Security Hub and CloudTrail return the resources of all services once more, some as JSON inside a text, where no model helps: so
/// the places that matter there stand here too.
/// </summary>
internal static class AwsSecretPlaces
{
    /// <summary>In any answer, and in any document inside one.</summary>
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
        // ECS, Batch, SageMaker and Kubernetes: how a container is started. Its options and what they are set to say how it is protected.
        new("argument", "command/[]") { Part = SecretParts.OfArgument },
        new("argument", "entryPoint/[]") { Part = SecretParts.OfArgument },
        new("argument", "args/[]") { Part = SecretParts.OfArgument },
        // What a request of CloudTrail wrote: the secret itself, or a parameter.
        new("request-value", "requestParameters/value", keepsSwitches: true),
        new("request-value", "requestParameters/token"),
        new("request-value", "responseElements/value", keepsSwitches: true),
        new("request-value", "responseElements/token"),
        // Who may start a build from outside.
        new("webhook-url", "webhook/payloadUrl") { Part = SecretParts.BehindHost },
        new("webhook-url", "webhook/url") { Part = SecretParts.BehindHost },
        // CloudFormation: what a template was given and what it gave. In XML, database parameters look much the same and are no secrets.
        new("stack-value", "Parameters/member/ParameterValue", keepsSwitches: true),
        new("stack-value", "Parameters/[]/ParameterValue", keepsSwitches: true),
        new("stack-value", "ResolvedValue", keepsSwitches: true),
        new("stack-value", "OutputValue", keepsSwitches: true),
        // Elastic Beanstalk, databases and what loads them.
        new("option-setting", "OptionSettings/*/Value", keepsSwitches: true),
        new("option-setting", "OptionSettings/[]/Value", keepsSwitches: true),
        new("database", "InitQuery"),
        new("database", "AfterConnectScript"),
        // Where containers send their logs.
        new("log-option", "options/splunk-token"),
        // Virtual private networks: the whole configuration of the device, its key included.
        new("network-key", "CustomerGatewayConfiguration"),
        new("network-key", "VpnConnectionDeviceSampleConfiguration"),
        // URLs with a signature, and a signature.
        new("signed-url", "importManifestUrl"),
        new("signed-url", "snapshotDetailSet/item/url"),
        new("signed-url", "snapshotTaskDetail/url"),
        new("signed-url", "uploadPolicySignature"),
        // Devices and stores of keys.
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

    /// <summary>In answers of one service, whose words mean something else with others.</summary>
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

    /// <summary>In answers of a service alone.</summary>
    public static ImmutableArray<RedactedPlace> Of(string service) => OfServices.GetValueOrDefault(service, []);

    /// <summary>The services that have places of their own.</summary>
    public static IEnumerable<string> Services => OfServices.Keys;
}
