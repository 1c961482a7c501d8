using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Controls.Evaluation;

/// <summary>Presents the evidence of a bundle as the partitions of a control.</summary>
/// <param name="place">Returns where a table of the index is.</param>
/// <param name="items">The items of the bundle's index.</param>
public sealed class CollectedEvidence(Func<string, TableFile> place, ImmutableArray<EvidenceItem> items)
{
    /// <param name="folder">The bundle's root, sealed or not yet.</param>
    /// <inheritdoc cref="CollectedEvidence(Func{string, TableFile}, ImmutableArray{EvidenceItem})"/>
    public CollectedEvidence(string folder, ImmutableArray<EvidenceItem> items)
        : this(path => new(Path.Combine(folder, path), null), items)
    {
    }

    /// <summary>How far the servers' clocks were ahead, by target and account.</summary>
    private readonly ImmutableDictionary<(string Target, string Account), TimeSpan> _offsets = items.Where(i => i.ClockOffsetSeconds is not null)
        .GroupBy(i => (i.Target, i.Account)).ToImmutableDictionary(g => g.Key, g => Largest(g)!.Value);
    private readonly TimeSpan? _offset = Largest(items);

    /// <summary>The period in which everything was read, and the offset of the servers' clocks.</summary>
    public EvidenceClock Clock => new(items.Min(ReadFrom), items.Max(ReadUntil), _offset)
    {
        AnswerAge = Oldest(items),
        StaleAnswers = items.Sum(i => i.StaleAnswers) is > 0 and var stale ? stale : null,
    };

    /// <summary>
    /// Returns one partition per target and account that was read for this control, each with the inputs that every partition
    /// sees; without any target a single partition with only those inputs. Tables are read when they are opened.
    /// </summary>
    public ImmutableArray<Partition> PartitionsOf(Control control)
    {
        var named = items.SelectMany(i => i.Names.Where(n => n.Control == control.Id).Select(n => (n.Name, Item: i))).ToImmutableArray();
        var inputs = named.Where(n => n.Item.Target.Length == 0).ToImmutableArray();
        var asked = named.Where(n => n.Item.Target.Length > 0).GroupBy(n => (n.Item.Target, n.Item.Account)).ToImmutableArray();
        return asked.IsEmpty
            ? inputs.IsEmpty ? [] : [new("", "", Tables(control, inputs))]
            : [.. asked.Select(p => new Partition(p.Key.Target, p.Key.Account, Tables(control, [.. p, .. inputs])))];
    }

    private ImmutableSortedDictionary<string, EvidenceTable> Tables(Control control, ImmutableArray<(string Name, EvidenceItem Item)> named) => named
        .GroupBy(n => n.Name, n => n.Item, StringComparer.Ordinal)
        .ToImmutableSortedDictionary(
            g => g.Key,
            g => Table(control.Evidence.Single(e => e.Name == g.Key), [.. g.OrderBy(i => i.Region, StringComparer.Ordinal)]),
            StringComparer.Ordinal);

    private EvidenceTable Table(EvidenceNeed need, ImmutableArray<EvidenceItem> regions) => new(
        [.. need.AddedColumns, .. need.Columns],
        regions.All(i => i.Outcome == CollectionOutcome.Complete),
        [.. regions.SelectMany(i => i.Failures.Select(f =>
            new Limitation(need.Name, i.Target, i.Account, i.Region, i.Operation, i.Outcome, f.Code, f.Message, f.Count)))],
        regions.Min(ReadFrom),
        regions.Max(ReadUntil),
        Rows(regions.Select(i => (i.Table, i.TableSha256))),
        need.ForEach is null ? null : new(need.CallColumns, Rows(regions.Select(i => (i.Calls, i.CallsSha256)))),
        Largest(regions) ?? OffsetAt(regions[0]))
    {
        Notes = [.. regions.SelectMany(i => i.Notes)],
        TakenAsNone = [.. regions.SelectMany(i => i.TakenAsNone)],
        AnswerAge = Oldest(regions),
        StaleAnswers = regions.Sum(i => i.StaleAnswers) ?? 0,
    };

    private DateTimeOffset? ReadFrom(EvidenceItem item) => item.ReadFrom ?? Corrected(item, item.Started);

    private DateTimeOffset? ReadUntil(EvidenceItem item) => item.ReadUntil ?? Corrected(item, item.Finished);

    /// <summary>
    /// Corrects a time of the collecting machine's clock; returns null where no request was sent, so that nothing was read.
    /// </summary>
    private DateTimeOffset? Corrected(EvidenceItem item, DateTimeOffset local) =>
        item is { Pages: 0, Exchanges.IsEmpty: true } || item.Source == EvidenceNeed.FileSource ? null : local + (OffsetAt(item) ?? TimeSpan.Zero);

    /// <summary>
    /// Returns the offset for an item whose own responses have no date. One clock was used for everything, so other responses
    /// show how far it was off. Those of the same target and account come first, because a server's clock may be wrong too.
    /// </summary>
    private TimeSpan? OffsetAt(EvidenceItem item) => _offsets.TryGetValue((item.Target, item.Account), out var near) ? near : _offset;

    private static TimeSpan? Oldest(IEnumerable<EvidenceItem> items) => items.Max(i => i.AnswerAgeSeconds) is { } age ? TimeSpan.FromSeconds(age) : null;

    private static TimeSpan? Largest(IEnumerable<EvidenceItem> items) => items.Select(i => i.ClockOffsetSeconds).OfType<long>()
        .OrderByDescending(Math.Abs).ThenBy(s => s).Select(s => (TimeSpan?)TimeSpan.FromSeconds(s)).FirstOrDefault();

    private TableRows Rows(IEnumerable<(string? Path, Digest? Sha256)> files) =>
        TableRows.Of(files.Where(f => f.Path is not null).Select(f => place(f.Path!) with { Sha256 = f.Sha256 }));
}
