namespace AuditCli.Collectors.Tests.Http;

/// <summary>Tells the real time, and lets every wait between attempts pass at once; it remembers how long each would have been.</summary>
internal sealed class ImpatientClock : TimeProvider
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(25);
    private readonly System.Collections.Concurrent.ConcurrentQueue<TimeSpan> _waits = new();

    public IReadOnlyCollection<TimeSpan> Waits => _waits;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime > Longest || dueTime < TimeSpan.Zero)
            return base.CreateTimer(callback, state, dueTime, period);
        _waits.Enqueue(dueTime);
        return base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
