using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Reports.Workpapers;
using AuditCli.Text;

namespace AuditCli.Reports.Formats.Workbook;

/// <summary>Writes the first sheet: identification, scope notes, and every control with its counts and a link to its sheet.</summary>
internal static class IndexSheet
{
    public static SheetForm Form { get; } = new([26, 58, 28, 22, 12, 11, 14, 11, 10, 12, 60, 66], 0);

    public static void Write(SheetWriter sheet, Workpaper workpaper, Dictionary<WorkpaperControl, string> names)
    {
        if (workpaper.Run.ReplayLine is { } replay)
            Wide(sheet, replay, CellStyle.Alarm);
        Wide(sheet, workpaper.Title, CellStyle.Title, 24);
        Wide(sheet, workpaper.TotalsLine, CellStyle.Label);
        sheet.EmptyRow();
        Section(sheet, "WHAT THIS IS");
        foreach (var (label, value) in workpaper.Identification)
        {
            sheet.Row([SheetCell.Of(label, CellStyle.Label), SheetCell.Of(value, CellStyle.Wrapped), .. Blanks(4)], Lines.Height(label, 24));
            sheet.Merge(1, 5);
        }
        sheet.EmptyRow();
        Section(sheet, "SCOPE, AND WHAT NARROWS IT");
        foreach (var note in workpaper.Notes)
        {
            var label = SheetCell.Of(note.Narrows ? $"! {note.Kind}" : note.Kind, note.Narrows ? CellStyle.Doubtful : CellStyle.Label);
            sheet.Row([label, SheetCell.Of(note.Text, CellStyle.Wrapped), .. Blanks(4)], Lines.Height(note.Text, 130));
            sheet.Merge(1, 5);
        }
        if (workpaper.Notes.IsEmpty)
            sheet.Row(SheetCell.Of("nothing", CellStyle.Label));
        sheet.EmptyRow();
        Section(sheet, "CONTROLS");
        sheet.Row(WorkbookReport.Header(
            "control", "title", "conclusion", "population", "exceptions", "approved", "undetermined", "indicated", "version", "origin",
            "rows of its evidence", "SHA-256"));
        var header = sheet.Rows;
        foreach (var control in workpaper.Domains.SelectMany(d => d))
        {
            var result = control.Result;
            sheet.Row(
                SheetCell.Of(result.Id, CellStyle.Link),
                SheetCell.Of(result.Title, CellStyle.Wrapped),
                SheetCell.Of(control.Conclusion, WorkbookReport.StyleOf(result.Conclusion)),
                SheetCell.Of(control.Counts.PopulationWords, CellStyle.Wrapped),
                SheetCell.Of(control.Counts.Exceptions),
                SheetCell.Of(control.Counts.Approved),
                SheetCell.Of(control.Counts.Undetermined),
                SheetCell.Of(control.Counts.Indicated),
                SheetCell.Of(result.Version),
                SheetCell.Of(
                    result.Origin.ToString().ToLowerInvariant(),
                    result.Origin == Controls.ControlOrigin.Shipped ? CellStyle.Text : CellStyle.Doubtful),
                SheetCell.Of(control.TableRowsLine, CellStyle.Wrapped),
                SheetCell.Of(result.Sha256.Hex, CellStyle.Code));
            sheet.Link(0, names[control], $"the workpaper of {Terminal.Line(result.Id, 100)}");
        }
        sheet.FilterFrom(header, 12);
        sheet.EmptyRow();
        Section(sheet, "NOT TESTED");
        foreach (var not in workpaper.Results.NotTested)
            sheet.Row(SheetCell.Of(not.Id, CellStyle.Label), SheetCell.Of(not.Reason, CellStyle.Wrapped));
        if (workpaper.Results.NotTested.IsEmpty)
            sheet.Row(SheetCell.Of("nothing", CellStyle.Label));
    }

    private static void Section(SheetWriter sheet, string title) =>
        sheet.Row([SheetCell.Of(title, CellStyle.Section), .. Enumerable.Repeat(SheetCell.Of(null, CellStyle.Section), 11)]);

    private static void Wide(SheetWriter sheet, string text, CellStyle style, double? height = null)
    {
        sheet.Row([SheetCell.Of(text, style), .. Enumerable.Repeat(SheetCell.Of(null, style), 5)], height);
        sheet.Merge(0, 5);
    }

    private static ImmutableArray<SheetCell> Blanks(int count) => [.. Enumerable.Repeat(SheetCell.Of(null, CellStyle.Wrapped), count)];
}

/// <summary>Computes the heights of merged cells, which spreadsheets do not adjust automatically.</summary>
internal static class Lines
{
    private const double PerLine = 13.5;
    private const double Tallest = 400;

    /// <summary>Returns the height in points of a cell that wraps the text.</summary>
    /// <param name="width">The width of the cell in characters.</param>
    public static double Height(string text, int width)
    {
        var lines = text.Split('\n').Sum(l => Math.Max(1, (l.Length + width - 1) / width));
        return Math.Min(Tallest, 2 + (lines * PerLine));
    }

    /// <summary>Returns a number as text for use in a sentence.</summary>
    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
