using AuditCli.Evidence.Bundles;

namespace AuditCli.Collectors.Http;

/// <summary>What one file of exchanges holds: one service of one target in one region.</summary>
/// <param name="Region">A region, or the source's word for "everywhere" (<c>aws-global</c>).</param>
public sealed record ExchangeScope(string Target, string Service, string Region)
{
    /// <summary>Where exchanges stand in a bundle.</summary>
    public const string Folder = "data/exchanges";

    /// <summary>
    /// Whether the answers are gzip files for whose content somebody vouches by its SHA-256, as CloudTrail does for a trail's files. They are
    /// inflated whatever their fields say, since secrets are found in no other way; and the hash of a redacted one is kept, which is published anyway.
    /// </summary>
    public bool HasVouchedFiles { get; init; }

    /// <summary>The file inside the folder of exchanges.</summary>
    /// <exception cref="ArgumentException">A part cannot stand in a bundle's paths.</exception>
    public string FileName => BundlePath[(Folder.Length + 1)..];

    /// <summary>The file from the bundle's root, see <see cref="BundlePaths.Exchanges"/>.</summary>
    /// <exception cref="ArgumentException">A part cannot stand in a bundle's paths.</exception>
    public string BundlePath => BundlePaths.Exchanges(Target, Service, Region);
}

/// <summary>How much and how long one attempt may take.</summary>
/// <param name="MaxBodyBytes">Of a response body, after content decoding.</param>
/// <param name="Attempt">From sending to the last byte of the body.</param>
/// <param name="Connect">For the connection alone.</param>
public sealed record ExchangeLimits(int MaxBodyBytes, TimeSpan Attempt, TimeSpan Connect)
{
    /// <summary>64 MiB, 60 seconds, 10 seconds.</summary>
    public static ExchangeLimits Default { get; } = new(64 * 1024 * 1024, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10));
}
