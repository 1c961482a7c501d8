using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Exchanges;

/// <summary>Records every attempt before its response is passed up to the SDK, so that no unrecorded response can be used.</summary>
internal sealed class ExchangeRecorder : DelegatingHandler
{
    private readonly Func<HttpExchange, AnswerPlaces?, CancellationToken, ValueTask> _keep;
    private readonly Func<HttpRequestMessage, AnswerPlaces?>? _places;
    private readonly ExchangePolicy _policy;
    private readonly ExchangeLimits _limits;
    private readonly TimeProvider _clock;
    private readonly BodyRedaction? _redaction;
    private readonly bool _vouchedFiles;

    /// <param name="keep">Writes the exchange; a failure to write fails the attempt.</param>
    /// <param name="redaction">Null if nothing is recorded.</param>
    /// <param name="places">Returns the places that the model of the response to a request defines; null if there are no models.</param>
    /// <param name="vouchedFiles">See <see cref="ExchangeScope.HasVouchedFiles"/>.</param>
    public ExchangeRecorder(
        Func<HttpExchange, AnswerPlaces?, CancellationToken, ValueTask> keep, ExchangePolicy policy, ExchangeLimits limits, TimeProvider clock,
        BodyRedaction? redaction, Func<HttpRequestMessage, AnswerPlaces?>? places, bool vouchedFiles, HttpMessageHandler inner)
        : base(inner)
    {
        (_keep, _policy, _limits, _clock, _redaction, _places, _vouchedFiles) = (keep, policy, limits, clock, redaction, places, vouchedFiles);
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var sent = await SentAsync(request, cancellationToken);
        if (request.Headers.AcceptEncoding.Count == 0)
            request.Headers.TryAddWithoutValidation("Accept-Encoding", ContentDecoding.Accepted);
        var places = _redaction is null ? null : _places?.Invoke(request);
        var date = _clock.GetUtcNow();
        using var timeout = new CancellationTokenSource(_limits.Attempt, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        HttpExchange exchange;
        try
        {
            using var response = await base.SendAsync(request, either.Token);
            CheckWhole(response);
            var came = await ContentDecoding.ReadAsync(response.Content, _limits.MaxBodyBytes, either.Token);
            if (_vouchedFiles)
                came = ContentDecoding.Inflated(came, _limits.MaxBodyBytes, either.Token);
            var echoed = new EchoedSecrets(request, _policy.DroppedFields);
            var body = echoed.Remove(came);
            (body, var digest) = _redaction?.Apply(body, places) ?? (body, null);
            exchange = Answered(date, request, sent, response, body, echoed) with
            {
                RedactedPayloadDigest = digest,
                OriginalPayloadDigest = digest is not null && _vouchedFiles ? "sha256:" + Digest.Of(came.Span).Hex : null,
            };
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or ExchangeRefusedException)
        {
            var failure = Explain(e, timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested);
            await _keep(
                new(date, _policy.Clean(request.RequestUri!), Protocol(request.Version), Block(request, sent), null, FailureChain.Describe(failure)),
                places,
                CancellationToken.None);
            if (ReferenceEquals(failure, e))
                throw;
            throw failure;
        }
        await _keep(exchange, places, cancellationToken);
        return RecordedResponse.Message(exchange, request);
    }

    /// <summary>Does not dispose the inner handler, which belongs to the transport.</summary>
    protected override void Dispose(bool disposing) => base.Dispose(disposing: false);

    private static async Task<ReadOnlyMemory<byte>> SentAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Content is not { } content)
            return default;
        await content.LoadIntoBufferAsync(cancellationToken);
        return await content.ReadAsByteArrayAsync(cancellationToken);
    }

    /// <summary>Refuses a response that does not say how long it is, or that says that it is a part of one.</summary>
    /// <exception cref="ExchangeRefusedException">It is such a response (<see cref="Codes.MalformedResponse"/>).</exception>
    private static void CheckWhole(HttpResponseMessage response)
    {
        var fields = response.Content.Headers.NonValidated;
        if (fields.TryGetValues("Content-Length", out var lengths)
            && lengths.SelectMany(l => l.Split(',', StringSplitOptions.TrimEntries)).Distinct(StringComparer.Ordinal).Count() > 1)
            throw new ExchangeRefusedException(Codes.MalformedResponse, $"the response has several lengths (Content-Length: {lengths})");
        if (fields.TryGetValues("Content-Type", out var types) && types.Distinct(StringComparer.OrdinalIgnoreCase).Count() > 1)
            throw new ExchangeRefusedException(Codes.MalformedResponse, $"the response is of several types (Content-Type: {types})");
        // A part has the status 206, which no source accepts, and a range that cannot be served has 416.
        if (response.StatusCode is not (HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable)
            && fields.TryGetValues("Content-Range", out var range))
        {
            throw new ExchangeRefusedException(Codes.MalformedResponse, string.Create(
                CultureInfo.InvariantCulture, $"the response has status {(int)response.StatusCode}, but says that it is a part (Content-Range: {range})"));
        }
    }

    private HttpExchange Answered(
        DateTimeOffset date, HttpRequestMessage request, ReadOnlyMemory<byte> sent, HttpResponseMessage response, ReadOnlyMemory<byte> body,
        EchoedSecrets echoed)
    {
        // The response to HEAD has no body, but states the length that the body would have.
        var length = request.Method == HttpMethod.Head ? response.Content.Headers.ContentLength : body.Length;
        var fields = Fields(response.Headers.NonValidated, response.Content.Headers.NonValidated, length);
        fields = [.. fields.Select(f => KeyValuePair.Create(echoed.RemoveFromName(f.Key), echoed.Remove(f.Value)))];
        var reason = echoed.Remove(response.ReasonPhrase ?? "");
        if (_redaction is not null)
            (fields, reason) = ([.. fields.Select(f => KeyValuePair.Create(f.Key, _redaction.Field(f.Key, f.Value)))], _redaction.Field("", reason));
        var coding = string.Join(", ", response.Content.Headers.ContentEncoding);
        return new(
            date, _policy.Clean(request.RequestUri!), Protocol(response.Version), Block(request, sent),
            new(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {(int)response.StatusCode} {reason}"), fields, body), [])
        {
            OriginalContentEncoding = coding.Length == 0 ? null : coding,
        };
    }

    private HttpBlock Block(HttpRequestMessage request, ReadOnlyMemory<byte> sent)
    {
        var uri = _policy.Clean(request.RequestUri!);
        var fields = Fields(request.Headers.NonValidated, request.Content?.Headers.NonValidated, request.Content is null ? null : sent.Length);
        if (!fields.Any(f => f.Key.Equals("Host", StringComparison.OrdinalIgnoreCase)))
            fields = fields.Insert(0, new("Host", uri.Authority));
        return new($"{request.Method} {uri.PathAndQuery} HTTP/1.1", fields, sent);
    }

    private ImmutableArray<KeyValuePair<string, string>> Fields(
        System.Net.Http.Headers.HttpHeadersNonValidated message, System.Net.Http.Headers.HttpHeadersNonValidated? content, long? length)
    {
        var fields = message.Concat(content ?? default)
            .Where(h => !_policy.DroppedFields.Contains(h.Key))
            .SelectMany(h => h.Value.Select(v => KeyValuePair.Create(h.Key, v)));
        return length is { } bytes ? [.. fields, new("Content-Length", bytes.ToString(CultureInfo.InvariantCulture))] : [.. fields];
    }

    /// <summary>
    /// Converts a failure to the form that HttpClient uses: a truncated body is a failed request, and an exceeded time limit is a timeout.
    /// </summary>
    private Exception Explain(Exception failure, bool timedOut) => failure switch
    {
        OperationCanceledException when timedOut => new HttpRequestException(
            HttpRequestError.Unknown, "no response in time",
            new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"there was no complete response within {_limits.Attempt.TotalSeconds} s"))),
        IOException broken => new HttpRequestException(HttpRequestError.ResponseEnded, broken.Message, broken),
        _ => failure,
    };

    private static string Protocol(Version version) => version.Major == 2 ? "h2" : "http/1.1";
}
