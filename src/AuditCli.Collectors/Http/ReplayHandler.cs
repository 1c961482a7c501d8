using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Http;

/// <summary>
/// Answers from one file of recorded exchanges; the network is never reached. Whoever asks gets the answers to its equal questions in
/// the recorded order, each once. Held in memory is one small entry per recorded attempt.
/// </summary>
internal sealed class RecordedAnswers
{
    private const int End = -1;

    /// <summary>No evidence-id, and no asker.</summary>
    private const string Anybody = "*";
    private readonly RecordedExchanges _recorded;
    private readonly ExchangePolicy _policy;
    private readonly Lock _turn = new();
    private readonly ImmutableArray<KeyValuePair<string, string>>? _first;

    /// <summary>By question and who asked it, the first attempt that was not yet handed out to that one.</summary>
    private readonly Dictionary<UInt128, int> _next = [];

    /// <summary>By question, the first attempt, whoever asked.</summary>
    private readonly Dictionary<UInt128, int> _firstOf = [];

    /// <summary>Every attempt, the next attempt of the same asker at the same question, and whether it was handed out.</summary>
    private readonly List<(long Request, long Answer, int Next, bool Used)> _attempts = [];

    /// <exception cref="InvalidDataException">The file is torn or altered; the message names it.</exception>
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
            _attempts.Add((asked.RequestOffset, asked.AnswerOffset, End, false));
            _first ??= asked.Request.Fields;
            First ??= asked.Uri;
            Dates = RecordedDates.With(Dates, asked.Date);
        }
        Unused = _attempts.Count;
    }

    /// <summary>The URI of the first recorded request; null when nothing is recorded.</summary>
    public Uri? First { get; }

    /// <summary>A field of the first recorded request, or null.</summary>
    public string? FirstField(string name) => _first?.FirstOrDefault(f => f.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>When the first and the last request were sent; null when nothing is recorded.</summary>
    public RecordedDates? Dates { get; }

    /// <summary>Answers nobody asked for so far.</summary>
    public long Unused { get; private set; }

    /// <summary>
    /// The next recorded answer to this request, and whether it is handed out for the first time; null when there is none left. Who asked in
    /// the recording gets its own answers. Somebody else who asks the same, such as evidence of another control, reads those of whoever
    /// asked first, from their beginning.
    /// </summary>
    /// <param name="askedFor">As <see cref="HttpExchange.AskedFor"/>.</param>
    public async Task<(RecordedExchange Recorded, bool First)?> NextAsync(HttpRequestMessage request, string? askedFor, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        var fields = request.Headers.NonValidated.Select(h => KeyValuePair.Create(h.Key, h.Value.ToString()));
        var question = _policy.Key(request.Method.Method, request.RequestUri!, fields, body);
        (long Request, long Answer, int Next, bool Used) attempt;
        lock (_turn)
        {
            var key = Key(question, askedFor);
            // Files that do not say who asked have one row of answers for all.
            if (!_next.ContainsKey(key) && _next.ContainsKey(Key(question, null)))
                key = Key(question, null);
            if (!_next.TryGetValue(key, out var index) && !_firstOf.TryGetValue(Key(question, Anybody), out index) || index == End)
                return null;
            attempt = _attempts[index];
            _next[key] = attempt.Next;
            _attempts[index] = attempt with { Used = true };
            if (!attempt.Used)
                Unused--;
        }
        return (_recorded.Read(attempt.Request, attempt.Answer), !attempt.Used);
    }

    /// <summary>Half of a SHA-256 tells questions apart as well as all of it would: nobody profits from a clash but a replay that fails.</summary>
    private static UInt128 Key(string question, string? askedFor) =>
        BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{question}\n{askedFor}")));
}

/// <summary>The innermost handler of a replay. What an SDK hangs below it is never called.</summary>
/// <param name="answers">Null when nothing was recorded for the scope.</param>
/// <param name="askedFor">Who asks now.</param>
/// <param name="keep">Given the recorded records, and whether they are to be copied into the new bundle: once, however often they are read.</param>
/// <param name="places">What the model of the answer to a request says; null where there are no models.</param>
internal sealed class ReplayHandler(
    RecordedAnswers? answers,
    Func<string?> askedFor,
    Func<RecordedExchange, bool, AnswerPlaces?, CancellationToken, ValueTask> keep,
    ExchangePolicy policy,
    Func<HttpRequestMessage, AnswerPlaces?>? places = null) : DelegatingHandler
{
    /// <exception cref="ExchangeRefusedException">There is no (further) recorded answer (<see cref="ExchangeRefusedException.NoRecording"/>).</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (answers is null || await answers.NextAsync(request, askedFor(), cancellationToken) is not var (recorded, first))
            throw new ExchangeRefusedException(ExchangeRefusedException.NoRecording, $"not recorded: {request.Method} {policy.Clean(request.RequestUri!)}");
        await keep(recorded, first, places?.Invoke(request), cancellationToken);
        return recorded.Exchange.Response is not null
            ? RecordedResponse.Message(recorded.Exchange, request)
            : throw FailureChain.Restore(recorded.Exchange.Failure);
    }
}
