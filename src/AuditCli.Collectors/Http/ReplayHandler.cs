using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Http;

/// <summary>
/// Answers from one file of recorded exchanges; the network is never reached. Equal questions get their answers in the
/// recorded order, each once. Held in memory is one small entry per recorded attempt.
/// </summary>
internal sealed class RecordedAnswers
{
    private const int End = -1;
    private readonly RecordedExchanges _recorded;
    private readonly ExchangePolicy _policy;
    private readonly Lock _turn = new();
    private readonly ImmutableArray<KeyValuePair<string, string>>? _first;

    /// <summary>By question, the first attempt that was not yet handed out.</summary>
    private readonly Dictionary<UInt128, int> _next = [];

    /// <summary>Every attempt, and the next attempt at the same question.</summary>
    private readonly List<(long Request, long Answer, int Next)> _attempts = [];

    /// <exception cref="InvalidDataException">The file is torn or altered; the message names it.</exception>
    public RecordedAnswers(string path, ExchangePolicy policy)
    {
        _recorded = new(path);
        _policy = policy;
        var last = new Dictionary<UInt128, int>();
        foreach (var asked in _recorded.Requests())
        {
            var key = Key(asked.Request.StartLine.Split(' ', 2)[0], asked.Uri, asked.Request.Fields, asked.Request.Body.Span);
            if (last.TryGetValue(key, out var before))
                _attempts[before] = _attempts[before] with { Next = _attempts.Count };
            else
                _next.Add(key, _attempts.Count);
            last[key] = _attempts.Count;
            _attempts.Add((asked.RequestOffset, asked.AnswerOffset, End));
            _first ??= asked.Request.Fields;
            First ??= asked.Uri;
            Dates = Dates is { } d
                ? new(asked.Date < d.First ? asked.Date : d.First, asked.Date > d.Last ? asked.Date : d.Last)
                : new(asked.Date, asked.Date);
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

    /// <summary>The next recorded answer to this request, or null when there is none left.</summary>
    public async Task<RecordedExchange?> NextAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        var fields = request.Headers.NonValidated.Select(h => KeyValuePair.Create(h.Key, h.Value.ToString()));
        var key = Key(request.Method.Method, request.RequestUri!, fields, body);
        (long Request, long Answer, int Next) attempt;
        lock (_turn)
        {
            if (!_next.TryGetValue(key, out var index) || index == End)
                return null;
            attempt = _attempts[index];
            _next[key] = attempt.Next;
            Unused--;
        }
        return _recorded.Read(attempt.Request, attempt.Answer);
    }

    /// <summary>Half of a SHA-256 tells questions apart as well as all of it would: nobody profits from a clash but a replay that fails.</summary>
    private UInt128 Key(string method, Uri uri, IEnumerable<KeyValuePair<string, string>> fields, ReadOnlySpan<byte> body) =>
        BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(_policy.Key(method, uri, fields, body))));
}

/// <summary>The innermost handler of a replay. What an SDK hangs below it is never called.</summary>
/// <param name="answers">Null when nothing was recorded for the scope.</param>
/// <param name="keep">Copies the recorded records into the new bundle.</param>
internal sealed class ReplayHandler(
    RecordedAnswers? answers,
    Func<RecordedExchange, CancellationToken, ValueTask> keep,
    ExchangePolicy policy) : DelegatingHandler
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
