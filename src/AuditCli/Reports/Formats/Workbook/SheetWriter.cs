using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using AuditCli.Text;
using DocumentFormat.OpenXml;
using DocumentFormat.OpenXml.Spreadsheet;

namespace AuditCli.Reports.Formats.Workbook;

/// <summary>The layout of a sheet.</summary>
/// <param name="Widths">The widths of the columns in characters.</param>
/// <param name="FrozenRows">The number of rows that do not scroll and are repeated on every printed page.</param>
internal sealed record SheetForm(ImmutableArray<double> Widths, int FrozenRows, bool Active = false);

/// <summary>Writes one worksheet row by row (ECMA-376, SpreadsheetML). Rows are streamed and not held in memory.</summary>
internal sealed partial class SheetWriter : IDisposable
{
    /// <summary>The maximum number of rows in a sheet (the limit of Excel).</summary>
    public const int MaxRows = 1_048_576;

    private static readonly OpenXmlAttribute InlineText = new("t", "", "inlineStr");
    private static readonly OpenXmlAttribute KeepSpace = new("xml", "space", "http://www.w3.org/XML/1998/namespace", "preserve");
    private static readonly Cell CellElement = new();
    private static readonly InlineString InlineElement = new();
    private static readonly DocumentFormat.OpenXml.Spreadsheet.Text TextElement = new();
    private static readonly CellValue ValueElement = new();
    private static readonly Row RowElement = new();
    private static readonly OpenXmlAttribute[] TextAttributes = [KeepSpace];

    private readonly OpenXmlWriter _xml;
    private readonly ImmutableArray<double> _widths;
    private readonly List<(string Cell, string Location, string Tip)> _links = [];
    private readonly List<string> _merged = [];
    private readonly List<OpenXmlAttribute> _attributes = new(3);
    private string? _filter;

    public SheetWriter(Stream stream, SheetForm form)
    {
        _widths = form.Widths;
        _xml = OpenXmlWriter.Create(stream, new UTF8Encoding(false));
        _xml.WriteStartDocument(true);
        _xml.WriteStartElement(new Worksheet());
        _xml.WriteElement(new SheetProperties(new PageSetupProperties { FitToPage = true }));
        var view = new SheetView { WorkbookViewId = 0, ShowGridLines = false, TabSelected = form.Active ? true : null };
        if (form.FrozenRows > 0)
        {
            view.Append(new Pane
            {
                VerticalSplit = form.FrozenRows,
                TopLeftCell = $"A{form.FrozenRows + 1}",
                ActivePane = PaneValues.BottomLeft,
                State = PaneStateValues.Frozen,
            });
        }
        _xml.WriteElement(new SheetViews(view));
        _xml.WriteElement(new SheetFormatProperties { DefaultRowHeight = 15 });
        _xml.WriteElement(new Columns(form.Widths.Select((w, i) => new Column { Min = (uint)i + 1, Max = (uint)i + 1, Width = w, CustomWidth = true })));
        _xml.WriteStartElement(new SheetData());
    }

    /// <summary>The number of rows written so far.</summary>
    public int Rows { get; private set; }

    /// <summary>The range of the filter; null without one.</summary>
    public string? Filter => _filter;

    /// <summary>Writes a row.</summary>
    /// <param name="height">In points; null for the height that the wrapped texts need.</param>
    public void Row(ReadOnlySpan<SheetCell> cells, double? height = null)
    {
        Rows++;
        height ??= Needed(cells);
        var number = Rows.ToString(CultureInfo.InvariantCulture);
        _attributes.Clear();
        _attributes.Add(new("r", "", number));
        if (height is { } points)
        {
            _attributes.Add(new("ht", "", points.ToString("0.##", CultureInfo.InvariantCulture)));
            _attributes.Add(new("customHeight", "", "1"));
        }
        _xml.WriteStartElement(RowElement, _attributes);
        for (var i = 0; i < cells.Length; i++)
            Write(cells[i], Column(i) + number);
        _xml.WriteEndElement();
    }

    public void Row(params SheetCell[] cells) => Row(cells.AsSpan());

    public void EmptyRow() => Row(ReadOnlySpan<SheetCell>.Empty);

    /// <summary>Links a cell of the last row to another sheet.</summary>
    public void Link(int column, string sheet, string tip) => _links.Add(($"{Column(column)}{Rows}", $"{WorkbookPackage.Quote(sheet)}!A1", tip));

