using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;
using AuditCli.Reports;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Lookup;

/// <summary>Writes the text of <c>show</c>. Text from the bundle is shortened, and its control characters are escaped.</summary>
internal sealed class ShowText(TextWriter output, OpenedBundle bundle, string shownAs)
{
    private const int Short = 200;
    private const int Long = 2000;
    private const int MostExceptions = 50;
    private const int MostItems = 200;
    private const int MostRows = 5;

    public void Head()
    {
        Line($"bundle {bundle.Id}, {Mode(bundle)}");
        Line($"tagmanifest sha256 {bundle.Files.TagManifestSha256}; files are compared with the manifest as they are read; "
            + $"{(bundle.Files.IsSigned ? "signed, which 'auditcli verify' checks" : "not signed")}");
        Line($"{bundle.Record.Entity}, {bundle.Record.Name}, as of {bundle.Record.AsOf}");
        Line("");
    }

    /// <summary>
    /// Returns whether a test is over the period or at a point in time, as a suffix of its title; empty if the results do not say.
    /// </summary>
    public static string Span(ControlResult control, string test) => control.Tests.FirstOrDefault(t => t.Id == test)?.Mode switch
    {
        ControlMode.Period => ", over the period",
        ControlMode.PointInTime => ", at a point in time",
        _ => "",
    };

    /// <summary>
    /// Returns whether the bundle was collected live or is a replay, with the dates; those of a replay are the dates of the recording.
    /// </summary>
    public static string Mode(OpenedBundle bundle) =>
        bundle.Record.Recorded is { } recorded
            ? PrintableText.Of($"a REPLAY of exchanges recorded {recorded.First} to {recorded.Last}", Short)
            : PrintableText.Of($"collected {bundle.Record.Mode} {bundle.Record.Started} to {bundle.Record.Finished}", Short);

    /// <summary>Writes every control with its counts and its conclusion, and the questions that people have not answered.</summary>
    /// <param name="definition">Returns the file of a control; null if it cannot be read.</param>
    public void Controls(Func<ControlResult, Control?> definition)
    {
        var width = bundle.Results.Controls.Select(c => c.Id.Length).DefaultIfEmpty(7).Max();
        var conclusions = bundle.Results.Controls.Select(c => ControlReasons.Conclusion(c).Length).DefaultIfEmpty(0).Append("conclusion".Length).Max();
        Line($"{"control".PadRight(width)} {"population",20} {"exceptions",10} {"approved",8} {"indicated",9} "
            + $"{"conclusion".PadRight(conclusions)} title");
        foreach (var counts in bundle.Results.Controls.Select(c => new ControlCounts(c)))
        {
            var control = counts.Control;
            Line($"{control.Id.PadRight(width)} {counts.PopulationCell,20} {counts.Exceptions,10} {counts.Approved,8} {counts.Indicated,9} "
                + $"{ControlReasons.Conclusion(control).PadRight(conclusions)} {control.Title}");
            foreach (var (test, count) in control.Population is null ? counts.Tests : [])
                Line($"{"".PadRight(width)} {test}: {count.Words}");
            if (control.Conclusion == Conclusion.NeedsReview)
            {
                foreach (var question in PeopleNotes.Unanswered(control, definition(control)))
                    Line($"{"".PadRight(width)} {PeopleNotes.Open(question)}");
            }
        }
        foreach (var not in bundle.Results.NotTested)
            Line($"not tested: {not.Id}: {not.Reason}");
        Line("");
        if (bundle.Results.Controls.Any(c => c.Conclusion == Conclusion.NeedsReview))
            Line($"next: {PeopleNotes.Next(shownAs, bundle.Record.Concluded)}");
        Next("CONTROL");
    }

