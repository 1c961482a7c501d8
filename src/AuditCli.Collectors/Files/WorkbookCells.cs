using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using DocumentFormat.OpenXml;
using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Spreadsheet;
using CellFormat = DocumentFormat.OpenXml.Spreadsheet.CellFormat;
using Column = AuditCli.Evidence.Column;

namespace AuditCli.Collectors.Files;

/// <summary>
/// Reads cells of a workbook as text. A spreadsheet stores a date as a number of days, and a number as a double of which it shows 15 digits
/// (ISO/IEC 29500-1, 18.17.4); what cannot be read without a guess is a fault of the cell.
/// </summary>
internal sealed partial class WorkbookCells
{
    private const int Digits = 15;
    private const int LargestText = 256 << 20;

    /// <summary>The first day whose number both readings of the 1900 date system share: it has a 29 February 1900, which never was.</summary>
    private const double FirstSure = 61;
    private static readonly DateOnly Epoch1900 = new(1899, 12, 30);
    private static readonly DateOnly Epoch1904 = new(1904, 1, 1);

    private static readonly Column Name = new("", ColumnType.Text);

    private readonly ImmutableArray<string> _texts;
    private readonly ImmutableArray<bool> _dateStyles;
    private readonly bool _is1904;

    private WorkbookCells(ImmutableArray<string> texts, ImmutableArray<bool> dateStyles, bool is1904)
    {
        _texts = texts;
        _dateStyles = dateStyles;
        _is1904 = is1904;
    }

    /// <summary>Whether days are counted from 1904.</summary>
    public bool Is1904 => _is1904;

    /// <summary>How many of the cells that were read hold formulas.</summary>
    public long Formulas { get; private set; }

    /// <summary>How many of the numbers that were read were rounded to the digits that a spreadsheet shows.</summary>
    public long Rounded { get; private set; }

    /// <exception cref="InvalidDataException">The texts of the workbook are larger than is read.</exception>
    public static WorkbookCells Of(WorkbookPart workbook, string shown) => new(
        [.. workbook.SharedStringTablePart is { } shared ? Texts(shared, shown) : []],
        DateStyles(workbook.WorkbookStylesPart?.Stylesheet),
        workbook.Workbook?.WorkbookProperties?.Date1904?.Value == true);

    /// <summary>Returns the number of the column in a reference such as <c>AB12</c>, from 0; -1 if it is none.</summary>
    public static int ColumnOf(string reference)
    {
        var letters = reference.TakeWhile(char.IsAsciiLetterUpper).ToArray();
        return letters.Length is 0 or > 3 ? -1 : letters.Aggregate(0, (n, c) => (n * 26) + (c - 'A' + 1)) - 1;
    }

    /// <summary>Returns the letters of a column, from 0.</summary>
    public static string ColumnName(int column) =>
        (column >= 26 ? ColumnName((column / 26) - 1) : "") + (char)('A' + (column % 26));

    /// <summary>Whether a cell has neither a value nor a formula.</summary>
    public bool IsEmpty(Cell cell) => cell.CellFormula is null && TextOf(cell) is null or "";

    /// <summary>Reads a cell of the header.</summary>
    public InputCell ReadName(Cell cell) => Read(cell, Name);

    /// <summary>Reads a cell of a column, and counts what it finds.</summary>
    public InputCell Read(Cell cell, Column column)
    {
        if (cell.CellFormula is not null)
            Formulas++;
        if (TextOf(cell) is not { Length: > 0 } text)
            return cell.CellFormula is null ? default : new(null, "holds a formula that was never calculated");
        var stored = cell.DataType?.Value ?? CellValues.Number;
        if (stored == CellValues.Error)
            return new(null, $"holds the error {text}");
        if (stored == CellValues.Boolean)
            return new(text == "1" ? "true" : "false");
        if (stored == CellValues.Date)
            return new(column.Type == ColumnType.Date && text.EndsWith("T00:00:00", StringComparison.Ordinal) ? text[..10] : text);
        return stored == CellValues.Number ? Number(text, IsDate(cell), column) : new(text);
    }

