
namespace AuditCli.Collectors.Tests.Exchanges;

/// <summary>Tells the real time, and lets every wait between attempts pass at once; it remembers how long each would have been.</summary>
/// <param name="longest">A longer wait is a limit and no wait; null for 25 seconds.</param>
internal sealed class ImpatientClock(TimeSpan? longest = null) : TimeProvider
{
    private readonly TimeSpan _longest = longest ?? TimeSpan.FromSeconds(25);
    private readonly System.Collections.Concurrent.ConcurrentQueue<TimeSpan> _waits = new();

    public IReadOnlyCollection<TimeSpan> Waits => _waits;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime > _longest || dueTime < TimeSpan.Zero)
            return base.CreateTimer(callback, state, dueTime, period);
        _waits.Enqueue(dueTime);
        return base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
