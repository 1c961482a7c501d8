using System.Collections.Immutable;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using AuditCli.Evidence.Text;
using AuditCli.Evidence.Warc;

namespace AuditCli.Evidence.Tables;

/// <summary>A value that does not fit its column. The description says how, and never quotes the value.</summary>
public sealed record Misfit(string Column, string Description)
{
    /// <summary>The code of the failure that such values are.</summary>
    public const string Code = "ValueDoesNotFit";
}

/// <summary>
/// A finished table: its number of rows, and the SHA-256 of its uncompressed bytes, by which tables are compared. A table without rows has no
/// file, so an index line states neither path nor digest of it.
/// </summary>
public sealed record TableSummary(long Rows, Digest Sha256)
{
    /// <summary>Returns the path of the table's file; null where there is none.</summary>
    public string? At(string path) => Rows == 0 ? null : path;

    /// <summary>The digest of the file's content; null where there is no file.</summary>
    public Digest? FileSha256 => Rows == 0 ? null : Sha256;
}

/// <summary>
/// Writes an evidence table as NDJSON inside gzip (RFC 8259, RFC 1952). Equal rows give equal uncompressed bytes: members in the
/// order of the columns, absent and null members left out, no white space, timestamps in UTC, doubles as ECMAScript prints them,
/// nested values with their number literals unchanged. Memory does not grow with the number of rows. The file is created with the
/// first rows; a table without rows has none. It allows one caller at a time.
/// </summary>
public sealed class TableWriter : IDisposable
{
    private const int FlushAt = 64 * 1024;
    private readonly string _path;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly JsonText _text = new();
    private readonly ImmutableArray<Column> _added;
    private readonly ImmutableArray<Column> _own;
    private readonly ImmutableArray<byte[]> _labels;
    private readonly Dictionary<string, int> _columnByName;
    private readonly JsonElement[] _cells;
    private readonly CellState[] _states;
    private readonly List<(string Name, int Column)> _lastShape = [];
    private GrowingFile? _file;
    private GZipStream? _gzip;
    private bool _empty = true;
    private IOException? _failure;
    private TableSummary? _summary;

    /// <param name="path">A file that does not exist; its folder is created with it. The file is open only during a write.</param>
    /// <param name="added">
    /// The columns that AuditCli adds, all text, first in each row; see <see cref="EvidenceColumns"/>.
    /// </param>
    /// <param name="own">The source's columns.</param>
    /// <exception cref="ArgumentException">Two columns have the same name, or an added column is not text.</exception>
    public TableWriter(string path, ImmutableArray<Column> added, ImmutableArray<Column> own)
    {
        if (added.Any(c => c.Type != ColumnType.Text))
            throw new ArgumentException("added columns are text", nameof(added));
        Columns = [.. added, .. own];
        if (Columns.GroupBy(c => c.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Skip(1).Any()) is { } twice)
            throw new ArgumentException($"two columns are named '{twice.Key}'", nameof(own));
        _added = added;
        _own = own;
        _labels = [.. Columns.Select(c => Label(c.Name))];
        _columnByName = own.Select((c, i) => (c.Name, i)).ToDictionary(c => c.Name, c => c.i, StringComparer.Ordinal);
        _cells = new JsonElement[own.Length];
        _states = new CellState[own.Length];
        _path = path;
    }

    private enum CellState : byte
    {
        Absent,
        Present,
        NamedTwice,
    }

    /// <summary>The table's columns in order, the added ones first.</summary>
    public ImmutableArray<Column> Columns { get; }

    public long Rows { get; private set; }

