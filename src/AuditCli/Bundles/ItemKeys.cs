using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>A cell of an evidence row that matched an item.</summary>
/// <param name="Pointer">JSON pointer (RFC 6901) to the value within the cell; empty for the cell itself.</param>
/// <param name="By">What the value matched: the item, a part of it, or an attribute; as text for people.</param>
internal sealed record MatchedCell(string Column, string Pointer, string Value, string By);

/// <summary>A text value in a row of evidence.</summary>
/// <param name="Pointer">JSON pointer (RFC 6901) to the text within its column; empty for the column itself.</param>
internal readonly record struct RowText(string Column, string Pointer, string Text)
{
    /// <summary>Returns all texts of a row or of a part of one, so that they are extracted once for all items.</summary>
    public static ImmutableArray<RowText> Of(IEnumerable<JsonProperty> members)
    {
        var texts = ImmutableArray.CreateBuilder<RowText>();
        foreach (var member in members)
        {
            if (member.Name is var name && !IsAdded(name))
                Walk(name, "", member.Value, texts);
        }
        return texts.ToImmutable();
    }

    /// <summary>Whether a column says where a row comes from; such columns are not part of the provider's data.</summary>
    private static bool IsAdded(string column) => column is "_target" or "_account" or "_region" or "_ref" or "_parent" or "exchanges";

    private static void Walk(string column, string pointer, JsonElement value, ImmutableArray<RowText>.Builder texts)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                    Walk(column, $"{pointer}/{JsonPointer.Escape(member.Name)}", member.Value, texts);
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var element in value.EnumerateArray())
                    Walk(column, string.Create(CultureInfo.InvariantCulture, $"{pointer}/{index++}"), element, texts);
                break;
            case JsonValueKind.String:
                texts.Add(new(column, pointer, RowJson.Text(value)));
                break;
        }
    }
}

/// <summary>How well a row matches an item; the greater score is the better match.</summary>
/// <param name="Covered">The number of characters of the item that occur in the row.</param>
/// <param name="Folded">As <paramref name="Covered"/>, ignoring case.</param>
/// <param name="Named">1 if a column of the row is the item or a part of it; 0 if the row only has it inside a nested value.</param>
/// <param name="Attributes">The number of attributes of the item that the row has.</param>
/// <param name="Pieces">The number of words of the item's attributes that the row has.</param>
internal readonly record struct MatchScore(int Covered, int Folded, int Named, int Attributes, int Pieces) : IComparable<MatchScore>
{
    public int CompareTo(MatchScore other) =>
        (Covered, Folded, Named, Attributes, Pieces).CompareTo((other.Covered, other.Folded, other.Named, other.Attributes, other.Pieces));
}

/// <summary>
/// Finds the rows of an item by value. A cell matches if it is the item, if it is a part of the item between spaces and slashes (or ends
/// with such a part), or if it is an attribute that the test shows or a word of one. Matching does not repeat the test's SQL, which is in
/// the bundle and which <c>reperform</c> executes.
/// </summary>
internal sealed class ItemKeys
{
    private const string TheItem = "the item";
    private const int LongestItem = 4096;
    private const int ShortestPart = 3;
    private const int ShortestNestedPart = 8;
    private const int ShortestPiece = 8;
    private const int MostParts = 16;
    private const int MostMatches = 8;
    private static readonly char[] Separators = [' ', '/'];
    private static readonly char[] PieceSeparators = [' ', ',', ';', '(', ')', '\n'];
    private readonly string _item;
    private readonly Dictionary<string, (int Start, int End)> _parts = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, (int Start, int End)> _ends = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _attributes = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _pieces = new(StringComparer.OrdinalIgnoreCase);

    public ItemKeys(PopulationRow row)
    {
        _item = row.Item;
        _parts[_item] = (0, _item.Length);
        if (_item.Length <= LongestItem)
            AddParts();
        foreach (var (name, value) in row.AttributeValues()
            .Where(a => a.Value.Kind == JsonValueKind.String && a.Value.Text.Length is >= ShortestPart and <= LongestItem))
        {
            _attributes.TryAdd(value.Text, name);
            _pieces.UnionWith(value.Text.Split(PieceSeparators).Where(p => p.Length >= ShortestPiece && !Rfc3339.TryParse(p, out _)));
        }
    }

