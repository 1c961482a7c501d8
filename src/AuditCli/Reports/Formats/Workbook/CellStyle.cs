namespace AuditCli.Reports.Formats.Workbook;

/// <summary>The style of a cell; the value is its index in the stylesheet.</summary>
internal enum CellStyle
{
    Text,
    Wrapped,
    Number,
    Title,
    Alarm,
    Section,
    Header,
    Label,
    Muted,
    Link,
    Code,
    Blank,
    Good,
    Bad,
    Doubtful,
    Neutral,
}

/// <summary>A cell: text, which a spreadsheet never evaluates as a formula, or a number; empty if both are null.</summary>
internal readonly record struct SheetCell(string? Text, double? Value, CellStyle Style)
{
    public static SheetCell Of(string? text, CellStyle style = CellStyle.Text) => new(text, null, style);

    public static SheetCell Of(long value) => new(null, value, CellStyle.Number);

    /// <summary>An empty cell for the auditor to fill in.</summary>
    public static SheetCell ToFill => new(null, null, CellStyle.Blank);
}
