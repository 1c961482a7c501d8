using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace AuditCli.Collectors.Http;

/// <summary>A place in answers whose values are secrets, or may be.</summary>
/// <param name="Name">As the index of evidence names it.</param>
/// <param name="Path">The last members of the path; <c>*</c> is any one member, <c>[]</c> any element of a list.</param>
/// <param name="Keeps">Values that are no secret there; null keeps none.</param>
internal sealed record RedactedPlace(string Name, ImmutableArray<string> Path, Func<string, bool>? Keeps = null)
{
    public RedactedPlace(string name, string path, Func<string, bool>? keeps = null) : this(name, [.. path.Split('/')], keeps) { }
}

/// <summary>What never reaches the disk although a provider returned it, for every provider alike: places by name, and texts by form.</summary>
internal static class RedactionRules
{
    /// <summary>The rule of texts that look like a credential, wherever they stand.</summary>
    public const string Credential = "credential";

    private const int LongestFlag = 24;

    /// <summary>Bytes of which at least one stands in every text that <see cref="Form"/> finds; most answers have none of them.</summary>
    public static ImmutableArray<byte[]> Hints { get; } =
        [.. new[] { "PRIVATE KEY-----", "eyJ", "@", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "AIza", "k_live_", "sk-", "npm_", "ya29.", "SG.", "dop_v1_", "hvs.", "AccountKey=", "pass", "Pass", "PASS", "ecret", "ECRET", "oken", "OKEN", "pi_key", "PI_KEY", "pi-key", "pikey", "piKey", "PIKEY" }.Select(System.Text.Encoding.ASCII.GetBytes)];

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
        // AWS: Lambda, ECS, CodeBuild, EC2.
        new("environment", "Environment/Variables/*"),
        new("environment", "containerDefinitions/[]/environment/[]/value"),
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

    /// <summary>A credential inside a text: the group <c>secret</c> where only a part of the match is one.</summary>
    public static Regex Form { get; } = new("""
        -----BEGIN[A-Z ]*PRIVATE\ KEY-----[\s\S]*?(?:-----END[A-Z ]*PRIVATE\ KEY-----|$)
        | \beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
        | [A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@"'<>]*:(?<secret>[^\s/@"'<>]+)@
        | \b(?:gh[pousr]_[A-Za-z0-9]{20,255} | github_pat_[A-Za-z0-9_]{22,255} | glpat-[A-Za-z0-9_-]{20,} | xox[abposr]-[A-Za-z0-9-]{10,}
            | AIza[A-Za-z0-9_-]{35} | [rs]k_live_[A-Za-z0-9]{16,} | sk-[A-Za-z0-9_-]{32,} | npm_[A-Za-z0-9]{30,} | ya29\.[A-Za-z0-9_-]{20,}
            | SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,} | dop_v1_[a-f0-9]{32,} | hvs\.[A-Za-z0-9_-]{20,})
        | AccountKey=(?<secret>[A-Za-z0-9+/=]{40,})
        | (?i:aws_secret_access_key|password|passwd|secret|client_secret|api[_-]?key|access[_-]?token|auth[_-]?token)(?:\s*=\s*["']? | \s*:\s+["']? | ["']\s*[:=]\s*["'])(?<secret>[A-Za-z0-9+/_.~!@\#$%^&*-]{12,})
        """,
        // In time that grows with the text alone, whatever a provider sends.
        RegexOptions.NonBacktracking | RegexOptions.IgnorePatternWhitespace | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture);
}
