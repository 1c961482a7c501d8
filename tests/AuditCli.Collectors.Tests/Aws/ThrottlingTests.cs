using AuditCli.Collectors.Aws.Client;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Tests.Exchanges;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>
/// Checks that a throttled call is retried after limited waits, which the provider may lengthen, and that a denied call is not retried.
/// </summary>
[Collection("environment")]
public sealed class ThrottlingTests
{
    [Fact]
    public async Task A_throttled_call_is_retried_and_every_attempt_is_recorded()
    {
        var clock = new ImpatientClock();
        await using var server = new LoopbackServer((_, n) => n < 2 ? FaultAnswers.Throttled : Reaction.Xml(FaultAnswers.Users));
        await using var session = Session.Live(server.Address, clock);

        var answer = await session.CallAsync("iam:ListUsers");

        Assert.Equal("a", answer.GetProperty("Users")[0].GetProperty("UserName").GetString());
        Assert.Equal(["400", "400", "200"], await session.StatusesAsync("iam"));
        Assert.Equal(2, clock.Waits.Count);
    }

    [Fact]
    public async Task A_call_throttled_for_ever_fails_with_the_providers_code_after_a_minute_of_waiting_live_and_replayed()
    {
        var clock = new ImpatientClock();
        await using var server = new LoopbackServer((_, _) => FaultAnswers.Throttled);
        await using var session = Session.Live(server.Address, clock);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListUsers"));

        Assert.Equal(("Throttling", "Rate exceeded"), (e.Code, e.Message));
        var waited = clock.Waits.Aggregate(TimeSpan.Zero, (sum, wait) => sum + wait);
        Assert.InRange(waited, CallAttempts.Patience, CallAttempts.Patience + TimeSpan.FromSeconds(20));
        var attempts = server.Seen.Count;
        Assert.Equal(clock.Waits.Count + 1, attempts);
        await session.Transport.DisposeAsync();

        await using var replay = Session.Replay(session);
        var again = await Assert.ThrowsAsync<CollectionException>(() => replay.CallAsync("iam:ListUsers"));
        Assert.Equal((e.Code, e.Message), (again.Code, again.Message));
        Assert.Equal(attempts, server.Seen.Count);
        Assert.Empty(((ReplayTransport)replay.Transport).Unused);
    }

    [Fact]
    public async Task After_a_service_that_answered_nobody_for_a_minute_the_next_calls_ask_three_times()
    {
        await using var server = new LoopbackServer((_, _) => FaultAnswers.Throttled);
        await using var session = Session.Live(server.Address, new ImpatientClock());
        await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListUsers"));
        var before = server.Seen.Count;

        await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListRoles"));

        Assert.Equal(3, server.Seen.Count - before);
    }

    [Fact]
    public async Task A_throttled_call_waits_for_as_long_as_others_are_answered()
    {
        var (asked, answered, seen) = (0, 0, 0);
        await using var server = new LoopbackServer((request, _) =>
        {
            if (!request.Body.Contains("ListUsers", StringComparison.Ordinal))
                return Reaction.Xml(
                    "<ListAccountAliasesResponse><ListAccountAliasesResult><IsTruncated>false</IsTruncated>"
                    + "<AccountAliases/></ListAccountAliasesResult></ListAccountAliasesResponse>");
            // Another call is answered between any two attempts.
            SpinWait.SpinUntil(() => Volatile.Read(ref answered) > seen, TimeSpan.FromSeconds(30));
            seen = Volatile.Read(ref answered);
            return ++asked <= 40 ? FaultAnswers.Throttled : Reaction.Xml(FaultAnswers.Users);
        });
        await using var session = Session.Live(server.Address, new ImpatientClock());
        using var end = new CancellationTokenSource();
        var others = Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                await session.CallAsync("iam:ListAccountAliases");
                Interlocked.Increment(ref answered);
            }
        });

        // Forty waits would exceed the limit of one call. They are allowed only because other calls are answered meanwhile.
        var answer = await session.CallAsync("iam:ListUsers");
        await end.CancelAsync();
        await others;

        Assert.Equal(1, answer.GetProperty("Users").GetArrayLength());
        Assert.Equal(41, asked);
    }

    [Fact]
    public async Task A_throttled_call_that_is_cancelled_ends_at_once()
    {
        using var end = new CancellationTokenSource();
        await using var server = new LoopbackServer((request, _) =>
        {
            if (request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal))
                return Reaction.Xml("<Error><Code>AccessDenied</Code></Error>", 403);
            end.CancelAfter(TimeSpan.FromMilliseconds(200));
            return FaultAnswers.Throttled with { Fields = [("Retry-After", "60")] };
        });
        await using var session = Session.Live(server.Address);
        await FaultAnswers.ConnectAsync(session);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.CollectAsync("iam:ListUsers", end.Token));
    }

    [Theory]
    [InlineData("17")]
    [InlineData("Wed, 25 Nov 2026 10:00:17 GMT")]
    public async Task A_provider_that_asks_for_a_longer_wait_gets_it(string after)
    {
        var clock = new ImpatientClock();
        await using var server = new LoopbackServer((_, n) => n == 0
            ? FaultAnswers.Throttled with { Fields = [("Retry-After", after), ("Date", "Wed, 25 Nov 2026 10:00:00 GMT")] }
            : Reaction.Xml(FaultAnswers.Users));
        await using var session = Session.Live(server.Address, clock);

        await session.CallAsync("iam:ListUsers");

        Assert.Contains(TimeSpan.FromSeconds(17), clock.Waits);
    }

    [Fact]
    public async Task A_status_429_for_ever_is_asked_three_times_and_never_waited_for_longer_than_a_minute()
    {
        var waits = new ImpatientClock(TimeSpan.FromSeconds(61));
        await using var server = new LoopbackServer((_, _) => new Reaction(429, "text/plain", []) { Fields = [("Retry-After", "86400")] });
        await using var session = Session.Live(server.Address, waits, ExchangeLimits.Default with { Attempt = TimeSpan.FromMinutes(5) });

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("kms:ListKeys"));

        Assert.Equal("429", e.Code);
        Assert.Equal([TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60)], waits.Waits);
        Assert.Equal(["429", "429", "429"], await session.StatusesAsync("kms"));
    }

    [Fact]
    public async Task An_unavailable_service_is_asked_three_times()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("<Error><Code>ServiceUnavailable</Code><Message>later</Message></Error>", 503));
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("s3:ListBuckets"));

        Assert.Equal("ServiceUnavailable", e.Code);
        Assert.Equal(["503", "503", "503"], await session.StatusesAsync("s3"));
    }

    [Fact]
    public async Task A_denied_call_is_asked_once()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Json("""{"__type":"AccessDeniedException","Message":"no kms:ListKeys"}""", 400));
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("kms:ListKeys"));

        Assert.Equal("AccessDeniedException", e.Code);
        Assert.Equal("no kms:ListKeys", e.Message);
        Assert.Equal(["400"], await session.StatusesAsync("kms"));
    }

    [Fact]
    public async Task A_cancelled_wait_between_attempts_ends_at_once()
    {
        await using var server = new LoopbackServer((_, _) => FaultAnswers.Throttled with { Fields = [("Retry-After", "60")] });
        await using var session = Session.Live(server.Address);
        using var cancelled = new CancellationTokenSource();
        var call = session.Collector.CallAsync(Session.Target(), "iam:ListUsers", Session.Parameters(), null, cancelled.Token);
        while (server.Seen.Count == 0)
            await Task.Delay(10);
        await Task.Delay(100);

        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Single(server.Seen);
    }
}