    /// <summary>
    /// Appends one row. Members without a column are left out. Returns null, or the first value that does not fit; such cells
    /// stay null and the row is still written.
    /// </summary>
    /// <param name="addedValues">One value for each added column.</param>
    /// <exception cref="ArgumentException">The row is not an object, or the added values do not match the added columns in number.</exception>
    /// <exception cref="IOException">This write or an earlier one failed; the message names the file.</exception>
    public Misfit? Append(ReadOnlySpan<string?> addedValues, JsonElement row)
    {
        if (addedValues.Length != _added.Length)
            throw new ArgumentException($"{_added.Length} added values are needed, not {addedValues.Length}", nameof(addedValues));
        if (row.ValueKind != JsonValueKind.Object)
            throw new ArgumentException($"a row is an object, not {row.ValueKind}", nameof(row));
        if (_summary is not null)
            throw new InvalidOperationException("the table is complete");
        ThrowIfFailed();
        FindCells(row);
        var misfit = default(Misfit);
        _text.Append((byte)'{');
        _empty = true;
        for (var i = 0; i < addedValues.Length; i++)
        {
            if (addedValues[i] is not { } value)
                continue;
            var start = BeginCell(i);
            if (!_text.TryAppendString(value))
                misfit ??= RevertCell(start, Columns[i], "is not well-formed Unicode");
            else
                _empty = false;
        }
        for (var i = 0; i < _own.Length; i++)
        {
            if (_states[i] == CellState.Absent)
                continue;
            var start = BeginCell(_added.Length + i);
            var fault = _states[i] == CellState.NamedTwice
                ? "is named twice in one row"
                : CellFormat.Append(_text, _own[i], _cells[i]);
            if (fault is null)
            {
                _empty = false;
                continue;
            }
            var reverted = RevertCell(start, _own[i], fault);
            misfit ??= reverted;
        }
        _text.Append("}\n"u8);
        Rows++;
        if (_text.Length >= FlushAt)
            Flush();
        return misfit;
    }

    /// <summary>Ends the table and flushes it to the disk.</summary>
    /// <exception cref="IOException">This write or an earlier one failed; the message names the file.</exception>
    public TableSummary Complete()
    {
        if (_summary is not null)
            return _summary;
        ThrowIfFailed();
        Flush();
        Guarded(() =>
        {
            _gzip?.Dispose();
            _file?.Synchronise();
        });
        return _summary = new(Rows, Digest.FromHash(_hash.GetHashAndReset()));
    }

    /// <summary>Ends writing. Without an earlier <see cref="Complete"/> the file is truncated, and reading it fails.</summary>
    public void Dispose()
    {
        _hash.Dispose();
        _file?.Dispose();
    }

    private void FindCells(JsonElement row)
    {
        Array.Clear(_states);
        var at = 0;
        foreach (var member in row.EnumerateObject())
        {
            var column = ColumnOf(member, at++);
            if (column < 0 || (member.Value.ValueKind == JsonValueKind.Null && _states[column] == CellState.Absent))
                continue;
            _states[column] = _states[column] == CellState.Absent ? CellState.Present : CellState.NamedTwice;
            _cells[column] = member.Value;
        }
    }

    /// <summary>
    /// Returns the column of a member. Rows of one table mostly have the same members in the same order, so it tries the last
    /// row's shape first.
    /// </summary>
    private int ColumnOf(JsonProperty member, int at)
    {
        if (at < _lastShape.Count && member.NameEquals(_lastShape[at].Name))
            return _lastShape[at].Column;
        if (!TryName(member, out var name))
            return -1;
        var column = _columnByName.GetValueOrDefault(name, -1);
        if (at < _lastShape.Count)
            _lastShape[at] = (name, column);
        else if (at < 2 * _own.Length)
            _lastShape.Add((name, column));
        return column;
    }

    /// <summary>
    /// Reads a member's name; returns false when it is not well-formed Unicode, because no column has such a name.
    /// </summary>
    private static bool TryName(JsonProperty member, out string name)
    {
        try
        {
            name = member.Name;
            return true;
        }
        catch (InvalidOperationException)
        {
            name = "";
            return false;
        }
    }

    private int BeginCell(int column)
    {
        var start = _text.Length;
        if (!_empty)
            _text.Append((byte)',');
        _text.Append(_labels[column]);
        return start;
    }

    private Misfit RevertCell(int start, Column column, string fault)
    {
        _text.Truncate(start);
        return new(column.Name, fault);
    }

    private void Flush()
    {
        if (_text.Length == 0)
            return;
        _hash.AppendData(_text.Written);
        // The compressor is created at the first flush: it holds about 256 KiB, too much for each table that still waits for its first
        // response.
        Guarded(() => (_gzip ??= new(Created(), CompressionLevel.Fastest, leaveOpen: true)).Write(_text.Written));
        _text.Truncate(0);
    }

    private GrowingFile Created()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        return _file = GrowingFile.Create(_path);
    }

    private void Guarded(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _failure = new($"{_path}: {e.Message}", e);
            throw _failure;
        }
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } earlier)
            throw new IOException($"nothing more is written after a failed write: {earlier.Message}", earlier);
    }

    private static byte[] Label(string name)
    {
        var label = new JsonText();
        label.AppendString(name);
        label.Append((byte)':');
        return label.Written.ToArray();
    }
}
