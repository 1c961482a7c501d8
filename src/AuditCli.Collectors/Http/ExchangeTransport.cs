using System.Collections.Concurrent;
using System.Collections.Immutable;
using AuditCli.Evidence;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Http;

/// <summary>
/// Where every SDK's HTTP pipeline ends: the network, recorded, or recorded exchanges. A collector cannot see which.
/// Safe for any number of callers.
/// </summary>
public abstract class ExchangeTransport : IAsyncDisposable
{
    private readonly AsyncLocal<ExchangeTrail?> _trail = new();
    private readonly ConcurrentDictionary<string, TimeSpan> _offsets = new(StringComparer.Ordinal);
    private int _closed;

    private protected ExchangeTransport()
    {
    }

    /// <summary>Whether answers come from recorded exchanges; no credential may be looked for then.</summary>
    public abstract bool IsReplay { get; }

    /// <summary>
    /// The pipeline for a scope, from the guard on. The same scope writes to the same file, however often it is opened.
    /// The handler does not own what is below it.
    /// </summary>
    /// <param name="refusal">Why a request may not be sent; null when it may.</param>
    /// <param name="places">What the model of the answer to a request says of secrets; null where there are no models.</param>
    /// <param name="route">The way to the servers; null for the usual one. A replay takes none.</param>
    internal abstract HttpMessageHandler Open(
        ExchangeScope scope, Func<HttpRequestMessage, string?> refusal, Func<HttpRequestMessage, AnswerPlaces?>? places = null, Route? route = null);

    /// <summary>In a replay, the URI of the scope's first recorded request; null live, or when nothing is recorded.</summary>
    public abstract Uri? FirstRecorded(ExchangeScope scope);

    /// <summary>In a replay, scheme and authority of the scope's first recorded request; null live, or when nothing is recorded.</summary>
    public Uri? RecordedOrigin(ExchangeScope scope) => FirstRecorded(scope) is { } first ? new(first.GetLeftPart(UriPartial.Authority)) : null;

    /// <summary>In a replay, a field of the scope's first recorded request; null live, or when it is not recorded.</summary>
    public abstract string? RecordedField(ExchangeScope scope, string name);

    /// <summary>
    /// By host, how far its clock is ahead of this machine's, or of the one that recorded, by its least delayed answer; negative when it is
    /// behind. Hosts whose answers say no time are not there.
    /// </summary>
    public ImmutableSortedDictionary<string, TimeSpan> ClockOffsets => _offsets.ToImmutableSortedDictionary(StringComparer.Ordinal);

    /// <summary>Begins to collect references to the attempts of this async flow; ends with the flow, or with the next call in it.</summary>
    /// <param name="askedFor">As <see cref="Evidence.Warc.HttpExchange.AskedFor"/>.</param>
    public ExchangeTrail BeginTrail(string? askedFor = null)
    {
        var trail = new ExchangeTrail(askedFor);
        _trail.Value = trail;
        return trail;
    }

    /// <summary>Closes every file; what is recorded is on the disk afterwards.</summary>
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
