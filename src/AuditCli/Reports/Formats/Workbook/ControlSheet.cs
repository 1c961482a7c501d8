using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats.Workbook;

/// <summary>Writes the workpaper of one control: the twelve fields of an audit workpaper in their usual order.</summary>
internal static class ControlSheet
{
    private const int Columns = 6;
    private const int ValueWidth = 128;
    private const int ExceptionsShown = 100;
    private const int EvidenceShown = 500;

    public static SheetForm Form { get; } = new([26, 16, 20, 42, 18, 46], 2);

    public static void Write(SheetWriter sheet, Workpaper workpaper, WorkpaperControl control, string itemSheet, CancellationToken cancellationToken)
    {
        var result = control.Result;
        sheet.Row([SheetCell.Of($"{result.Id}  {result.Title}", CellStyle.Title)], 24);
        sheet.Row(
            SheetCell.Of("Index", CellStyle.Link),
            SheetCell.Of("Items", CellStyle.Link),
            SheetCell.Of(workpaper.Run.ReplayLine is null ? null : "REPLAY", CellStyle.Bad),
            SheetCell.Of(workpaper.Title, CellStyle.Muted),
            SheetCell.Of(control.Conclusion, WorkbookReport.StyleOf(result.Conclusion)),
            SheetCell.Of(workpaper.Run.BundleId, CellStyle.Muted));
        sheet.Link(0, "Index", "back to the index");
        sheet.Link(1, itemSheet, "every item of the population");

        WriteDescription(sheet, workpaper, control);
        WriteSources(sheet, control);
        WritePopulation(sheet, control);
        Section(sheet, "7  Sample");
        Field(sheet, "Items tested", control.Tested);
        WriteResults(sheet, control);
        WriteExceptions(sheet, workpaper, control, cancellationToken);
        Section(sheet, "10  Evaluation (to be filled in)");
        foreach (var label in new[] { "Compensating control", "Look-back: was it used?", "Classification", "Finding" })
            Fill(sheet, label, null);
        WriteConclusion(sheet, workpaper, control);
        Section(sheet, "12  Sign-off (to be filled in)");
        foreach (var (role, name) in new[] { ("Preparer", workpaper.Run.Preparer), ("Reviewer", workpaper.Run.Reviewer) })
        {
            sheet.Row(
                SheetCell.Of(role, CellStyle.Label),
                SheetCell.Of(name),
                SheetCell.Of("signed on, UTC", CellStyle.Muted),
                SheetCell.ToFill,
                SheetCell.Of("signature", CellStyle.Muted),
                SheetCell.ToFill);
        }
        Fill(sheet, "Review notes and replies", null);
        var seal = workpaper.Verification?.TagManifestSha256 is { } digest ? $"; tagmanifest sha256 {digest}" : "";
        Field(
            sheet,
            "Bundle",
            $"{workpaper.Run.BundleId}; results.json sha256 {workpaper.ResultsSha256}; index.jsonl sha256 {workpaper.IndexSha256}{seal}");
    }

    private static void WriteDescription(SheetWriter sheet, Workpaper workpaper, WorkpaperControl control)
    {
        var (result, definition) = (control.Result, control.Definition);
        Section(sheet, "1  Workpaper");
        Field(sheet, "Reference", $"{result.Id} v{result.Version}{(definition?.ClientControlRef is { } client ? $" / {client}" : "")}");
        Field(sheet, "Control's file", control.Origin);
        if (control.WhyNoDefinition is { } why)
            Field(sheet, "Description", $"cannot be shown: {why}");
        if (definition is null)
            return;
        Section(sheet, "2  Objective and risk");
        Field(sheet, "Objective", definition.Objective);
        Field(sheet, "Risk", definition.Risk);
        Field(sheet, "Key control", definition.KeyControl ? "yes" : "no");
        Field(sheet, "Helps with", string.Join("; ", definition.References.Select(r => $"{r.Key} {string.Join(", ", r.Value)}")));
        Section(sheet, "3  Description of the control");
        Field(sheet, "Domain", Wording.Name(result.Domain));
        Field(sheet, "Owner", definition.Owner);
        Field(sheet, "Nature, frequency", $"{definition.NatureType}, {definition.NatureExecution}; {definition.Frequency}");
        Field(sheet, "Tested for", workpaper.SpanOf(control));
        Fields(sheet, RelianceWords.Of(definition));
        if (definition.Walkthrough is { } walkthrough)
            Field(sheet, "Walkthrough", walkthrough);
        Section(sheet, "4  Test procedure");
        Field(sheet, "Kind of test", definition.Kind == ControlKind.Design ? "test of design" : "test of operating effectiveness");
        foreach (var parameter in result.Parameters)
        {
            var origin = parameter.By is { } by ? $", set by {by}: {parameter.Why}" : ", the control's own value";
            Field(sheet, $"${parameter.Name}", $"{parameter.Value.GetRawText()}{ControlText.Limits(definition, parameter.Name)}{origin}");
        }
        foreach (var test in definition.Tests)
        {
            Field(
                sheet,
                $"{test.Id}{(test.Attribute is { } a ? $", attribute {a}" : "")}",
                $"{test.Title}{(test.Severity is { } s ? $" (severity {s})" : "")}; for {workpaper.SpanOf(control, test.Id)}");
            Fields(sheet, RelianceWords.Of(test));
            Field(sheet, "SQL", test.Sql.TrimEnd(), CellStyle.Code);
        }
    }

