using System.Globalization;
using AuditCli.Evidence.Warc;

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

    /// <summary>The limit of gzip members of one body: each costs an inflater, and an empty member has only twenty bytes.</summary>
    private const int MostMembers = 100_000;

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
                decoded = Decode(decoded, coding.ToLowerInvariant(), maxBytes, cancellationToken);
        }
        return decoded;
    }

    /// <summary>Returns the content of a gzip file (RFC 1952); any other content is returned unchanged.</summary>
    /// <exception cref="ExchangeRefusedException">The content is over the limit.</exception>
    /// <exception cref="IOException">The content begins like a gzip file but is not valid.</exception>
    public static ReadOnlyMemory<byte> Inflated(ReadOnlyMemory<byte> file, int maxBytes, CancellationToken cancellationToken) =>
        file.Span is [0x1F, 0x8B, ..] ? Decode(file, Accepted, maxBytes, cancellationToken) : file;

    private static ReadOnlyMemory<byte> Decode(ReadOnlyMemory<byte> coded, string coding, int maxBytes, CancellationToken cancellationToken)
    {
        if (coding is "identity")
            return coded;
        using var decoded = new MemoryStream();
        void Write(ReadOnlyMemory<byte> part)
        {
            cancellationToken.ThrowIfCancellationRequested();
            decoded.Write(part.Span);
            if (decoded.Length > maxBytes)
                throw TooLarge(maxBytes);
        }
        try
        {
            switch (coding)
            {
                case "gzip" or "x-gzip":
                    Gunzip(coded, Write);
                    break;
                case "deflate":
                    WholeBody.Inflate(coded, Write);
                    break;
                case "br":
                    WholeBody.Unbrotli(coded, Write);
                    break;
                default:
                    throw new IOException($"the response has the unknown content coding {coding}");
            }
        }
        catch (InvalidDataException e)
        {
            throw new IOException($"the compressed response is truncated or damaged: {e.Message}", e);
        }
        return decoded.GetBuffer().AsMemory(0, (int)decoded.Length);
    }

    /// <summary>
    /// Writes the content of all members of a gzip file (RFC 1952, section 2.2), each checked by its trailer: .NET's GZipStream ends
    /// without an error if its input is truncated.
    /// </summary>
    private static void Gunzip(ReadOnlyMemory<byte> coded, Action<ReadOnlyMemory<byte>> write)
    {
        using var file = new MemoryStream(coded.ToArray(), writable: false);
        var some = new byte[Unannounced];
        for (var members = 0; file.Position < file.Length; members++)
        {
            if (members == MostMembers)
                throw new IOException(string.Create(CultureInfo.InvariantCulture, $"the compressed response has more than {MostMembers} gzip members"));
            using var member = new GzipMember(file, plain: false);
            for (int read; (read = member.Read(some)) > 0;)
                write(some.AsMemory(0, read));
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
