using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Evidence.Verification;

/// <summary>The options of a verification.</summary>
/// <param name="AllowUnsigned">Whether the caller expects a bundle without a signature.</param>
public sealed record VerifyOptions(bool AllowUnsigned)
{
    /// <summary>The keys and authorities that may have signed.</summary>
    public SignerTrust Trust { get; init; } = SignerTrust.Nobody;

    /// <summary>
    /// Fingerprints of keys that are no longer valid, even when trusted: of a signer, or of any authority between it and its
    /// root. A signature by a revoked key fails whatever its date, because a thief of the key can write any date into what it
    /// signs.
    /// </summary>
    public ImmutableHashSet<Digest> Revoked { get; init; } = [];

    /// <summary>The roots of time stamp authorities; null does not require a time stamp.</summary>
    public ImmutableArray<X509Certificate2>? TimeStampRoots { get; init; }

    /// <summary>The head that somebody else kept: SHA-256 of the newest bundle's statement.</summary>
    public Digest? ExpectHead { get; init; }

    /// <summary>The challenge that the signer must have included; null skips this check.</summary>
    public string? Challenge { get; init; }

    /// <summary>The bundle before this one in its chain.</summary>
    public ChainHead? Previous { get; init; }

    /// <summary>The folder that holds the chain of bundles; the chain itself is checked too.</summary>
    public string? Locker { get; init; }

    /// <summary>The time of verification, which no time stamp may be later than; null skips this check.</summary>
    public DateTimeOffset? Now { get; init; }

    /// <summary>The largest manifest that is read, in bytes.</summary>
    public long MaxManifestBytes { get; init; } = 256 * 1024 * 1024;

    /// <summary>The largest number of files that a bundle may have.</summary>
    public int MaxEntries { get; init; } = 1_000_000;

    /// <summary>Whether the bundle's place in a chain is a question.</summary>
    internal bool AsksForChain => ExpectHead is not null || Challenge is not null || Previous is not null || Locker is not null;

    /// <summary>How many problems are listed; further ones are only counted.</summary>
    public int MaxProblems { get; init; } = 1000;
}

/// <summary>One line of the report, with the result of one check.</summary>
/// <param name="Question">The check, one of <see cref="VerifyQuestion"/>.</param>
public sealed record VerifyLine(string Question, VerifyAnswer Answer, string Detail);

/// <summary>The result of a verification.</summary>
/// <param name="Lines">One line per check, always all of them.</param>
/// <param name="Problems">The problems in the order found, at most as many as the options allow.</param>
/// <param name="ProblemCount">The number of all problems.</param>
/// <param name="BundleId">The identifier in the bundle; null when it cannot be read.</param>
/// <param name="Mode"><c>live</c> or <c>replay</c>, as <c>data/run.json</c> says; null when it cannot be read.</param>
/// <param name="TagManifestSha256">The digest that identifies the whole bundle; null when there is none.</param>
public sealed record VerifyReport(
    ImmutableArray<VerifyLine> Lines,
    ImmutableArray<VerifyProblem> Problems,
    long ProblemCount,
    string? BundleId,
    string? Mode,
    Digest? TagManifestSha256)
{
    /// <summary>The result of all checks that were made: it fails if one fails, and holds only if none is undecided.</summary>
    public VerifyAnswer Answer => Lines.Any(l => l.Answer == VerifyAnswer.Fails) ? VerifyAnswer.Fails
        : Lines.Any(l => l.Answer == VerifyAnswer.Undecided) ? VerifyAnswer.Undecided
        : VerifyAnswer.Holds;
}
