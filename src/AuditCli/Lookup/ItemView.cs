using System.Collections.Immutable;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;

namespace AuditCli.Lookup;

/// <summary>An item with everything behind it, ready to be shown.</summary>
/// <param name="Control">The bundle's copy; null where it cannot be loaded.</param>
/// <param name="Exchanges">Of the rows found, each once, in the order of the tables; not more than are shown.</param>
/// <param name="MoreExchanges">How many there are beside them.</param>
internal sealed record ItemView(
    Control? Control, ControlResult Result, PopulationRow Row, ImmutableArray<TracedTable> Tables, ImmutableArray<FoundExchange> Exchanges, int MoreExchanges)
{
    private const int MostExchanges = 8;

    public static ItemView Of(OpenedBundle bundle, AuditHost host, ControlResult result, PopulationRow row, CancellationToken cancellationToken)
    {
        var control = bundle.ControlOf(result.Id, host);
        var tables = EvidenceTrace.Of(bundle, control, row, cancellationToken);
        var wanted = tables.SelectMany(t => t.Found.SelectMany(r => r.Records).Select(record => (record, t.Evidence)))
            .Where(r => r.record.StartsWith("urn:", StringComparison.Ordinal)).DistinctBy(r => r.record).ToImmutableArray();
        var exchanges = wanted.Take(MostExchanges).Select(r => FoundExchange.Of(bundle, r.record, [r.Evidence], cancellationToken)).OfType<FoundExchange>();
        return new(control, result, row, tables, [.. exchanges], Math.Max(0, wanted.Length - MostExchanges));
    }

    /// <summary>The words to look for in an answer: the item, and what matched.</summary>
    public IEnumerable<string> Words => [Row.Item, .. Tables.SelectMany(t => t.Found).SelectMany(r => r.Cells).Select(c => c.Value).Distinct(StringComparer.Ordinal).OrderByDescending(v => v.Length)];

    public string? TestTitle => Control?.Tests.FirstOrDefault(t => t.Id == Row.Test)?.Title;
}
