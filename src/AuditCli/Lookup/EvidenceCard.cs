using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Text;
using AuditCli.Reports;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Lookup;

/// <summary>
/// An HTML page about one item or exchange, to be used instead of a screenshot: who read what, when and with which identity, the response
/// with the tested words marked, and the digests that identify it in the bundle. The page loads nothing and runs no script, and its bytes
/// are the same for the same bundle.
/// </summary>
internal sealed class EvidenceCard
{
    private const int Short = 300;
    private const int Long = 2000;
    private const int LongestMark = 200;
    private const string Style = """
        :root{color-scheme:light dark;--page:#f4f6f9;--card:#fff;--ink:#18222f;--soft:#526072;--line:#dbe2ea;--head:#132a43;--head-ink:#f3f7fb;--head-soft:#b9cbe0;--code:#eef2f7;--mark:#ffd54f;--bad:#fde3e0;--bad-ink:#8b1b17;--good:#dff3e6;--good-ink:#11522e;--doubt:#fff0d2;--doubt-ink:#6d4200;--none:#e8edf2;--none-ink:#3a4757}
        @media (prefers-color-scheme:dark){:root{--page:#0e141b;--card:#161e28;--ink:#e4eaf1;--soft:#a1b0c1;--line:#2a3543;--head:#0a1018;--head-soft:#a9bdd4;--code:#0f161e;--bad:#431a19;--bad-ink:#ffb3ae;--good:#12351f;--good-ink:#8fe0b0;--doubt:#3d2c0c;--doubt-ink:#ffd68a;--none:#252f3b;--none-ink:#c3cfdb}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
        .replay{margin:0;padding:.55rem 1rem;text-align:center;font-weight:700;background:var(--bad);color:var(--bad-ink);border-bottom:1px solid}
        header{background:var(--head);color:var(--head-ink)}
        header>div,main{max-width:62rem;margin:0 auto;padding:0 1.1rem}header>div{padding-block:1.3rem}
        header p{margin:.25rem 0 0;color:var(--head-soft)}
        header .kicker{margin:0;font-size:.75rem;font-weight:600;letter-spacing:.08em;text-transform:uppercase}
        h1{font-size:1.45rem;line-height:1.25;margin:.15rem 0 0}h2{font-size:1.05rem;margin:0 0 .6rem}h3{font-size:.9rem;margin:1.1rem 0 .3rem}
        section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1.05rem 1.2rem;margin:1rem 0}
        section p{color:var(--soft);font-size:.85rem;margin:.3rem 0}
        table{border-collapse:collapse;width:100%;margin:.3rem 0}
        th,td{text-align:left;vertical-align:top;padding:.28rem .8rem .28rem 0;border-top:1px solid var(--line)}tr:first-child>*{border-top:0}
        th{width:13rem;font-weight:400;color:var(--soft)}
        pre{font:12px/1.5 ui-monospace,"Cascadia Mono",Consolas,Menlo,monospace;background:var(--code);border:1px solid var(--line);border-radius:6px;padding:.7rem .8rem;margin:.3rem 0;white-space:pre-wrap}
        .badge{display:inline-block;padding:.1rem .6rem;border-radius:99px;font-weight:700;font-size:.8rem;margin-right:.5rem;background:var(--none);color:var(--none-ink)}
        .deviation{background:var(--bad);color:var(--bad-ink)}.indicated,.undetermined{background:var(--doubt);color:var(--doubt-ink)}.pass{background:var(--good);color:var(--good-ink)}
        mark{background:var(--mark);color:#000;padding:0 .1em;border-radius:2px}
        @media (max-width:620px){section{padding:.9rem}th,td{display:block;width:auto;padding:.1rem 0}td{border-top:0;padding-bottom:.4rem}}
        @media print{:root{color-scheme:light;--page:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--head:#fff;--head-ink:#000;--head-soft:#333;--code:#fff}header>div,main{max-width:none}section{border-width:1px 0 0;border-radius:0;padding:.6rem 0;margin:.4rem 0}.badge{border:1px solid}tr,h2,h3{break-inside:avoid;break-after:auto}}
        """;

