using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Evidence;

namespace AuditCli.Controls.Evaluation;

/// <summary>What the tests of a control see at a time: one partition, or the union of all.</summary>
/// <param name="Tables">By evidence name, the sources of its rows in order; an evidence without any is not there.</param>
internal sealed record Slice(PartitionName Name, ImmutableSortedDictionary<string, ImmutableArray<EvidenceTable>> Tables)
{
    /// <summary>Of a union: the partitions that it is made of. Empty for one partition.</summary>
    public ImmutableArray<SlicePart> Parts { get; init; } = [];

    /// <summary>In the order in which rows and results list them.</summary>
    /// <param name="leftOut">What the run does not read; it makes every table incomplete that should hold the whole engagement.</param>
    public static ImmutableArray<Slice> Of(Control control, ImmutableArray<Partition> partitions, ImmutableArray<LeftOutPlace> leftOut)
    {
        var ordered = partitions.OrderBy(p => p.Target, StringComparer.Ordinal).ThenBy(p => p.Account, StringComparer.Ordinal).ToImmutableArray();
        if (ordered.IsEmpty)
            return [];
        var union = Union(control.Evidence.Where(n => control.AcrossEngagement || n.AcrossEngagement), ordered, leftOut);
        if (control.AcrossEngagement)
            return [new Slice(new PartitionName(Partition.Everywhere, Partition.Everywhere), union) { Parts = [.. ordered.Select(p => SlicePart.Of(control, p))] }];
        return [.. ordered.Select(p => new Slice(
            new PartitionName(p.Target, p.Account),
            p.Tables.ToImmutableSortedDictionary(t => t.Key, t => ImmutableArray.Create(t.Value), StringComparer.Ordinal).SetItems(union)))];
    }

    /// <summary>What all slices of a control have in common: files, and evidence that is read across the engagement.</summary>
    public static ImmutableSortedDictionary<string, ImmutableArray<EvidenceTable>> Shared(Control control, ImmutableArray<Slice> slices) =>
        slices.Length < 2 ? ImmutableSortedDictionary.Create<string, ImmutableArray<EvidenceTable>>(StringComparer.Ordinal)
        : control.Evidence.Where(n => (n.IsFile || n.AcrossEngagement) && slices[0].Tables.ContainsKey(n.Name))
            .ToImmutableSortedDictionary(n => n.Name, n => slices[0].Tables[n.Name], StringComparer.Ordinal);

    /// <summary>When the first of its evidence was asked for; null where none was asked of a server.</summary>
    public DateTimeOffset? ReadFrom => Tables.Values.SelectMany(t => t).Min(t => t.ReadFrom);

    /// <summary>When the last of its evidence was asked for.</summary>
    public DateTimeOffset? ReadUntil => Tables.Values.SelectMany(t => t).Max(t => t.ReadUntil);

    private static ImmutableSortedDictionary<string, ImmutableArray<EvidenceTable>> Union(
        IEnumerable<EvidenceNeed> needs, ImmutableArray<Partition> partitions, ImmutableArray<LeftOutPlace> leftOut)
    {
        var union = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<EvidenceTable>>(StringComparer.Ordinal);
        foreach (var need in needs)
        {
            var tables = partitions.Where(p => p.Tables.ContainsKey(need.Name)).Select(p => p.Tables[need.Name]);
            // Every partition sees the same input; its rows count once.
            ImmutableArray<EvidenceTable> sources = need.IsFile
                ? [.. tables.Take(1)]
                : [.. tables, .. leftOut.Where(l => l.Source == need.Source).Select(l => Unread(need, l))];
            if (!sources.IsEmpty)
                union[need.Name] = sources;
        }
        return union.ToImmutable();
    }

    /// <summary>The table of a place that was left out: without it the union would look whole.</summary>
    private static EvidenceTable Unread(EvidenceNeed need, LeftOutPlace place) => new(
        [.. need.AddedColumns, .. need.Columns], false,
        [new(need.Name, place.Target, place.Account, "", need.Operation, CollectionOutcome.Failed, place.Code, place.Message, 1)],
        null, null, TableRows.Of(Array.Empty<string>()));

    /// <summary>Whether everything of it was read, as far as the control needs it.</summary>
    public bool IsComplete(EvidenceNeed need) => Tables.TryGetValue(need.Name, out var tables)
        ? tables.All(t => t.Complete)
        : need.Optional || need.IfTarget;

    /// <summary>Whether <c>--target</c> left out a part of it, so that the test is not concluded at all.</summary>
    public bool IsLeftOut(EvidenceNeed need) => LimitationsOf(need).Any(l => l.Code == LimitationCodes.TargetLeftOut);

    /// <summary>The columns of its table: as collected, or as the control declares them where nothing was.</summary>
    public ImmutableArray<Column> ColumnsOf(EvidenceNeed need) => Tables.TryGetValue(need.Name, out var tables)
        ? tables[0].Columns
        : [.. need.AddedColumns, .. need.Columns];

