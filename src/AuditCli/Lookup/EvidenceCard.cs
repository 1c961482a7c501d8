using System.Net;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Lookup;

/// <summary>
/// One page of HTML about one item or exchange, in the place of a screenshot: who read what, when and as whom, the answer with the tested
/// words marked, and the digests by which anybody can find it in the bundle. It loads nothing, runs nothing, and is the same bytes
/// for the same bundle.
/// </summary>
internal sealed class EvidenceCard
{
    private const int Short = 300;
    private const int Long = 2000;
    private const int LongestMark = 200;
    private const string Style = """
        :root{color-scheme:light dark;--line:#8884;--soft:#8882;--mark:#ffd54f}
        body{font:14px/1.45 system-ui,sans-serif;max-width:62rem;margin:1.5rem auto;padding:0 1rem}
        h1{font-size:1.25rem;margin:0 0 .2rem}h2{font-size:1rem;margin:1.4rem 0 .4rem;border-bottom:1px solid var(--line)}h3{font-size:.9rem;margin:1rem 0 .3rem}
        table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.15rem .6rem .15rem 0;overflow-wrap:anywhere}th{width:11rem;font-weight:600}
        pre{font:12px/1.4 ui-monospace,monospace;background:var(--soft);padding:.6rem;margin:.3rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
        .verdict{font-weight:700}.replay{border:2px solid;padding:.4rem .6rem;font-weight:700}mark{background:var(--mark);color:#000}
        @media print{body{margin:0;max-width:none}pre{background:none;border:1px solid var(--line)}}
        """;

    private readonly StringBuilder _page = new();
    private readonly OpenedBundle _bundle;

    private EvidenceCard(OpenedBundle bundle) => _bundle = bundle;

    /// <summary>The card of an item, with the exchanges behind it.</summary>
    public static string Of(OpenedBundle bundle, ItemView view)
    {
        var card = new EvidenceCard(bundle);
        var row = view.Row;
        card.Begin($"{view.Result.Id} {view.Result.Title}", PrintableText.Of($"{row.Test} {view.TestTitle}".TrimEnd(), Long));
        card.Open();
        card.Row("Item", row.Item);
        card.Row("Where", row.Place);
        card.Row("Verdict", $"{ShowText.Word(row)}{(row.Reason is { } reason ? $": {reason}" : "")}", "verdict");
        if (row.IsException)
            card.Row("Exception id", row.ExceptionId);
        if (row.Waiver is { ValueKind: JsonValueKind.Object } waiver)
            card.Members(waiver, "approval: ");
        card.Members(row.Attributes, "");
        card.Row("Control", $"{view.Result.Version}, sha256 {view.Result.Sha256}, {view.Result.Origin.ToString().ToLowerInvariant()}");
        card.Close();
        card.Heading("Rows of evidence");
        card.Paragraph("Found by value: rows of the tables that this test reads in which a cell is the item, a part of it, or one of its attributes.");
        foreach (var table in view.Tables.Where(t => t.Matching > 0))
            card.Table(table);
        foreach (var line in ShowText.Unmatched(view))
            card.Paragraph(line);
        foreach (var exchange in view.Exchanges)
            card.Exchange(exchange, "", view.Words);
        if (view.MoreExchanges > 0)
            card.Paragraph($"{view.MoreExchanges} more exchanges are in the bundle.");
        return card.End($"{view.Result.Id} {row.Test}");
    }

    /// <summary>The card of an exchange.</summary>
    public static string Of(OpenedBundle bundle, FoundExchange found, string pointer)
    {
        var card = new EvidenceCard(bundle);
        card.Begin(found.Evidence?.Operation ?? "Recorded exchange", found.Evidence is { } item ? PrintableText.Of($"in {ShowText.Place(item)}", Long) : "");
        card.Exchange(found, pointer, []);
        return card.End(found.Recorded.Answer.Id);
    }

    private void Begin(string title, string subtitle)
    {
        _page.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
            .Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n")
            .Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Evidence: ").Append(Text(title, Short)).Append("</title>\n<style>\n").Append(Style)
            .Append("\n</style>\n</head>\n<body>\n<main>\n");
        if (_bundle.Record.Mode == "replay")
            _page.Append("<p class=\"replay\">").Append(Text(ShowText.Mode(_bundle), Long)).Append("</p>\n");
        _page.Append("<h1>").Append(Text(title, Long)).Append("</h1>\n<p>").Append(Text(subtitle, Long)).Append("</p>\n");
    }

