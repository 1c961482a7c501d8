using System.Security.Cryptography;
using System.Text.Json;
using AuditCli.Evidence.Warc;

namespace AuditCli.Evidence.Tables;

/// <summary>
/// Reads an evidence table (NDJSON inside one gzip member) line by line. A truncated or altered file is an error, with or without
/// a digest to compare with. Damage shows only at the end, so use no row before the last one was read.
/// </summary>
public sealed class TableReader : IDisposable
{
    /// <summary>128 MiB, twice the largest response body that is recorded.</summary>
    public const int DefaultMaxRowBytes = 128 * 1024 * 1024;

    private readonly string _path;
    private readonly Digest? _expected;
    private readonly int _maxRowBytes;
    private readonly Stream _file;
    private readonly GzipMember _member;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>
    /// The read buffer, small because most tables are small: arrays over 85,000 bytes for thousands of tables would cause
    /// repeated full garbage collections.
    /// </summary>
    private byte[] _buffer = new byte[16 * 1024];

    private int _start;
    private int _searched;
    private int _end;
    private bool _ended;

    /// <param name="expected">The SHA-256 of the uncompressed table; null when it is not known.</param>
    /// <exception cref="InvalidDataException">The file does not begin with a gzip header.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public TableReader(string path, Digest? expected = null, int maxRowBytes = DefaultMaxRowBytes)
        : this(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 16 * 1024), path, expected, maxRowBytes)
    {
    }

    /// <summary>Reads an open file, which is closed with the reader.</summary>
    /// <param name="path">The file's name in messages.</param>
    /// <inheritdoc cref="TableReader(string, Digest?, int)"/>
    public TableReader(Stream file, string path, Digest? expected = null, int maxRowBytes = DefaultMaxRowBytes)
    {
        _path = path;
        _expected = expected;
        _maxRowBytes = maxRowBytes;
        _file = file;
        try
        {
            _member = new(_file);
        }
        catch (InvalidDataException e)
        {
            _file.Dispose();
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>The number of rows read so far.</summary>
    public long Rows { get; private set; }

    /// <summary>The digest of the whole uncompressed table; null until the end is reached.</summary>
    public Digest? Sha256 { get; private set; }

    /// <summary>Reads the next line without its line end, valid until the next call; returns false at the end.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is truncated, altered, or does not match the digest; the message names it.
    /// </exception>
    public bool TryRead(out ReadOnlyMemory<byte> line)
    {
        while (true)
        {
            var lineEnd = _buffer.AsSpan(_searched, _end - _searched).IndexOf((byte)'\n');
            if (lineEnd >= 0)
            {
                line = _buffer.AsMemory(_start, _searched + lineEnd - _start);
                _start = _searched += lineEnd + 1;
                Rows++;
                return true;
            }
            _searched = _end;
            line = default;
            if (_ended)
                return false;
            if (_end - _start > _maxRowBytes)
                throw new InvalidDataException($"{_path}: row {Rows + 1} is larger than {_maxRowBytes} bytes");
            Fill();
        }
    }

    /// <summary>Returns every remaining row as JSON, each with its own memory.</summary>
    /// <exception cref="InvalidDataException">As <see cref="TryRead"/>, or a line is not a JSON object.</exception>
    public IEnumerable<JsonElement> ReadRows()
    {
        while (TryRead(out var line))
            yield return Parse(line.Span);
    }

    public void Dispose()
    {
        _member.Dispose();
        _file.Dispose();
        _hash.Dispose();
    }

    private JsonElement Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            var row = JsonElement.Parse(line);
            return row.ValueKind == JsonValueKind.Object
                ? row
                : throw new InvalidDataException($"{_path}: row {Rows} is not an object");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{_path}: row {Rows} is not JSON: {e.Message}", e);
        }
    }

    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _searched = _end;
            _start = 0;
        }
        if (_end == _buffer.Length)
            Array.Resize(ref _buffer, checked(_buffer.Length * 2));
        int read;
        try
        {
            read = _member.Read(_buffer.AsSpan(_end));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{_path}: {e.Message}", e);
        }
        if (read == 0)
            Finish();
        _hash.AppendData(_buffer.AsSpan(_end, read));
        _end += read;
    }

    private void Finish()
    {
        _ended = true;
        if (_end > _start)
            throw new InvalidDataException($"{_path}: the last row has no line end");
        if (_file.Position != _file.Length)
            throw new InvalidDataException($"{_path}: something follows the table at byte {_file.Position}");
        Sha256 = Digest.FromHash(_hash.GetHashAndReset());
        if (_expected is { } expected && expected != Sha256)
            throw new InvalidDataException($"{_path}: its content has the SHA-256 {Sha256}, not {expected}");
    }
}
