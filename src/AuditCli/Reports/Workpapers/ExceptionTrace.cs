using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Reports.Workpapers;

/// <summary>A row of evidence that names an exception's item, and the exchange it came from.</summary>
/// <param name="Reference">Record id of the raw answer, <c>#</c>, and where in its body the row stands (RFC 6901).</param>
/// <param name="Exchange">The exchange as the index or the table of calls lists it; null for a file that management gave.</param>
internal sealed record RawReference(string Evidence, EvidenceItem Item, string Reference, ExchangeReference? Exchange)
{
    /// <summary>The WARC-Record-ID of the answer.</summary>
    public string RecordId => Reference.Split('#')[0];
}

/// <summary>
/// From an exception down to the raw answer: the rows of the control's evidence whose values name the item, or the parts that make it
/// up. A row is only named where it is one of few, so that the reader is not sent to rows that say nothing of the item.
/// </summary>
internal static class ExceptionTrace
{
    /// <summary>How many exceptions of a control are traced.</summary>
    public const int Most = 200;
    private const int RowsNamed = 3;
    private const int ShortestPart = 4;

    /// <summary>By test and line of its rows file, the rows found for an exception.</summary>
    public static IReadOnlyDictionary<(string Test, long Line), IReadOnlyList<RawReference>> Of(Workpaper workpaper, WorkpaperControl control, CancellationToken cancellationToken)
    {
        var wanted = control.Tests.SelectMany(t => PopulationRows.Of(workpaper.Folder, control.Result.Id, t).Where(r => r.Verdict != ItemVerdict.Pass).Select(r => new Wanted(t, r with { Attributes = default })))
            .Take(Most).ToArray();
        if (wanted.Length == 0)
            return new Dictionary<(string, long), IReadOnlyList<RawReference>>();
        var byPart = wanted.SelectMany(w => Parts(w.Row.Item).Select(p => (Part: p, Wanted: w))).ToLookup(p => p.Part, p => p.Wanted, StringComparer.Ordinal);
        foreach (var (name, item) in control.Evidence.Where(e => e.Item.Table is not null))
            Search(workpaper, name, item, byPart, cancellationToken);
        var called = CalledExchanges(workpaper, wanted.SelectMany(w => w.Best()), cancellationToken);
        return wanted.ToDictionary(
            w => (w.Test, w.Row.Line),
            w => (IReadOnlyList<RawReference>)[.. w.Best().Select(r => r.Exchange is null && called.TryGetValue(r.RecordId, out var found) ? r with { Exchange = found } : r)]);
    }

    /// <summary>The exchanges of rows that were asked for row by row, which stand in tables of calls.</summary>
    private static Dictionary<string, ExchangeReference> CalledExchanges(Workpaper workpaper, IEnumerable<RawReference> rows, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, ExchangeReference>(StringComparer.Ordinal);
        foreach (var asked in rows.Where(r => r.Exchange is null && r.Item.Calls is not null).GroupBy(r => r.Item))
        {
            var ids = asked.Select(r => r.RecordId).ToHashSet(StringComparer.Ordinal);
            using var calls = new TableReader(workpaper.PathOf(asked.Key.Calls!), asked.Key.CallsSha256);
            while (calls.TryRead(out var line))
            {
                cancellationToken.ThrowIfCancellationRequested();
                using var call = JsonDocument.Parse(line);
                if (!call.RootElement.TryGetProperty("exchanges", out var exchanges) || exchanges.ValueKind != JsonValueKind.Array)
                    continue;
                foreach (var exchange in exchanges.EnumerateArray().Where(e => Text(e, "record_id") is { } id && ids.Contains(id)))
                {
                    found[Text(exchange, "record_id")!] = new(
                        Text(exchange, "file") ?? "", Text(exchange, "record_id")!, Text(exchange, "request_id"),
                        exchange.TryGetProperty("status", out var status) && status.TryGetInt32(out var code) ? code : 0,
                        Rfc3339.TryParse(Text(exchange, "date"), out var date) ? date : default);
                }
            }
        }
        return found;
    }

    private static string? Text(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static void Search(Workpaper workpaper, string name, EvidenceItem item, ILookup<string, Wanted> byPart, CancellationToken cancellationToken)
    {
        using var table = new TableReader(workpaper.PathOf(item.Table!), item.TableSha256);
        var named = new Dictionary<Wanted, int>();
        while (table.TryRead(out var line))
        {
            cancellationToken.ThrowIfCancellationRequested();
            named.Clear();
            if (Read(line.Span, byPart, named) is not { } reference)
                continue;
            foreach (var (wanted, score) in named.Where(n => n.Key.IsOf(item)))
                wanted.Add(score, new(name, item, reference, item.Exchanges.FirstOrDefault(e => reference.StartsWith(e.RecordId + "#", StringComparison.Ordinal))));
        }
    }

    /// <summary>The row's <c>_ref</c>, and what it names.</summary>
    private static string? Read(ReadOnlySpan<byte> line, ILookup<string, Wanted> byPart, Dictionary<Wanted, int> named)
    {
        var reader = new Utf8JsonReader(line);
        string? reference = null;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isReference = reader.ValueTextEquals("_ref"u8);
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                reader.Skip();
                continue;
            }
            var value = RowJson.Text(ref reader);
            if (isReference)
                reference = value;
            else
            {
                Name(value, byPart, named);
                if (value.LastIndexOf('/') is >= 0 and var slash)
                    Name(value[(slash + 1)..], byPart, named);
            }
        }
        return reference;
    }

    private static void Name(string value, ILookup<string, Wanted> byPart, Dictionary<Wanted, int> named)
    {
        foreach (var wanted in byPart[value])
            named[wanted] = named.GetValueOrDefault(wanted) + value.Length;
    }

    /// <summary>The item, and what stands between its blanks and strokes.</summary>
    private static IEnumerable<string> Parts(string item) =>
        item.Split([' ', '/'], StringSplitOptions.RemoveEmptyEntries).Where(p => p.Length >= ShortestPart).Take(16).Append(item).Distinct(StringComparer.Ordinal);

    private sealed class Wanted(string test, PopulationRow row)
    {
        private readonly List<(int Score, RawReference Reference)> _found = [];

        public string Test => test;

        public PopulationRow Row => row;

        public bool IsOf(EvidenceItem item) => item.Target.Length == 0 || row.Account == "*" || (item.Target == row.Target && item.Account == row.Account);

        /// <summary>Keeps the rows that name most of the item, and a few more than are shown, to see that there are too many.</summary>
        public void Add(int score, RawReference reference)
        {
            var best = _found.Count == 0 ? 0 : _found[0].Score;
            if (score < best || (score == best && _found.Count > RowsNamed))
                return;
            if (score > best)
                _found.Clear();
            _found.Add((score, reference));
        }

        public IReadOnlyList<RawReference> Best() => _found.Count > RowsNamed ? [] : [.. _found.Select(f => f.Reference)];
    }
}