    /// <summary>The texts of which a row must have one as a cell to be scored by <see cref="In"/>.</summary>
    public IEnumerable<string> Anchors => _parts.Keys.Concat(_ends.Keys)
        .Concat(_attributes.Where(a => !Rfc3339.TryParse(a.Key, out _)).Select(a => a.Key)).Concat(_pieces)
        .Distinct(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether one of the item's parts is this word, for example the account, region or source of a table.</summary>
    public bool HasPart(string word) => word.Length >= ShortestPart && _parts.ContainsKey(word);

    /// <summary>Returns the cells of a row that match, and how well the row matches.</summary>
    /// <param name="texts">The texts of the row, or of one list element if the row is a whole response.</param>
    /// <param name="context">Words about the whole table; they count only if something in the row itself matches.</param>
    public (MatchScore Score, ImmutableArray<MatchedCell> Cells) In(ImmutableArray<RowText> texts, IEnumerable<string> context)
    {
        var found = new Found();
        foreach (var (column, pointer, text) in texts)
        {
            if (Match(text, pointer.Length > 0, found) is { } by)
                found.Cells.Add(new(column, pointer, text, by));
        }
        if (found.Cells.Count == 0)
            return (default, []);
        foreach (var word in context.Where(HasPart))
            found.Cover(_parts[word], exact: true);
        return (
            new(Found.Length(found.Exact), Found.Length(found.Folded), found.IsNamed ? 1 : 0, found.Attributes.Count, found.Pieces.Count),
            [.. found.Cells.Where(f => f.By == TheItem).Concat(found.Cells.Where(f => f.By != TheItem)).Take(MostMatches)]);
    }

    private void AddParts()
    {
        var ends = new List<(int Start, int End)>();
        for (var start = 0; start <= _item.Length && ends.Count < MostParts;)
        {
            var end = _item.IndexOfAny(Separators, start) is var at and >= 0 ? at : _item.Length;
            ends.Add((start, end));
            start = end + 1;
        }
        for (var first = 0; first < ends.Count; first++)
        {
            for (var last = first; last < ends.Count; last++)
            {
                var (start, end) = (ends[first].Start, ends[last].End);
                if (end - start >= ShortestPart)
                {
                    _parts.TryAdd(_item[start..end], (start, end));
                    _parts.TryAdd(Decoded(_item[start..end]), (start, end));
                }
            }
            if (ends[first].End - ends[first].Start > ShortestPart)
                _ends.TryAdd(Decoded(_item[ends[first].Start..ends[first].End]), ends[first]);
        }
    }

    /// <summary>Returns what a text matches, or null. Nested values hold many words, so a part must be longer to count there.</summary>
    private string? Match(string text, bool nested, Found found)
    {
        if (text.Length < ShortestPart)
            return null;
        var attribute = _attributes.GetValueOrDefault(text);
        if (attribute is not null)
            found.Attributes.Add(attribute);
        if (_pieces.Contains(text))
            found.Pieces.Add(text);
        if ((text == _item || !nested || text.Length >= ShortestNestedPart) && Part(text) is { } part)
        {
            found.Cover(part.Range, part.IsExact);
            found.IsNamed |= !nested;
            return part.Range == (0, _item.Length) ? TheItem : attribute is null ? "part of the item" : $"part of the item, and attribute {attribute}";
        }
        return attribute is not null ? $"attribute {attribute}" : _pieces.Contains(text) ? "a word of an attribute" : null;
    }

    private ((int Start, int End) Range, bool IsExact)? Part(string text)
    {
        if (_parts.TryGetValue(text, out var range))
            return (range, IsExactly(text, range));
        var end = text[(text.LastIndexOf('/') + 1)..];
        return end.Length < text.Length && _ends.TryGetValue(end, out range) ? (range, IsExactly(end, range)) : null;
    }

    private bool IsExactly(string text, (int Start, int End) range) =>
        _item[range.Start..range.End] is var part && (part == text || Decoded(part) == text);

    /// <summary>Returns a part as the provider spells it: items percent-encode characters that would make them ambiguous.</summary>
    private static string Decoded(string part) => part.Contains('%', StringComparison.Ordinal) ? Uri.UnescapeDataString(part) : part;

    /// <summary>The matches in one row.</summary>
    private sealed class Found
    {
        public List<MatchedCell> Cells { get; } = [];
        public List<(int Start, int End)> Exact { get; } = [];
        public List<(int Start, int End)> Folded { get; } = [];
        public HashSet<string> Attributes { get; } = new(StringComparer.Ordinal);
        public HashSet<string> Pieces { get; } = new(StringComparer.OrdinalIgnoreCase);
        public bool IsNamed { get; set; }

        public void Cover((int, int) range, bool exact)
        {
            Folded.Add(range);
            if (exact)
                Exact.Add(range);
        }

        public static int Length(List<(int Start, int End)> ranges)
        {
            var (sum, reached) = (0, 0);
            ranges.Sort();
            foreach (var (start, end) in ranges)
            {
                sum += Math.Max(0, end - Math.Max(start, reached));
                reached = Math.Max(reached, end);
            }
            return sum;
        }
    }
}
