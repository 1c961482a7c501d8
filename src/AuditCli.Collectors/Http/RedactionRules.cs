using System.Collections.Frozen;
using System.Collections.Immutable;

namespace AuditCli.Collectors.Http;

/// <summary>A place in answers whose values are secrets, or may be.</summary>
/// <param name="Name">As the index of evidence names it.</param>
/// <param name="Path">The last members of the path; <c>*</c> is any one member, <c>[]</c> any element of a list.</param>
/// <param name="Keeps">Values that are no secret there; null keeps none.</param>
internal sealed record RedactedPlace(string Name, ImmutableArray<string> Path, Func<string, bool>? Keeps = null)
{
    public RedactedPlace(string name, string path, Func<string, bool>? keeps = null) : this(name, [.. path.Split('/')], keeps) { }
}

/// <summary>What never reaches the disk although a provider returned it, for every provider alike: places by name; for texts by form see <see cref="CredentialForms"/>.</summary>
internal static class RedactionRules
{
    /// <summary>The rule of texts that look like a credential, wherever they stand.</summary>
    public const string Credential = "credential";

    /// <summary>The rule of <see cref="SecretMembers"/>.</summary>
    public static RedactedPlace SecretMember { get; } = new("secret", "");

    private const int LongestFlag = 24;

    /// <summary>Members that hold a secret beside configuration, whatever they stand in: AWS's, under their names on the wire.</summary>
    public static FrozenSet<string> SecretMembers { get; } = new[]
    {
        "ADDomainJoinPassword", "APIKey", "AccountPassword", "ApiKey", "AsmPassword", "AuthPassword", "AuthToken", "BillingToken",
        "CallbackToken", "ClientSecret", "CrossRealmTrustPrincipalPassword", "CustomerGatewayConfiguration", "DeviceToken",
        "FsxAdminPassword", "HECToken", "KdcAdminPassword", "MasterUserPassword", "Password", "PreCoPassword", "PreSharedKey",
        "PreSignedLogUrl", "PreSignedUrl", "ProcurementPortalSharedSecret", "SaslPassword", "SecretToken", "SharedSecret", "SignedUrl",
        "SslClientKeyPassword", "VoipDeviceToken", "accessToken", "associatedTranscriptsPassword", "authKey", "basicAuthCredentials",
        "botLocaleExportPassword", "clientSecret", "client_secret", "customerGatewayConfiguration", "grafanaToken", "jwtToken",
        "masterUserPassword", "passphrase", "password", "preSharedKey", "private_key", "refreshToken", "registrationToken",
        "secretAccessKey", "taxDocumentAccessToken", "userManagedClientApplicationClientSecret", "webhookUrl",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Members with which the next page is asked; whatever they look like, they are no secrets, and without them nothing goes on.</summary>
    public static FrozenSet<string> PageTokens { get; } =
        new[] { "NextToken", "nextToken", "nextPageToken", "continue", "NextMarker", "Marker", "NextContinuationToken", "PaginationToken" }.ToFrozenSet(StringComparer.Ordinal);

    public static ImmutableArray<RedactedPlace> Places { get; } =
    [
        // Kubernetes, and everything that is made of its containers.
        new("environment", "containers/[]/env/[]/value"),
        new("environment", "initContainers/[]/env/[]/value"),
        new("environment", "ephemeralContainers/[]/env/[]/value"),
        // It holds the whole object once more.
        new("last-applied", "annotations/kubectl.kubernetes.io~1last-applied-configuration"),
        // AWS: Lambda, ECS and Batch, Lightsail, SageMaker, App Runner, AppSync, CodeBuild, EC2.
        new("environment", "Environment/Variables/*"),
        new("environment", "environment/[]/value"),
        new("environment", "containers/*/environment/*"),
        new("environment", "Containers/[]/Environment/*"),
        new("environment", "PrimaryContainer/Environment/*"),
        new("environment", "RuntimeEnvironmentVariables/*"),
        new("api-key", "apiKeys/[]/id"),
        new("secret", "webhook/secret"),
        new("environment", "environmentVariables/[]/value"),
        new("user-data", "UserData"),
        new("user-data", "UserData/Value"),
        // Google Cloud: functions, machines, clusters, databases.
        new("environment", "environmentVariables/*"),
        new("instance-metadata", "metadata/items/[]/value", IsFlag),
        new("cluster-credential", "masterAuth/clientKey"),
        new("cluster-credential", "masterAuth/password"),
        new("password", "rootPassword"),
    ];

    /// <summary>Metadata of a machine are switches (<c>enable-oslogin: TRUE</c>), which tests need, or scripts, which hold passwords.</summary>
    private static bool IsFlag(string value) => value.Length <= LongestFlag && value.All(char.IsAsciiLetterOrDigit);
}
