using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Evidence.Bundles;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats.Workbook;

/// <summary>
/// Writes the workpaper as a workbook (SpreadsheetML): an index, exceptions, completeness checks, inputs from management, evidence items, a
/// legend, and for each control a sheet with the twelve fields of a workpaper and one with its population.
/// </summary>
internal sealed class WorkbookReport : IReportFormat
{
    public string Name => "xlsx";

    public string FileName => "workpaper.xlsx";

    public bool IsText => false;

    public void Write(Workpaper workpaper, Stream output, CancellationToken cancellationToken)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal) { "INDEX", "EXCEPTIONS", "IPE", "INPUTS", "EVIDENCE", "LEGEND" };
        var sheets = workpaper.Controls.Select(c => (
            Control: c,
            Name: WorkbookPackage.Name(c.Result.Id, "", taken),
            Items: WorkbookPackage.Name(c.Result.Id, " items", taken))).ToArray();
        var names = sheets.ToDictionary(s => s.Control, s => s.Name);
        using var package = new WorkbookPackage(output);
        package.Sheet("Index", IndexSheet.Form, sheet => IndexSheet.Write(sheet, workpaper, names));
        package.Sheet("Exceptions", ExceptionSheet.FormOf(workpaper), sheet => ExceptionSheet.Write(sheet, workpaper, cancellationToken));
        package.Sheet("IPE", EvidenceSheets.IpeForm, sheet => EvidenceSheets.WriteIpe(sheet, workpaper));
        package.Sheet("Inputs", EvidenceSheets.InputForm, sheet => EvidenceSheets.WriteInputs(sheet, workpaper));
        package.Sheet("Evidence", EvidenceSheets.EvidenceForm, sheet => EvidenceSheets.WriteEvidence(sheet, workpaper, cancellationToken));
        package.Sheet("Legend", new([28, 110], 1), WriteLegend);
        foreach (var (control, name, items) in sheets)
        {
            cancellationToken.ThrowIfCancellationRequested();
            package.Sheet(name, ControlSheet.Form, sheet => ControlSheet.Write(sheet, workpaper, control, items, cancellationToken));
            var population = PopulationSheet.Of(workpaper, control);
            package.Sheet(items, population.Form, sheet => population.Write(sheet, name, cancellationToken));
        }
    }

    /// <summary>Returns the style of a conclusion.</summary>
    public static CellStyle StyleOf(Conclusion conclusion) => conclusion switch
    {
        Conclusion.Pass => CellStyle.Good,
        Conclusion.Fail or Conclusion.Error => CellStyle.Bad,
        Conclusion.Inconclusive or Conclusion.NeedsReview => CellStyle.Doubtful,
        _ => CellStyle.Neutral,
    };

    /// <summary>Returns the style of an item's verdict.</summary>
    public static CellStyle StyleOf(ItemVerdict verdict) => verdict switch
    {
        ItemVerdict.Pass => CellStyle.Good,
        ItemVerdict.Deviation => CellStyle.Bad,
        ItemVerdict.Approved => CellStyle.Neutral,
        _ => CellStyle.Doubtful,
    };

    /// <summary>Returns the cells of a header row.</summary>
    public static SheetCell[] Header(params string[] names) => [.. names.Select(n => SheetCell.Of(n, CellStyle.Header))];

    /// <summary>Writes the last row of a sheet that cannot hold all rows.</summary>
    public static void CutOff(SheetWriter sheet, long shown, long all, string where) =>
        sheet.Row(SheetCell.Of($"cut off: {shown} of {all} rows fit a sheet; {where} has them all", CellStyle.Alarm));

    private static void WriteLegend(SheetWriter sheet)
    {
        sheet.Row(Header("word or mark", "meaning"));
        foreach (var conclusion in Enum.GetValues<Conclusion>())
            sheet.Row(SheetCell.Of(Wording.Name(conclusion), StyleOf(conclusion)), SheetCell.Of(Wording.Meaning(conclusion), CellStyle.Wrapped));
        (ItemVerdict Verdict, string Word, string Meaning)[] results =
        [
            (ItemVerdict.Pass, "✓ pass", "the item was tested and passed"),
            (ItemVerdict.Deviation, "✗ exception", "the item was tested and failed, and no valid approval covers it"),
            (ItemVerdict.Approved, "A approved exception", "the item failed, and a register entry that was valid at the as-of date covers it"),
            (ItemVerdict.Undetermined, "? undetermined", "the item could not be determined, because part of its evidence was not read"),
            (ItemVerdict.Indicated, "! indicated exception", "the item failed by the evidence that was read; missing evidence might change that"),
        ];
        foreach (var (verdict, word, meaning) in results)
            sheet.Row(SheetCell.Of(word, StyleOf(verdict)), SheetCell.Of(meaning, CellStyle.Wrapped));
        sheet.Row(
            SheetCell.Of("to be filled in", CellStyle.Blank),
            SheetCell.Of("cells in this colour are for preparer and reviewer; the program leaves them empty", CellStyle.Wrapped));
        sheet.Row(
            SheetCell.Of("exception id", CellStyle.Label),
            SheetCell.Of("stays the same from run to run: it is derived from control, test, account and item", CellStyle.Wrapped));
        sheet.Row(
            SheetCell.Of("record id", CellStyle.Label),
            SheetCell.Of($"of the raw response in {BundleLayout.ExchangesFolder} (WARC); 'auditcli show' prints request and response", CellStyle.Wrapped));
        sheet.Row(
            SheetCell.Of("\\uXXXX", CellStyle.Label),
            SheetCell.Of("a control or direction character in the evidence, shown by its number", CellStyle.Wrapped));
    }
}
