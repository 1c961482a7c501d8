using System.Collections.Immutable;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Collectors.Files;

/// <summary>
/// A supplied file of any format, read as records of text cells. What a format alone knows (a date of a spreadsheet, a JSON number) is made
/// text here, so that types, keys and remarks follow one rule for all formats.
/// </summary>
internal abstract class InputFile : IDisposable
{
    /// <summary>What the rows do not show, such as formulas or hidden rows; known once all records were read.</summary>
    public abstract IEnumerable<string> Remarks { get; }

    /// <summary>Yields every record in the file's order. It can be called once.</summary>
    /// <exception cref="InvalidDataException">The file is not such a table; the message begins with the file and, if it is known, the line.</exception>
    public abstract IEnumerable<InputRecord> Records();

    /// <summary>Opens a file by its extension: .json, .ndjson or .jsonl, .xlsx and .parquet; anything else is CSV.</summary>
    /// <param name="shown">The file name used in messages.</param>
    /// <param name="columns">The columns to read; each record has a cell for each of them.</param>
    /// <exception cref="InvalidDataException">The file is not of that format, or a column is not in it.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static InputFile Open(string path, string shown, InputLayout layout, ImmutableArray<Column> columns) => InputFormats.Of(path) switch
    {
        InputFormat.Json => new JsonInput(RegularFile.OpenRead(path), shown, layout.Rows, columns),
        InputFormat.Ndjson => new NdjsonInput(RegularFile.OpenRead(path), shown, columns),
        InputFormat.Workbook => WorkbookInput.Open(path, shown, layout.Sheet, columns),
        InputFormat.Parquet => ParquetInput.Open(path, shown, columns),
        _ => new CsvInput(RegularFile.OpenRead(path), shown, columns),
    };

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}

/// <summary>A CSV file; see <see cref="CsvReader"/>.</summary>
internal sealed class CsvInput(Stream file, string shown, ImmutableArray<Column> columns) : InputFile
{
    private readonly CsvReader _csv = new(file, shown);

    public override IEnumerable<string> Remarks
    {
        get
        {
            if (_csv.EmptyAtEnd > 0)
                yield return $"{shown}: {_csv.EmptyAtEnd} empty rows at the end are ignored";
            if (_csv.UnnamedColumns > 0)
                yield return $"{shown}:1: {_csv.UnnamedColumns} empty columns without a name are ignored";
        }
    }

    public override IEnumerable<InputRecord> Records() => InputTable.Records(_csv, columns);

    protected override void Dispose(bool disposing) => _csv.Dispose();
}
