using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Lookup;

/// <summary>A row of evidence that was found for an item, and by which cells.</summary>
internal sealed record TracedRow(JsonElement Row, ImmutableArray<MatchedCell> Cells)
{
    /// <summary>The exchange and the place in it, as <c>show</c> takes it; null for a row that has none.</summary>
    public string? Reference => Row.TryGetProperty("_ref", out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>The identifiers of the exchanges that brought it: that of its reference, or of a call all its attempts.</summary>
    public IEnumerable<string> Records => Reference is { } reference
        ? [reference.Split('#')[0]]
        : Row.TryGetProperty("exchanges", out var exchanges) && exchanges.ValueKind == JsonValueKind.Array
            ? exchanges.EnumerateArray().Select(e => e.TryGetProperty("record_id", out var id) ? id.GetString() : null).OfType<string>()
            : [];
}

/// <summary>A table that a test reads, in one account and region, with what was found of an item in it.</summary>
/// <param name="Name">The control's name for it; a table of calls ends with <c>__calls</c>.</param>
/// <param name="Rows">All that it has.</param>
/// <param name="Found">The best of those that match, not more than are shown.</param>
/// <param name="Matching">How many match as well as those.</param>
internal sealed record TracedTable(string Name, EvidenceItem Evidence, long Rows, ImmutableArray<TracedRow> Found, long Matching);

/// <summary>From an item of a population to the rows of evidence behind it.</summary>
internal static class EvidenceTrace
{
    /// <summary>How many rows of a table are kept.</summary>
    private const int MostRows = 5;

    /// <summary>Every table that the item's test reads in the item's partition, with the rows that <see cref="ItemKeys"/> finds.</summary>
    /// <param name="control">Null where the bundle's copy cannot be loaded: then all tables of the control.</param>
    /// <exception cref="InvalidDataException">A table is not the one that was sealed.</exception>
    public static ImmutableArray<TracedTable> Of(OpenedBundle bundle, Control? control, PopulationRow row, CancellationToken cancellationToken)
    {
        var keys = new ItemKeys(row);
        var tables = ImmutableArray.CreateBuilder<TracedTable>();
        foreach (var (name, item) in Tables(bundle, control, row))
        {
            if (item.Table is { } table)
                tables.Add(Search(bundle, name, item, table, item.TableSha256, keys, cancellationToken));
            else
                tables.Add(new(name, item, 0, [], 0));
            if (item.Calls is { } calls)
                tables.Add(Search(bundle, $"{name}__calls", item, calls, item.CallsSha256, keys, cancellationToken));
        }
        return tables.ToImmutable();
    }

    private static IEnumerable<(string Name, EvidenceItem Item)> Tables(OpenedBundle bundle, Control? control, PopulationRow row)
    {
        var named = bundle.Index.SelectMany(i => i.Names.Where(n => n.Control == row.Control).Select(n => (n.Name, Item: i)))
            .Where(n => row.Target == Partition.Everywhere || n.Item.Target.Length == 0 || (n.Item.Target == row.Target && n.Item.Account == row.Account));
        if (control is null)
            return named.OrderBy(n => n.Name, StringComparer.Ordinal);
        var wanted = ControlSql.EvidenceOf(control, row.Test);
        return named.Where(n => wanted.Contains(n.Name)).OrderBy(n => wanted.IndexOf(n.Name)).ThenBy(n => n.Item.Target, StringComparer.Ordinal)
            .ThenBy(n => n.Item.Account, StringComparer.Ordinal).ThenBy(n => n.Item.Region, StringComparer.Ordinal);
    }

    private static TracedTable Search(
        OpenedBundle bundle, string name, EvidenceItem item, string path, Digest? sha256, ItemKeys keys, CancellationToken cancellationToken)
    {
        using var table = new TableReader(bundle.Files.Check(path, cancellationToken), sha256);
        var found = ImmutableArray.CreateBuilder<TracedRow>();
        var (best, matching) = ((Covered: 0, Attributes: 0), 0L);
        foreach (var row in table.ReadRows())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (covered, attributes, cells) = keys.In(row);
            var order = (covered, attributes).CompareTo(best);
            if (cells.IsEmpty || order < 0)
                continue;
            if (order > 0)
            {
                found.Clear();
                (best, matching) = ((covered, attributes), 0);
            }
            matching++;
            if (found.Count < MostRows)
                found.Add(new(row, cells));
        }
        return new(name, item, table.Rows, found.ToImmutable(), matching);
    }
}
