namespace AuditCli.Tests;

/// <summary>
/// A clock whose time stamps advance by a fixed number of seconds with each reading. The time of day, waits and timeouts are real.
/// </summary>
internal sealed class LeapingClock(int seconds) : TimeProvider
{
    private long _now;

    public override long TimestampFrequency => 1;

    public override long GetTimestamp() => Interlocked.Add(ref _now, seconds);
}