    public void Control(ControlResult control, Control? definition)
    {
        Line($"{control.Id} {control.Version} {control.Title}");
        Line($"{ControlReasons.Conclusion(control)}: {ControlReasons.Meaning(control, bundle.Partitions(control))}");
        Line(new ControlCounts(control).Words);
        if (definition is not null)
        {
            Line($"objective: {definition.Objective}");
            Line($"risk: {definition.Risk}");
        }
        Line($"control sha256 {control.Sha256} ({control.Origin.ToString().ToLowerInvariant()})");
        if (bundle.WhyAnotherControl(control) is { } another)
            Line($"the control's text is not shown: {another}");
        foreach (var parameter in control.Parameters)
            Line($"parameter {parameter.Name} = {parameter.Value.GetRawText()}{(parameter.By is { } by ? $", set by {by}: {parameter.Why}" : "")}");
        if (control.NotApplicable is { } left)
            Line($"not applicable: {left.Reason} (approved by {left.ApprovedBy} on {left.ApprovedOn:yyyy-MM-dd})");
        if (control.RefusedDecision is { } refused)
            Line(Wording.Refused(refused));
        People(control, definition);
        foreach (var limitation in control.Limitations)
        {
            Line($"limitation: {limitation.Operation} in "
                + $"{$"{Wording.Place(limitation.Target, limitation.Account)} {limitation.Region}".TrimEnd()}: "
                + $"{limitation.Code}, {Wording.Count(limitation.Count, "call")}: {limitation.Message}");
        }
        foreach (var note in control.Notes)
            Line($"note: {note}");
        foreach (var (label, text) in RegisterWords.Of(control))
            Line($"{label.ToLowerInvariant()}: {text}");
        foreach (var test in OpenedBundle.TestsOf(control))
        {
            Line("");
            Line($"{test} {definition?.Tests.FirstOrDefault(t => t.Id == test)?.Title}{Span(control, test)}");
            foreach (var part in bundle.Partitions(control).Where(p => p.Id == test))
            {
                Line($"  {Wording.Place(part.Partition.Target, part.Partition.Account)}: {Wording.Name(part.Conclusion)}, "
                    + $"{ItemCount.Of(part).Words}{(part.Error is { } error ? $": {error}" : "")}");
                foreach (var check in part.Completeness)
                {
                    Line($"    {check.Name}: {check.Left ?? "unknown"} against {check.Right ?? "unknown"}"
                        + $"{(check.Agree ? "" : ", which DIFFER")}{(check.Error is { } e ? $" ({e})" : "")}");
                }
            }
            Exceptions(control, test);
        }
        Line("");
        foreach (var item in bundle.Index.Where(i => i.Names.Any(n => n.Control == control.Id)))
        {
            Line($"evidence {item.Names.First(n => n.Control == control.Id).Name}: {item.EvidenceId} in {Place(item)}: "
                + $"{item.Outcome.ToString().ToLowerInvariant()}, {Wording.Count(item.Items, "row")}");
        }
        Line("");
        Next($"{control.Id} TEST", $"{control.Id}/X/...", "EVIDENCE-ID");
    }

    public void Test(ControlResult control, string test, Control? definition)
    {
        Line($"{control.Id} {test} {definition?.Tests.FirstOrDefault(t => t.Id == test)?.Title}{Span(control, test)}");
        foreach (var part in bundle.Partitions(control).Where(t => t.Id == test))
        {
            Line($"{Wording.Place(part.Partition.Target, part.Partition.Account)}: {Wording.Name(part.Conclusion)}, "
                + $"{ItemCount.Of(part).Words}{(part.Error is { } error ? $": {error}" : "")}");
        }
        People(control, definition);
        var (count, said) = (0L, PeopleNotes.Dispositions(control));
        foreach (var row in bundle.Rows(control.Id, test))
        {
            if (++count <= MostItems)
            {
                Line($"{Word(row),-13} {row.Place}  {PrintableText.Of(row.Item, Short)}"
                    + $"{(row.Reason is { } reason ? $": {PrintableText.Of(reason, Short)}" : "")}");
                Said(row, said, "              ");
            }
        }
        More(count - MostItems, "items; all of them: auditcli query BUNDLE \"SELECT * FROM results.items\"");
        if (definition?.Tests.FirstOrDefault(t => t.Id == test) is { } procedure)
        {
            Line("");
            Line("by this SQL:");
            foreach (var line in procedure.Sql.TrimEnd().Split('\n'))
                Line($"  {line}");
        }
        Line("");
        Next($"{control.Id} {test} ITEM");
    }

    public void Item(ItemView view)
    {
        var row = view.Row;
        Line($"{view.Result.Id} {view.Result.Title}");
        Line($"{row.Test} {view.TestTitle}{Span(view.Result, row.Test)}");
        Line($"item {PrintableText.Of(row.Item, Long)} in {row.Place}");
        Line($"{Word(row)}{(row.IsException ? $" {row.ExceptionId}" : "")}{(row.Reason is { } reason ? $": {PrintableText.Of(reason, Long)}" : "")}");
        foreach (var disposition in (view.Result.Dispositions ?? []).Where(d => d.ExceptionId == row.ExceptionId))
            Line(PrintableText.Of(PeopleNotes.Of(disposition), Long));
        foreach (var (name, value) in row.Approval?.Members ?? [])
            Line($"  {name}: {PrintableText.Of(value, Short)}");
        foreach (var (name, value) in row.AttributeValues().Where(a => a.Value.Text.Length > 0))
            Line($"  {PrintableText.Of(name, Short)}: {PrintableText.Of(value.Text, Short)}");
        Line("");
        foreach (var reference in view.Trace.References)
        {
            Line($"raw evidence {reference.Evidence}: {reference.Reference}"
                + $"{(reference.Attempt is { } attempt ? $" in {attempt.File}" : "")}{reference.Note}");
        }
        if (view.Trace.References.IsEmpty)
            Line("no single row of the evidence names this item");
        Line("");
        Line("EVIDENCE, found by value: rows of the tables that this test reads in which a cell is the item, a part of it, or one of its attributes");
        foreach (var table in view.Tables.Where(t => t.Matching > 0))
            Table(table);
        foreach (var line in Unmatched(view))
            Line(line);
        foreach (var exchange in view.Exchanges)
        {
            Line("");
            Exchange(exchange);
        }
        More(view.MoreExchanges, "exchanges");
        if (view.Exchanges.Length > 0)
        {
            Line("");
            Next(view.Exchanges[0].Recorded.Answer.Id);
        }
    }

