using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;

namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// Reads a response body completely, with a size limit, and removes its content coding. Decoding is done here and not in the transport, so
/// that the original coding is known and a truncated body is detected.
/// </summary>
internal static class ContentDecoding
{
    /// <summary>The Accept-Encoding of requests whose SDK does not set one.</summary>
    public const string Accepted = "gzip";

    private const int Unannounced = 16 * 1024;

    /// <summary>The limit of memory allocated because of an announced length.</summary>
    private const int Announced = 1 << 20;

    /// <exception cref="ExchangeRefusedException">The body is over the limit, before or after decoding.</exception>
    /// <exception cref="IOException">The body breaks off, or is not in the coding it claims.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContent content, int maxBytes, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var raw = await BoundedAsync(stream, content.Headers.ContentLength, maxBytes, cancellationToken);
        var decoded = raw;
        foreach (var coding in content.Headers.ContentEncoding.Reverse())
        {
            if (decoded.Length > 0)
                decoded = await DecodeAsync(decoded, coding.ToLowerInvariant(), maxBytes, cancellationToken);
        }
        return decoded;
    }

    /// <summary>Returns the content of a gzip file (RFC 1952); any other content is returned unchanged.</summary>
    /// <exception cref="ExchangeRefusedException">The content is over the limit.</exception>
    /// <exception cref="IOException">The content begins like a gzip file but is not valid.</exception>
    public static async Task<ReadOnlyMemory<byte>> InflatedAsync(ReadOnlyMemory<byte> file, int maxBytes, CancellationToken cancellationToken) =>
        file.Span is [0x1F, 0x8B, ..] ? await DecodeAsync(file, Accepted, maxBytes, cancellationToken) : file;

    private static async Task<ReadOnlyMemory<byte>> DecodeAsync(ReadOnlyMemory<byte> coded, string coding, int maxBytes, CancellationToken cancellationToken)
    {
        using var source = new MemoryStream(coded.ToArray(), writable: false);
        await using Stream? decoder = coding switch
        {
            "gzip" or "x-gzip" => new GZipStream(source, CompressionMode.Decompress),
            "deflate" => new ZLibStream(source, CompressionMode.Decompress),
            "br" => new BrotliStream(source, CompressionMode.Decompress),
            "identity" => null,
            _ => throw new IOException($"the response has the unknown content coding {coding}"),
        };
        if (decoder is null)
            return coded;
        try
        {
            var decoded = await BoundedAsync(decoder, null, maxBytes, cancellationToken);
            // .NET's GZipStream ends without an error if its input is truncated; the trailer has the length.
            if (decoder is GZipStream && (coded.Length < 18 || BinaryPrimitives.ReadUInt32LittleEndian(coded.Span[^4..]) != (uint)decoded.Length))
                throw new IOException("the compressed response is truncated");
            return decoded;
        }
        // BrotliStream throws the second type for data that it cannot decode.
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException)
        {
            throw new IOException($"the response is not {coding}: {e.Message}", e);
        }
    }

    private static async Task<ReadOnlyMemory<byte>> BoundedAsync(Stream stream, long? length, int maxBytes, CancellationToken cancellationToken)
    {
        if (length > maxBytes)
            throw TooLarge(maxBytes);
        // One byte more than announced, so that the end is detected without a reallocation.
        var body = new byte[Math.Min(length ?? Unannounced, Announced) + 1];
        var held = 0;
        for (int n; (n = await stream.ReadAsync(body.AsMemory(held), cancellationToken)) > 0;)
        {
            held += n;
            if (held > maxBytes)
                throw TooLarge(maxBytes);
            if (held == body.Length)
                Array.Resize(ref body, 2 * body.Length);
        }
        return body.AsMemory(0, held);
    }

    private static ExchangeRefusedException TooLarge(int maxBytes) => new(
        Codes.ResponseTooLarge, string.Create(CultureInfo.InvariantCulture, $"the response is larger than {maxBytes} bytes"));
}
