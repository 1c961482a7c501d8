using System.Collections.Immutable;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;

namespace AuditCli.Running;

/// <summary>
/// A run that collected and evaluated everything but could not be sealed. It is finished as <c>reperform</c> repeats a run: offline, from
/// its own exchanges, engagement, controls and inputs, under the current rules of evaluation.
/// </summary>
/// <param name="BundleId">The id of the bundle that the run would have sealed.</param>
/// <param name="Recorded">For a replay, the dates of its recording; null for a live run.</param>
/// <param name="NotTested">What the run did not test, and why; its folder only has the controls that ran.</param>
/// <param name="Compare">
/// Compares the evidence rebuilt in a <c>.partial</c> folder with the evidence of the stopped run; throws
/// <see cref="InvalidDataException"/> that names the first difference.
/// </param>
internal sealed record StoppedRun(
    string BundleId,
    DateTimeOffset Started,
    RecordedDates? Recorded,
    string User,
    string Machine,
    ImmutableArray<NotTested> NotTested,
    Action<string, CancellationToken> Compare)
{
    /// <summary>By input the digest of the file as it was supplied, which the folder has only without its personal values.</summary>
    public ImmutableSortedDictionary<string, Digest> Originals { get; init; } = ImmutableSortedDictionary<string, Digest>.Empty;
}
