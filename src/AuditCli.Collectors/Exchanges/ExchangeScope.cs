using AuditCli.Evidence.Bundles;

namespace AuditCli.Collectors.Exchanges;

/// <summary>Identifies one file of exchanges: one service of one target in one region.</summary>
/// <param name="Region">A region, or the source's name for global resources (<c>aws-global</c>).</param>
public sealed record ExchangeScope(string Target, string Service, string Region)
{
    /// <summary>
    /// Whether the responses are gzip files whose uncompressed content has a published SHA-256, such as CloudTrail's files. They are
    /// inflated regardless of their headers, because secrets cannot be found otherwise; and the hash of the original is stored if a file
    /// was redacted, since it is public anyway.
    /// </summary>
    public bool HasVouchedFiles { get; init; }

    /// <summary>The path relative to the folder of exchanges.</summary>
    /// <exception cref="ArgumentException">A part is not valid in a bundle path.</exception>
    public string FileName => BundlePath[BundleLayout.ExchangesFolder.Length..];

    /// <summary>The path relative to the bundle's root, see <see cref="BundleLayout.Exchanges"/>.</summary>
    /// <exception cref="ArgumentException">A part is not valid in a bundle path.</exception>
    public string BundlePath => BundleLayout.Exchanges(Target, Service, Region);
}

/// <summary>The size and time limits of one attempt.</summary>
/// <param name="MaxBodyBytes">The limit of a response body, after content decoding.</param>
/// <param name="Attempt">The time limit from sending to the last byte of the body.</param>
/// <param name="Connect">The time limit for establishing the connection.</param>
public sealed record ExchangeLimits(int MaxBodyBytes, TimeSpan Attempt, TimeSpan Connect)
{
    /// <summary>The default limits: 64 MiB, 60 seconds and 10 seconds.</summary>
    public static ExchangeLimits Default { get; } = new(64 * 1024 * 1024, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10));
}
