using System.Collections.Immutable;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;

namespace AuditCli.Running;

/// <summary>An unfinished run that is resumed, under the current rules of evaluation.</summary>
/// <param name="BundleId">The id of the bundle that the run would have sealed.</param>
/// <param name="NotTested">What the run did not test, and why; its folder only has the controls that ran.</param>
internal sealed record StoppedRun(string BundleId, DateTimeOffset Started, string User, string Machine, ImmutableArray<NotTested> NotTested)
{
    /// <summary>By input the digest of the file as it was supplied, which the folder has only without its personal values.</summary>
    public ImmutableSortedDictionary<string, Digest> Originals { get; init; } = ImmutableSortedDictionary<string, Digest>.Empty;

    /// <summary>
    /// For a run that collected and evaluated everything but could not be sealed: it is finished as <c>reperform</c> repeats a run, offline,
    /// from its own exchanges. Null for a run that was interrupted before.
    /// </summary>
    public CollectedBefore? Collected { get; init; }

    /// <summary>For a run that was interrupted: its <c>.partial</c> folder, in which it goes on and asks for what is missing.</summary>
    public string? Folder { get; init; }
}

/// <summary>The evidence of a run that could not be sealed.</summary>
/// <param name="Recorded">For a replay, the dates of its recording; null for a live run.</param>
/// <param name="Compare">
/// Compares the evidence rebuilt in a <c>.partial</c> folder with the evidence of the stopped run; throws
/// <see cref="InvalidDataException"/> that names the first difference.
/// </param>
internal sealed record CollectedBefore(RecordedDates? Recorded, Action<string, CancellationToken> Compare);
