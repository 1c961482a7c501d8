using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats.Html;

/// <summary>
/// Writes the section of one control: conclusion, exceptions with references to the raw responses, procedure, sources, population.
/// </summary>
internal sealed class ControlArticle(HtmlWriter html, Workpaper workpaper, CancellationToken cancellationToken)
{
    private const int ListShown = 200;
    private const int ExceptionsShown = 200;

    public void Write(WorkpaperControl control, int number)
    {
        var (result, counts) = (control.Result, control.Counts);
        html.Write($"<article id=\"{result.Id}\" data-id=\"{result.Id}\" aria-labelledby=\"h-{number}\">");
        html.Write($"<header><h3 id=\"h-{number}\">{result.Id}&ensp;{result.Title}</h3>");
        html.Write($"<span class=\"badge {ConclusionChart.Class(result.Conclusion)}\">{control.Conclusion}</span>");
        html.Markup("<a class=\"back\" href=\"#h-controls\">All controls</a></header>");
        if (control.Definition is { } definition)
            html.Write($"<p class=\"lead\">{definition.Objective}</p>");
        else
            html.Write($"<p class=\"lead\">Its description cannot be shown: {control.WhyNoDefinition}</p>");
        html.Write($"<ul class=\"numbers\"><li><b>{counts.PopulationCell}</b>population</li>");
        html.Write($"<li><b>{counts.Exceptions}</b>exceptions</li><li><b>{counts.Approved}</b>approved</li>");
        if (counts.Undetermined > 0)
            html.Write($"<li><b>{counts.Undetermined}</b>undetermined</li>");
        if (counts.Indicated > 0)
            html.Write($"<li><b>{counts.Indicated}</b>indicated</li>");
        html.Markup("</ul>");
        html.Write($"<p class=\"k\">{counts.Words}. {control.Conclusion}: {control.Meaning}.</p>");
        WriteReasons(control);
        WriteAnswers(control);
        WriteExceptions(control, number);
        WriteRegisters(control);
        WriteProcedure(control);
        WriteCompleteness(control);
        WriteSources(control);
        WritePopulation(control, number);
        html.Markup("</article>\n");
    }

    private void WriteReasons(WorkpaperControl control)
    {
        var reasons = control.Reasons.Concat(control.Result.Notes).ToArray();
        if (reasons.Length == 0)
            return;
        html.Markup("<ul class=\"because\">");
        foreach (var reason in reasons.Take(ListShown))
            html.Write($"<li>{reason}</li>");
        if (reasons.Length > ListShown)
            html.Write($"<li>{ListShown} of {reasons.Length} are shown; {BundleLayout.ResultsFolder} has them all</li>");
        html.Markup("</ul>");
    }

    private void WriteAnswers(WorkpaperControl control)
    {
        if (control.Answered is not { IsEmpty: false } answered)
            return;
        html.Markup("<h4>What people answered</h4><ul class=\"because\">");
        foreach (var answer in answered)
            html.Write($"<li>{answer}</li>");
        html.Markup("</ul>");
    }

