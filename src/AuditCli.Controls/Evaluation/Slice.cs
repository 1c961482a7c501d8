using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Evidence;

namespace AuditCli.Controls.Evaluation;

/// <summary>What the tests of a control see at a time: one partition, or the union of all.</summary>
/// <param name="Tables">By evidence name, the sources of its rows in order; an evidence without any is not there.</param>
internal sealed record Slice(PartitionName Name, ImmutableSortedDictionary<string, ImmutableArray<EvidenceTable>> Tables)
{
    /// <summary>In the order in which rows and results list them.</summary>
    public static ImmutableArray<Slice> Of(Control control, ImmutableArray<Partition> partitions)
    {
        var ordered = partitions.OrderBy(p => p.Target, StringComparer.Ordinal).ThenBy(p => p.Account, StringComparer.Ordinal).ToImmutableArray();
        if (!control.AcrossEngagement)
        {
            return [.. ordered.Select(p => new Slice(
                new PartitionName(p.Target, p.Account),
                p.Tables.ToImmutableSortedDictionary(t => t.Key, t => ImmutableArray.Create(t.Value), StringComparer.Ordinal)))];
        }
        if (ordered.IsEmpty)
            return [];
        var union = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<EvidenceTable>>(StringComparer.Ordinal);
        foreach (var need in control.Evidence)
        {
            var tables = ordered.Where(p => p.Tables.ContainsKey(need.Name)).Select(p => p.Tables[need.Name]);
            // Every partition sees the same input; its rows count once.
            var sources = need.IsFile ? tables.Take(1) : tables;
            if (sources.Any())
                union[need.Name] = [.. sources];
        }
        return [new Slice(new PartitionName(Partition.Everywhere, Partition.Everywhere), union.ToImmutable())];
    }

    /// <summary>When the first of its evidence was asked for; null where none was asked of a server.</summary>
    public DateTimeOffset? ReadFrom => Tables.Values.SelectMany(t => t).Min(t => t.ReadFrom);

    /// <summary>When the last of its evidence was asked for.</summary>
    public DateTimeOffset? ReadUntil => Tables.Values.SelectMany(t => t).Max(t => t.ReadUntil);

    /// <summary>Whether everything of it was read, as far as the control needs it.</summary>
    public bool IsComplete(EvidenceNeed need) => Tables.TryGetValue(need.Name, out var tables)
        ? tables.All(t => t.Complete)
        : need.Optional || need.IfTarget;

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
