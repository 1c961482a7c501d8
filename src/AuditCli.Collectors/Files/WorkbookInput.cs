using System.Collections.Immutable;
using System.IO.Compression;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;
using DocumentFormat.OpenXml;
using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Spreadsheet;
using Column = AuditCli.Evidence.Column;
using SheetColumn = DocumentFormat.OpenXml.Spreadsheet.Column;

namespace AuditCli.Collectors.Files;

/// <summary>
/// The rows of one sheet of an Office Open XML workbook (ISO/IEC 29500). The first row with a value is the header. Formulas give the values
/// that were last calculated. What a reader of the rows would not see (formulas, hidden rows, merged cells) is a remark.
/// </summary>
internal sealed class WorkbookInput : InputFile
{
    private const long LargestUnpacked = 1L << 30;
    private const int MostMembers = 10_000;
    private readonly SpreadsheetDocument _document;
    private readonly WorksheetPart _sheet;
    private readonly WorkbookCells _cells;
    private readonly ImmutableArray<Column> _columns;
    private readonly ImmutableArray<string> _hiddenSheets;
    private readonly string _place;
    private readonly List<(int From, int To)> _hiddenRanges = [];
    private ImmutableArray<string> _header = [];
    private readonly List<string> _merged = [];
    private ImmutableArray<int> _fields = [];
    private long _hiddenRows;

    private WorkbookInput(
        SpreadsheetDocument document, WorksheetPart sheet, WorkbookCells cells, ImmutableArray<Column> columns, ImmutableArray<string> hiddenSheets,
        string place)
    {
        _document = document;
        _sheet = sheet;
        _cells = cells;
        _columns = columns;
        _hiddenSheets = hiddenSheets;
        _place = place;
    }

    /// <summary>The columns' numbers in the sheet, from 0; known once the header was read.</summary>
    internal ImmutableArray<int> Fields => _fields;

    /// <summary>The ranges of hidden columns; known once the header was read.</summary>
    internal IReadOnlyList<(int From, int To)> HiddenRanges => _hiddenRanges;

    /// <summary>The merged ranges; known once all rows were read.</summary>
    internal IReadOnlyList<string> Merged => _merged;

    internal WorkbookCells Values => _cells;

    /// <summary>Every sheet of the workbook: its name, its state where it is hidden, and whether it is the one that is read.</summary>
    internal IEnumerable<(string Name, string? State, bool IsRead)> Sheets => Workbook.Workbook!.Sheets!.Elements<Sheet>()
        .Select(s => (s.Name?.Value ?? "", s.State?.InnerText, s.Id?.Value is { } id && Workbook.TryGetPartById(id, out var part) && part == _sheet));

    /// <summary>The formats of cells, by which dates are told from numbers; null where there are none.</summary>
    internal Stream? Styles => Workbook.WorkbookStylesPart?.GetStream(FileMode.Open, FileAccess.Read);

    private WorkbookPart Workbook => _document.WorkbookPart!;

    private string[] HiddenColumns =>
        [.. _header.Where((name, i) => name.Length > 0 && _hiddenRanges.Any(h => i >= h.From && i <= h.To)).Select(n => $"'{n}'")];

    public override IEnumerable<string> Remarks
    {
        get
        {
            if (_cells.Formulas > 0)
                yield return $"{_place}: {_cells.Formulas} cells hold formulas; the values that were last calculated are read";
            if (_cells.Rounded > 0)
                yield return $"{_place}: {_cells.Rounded} numbers are rounded to 15 digits, the most that spreadsheets show";
            if (_hiddenRows > 0)
                yield return $"{_place}: {_hiddenRows} hidden rows are read too";
            if (HiddenColumns is { Length: > 0 } hidden)
                yield return $"{_place}: hidden columns are read too: {string.Join(", ", hidden)}";
            if (_merged.Count > 0)
                yield return $"{_place}: {_merged.Count} merged ranges; only the first cell of each has a value";
            if (!_hiddenSheets.IsEmpty)
                yield return $"{_place}: the workbook has hidden sheets, which are not read: {string.Join(", ", _hiddenSheets)}";
        }
    }

