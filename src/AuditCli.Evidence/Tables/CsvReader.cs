using System.Collections.Immutable;
using System.Text;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Tables;

/// <summary>One record of a CSV file: its number, from 1 and without the header, and the line on which it begins.</summary>
public sealed record CsvRecord(long Number, long Line, ImmutableArray<string> Fields);

/// <summary>
/// Reads CSV as RFC 4180 defines it, in UTF-8 (a byte order mark is allowed), with a header. Lines end with CR LF or LF. Input at
/// which a lenient reader would guess is an error with file and line: missing or surplus fields, a quotation mark inside an
/// unquoted field or never closed, bytes that are not UTF-8, two columns of one name. Empty rows at the end and empty columns
/// without a name at the right, which spreadsheets leave there, are skipped and counted. Memory does not grow with the number of
/// records.
/// </summary>
/// <exception cref="InvalidDataException">
/// The file is not valid CSV in this sense; the message begins with <c>name:line:</c>.
/// </exception>
public sealed class CsvReader : IDisposable
{
    private const int MaxRecordBytes = 16 * 1024 * 1024;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly Stream _source;
    private readonly string _name;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly MemoryStream _field = new();
    private readonly int _width;
    private int _at;
    private int _end;
    private long _line = 1;
    private long _number;
    private long _recordBytes;

    /// <param name="source">The content; the reader disposes it.</param>
    /// <param name="name">The file's name in errors, usually its path.</param>
    public CsvReader(Stream source, string name)
    {
        _source = source;
        _name = name;
        SkipByteOrderMark();
        var header = ReadFields() ?? throw Fault(1, "the file is empty; its first line must name the columns");
        var names = header.Select(InvisibleText.Without).ToImmutableArray();
        _width = names.Length;
        Header = [.. names.Take(names.Length == 1 ? 1 : names.Length - names.Reverse().TakeWhile(n => n.Length == 0).Count())];
        if (Header.IsEmpty)
            throw Fault(1, "no column has a name; the first line must name the columns");
        if (Header.IndexOf("") is >= 0 and var unnamed)
            throw Fault(1, $"column {unnamed + 1} has no name");
        if (SameName(Header) is { } same)
            throw Fault(1, same);
    }

    /// <summary>The columns' names, in file order.</summary>
    public ImmutableArray<string> Header { get; }

    /// <summary>How many columns at the right have no name, and no value in any record.</summary>
    public int UnnamedColumns => _width - Header.Length;

    /// <summary>
    /// How many records at the end of the file have no value at all; known when <see cref="Records"/> has ended.
    /// </summary>
    public long EmptyAtEnd { get; private set; }

    /// <summary>The file's name in errors.</summary>
    public string Name => _name;

