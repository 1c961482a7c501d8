using System.Security.Cryptography;
using System.Text;
using AuditCli.Bundles;
using AuditCli.Evidence.Bundles;
using AuditCli.Reports.Workpapers;
using AuditCli.Text;

namespace AuditCli.Reports.Formats.Html;

/// <summary>
/// Writes one self-contained HTML page. Its Content-Security-Policy allows only the style and the script in the page, by their hashes, and
/// no network access. Text from the bundle is always encoded, so it cannot become markup.
/// </summary>
internal sealed class HtmlReport : IReportFormat
{
    private const int NotesShown = 60;
    private const int DigestLength = 64;

    public string Name => "html";

    public string FileName => "report.html";

    public bool IsText => true;

    public void Write(Workpaper workpaper, Stream output, CancellationToken cancellationToken)
    {
        using var text = new StreamWriter(output, new UTF8Encoding(false), bufferSize: 64 * 1024, leaveOpen: true) { NewLine = "\n" };
        var html = new HtmlWriter(text);
        var (style, script) = (Resource("report.css"), Resource("report.js"));
        html.Markup("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
        html.Write($"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; style-src &#39;sha256-{Hash(style)}&#39;; ");
        html.Write($"script-src &#39;sha256-{Hash(script)}&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;\">");
        html.Markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"referrer\" content=\"no-referrer\">");
        html.Write($"<title>{workpaper.Title}: {workpaper.TotalsLine}</title>");
        text.Write($"<style>{style}</style></head>\n<body>");
        WriteTop(html, workpaper);
        html.Markup("<main id=\"main\">");
        WriteSummary(html, workpaper);
        WriteList(html, workpaper);
        var articles = new ControlArticle(html, workpaper, cancellationToken);
        for (var i = 0; i < workpaper.Controls.Length; i++)
            articles.Write(workpaper.Controls[i], i);
        html.Markup("</main>");
        html.Write($"<footer><p>Bundle {workpaper.Run.BundleId}. ");
        html.Write($"Every number here comes from {BundleLayout.Results} (SHA-256 {workpaper.ResultsSha256.Hex}) ");
        html.Write($"and {BundleLayout.EvidenceIndex} (SHA-256 {workpaper.IndexSha256.Hex}). ");
        html.Markup("Control and direction characters in names are shown by their numbers, as \\u202e. ");
        html.Markup("‘auditcli verify’ checks the bundle, ‘auditcli reperform’ repeats its tests.</p></footer>\n");
        WriteData(html, text, workpaper, cancellationToken);
        text.Write($"<script>{script}</script></body></html>\n");
    }

    private static void WriteTop(HtmlWriter html, Workpaper workpaper)
    {
        html.Markup("<a class=\"skip\" href=\"#main\">Skip to the content</a>");
        html.Markup("<header>");
        if (workpaper.Run.ReplayLine is { } replay)
            html.Write($"<p class=\"replay\">{replay}</p>");
        html.Write($"<div class=\"top\"><div><p class=\"kicker\">IT general controls</p><h1>{workpaper.Title}</h1>");
        html.Write($"<p>Period {workpaper.Run.PeriodWords}, state as of {RunRecord.Second(workpaper.Run.AsOf)}</p></div></div></header>\n");
    }

    private static void WriteSummary(HtmlWriter html, Workpaper workpaper)
    {
        html.Markup("<section aria-labelledby=\"h-conclusions\"><h2 id=\"h-conclusions\">Conclusions</h2>");
        ConclusionChart.Write(html, workpaper);
        html.Markup("</section>\n<section aria-labelledby=\"h-scope\"><h2 id=\"h-scope\">Scope, and what narrows it</h2>");
        var notes = workpaper.Notes.OrderBy(n => !n.Narrows).ToArray();
        if (!notes.Any(n => n.Narrows))
            html.Markup("<p>Nothing narrows it.</p>");
        WriteNotes(html, notes.Take(NotesShown));
        if (notes.Length > NotesShown)
        {
            html.Write($"<details><summary>{notes.Length - NotesShown} more, {notes.Skip(NotesShown).Count(n => n.Narrows)} of which narrow it</summary><div>");
            WriteNotes(html, notes.Skip(NotesShown));
            html.Markup("</div></details>");
        }
        html.Markup("</section>\n<section aria-labelledby=\"h-what\"><h2 id=\"h-what\">What this is</h2><dl class=\"identity\">");
        foreach (var (label, value) in workpaper.Identification)
        {
            if (value.Length == DigestLength && value.All(char.IsAsciiHexDigitLower))
                html.Write($"<div><dt>{label}</dt><dd><code>{value}</code></dd></div>");
            else
                html.Write($"<div><dt>{label}</dt><dd>{value}</dd></div>");
        }
        html.Markup("</dl></section>\n");
    }