    private void WriteExceptions(WorkpaperControl control, int number)
    {
        var traces = workpaper.Traces.Of(control, cancellationToken);
        var all = 0L;
        foreach (var test in control.Tests)
        {
            foreach (var row in workpaper.Bundle.Rows(control.Result.Id, test))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (row.Verdict == ItemVerdict.Pass || ++all > ExceptionsShown)
                    continue;
                if (all == 1)
                    html.Markup("<h4>Exceptions</h4>");
                WriteException(control, test, row, (traces.GetValueOrDefault((test, row.Line)) ?? ItemTrace.None).References, $"x-{number}-{all}");
            }
        }
        if (all > ExceptionsShown)
        {
            html.Write($"<p role=\"note\">{ExceptionsShown} of {all} are shown here; ");
            html.Markup("choose a result in the population below to see the others.</p>");
        }
    }

    private void WriteException(WorkpaperControl control, string test, PopulationRow row, IReadOnlyList<TracedReference> raw, string fallback)
    {
        html.Write($"<details class=\"exception\" id=\"{row.ExceptionId ?? fallback}\"><summary>");
        html.Write($"<span class=\"badge {row.Result.Split(' ')[0]}\">{row.Result}</span><code>{row.Item}</code>");
        html.Write($"<span class=\"k\">{Wording.Place(row.Target, row.Account)}</span><span class=\"why\">{row.Reason}</span></summary>");
        html.Markup("<div><dl class=\"facts\">");
        if (row.ExceptionId is { } id)
            html.Write($"<dt>Exception</dt><dd><code>{id}</code></dd>");
        html.Write($"<dt>Test</dt><dd>{test}: {control.Test(test)?.Title}</dd>");
        if (row.Approval is not null)
            html.Write($"<dt>Approved by</dt><dd>{row.ApprovalWords}</dd>");
        if (control.SaidOf(row) is { } said)
            html.Write($"<dt>A person says</dt><dd>{said}</dd>");
        foreach (var (name, value) in row.AttributeValues())
            html.Write($"<dt>{name}</dt><dd>{(value.Text.Length == 0 ? "–" : value.Text)}</dd>");
        html.Write($"<dt>Verdict in</dt><dd><code>{row.File}</code>, line {row.Line}</dd></dl>");
        foreach (var reference in raw)
            WriteRaw(reference);
        if (raw.Count == 0)
            html.Markup("<p class=\"k\">No single row of the evidence names this item; the sources below list every exchange.</p>");
        html.Markup("</div></details>");
    }

    private void WriteRaw(TracedReference raw)
    {
        html.Write($"<dl class=\"facts raw\"><dt>Raw evidence</dt><dd><b>{raw.Evidence}</b>: {raw.Item.Source} {raw.Item.Operation}, ");
        html.Write($"read as {(raw.Item.Identity.Length == 0 ? "a file supplied by management" : raw.Item.Identity)}, ");
        html.Write($"{workpaper.ObtainedBy(raw.Item)}</dd>");
        html.Write($"<dt>Record and place</dt><dd><code>{raw.Reference}</code>{(raw.Kind == TraceKind.Register ? "" : raw.Note)}</dd>");
        if (raw.File is { } file)
            html.Write($"<dt>In</dt><dd><code>{file}</code>, SHA-256 <code>{workpaper.Bundle.Files.DigestOf(file).Hex}</code></dd>");
        if (raw.Attempt is { } attempt)
        {
            html.Write($"<dt>Asked</dt><dd>{(attempt.Date is { } date ? Rfc3339.Format(date) : "at an unknown time")}, ");
            html.Write($"HTTP {attempt.Status.ToString(System.Globalization.CultureInfo.InvariantCulture)}");
            html.Write($"{(attempt.RequestId is { } id ? $", request id {id}" : "")}</dd>");
        }
        if (raw.Item.Table is { } table)
            html.Write($"<dt>Table</dt><dd><code>{table}</code>, SHA-256 of the rows <code>{raw.Item.TableSha256?.Hex}</code></dd>");
        html.Markup("</dl>");
    }

    private void WriteRegisters(WorkpaperControl control)
    {
        var unused = RegisterWords.Of(control.Result).ToArray();
        if (unused.Length == 0)
            return;
        html.Write($"<details><summary>Registers: {Wording.Count(unused.Length, "row")} without effect</summary><div><ul class=\"because\">");
        foreach (var (label, text) in unused.Take(ListShown))
            html.Write($"<li>{label}: {text}</li>");
        html.Markup("</ul>");
        if (unused.Length > ListShown)
            html.Write($"<p role=\"note\">{ListShown} of {unused.Length} are shown; {BundleLayout.ResultsFolder} has them all.</p>");
        html.Markup("</div></details>");
    }

    private void WriteProcedure(WorkpaperControl control)
    {
        html.Markup("<details><summary>Control and procedure</summary><div><dl class=\"facts\">");
        if (control.Definition is { } d)
        {
            html.Write($"<dt>Risk</dt><dd>{d.Risk}</dd><dt>Owner</dt><dd>{d.Owner}</dd><dt>Nature, frequency</dt>");
            html.Write($"<dd>{d.NatureType}, {d.NatureExecution}; {d.Frequency}{(d.KeyControl ? "; key control" : "")}</dd>");
            html.Write($"<dt>Tested</dt><dd>{(d.Kind == ControlKind.Design ? "design" : "operating effectiveness")}, ");
            html.Write($"for {workpaper.SpanOf(control)}; {control.Tested}</dd>");
            html.Write($"<dt>Helps with</dt><dd>{string.Join("; ", d.References.Select(r => $"{r.Key} {string.Join(", ", r.Value)}"))}</dd>");
            WriteFacts(RelianceWords.Of(d));
        }
        html.Write($"<dt>Version</dt><dd>{control.Result.Version}</dd><dt>File</dt>");
        html.Write($"<dd>{control.Result.Origin.ToString().ToLowerInvariant()}, SHA-256 <code>{control.Result.Sha256.Hex}</code></dd>");
        foreach (var parameter in control.Result.Parameters)
        {
            html.Write($"<dt>${parameter.Name}</dt><dd>{parameter.Value.GetRawText()}{ControlText.Limits(control.Definition, parameter.Name)}");
            html.Write($"{(parameter.By is { } by ? $", set by {by}: {parameter.Why}" : "")}</dd>");
        }
        html.Markup("</dl>");
        foreach (var test in control.Definition?.Tests ?? [])
        {
            var counted = control.Counts.Tests.Where(t => t.Test == test.Id).Select(t => t.Count.Words).FirstOrDefault("nothing was tested");
            html.Write($"<h4>Test {test.Id}{(test.Attribute is { } a ? $", attribute {a}" : "")}</h4>");
            html.Write($"<p>{test.Title} <span class=\"k\">for {workpaper.SpanOf(control, test.Id)}</span></p>");
            html.Write($"<p class=\"k\">{counted}</p><dl class=\"facts\">");
            WriteFacts(RelianceWords.Of(test));
            WriteFacts(RelianceWords.OfPopulation(test));
            html.Write($"</dl><pre tabindex=\"0\">{test.Sql.TrimEnd()}</pre>");
        }
        if (control.Definition is { } definition)
        {
            if (!definition.Limitations.IsEmpty)
                html.Markup("<h4>What it cannot show</h4><ul class=\"because\">");
            foreach (var limitation in definition.Limitations)
                html.Write($"<li>{limitation}</li>");
            if (!definition.Limitations.IsEmpty)
                html.Markup("</ul>");
            html.Write($"<h4>Recommendation</h4><p>{definition.Recommendation}</p>");
        }
        html.Markup("</div></details>");
    }

    private void WriteFacts(IEnumerable<(string Label, string Value)> facts)
    {
        foreach (var (label, value) in facts)
            html.Write($"<dt>{label}</dt><dd>{value}</dd>");
    }

    private void WriteCompleteness(WorkpaperControl control)
    {
        var checks = control.Partitions.SelectMany(t => t.Completeness.Select(c => (t.Partition, Check: c)))
            .DistinctBy(c => (c.Partition, c.Check.Name)).ToArray();
        var failed = checks.Count(c => !c.Check.Agree);
        var agreement = checks.Length == 0 ? "no check"
            : failed == 0 ? $"{checks.Length} of {checks.Length} checks agree"
            : $"{failed} of {checks.Length} checks do not agree";
        html.Write($"<details><summary>Completeness: {agreement}</summary><div>");
        if (control.Definition?.NoCompleteness is { } why)
            html.Write($"<p>{why}</p>");
        if (checks.Length > 0)
        {
            html.Markup("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Completeness checks\"><table><thead><tr>");
            html.Markup("<th scope=\"col\">Account</th><th scope=\"col\">Check</th><th scope=\"col\">Counted</th>");
            html.Markup("<th scope=\"col\">Expected</th><th scope=\"col\">Agree</th></tr></thead><tbody>");
            foreach (var (partition, check) in checks.OrderBy(c => c.Check.Agree).Take(ListShown))
            {
                html.Write($"<tr><td>{Wording.Place(partition.Target, partition.Account)}</td><td class=\"item\">{check.Name} ");
                html.Write($"<span class=\"k\">sources: {RelianceWords.Sources(control.Definition, check.Name)}</span></td>");
                html.Write($"<td class=\"n\">{check.Left ?? "unknown"}</td><td class=\"n\">{check.Right ?? "unknown"}</td>");
                html.Write($"<td><span class=\"badge {(check.Agree ? "pass" : "fail")}\">{(check.Agree ? "agree" : "do not agree")}</span></td></tr>");
            }
            html.Markup("</tbody></table></div>");
        }
        if (checks.Length > ListShown)
            html.Write($"<p role=\"note\">{ListShown} of {checks.Length} are shown; {BundleLayout.ResultsFolder} has them all.</p>");
        html.Markup("</div></details>");
    }

    private void WriteSources(WorkpaperControl control)
    {
        html.Write($"<details><summary>Sources: {Wording.Count(control.Evidence.Length, "evidence item")}, {control.TableRowsLine}</summary><div>");
        html.Markup("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Sources\"><table><thead><tr>");
        html.Markup("<th scope=\"col\">Evidence</th><th scope=\"col\">Account, region</th><th scope=\"col\">Operation</th>");
        html.Markup("<th scope=\"col\">Outcome</th><th scope=\"col\" class=\"n\">Rows</th><th scope=\"col\">Read as, when</th>");
        html.Markup("<th scope=\"col\">Exchanges</th></tr></thead><tbody>");
        foreach (var (name, item) in control.Evidence.OrderBy(e => e.Item.Outcome == CollectionOutcome.Complete).Take(ListShown))
        {
            html.Write($"<tr><td>{name}</td><td>{Wording.Place(item.Target, item.Account)} {item.Region}</td>");
            html.Write($"<td>{item.Source} {item.Operation} <span class=\"k\">{Workbook.EvidenceSheets.Parameters(item)}</span></td>");
            html.Write($"<td><span class=\"badge {(item.Outcome == CollectionOutcome.Complete ? "pass" : "fail")}\">");
            html.Write($"{item.Outcome.ToString().ToLowerInvariant()}</span> {item.Code}</td><td class=\"n\">{item.Items}{Wording.OfRead(item)}</td>");
            html.Write($"<td>{item.Identity} <span class=\"rows\">{Rfc3339.Format(item.Started)}</span></td><td>");
            foreach (var exchange in item.Exchanges.Take(3))
                html.Write($"<code>{exchange.RecordId}</code> <span class=\"rows\">{exchange.File}</span>");
            if (item.Exchanges.Length > 3)
                html.Write($"and {item.Exchanges.Length - 3} more");
            if (item.Calls is { } calls)
                html.Write($"one per row, listed in <code>{calls}</code>");
            html.Markup("</td></tr>");
        }
        html.Markup("</tbody></table></div>");
        if (control.Evidence.Length > ListShown)
            html.Write($"<p role=\"note\">{ListShown} of {control.Evidence.Length} are shown; {BundleLayout.EvidenceIndex} has them all.</p>");
        html.Markup("</div></details>");
    }

    private void WritePopulation(WorkpaperControl control, int number)
    {
        html.Write($"<details class=\"population\" data-items=\"items-{number}\">");
        html.Write($"<summary>Population: {control.Counts.PopulationWords}; {control.Tested}</summary><div>");
        html.Markup(
            "<noscript><p>Without scripts this page cannot show the items; "
            + $"they are in results.csv, workpaper.xlsx and {BundleLayout.ResultsFolder}.</p></noscript>");
        html.Markup("<div class=\"load\" hidden><div class=\"items\">");
        html.Markup("<label>Search the items<input class=\"find\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\"></label>");
        html.Markup("<label>Result<select class=\"only\"><option value=\"\">all</option>");
        html.Markup("<option>pass</option><option>exception</option><option>approved exception</option>");
        html.Markup("<option>undetermined</option><option>indicated exception</option></select></label></div>");
        html.Markup("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Items\"><table><thead><tr>");
        html.Markup("<th scope=\"col\">Test</th><th scope=\"col\">Account</th><th scope=\"col\">Item</th>");
        html.Markup("<th scope=\"col\">Result</th><th scope=\"col\">Attributes</th></tr></thead><tbody></tbody></table></div>");
        html.Markup("<div class=\"pages\"><button type=\"button\">Before</button><button type=\"button\">Next</button></div></div>");
        html.Markup("<p class=\"count-shown status\" role=\"status\"></p></div></details>");
    }
}
