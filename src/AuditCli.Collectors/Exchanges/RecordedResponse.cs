using System.Globalization;
using System.Net;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// Builds the response that an SDK receives, from the record both live and in a replay, so that nothing outside the file can influence a
/// result.
/// </summary>
internal static class RecordedResponse
{
    /// <summary>The number of redactions listed in the evidence index; the responses themselves show all.</summary>
    public const int MostRedactions = 100;

    /// <summary>
    /// The header in which the message has <see cref="HttpExchange.OriginalPayloadDigest"/>; a header of this name from the provider is
    /// removed.
    /// </summary>
    public const string OriginalDigestField = "x-auditcli-original-payload-digest";

    /// <summary>Returns the response message for a request.</summary>
    /// <param name="exchange">An exchange that has a response.</param>
    /// <exception cref="InvalidDataException">The status line has no valid status.</exception>
    public static HttpResponseMessage Message(HttpExchange exchange, HttpRequestMessage request)
    {
        var block = exchange.Response!;
        var message = new HttpResponseMessage((HttpStatusCode)Status(block))
        {
            Version = exchange.Protocol == "h2" ? HttpVersion.Version20 : HttpVersion.Version11,
            ReasonPhrase = block.StartLine.Split(' ', 3) is [_, _, var reason] ? reason : "",
            RequestMessage = request,
            Content = new ReadOnlyMemoryContent(block.Body),
        };
        foreach (var (name, value) in block.Fields)
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
                message.Content.Headers.TryAddWithoutValidation(name, value);
        }
        message.Headers.Remove(OriginalDigestField);
        if (exchange.OriginalPayloadDigest is { } digest)
            message.Headers.TryAddWithoutValidation(OriginalDigestField, digest);
        return message;
    }

    /// <summary>Returns the reference to the attempt for the evidence index.</summary>
    /// <param name="places">The places that the model of the response defines; they name the rules of the redactions.</param>
    public static ExchangeReference Reference(string file, string recordId, HttpExchange exchange, AnswerPlaces? places) => new(
        file, recordId,
        exchange.Response is { } response ? ExchangePolicy.RequestIdFields.Select(response.Field).FirstOrDefault(id => id is not null) : null,
        exchange.Response is { } answered ? Status(answered) : 0, exchange.Date)
    {
        ServerDate = exchange.ServerDate,
        Age = exchange.Age,
        IsStale = exchange.IsStale,
        ServerWarnings = exchange.ServerWarnings,
        Redactions = exchange is { RedactedPayloadDigest: not null, Response: { } redacted }
            ? [.. BodyRedaction.Find(redacted.Body.Span, MostRedactions, places).Select(r => r with { Pointer = $"{recordId}#{r.Pointer}" })]
            : [],
    };

    private static int Status(HttpBlock block) =>
        block.StartLine.Split(' ', 3) is [_, var status, ..] && int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new InvalidDataException($"not a status line: {block.StartLine}");
}
