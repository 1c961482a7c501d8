using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// Decompresses bodies of the codings <c>deflate</c> and <c>br</c>, and refuses one that is cut off: .NET's streams end without an error where
/// their input does, so a part of a list would count as all of it.
/// </summary>
internal static class WholeBody
{
    private const int ChunkSize = 16 * 1024;
    private const int ChecksumSize = 4;
    private const int ZlibHeaderSize = 2;

    /// <summary>
    /// Returns the content of a zlib file (RFC 1950), which is what <c>deflate</c> means, or of bare deflate data (RFC 1951), which some
    /// servers send under that name.
    /// </summary>
    /// <param name="write">Receives the content in parts; it throws where there is too much.</param>
    /// <exception cref="InvalidDataException">The body is truncated or damaged.</exception>
    public static void Inflate(ReadOnlyMemory<byte> body, Action<ReadOnlyMemory<byte>> write)
    {
        var isZlib = body.Length >= ZlibHeaderSize && (body.Span[0] & 0x0F) == 8 && BinaryPrimitives.ReadUInt16BigEndian(body.Span) % 31 == 0;
        if (!isZlib)
        {
            InflateBare(body, write);
            return;
        }
        if ((body.Span[1] & 0x20) != 0)
            throw new InvalidDataException("it needs a dictionary that was not sent");
        if (body.Length < ZlibHeaderSize + ChecksumSize)
            throw new InvalidDataException("it ends before its checksum");
        var checksum = new Adler32();
        InflateBare(body[ZlibHeaderSize..^ChecksumSize], part =>
        {
            checksum.Add(part.Span);
            write(part);
        });
        if (checksum.Value != BinaryPrimitives.ReadUInt32BigEndian(body.Span[^ChecksumSize..]))
            throw new InvalidDataException("it does not match its checksum");
    }

    /// <summary>Returns the content of a Brotli stream (RFC 7932).</summary>
    /// <inheritdoc cref="Inflate"/>
    public static void Unbrotli(ReadOnlyMemory<byte> body, Action<ReadOnlyMemory<byte>> write)
    {
        using var decoder = new BrotliDecoder();
        var some = new byte[ChunkSize];
        for (var status = OperationStatus.DestinationTooSmall; status != OperationStatus.Done;)
        {
            status = decoder.Decompress(body.Span, some, out var consumed, out var written);
            write(some.AsMemory(0, written));
            body = body[consumed..];
            if (status == OperationStatus.NeedMoreData)
                throw new InvalidDataException("it ends before its last block does");
            if (status == OperationStatus.InvalidData)
                throw new InvalidDataException("a block is damaged");
        }
        if (!body.IsEmpty)
            throw new InvalidDataException("something follows its last block");
    }

    /// <summary>
    /// Inflates deflate data, which has no mark at its end. The same data followed by zeros, and by ones, shows whether the last block is whole:
    /// what follows it is never looked at, and inside a block one of them at least is more content or a fault.
    /// </summary>
    private static void InflateBare(ReadOnlyMemory<byte> data, Action<ReadOnlyMemory<byte>> write)
    {
        var length = Inflated(data, write, long.MaxValue);
        if (!EndsBefore(data, 0x00, length) || !EndsBefore(data, 0xFF, length))
            throw new InvalidDataException("it ends before its last block does");
    }

    private static bool EndsBefore(ReadOnlyMemory<byte> data, byte following, long length)
    {
        var followed = new byte[data.Length + ChunkSize];
        data.CopyTo(followed);
        followed.AsSpan(data.Length).Fill(following);
        try
        {
            return Inflated(followed, _ => { }, length) == length;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>Returns the length of the content, or a length over the limit as soon as it is.</summary>
    private static long Inflated(ReadOnlyMemory<byte> data, Action<ReadOnlyMemory<byte>> write, long limit)
    {
        using var source = new MemoryStream(data.ToArray(), writable: false);
        using var inflater = new DeflateStream(source, CompressionMode.Decompress);
        var some = new byte[ChunkSize];
        var length = 0L;
        for (int read; length <= limit && (read = inflater.Read(some)) > 0; length += read)
            write(some.AsMemory(0, read));
        return length;
    }

    /// <summary>The checksum of zlib files (RFC 1950, section 8.2).</summary>
    private sealed class Adler32
    {
        private const uint Modulus = 65521;

        /// <summary>The number of bytes after which the sums could no longer fit 32 bits.</summary>
        private const int MostAtOnce = 5552;
        private uint _low = 1;
        private uint _high;

        public uint Value => _high << 16 | _low;

        public void Add(ReadOnlySpan<byte> bytes)
        {
            for (; !bytes.IsEmpty; bytes = bytes[Math.Min(MostAtOnce, bytes.Length)..])
            {
                foreach (var b in bytes[..Math.Min(MostAtOnce, bytes.Length)])
                {
                    _low += b;
                    _high += _low;
                }
                (_low, _high) = (_low % Modulus, _high % Modulus);
            }
        }
    }
}