    /// <summary>
    /// Returns that two columns have the same name; null if none have. The name is not repeated: in a file without a header it is a value.
    /// </summary>
    public static string? SameName(ImmutableArray<string> header) =>
        header.Index().Where(h => h.Item.Length > 0).GroupBy(h => h.Item, h => h.Index + 1, StringComparer.Ordinal)
            .FirstOrDefault(g => g.Skip(1).Any()) is { } twice
            ? $"columns {string.Join(" and ", twice.Take(2))} have the same name"
            : null;

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static CsvReader Open(string path)
    {
        var file = RegularFile.OpenRead(path, bufferSize: 0);
        try
        {
            return new(file, path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Returns every remaining record except the empty ones at the end.</summary>
    public IEnumerable<CsvRecord> Records()
    {
        // The lines where the run of empty records since the last record with a value begins. An empty record never spans two
        // lines, so the first line determines the others.
        var (firstEmpty, firstBlank) = (0L, 0L);
        for (var line = _line; ReadFields() is { } fields; line = _line)
        {
            if (fields.All(f => f.Length == 0) && (fields.Length == _width || fields.Length == 1))
            {
                firstEmpty = EmptyAtEnd++ == 0 ? line : firstEmpty;
                firstBlank = fields.Length == _width || firstBlank > 0 ? firstBlank : line;
                continue;
            }
            if (firstBlank > 0)
                throw Fault(firstBlank, "an empty line between rows; remove it");
            if (fields.Length != _width)
                throw Fault(line, $"{fields.Length} fields where the header has {_width}");
            for (; EmptyAtEnd > 0; EmptyAtEnd--)
                yield return new(++_number, firstEmpty++, [.. Header.Select(_ => "")]);
            for (var i = Header.Length; i < _width; i++)
            {
                if (InvisibleText.Without(fields[i]).Length > 0)
                    throw Fault(line, $"field {i + 1} has a value, and the header has no name for its column");
            }
            yield return new(++_number, line, fields[..Header.Length]);
        }
    }

    public void Dispose() => _source.Dispose();

    /// <summary>Reads the fields of the next record; returns null at the end of the file.</summary>
    private ImmutableArray<string>? ReadFields()
    {
        _recordBytes = 0;
        var c = Next();
        if (c < 0)
            return null;
        var fields = ImmutableArray.CreateBuilder<string>();
        while (true)
        {
            c = c == '"' ? ReadQuoted() : ReadPlain(c);
            fields.Add(TakeField());
            if (c == ',')
            {
                c = Next();
                continue;
            }
            if (c == '\n')
                _line++;
            return fields.ToImmutable();
        }
    }

    /// <summary>Reads up to a comma, a line end or the end of the file, and returns that character.</summary>
    private int ReadPlain(int c)
    {
        for (; ; c = Next())
        {
            switch (c)
            {
                case ',' or '\n' or < 0:
                    return c;
                case '\r':
                    return ExpectLineFeed();
                case '"':
                    throw Fault(_line, "a quotation mark inside a field that does not begin with one");
                default:
                    _field.WriteByte((byte)c);
                    break;
            }
        }
    }

    private int ReadQuoted()
    {
        var opened = _line;
        while (true)
        {
            var c = Next();
            switch (c)
            {
                case < 0:
                    throw Fault(opened, "a quoted field begins here and never ends");
                case '"':
                    c = Next();
                    if (c == '"')
                    {
                        _field.WriteByte((byte)'"');
                        break;
                    }
                    return c switch
                    {
                        ',' or '\n' or < 0 => c,
                        '\r' => ExpectLineFeed(),
                        ';' or '\t' when Header.IsDefault => throw Fault(_line, OtherSeparator((char)c)),
                        _ => throw Fault(_line, "something follows a closing quotation mark"),
                    };
                default:
                    if (c == '\n')
                        _line++;
                    _field.WriteByte((byte)c);
                    break;
            }
        }
    }

    private int ExpectLineFeed() => Next() == '\n' ? '\n' : throw Fault(_line, "a carriage return without a line feed");

    private string TakeField()
    {
        try
        {
            return StrictUtf8.GetString(_field.GetBuffer(), 0, (int)_field.Length);
        }
        catch (DecoderFallbackException e)
        {
            throw Fault(_line, "not UTF-8; save the file as UTF-8", e);
        }
        finally
        {
            _field.SetLength(0);
        }
    }

    private int Next()
    {
        if (_at == _end)
        {
            _at = 0;
            _end = _source.Read(_buffer);
            if (_end == 0)
                return -1;
        }
        if (++_recordBytes > MaxRecordBytes)
            throw Fault(_line, $"a record is larger than {MaxRecordBytes} bytes");
        return _buffer[_at++];
    }

    private void SkipByteOrderMark()
    {
        _end = _source.ReadAtLeast(_buffer, 4, throwOnEndOfStream: false);
        var start = _buffer.AsSpan(0, _end);
        if (start.StartsWith(Encoding.UTF8.Preamble))
            _at = 3;
        else if (start.StartsWith(Encoding.Unicode.Preamble) || start.StartsWith(Encoding.BigEndianUnicode.Preamble)
            || (_end > 1 && (start[0] == 0) != (start[1] == 0)))
        {
            throw Fault(1, "this is UTF-16, which spreadsheets call \"Unicode text\"; save the file as \"CSV UTF-8\"");
        }
        else if (start.StartsWith("PK\u0003\u0004"u8))
            throw Fault(1, "this is a workbook or a zip archive, not CSV; save its sheet as \"CSV UTF-8\"");
    }

    /// <summary>Returns the error message for a header whose columns are separated by another character.</summary>
    internal static string OtherSeparator(char separator) =>
        $"columns are separated by {(separator == ';' ? "semicolons, as spreadsheets do where the comma is the decimal mark" : "tabs")}; "
        + "save the file as CSV with commas, in UTF-8";

    private InvalidDataException Fault(long line, string fault, Exception? inner = null) => new($"{_name}:{line}: {fault}", inner);
}
