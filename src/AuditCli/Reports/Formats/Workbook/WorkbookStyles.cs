using DocumentFormat.OpenXml.Spreadsheet;

namespace AuditCli.Reports.Formats.Workbook;

/// <summary>
/// Makes the stylesheet: one format per <see cref="CellStyle"/>, in its order. Every text format has <c>quotePrefix</c>, so that text is
/// never a formula.
/// </summary>
internal static class WorkbookStyles
{
    private const string Ink = "FF1B2430";

    public static Stylesheet Sheet()
    {
        var fonts = new Fonts();
        var fills = new Fills(
            new Fill(new PatternFill { PatternType = PatternValues.None }), new Fill(new PatternFill { PatternType = PatternValues.Gray125 }));
        var formats = new CellFormats();
        foreach (var style in Enum.GetValues<CellStyle>())
        {
            var look = Of(style);
            fonts.Append(FontOf(look));
            if (look.Fill is { } fill)
            {
                var pattern = new PatternFill(new ForegroundColor { Rgb = fill }, new BackgroundColor { Indexed = 64 }) { PatternType = PatternValues.Solid };
                fills.Append(new Fill(pattern));
            }
            var alignment = new Alignment
            {
                Vertical = VerticalAlignmentValues.Top,
                WrapText = look.Wrap,
                Horizontal = look.Right ? HorizontalAlignmentValues.Right : null,
            };
            formats.Append(new CellFormat(alignment)
            {
                NumberFormatId = style == CellStyle.Number ? 3u : 49u,
                FontId = (uint)style,
                FillId = look.Fill is null ? 0u : (uint)fills.ChildElements.Count - 1,
                BorderId = look.Border,
                FormatId = 0,
                QuotePrefix = style == CellStyle.Number ? null : true,
                ApplyNumberFormat = true,
                ApplyFont = true,
                ApplyFill = true,
                ApplyBorder = true,
                ApplyAlignment = true,
            });
        }
        (fonts.Count, fills.Count, formats.Count) = ((uint)fonts.ChildElements.Count, (uint)fills.ChildElements.Count, (uint)formats.ChildElements.Count);
        return new Stylesheet(
            fonts,
            fills,
            new Borders(new Border(), Line(top: false), Line(top: true)) { Count = 3 },
            new CellStyleFormats(new CellFormat { NumberFormatId = 0, FontId = 0, FillId = 0, BorderId = 0 }) { Count = 1 },
            formats,
            new CellStyles(new DocumentFormat.OpenXml.Spreadsheet.CellStyle { Name = "Normal", FormatId = 0, BuiltinId = 0 }) { Count = 1 });
    }

    private sealed record Look(
        string Colour,
        bool Bold = false,
        double Size = 10,
        string? Fill = null,
        bool Wrap = true,
        bool Right = false,
        uint Border = 1,
        bool Underline = false,
        string Font = "Calibri");

    private static Look Of(CellStyle style) => style switch
    {
        CellStyle.Text => new(Ink, Wrap: false),
        CellStyle.Wrapped => new(Ink),
        CellStyle.Number => new(Ink, Wrap: false, Right: true),
        CellStyle.Title => new(Ink, Bold: true, Size: 16, Wrap: false, Border: 0),
        CellStyle.Alarm => new("FF8A1C1C", Bold: true, Size: 11, Fill: "FFFDE8E6", Wrap: false, Border: 0),
        CellStyle.Section => new("FFFFFFFF", Bold: true, Size: 11, Fill: "FF24405F", Wrap: false, Border: 0),
        CellStyle.Header => new(Ink, Bold: true, Fill: "FFDCE5EF", Border: 2),
        CellStyle.Label => new("FF3D4B5C", Bold: true),
        CellStyle.Muted => new("FF5B6876"),
        CellStyle.Link => new("FF0B57A4", Underline: true, Wrap: false),
        CellStyle.Code => new(Ink, Size: 9, Font: "Consolas"),
        CellStyle.Blank => new(Ink, Fill: "FFFFFBE6", Border: 2),
        CellStyle.Good => new("FF14532D", Bold: true, Fill: "FFDFF3E4", Wrap: false),
        CellStyle.Bad => new("FF8A1C1C", Bold: true, Fill: "FFFBD9D6", Wrap: false),
        CellStyle.Doubtful => new("FF6B4300", Bold: true, Fill: "FFFFECC7", Wrap: false),
        CellStyle.Neutral => new("FF3D4B5C", Bold: true, Fill: "FFE9EDF2", Wrap: false),
        _ => throw new ArgumentOutOfRangeException(nameof(style)),
    };

    private static Font FontOf(Look look)
    {
        var font = new Font();
        if (look.Bold)
            font.Append(new Bold());
        if (look.Underline)
            font.Append(new Underline());
        font.Append(new FontSize { Val = look.Size }, new Color { Rgb = look.Colour }, new FontName { Val = look.Font });
        return font;
    }

    private static Border Line(bool top)
    {
        static T Side<T>(T side, string colour) where T : BorderPropertiesType
        {
            side.Style = BorderStyleValues.Thin;
            side.Append(new Color { Rgb = colour });
            return side;
        }
        const string Colour = "FFD5DCE4";
        return top
            ? new(
                Side(new LeftBorder(), Colour),
                Side(new RightBorder(), Colour),
                Side(new TopBorder(), Colour),
                Side(new BottomBorder(), "FF9FB0C3"),
                new DiagonalBorder())
            : new(new LeftBorder(), new RightBorder(), new TopBorder(), Side(new BottomBorder(), Colour), new DiagonalBorder());
    }
}