    /// <summary>Opens a workbook and finds the sheet.</summary>
    /// <param name="sheet">See <see cref="InputLayout.Sheet"/>.</param>
    /// <exception cref="InvalidDataException">The file is no workbook, has no such sheet, or is larger unpacked than is read.</exception>
    public static WorkbookInput Open(string path, string shown, string? sheet, ImmutableArray<Column> columns)
    {
        var file = RegularFile.OpenRead(path);
        SpreadsheetDocument? document = null;
        try
        {
            RequireBounded(file, shown);
            document = SpreadsheetDocument.Open(file, isEditable: false);
            return Open(document, shown, sheet, columns);
        }
        catch (Exception e)
        {
            document?.Dispose();
            file.Dispose();
            if (IsOfContent(e, shown))
                throw new InvalidDataException($"{shown}: is not an .xlsx workbook: {e.Message}", e);
            throw;
        }
    }

    /// <summary>Whether an exception is about the content of the file and does not name the file yet; the library has many of them.</summary>
    private static bool IsOfContent(Exception e, string shown) => e
        is OpenXmlPackageException or System.Xml.XmlException or ArgumentException or FormatException or OverflowException or InvalidOperationException
            or KeyNotFoundException or FileFormatException
        || (e is InvalidDataException && !e.Message.StartsWith(shown, StringComparison.Ordinal));

    public override IEnumerable<InputRecord> Records()
    {
        using var records = Read().GetEnumerator();
        while (true)
        {
            try
            {
                if (!records.MoveNext())
                    yield break;
            }
            catch (Exception e) when (IsOfContent(e, _place))
            {
                throw new InvalidDataException($"{_place}: cannot be read: {e.Message}", e);
            }
            yield return records.Current;
        }
    }

    private IEnumerable<InputRecord> Read()
    {
        var (number, expected, pending) = (0L, 0L, 0L);
        foreach (var (line, cells, isHidden) in Stored())
        {
            if (expected == 0)
            {
                expected = line + 1;
                continue;
            }
            pending += line - expected;
            expected = line + 1;
            if (isHidden)
                _hiddenRows++;
            // Rows between others count, as an export to CSV would write them; those at the end do not.
            for (; pending > 0; pending--)
                yield return new(++number, line - pending, [.. _columns.Select(_ => default(InputCell))]);
            yield return new(++number, line, [.. _fields.Select((f, i) => cells.TryGetValue(f, out var cell) ? _cells.Read(cell, _columns[i]) : default)]);
        }
    }

    /// <summary>Yields the rows that have a value, the header first, each with its cells by the number of their column from 0.</summary>
    internal IEnumerable<(long Line, SortedDictionary<int, Cell> Cells, bool IsHidden)> Stored()
    {
        var expected = 1L;
        foreach (var row in Rows())
        {
            var line = row.RowIndex?.Value ?? expected;
            if (line < expected)
                throw new InvalidDataException($"{_place}:{line}: row {line} comes after row {expected - 1}");
            expected = line + 1;
            var cells = Cells(row, line);
            if (cells.Count == 0)
                continue;
            if (_header.IsEmpty)
            {
                _header = Header(cells, line);
                _fields = InputTable.FieldsOf($"{_place}:{line}", _header, _columns);
            }
            else if (cells.Keys.FirstOrDefault(c => c >= _header.Length || _header[c].Length == 0, -1) is >= 0 and var unnamed)
            {
                throw new InvalidDataException($"{_place}:{line}: {WorkbookCells.ColumnName(unnamed)}{line} has a value, and its column has no heading");
            }
            yield return (line, cells, row.Hidden?.Value == true);
        }
        if (_header.IsEmpty)
            throw new InvalidDataException($"{_place}: the sheet is empty; its first row must name the columns");
    }

    protected override void Dispose(bool disposing) => _document.Dispose();

