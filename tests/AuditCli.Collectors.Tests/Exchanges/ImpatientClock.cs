
namespace AuditCli.Collectors.Tests.Exchanges;

/// <summary>A clock with the real time on which waits between attempts end at once. It records how long each would have been.</summary>
/// <param name="longest">The longest time that counts as a wait; a longer one is a timeout and stays real. Null for 25 seconds.</param>
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
