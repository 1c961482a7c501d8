using System.Collections.Concurrent;
using System.Collections.Immutable;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// The lower end of every SDK's HTTP pipeline: the network with recording, or a replay of recorded exchanges. A collector cannot
/// distinguish them. Thread-safe.
/// </summary>
public abstract class ExchangeTransport : IAsyncDisposable
{
    private readonly AsyncLocal<ExchangeTrail?> _trail = new();
    private readonly ConcurrentDictionary<string, TimeSpan> _offsets = new(StringComparer.Ordinal);
    private int _closed;

    private protected ExchangeTransport()
    {
    }

    /// <summary>Whether responses come from recorded exchanges; no credentials may be looked up then.</summary>
    public abstract bool IsReplay { get; }

    /// <summary>
    /// Returns the pipeline for a scope, beginning with the guard. The same scope always writes to the same file. Disposing the handler
    /// does not dispose the handlers below it.
    /// </summary>
    /// <param name="refusal">Returns why a request may not be sent; null if it may.</param>
    /// <param name="places">
    /// Returns the secret places that the model of the response to a request defines; null if there are no models.
    /// </param>
    /// <param name="route">The route to the servers; null for the usual one. Ignored in a replay.</param>
    internal abstract HttpMessageHandler Open(
        ExchangeScope scope, Func<HttpRequestMessage, string?> refusal, Func<HttpRequestMessage, AnswerPlaces?>? places = null, Route? route = null);

    /// <summary>Called as a wait begins that a server asked for; from many threads.</summary>
    public Action<RequestedWait> Waiting { get; init; } = _ => { };

    /// <summary>Returns the waits between attempts; a replay does not wait.</summary>
    internal RetryWaits Waits(TimeProvider? clock) => new(IsReplay ? null : clock, Waiting);

    /// <summary>Returns the URI of the scope's first recorded request in a replay; null live, or if nothing is recorded.</summary>
    public abstract Uri? FirstRecorded(ExchangeScope scope);

    /// <summary>
    /// Returns the scheme and authority of the scope's first recorded request in a replay; null live, or if nothing is recorded.
    /// </summary>
    public Uri? RecordedOrigin(ExchangeScope scope) => FirstRecorded(scope) is { } first ? new(first.GetLeftPart(UriPartial.Authority)) : null;

    /// <summary>Returns a header of the scope's first recorded request in a replay; null live, or if it is not recorded.</summary>
    public abstract string? RecordedField(ExchangeScope scope, string name);

    /// <summary>
    /// How far each host's clock is ahead of the clock of the machine that recorded, estimated from its least delayed response; negative if
    /// it is behind. Hosts whose responses have no date are omitted.
    /// </summary>
    public ImmutableSortedDictionary<string, TimeSpan> ClockOffsets => _offsets.ToImmutableSortedDictionary(StringComparer.Ordinal);

    /// <summary>Begins to collect references to the attempts of this async flow; ends with the flow, or with the next call in it.</summary>
    /// <param name="askedFor">The value of <see cref="Evidence.Warc.HttpExchange.AskedFor"/>.</param>
    public ExchangeTrail BeginTrail(string? askedFor = null)
    {
        var trail = new ExchangeTrail(askedFor);
        _trail.Value = trail;
        return trail;
    }

    /// <summary>Closes every file; all recorded exchanges are on disk afterwards.</summary>
    /// <exception cref="IOException">Exchanges could not be written.</exception>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
            await CloseAsync();
        GC.SuppressFinalize(this);
    }

    private protected abstract ValueTask CloseAsync();

    private protected void MeasureClock(HttpExchange exchange)
    {
        if (exchange.ServerDate is not { } answered)
            return;
        var offset = ReadingTimes.OffsetOf(exchange.Date, answered);
        _offsets.AddOrUpdate(exchange.Uri.Host, offset, (_, known) => offset < known ? offset : known);
    }

    private protected string? AskedFor => _trail.Value?.AskedFor;

    private protected void Note(ExchangeReference reference) => _trail.Value?.Add(reference);
}
