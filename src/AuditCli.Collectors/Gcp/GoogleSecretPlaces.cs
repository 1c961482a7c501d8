using System.Collections.Immutable;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Gcp;

/// <summary>
/// The places in which Google Cloud returns secrets. Cloud Asset Inventory and the audit log return the resources of all services again, so
/// places of services that are not in the catalogue are listed here too.
/// </summary>
internal static class GoogleSecretPlaces
{
    public static ImmutableArray<RedactedPlace> All { get; } =
    [
        // Functions, App Engine, Composer, Cloud Build; Cloud Run uses the containers of Kubernetes.
        new("environment", "environmentVariables/*"),
        new("environment", "buildEnvironmentVariables/*"),
        new("environment", "envVariables/*"),
        new("environment", "buildEnvVariables/*"),
        new("environment", "betaSettings/*", keepsSwitches: true),
        new("environment", "airflowConfigOverrides/*", keepsSwitches: true),
        new("environment", "substitutions/*"),
        new("environment", "env/[]"),
        // The metadata of an instance are flags (enable-oslogin: TRUE), which tests need, or scripts and keys.
        new("instance-metadata", "metadata/items/[]/value", keepsSwitches: true),
        new("instance-metadata", "commonInstanceMetadata/items/[]/value", keepsSwitches: true),
        new("instance-metadata", "nodeConfig/metadata/*", keepsSwitches: true),
        new("instance-metadata", "nodeConfigDefaults/metadata/*", keepsSwitches: true),
        new("instance-metadata", "nodePools/[]/config/metadata/*", keepsSwitches: true),
        new("instance-metadata", "/config/metadata/*", keepsSwitches: true),
        new("instance-metadata", "gceClusterConfig/metadata/*", keepsSwitches: true),
        new("cluster-credential", "masterAuth/clientKey"),
        new("cluster-credential", "masterAuth/password"),
        new("database", "mysqlReplicaConfiguration/clientKey"),
        new("database", "queryParameters/[]/parameterValue/value"),
        new("network-key", "sharedSecretHash"),
        new("network-key", "oauth2ClientSecretSha256"),
        new("network-key", "awsV4Authentication/accessKey"),
        new("disk-key", "rawKey"),
        new("disk-key", "rsaEncryptedKey"),
        new("identity-provider", "clientSecret/value/plainText"),
    ];
}
