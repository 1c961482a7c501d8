namespace AuditCli.Reports.Formats.Workbook;

/// <summary>How a cell looks: its place in the stylesheet.</summary>
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

/// <summary>One cell: text that nothing takes for a formula, or a number; nothing at all where both are null.</summary>
internal readonly record struct SheetCell(string? Text, double? Value, CellStyle Style)
{
    public static SheetCell Of(string? text, CellStyle style = CellStyle.Text) => new(text, null, style);

    public static SheetCell Of(long value) => new(null, value, CellStyle.Number);

    /// <summary>A cell for somebody to write in.</summary>
    public static SheetCell ToFill => new(null, null, CellStyle.Blank);
}