    public void Evidence(EvidenceItem item)
    {
        Line($"{item.EvidenceId} {item.Operation}");
        Line($"in {Place(item)}, read as {item.Identity} from {Rfc3339.Format(item.Started)} to {Rfc3339.Format(item.Finished)}");
        Line($"{item.Outcome.ToString().ToLowerInvariant()}: {Wording.Count(item.Items, "row")}{Wording.OfRead(item)}, {Wording.Count(item.Pages, "page")}"
            + $"{(item.Code is { } code ? $", {code}" : "")}{(item.Message is { } message ? $": {message}" : "")}");
        Line($"used by {string.Join(", ", item.Names.Select(n => $"{n.Control} as {n.Name}"))}");
        foreach (var (name, value) in item.Parameters)
            Line($"parameter {name} = {PrintableText.Of(value.GetRawText(), Short)}");
        if (item.Redacted is { } redacted)
            Line($"redacted: {redacted} responses, such as {string.Join(", ", item.Redactions.Take(3).Select(r => $"{r.Pointer} ({r.Rule})"))}");
        if (item.Table is { } table)
        {
            Line($"table {table}, sha256 of its rows {item.TableSha256}");
            using var rows = new TableReader(bundle.Files.Open(table), table, item.TableSha256);
            foreach (var row in rows.ReadRows().Take(MostRows))
                Members("  ", row, separate: true);
            More(item.Items - MostRows, "rows");
        }
        foreach (var exchange in item.Exchanges.Take(MostItems))
        {
            Line($"exchange {exchange.RecordId}: status {exchange.Status}, {Rfc3339.Format(exchange.Date)}, "
                + $"request id {exchange.RequestId ?? "none"}");
        }
        More(item.Exchanges.Length - MostItems, "exchanges");
        if (item.Calls is { } calls)
            Line($"the call for each parent row, with its exchanges: {calls}");
        if (item.Exchanges is [var first, ..])
        {
            Line("");
            Next(first.RecordId);
        }
    }

    /// <summary>Writes the facts of an exchange: request, time, status, evidence item, file and digests.</summary>
    public void Exchange(FoundExchange found)
    {
        var (request, answer, exchange) = (found.Recorded.Request, found.Recorded.Answer, found.Recorded.Exchange);
        Line($"EXCHANGE {answer.Id}");
        Line($"{exchange.Request.StartLine.Split(' ')[0]} {exchange.Uri}");
        var status = exchange.Response is { } response
            ? response.StartLine
            : $"no response: {string.Join("; ", exchange.Failure.Select(f => $"{f.Type} {f.Message}"))}";
        Line($"sent {Rfc3339.Format(exchange.Date)}, {status}{(found.RequestId is { } id ? $", request id {id}" : "")}");
        if (exchange.ServerCertificates is { } certificates)
            Line($"certificates of the server: {certificates}");
        if (found.Evidence is { } item)
            Line($"sent for {item.Operation} in {Place(item)}, as {item.Identity} ({item.EvidenceId})");
        Line($"{found.File}, sha256 {bundle.Files.DigestOf(found.File)}");
        Line($"request record {request.Id}, block {request["WARC-Block-Digest"] ?? "without digest"}");
        Line($"response record {answer.Id}, block {answer["WARC-Block-Digest"] ?? "without digest"}, "
            + $"body {answer["WARC-Payload-Digest"] ?? "without digest"}"
            + $"{(exchange.RedactedPayloadDigest is { } redacted ? $"; redacted, digest before redaction {redacted}" : "")}"
            + $"{(exchange.BodiesOmitted ? "; bodies omitted because they contain credentials" : "")}");
    }

    /// <summary>Writes how many more there are than shown; nothing if there are none.</summary>
    public void More(long count, string of)
    {
        if (count > 0)
            Line(string.Create(CultureInfo.InvariantCulture, $"  and {count} more {of}"));
    }

