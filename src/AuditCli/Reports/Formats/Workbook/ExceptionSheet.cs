using System.Text;
using AuditCli.Bundles;
using AuditCli.Evidence.Bundles;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats.Workbook;

/// <summary>
/// Writes every exception of every control with references to the raw responses, and cells for the auditor's own judgement.
/// </summary>
internal static class ExceptionSheet
{
    /// <summary>Returns the widths of the columns. A bundle that people concluded has one more, with what they say.</summary>
    public static SheetForm FormOf(Workpaper workpaper) =>
        new([30, 8, 14, 20, 48, 20, 52, 40, .. IsConcluded(workpaper) ? [52.0] : Array.Empty<double>(), 44, 60, 34, 10, 16, 28, 28, 16], 1);

    public static void Write(SheetWriter sheet, Workpaper workpaper, CancellationToken cancellationToken)
    {
        string[] names =
        [
            "exception", "test", "target", "account", "item", "result", "reason", "approval",
            .. IsConcluded(workpaper) ? ["a person says"] : Array.Empty<string>(),
            "attributes", "raw evidence (record id # place in the response)", "rows file", "line", "true exception?", "cause", "owner's comment", "finding",
        ];
        sheet.Row(WorkbookReport.Header(names));
        var all = 0L;
        foreach (var control in workpaper.Controls)
        {
            foreach (var answer in control.Answered)
            {
                var cells = Enumerable.Repeat(SheetCell.Of(null), names.Length).ToArray();
                (cells[0], cells[5], cells[8]) = (SheetCell.Of(control.Result.Id), SheetCell.Of("answer"), SheetCell.Of(answer, CellStyle.Wrapped));
                sheet.Row(cells);
                all++;
            }
            var traces = workpaper.Traces.Of(control, cancellationToken);
            foreach (var test in control.Tests)
            {
                foreach (var row in workpaper.Bundle.Rows(control.Result.Id, test))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (row.Verdict == ItemVerdict.Pass || ++all >= SheetWriter.MaxRows - 1)
                        continue;
                    sheet.Row(
                    [
                        SheetCell.Of(row.ExceptionId ?? control.Result.Id),
                        SheetCell.Of(test),
                        SheetCell.Of(row.Target),
                        SheetCell.Of(row.Account),
                        SheetCell.Of(row.Item, CellStyle.Wrapped),
                        SheetCell.Of(row.Result, WorkbookReport.StyleOf(row.Verdict)),
                        SheetCell.Of(row.Reason, CellStyle.Wrapped),
                        SheetCell.Of(row.ApprovalWords, CellStyle.Wrapped),
                        .. IsConcluded(workpaper) ? [SheetCell.Of(control.SaidOf(row), CellStyle.Wrapped)] : Array.Empty<SheetCell>(),
                        SheetCell.Of(Encoding.UTF8.GetString(row.Attributes.Span), CellStyle.Code),
                        SheetCell.Of(Raw(traces.GetValueOrDefault((test, row.Line))), CellStyle.Code),
                        SheetCell.Of(row.File),
                        SheetCell.Of(row.Line),
                        SheetCell.ToFill,
                        SheetCell.ToFill,
                        SheetCell.ToFill,
                        SheetCell.ToFill,
                    ]);
                }
            }
        }
        if (all >= SheetWriter.MaxRows - 1)
            WorkbookReport.CutOff(sheet, SheetWriter.MaxRows - 2, all, BundleLayout.ResultsFolder);
        sheet.FilterFrom(1, names.Length);
    }

    private static bool IsConcluded(Workpaper workpaper) => workpaper.Run.Concluded is not null;

    /// <summary>Returns the places in the raw evidence, one per line, the one that supports the verdict first.</summary>
    private static string Raw(ItemTrace? trace) => string.Join(
        "\n", (trace?.References ?? []).Select(r => $"{r.Evidence}: {r.Reference}{(r.Attempt is { } a ? $" in {a.File}" : "")}{r.Note}"));
}