    private static readonly string StyleHash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)));
    private readonly StringBuilder _page = new();
    private readonly OpenedBundle _bundle;
    private readonly AuditHost _host;
    private bool _begun;

    private EvidenceCard(OpenedBundle bundle, AuditHost host) => (_bundle, _host) = (bundle, host);

    /// <summary>Returns the card of an item, with its exchanges.</summary>
    public static string Of(OpenedBundle bundle, AuditHost host, ItemView view)
    {
        var card = new EvidenceCard(bundle, host);
        var row = view.Row;
        card.Begin($"{view.Result.Id} {view.Result.Title}", PrintableText.Of($"{row.Test} {view.TestTitle}{ShowText.Span(view.Result, row.Test)}", Long));
        card.Heading("Item");
        card.Open();
        card.Row("Item", row.Item);
        card.Row("Where", row.Place);
        card.Verdict(row);
        if (row.ExceptionId is { } id)
        {
            card.Row("Exception id", id);
            if (PeopleNotes.Dispositions(view.Result).TryGetValue(id, out var said))
                card.Row("A person says", said);
        }
        foreach (var (name, value) in row.Approval?.Members ?? [])
            card.Row($"approval: {name}", value);
        foreach (var (name, value) in row.AttributeValues().Where(a => a.Value.Text.Length > 0))
            card.Row(name, value.Text);
        foreach (var test in bundle.Partitions(view.Result).Where(t => t.Id == row.Test && t.Partition == new PartitionName(row.Target, row.Account)))
            card.Row("Test there", $"{Wording.Name(test.Conclusion)}, {ItemCount.Of(test).Words}");
        card.Row("Control", $"{view.Result.Version}, sha256 {view.Result.Sha256}, {view.Result.Origin.ToString().ToLowerInvariant()}");
        card.Close();
        card.References(view);
        card.Heading("Rows of evidence");
        card.Paragraph(
            "Found by value: rows of the tables that this test reads in which a cell is the item, a part of it, or one of its attributes. "
            + "Those cells, and the columns that the test's SQL reads, are marked.");
        foreach (var table in view.Tables.Where(t => t.Matching > 0))
            card.Table(view, table);
        foreach (var line in ShowText.Unmatched(view))
            card.Paragraph(line);
        foreach (var exchange in view.Exchanges)
        {
            var reference = view.Trace.References.FirstOrDefault(r => r.RecordId == exchange.Recorded.Answer.Id)?.Reference;
            card.Exchange(exchange, reference?.Split('#', 2) is [_, var pointer] ? pointer : "", view.Words);
        }
        if (view.MoreExchanges > 0)
            card.Paragraph($"{view.MoreExchanges} more exchanges are in the bundle.");
        return card.End(row.ExceptionId ?? $"{view.Result.Id} {row.Test} ITEM");
    }

    /// <summary>Returns the card of an exchange.</summary>
    public static string Of(OpenedBundle bundle, AuditHost host, FoundExchange found, string pointer)
    {
        var card = new EvidenceCard(bundle, host);
        card.Begin(found.Evidence?.Operation ?? "Recorded exchange", found.Evidence is { } item ? PrintableText.Of($"in {ShowText.Place(item)}", Long) : "");
        card.Exchange(found, pointer, []);
        return card.End(found.Recorded.Answer.Id);
    }

    private void Begin(string title, string subtitle)
    {
        _page.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
            .Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-").Append(StyleHash)
            .Append("'; base-uri 'none'; form-action 'none'\">\n")
            .Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
            .Append("<title>Evidence: ").Append(Text(title, Short)).Append("</title>\n<style>").Append(Style)
            .Append("</style>\n</head>\n<body>\n<header>\n");
        if (_bundle.Record.IsReplay)
            _page.Append("<p class=\"replay\">").Append(Text(ShowText.Mode(_bundle)["a ".Length..], Long)).Append("</p>\n");
        _page.Append("<div><p class=\"kicker\">Evidence, ").Append(Text($"{_bundle.Record.Entity}, {_bundle.Record.Name}", Short)).Append("</p>\n")
            .Append("<h1>").Append(Text(title, Long)).Append("</h1>\n<p>").Append(Text(subtitle, Long)).Append("</p></div>\n</header>\n<main>\n");
    }

    private void Verdict(PopulationRow row) => _page
        .Append("<tr><th scope=\"row\">Verdict</th><td><span class=\"badge ").Append(Text(row.Word, Short)).Append("\">")
        .Append(Text(ShowText.Word(row), Short)).Append("</span>").Append(Text(row.Reason ?? "", Long)).Append("</td></tr>\n");

    private string End(string words)
    {
        Heading("Where this comes from");
        Open();
        Row("Bundle", _bundle.Id);
        Row("Engagement", $"{_bundle.Record.Entity}, {_bundle.Record.Name}");
        Row("As of", _bundle.Record.AsOf);
        Row("Collected", ShowText.Mode(_bundle));
        Row("Tagmanifest", $"sha256 {_bundle.Files.TagManifestSha256}");
        Row("Signature", _bundle.Files.IsSigned ? "signed; this page does not check it" : "none");
        Row("Made by", Tool.NameAndVersion);
        Row("To check", "auditcli verify BUNDLE, then auditcli reperform BUNDLE");
        Row("To see it again", $"auditcli show BUNDLE {words}");
        Close();
        return _page.Append("</section>\n</main>\n</body>\n</html>\n").ToString();
    }

    /// <summary>Writes the places in the raw evidence, named as in every report, and the commands that read each again.</summary>
    private void References(ItemView view)
    {
        Heading("Raw evidence");
        Open();
        foreach (var reference in view.Trace.References)
            Row(reference.Evidence, $"{reference.Reference}{(reference.Attempt is { } attempt ? $" in {attempt.File}" : "")}{reference.Note}");
        var commands = view.Trace.References.DistinctBy(r => r.Evidence).SelectMany(r => ReadAgain.Of(_host, r.Item, RowOf(view, r)));
        foreach (var command in commands.Distinct(StringComparer.Ordinal))
            Row("To read it again", command);
        Close();
        if (view.Trace.References.IsEmpty)
            Paragraph("No single row of the evidence names this item.");
    }

    private static TracedRow? RowOf(ItemView view, TracedReference reference) =>
        view.Tables.Where(t => t.Evidence == reference.Item).SelectMany(t => t.Found)
            .FirstOrDefault(r => r.Reference == reference.Reference || r.Records.Contains(reference.RecordId));

    private void Table(ItemView view, TracedTable table)
    {
        var item = table.Evidence;
        _page.Append("<h3>").Append(Text($"{table.Name}: {item.Operation} in {ShowText.Place(item)}", Long)).Append("</h3>\n");
        Paragraph(
            $"{item.Outcome.ToString().ToLowerInvariant()}, {table.Rows} rows, {table.Matching} that match best; "
            + $"read as {item.Identity} from {Rfc3339.Format(item.Started)} to {Rfc3339.Format(item.Finished)}; "
            + $"{item.EvidenceId}{(item.TableSha256 is { } digest ? $", sha256 of the rows {digest}" : "")}");
        foreach (var row in table.Found)
        {
            Open();
            foreach (var member in row.Row.EnumerateObject().Where(m => m.Value.ValueKind != JsonValueKind.Null))
            {
                var value = PrintableText.Of(RowJson.TextOrRaw(member.Value), Long);
                var tested = view.IsTested(table, row, member.Name);
                var html = tested && value.Length <= LongestMark
                    ? $"<mark>{WebUtility.HtmlEncode(value)}</mark>"
                    : Marked(value, row.Cells.Where(c => c.Column == member.Name).Select(c => c.Value));
                _page.Append("<tr><th scope=\"row\">").Append(tested ? "<mark>" : "").Append(Text(member.Name, Short)).Append(tested ? "</mark>" : "")
                    .Append("</th><td>").Append(html).Append("</td></tr>\n");
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
        Row("Response", exchange.Response?.StartLine ?? $"none: {string.Join("; ", exchange.Failure.Select(f => $"{f.Type} {f.Message}"))}");
        Row("Request id", found.RequestId ?? "none was given");
        Row("File", $"{found.File}, sha256 {_bundle.Files.DigestOf(found.File)}");
        Row("Request record", $"{request.Id}, {request["WARC-Block-Digest"] ?? "without digest"}");
        Row("Response record", $"{answer.Id}, {answer["WARC-Block-Digest"] ?? "without digest"}");
        if (exchange.ServerCertificates is { } certificates)
            Row("Server certificates", certificates);
        Row("Body", answer["WARC-Payload-Digest"] ?? "without digest");
        if (exchange.RedactedPayloadDigest is { } redacted)
            Row("Redacted", $"digest before redaction {redacted}");
        if (exchange.BodiesOmitted)
            Row("Left out", "both bodies, because they contain credentials");
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
        var heading = part is null ? $"{title}, {bytes.Length} bytes of {body.Form}" : $"{title} at {pointer}, of {bytes.Length} bytes";
        _page.Append("<h3>").Append(Text(heading, Short)).Append("</h3>\n<pre>");
        if (body.Before > 0)
            _page.Append(body.Before).Append(" lines before\n");
        foreach (var line in body.Lines)
            _page.Append(Marked(line, marked)).Append('\n');
        if (body.After > 0)
            _page.Append(body.After).Append(" lines after");
        _page.Append("</pre>\n");
    }

    /// <summary>
    /// Returns shown text as HTML with the words in it marked. Of words that begin at the same place, the longest is marked.
    /// </summary>
    private static string Marked(string shown, IEnumerable<string> words)
    {
        var wanted = words.Where(w => w.Length is > 2 and <= LongestMark).ToArray();
        var html = new StringBuilder();
        var from = 0;
        while (wanted.Length > 0)
        {
            var next = wanted.Select(w => (At: shown.IndexOf(w, from, StringComparison.Ordinal), w.Length)).Where(w => w.At >= 0)
                .OrderBy(w => w.At).ThenByDescending(w => w.Length).FirstOrDefault((At: -1, Length: 0));
            if (next.At < 0)
                break;
            html.Append(WebUtility.HtmlEncode(shown[from..next.At]))
                .Append("<mark>").Append(WebUtility.HtmlEncode(shown.Substring(next.At, next.Length))).Append("</mark>");
            from = next.At + next.Length;
        }
        return html.Append(WebUtility.HtmlEncode(shown[from..])).ToString();
    }

    /// <summary>Ends the current section, if there is one, and begins another.</summary>
    private void Heading(string text)
    {
        _page.Append(_begun ? "</section>\n" : "").Append("<section>\n<h2>").Append(Text(text, Long)).Append("</h2>\n");
        _begun = true;
    }

    private void Paragraph(string text) => _page.Append("<p>").Append(Text(text, Long)).Append("</p>\n");

    private void Open() => _page.Append("<table>\n");

    private void Close() => _page.Append("</table>\n");

    private void Row(string name, string value) =>
        _page.Append("<tr><th scope=\"row\">").Append(Text(name, Short)).Append("</th><td>").Append(Text(value, Long)).Append("</td></tr>\n");

    private static string Text(string text, int most) => WebUtility.HtmlEncode(PrintableText.Of(text, most));
}