    /// <summary>Why it is not complete; empty when it is.</summary>
    public IEnumerable<Limitation> LimitationsOf(EvidenceNeed need)
    {
        if (IsComplete(need))
            return [];
        if (!Tables.TryGetValue(need.Name, out var tables))
            return [Limit(need, CollectionOutcome.Failed, LimitationCodes.NotCollected, "the control needs it, and nothing was collected under this name")];
        return tables.Where(t => !t.Complete).SelectMany(t => t.Limitations.IsEmpty
            ? [Limit(need, CollectionOutcome.Incomplete, LimitationCodes.Incomplete, "the table is marked as not complete")]
            : t.Limitations.AsEnumerable());
    }

    /// <summary>The limitation that its state was read away from the moment the tests speak of; null when it was not.</summary>
    public Limitation? ReadAway(EvidenceNeed need, AuditMoment moment)
    {
        if (!Tables.TryGetValue(need.Name, out var tables))
            return null;
        var from = tables.Min(t => t.ReadFrom);
        var until = tables.Max(t => t.ReadUntil);
        if (!Away(from, moment) && !Away(until, moment))
            return null;
        var read = from is null || until is null || from == until
            ? Instants.Rfc3339((from ?? until)!.Value)
            : $"{Instants.Rfc3339(from.Value)} to {Instants.Rfc3339(until.Value)}";
        var hours = moment.AsOfTolerance.TotalHours.ToString("0.##", CultureInfo.InvariantCulture);
        return Limit(need, CollectionOutcome.Complete, LimitationCodes.StateReadAway,
            $"state read at {read}, more than {hours} h from {Instants.Rfc3339(moment.AsOf)}");
    }

    /// <summary>
    /// The limitation that nobody can say of which moment the evidence is, because the clock of the machine that read was wrong, or was not
    /// compared with any server's; null where it was right. Of several evidence tables it names the one with the largest difference.
    /// </summary>
    public Limitation? WrongClock(Control control, AuditMoment moment)
    {
        var all = control.Evidence.Where(n => Tables.ContainsKey(n.Name)).SelectMany(n => Tables[n.Name].Select(t => (Need: n, Table: t))).ToImmutableArray();
        // A file has no server; the clock that read the others counts for it only where it stands alone, since as_of may come from that clock.
        var read = all.Any(r => !r.Need.IsFile) ? [.. all.Where(r => !r.Need.IsFile)] : all;
        // First, since what a cache gives has no server's time that could be compared.
        if (all.Where(r => r.Table.AnswerAge > moment.ClockLimit || r.Table.StaleAnswers > 0)
            .OrderByDescending(r => r.Table.AnswerAge).FirstOrDefault() is { Need: { } old, Table: { } kept })
        {
            return Limit(old, CollectionOutcome.Complete, LimitationCodes.OldAnswer,
                $"{ClockWords.Old(kept.AnswerAge > moment.ClockLimit ? kept.AnswerAge : null, kept.StaleAnswers, moment.ClockLimit)}: the moment of a state is not certain");
        }
        if (read.Where(r => r.Table.ClockOffset is not null).OrderByDescending(r => r.Table.ClockOffset!.Value.Duration()).FirstOrDefault() is { Table.ClockOffset: { } offset } worst)
        {
            return offset.Duration() <= moment.ClockLimit ? null : Limit(worst.Need, CollectionOutcome.Complete, LimitationCodes.ClockDiffers,
                $"{ClockWords.Difference(offset)}, and {ClockWords.Duration(moment.ClockLimit)} are tolerated: the moment of a state is not certain");
        }
        return read.FirstOrDefault(r => r.Table is { Complete: true, ReadFrom: not null }) is { Need: { } undated }
            ? Limit(undated, CollectionOutcome.Complete, LimitationCodes.ClockNotCompared,
                $"{ClockWords.NotCompared}: the moment of a state is not certain")
            : null;
    }

    /// <summary>What a reader should know about an evidence that is empty by design, or of the file that it is.</summary>
    public IEnumerable<string> NotesOf(EvidenceNeed need) => Tables.TryGetValue(need.Name, out var tables)
        ? tables.SelectMany(t => t.Notes)
        : need.Optional ? [$"{need.Name}: no such input was supplied, its table is empty"]
        : need.IfTarget ? [$"{need.Name}: not in scope, there is no {need.Source} target; its table is empty"]
        : [];

    private static bool Away(DateTimeOffset? read, AuditMoment moment) => read is { } at && (at - moment.AsOf).Duration() > moment.AsOfTolerance;

    private Limitation Limit(EvidenceNeed need, CollectionOutcome outcome, string code, string message) =>
        new(need.Name, Name.Target, Name.Account, "", need.Operation, outcome, code, message, 1);
}

/// <summary>One partition of a union.</summary>
/// <param name="Evidence">Names of what was asked there; inputs are not among them.</param>
internal sealed record SlicePart(PartitionName Name, ImmutableSortedSet<string> Evidence)
{
    public static SlicePart Of(Control control, Partition partition) => new(
        new(partition.Target, partition.Account),
        [.. control.Evidence.Where(n => !n.IsFile && partition.Tables.ContainsKey(n.Name)).Select(n => n.Name)]);
}
