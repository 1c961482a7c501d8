using System.Collections.Immutable;

namespace AuditCli.Collectors.Http;

/// <summary>
/// Where AWS returns secrets: the members that its models call sensitive, and those that they forget. AWS Config, Security Hub and
/// CloudTrail return the resources of all services once more, some as JSON inside a text, so places of services stand here that are
/// not in the catalogue.
/// </summary>
internal static class AwsSecretPlaces
{
    public static ImmutableArray<RedactedPlace> All { get; } =
    [
        // Lambda, ECS, Batch, CodeBuild, App Runner, Amplify, SageMaker.
        new("environment", "Environment/Variables/*"),
        new("environment", "Environment/Error/Message"),
        new("environment", "environment/[]/value"),
        new("environment", "environmentVariables/[]/value"),
        new("environment", "environmentVariables/*"),
        new("environment", "runtimeEnvironmentVariables/*"),
        new("environment", "primaryContainer/environment/*"),
        new("environment", "containers/*/environment/*"),
        new("environment", "containers/[]/environment/*"),
        // EC2, Auto Scaling.
        new("user-data", "UserData"),
        new("user-data", "UserData/Value"),
        // Glue, Batch, EMR, Systems Manager.
        new("job-argument", "DefaultArguments/*", keepsSwitches: true),
        new("job-argument", "NonOverridableArguments/*", keepsSwitches: true),
        new("job-argument", "jobDefinitions/[]/parameters/*", keepsSwitches: true),
        new("command-parameter", "AssociationDescription/Parameters/*/[]"),
        new("command-parameter", "AssociationVersions/[]/Parameters/*/[]"),
        new("command-parameter", "Commands/[]/Parameters/*/[]"),
        new("command-parameter", "RunCommand/Parameters/*/[]"),
        new("command-parameter", "TaskParameters/*/Values/[]"),
        new("command-parameter", "TaskParameters/[]/*/Values/[]"),
        new("command-parameter", "WindowExecutionTaskInvocationIdentities/[]/Parameters"),
        new("command-parameter", "/Parameters"),
        new("command-parameter", "StepFunctions/Input"),
        new("command-parameter", "Lambda/Payload"),
        new("command-parameter", "OwnerInformation"),
        new("command-parameter", "Sources/[]/Configuration"),
        // CloudFormation: what a template was given and what it gave. In XML, database parameters look much the same and are no secrets.
        new("stack-value", "Parameters/member/ParameterValue", keepsSwitches: true),
        new("stack-value", "Parameters/[]/ParameterValue", keepsSwitches: true),
        new("stack-value", "ResolvedValue", keepsSwitches: true),
        new("stack-value", "OutputValue", keepsSwitches: true),
        // Elastic Beanstalk and database options.
        new("option-setting", "OptionSettings/*/Value", keepsSwitches: true),
        new("option-setting", "OptionSettings/[]/Value", keepsSwitches: true),
        new("database", "InitQuery"),
        // What Lambda's durable functions were given and gave.
        new("payload", "InputPayload"),
        new("payload", "/Result"),
        new("payload", "ContextDetails/Result"),
        new("payload", "StepDetails/Result"),
        new("payload", "CallbackDetails/Result"),
        new("payload", "ChainedInvokeDetails/Result"),
        new("payload", "Input/Payload"),
        new("payload", "Result/Payload"),
        .. from error in new[] { "Error", "Error/Payload" }
           from member in new[] { "ErrorMessage", "ErrorType", "ErrorData", "StackTrace/[]" }
           select new RedactedPlace("payload", $"{error}/{member}"),
        new("payload", "ImageConfigResponse/Error/Message"),
        new("payload", "RuntimeVersionConfig/Error/Message"),
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
        // What services beyond those call a secret, or hand out as one.
        .. from member in new[]
           {
               "AuthKey", "BasicAuthCredentials", "BillingToken", "CallbackToken", "DeviceToken", "GrafanaToken", "HecToken", "JwtToken",
               "PreSignedLogUrl", "PreSignedUrl", "RegistrationToken", "SecretToken", "SignedUrl", "VoipDeviceToken", "WebhookUrl",
               "client_secret", "private_key", "apiKeys/[]/id", "webhook/secret",
           }
           select new RedactedPlace("secret", member),
    ];

    /// <summary>
    /// What the models call sensitive and stays, with the reason: it says who or where somebody is, and that is what controls ask.
    /// Wire paths as <see cref="RedactedPlace.Path"/>.
    /// </summary>
    public static ImmutableArray<(string Path, string Why)> Kept { get; } =
    [
        .. from path in new[]
           {
               "AlternateContact/Name", "AlternateContact/Title", "AlternateContact/EmailAddress", "AlternateContact/PhoneNumber",
               "ContactInformation/*", "PrimaryEmail",
           }
           select (path, "whether the provider can reach the right people is what a control asks"),
        .. from path in new[]
           {
               "/AccountName", "Account/Email", "Account/Name", "Accounts/[]/Email", "Accounts/[]/Name", "CreateAccountStatus/AccountName",
               "CreateAccountStatuses/[]/AccountName", "Organization/MasterAccountEmail", "DelegatedAdministrators/[]/Email",
               "DelegatedAdministrators/[]/Name", "Parties/[]/Id", "Resources/[]/Value", "ResponsibilityTransfer/Name", "ResponsibilityTransfers/[]/Name",
               "ManagementAccountEmail", "Members/[]/Email",
           }
           select (path, "it names an account, which is part of the population"),
        .. from path in new[] { "privateIpAddress", "ipAddressV4", "ipAddressV6", "IPAddress" }
           select (path, "an address says from where something was done"),
        .. from path in new[] { "KMSMasterKeyID", "SSE-KMS/KeyId" }
           select (path, "it names a key, and is none"),
        .. from path in new[] { "/Description", "Tasks/[]/Description", "Targets/[]/Description", "WindowIdentities/[]/Description" }
           select (path, "it is written for people; what has the form of a credential goes all the same"),
        ("keyValue", "it is a public key"),
    ];
}
