using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Reperformance;

/// <summary>
/// Evidence for which nothing was sent, so that there is no exchange to do again. Where it failed (no credentials were found, a role
/// was refused), its failure is taken from the index, and can only be a failure again; where there was nothing to ask, the moment is.
/// </summary>
internal sealed record UnrecordedEvidence(ImmutableDictionary<(string Target, string EvidenceId), EvidenceItem> Items)
{
    public static UnrecordedEvidence None { get; } = new(ImmutableDictionary<(string, string), EvidenceItem>.Empty);

    /// <summary>That of a bundle's index.</summary>
    public static UnrecordedEvidence Of(ImmutableArray<EvidenceItem> index) =>
        new(index.Where(IsUnrecorded).DistinctBy(i => (i.Target, i.EvidenceId)).ToImmutableDictionary(i => (i.Target, i.EvidenceId)));

    /// <summary>The item with what the index alone knows of it; one with an exchange then or now as it is.</summary>
    public EvidenceItem AsSealed(EvidenceItem item)
    {
        if (!IsUnrecorded(item) || !Items.TryGetValue((item.Target, item.EvidenceId), out var known))
            return item;
        var at = item with { Started = known.Started, Finished = known.Finished };
        return FailedUnsent(item) && FailedUnsent(known)
            ? at with { Code = known.Code, Message = known.Message, Failures = known.Failures, Identity = known.Identity }
            : at;
    }

    /// <summary>Whether the index has it as a failure of which nothing is recorded.</summary>
    public bool FailedThenToo(EvidenceItem item) => FailedUnsent(item) && Items.TryGetValue((item.Target, item.EvidenceId), out var known) && FailedUnsent(known);

    private static bool IsUnrecorded(EvidenceItem item) => item is { Pages: 0, Exchanges.IsEmpty: true };

    private static bool FailedUnsent(EvidenceItem item) => IsUnrecorded(item) && item is { Outcome: CollectionOutcome.Failed, Items: 0, Calls: null };
}
