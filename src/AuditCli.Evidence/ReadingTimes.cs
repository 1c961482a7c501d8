namespace AuditCli.Evidence;

/// <summary>
/// Gathers the times of one evidence item from its attempts, in any order: by this machine's clock and by the servers' clocks. It
/// uses only recorded values, so that live and replayed items have the same times.
/// </summary>
public sealed class ReadingTimes
{
    private (DateTimeOffset First, DateTimeOffset Last)? _sent;
    private (DateTimeOffset First, DateTimeOffset Last)? _dated;
    private (DateTimeOffset First, DateTimeOffset Last)? _undated;
    private const int MostWarnings = 20;
    private readonly SortedSet<string> _warnings = new(StringComparer.Ordinal);
    private TimeSpan? _offset;
    private TimeSpan? _age;
    private long _stale;

    /// <summary>
    /// Estimates how far a server's clock is ahead of this machine's; negative where it is behind. The result is the smallest
    /// difference that the whole seconds of the response's date allow. The date was written after the request was sent, so delays
    /// can only make a server look ahead, and the smallest of several results is the best.
    /// </summary>
    /// <param name="sent">When the request was sent, by this machine's clock.</param>
    /// <param name="answered">The response's date by the server's clock, in whole seconds.</param>
    public static TimeSpan OffsetOf(DateTimeOffset sent, DateTimeOffset answered) =>
        answered > sent ? answered - sent
        : answered.AddSeconds(1) <= sent ? answered.AddSeconds(1) - sent
        : TimeSpan.Zero;

    /// <summary>Adds one attempt.</summary>
    public void Add(ExchangeReference exchange)
    {
        _sent = Wider(_sent, exchange.Date);
        if (exchange.IsStale)
            _stale++;
        foreach (var warning in exchange.ServerWarnings.Where(_ => _warnings.Count < MostWarnings))
            _warnings.Add(warning);
        if (exchange.Age is { } age && !(_age >= age))
            _age = age;
        if (exchange.ServerDate is not { } answered)
        {
            // A cached response holds the state at the moment at which the cache fetched it.
            _undated = Wider(_undated, exchange.Date - (exchange.Age ?? TimeSpan.Zero));
            return;
        }
        _dated = Wider(_dated, answered);
        var offset = OffsetOf(exchange.Date, answered);
        _offset = _offset is { } known && known <= offset ? known : offset;
    }

    /// <summary>Returns the item with the times of the added attempts; without any attempt it is returned unchanged.</summary>
    public EvidenceItem Of(EvidenceItem item)
    {
        if (_sent is not { } sent)
            return item;
        var timed = item with
        {
            Started = sent.First,
            Finished = sent.Last,
            AnswerAgeSeconds = (long?)_age?.TotalSeconds,
            StaleAnswers = _stale > 0 ? _stale : null,
            Notes = [.. item.Notes, .. _warnings.Select(w => $"{item.Operation}: the server warns: {w}")],
        };
        if ((_dated, _offset) is not ({ } read, { } offset))
            return _age is not null && _undated is { } cached ? timed with { ReadFrom = cached.First, ReadUntil = cached.Last } : timed;
        if (_undated is { } undated)
            read = Wider(Wider(read, undated.First + offset), undated.Last + offset);
        return timed with { ReadFrom = read.First, ReadUntil = read.Last, ClockOffsetSeconds = (long)offset.TotalSeconds };
    }

    private static (DateTimeOffset First, DateTimeOffset Last) Wider((DateTimeOffset First, DateTimeOffset Last)? times, DateTimeOffset by) =>
        times is not { } known ? (by, by) : (by < known.First ? by : known.First, by > known.Last ? by : known.Last);
}
