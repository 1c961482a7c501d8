using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Reports.Workpapers;
using AuditCli.Text;

namespace AuditCli.Reports.Formats.Workbook;

/// <summary>The first sheet: what the bundle is, what narrows its scope, and every control with its counts, linked to its sheet.</summary>
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
            sheet.Row([SheetCell.Of(note.Narrows ? $"! {note.Kind}" : note.Kind, note.Narrows ? CellStyle.Doubtful : CellStyle.Label), SheetCell.Of(note.Text, CellStyle.Wrapped), .. Blanks(4)], Lines.Height(note.Text, 130));
            sheet.Merge(1, 5);
        }
        if (workpaper.Notes.IsEmpty)
            sheet.Row(SheetCell.Of("nothing", CellStyle.Label));
        sheet.EmptyRow();
        Section(sheet, "CONTROLS");
        sheet.Row(WorkbookReport.Header("control", "title", "conclusion", "population", "exceptions", "approved", "undetermined", "indicated", "version", "origin", "rows of its evidence", "SHA-256"));
        var header = sheet.Rows;
        foreach (var control in workpaper.Domains.SelectMany(d => d))
        {
            var result = control.Result;
            sheet.Row(
                SheetCell.Of(result.Id, CellStyle.Link), SheetCell.Of(result.Title, CellStyle.Wrapped),
                SheetCell.Of(control.Conclusion, WorkbookReport.StyleOf(result.Conclusion)),
                SheetCell.Of(control.Counts.PopulationWords, CellStyle.Wrapped), SheetCell.Of(control.Counts.Exceptions), SheetCell.Of(control.Counts.Approved),
                SheetCell.Of(control.Counts.Undetermined), SheetCell.Of(control.Counts.Indicated),
                SheetCell.Of(result.Version), SheetCell.Of(result.Origin.ToString().ToLowerInvariant(), result.Origin == Controls.ControlOrigin.Shipped ? CellStyle.Text : CellStyle.Doubtful),
                SheetCell.Of(control.TableRowsLine, CellStyle.Wrapped), SheetCell.Of(result.Sha256.Hex, CellStyle.Code));
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

/// <summary>Heights of joined cells, which no reader computes by itself.</summary>
internal static class Lines
{
    private const double PerLine = 13.5;
    private const double Tallest = 400;

    /// <param name="width">Of the cell, in characters.</param>
    public static double Height(string text, int width)
    {
        var lines = text.Split('\n').Sum(l => Math.Max(1, (l.Length + width - 1) / width));
        return Math.Min(Tallest, 2 + (lines * PerLine));
    }

    /// <summary>A number as text, where it stands in a sentence.</summary>
    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
