using System.Diagnostics;

namespace AuditCli.Controls.Evaluation.Isolation;

/// <summary>
/// Kills a child that exceeds the time of a step, or whose job is cancelled. A step has its time on the clock, and while the child got less
/// than that of a busy machine's processors, up to a few times as long: otherwise the same evidence would give an error where others work.
/// </summary>
internal sealed class ChildWatch : IDisposable
{
    /// <summary>How many times its limit a step may take on the clock.</summary>
    private const int MostTimes = 6;

    private readonly ChildProcess _child;
    private readonly Func<string, (TimeSpan Limit, TimeSpan Grace)> _time;
    private readonly Timer _timer;
    private readonly CancellationTokenRegistration _cancelled;
    private readonly Lock _one = new();
    private (TimeSpan Limit, TimeSpan Allowed, long Began, TimeSpan Used) _now;
    private bool _isOver;

    /// <param name="first">The time limit until the first step begins.</param>
    /// <param name="time">Returns the time limit of a step, and how much later the child is killed.</param>
    public ChildWatch(ChildProcess child, TimeSpan first, Func<string, (TimeSpan Limit, TimeSpan Grace)> time, CancellationToken cancellationToken)
    {
        (_child, _time) = (child, time);
        _timer = new(_ => Look());
        _cancelled = cancellationToken.Register(child.Kill);
        Start(first, first);
    }

    public string? Step { get; private set; }

    /// <summary>Why the child was stopped; null when it was not.</summary>
    public string? Why { get; private set; }

    public void Begin(string step)
    {
        Step = step;
        var (limit, grace) = _time(step);
        Start(limit, limit + grace);
    }

    public void Stop(string why)
    {
        Why ??= why;
        _child.Kill();
    }

    public void Dispose()
    {
        _cancelled.Dispose();
        lock (_one)
            _isOver = true;
        _timer.Dispose();
    }

    private void Start(TimeSpan limit, TimeSpan allowed)
    {
        lock (_one)
        {
            _now = (limit, allowed, Stopwatch.GetTimestamp(), _child.ProcessorTime);
            _timer.Change(allowed, Timeout.InfiniteTimeSpan);
        }
    }

    private void Look()
    {
        lock (_one)
        {
            var (elapsed, used) = (Stopwatch.GetElapsedTime(_now.Began), _child.ProcessorTime - _now.Used);
            if (_isOver)
                return;
            // A step that began in the meantime has a later time of its own, and a timer may fire a moment early. Without a new one the step
            // would have no limit.
            if (elapsed < _now.Allowed)
                _timer.Change(_now.Allowed - elapsed + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
            else if (used >= _now.Allowed || elapsed >= _now.Allowed * MostTimes)
                Stop(Faults.OutOfTime(_now.Limit));
            else
                _timer.Change(Min(_now.Allowed - used, _now.Allowed * MostTimes - elapsed) + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        }
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
