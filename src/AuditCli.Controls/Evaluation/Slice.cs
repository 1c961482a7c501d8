using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Evaluation;

/// <summary>The evidence that the tests of a control see at a time: one partition, or the union of all.</summary>
/// <param name="Tables">By evidence name, the sources of its rows in order; evidence without a source is left out.</param>
internal sealed record Slice(PartitionName Name, ImmutableSortedDictionary<string, ImmutableArray<EvidenceTable>> Tables)
{
    /// <summary>The partitions of which a union is made; empty for one partition.</summary>
    public ImmutableArray<SlicePart> Parts { get; init; } = [];

    /// <summary>Builds the slices of a control, in the order in which rows and results list them.</summary>
    /// <param name="leftOut">
    /// Targets and accounts that the run does not read; they make every table incomplete that should cover the whole engagement.
    /// </param>
    public static ImmutableArray<Slice> Of(Control control, ImmutableArray<Partition> partitions, ImmutableArray<LeftOutPlace> leftOut)
    {
        var ordered = partitions.OrderBy(p => p.Target, StringComparer.Ordinal).ThenBy(p => p.Account, StringComparer.Ordinal).ToImmutableArray();
        if (ordered.IsEmpty)
            return [];
        var union = Union(control.Evidence.Where(n => control.AcrossEngagement || n.AcrossEngagement), ordered, leftOut);
        if (control.AcrossEngagement)
        {
            var everywhere = new PartitionName(Partition.Everywhere, Partition.Everywhere);
            return [new Slice(everywhere, union) { Parts = [.. ordered.Select(p => SlicePart.Of(control, p))] }];
        }
        return [.. ordered.Select(p => new Slice(
            new PartitionName(p.Target, p.Account),
            p.Tables.ToImmutableSortedDictionary(t => t.Key, t => ImmutableArray.Create(t.Value), StringComparer.Ordinal).SetItems(union)))];
    }

    /// <summary>
    /// Returns the evidence that all slices of a control have in common: files, and evidence that is read across the engagement.
    /// </summary>
    public static ImmutableSortedDictionary<string, ImmutableArray<EvidenceTable>> Shared(Control control, ImmutableArray<Slice> slices) =>
        slices.Length < 2 ? ImmutableSortedDictionary.Create<string, ImmutableArray<EvidenceTable>>(StringComparer.Ordinal)
        : control.Evidence.Where(n => (n.IsFile || n.AcrossEngagement) && slices[0].Tables.ContainsKey(n.Name))
            .ToImmutableSortedDictionary(n => n.Name, n => slices[0].Tables[n.Name], StringComparer.Ordinal);

    /// <summary>When the first request for its evidence was made; null where no server was called.</summary>
    public DateTimeOffset? ReadFrom => Tables.Values.SelectMany(t => t).Min(t => t.ReadFrom);

    /// <summary>When the last request for its evidence was made.</summary>
    public DateTimeOffset? ReadUntil => Tables.Values.SelectMany(t => t).Max(t => t.ReadUntil);

    private static ImmutableSortedDictionary<string, ImmutableArray<EvidenceTable>> Union(
        IEnumerable<EvidenceNeed> needs, ImmutableArray<Partition> partitions, ImmutableArray<LeftOutPlace> leftOut)
    {
        var union = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<EvidenceTable>>(StringComparer.Ordinal);
        foreach (var need in needs)
        {
            var tables = partitions.Where(p => p.Tables.ContainsKey(need.Name)).Select(p => p.Tables[need.Name]);
            // Every partition sees the same input; its rows count only once.
            ImmutableArray<EvidenceTable> sources = need.IsFile
                ? [.. tables.Take(1)]
                : [.. tables, .. leftOut.Where(l => l.Source == need.Source).Select(l => Unread(need, l))];
            if (!sources.IsEmpty)
                union[need.Name] = sources;
        }
        return union.ToImmutable();
    }

    /// <summary>
    /// Returns an incomplete table for a target or account that was left out, without which the union would look complete.
    /// </summary>
    private static EvidenceTable Unread(EvidenceNeed need, LeftOutPlace place) => new(
        [.. need.AddedColumns, .. need.Columns], false,
        [new(need.Name, place.Target, place.Account, "", need.Operation, CollectionOutcome.Failed, place.Code, place.Message, 1)],
        null, null, TableRows.Of(Array.Empty<string>()));

    /// <summary>Whether all of the evidence was read, as far as the control needs it.</summary>
    public bool IsComplete(EvidenceNeed need) => Tables.TryGetValue(need.Name, out var tables)
        ? tables.All(t => t.Complete)
        : need.Optional || need.IfTarget;

    /// <summary>Whether <c>--target</c> left out a part of it, so that the test cannot be concluded.</summary>
    public bool IsLeftOut(EvidenceNeed need) => LimitationsOf(need).Any(l => l.Code == LimitationCodes.TargetLeftOut);

    /// <summary>
    /// Returns the columns of its table: as collected, or as the control declares them where nothing was collected.
    /// </summary>
    public ImmutableArray<Column> ColumnsOf(EvidenceNeed need) => Tables.TryGetValue(need.Name, out var tables)
        ? tables[0].Columns
        : [.. need.AddedColumns, .. need.Columns];

