using System.Globalization;
using System.Net;
using AuditCli.Evidence;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Http;

/// <summary>
/// What an SDK gets, when recording and when replaying alike: it is built from the record, so that what is not in the file
/// cannot influence a result.
/// </summary>
internal static class RecordedResponse
{
    /// <summary>How many an index of evidence lists; the answers themselves show all.</summary>
    public const int MostRedactions = 100;

    private static readonly string[] RequestIdFields = ["x-amzn-RequestId", "x-amz-request-id", "x-amzn-request-id", "Audit-Id", "X-Goog-Request-Id", "X-GitHub-Request-Id"];

    /// <summary>The response message for a request.</summary>
    /// <exception cref="InvalidDataException">The status line has no status.</exception>
    public static HttpResponseMessage Message(HttpBlock block, string protocol, HttpRequestMessage request)
    {
        var message = new HttpResponseMessage((HttpStatusCode)Status(block))
        {
            Version = protocol == "h2" ? HttpVersion.Version20 : HttpVersion.Version11,
            ReasonPhrase = block.StartLine.Split(' ', 3) is [_, _, var reason] ? reason : "",
            RequestMessage = request,
            Content = new ReadOnlyMemoryContent(block.Body),
        };
        foreach (var (name, value) in block.Fields)
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
                message.Content.Headers.TryAddWithoutValidation(name, value);
        }
        return message;
    }

    /// <summary>The attempt as an index of evidence refers to it.</summary>
    /// <param name="places">What the model of the answer says, by which redactions have their names.</param>
    public static ExchangeReference Reference(string file, string recordId, HttpExchange exchange, AnswerPlaces? places) => new(
        file, recordId,
        exchange.Response is { } response ? RequestIdFields.Select(response.Field).FirstOrDefault(id => id is not null) : null,
        exchange.Response is { } answered ? Status(answered) : 0, exchange.Date)
    {
        Redactions = exchange is { RedactedPayloadDigest: not null, Response: { } redacted }
            ? [.. BodyRedaction.Find(redacted.Body.Span, MostRedactions, places).Select(r => r with { Pointer = $"{recordId}#{r.Pointer}" })]
            : [],
    };

    private static int Status(HttpBlock block) =>
        block.StartLine.Split(' ', 3) is [_, var status, ..] && int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new InvalidDataException($"not a status line: {block.StartLine}");
}
