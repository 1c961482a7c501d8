using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Running;

namespace AuditCli.Collectors.Tests.Running;

public sealed class ConcurrencyLimitTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly LimitKey Iam = new("aws", "123456789012", "aws-global", "iam");
    private static readonly LimitKey Here = new("aws", "123456789012", "eu-west-1", "ec2");
    private static readonly LimitKey There = Here with { Region = "us-east-1" };
    private static readonly LimitKey Besides = Here with { Service = "rds" };
    private static readonly LimitKey Another = Here with { Owner = "999999999999" };

    [Fact]
    public async Task A_service_that_does_not_answer_holds_up_only_itself_in_its_own_region_and_account()
    {
        var limit = new ConcurrencyLimit(new(AtOnce: 16, PerAccountAndRegion: 4, PerService: 2, Connections: 16));
        var silent = new TaskCompletionSource<int>();
        Task<int>[] stuck = [.. Enumerable.Range(0, 50).Select(_ => limit.RunAsync(Here, () => new ValueTask<int>(silent.Task), CancellationToken.None))];

        foreach (var (key, n) in new[] { There, Iam, Besides, Another }.Index().Select(k => (k.Item, k.Index)))
            Assert.Equal(n, await limit.RunAsync(key, () => ValueTask.FromResult(n), CancellationToken.None).WaitAsync(Patience));
        Assert.All(stuck, s => Assert.False(s.IsCompleted));

        silent.SetResult(0);
        await Task.WhenAll(stuck).WaitAsync(Patience);
    }

    [Fact]
    public async Task An_account_that_does_not_answer_leaves_room_for_the_others()
    {
        var limit = new ConcurrencyLimit(new(AtOnce: 16, PerAccountAndRegion: 4, PerService: 4, Connections: 16));
        var silent = new TaskCompletionSource<int>();
        Task<int>[] stuck =
        [
            .. Enumerable.Range(0, 50)
                .Select(n => limit.RunAsync(Here with { Service = $"s{n}" }, () => new ValueTask<int>(silent.Task), CancellationToken.None)),
        ];

        Assert.Equal(1, await limit.RunAsync(Another, () => ValueTask.FromResult(1), CancellationToken.None).WaitAsync(Patience));
        Assert.Equal(2, await limit.RunAsync(There, () => ValueTask.FromResult(2), CancellationToken.None).WaitAsync(Patience));
        Assert.All(stuck, s => Assert.False(s.IsCompleted));

        silent.SetResult(0);
        await Task.WhenAll(stuck).WaitAsync(Patience);
    }

    [Theory]
    [InlineData(3, 100, 100, 3)]    // in total
    [InlineData(100, 100, 2, 8)]    // two for each of four services
    [InlineData(100, 3, 2, 7)]      // three for the place with two services, two for each of the others
    public async Task No_more_than_allowed_are_on_their_way(int inAll, int perPlace, int perService, int most)
    {
        var limit = new ConcurrencyLimit(new(inAll, perPlace, perService, inAll));
        LimitKey[] keys = [Here, There, Besides, Another];
        var (now, seen) = (0, 0);
        // As many calls as allowed must run at the same time, and never more.
        var met = new TaskCompletionSource();
        await Task.WhenAll(Enumerable.Range(0, 80).Select(n => limit.RunAsync(keys[n % keys.Length], StepAsync, CancellationToken.None))).WaitAsync(Patience);
        Assert.Equal(most, seen);

        async ValueTask<int> StepAsync()
        {
            var running = Interlocked.Increment(ref now);
            for (int was; (was = Volatile.Read(ref seen)) < running && Interlocked.CompareExchange(ref seen, running, was) != was;)
            {
            }
            if (running >= most)
                met.TrySetResult();
            await met.Task;
            await Task.Yield();
            return Interlocked.Decrement(ref now);
        }
    }

    [Fact]
    public async Task Whoever_waits_for_its_account_holds_no_place_of_the_others()
    {
        var limit = new ConcurrencyLimit(new(AtOnce: 2, PerAccountAndRegion: 1, PerService: 1, Connections: 2));
        var silent = new TaskCompletionSource<int>();
        Task<int>[] stuck = [.. Enumerable.Range(0, 10).Select(_ => limit.RunAsync(Here, () => new ValueTask<int>(silent.Task), CancellationToken.None))];
        for (var n = 0; n < 10; n++)
            Assert.Equal(n, await limit.RunAsync(Another, () => ValueTask.FromResult(n), CancellationToken.None).WaitAsync(Patience));
        silent.SetResult(0);
        await Task.WhenAll(stuck).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_step_that_fails_and_a_wait_that_is_cancelled_leave_room_for_the_next()
    {
        var limit = new ConcurrencyLimit(new(1, 1, 1, 1));
        await Assert.ThrowsAsync<IOException>(() => limit.RunAsync<int>(Iam, () => throw new IOException("broken"), CancellationToken.None));
        using var cancelled = new CancellationTokenSource();
        var silent = new TaskCompletionSource<int>();
        var first = limit.RunAsync(Iam, () => new ValueTask<int>(silent.Task), CancellationToken.None);
        var waiting = limit.RunAsync(Iam, () => ValueTask.FromResult(0), cancelled.Token);
        var behind = limit.RunAsync(Iam, () => ValueTask.FromResult(9), CancellationToken.None);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        silent.SetResult(7);

        Assert.Equal(7, await first);
        Assert.Equal(9, await behind.WaitAsync(Patience));
        Assert.Equal(8, await limit.RunAsync(Iam, () => ValueTask.FromResult(8), CancellationToken.None).WaitAsync(Patience));
    }

    [Theory]
    [InlineData(1_048_576, 128, 512)]
    [InlineData(1024, 128, 512)]
    [InlineData(512, 128, 176)]
    [InlineData(256, 24, 24)]
    [InlineData(224, 8, 8)]
    public void Requests_and_connections_fit_the_files_that_may_be_open(long openFiles, int atOnce, int connections)
    {
        var limits = RequestLimits.Default.Within(openFiles);
        Assert.Equal((atOnce, connections), (limits.AtOnce, limits.Connections));
    }

    [Fact]
    public void Too_few_files_are_said_with_the_number_that_is_needed() =>
        Assert.Contains(
            "223 files open at once, and a run needs 224", Assert.Throws<IOException>(() => RequestLimits.Default.Within(223)).Message,
            StringComparison.Ordinal);
}
