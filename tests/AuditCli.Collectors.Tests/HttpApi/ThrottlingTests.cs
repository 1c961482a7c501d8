using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.HttpApi;

/// <summary>Checks that requests are repeated as long as servers ask for it, and that refusals are not.</summary>
public sealed class ThrottlingTests
{
    [Fact]
    public async Task A_server_that_stays_busy_ends_as_incomplete_with_its_own_code()
    {
        using var server = new ProductServer("okta", (_, n) => n < 2 ? null : new(429, """{"errorCode":"E0000047","errorSummary":"too many"}"""));
        var clock = new HurriedClock();
        await using var session = Session.Live("okta", server.Address, clock, ("token_env", Session.Variable));
        var rows = new List<string>();
        var failure = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync(rows, "okta:users.list"));
        Assert.Equal("E0000047", failure.Code);
        Assert.Equal(2, rows.Count);
        Assert.Equal(8, server.Seen.Count);
    }

    [Fact]
    public async Task The_moment_at_which_a_limit_ends_is_waited_for()
    {
        var reset = DateTimeOffset.UtcNow.AddSeconds(50).ToUnixTimeSeconds();
        using var server = new ProductServer("okta", (_, n) => n == 1
            ? new(429, """{"errorCode":"E0000047"}""", ("X-Rate-Limit-Reset", $"{reset}"))
            : null);
        var clock = new HurriedClock();
        await using var session = Session.Live("okta", server.Address, clock, ("token_env", Session.Variable));
        Assert.Equal(server.Rows, (await session.RowsAsync("okta:users.list")).Count);
        Assert.InRange(Assert.Single(clock.Waits).TotalSeconds, 40, 51);
    }

    [Fact]
    public async Task A_refusal_is_asked_once_and_a_limit_that_is_a_refusal_again()
    {
        using var denying = new ProductServer("jira", (_, n) => n == 0 ? null : new(403, """{"errorMessages":["no"]}"""));
        await using var denied = Session.Live("jira", denying.Address, new HurriedClock(), ("user", "test-user"), ("password_env", Session.Variable));
        Assert.Equal("Status403", (await Assert.ThrowsAsync<CollectionException>(() => denied.RowsAsync("jira:roles.list"))).Code);
        Assert.Equal(2, denying.Seen.Count);

        using var limiting = new ProductServer("jira", (_, n) => n == 1 ? new(403, """{"errorMessages":["slow down"]}""", ("Retry-After", "3")) : null);
        var clock = new HurriedClock();
        await using var limited = Session.Live("jira", limiting.Address, clock, ("user", "test-user"), ("password_env", Session.Variable));
        Assert.Equal(limiting.Rows, (await limited.RowsAsync("jira:roles.list")).Count);
        Assert.Equal(TimeSpan.FromSeconds(3), Assert.Single(clock.Waits));
    }
}

/// <summary>A clock whose waits end at once and are noted.</summary>
internal sealed class HurriedClock : TimeProvider
{
    public List<TimeSpan> Waits { get; } = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime > TimeSpan.FromMilliseconds(100))
            Waits.Add(dueTime);
        return System.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : TimeSpan.Zero, period);
    }
}