    /// <summary>Writes the request and the response of an exchange.</summary>
    public void Messages(FoundExchange found, string pointer)
    {
        var exchange = found.Recorded.Exchange;
        Line("");
        Line("REQUEST");
        Line(exchange.Request.StartLine);
        foreach (var (name, value) in exchange.Request.Fields)
            Line($"{name}: {value}");
        Body(ShownBody.Of(exchange.Request.Body, []));
        if (exchange.Response is not { } response)
            return;
        Line("");
        Line("RESPONSE");
        Line(response.StartLine);
        foreach (var (name, value) in response.Fields)
            Line($"{name}: {value}");
        if (pointer.Length > 0 && ShownBody.At(response.Body, pointer) is { } part)
        {
            Line($"at {pointer}:");
            Body(part);
            Line("in:");
        }
        Body(ShownBody.Of(response.Body, []));
    }

    public void Input(string file, ShownBody content)
    {
        Line($"{file}, sha256 {bundle.Files.DigestOf(file)}");
        Body(content);
    }

    /// <summary>Returns a line for each table in which nothing matched: that nothing was found is evidence too.</summary>
    public static IEnumerable<string> Unmatched(ItemView view) => view.Tables
        .GroupBy(t => (t.Name, t.Evidence.Operation)).Where(g => g.All(t => t.Matching == 0))
        .Select(g => $"{g.Key.Name}: {g.Key.Operation}: no match in "
            + $"{Wording.Count(g.Sum(t => t.Rows), "row")} of {Wording.Count(g.Count(), "table")}"
            + $"{(g.All(t => t.Evidence.Outcome == CollectionOutcome.Complete) ? "" : ", NOT ALL OF WHICH WERE READ COMPLETELY")}");

    public static string Place(EvidenceItem item) => item.Target.Length == 0
        ? "the inputs"
        : string.Join(' ', new[] { item.Target, item.Account == item.Target ? "" : item.Account, item.Region }.Where(p => p.Length > 0));

    public static string Word(PopulationRow row) => row.Verdict switch
    {
        ItemVerdict.Deviation => "EXCEPTION",
        ItemVerdict.Indicated => "INDICATED",
        _ => row.Word,
    };

    /// <summary>Writes what people answered, and what is still to be answered.</summary>
    private void People(ControlResult control, Control? definition)
    {
        foreach (var line in PeopleNotes.Answered(control, definition).Union(PeopleNotes.WaitsFor(control, definition, shownAs, bundle.Record.Concluded)))
            Line(PrintableText.Of(line, Long));
    }

    private void Said(PopulationRow row, ImmutableDictionary<string, string> said, string indent)
    {
        if (row.ExceptionId is { } id && said.TryGetValue(id, out var words))
            Line($"{indent}{PrintableText.Of(words, Long)}");
    }

    private void Exceptions(ControlResult control, string test)
    {
        var (count, said) = (0L, PeopleNotes.Dispositions(control));
        foreach (var row in bundle.Rows(control.Id, test).Where(r => r.IsException))
        {
            if (++count <= MostExceptions)
            {
                Line($"  {Word(row),-9} {row.ExceptionId} {PrintableText.Of(row.Item, Short)}"
                    + $"{(row.Reason is { } reason ? $": {PrintableText.Of(reason, Short)}" : "")}");
                Said(row, said, "            ");
            }
        }
        More(count - MostExceptions, "exceptions");
    }

    private void Table(TracedTable table)
    {
        var item = table.Evidence;
        Line($"{table.Name}: {item.Operation} in {Place(item)}: {item.Outcome.ToString().ToLowerInvariant()}, "
            + $"{Wording.Count(table.Rows, "row")}, {table.Matching} that match best ({item.EvidenceId})");
        foreach (var row in table.Found)
        {
            Line($"  {(row.Element.Length > 0 ? $"{row.Column}{row.Element}: " : "")}"
                + $"{string.Join("; ", row.Cells.Take(3).Select(c => $"{c.Column}{c.Pointer} is {c.By}"))}");
            Members("    ", row.Row, separate: false);
        }
        More(table.Matching - table.Found.Length, "rows that match as well");
    }

    private void Members(string indent, JsonElement row, bool separate = false)
    {
        foreach (var member in row.EnumerateObject().Where(m => m.Value.ValueKind != JsonValueKind.Null && m.Value.GetRawText() != "\"\""))
        {
            var value = RowJson.TextOrRaw(member.Value);
            Line($"{indent}{PrintableText.Of(member.Name, Short)}: {PrintableText.Of(value, Short)}");
        }
        if (separate)
            Line("");
    }

    private void Body(ShownBody body)
    {
        Line("");
        if (body.Bytes == 0)
            return;
        More(body.Before, "lines before");
        foreach (var line in body.Lines)
            output.WriteLine(line);
        More(body.After, $"lines; the whole body, {body.Bytes} bytes of {body.Form}: --raw");
    }

    private void Next(params string[] words)
    {
        foreach (var word in words)
            Line($"next: auditcli show {shownAs} {word}");
    }

    private void Line(string text) => output.WriteLine(PrintableText.Of(text, Long + Short));
}
