using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using AuditCli.Evidence.Attestation;

namespace AuditCli.Evidence.Bundles;

/// <summary>How to verify.</summary>
/// <param name="AllowUnsigned">Whether a bundle without a signature is what the caller expects.</param>
public sealed record VerifyOptions(bool AllowUnsigned)
{
    /// <summary>Who may have signed.</summary>
    public SignerTrust Trust { get; init; } = SignerTrust.Nobody;

    /// <summary>
    /// Fingerprints of keys that no longer count, whoever trusts them: of a signer, or of any authority between it and its root. A
    /// signature by one fails whenever it was made: who holds a stolen key writes any date into what it signs.
    /// </summary>
    public ImmutableHashSet<Digest> Revoked { get; init; } = [];

    /// <summary>The roots of time stamp authorities; null does not ask for a time stamp.</summary>
    public ImmutableArray<X509Certificate2>? TimeStampRoots { get; init; }

    /// <summary>The head that somebody else kept: SHA-256 of the newest bundle's statement.</summary>
    public Digest? ExpectHead { get; init; }

    /// <summary>The text that the signer must have answered.</summary>
    public string? Challenge { get; init; }

    /// <summary>The bundle before this one in its row.</summary>
    public ChainHead? Previous { get; init; }

    /// <summary>The folder that holds the row of bundles; the row itself is checked too.</summary>
    public string? Locker { get; init; }

    /// <summary>The moment of verifying, which no time stamp may be later than; null does not ask.</summary>
    public DateTimeOffset? Now { get; init; }

    /// <summary>The largest manifest that is read, in bytes.</summary>
    public long MaxManifestBytes { get; init; } = 256 * 1024 * 1024;

    /// <summary>The most files that a bundle may have.</summary>
    public int MaxEntries { get; init; } = 1_000_000;

    /// <summary>How many problems are listed; the rest is counted.</summary>
    public int MaxProblems { get; init; } = 1000;
}

/// <summary>What came of one question. Nothing that was not asked holds.</summary>
public enum VerifyAnswer
{
    Holds,
    Fails,

    /// <summary>Asked, and neither shown nor refuted.</summary>
    Undecided,
    NotChecked,
}

/// <summary>One question of the verification, in the words of the report.</summary>
/// <param name="Question">files, manifest, signature, key trust, time, chain, totals.</param>
public sealed record VerifyLine(string Question, VerifyAnswer Answer, string Detail);

/// <summary>One thing that is wrong, or could not be decided.</summary>
/// <param name="Question">The line it belongs to.</param>
/// <param name="Code">Stable between versions, such as <c>CONTENT_MODIFIED</c>.</param>
/// <param name="Path">From the bundle's root; the root itself is a point.</param>
/// <param name="Answer"><see cref="VerifyAnswer.Fails"/> or <see cref="VerifyAnswer.Undecided"/>.</param>
public sealed record VerifyProblem(string Question, string Code, string Path, string Message, VerifyAnswer Answer);

/// <summary>What verification found.</summary>
/// <param name="Lines">One per question, always all of them.</param>
/// <param name="Problems">In the order found, at most as many as the options say.</param>
/// <param name="ProblemCount">All of them.</param>
/// <param name="BundleId">What the bundle calls itself; null when it cannot be read.</param>
/// <param name="Mode"><c>live</c> or <c>replay</c>, as <c>data/run.json</c> says; null when it cannot be read.</param>
/// <param name="TagManifestSha256">The digest that stands for the whole bundle; null when there is none.</param>
public sealed record VerifyReport(
    ImmutableArray<VerifyLine> Lines,
    ImmutableArray<VerifyProblem> Problems,
    long ProblemCount,
    string? BundleId,
    string? Mode,
    Digest? TagManifestSha256)
{
    /// <summary>0 every question asked holds; 2 one fails; 3 none fails and one is undecided.</summary>
    public int ExitCode => Lines.Any(l => l.Answer == VerifyAnswer.Fails) ? 2
        : Lines.Any(l => l.Answer == VerifyAnswer.Undecided) ? 3
        : 0;
}
