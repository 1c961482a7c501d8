using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Warc;

/// <summary>
/// Converts exchanges to WARC 1.1 records (ISO 28500:2017) and back. Digests are <c>sha256:&lt;lower-case hex&gt;</c>, the form
/// that independent readers accept and <c>sha256sum</c> prints.
/// </summary>
public static class WarcFormat
{
    /// <summary>The extension field for a response's <c>Content-Encoding</c>; the stored body is decoded.</summary>
    public const string OriginalContentEncoding = "WARC-Original-Content-Encoding";

    /// <summary>The extension field for the keyed digest of a body before redaction.</summary>
    public const string RedactedPayloadDigest = "WARC-Redacted-Payload-Digest";

    /// <summary>The extension field for the plain digest of a body before redaction.</summary>
    public const string OriginalPayloadDigest = "WARC-Original-Payload-Digest";

    /// <summary>The extension field of a response for <see cref="HttpExchange.ServerCertificates"/>.</summary>
    public const string ServerCertificates = "WARC-Server-Certificates";

    /// <summary>The extension field of a request for <see cref="HttpExchange.AskedFor"/>.</summary>
    public const string AskedFor = "WARC-Asked-For";

    private const string DateForm = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Builds the <c>warcinfo</c> record that begins a file.</summary>
    public static WarcRecord Info(string seed, string fileName, DateTimeOffset date, IEnumerable<KeyValuePair<string, string>> info)
    {
        var block = StrictUtf8.GetBytes(string.Concat(info.Select(f => Line(f.Key, f.Value))));
        return Build(seed, 0, "warcinfo", date, "application/warc-fields", block, null, [new("WARC-Filename", fileName)]);
    }

    /// <summary>
    /// Builds a <c>request</c> record, and its <c>response</c> or the <c>metadata</c> record that says why there is none.
    /// </summary>
    /// <param name="ordinal">
    /// The exchange's number in its file, from 1; together with the seed it makes record identifiers unique.
    /// </param>
    /// <exception cref="ArgumentException">
    /// Neither or both of response and failure are given, or a line or field has characters that would change the message's form.
    /// </exception>
    public static (WarcRecord Request, WarcRecord Answer) Records(string seed, long ordinal, HttpExchange exchange)
    {
        if (exchange.Response is null == exchange.Failure.IsDefaultOrEmpty)
            throw new ArgumentException("an exchange has either a response or a failure", nameof(exchange));
        var uri = KeyValuePair.Create("WARC-Target-URI", exchange.Uri.AbsoluteUri);
        var protocol = KeyValuePair.Create("WARC-Protocol", exchange.Protocol);
        KeyValuePair<string, string>[] omitted = exchange.BodiesOmitted ? [new("WARC-Truncated", "unspecified")] : [];
        KeyValuePair<string, string>[] asked = exchange.AskedFor is { } asker ? [new(AskedFor, asker)] : [];
        var request = Build(seed, ordinal, "request", exchange.Date, "application/http; msgtype=request",
            Format(exchange.Request), exchange.Request.Body, [uri, protocol, .. omitted, .. asked]);
        var concurrent = KeyValuePair.Create("WARC-Concurrent-To", request["WARC-Record-ID"]!);
        if (exchange.Response is not { } response)
        {
            return (request, Build(seed, ordinal, "metadata", exchange.Date, "application/warc-fields",
                // An exception's message may contain any text; a lone surrogate in it becomes U+FFFD.
                Encoding.UTF8.GetBytes(FailureLink.Format(exchange.Failure)), null, [uri, concurrent]));
        }
        KeyValuePair<string, string>[] encoding = exchange.OriginalContentEncoding is { } coding ? [new(OriginalContentEncoding, coding)] : [];
        KeyValuePair<string, string>[] redacted = exchange.RedactedPayloadDigest is { } digest ? [new(RedactedPayloadDigest, digest)] : [];
        KeyValuePair<string, string>[] original = exchange.OriginalPayloadDigest is { } plain ? [new(OriginalPayloadDigest, plain)] : [];
        KeyValuePair<string, string>[] certificates = exchange.ServerCertificates is { } presented ? [new(ServerCertificates, presented)] : [];
        return (request, Build(seed, ordinal, "response", exchange.Date, "application/http; msgtype=response",
            Format(response), response.Body, [uri, protocol, concurrent, .. omitted, .. encoding, .. redacted, .. original, .. certificates]));
    }

