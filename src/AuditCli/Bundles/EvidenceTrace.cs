using System.Collections.Immutable;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Bundles;

/// <summary>
/// Traces items of a population to the raw evidence; all reports use it. Each table that a test reads is read once for all items, and its
/// rows are matched with the items by value.
/// </summary>
/// <remarks>
/// References are ordered: the provider's response with the tested value comes first, and registers come after responses, because a
/// register records what management intends and not what is configured. For an undetermined item, the call that was refused comes first.
/// </remarks>
internal sealed class EvidenceTrace
{
    private const int MostReferences = 8;
    private const int MostOfATable = 3;
    private const int MostAlike = 10;
    private readonly OpenedBundle _bundle;
    private readonly Control? _control;
    private readonly bool _keepRows;
    private readonly CancellationToken _cancellationToken;
    private readonly ImmutableArray<TracedItem> _items;
    private readonly ImmutableDictionary<(string Target, string Account), (ImmutableArray<TracedItem> Items, ItemIndex Index)> _partitions;
    private readonly Lazy<ItemIndex> _all;
    private readonly ImmutableHashSet<string> _regions;

    private EvidenceTrace(OpenedBundle bundle, Control? control, IEnumerable<PopulationRow> rows, bool keepRows, CancellationToken cancellationToken)
    {
        _bundle = bundle;
        _control = control;
        _keepRows = keepRows;
        _cancellationToken = cancellationToken;
        var words = (control?.Tests ?? []).ToImmutableDictionary(t => t.Id, t => TestWords.Of(control, t.Id));
        _items = [.. rows.Select(r => new TracedItem(r, words.GetValueOrDefault(r.Test)))];
        _partitions = _items.GroupBy(i => (i.Row.Target, i.Row.Account)).ToImmutableDictionary(g => g.Key, g => (g.ToImmutableArray(), new ItemIndex(g)));
        _all = new(() => new(_items));
        _regions = [.. bundle.Index.Select(i => i.Region)];
    }

    /// <summary>Returns the trace of each item of one control, in the order of <paramref name="rows"/>.</summary>
    /// <param name="id">The control's id.</param>
    /// <param name="control">Null if the bundle's copy cannot be loaded; then all tables of the control are read.</param>
    /// <param name="keepRows">Whether to keep the rows, which takes memory, or only the references to them.</param>
    /// <exception cref="InvalidDataException">A table is not the one that was sealed.</exception>
    /// <exception cref="IOException">A table cannot be read.</exception>
    public static ImmutableArray<ItemTrace> Of(
        OpenedBundle bundle, string id, Control? control, IEnumerable<PopulationRow> rows, bool keepRows, CancellationToken cancellationToken)
    {
        var trace = new EvidenceTrace(bundle, control, rows, keepRows, cancellationToken);
        foreach (var (name, item) in bundle.EvidenceOf(id))
            trace.Read(name, item);
        return [.. trace._items.Select(Ended)];
    }

    private void Read(string name, EvidenceItem evidence)
    {
        var isAcross = _control?.Evidence.FirstOrDefault(e => e.Name == name) is { AcrossEngagement: true };
        var own = new[] { (evidence.Target, evidence.Account), (Partition.Everywhere, Partition.Everywhere) }
            .Where(_partitions.ContainsKey).Select(p => _partitions[p]);
        // Evidence that the items of every account read uses one index of all items: with one index per account, a region name would match
        // thousands.
        var seeing = isAcross
            ? [.. own.Select(p => p.Index), _all.Value]
            : (evidence.Target.Length == 0 ? _partitions.Values : own).Select(p => p.Index).ToImmutableArray();
        var items = isAcross || evidence.Target.Length == 0 ? _items : own.SelectMany(p => p.Items);
        var wanted = items.Where(i => i.Words is null || name == _control?.Waivers?.From || IsRead(i.Words, name)).ToHashSet();
        if (wanted.Count == 0)
            return;
        var search = new TableSearch(wanted, seeing, name, evidence, _keepRows);
        if (evidence.Table is { } table)
            Search(search, table, evidence.TableSha256, isCalls: false);
        search.EndTable(isCalls: false);
        if (evidence.Calls is { } calls)
            Search(search, calls, evidence.CallsSha256, isCalls: true);
        if (evidence.IsPerParent)
            search.EndTable(isCalls: true);
        search.EndEvidence(_regions);
    }

    private void Search(TableSearch search, string path, Digest? sha256, bool isCalls)
    {
        using var table = new TableReader(_bundle.Files.Open(path, _cancellationToken), path, sha256);
        foreach (var row in table.ReadRows())
        {
            _cancellationToken.ThrowIfCancellationRequested();
            if (isCalls)
                search.ReadCall(row);
            else
                search.ReadRow(row);
        }
    }

    /// <summary>Whether a test reads a table or its table of calls.</summary>
    private static bool IsRead(TestWords words, string name) => words.Has(name) || words.Has($"{name}__calls");

    private static ItemTrace Ended(TracedItem item)
    {
        var tables = item.Tables.OrderBy(t => Kind(t)).ThenByDescending(t => t.Score.Covered).ThenByDescending(t => t.Score.Folded)
            .ThenByDescending(t => t.Score.Named).ThenByDescending(t => t.Tested).ThenByDescending(t => t.Evidence.Calls is not null)
            .ThenByDescending(t => t.Score).ThenBy(t => t.Matching).ThenBy(t => t.Name, StringComparer.Ordinal).ToImmutableArray();
        // Keep the best table of each name: the same request to another account or region may share a word or two with the item.
        var best = tables.GroupBy(t => t.Name, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Max(t => t.Score), StringComparer.Ordinal);
        // Drop tables with many equally good rows: such a match says little about one item.
        var places = tables.Where((t, i) => t.Score == best[t.Name] && (i == 0 || t.Matching <= MostAlike))
            .Where(t => Kind(t) != TraceKind.Call
                || !item.Tables.Any(o => ReferenceEquals(o.Evidence, t.Evidence) && Kind(o) == TraceKind.Answer && o.Matching > 0))
            .SelectMany(t => t.Found.SelectMany(r => Places(item, t, r)).DistinctBy(p => p.Reference).Take(MostOfATable));
        var all = item.Refused.Take(MostOfATable).Concat(places).DistinctBy(p => p.Reference)
            .OrderBy(p => item.IsUnclear && p.Kind == TraceKind.Refused ? -1 : (int)p.Kind).Take(MostReferences);
        return new(tables, [.. all]);
    }

    private static IEnumerable<TracedReference> Places(TracedItem item, TracedTable table, TracedRow row)
    {
        var name = table.Name.EndsWith("__calls", StringComparison.Ordinal) ? table.Name[..^"__calls".Length] : table.Name;
        if (row.Reference is { } reference)
            yield return new(Kind(table), name, table.Evidence, reference, item.AttemptOf(table.Evidence, reference));
        else if (row.Attempts is [.., var last])
            yield return new(row.Failure is null ? TraceKind.Call : TraceKind.Refused, name, table.Evidence, last.RecordId, last) { Code = row.Failure };
    }

    private static TraceKind Kind(TracedTable table) => table.Evidence.Source == EvidenceNeed.FileSource ? TraceKind.Register
        : table.Name.EndsWith("__calls", StringComparison.Ordinal) ? TraceKind.Call
        : TraceKind.Answer;
}
