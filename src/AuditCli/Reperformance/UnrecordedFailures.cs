using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Reperformance;

/// <summary>
/// Evidence that failed before anything was sent, so that there is no exchange to do again: no credentials were found, or a role was
/// refused. Its failure is taken from the index, and can only be a failure again.
/// </summary>
internal sealed record UnrecordedFailures(ImmutableDictionary<(string Target, string EvidenceId), EvidenceItem> Items)
{
    public static UnrecordedFailures None { get; } = new(ImmutableDictionary<(string, string), EvidenceItem>.Empty);

    /// <summary>Those of a bundle's index.</summary>
    public static UnrecordedFailures Of(ImmutableArray<EvidenceItem> index) =>
        new(index.Where(IsUnrecorded).DistinctBy(i => (i.Target, i.EvidenceId)).ToImmutableDictionary(i => (i.Target, i.EvidenceId)));

    /// <summary>The item as the index has it, where it failed then and fails now; any other as it is.</summary>
    public EvidenceItem AsSealed(EvidenceItem item) => IsUnrecorded(item) && Items.TryGetValue((item.Target, item.EvidenceId), out var known)
        ? item with { Code = known.Code, Message = known.Message, Failures = known.Failures, Identity = known.Identity, Started = known.Started, Finished = known.Finished }
        : item;

    private static bool IsUnrecorded(EvidenceItem item) =>
        item is { Outcome: CollectionOutcome.Failed, Pages: 0, Items: 0, Calls: null, Exchanges.IsEmpty: true };
}