    /// <summary>Reads the exchange from its two records, and checks the payload digests.</summary>
    /// <exception cref="InvalidDataException">
    /// The records do not belong together, or are not in the form of <see cref="Records"/>.
    /// </exception>
    public static HttpExchange Exchange(WarcRecord request, WarcRecord answer)
    {
        if (request.Type != "request" || answer.Type is not ("response" or "metadata") || answer.ConcurrentTo != request.Id)
            throw new InvalidDataException($"{answer.Id} is not the response to {request.Id}");
        var response = answer.Type == "response" ? Http(answer) : null;
        var failure = response is null ? FailureLink.Parse(Text(answer.Block.Span)) : [];
        return new(Date(request), TargetUri(request), request["WARC-Protocol"] ?? "http/1.1", Http(request), response, failure)
        {
            OriginalContentEncoding = answer[OriginalContentEncoding],
            RedactedPayloadDigest = answer[RedactedPayloadDigest],
            OriginalPayloadDigest = answer[OriginalPayloadDigest],
            ServerCertificates = answer[ServerCertificates],
            AskedFor = request[AskedFor],
            BodiesOmitted = request["WARC-Truncated"] is not null,
        };
    }

    /// <summary>Reads the HTTP message in a request or response record, and checks its payload digest.</summary>
    /// <exception cref="InvalidDataException">The block is not an HTTP message, or its body does not have the stated digest.</exception>
    public static HttpBlock Http(WarcRecord record)
    {
        var (startLine, fields, body) = ParseHead(record.Block, trim: false);
        if (record["WARC-Payload-Digest"] is { } digest && digest != DigestOf(body.Span))
            throw new InvalidDataException($"{record.Id}: the payload digest does not match");
        return new(startLine, fields, body);
    }

    /// <summary>Returns the record if it has its digests, without which a change could not be detected.</summary>
    /// <exception cref="InvalidDataException">
    /// A request, a response or a failure has no digest of its block, or a message has none of its body.
    /// </exception>
    public static WarcRecord RequireDigests(WarcRecord record)
    {
        string[] required = record.Type switch
        {
            "request" or "response" => ["WARC-Block-Digest", "WARC-Payload-Digest"],
            "metadata" => ["WARC-Block-Digest"],
            _ => [],
        };
        return required.FirstOrDefault(r => record[r] is null) is { } missing
            ? throw new InvalidDataException($"{record.Id} has no {missing}, so a change could not be detected")
            : record;
    }

    /// <summary>Returns the record's date.</summary>
    /// <exception cref="InvalidDataException">The date is missing, or not in the form of WARC 1.1.</exception>
    public static DateTimeOffset Date(WarcRecord record) => Rfc3339.TryParse(record["WARC-Date"] ?? "", out var date)
        ? date
        : throw new InvalidDataException($"{record.Id}: '{record["WARC-Date"]}' is not a date");

    /// <summary>Returns the URI of the request.</summary>
    /// <exception cref="InvalidDataException">The URI is missing or not absolute.</exception>
    public static Uri TargetUri(WarcRecord record) => Uri.TryCreate(record["WARC-Target-URI"], UriKind.Absolute, out var uri)
        ? uri
        : throw new InvalidDataException($"{record.Id}: '{record["WARC-Target-URI"]}' is not an absolute URI");

    internal static string DigestOf(ReadOnlySpan<byte> content) => "sha256:" + Digest.Of(content).Hex;

