using System.Collections.Immutable;
using System.Text;

namespace AuditCli.Evidence.Tables;

/// <summary>One record of a CSV file: its number without the header, from 1, and the line on which it begins.</summary>
public sealed record CsvRecord(long Number, long Line, ImmutableArray<string> Fields);

/// <summary>
/// Reads CSV as RFC 4180 has it, in UTF-8 (a byte order mark is allowed), with a header. Lines end with CR LF or LF. What a lenient
/// reader would guess at is an error with file and line: fields missing or left over, a quotation mark inside an unquoted field or
/// never closed, bytes that are not UTF-8, two columns of one name. Memory does not grow with the number of records.
/// </summary>
/// <exception cref="InvalidDataException">The file is not such CSV; the message begins with <c>name:line:</c>.</exception>
public sealed class CsvReader : IDisposable
{
    private const int MaxRecordBytes = 16 * 1024 * 1024;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly Stream _source;
    private readonly string _name;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly MemoryStream _field = new();
    private int _at;
    private int _end;
    private long _line = 1;
    private long _number;
    private long _recordBytes;

    /// <param name="source">Owned by the reader.</param>
    /// <param name="name">How errors call it, usually the file's path.</param>
    public CsvReader(Stream source, string name)
    {
        _source = source;
        _name = name;
        SkipByteOrderMark();
        Header = ReadFields() ?? throw Fault(1, "the file is empty; its first line must name the columns");
        if (Header.IndexOf("") is >= 0 and var unnamed)
            throw Fault(1, $"column {unnamed + 1} has no name");
        if (Header.GroupBy(h => h, StringComparer.Ordinal).FirstOrDefault(g => g.Skip(1).Any()) is { } twice)
            throw Fault(1, $"two columns are named '{twice.Key}'");
    }

    /// <summary>The columns' names, in file order.</summary>
    public ImmutableArray<string> Header { get; }

    /// <summary>How errors call the file.</summary>
    public string Name => _name;

    /// <summary>Opens a file.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static CsvReader Open(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
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

    /// <summary>Every remaining record.</summary>
    public IEnumerable<CsvRecord> Records()
    {
        for (var line = _line; ReadFields() is { } fields; line = _line)
        {
            if (fields.Length != Header.Length)
                throw Fault(line, $"{fields.Length} fields where the header has {Header.Length}");
            yield return new(++_number, line, fields);
        }
    }

    public void Dispose() => _source.Dispose();

    /// <summary>The fields of the next record; null at the end of the file.</summary>
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

    /// <summary>Reads up to a comma, a line end or the end of the file, which is returned.</summary>
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
        _end = _source.ReadAtLeast(_buffer, 3, throwOnEndOfStream: false);
        if (_buffer.AsSpan(0, _end).StartsWith(Encoding.UTF8.Preamble))
            _at = 3;
    }

    private InvalidDataException Fault(long line, string fault, Exception? inner = null) => new($"{_name}:{line}: {fault}", inner);
}