    /// <summary>Returns why it is not complete; empty when it is.</summary>
    public IEnumerable<Limitation> LimitationsOf(EvidenceNeed need)
    {
        if (IsComplete(need))
            return [];
        if (!Tables.TryGetValue(need.Name, out var tables))
            return [Limit(
                need, CollectionOutcome.Failed, LimitationCodes.NotCollected, "the control needs this evidence, but nothing was collected under its name")];
        return tables.Where(t => !t.Complete).SelectMany(t => t.Limitations.IsEmpty
            ? [Limit(need, CollectionOutcome.Incomplete, LimitationCodes.Incomplete, "the table is marked as incomplete")]
            : t.Limitations.AsEnumerable());
    }

    /// <summary>
    /// Returns the limitation that its state was read too far from the moment that the tests concern; null when it was not.
    /// </summary>
    public Limitation? ReadAway(EvidenceNeed need, AuditMoment moment)
    {
        if (!Tables.TryGetValue(need.Name, out var tables))
            return null;
        var from = tables.Min(t => t.ReadFrom);
        var until = tables.Max(t => t.ReadUntil);
        if (!Away(from, moment) && !Away(until, moment))
            return null;
        var read = from is null || until is null || from == until
            ? Rfc3339.Format((from ?? until)!.Value)
            : $"{Rfc3339.Format(from.Value)} to {Rfc3339.Format(until.Value)}";
        var hours = moment.AsOfTolerance.TotalHours.ToString("0.##", CultureInfo.InvariantCulture);
        return Limit(need, CollectionOutcome.Complete, LimitationCodes.StateReadAway,
            $"state read at {read}, more than {hours} h from {Rfc3339.Format(moment.AsOf)}");
    }

    /// <summary>
    /// Returns the limitation that the moment of the evidence is not certain, because the collecting machine's clock was wrong,
    /// or was not compared with any server's; null where it was right. Of several evidence tables it names the one with the
    /// largest difference.
    /// </summary>
    public Limitation? WrongClock(Control control, AuditMoment moment)
    {
        var all = control.Evidence.Where(n => Tables.ContainsKey(n.Name)).SelectMany(n => Tables[n.Name].Select(t => (Need: n, Table: t))).ToImmutableArray();
        // Files have no server. The clock counts for them only when a control has nothing but files, since as_of may come from
        // that clock.
        var read = all.Any(r => !r.Need.IsFile) ? [.. all.Where(r => !r.Need.IsFile)] : all;
        // Checked first, because a cached response has no server time to compare with.
        if (all.Where(r => r.Table.AnswerAge > moment.ClockLimit || r.Table.StaleAnswers > 0)
            .OrderByDescending(r => r.Table.AnswerAge).FirstOrDefault() is { Need: { } old, Table: { } kept })
        {
            var words = ClockWords.Old(kept.AnswerAge > moment.ClockLimit ? kept.AnswerAge : null, kept.StaleAnswers, moment.ClockLimit);
            return Limit(old, CollectionOutcome.Complete, LimitationCodes.OldAnswer, $"{words}, so the time at which the state was read is uncertain");
        }
        var worst = read.Where(r => r.Table.ClockOffset is not null).OrderByDescending(r => r.Table.ClockOffset!.Value.Duration()).FirstOrDefault();
        if (worst is { Table.ClockOffset: { } offset })
        {
            return offset.Duration() <= moment.ClockLimit ? null : Limit(worst.Need, CollectionOutcome.Complete, LimitationCodes.ClockDiffers,
                $"{ClockWords.Difference(offset)}; the limit is {ClockWords.Duration(moment.ClockLimit)}, "
                    + "so the time at which the state was read is uncertain");
        }
        return read.FirstOrDefault(r => r.Table is { Complete: true, ReadFrom: not null }) is { Need: { } undated }
            ? Limit(undated, CollectionOutcome.Complete, LimitationCodes.ClockNotCompared,
                $"{ClockWords.NotCompared}, so the time at which the state was read is uncertain")
            : null;
    }

    /// <summary>Returns remarks for a reader about evidence that is empty by design, or about an input file.</summary>
    public IEnumerable<string> NotesOf(EvidenceNeed need) => Tables.TryGetValue(need.Name, out var tables)
        ? tables.SelectMany(t => t.Notes)
        : need.Optional ? [$"{need.Name}: no such input was supplied, its table is empty"]
        : need.IfTarget ? [$"{need.Name}: not in scope, there is no {need.Source} target; its table is empty"]
        : [];

    /// <summary>Returns the error codes that counted as "there is none" for this evidence.</summary>
    public IEnumerable<TakenAsNone> TakenAsNoneOf(EvidenceNeed need) =>
        Tables.GetValueOrDefault(need.Name, []).SelectMany(t => t.TakenAsNone.Select(c => new TakenAsNone(need.Name, c.Code, c.Count)));

    private static bool Away(DateTimeOffset? read, AuditMoment moment) => read is { } at && (at - moment.AsOf).Duration() > moment.AsOfTolerance;

    private Limitation Limit(EvidenceNeed need, CollectionOutcome outcome, string code, string message) =>
        new(need.Name, Name.Target, Name.Account, "", need.Operation, outcome, code, message, 1);
}

/// <summary>One partition of a union.</summary>
/// <param name="Evidence">The names of the evidence read there; inputs are not included.</param>
internal sealed record SlicePart(PartitionName Name, ImmutableSortedSet<string> Evidence)
{
    public static SlicePart Of(Control control, Partition partition) => new(
        new(partition.Target, partition.Account),
        [.. control.Evidence.Where(n => !n.IsFile && partition.Tables.ContainsKey(n.Name)).Select(n => n.Name)]);
}
