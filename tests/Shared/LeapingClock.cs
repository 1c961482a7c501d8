namespace AuditCli.Tests;

/// <summary>Tells the real time of day, and measures so many seconds between any two looks; waits and limits are real.</summary>
internal sealed class LeapingClock(int seconds) : TimeProvider
{
    private long _now;

    public override long TimestampFrequency => 1;

    public override long GetTimestamp() => Interlocked.Add(ref _now, seconds);
}
