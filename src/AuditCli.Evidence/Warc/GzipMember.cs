using System.Buffers.Binary;
using System.IO.Compression;

namespace AuditCli.Evidence.Warc;

/// <summary>
/// Inflates one gzip member (RFC 1952) of a seekable stream and leaves the stream positioned directly after it.
/// <para>The runtime's <see cref="GZipStream"/> ends silently on a truncated member, does not report where a member ends, and
/// writes nothing at all for empty content. So the raw deflate data is inflated here, and the member's end is found by its own
/// trailer: checksum and length.</para>
/// </summary>
/// <exception cref="InvalidDataException">The member is truncated or damaged, or has header fields that are not accepted.</exception>
public sealed class GzipMember : IDisposable
{
    private const int HeaderSize = 10;
    private const byte HasChecksum = 2, HasExtra = 4, HasName = 8, HasComment = 16;
    private const int TrailerSize = 8;
    private const int ChunkSize = 4096;
    private readonly Stream _source;
    private readonly Chunks _chunks;
    private readonly DeflateStream _inflated;
    private uint _crc;
    private long _length;
    private bool _ended;

    /// <summary>Reads the header of a member.</summary>
    /// <param name="source">A seekable stream at the beginning of the member.</param>
    /// <param name="plain">Whether optional header fields (name, comment, extra, checksum) are refused instead of skipped.</param>
    public GzipMember(Stream source, bool plain = true)
    {
        ArgumentNullException.ThrowIfNull(source);
        _source = source;
        Span<byte> header = stackalloc byte[HeaderSize];
        if (source.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false) < HeaderSize)
            throw new InvalidDataException("the file ends inside a gzip header");
        if (header[0] != 0x1F || header[1] != 0x8B || header[2] != 8 || header[3] is var flags && (plain ? flags != 0 : (flags & 0xE0) != 0))
            throw new InvalidDataException(plain ? "not a plain gzip member" : "not a gzip member");
        SkipFields(flags);
        _chunks = new Chunks(source);
        _inflated = new DeflateStream(_chunks, CompressionMode.Decompress, leaveOpen: true);
    }

    /// <summary>Reads the next bytes; returns 0 once the end is reached and its trailer has been checked.</summary>
    public int Read(Span<byte> buffer)
    {
        if (_ended)
            return 0;
        var read = _inflated.Read(buffer);
        if (read > 0)
        {
            _crc = Crc32.Append(_crc, buffer[..read]);
            _length += read;
            return read;
        }
        Finish();
        return 0;
    }

    public void Dispose() => _inflated.Dispose();

    /// <summary>Skips the optional fields of the header, in the order of RFC 1952, section 2.3.</summary>
    private void SkipFields(byte flags)
    {
        if ((flags & HasExtra) != 0)
        {
            for (var length = NextByte() | NextByte() << 8; length > 0; length--)
                NextByte();
        }
        foreach (var text in new[] { HasName, HasComment })
        {
            while ((flags & text) != 0 && NextByte() != 0)
            {
                // The text ends with a zero.
            }
        }
        if ((flags & HasChecksum) != 0)
            _ = NextByte() | NextByte();
    }

    private int NextByte() => _source.ReadByte() is >= 0 and var next ? next : throw new InvalidDataException("the file ends inside a gzip header");

    /// <summary>
    /// Finds the trailer, which directly follows the compressed data, and moves the source after it. The compressed data ends
    /// inside the last chunk that was handed out.
    /// </summary>
    private void Finish()
    {
        Span<byte> trailer = stackalloc byte[TrailerSize];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, _crc);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], unchecked((uint)_length));
        Span<byte> window = stackalloc byte[ChunkSize + TrailerSize];
        _source.Position = _chunks.LastStart;
        window = window[.._source.ReadAtLeast(window, window.Length, throwOnEndOfStream: false)];
        // Compressed data has at least two bytes. The trailer of empty content is all zeros and must not be found inside them.
        var skipped = _length == 0 ? Math.Min(2, window.Length) : 0;
        var at = window[skipped..].IndexOf(trailer) + skipped;
        if (at < skipped)
        {
            throw new InvalidDataException(_chunks.Ended || window.Length < ChunkSize + TrailerSize
                ? "a gzip member is torn or damaged at the end of the file"
                : "a gzip member is damaged");
        }
        _source.Position = _chunks.LastStart + at + TrailerSize;
        _ended = true;
    }

    /// <summary>Hands out small chunks and remembers where the last one began, because inflaters read ahead.</summary>
    private sealed class Chunks(Stream source) : ReadOnlyStream
    {
        public long LastStart { get; private set; } = source.Position;
        public bool Ended { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            var start = source.Position;
            var read = source.Read(buffer[..Math.Min(buffer.Length, ChunkSize)]);
            if (read == 0)
                Ended = true;
            else
                LastStart = start;
            return read;
        }
    }
}
