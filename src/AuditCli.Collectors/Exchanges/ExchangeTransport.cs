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
    private readonly ExchangeLogs? _own;
    private ExchangeLogs? _logs;
    private int _bundles;
    private int _closed;

    /// <param name="bundleFolder">The folder of the bundle under construction; null to store nothing.</param>
    /// <param name="seed">Makes record identifiers unique: the bundle's id, or more.</param>
    private protected ExchangeTransport(string? bundleFolder, string seed) =>
        _logs = _own = bundleFolder is null ? null : new(bundleFolder, seed, ++_bundles);

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

    /// <summary>
    /// Records into another bundle until the result is disposed of, which closes the files. No request may be in progress then: it would be
    /// recorded in one bundle and named in another.
    /// </summary>
    /// <inheritdoc cref="ExchangeTransport(string?, string)" path="/param"/>
    public IAsyncDisposable RecordInto(string bundleFolder, string seed)
    {
        var into = new ExchangeLogs(bundleFolder, seed, ++_bundles);
        Volatile.Write(ref _logs, into);
        return new Recording(this, into);
    }

    /// <summary>Copies an exchange that an earlier process recorded for this run.</summary>
    /// <param name="file">The path in the bundle.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    internal async Task CopyAsync(string file, RecordedExchange recorded, CancellationToken cancellationToken)
    {
        MeasureClock(recorded.Exchange);
        await Logs!.Of(file).AppendCopyAsync(recorded.Request, recorded.Answer, cancellationToken);
    }

    /// <summary>Closes every file; all recorded exchanges are on disk afterwards.</summary>
    /// <exception cref="IOException">Exchanges could not be written.</exception>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            if (_own is not null)
                await _own.DisposeAsync();
            await CloseAsync();
        }
        GC.SuppressFinalize(this);
    }

    /// <summary>The files into which exchanges are recorded now; null if nothing is stored.</summary>
    private protected ExchangeLogs? Logs => Volatile.Read(ref _logs);

    /// <summary>Closes what else the transport has open.</summary>
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

    private sealed class Recording(ExchangeTransport transport, ExchangeLogs into) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Volatile.Write(ref transport._logs, transport._own);
            await into.DisposeAsync();
        }
    }
}