    /// <summary>Merges cells of the last row.</summary>
    public void Merge(int from, int to) => _merged.Add($"{Column(from)}{Rows}:{Column(to)}{Rows}");

    /// <summary>Sets a filter on a header row and all rows below it.</summary>
    public void FilterFrom(int headerRow, int columns) => _filter = $"A{headerRow}:{Column(columns - 1)}{Math.Max(Rows, headerRow)}";

    public void Dispose()
    {
        _xml.WriteEndElement();
        if (_filter is not null)
            _xml.WriteElement(new AutoFilter { Reference = _filter });
        if (_merged.Count > 0)
            _xml.WriteElement(new MergeCells(_merged.Select(m => new MergeCell { Reference = m })) { Count = (uint)_merged.Count });
        if (_links.Count > 0)
            _xml.WriteElement(new Hyperlinks(_links.Select(l => new Hyperlink { Reference = l.Cell, Location = l.Location, Tooltip = l.Tip })));
        _xml.WriteElement(new PageMargins { Left = 0.4, Right = 0.4, Top = 0.5, Bottom = 0.6, Header = 0.3, Footer = 0.3 });
        _xml.WriteElement(new PageSetup { PaperSize = 9, Orientation = OrientationValues.Landscape, FitToWidth = 1, FitToHeight = 0 });
        _xml.WriteElement(new HeaderFooter(new OddFooter("&L&A&RPage &P of &N")));
        _xml.WriteEndElement();
        _xml.Dispose();
    }

    /// <summary>Returns the letters of a column, counted from 0.</summary>
    public static string Column(int index)
    {
        var letters = "";
        for (var n = index + 1; n > 0; n = (n - 1) / 26)
            letters = (char)('A' + ((n - 1) % 26)) + letters;
        return letters;
    }

    /// <summary>Returns the height that a row needs, because not every reader computes heights on opening; null for one line.</summary>
    private double? Needed(ReadOnlySpan<SheetCell> cells)
    {
        var tallest = 0d;
        for (var i = 0; i < cells.Length; i++)
        {
            if (cells[i] is { Text: { } text, Style: CellStyle.Wrapped or CellStyle.Code or CellStyle.Header or CellStyle.Label or CellStyle.Muted }
                && (text.Length > _widths[i] || text.Contains('\n', StringComparison.Ordinal)))
            {
                tallest = Math.Max(tallest, Lines.Height(text, (int)_widths[i]));
            }
        }
        return tallest > 0 ? tallest : null;
    }

    private void Write(SheetCell cell, string reference)
    {
        _attributes.Clear();
        _attributes.Add(new("r", "", reference));
        _attributes.Add(new("s", "", ((int)cell.Style).ToString(CultureInfo.InvariantCulture)));
        if (cell.Value is { } number)
        {
            _xml.WriteStartElement(CellElement, _attributes);
            _xml.WriteStartElement(ValueElement);
            _xml.WriteString(number.ToString("R", CultureInfo.InvariantCulture));
            _xml.WriteEndElement();
            _xml.WriteEndElement();
            return;
        }
        if (string.IsNullOrEmpty(cell.Text))
        {
            if (cell.Style != CellStyle.Text)
            {
                _xml.WriteStartElement(CellElement, _attributes);
                _xml.WriteEndElement();
            }
            return;
        }
        _attributes.Add(InlineText);
        _xml.WriteStartElement(CellElement, _attributes);
        _xml.WriteStartElement(InlineElement);
        _xml.WriteStartElement(TextElement, TextAttributes);
        _xml.WriteString(AsWritten(cell.Text));
        _xml.WriteEndElement();
        _xml.WriteEndElement();
        _xml.WriteEndElement();
    }

    /// <summary>Escapes text so that a reader shows it unchanged: it would decode <c>_x0041_</c> as a character.</summary>
    private static string AsWritten(string text)
    {
        var shown = Terminal.Of(text);
        return shown.Contains("_x", StringComparison.OrdinalIgnoreCase) ? EscapedCharacter().Replace(shown, "_x005F_x$1_") : shown;
    }

    [GeneratedRegex("_x([0-9A-Fa-f]{4})_", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex EscapedCharacter();
}
