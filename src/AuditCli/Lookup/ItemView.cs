using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;

namespace AuditCli.Lookup;

/// <summary>An item with its evidence and exchanges, for display.</summary>
/// <param name="Control">The bundle's copy of the control; null if it cannot be loaded.</param>
/// <param name="Exchanges">
/// The exchanges of the places that were found, each once, the one that supports the verdict first; at most as many as are shown.
/// </param>
/// <param name="MoreExchanges">The number of further exchanges.</param>
internal sealed record ItemView(
    Control? Control, ControlResult Result, PopulationRow Row, ItemTrace Trace, ImmutableArray<FoundExchange> Exchanges, int MoreExchanges)
{
    private const int MostExchanges = 8;
    private readonly TestWords? _words = TestWords.Of(Control, Row.Test);

    public static ItemView Of(OpenedBundle bundle, AuditHost host, ControlResult result, PopulationRow row, CancellationToken cancellationToken)
    {
        var control = bundle.ControlOf(result, host.Sources);
        var trace = EvidenceTrace.Of(bundle, result.Id, control, [row], keepRows: true, cancellationToken)[0];
        var wanted = trace.References.Select(r => (Record: r.RecordId, Evidence: r.Item))
            .Concat(trace.Tables.SelectMany(t => t.Found.SelectMany(r => r.Records).Select(record => (Record: record, t.Evidence))))
            .Where(r => r.Record.StartsWith("urn:", StringComparison.Ordinal)).DistinctBy(r => r.Record).ToImmutableArray();
        var exchanges = wanted.Take(MostExchanges).Select(r => FoundExchange.Of(bundle, r.Record, [r.Evidence], cancellationToken)).OfType<FoundExchange>();
        return new(control, result, row, trace, [.. exchanges], Math.Max(0, wanted.Length - MostExchanges));
    }

    public ImmutableArray<TracedTable> Tables => Trace.Tables;

    /// <summary>The words to mark in a response: the item and the values that matched, longest first.</summary>
    public IEnumerable<string> Words =>
    [
        Row.Item,
        .. Tables.SelectMany(t => t.Found).SelectMany(r => r.Cells).Select(c => c.Value)
            .Distinct(StringComparer.Ordinal).OrderByDescending(v => v.Length),
    ];

    public string? TestTitle => Control?.Tests.FirstOrDefault(t => t.Id == Row.Test)?.Title;

    /// <summary>Whether the test's SQL reads a column of a row that was found.</summary>
    public bool IsTested(TracedTable table, TracedRow row, string column) =>
        _words is { } words && !column.StartsWith('_') && (row.Element.Length > 0 ? words.Has(column) : words.Reads(table.Name, column));
}
