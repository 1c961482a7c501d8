using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Lookup;

/// <summary>A cell of an evidence row by which the row was found.</summary>
/// <param name="Pointer">Where in the cell the value stands (RFC 6901), empty for the cell itself.</param>
/// <param name="By">What the value is: the item, a part of it, or which attribute.</param>
internal sealed record MatchedCell(string Column, string Pointer, string Value, string By);

/// <summary>
/// How rows behind an item are found: by value. A cell counts that is the item, that is a part of it between spaces and slashes (or ends
/// with such a part), or that is one of the attributes which the test shows. It says where the same words stand; it does not
/// repeat the test's SQL, which is in the bundle, and which <c>reperform</c> does.
/// </summary>
internal sealed class ItemKeys
{
    private const int LongestItem = 4096;
    private const int ShortestPart = 3;
    private const int ShortestNestedPart = 8;
    private const int MostMatches = 8;
    private static readonly char[] Separators = [' ', '/'];
    private readonly string _item;
    private readonly ImmutableHashSet<string> _parts;
    private readonly ImmutableDictionary<string, string> _attributes;

    public ItemKeys(PopulationRow row)
    {
        _item = row.Item;
        _parts = _item.Length > LongestItem ? [] : [.. _item.Split(Separators).Where(p => p.Length > ShortestPart)];
        _attributes = row.Attributes.EnumerateObject()
            .Where(a => a.Value.ValueKind == JsonValueKind.String).Select(a => (a.Name, Value: a.Value.GetString()!))
            .Where(a => a.Value.Length >= ShortestPart && !Rfc3339.TryParse(a.Value, out _))
            .DistinctBy(a => a.Value).ToImmutableDictionary(a => a.Value, a => a.Name, StringComparer.Ordinal);
    }

    /// <summary>What of the row matches, and how well: letters of the item that it covers, then attributes.</summary>
    public (int Covered, int Attributes, ImmutableArray<MatchedCell> Cells) In(JsonElement row)
    {
        var found = new List<MatchedCell>();
        var covered = new List<(int Start, int End)>();
        var attributes = new HashSet<string>(StringComparer.Ordinal);
        foreach (var cell in row.EnumerateObject())
        {
            if (cell.Name is "_target" or "_account" or "_region" or "_ref" or "_parent" or "exchanges")
                continue;
            Walk(cell.Name, "", cell.Value, found, covered, attributes);
        }
        return (Length(covered), attributes.Count, [.. found.OrderByDescending(f => f.By == "the item").Take(MostMatches)]);
    }

    private void Walk(string column, string pointer, JsonElement value, List<MatchedCell> found, List<(int, int)> covered, HashSet<string> attributes)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                    Walk(column, $"{pointer}/{member.Name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}", member.Value, found, covered, attributes);
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var element in value.EnumerateArray())
                    Walk(column, string.Create(CultureInfo.InvariantCulture, $"{pointer}/{index++}"), element, found, covered, attributes);
                break;
            case JsonValueKind.String when value.GetString() is { } text && Match(text, pointer.Length > 0, covered, attributes) is { } by:
                found.Add(new(column, pointer, text, by));
                break;
        }
    }

    /// <summary>Inside nested values words are many, so that there a part must be long to count.</summary>
    private string? Match(string text, bool nested, List<(int Start, int End)> covered, HashSet<string> attributes)
    {
        if (text == _item)
        {
            covered.Add((0, _item.Length));
            return "the item";
        }
        var attribute = _attributes.GetValueOrDefault(text);
        if (attribute is not null)
            attributes.Add(attribute);
        if ((!nested || text.Length >= ShortestNestedPart) && Part(text) is { } part)
        {
            covered.Add(part);
            return attribute is null ? "part of the item" : $"part of the item, and attribute {attribute}";
        }
        return attribute is null ? null : $"attribute {attribute}";
    }

    private (int Start, int End)? Part(string text)
    {
        if (text.Length < ShortestPart || _item.Length > LongestItem)
            return null;
        for (var at = _item.IndexOf(text, StringComparison.Ordinal); at >= 0; at = _item.IndexOf(text, at + 1, StringComparison.Ordinal))
        {
            if ((at == 0 || Separators.Contains(_item[at - 1])) && (at + text.Length == _item.Length || Separators.Contains(_item[at + text.Length])))
                return (at, at + text.Length);
        }
        var end = text[(text.LastIndexOf('/') + 1)..];
        return end.Length < text.Length && _parts.Contains(end) && _item.IndexOf(end, StringComparison.Ordinal) is var start ? (start, start + end.Length) : null;
    }

    private static int Length(List<(int Start, int End)> ranges)
    {
        var (sum, reached) = (0, 0);
        foreach (var (start, end) in ranges.Order())
        {
            sum += Math.Max(0, end - Math.Max(start, reached));
            reached = Math.Max(reached, end);
        }
        return sum;
    }
}