    internal static byte[] Head(string startLine, ImmutableArray<KeyValuePair<string, string>> fields)
    {
        if (startLine.AsSpan().ContainsAny('\r', '\n', '\0'))
            throw new ArgumentException("a start line has a line end", nameof(startLine));
        var head = new StringBuilder(startLine).Append("\r\n");
        foreach (var (name, value) in fields)
            head.Append(Line(name, value));
        return StrictUtf8.GetBytes(head.Append("\r\n").ToString());
    }

    /// <summary>Splits a block into header lines and the remainder.</summary>
    /// <param name="trim">
    /// Whether white space around values is removed. In AuditCli's HTTP blocks exactly one space was added, and any further white
    /// space belongs to the value.
    /// </param>
    internal static (string StartLine, ImmutableArray<KeyValuePair<string, string>> Fields, ReadOnlyMemory<byte> Remainder) ParseHead(
        ReadOnlyMemory<byte> content, bool trim)
    {
        var end = content.Span.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            throw new InvalidDataException("a header block has no end");
        var lines = Text(content.Span[..end]).Split("\r\n");
        var fields = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>(lines.Length - 1);
        foreach (var line in lines.Skip(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || !IsToken(line.AsSpan(0, colon)))
                throw new InvalidDataException($"not a header field: '{line}'");
            var value = line[(colon + 1)..];
            fields.Add(new(line[..colon], trim ? value.Trim(' ', '\t') : value.StartsWith(' ') ? value[1..] : value));
        }
        return (lines[0], fields.DrainToImmutable(), content[(end + 4)..]);
    }

    private static WarcRecord Build(string seed, long ordinal, string type, DateTimeOffset date, string contentType, byte[] block,
        ReadOnlyMemory<byte>? payload, params ReadOnlySpan<KeyValuePair<string, string>> more)
    {
        var blockDigest = DigestOf(block);
        var fields = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>(8 + more.Length);
        fields.Add(new("WARC-Type", type));
        fields.Add(new("WARC-Record-ID", NewId(seed, ordinal, type, blockDigest)));
        // All seven digits, so that a replay reads exactly the recorded instant.
        fields.Add(new("WARC-Date", date.UtcDateTime.ToString(DateForm, CultureInfo.InvariantCulture)));
        fields.AddRange(more);
        fields.Add(new("WARC-Block-Digest", blockDigest));
        if (payload is { } body)
            fields.Add(new("WARC-Payload-Digest", DigestOf(body.Span)));
        fields.Add(new("Content-Type", contentType));
        fields.Add(new("Content-Length", block.Length.ToString(CultureInfo.InvariantCulture)));
        return new(fields.DrainToImmutable(), block);
    }

    private static byte[] Format(HttpBlock message)
    {
        var head = Head(message.StartLine, message.Fields);
        return message.Body.IsEmpty ? head : [.. head, .. message.Body.Span];
    }

    private static string Line(string name, string value)
    {
        if (!IsToken(name))
            throw new ArgumentException($"'{name}' is not a field name");
        if (value.AsSpan().ContainsAny('\r', '\n', '\0'))
            throw new ArgumentException($"the value of {name} has a line end");
        return $"{name}: {value}\r\n";
    }

    private static bool IsToken(ReadOnlySpan<char> name)
    {
        foreach (var c in name)
        {
            if (c is <= ' ' or ':' or >= '\x7F')
                return false;
        }
        return !name.IsEmpty;
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException("a header block is not UTF-8", e);
        }
    }

    /// <summary>
    /// Computes a version 8 UUID (RFC 9562) from the seed, the exchange's number in the file, the type and the content.
    /// </summary>
    private static string NewId(string seed, long ordinal, string type, string blockDigest)
    {
        var hash = SHA256.HashData(StrictUtf8.GetBytes($"{seed}\n{ordinal}\n{type}\n{blockDigest}"));
        hash[6] = (byte)(hash[6] & 0x0F | 0x80);
        hash[8] = (byte)(hash[8] & 0x3F | 0x80);
        return $"<urn:uuid:{new Guid(hash.AsSpan(0, 16), bigEndian: true):D}>";
    }
}