    private string End(string words)
    {
        Heading("Where this comes from");
        Open();
        Row("Bundle", _bundle.Id);
        Row("Engagement", $"{_bundle.Text("entity")}, {_bundle.Text("name")}");
        Row("As of", _bundle.Text("as_of"));
        Row("Collected", ShowText.Mode(_bundle));
        Row("Tagmanifest", $"sha256 {_bundle.Files.TagManifestSha256}");
        Row("Signature", _bundle.Files.IsSigned ? "signed; this page does not check it" : "none");
        Row("Made by", Tool.NameAndVersion);
        Row("To check", "auditcli verify BUNDLE, then auditcli reperform BUNDLE");
        Row("To see it again", $"auditcli show BUNDLE {words}");
        Close();
        return _page.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private void Table(TracedTable table)
    {
        var item = table.Evidence;
        _page.Append("<h3>").Append(Text($"{table.Name}: {item.Operation} in {ShowText.Place(item)}", Long)).Append("</h3>\n");
        Paragraph($"{item.Outcome.ToString().ToLowerInvariant()}, {table.Rows} rows, {table.Matching} that match best; read as {item.Identity} from {Rfc3339.Format(item.Started)} to {Rfc3339.Format(item.Finished)}; {item.EvidenceId}{(item.TableSha256 is { } digest ? $", sha256 of the rows {digest}" : "")}");
        foreach (var row in table.Found)
        {
            Open();
            foreach (var member in row.Row.EnumerateObject().Where(m => m.Value.ValueKind != JsonValueKind.Null))
            {
                var marked = row.Cells.Where(c => c.Column == member.Name).Select(c => c.Value);
                var value = member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()! : member.Value.GetRawText();
                _page.Append("<tr><th scope=\"row\">").Append(Text(member.Name, Short)).Append("</th><td>").Append(Marked(PrintableText.Of(value, Long), marked)).Append("</td></tr>\n");
            }
            Close();
        }
    }

    private void Exchange(FoundExchange found, string pointer, IEnumerable<string> words)
    {
        var (request, answer, exchange) = (found.Recorded.Request, found.Recorded.Answer, found.Recorded.Exchange);
        Heading($"Exchange {answer.Id}");
        Open();
        if (found.Evidence is { } item)
        {
            Row("Operation", $"{item.Operation} in {ShowText.Place(item)}");
            Row("Identity", item.Identity);
        }
        Row("Address", $"{exchange.Request.StartLine.Split(' ')[0]} {exchange.Uri}");
        Row("Sent", Rfc3339.Format(exchange.Date));
        Row("Answer", exchange.Response?.StartLine ?? $"none: {string.Join("; ", exchange.Failure.Select(f => $"{f.Type} {f.Message}"))}");
        Row("Request id", found.RequestId ?? "none was given");
        Row("File", $"{found.File}, sha256 {_bundle.Files.DigestOf(found.File)}");
        Row("Request record", $"{request.Id}, {request["WARC-Block-Digest"] ?? "without digest"}");
        Row("Answer record", $"{answer.Id}, {answer["WARC-Block-Digest"] ?? "without digest"}");
        Row("Body", answer["WARC-Payload-Digest"] ?? "without digest");
        if (exchange.RedactedPayloadDigest is { } redacted)
            Row("Redacted", $"before that {redacted}");
        if (exchange.BodiesOmitted)
            Row("Left out", "both bodies, because they hand out credentials");
        Close();
        Body("Request", exchange.Request.Body, "", []);
        if (exchange.Response is { } response)
            Body("Answer", response.Body, pointer, words);
    }

    private void Body(string title, ReadOnlyMemory<byte> bytes, string pointer, IEnumerable<string> words)
    {
        var marked = words.Take(20).ToArray();
        var part = ShownBody.At(bytes, pointer);
        var body = part ?? ShownBody.Of(bytes, marked);
        if (body.Bytes == 0)
            return;
        _page.Append("<h3>").Append(Text(part is null ? $"{title}, {bytes.Length} bytes of {body.Form}" : $"{title} at {pointer}, of {bytes.Length} bytes", Short)).Append("</h3>\n<pre>");
        if (body.Before > 0)
            _page.Append(body.Before).Append(" lines before\n");
        foreach (var line in body.Lines)
            _page.Append(Marked(line, marked)).Append('\n');
        if (body.After > 0)
            _page.Append(body.After).Append(" lines after");
        _page.Append("</pre>\n");
    }

    /// <summary>Shown text with the words in it marked; the first that stands at a place wins.</summary>
    private static string Marked(string shown, IEnumerable<string> words)
    {
        var wanted = words.Where(w => w.Length is > 2 and <= LongestMark).ToArray();
        var html = new StringBuilder();
        var from = 0;
        while (wanted.Length > 0)
        {
            var next = wanted.Select(w => (At: shown.IndexOf(w, from, StringComparison.Ordinal), w.Length)).Where(w => w.At >= 0).OrderBy(w => w.At).ThenByDescending(w => w.Length).FirstOrDefault((At: -1, Length: 0));
            if (next.At < 0)
                break;
            html.Append(WebUtility.HtmlEncode(shown[from..next.At])).Append("<mark>").Append(WebUtility.HtmlEncode(shown.Substring(next.At, next.Length))).Append("</mark>");
            from = next.At + next.Length;
        }
        return html.Append(WebUtility.HtmlEncode(shown[from..])).ToString();
    }

    private void Members(JsonElement row, string prefix)
    {
        foreach (var member in row.EnumerateObject().Where(m => m.Value.ValueKind != JsonValueKind.Null))
            Row(prefix + member.Name, member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()! : member.Value.GetRawText());
    }

    private void Heading(string text) => _page.Append("<h2>").Append(Text(text, Long)).Append("</h2>\n");

    private void Paragraph(string text) => _page.Append("<p>").Append(Text(text, Long)).Append("</p>\n");

    private void Open() => _page.Append("<table>\n");

    private void Close() => _page.Append("</table>\n");

    private void Row(string name, string value, string? style = null) =>
        _page.Append("<tr><th scope=\"row\">").Append(Text(name, Short)).Append("</th><td").Append(style is null ? "" : $" class=\"{style}\"").Append('>').Append(Text(value, Long)).Append("</td></tr>\n");

    private static string Text(string text, int most) => WebUtility.HtmlEncode(PrintableText.Of(text, most));
}
