using System.Collections.Concurrent;
using System.Text;
using AuditCli.Evidence;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Http;

/// <summary>
/// Answers from one file of recorded exchanges; the network is never reached. Equal questions get their answers in the
/// recorded order, each once. Only an index is held in memory.
/// </summary>
internal sealed class RecordedAnswers
{
    private readonly RecordedExchanges _recorded;
    private readonly ExchangePolicy _policy;
    private readonly ConcurrentDictionary<Digest, ConcurrentQueue<(long Request, long Answer)>> _answers = new();

    /// <exception cref="InvalidDataException">The file is torn or altered; the message names it.</exception>
    public RecordedAnswers(string path, ExchangePolicy policy)
    {
        _recorded = new(path);
        _policy = policy;
        foreach (var asked in _recorded.Requests())
        {
            var method = asked.Request.StartLine.Split(' ', 2)[0];
            _answers.GetOrAdd(Key(method, asked.Uri, asked.Request.Fields, asked.Request.Body.Span), _ => new()).Enqueue((asked.RequestOffset, asked.AnswerOffset));
            Origin ??= new(asked.Uri.GetLeftPart(UriPartial.Authority));
            if (LatestDate is null || asked.Date > LatestDate)
                LatestDate = asked.Date;
        }
    }

    /// <summary>Scheme and authority of the first recorded request; null when nothing is recorded.</summary>
    public Uri? Origin { get; }

    /// <summary>When the last request was sent.</summary>
    public DateTimeOffset? LatestDate { get; }

    /// <summary>Answers nobody asked for so far.</summary>
    public long Unused => _answers.Values.Sum(q => (long)q.Count);

    /// <summary>The next recorded answer to this request, or null when there is none left.</summary>
    public async Task<RecordedExchange?> NextAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        var fields = request.Headers.NonValidated.Select(h => KeyValuePair.Create(h.Key, h.Value.ToString()));
        return _answers.TryGetValue(Key(request.Method.Method, request.RequestUri!, fields, body), out var queue) && queue.TryDequeue(out var at)
            ? _recorded.Read(at.Request, at.Answer)
            : null;
    }

    private Digest Key(string method, Uri uri, IEnumerable<KeyValuePair<string, string>> fields, ReadOnlySpan<byte> body) =>
        Digest.Of(Encoding.UTF8.GetBytes(_policy.Key(method, uri, fields, body)));
}

/// <summary>The innermost handler of a replay.</summary>
/// <param name="answers">Null when nothing was recorded for the scope.</param>
/// <param name="keep">Copies the recorded records into the new bundle.</param>
internal sealed class ReplayHandler(
    RecordedAnswers? answers,
    Func<RecordedExchange, CancellationToken, ValueTask> keep,
    ExchangePolicy policy) : HttpMessageHandler
{
    /// <exception cref="ExchangeRefusedException">There is no (further) recorded answer (<see cref="ExchangeRefusedException.NoRecording"/>).</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (answers is null || await answers.NextAsync(request, cancellationToken) is not { } recorded)
            throw new ExchangeRefusedException(ExchangeRefusedException.NoRecording, $"not recorded: {request.Method} {policy.Clean(request.RequestUri!)}");
        await keep(recorded, cancellationToken);
        return recorded.Exchange.Response is { } response
            ? RecordedResponse.Message(response, recorded.Exchange.Protocol, request)
            : throw FailureChain.Restore(recorded.Exchange.Failure);
    }
}
