using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>Searches one evidence item for population items: first its table, then its table of calls.</summary>
/// <param name="wanted">The items whose test reads this evidence.</param>
/// <param name="indexes">Indexes from text to item; they may hold items that are not wanted.</param>
/// <param name="keepRows">Whether to keep the rows that were found, or only the references to them.</param>
internal sealed class TableSearch(
    IReadOnlySet<TracedItem> wanted, ImmutableArray<ItemIndex> indexes, string name, EvidenceItem evidence, bool keepRows)
{
    /// <summary>The maximum number of rows kept for each item and table.</summary>
    private const int MostRows = 5;
    private readonly string[] _context = [evidence.Source, evidence.Target, evidence.Account, evidence.Region];
    private readonly Dictionary<TracedItem, Best> _best = [];
    private readonly Dictionary<TracedItem, (MatchScore Score, Attempt Attempt, string Code)> _refused = [];
    private readonly Dictionary<string, List<TracedItem>> _records = new(StringComparer.Ordinal);
    private JsonElement _first;
    private long _rows;

    /// <summary>Matches a row of the table with the items.</summary>
    public void ReadRow(JsonElement row)
    {
        if (++_rows == 1)
            _first = row;
        var reference = Reference(row);
        foreach (var unit in UnitsOf(row, reference))
        {
            var texts = RowText.Of(unit.Members);
            foreach (var item in ItemsIn(texts))
            {
                var (score, cells) = item.Keys.In(texts, _context);
                if (!cells.IsEmpty)
                    Keep(item, score, unit, reference, cells);
            }
        }
    }

    /// <summary>Matches a row of the table of calls with the items, and passes its attempts to the items whose rows it returned.</summary>
    public void ReadCall(JsonElement call)
    {
        _rows++;
        var attempts = Attempt.OfCall(evidence, call);
        foreach (var attempt in attempts)
        {
            foreach (var item in _records.GetValueOrDefault(attempt.RecordId) ?? [])
                item.Keep(attempt);
        }
        var unit = new Unit("", "", call, [.. call.EnumerateObject()]);
        var failure = JsonMember.Text(call, "outcome") == "complete" ? null : JsonMember.Text(call, "code") ?? "no answer";
        var texts = RowText.Of(unit.Members);
        foreach (var item in ItemsIn(texts))
        {
            var (score, cells) = item.Keys.In(texts, _context);
            if (cells.IsEmpty)
                continue;
            Keep(item, score, unit, null, cells, attempts, failure);
            if (item.IsUnclear && failure is not null && attempts is [.., var last]
                && (!_refused.TryGetValue(item, out var before) || score.CompareTo(before.Score) > 0))
                _refused[item] = (score, last, failure);
        }
    }

    /// <summary>Passes the rows found in a table to the items, and resets the search for the table of calls.</summary>
    public void EndTable(bool isCalls)
    {
        foreach (var item in wanted)
        {
            var best = _best.GetValueOrDefault(item);
            if (best is null && !isCalls && _rows == 1 && _context.Where(item.Keys.HasPart).ToArray() is { Length: > 0 } named)
                best = Only(item, named.Sum(n => n.Length));
            // Skip tables without a match unless rows are kept: only show lists them, and reports trace many items.
            if (best is not null || keepRows)
            {
                item.Tables.Add(new(
                    isCalls ? $"{name}__calls" : name, evidence, _rows, [.. best?.Rows ?? []], best?.Matching ?? 0, best?.Score ?? default, best?.Tested ?? 0));
            }
            foreach (var record in (best?.Rows ?? []).SelectMany(r => r.Records))
            {
                if (!_records.TryGetValue(record, out var items))
                    _records[record] = items = [];
                items.Add(item);
            }
        }
        _best.Clear();
        _rows = 0;
    }

    /// <summary>Passes the failed calls to the undetermined items that depend on them.</summary>
    /// <param name="regions">Every region of the bundle, to recognise the ones an item names.</param>
    public void EndEvidence(IReadOnlySet<string> regions)
    {
        foreach (var (item, (_, attempt, code)) in _refused)
            item.Refused.Add(new(TraceKind.Refused, name, evidence, attempt.RecordId, attempt) { Code = code });
        if (evidence.Outcome == CollectionOutcome.Complete || evidence.Calls is not null || evidence.Exchanges is not [.., var last])
            return;
        foreach (var item in wanted.Where(i => i.IsUnclear && (i.Keys.HasPart(evidence.Region) || !regions.Any(i.Keys.HasPart))))
            item.Refused.Add(new(TraceKind.Refused, name, evidence, last.RecordId, Attempt.Of(last)) { Code = evidence.Code });
    }

    /// <summary>Takes the only row of a table about the account or region that the item names, such as an account's settings.</summary>
    private Best Only(TracedItem item, int covered)
    {
        Keep(item, new(covered, covered, 0, 0, 0), new("", "", _first, [.. _first.EnumerateObject()]), Reference(_first), []);
        return _best[item];
    }

    private HashSet<TracedItem> ItemsIn(ImmutableArray<RowText> texts)
    {
        var found = new HashSet<TracedItem>();
        foreach (var text in texts)
        {
            foreach (var index in indexes)
                index.Find(text.Text, found);
        }
        found.IntersectWith(wanted);
        return found;
    }

    private void Keep(
        TracedItem item, MatchScore score, Unit unit, string? reference, ImmutableArray<MatchedCell> cells,
        ImmutableArray<Attempt>? attempts = null, string? failure = null)
    {
        if (!_best.TryGetValue(item, out var best))
            _best[item] = best = new();
        var order = best.Rows.Count == 0 ? 1 : score.CompareTo(best.Score);
        if (order < 0)
            return;
        if (order > 0)
            best.Begin(score, Tested(item, unit, cells));
        best.Matching++;
        if (best.Rows.Count >= MostRows)
            return;
        var place = reference is null || unit.Element.Length == 0 ? reference : $"{reference}/{JsonPointer.Escape(unit.Column)}{unit.Element}";
        best.Rows.Add(
            new(keepRows ? unit.Value : default, unit.Column, unit.Element, place, keepRows ? cells : []) { Attempts = attempts ?? [], Failure = failure });
    }

    /// <summary>Returns how many values of a row the test's SQL reads, not counting those by which the row was found.</summary>
    private int Tested(TracedItem item, Unit unit, ImmutableArray<MatchedCell> cells) => item.Words is not { } words ? 0 : unit.Members
        .Count(m => m.Value.ValueKind != JsonValueKind.Null && !m.Name.StartsWith('_') && cells.All(c => c.Column != m.Name || c.Pointer.Length > 0)
            && (unit.Element.Length > 0 ? words.Has(m.Name) : words.Reads(name, m.Name)));

    /// <summary>Returns what is matched as a whole: a row, or each list element if the row is a whole response.</summary>
    private static IEnumerable<Unit> UnitsOf(JsonElement row, string? reference)
    {
        if (reference is null || !reference.EndsWith('#'))
        {
            yield return new("", "", row, [.. row.EnumerateObject()]);
            yield break;
        }
        yield return new("", "", row, [.. row.EnumerateObject().Where(m => !IsListOfObjects(m.Value))]);
        foreach (var column in row.EnumerateObject().Where(m => IsListOfObjects(m.Value)))
        {
            var index = 0;
            foreach (var element in column.Value.EnumerateArray())
                yield return new(column.Name, string.Create(CultureInfo.InvariantCulture, $"/{index++}"), element, [.. element.EnumerateObject()]);
        }
    }

    private static bool IsListOfObjects(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0 && value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.Object);

    private static string? Reference(JsonElement row) => JsonMember.Text(row, "_ref");

    private readonly record struct Unit(string Column, string Element, JsonElement Value, ImmutableArray<JsonProperty> Members);

    /// <summary>The best rows for an item so far.</summary>
    private sealed class Best
    {
        public List<TracedRow> Rows { get; } = [];
        public MatchScore Score { get; private set; }
        public long Matching { get; set; }
        public int Tested { get; private set; }

        public void Begin(MatchScore score, int tested)
        {
            Rows.Clear();
            (Score, Matching, Tested) = (score, 0, tested);
        }
    }
}