    private static void WriteSources(SheetWriter sheet, WorkpaperControl control)
    {
        Section(sheet, "5  Source and identity");
        sheet.Row(WorkbookReport.Header("evidence", "target", "account, region", "operation, parameters", "outcome, rows", "read as; when; first record id"));
        foreach (var (name, item) in control.Evidence.Take(EvidenceShown))
        {
            var record = item.Exchanges is [var first, ..] ? $"; {first.RecordId}" : item.Calls is null ? "" : $"; {item.Calls}";
            sheet.Row(
                SheetCell.Of(name),
                SheetCell.Of(item.Target),
                SheetCell.Of($"{item.Account} {item.Region}", CellStyle.Wrapped),
                SheetCell.Of($"{item.Source} {item.Operation} {EvidenceSheets.Parameters(item)}", CellStyle.Wrapped),
                SheetCell.Of(
                    $"{item.Outcome.ToString().ToLowerInvariant()}, {item.Items}{Wording.OfRead(item)}",
                    item.Outcome == CollectionOutcome.Complete ? CellStyle.Good : CellStyle.Bad),
                SheetCell.Of(
                    $"{(item.Identity.Length == 0 ? "file supplied by management" : item.Identity)}; {Rfc3339.Format(item.Started)}{record}",
                    CellStyle.Wrapped));
        }
        if (control.Evidence.Length > EvidenceShown)
            WorkbookReport.CutOff(sheet, EvidenceShown, control.Evidence.Length, "the sheet Evidence");
        if (control.Evidence.IsEmpty)
            sheet.Row(SheetCell.Of("no evidence was collected", CellStyle.Doubtful));
    }

    private static void WritePopulation(SheetWriter sheet, WorkpaperControl control)
    {
        Section(sheet, "6  Population, and whether it is complete");
        Field(sheet, "Population", control.Counts.PopulationWords);
        foreach (var test in control.Definition?.Tests ?? [])
        {
            Field(sheet, $"{test.Id}, {test.Unit ?? "item"}", string.Join("\n", RelianceWords.OfPopulation(test).Select(w => $"{w.Label}: {w.Value}")));
        }
        Field(sheet, "Rows of its evidence", control.TableRowsLine);
        if (control.Definition?.NoCompleteness is { } why)
            Field(sheet, "Completeness", $"no check: {why}");
        var checks = control.Partitions.SelectMany(t => t.Completeness.Select(c => (t.Partition, Check: c)))
            .DistinctBy(c => (c.Partition, c.Check.Name)).ToArray();
        if (checks.Length > 0)
            sheet.Row(WorkbookReport.Header("target", "account", "agree?", "completeness check", "counted", "expected"));
        foreach (var (partition, check) in checks.Take(EvidenceShown))
        {
            sheet.Row(
                SheetCell.Of(partition.Target),
                SheetCell.Of(partition.Account),
                SheetCell.Of(check.Agree ? "agree" : "DO NOT AGREE", check.Agree ? CellStyle.Good : CellStyle.Bad),
                SheetCell.Of($"{check.Name} (sources: {RelianceWords.Sources(control.Definition, check.Name)})", CellStyle.Wrapped),
                SheetCell.Of(check.Left ?? "unknown"),
                SheetCell.Of($"{check.Right ?? "unknown"}{(check.Error is { } e ? $" ({e})" : "")}", CellStyle.Wrapped));
        }
        if (checks.Length > EvidenceShown)
            WorkbookReport.CutOff(sheet, EvidenceShown, checks.Length, "the sheet IPE");
    }