    private InputCell Number(string text, bool isDate, Column column)
    {
        var type = column.Type;
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
            return new(null, "is stored as a number and is none");
        if (isDate)
        {
            return type switch
            {
                ColumnType.Date => Day(number),
                ColumnType.Timestamp => new(null, "is a date of the spreadsheet, which has no time zone; write it as a text such as 2026-01-31T09:00:00Z"),
                _ => new(null, "is a date of the spreadsheet; declare the column as date, or format the cells as text"),
            };
        }
        if (type is ColumnType.Date or ColumnType.Timestamp)
            return new(null, "is a number without the format of a date");
        if (Math.Abs(number) >= 1e15)
            return new(null, $"has more than the {Digits} digits that a spreadsheet keeps; store it as text");
        var shown = number.ToString($"G{Digits}", CultureInfo.InvariantCulture);
        if (double.Parse(shown, CultureInfo.InvariantCulture) != number)
        {
            if (column.IsExact)
                return new(null, $"has more than the {Digits} digits that a spreadsheet shows; store it as text");
            Rounded++;
        }
        return new(shown.Contains('E', StringComparison.Ordinal)
            ? decimal.Parse(shown, NumberStyles.Float, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture)
            : shown);
    }

    private InputCell Day(double number)
    {
        if (number != Math.Floor(number))
            return new(null, "is a date with a time of day");
        if (number < (_is1904 ? 0 : FirstSure) || number > 2_958_465)
            return new(null, "is a date that spreadsheets count in different ways");
        return new((_is1904 ? Epoch1904 : Epoch1900).AddDays((int)number).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
    }

    private bool IsDate(Cell cell) => cell.StyleIndex?.Value is { } style && style < _dateStyles.Length && _dateStyles[(int)style];

    /// <summary>Returns the text of a cell as it is stored: a number's digits, a text's characters; null where it has no value.</summary>
    public string? TextOf(Cell cell)
    {
        if (cell.DataType?.Value == CellValues.InlineString)
            return cell.InlineString is { } inline ? Unescaped(Visible(inline)) : null;
        var value = cell.CellValue?.Text;
        if (cell.DataType?.Value != CellValues.SharedString)
            return value is not null && cell.DataType?.Value == CellValues.String ? Unescaped(value) : value;
        return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at < _texts.Length
            ? _texts[at]
            : throw new InvalidDataException($"cell {cell.CellReference?.Value} names text number {value}, which the workbook does not have");
    }

    private static IEnumerable<string> Texts(SharedStringTablePart part, string shown)
    {
        using var reader = OpenXmlReader.Create(part);
        var size = 0L;
        while (reader.Read())
        {
            if (!reader.IsStartElement || reader.ElementType != typeof(SharedStringItem))
                continue;
            var text = Unescaped(Visible(reader.LoadCurrentElement()!));
            if ((size += text.Length) > LargestText)
                throw new InvalidDataException($"{shown}: its texts are larger than {LargestText >> 20} million characters");
            yield return text;
        }
    }

    /// <summary>Returns the text of an item without the phonetic guides that East Asian workbooks put above it.</summary>
    private static string Visible(OpenXmlElement item) =>
        string.Concat(item.Descendants<Text>().Where(t => t.Parent is not PhoneticRun).Select(t => t.Text));

    /// <summary>Replaces the escapes of characters that XML cannot hold (ST_Xstring, ISO/IEC 29500-1, 22.9.2.19).</summary>
    private static string Unescaped(string text) => text.Contains("_x", StringComparison.Ordinal)
        ? Escape.Replace(text, m => ((char)ushort.Parse(m.Groups[1].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString())
        : text;

    private static ImmutableArray<bool> DateStyles(Stylesheet? styles)
    {
        var own = styles?.NumberingFormats?.Elements<NumberingFormat>()
            .Where(f => f.NumberFormatId?.Value is not null)
            .GroupBy(f => f.NumberFormatId!.Value)
            .ToDictionary(g => g.Key, g => IsDateFormat(g.Last().FormatCode?.Value ?? "")) ?? [];
        return
        [
            .. styles?.CellFormats?.Elements<CellFormat>().Select(f => f.NumberFormatId?.Value ?? 0)
                .Select(id => own.TryGetValue(id, out var isDate)
                    ? isDate
                    : id is (>= 14 and <= 22) or (>= 27 and <= 36) or (>= 45 and <= 47) or (>= 50 and <= 58))
                ?? [],
        ];
    }

    /// <summary>Whether a number format shows a day or a time: it has one of their letters outside quotes, brackets and escapes.</summary>
    private static bool IsDateFormat(string code) => DateLetter.IsMatch(Literal.Replace(code, "").Split(';')[0]);

    [GeneratedRegex("_x([0-9A-Fa-f]{4})_", RegexOptions.CultureInvariant)]
    private static partial Regex Escape { get; }

    [GeneratedRegex("\"[^\"]*\"|\\\\.|_.|\\*.|\\[(?![hms]+\\])[^\\]]*\\]|General", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Literal { get; }

    [GeneratedRegex("[ymdhs]", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex DateLetter { get; }
}
