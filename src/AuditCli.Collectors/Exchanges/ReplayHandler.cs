using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// Replays responses from one file of recorded exchanges, without using the network. Each requester gets the responses to its own equal
/// requests in the recorded order, each once. Memory holds one small entry per recorded attempt.
/// </summary>
internal sealed class RecordedAnswers
{
    private const int End = -1;

    /// <summary>A value that is neither an evidence id nor a requester.</summary>
    private const string Anybody = "*";
    private readonly RecordedExchanges _recorded;
    private readonly ExchangePolicy _policy;
    private readonly Lock _turn = new();
    private readonly ImmutableArray<KeyValuePair<string, string>>? _first;

    /// <summary>By request and requester, the first attempt that this requester has not received yet.</summary>
    private readonly Dictionary<UInt128, int> _next = [];

    /// <summary>By request, the first attempt of any requester.</summary>
    private readonly Dictionary<UInt128, int> _firstOf = [];

    /// <summary>
    /// Every attempt, with the next attempt of the same requester at the same request, and the last bundle into which it was replayed; 0 for none.
    /// </summary>
    private readonly List<(long Request, long Answer, int Next, int Into)> _attempts = [];

    /// <exception cref="InvalidDataException">The file is truncated or altered; the message names it.</exception>
    public RecordedAnswers(string path, ExchangePolicy policy)
    {
        _recorded = new(path);
        _policy = policy;
        var last = new Dictionary<UInt128, int>();
        foreach (var asked in _recorded.Requests())
        {
            var question = _policy.Key(asked.Request.StartLine.Split(' ', 2)[0], asked.Uri, asked.Request.Fields, asked.Request.Body.Span);
            var key = Key(question, asked.AskedFor);
            _firstOf.TryAdd(Key(question, Anybody), _attempts.Count);
            if (last.TryGetValue(key, out var before))
                _attempts[before] = _attempts[before] with { Next = _attempts.Count };
            else
                _next.Add(key, _attempts.Count);
            last[key] = _attempts.Count;
            _attempts.Add((asked.RequestOffset, asked.AnswerOffset, End, 0));
            _first ??= asked.Request.Fields;
            First ??= asked.Uri;
            Dates = RecordedDates.With(Dates, asked.Date);
        }
        Unused = _attempts.Count;
    }

    /// <summary>The URI of the first recorded request; null if nothing is recorded.</summary>
    public Uri? First { get; }

    /// <summary>Returns a header of the first recorded request; null if there is none.</summary>
    public string? FirstField(string name) => _first?.FirstOrDefault(f => f.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>The times of the first and the last request; null if nothing is recorded.</summary>
    public RecordedDates? Dates { get; }

    /// <summary>The number of responses not replayed so far.</summary>
    public long Unused { get; private set; }

    /// <summary>
    /// Returns the next recorded response to this request, and whether it is new to the bundle; null if none is left. The
    /// requester of the recording gets its own responses. Another requester of the same request, such as evidence of another control, gets
    /// those of the first requester, from the beginning.
    /// </summary>
    /// <param name="askedFor">The value of <see cref="HttpExchange.AskedFor"/>.</param>
    /// <param name="into">The number of the bundle into which it is replayed.</param>
    public async Task<(RecordedExchange Recorded, bool First)?> NextAsync(
        HttpRequestMessage request, string? askedFor, int into, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        var fields = request.Headers.NonValidated.Select(h => KeyValuePair.Create(h.Key, h.Value.ToString()));
        var question = _policy.Key(request.Method.Method, request.RequestUri!, fields, body);
        (long Request, long Answer, int Next, int Into) attempt;
        lock (_turn)
        {
            var key = Key(question, askedFor);
            // Files without requesters have one sequence of responses for all.
            if (!_next.ContainsKey(key) && _next.ContainsKey(Key(question, null)))
                key = Key(question, null);
            if (!_next.TryGetValue(key, out var index) && !_firstOf.TryGetValue(Key(question, Anybody), out index) || index == End)
                return null;
            attempt = _attempts[index];
            _next[key] = attempt.Next;
            _attempts[index] = attempt with { Into = into };
            if (attempt.Into == 0)
                Unused--;
        }
        return (_recorded.Read(attempt.Request, attempt.Answer), attempt.Into != into);
    }

    /// <summary>
    /// Returns a key for a request and requester. Half of a SHA-256 is sufficient: a collision would only make the replay fail.
    /// </summary>
    private static UInt128 Key(string question, string? askedFor) =>
        BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{question}\n{askedFor}")));
}

/// <summary>The innermost handler of a replay. A handler that an SDK attaches below it is never called.</summary>
/// <param name="answers">Null if nothing was recorded for the scope.</param>
/// <param name="askedFor">Returns the requester of the current flow.</param>
/// <param name="into">Returns the number of the bundle into which exchanges are copied now.</param>
/// <param name="keep">
/// Receives the recorded records, and whether they are to be copied into the new bundle, which happens only once.
/// </param>
/// <param name="places">Returns the places that the model of the response to a request defines; null if there are no models.</param>
internal sealed class ReplayHandler(
    RecordedAnswers? answers,
    Func<string?> askedFor,
    Func<int> into,
    Func<RecordedExchange, bool, AnswerPlaces?, CancellationToken, ValueTask> keep,
    ExchangePolicy policy,
    Func<HttpRequestMessage, AnswerPlaces?>? places = null) : DelegatingHandler
{
    /// <exception cref="ExchangeRefusedException">
    /// There is no (further) recorded response (<see cref="Codes.NoRecording"/>).
    /// </exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (answers is null || await answers.NextAsync(request, askedFor(), into(), cancellationToken) is not var (recorded, first))
            throw new ExchangeRefusedException(Codes.NoRecording, $"not recorded: {request.Method} {policy.Clean(request.RequestUri!)}");
        await keep(recorded, first, places?.Invoke(request), cancellationToken);
        return recorded.Exchange.Response is not null
            ? RecordedResponse.Message(recorded.Exchange, request)
            : throw FailureChain.Restore(recorded.Exchange.Failure);
    }
}