    private static void WriteNotes(HtmlWriter html, IEnumerable<ScopeNote> notes)
    {
        html.Markup("<ul class=\"notes\">");
        foreach (var note in notes)
        {
            if (note.Narrows)
                html.Write($"<li class=\"narrows\"><b>{note.Kind}</b>{note.Text}</li>");
            else
                html.Write($"<li><b>{note.Kind}</b>{note.Text}</li>");
        }
        html.Markup("</ul>");
    }

    private static void WriteList(HtmlWriter html, Workpaper workpaper)
    {
        html.Markup("<section aria-labelledby=\"h-controls\"><h2 id=\"h-controls\">Controls</h2>");
        html.Markup("<form class=\"filter\" role=\"search\" aria-label=\"Controls\" hidden><label class=\"wide\">Search controls and exceptions");
        html.Markup("<input id=\"find\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\"></label>");
        html.Markup("<label>Conclusion<select id=\"conclusion\"><option value=\"\">all</option>");
        foreach (var (conclusion, count) in workpaper.Totals)
            html.Write($"<option value=\"{Wording.Name(conclusion)}\">{Wording.Name(conclusion)} ({count})</option>");
        html.Markup("</select></label><button type=\"button\" id=\"clear\">Clear</button><p class=\"status\" id=\"shown\" role=\"status\"></p></form>");
        html.Markup("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of controls\"><table class=\"controls\"><thead><tr>");
        html.Markup("<th scope=\"col\">Control</th><th scope=\"col\">Title, and the rows of its evidence</th>");
        html.Markup("<th scope=\"col\" class=\"n\">Population</th><th scope=\"col\" class=\"n\">Exceptions</th>");
        html.Markup("<th scope=\"col\" class=\"n\">Approved</th><th scope=\"col\">Conclusion</th></tr></thead><tbody>");
        foreach (var domain in workpaper.Domains)
        {
            html.Write($"<tr class=\"group\"><th class=\"group\" colspan=\"6\" scope=\"colgroup\">{Wording.Name(domain.Key)}</th></tr>");
            foreach (var control in domain)
            {
                var result = control.Result;
                html.Write($"<tr data-id=\"{result.Id}\" data-conclusion=\"{Wording.Name(result.Conclusion)}\">");
                html.Write($"<td class=\"id\"><a href=\"#{result.Id}\">{result.Id}</a></td>");
                html.Write($"<td class=\"title\">{result.Title}<span class=\"rows\">{control.TableRowsLine}</span>");
                foreach (var reason in control.Reasons.Take(1))
                    html.Write($"<span class=\"why\">{reason}</span>");
                html.Write($"</td><td class=\"n\" data-label=\"Population\">{control.Counts.PopulationCell}</td>");
                html.Write($"<td class=\"n\" data-label=\"Exceptions\">{control.Counts.Exceptions}</td>");
                html.Write($"<td class=\"n\" data-label=\"Approved\">{control.Counts.Approved}</td>");
                html.Write($"<td><span class=\"badge {ConclusionChart.Class(result.Conclusion)}\">{control.Conclusion}</span></td></tr>\n");
            }
        }
        html.Markup("</tbody></table></div>");
        foreach (var not in workpaper.Results.NotTested)
            html.Write($"<p class=\"not-tested\"><b>Not tested: {not.Id}</b>: {not.Reason}</p>");
        html.Markup("</section>\n");
    }

    private static void WriteData(HtmlWriter html, StreamWriter text, Workpaper workpaper, CancellationToken cancellationToken)
    {
        var left = (long)PopulationData.Most;
        for (var i = 0; i < workpaper.Controls.Length; i++)
        {
            html.Write($"<script type=\"application/gzip+base64\" id=\"items-{i}\">");
            text.Flush();
            var (written, all) = PopulationData.Write(workpaper, workpaper.Controls[i], text.BaseStream, left, cancellationToken);
            left -= written;
            html.Markup("</script>\n");
            if (written < all)
            {
                html.Write($"<p class=\"cut\" role=\"note\">Of {workpaper.Controls[i].Result.Id}, {written} of {all} items fit this page; ");
                html.Markup($"{BundleLayout.ResultsFolder} and results.csv have them all.</p>\n");
            }
        }
    }

    private static string Hash(string content) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)));

    private static string Resource(string name) => EmbeddedText.Of($"reports/{name}");
}