    private static void WriteResults(SheetWriter sheet, WorkpaperControl control)
    {
        Section(sheet, "8  Results");
        Field(sheet, "In all", control.Counts.Words);
        sheet.Row(WorkbookReport.Header("test", "target", "account", "exceptions and population", "conclusion", "SHA-256 of the rows"));
        foreach (var test in control.Partitions.Take(EvidenceShown))
        {
            sheet.Row(
                SheetCell.Of(test.Id), SheetCell.Of(test.Partition.Target), SheetCell.Of(test.Partition.Account),
                SheetCell.Of(ItemCount.Of(test).Words, CellStyle.Wrapped),
                SheetCell.Of(Wording.Name(test.Conclusion), WorkbookReport.StyleOf(test.Conclusion)), SheetCell.Of(test.RowsSha256.Hex, CellStyle.Code));
        }
        if (control.Result.Tests.Sum(t => t.Conclusions.Values.Sum()) is > EvidenceShown and var all)
            WorkbookReport.CutOff(sheet, EvidenceShown, all, BundleLayout.ResultsFolder);
    }

    private static void WriteExceptions(SheetWriter sheet, Workpaper workpaper, WorkpaperControl control, CancellationToken cancellationToken)
    {
        Section(sheet, "9  Exceptions");
        foreach (var answer in control.Answered)
            Field(sheet, "People answered", answer);
        sheet.Row(WorkbookReport.Header("exception", "test", "account", "item", "result", "reason, approval"));
        var all = 0L;
        foreach (var test in control.Tests)
        {
            foreach (var row in workpaper.Bundle.Rows(control.Result.Id, test))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (row.Verdict == ItemVerdict.Pass || ++all > ExceptionsShown)
                    continue;
                var why = string.Join("; ", new[] { row.Reason ?? "", row.ApprovalWords, control.SaidOf(row) ?? "" }.Where(w => w.Length > 0));
                sheet.Row(
                [
                    SheetCell.Of(row.ExceptionId),
                    SheetCell.Of(test),
                    SheetCell.Of(row.Account),
                    SheetCell.Of(row.Item, CellStyle.Wrapped),
                    SheetCell.Of(row.Result, WorkbookReport.StyleOf(row.Verdict)),
                    SheetCell.Of(why, CellStyle.Wrapped),
                ]);
            }
        }
        if (all == 0)
            sheet.Row(SheetCell.Of("none", CellStyle.Muted));
        if (all > ExceptionsShown)
            WorkbookReport.CutOff(sheet, ExceptionsShown, all, "the sheet Exceptions");
        var unused = RegisterWords.Of(control.Result).ToArray();
        foreach (var (label, text) in unused.Take(ExceptionsShown))
            Field(sheet, label, text);
        if (unused.Length > ExceptionsShown)
            WorkbookReport.CutOff(sheet, ExceptionsShown, unused.Length, "results.json");
    }

    private static void WriteConclusion(SheetWriter sheet, Workpaper workpaper, WorkpaperControl control)
    {
        Section(sheet, "11  Conclusion");
        sheet.Row(SheetCell.Of("Conclusion", CellStyle.Label), SheetCell.Of(control.Conclusion, WorkbookReport.StyleOf(control.Result.Conclusion)));
        Field(sheet, "Which means", control.Meaning);
        foreach (var reason in control.Reasons)
            Field(sheet, "Because", reason);
        foreach (var limitation in control.Definition?.Limitations ?? [])
            Field(sheet, "What it cannot show", limitation);
        foreach (var note in control.Result.Notes)
            Field(sheet, "Note", note);
        foreach (var answer in control.Answered)
            Field(sheet, "People answered", answer);
        foreach (var question in PeopleNotes.Unanswered(control.Result, control.Definition))
            Fill(sheet, $"To be answered: {question.Id}", question.Question);
        Field(sheet, "Holds for", workpaper.SpanOf(control));
        if (control.Definition?.Recommendation is { } recommendation)
            Field(sheet, "Recommendation", recommendation);
    }

    private static void Section(SheetWriter sheet, string title)
    {
        sheet.EmptyRow();
        sheet.Row([SheetCell.Of(title, CellStyle.Section), .. Enumerable.Repeat(SheetCell.Of(null, CellStyle.Section), Columns - 1)], 18);
    }

    private static void Field(SheetWriter sheet, string label, string value, CellStyle style = CellStyle.Wrapped)
    {
        sheet.Row(
            [SheetCell.Of(label, CellStyle.Label), SheetCell.Of(value, style), .. Enumerable.Repeat(SheetCell.Of(null, style), Columns - 2)],
            Lines.Height(value, ValueWidth));
        sheet.Merge(1, Columns - 1);
    }

    private static void Fields(SheetWriter sheet, IEnumerable<(string Label, string Value)> fields)
    {
        foreach (var (label, value) in fields)
            Field(sheet, label, value);
    }

    private static void Fill(SheetWriter sheet, string label, string? question)
    {
        sheet.Row(
            [SheetCell.Of(label, CellStyle.Label), SheetCell.Of(question, CellStyle.Blank), .. Enumerable.Repeat(SheetCell.ToFill, Columns - 2)],
            Lines.Height(question ?? "", ValueWidth) + 12);
        sheet.Merge(1, Columns - 1);
    }
}
