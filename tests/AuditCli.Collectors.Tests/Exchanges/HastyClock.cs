
namespace AuditCli.Collectors.Tests.Exchanges;

/// <summary>A clock that runs a given number of times faster, waits and timeouts included.</summary>
internal sealed class HastyClock(int times) : TimeProvider
{
    private readonly DateTimeOffset _start = DateTimeOffset.UtcNow;
    private readonly long _began = System.GetTimestamp();

    public override long TimestampFrequency => System.TimestampFrequency;

    public override long GetTimestamp() => _began + ((System.GetTimestamp() - _began) * times);

    public override DateTimeOffset GetUtcNow() => _start + System.GetElapsedTime(_began, GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        System.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? dueTime / times : dueTime, period > TimeSpan.Zero ? period / times : period);
}
