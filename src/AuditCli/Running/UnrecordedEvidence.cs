using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Running;

/// <summary>
/// Evidence for which no request was sent, so there is no exchange to repeat. If it failed (for example because no credentials were found
/// or a role was refused), the failure is taken from the index, and the item can only fail again. If there was nothing to request, only the
/// times are taken.
/// </summary>
internal sealed record UnrecordedEvidence(ImmutableDictionary<(string Target, string EvidenceId), EvidenceItem> Items)
{
    public static UnrecordedEvidence None { get; } = new(ImmutableDictionary<(string, string), EvidenceItem>.Empty);

    /// <summary>Returns the unrecorded evidence of a bundle's index.</summary>
    public static UnrecordedEvidence Of(ImmutableArray<EvidenceItem> index) =>
        new(index.Where(IsUnrecorded).DistinctBy(i => (i.Target, i.EvidenceId)).ToImmutableDictionary(i => (i.Target, i.EvidenceId)));

    /// <summary>Returns the item with the values that only the index has; unchanged if it has an exchange then or now.</summary>
    public EvidenceItem AsSealed(EvidenceItem item)
    {
        if (!IsUnrecorded(item) || !Items.TryGetValue((item.Target, item.EvidenceId), out var known))
            return item;
        var at = item with { Started = known.Started, Finished = known.Finished };
        return FailedUnsent(item) && FailedUnsent(known)
            ? at with { Code = known.Code, Message = known.Message, Failures = known.Failures, Identity = known.Identity }
            : at;
    }

    /// <summary>Whether the item failed before anything was sent, both in the index and now.</summary>
    public bool FailedThenToo(EvidenceItem item) =>
        FailedUnsent(item) && Items.TryGetValue((item.Target, item.EvidenceId), out var known) && FailedUnsent(known);

    private static bool IsUnrecorded(EvidenceItem item) => item is { Pages: 0, Exchanges.IsEmpty: true };

    private static bool FailedUnsent(EvidenceItem item) => IsUnrecorded(item) && item is { Outcome: CollectionOutcome.Failed, Items: 0, IsPerParent: false };
}
