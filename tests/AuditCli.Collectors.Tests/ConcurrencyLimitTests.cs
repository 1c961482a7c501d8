namespace AuditCli.Collectors.Tests;

public sealed class ConcurrencyLimitTests
{
    private static readonly (string, string, string) Iam = ("123456789012", "iam", "aws-global");
    private static readonly (string, string, string) Here = ("123456789012", "ec2", "eu-west-1");
    private static readonly (string, string, string) There = ("123456789012", "ec2", "us-east-1");

    [Fact]
    public async Task A_service_that_does_not_answer_holds_up_only_itself_in_its_own_region_and_account()
    {
        using var limit = new ConcurrencyLimit(overall: 16, perServiceAndRegion: 2);
        var silent = new TaskCompletionSource<int>();
        Task<int>[] stuck = [.. Enumerable.Range(0, 5).Select(_ => limit.RunAsync(Here, () => new ValueTask<int>(silent.Task), CancellationToken.None))];

        Assert.Equal(1, await limit.RunAsync(There, () => ValueTask.FromResult(1), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(2, await limit.RunAsync(Iam, () => ValueTask.FromResult(2), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(3, await limit.RunAsync(Here with { Item1 = "999999999999" }, () => ValueTask.FromResult(3), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.All(stuck, s => Assert.False(s.IsCompleted));

        silent.SetResult(0);
        await Task.WhenAll(stuck).WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData(3, 100, 3)]
    [InlineData(100, 2, 4)]
    public async Task No_more_than_allowed_are_on_their_way(int overall, int perServiceAndRegion, int most)
    {
        using var limit = new ConcurrencyLimit(overall, perServiceAndRegion);
        var (now, seen) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 40).Select(n => limit.RunAsync(n % 2 == 0 ? Here : There, StepAsync, CancellationToken.None))).WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(most, seen);

        async ValueTask<int> StepAsync()
        {
            var running = Interlocked.Increment(ref now);
            for (int was; (was = Volatile.Read(ref seen)) < running && Interlocked.CompareExchange(ref seen, running, was) != was;)
            {
            }
            await Task.Delay(5);
            return Interlocked.Decrement(ref now);
        }
    }

    [Fact]
    public async Task A_step_that_fails_and_a_wait_that_is_cancelled_leave_room_for_the_next()
    {
        using var limit = new ConcurrencyLimit(1, 1);
        await Assert.ThrowsAsync<IOException>(() => limit.RunAsync<int>(Iam, () => throw new IOException("broken"), CancellationToken.None));
        using var cancelled = new CancellationTokenSource();
        var silent = new TaskCompletionSource<int>();
        var first = limit.RunAsync(Iam, () => new ValueTask<int>(silent.Task), CancellationToken.None);
        var waiting = limit.RunAsync(Iam, () => ValueTask.FromResult(0), cancelled.Token);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        silent.SetResult(7);

        Assert.Equal(7, await first);
        Assert.Equal(8, await limit.RunAsync(Iam, () => ValueTask.FromResult(8), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30)));
    }
}
