using System.Diagnostics;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Evaluation.Isolation;
using AuditCli.Tests;

namespace AuditCli.Controls.Tests.Evaluation;

/// <summary>Tests the limit of a step with processes that never end by themselves.</summary>
public sealed class ChildWatchTests
{
    /// <summary>A timer may fire a moment before its time. A watch that then did nothing more would leave the step without a limit.</summary>
    [NeedsFact("sh")]
    public async Task A_step_that_does_not_end_is_ended_whenever_its_timer_fires()
    {
        for (var n = 0; n < 60; n++)
        {
            using var child = ChildProcess.Start(["sh", "-c", n % 2 == 0 ? "exec sleep 100" : "while :; do :; done"], EvaluationLimits.Default);
            var clock = Stopwatch.StartNew();
            using var watch = new ChildWatch(
                child, TimeSpan.FromMilliseconds(20), _ => (TimeSpan.FromMilliseconds(2 + n), TimeSpan.Zero), CancellationToken.None);
            watch.Begin("step");
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            Assert.Equal(0, await child.Output.ReadAsync(new byte[1], patience.Token));
            Assert.NotNull(watch.Why);
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"number {n}: {clock.Elapsed}");
        }
    }
}