    private static WorkbookInput Open(SpreadsheetDocument document, string shown, string? sheet, ImmutableArray<Column> columns)
    {
        var workbook = document.WorkbookPart ?? throw new InvalidDataException($"{shown}: the workbook has no content");
        var sheets = workbook.Workbook?.Sheets?.Elements<Sheet>().ToArray() ?? [];
        var all = sheets.Select(s => (
                Name: s.Name?.Value ?? "",
                IsVisible: s.State is null || s.State.Value == SheetStateValues.Visible,
                Part: s.Id?.Value is { } id && workbook.TryGetPartById(id, out var part) ? part as WorksheetPart : null))
            .Where(s => s.Part is not null)
            .ToArray();
        var visible = all.Where(s => s.IsVisible).ToArray();
        var chosen = sheet is null ? visible : [.. all.Where(s => s.Name == sheet)];
        if (chosen is not [var one])
        {
            var names = string.Join(", ", all.Select(s => $"'{s.Name}'{(s.IsVisible ? "" : " (hidden)")}"));
            throw new InvalidDataException(sheet is null
                ? $"{shown}: the workbook has {visible.Length} visible sheets; name the one to read with 'sheet': {names}"
                : $"{shown}: the workbook has no sheet '{sheet}'; it has {names}");
        }
        var hidden = all.Where(s => !s.IsVisible && s != one).Select(s => $"'{s.Name}'").ToImmutableArray();
        return new(document, one.Part!, WorkbookCells.Of(workbook, shown), columns, hidden, $"{shown}, sheet {one.Name}");
    }

    /// <summary>Refuses what is not a zip archive, and an archive that would unpack to more than is read.</summary>
    private static void RequireBounded(FileStream file, string shown)
    {
        Span<byte> head = stackalloc byte[4];
        head = head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        if (head is [0xd0, 0xcf, 0x11, 0xe0])
            throw new InvalidDataException($"{shown}: has a password, or the old .xls format; save it as .xlsx without a password");
        if (head is not [0x50, 0x4b, 3, 4])
            throw new InvalidDataException($"{shown}: is not an .xlsx workbook");
        file.Position = 0;
        using (var archive = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true))
        {
            if (archive.Entries.Count > MostMembers || archive.Entries.Sum(e => e.Length) > LargestUnpacked)
                throw new InvalidDataException($"{shown}: is larger than {LargestUnpacked >> 20} MiB or {MostMembers} members unpacked");
        }
        file.Position = 0;
    }

    /// <summary>Yields the rows of the sheet, one in memory at a time, and counts merged ranges.</summary>
    private IEnumerable<Row> Rows()
    {
        using var reader = OpenXmlReader.Create(_sheet);
        while (reader.Read())
        {
            if (!reader.IsStartElement)
                continue;
            if (reader.ElementType == typeof(Row) && reader.LoadCurrentElement() is Row row)
                yield return row;
            else if (reader.ElementType == typeof(MergeCell))
                _merged.Add((reader.LoadCurrentElement() as MergeCell)?.Reference?.Value ?? "");
            else if (reader.ElementType == typeof(SheetColumn) && reader.LoadCurrentElement() is SheetColumn { Hidden.Value: true } column)
                _hiddenRanges.Add(((int)column.Min!.Value - 1, (int)column.Max!.Value - 1));
        }
    }

    /// <summary>Returns the cells of a row that are not empty, by the number of their column from 0.</summary>
    private SortedDictionary<int, Cell> Cells(Row row, long line)
    {
        var cells = new SortedDictionary<int, Cell>();
        var next = 0;
        foreach (var cell in row.Elements<Cell>())
        {
            var at = cell.CellReference?.Value is { } reference ? WorkbookCells.ColumnOf(reference) : next;
            if (at < 0)
                throw new InvalidDataException($"{_place}:{line}: '{cell.CellReference!.Value}' is no place of a cell");
            next = at + 1;
            if (!_cells.IsEmpty(cell) && !cells.TryAdd(at, cell))
                throw new InvalidDataException($"{_place}:{line}: the row has {WorkbookCells.ColumnName(at)}{line} twice");
        }
        return cells;
    }

    private ImmutableArray<string> Header(SortedDictionary<int, Cell> cells, long line)
    {
        var names = new string[cells.Keys.Max() + 1];
        for (var i = 0; i < names.Length; i++)
            names[i] = cells.TryGetValue(i, out var cell) && _cells.ReadName(cell).Text is { } name ? InvisibleText.Without(name) : "";
        if (CsvReader.SameName([.. names]) is { } same)
            throw new InvalidDataException($"{_place}:{line}: {same}");
        return [.. names];
    }
}
