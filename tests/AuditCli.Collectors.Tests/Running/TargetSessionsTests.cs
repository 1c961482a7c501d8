using System.Collections.Immutable;
using AuditCli.Collectors.Running;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Tests.Running;

public sealed class TargetSessionsTests
{
    private static readonly Target Prod = new("prod", "aws", ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty);

    [Fact]
    public async Task A_session_that_could_not_be_opened_is_tried_again()
    {
        var attempts = 0;
        using var sessions = new TargetSessions<Session>((_, _) =>
            ++attempts == 1 ? throw new CollectionException("NoCredentials", "none") : Task.FromResult(new Session("b")));

        await Assert.ThrowsAsync<CollectionException>(() => sessions.OpenAsync(Prod, default));

        Assert.Same(await sessions.OpenAsync(Prod, default), sessions.Connected("prod"));
    }

    [Fact]
    public void A_target_that_nobody_connected_to_is_named() => Assert.Contains(
        "dev is not connected to",
        Assert.Throws<InvalidOperationException>(() =>
            new TargetSessions<Session>((_, _) => Task.FromResult(new Session("a"))).Connected("dev")).Message,
        StringComparison.Ordinal);

    [Fact]
    public async Task Of_two_sessions_opened_at_once_one_is_kept_and_none_is_left_open()
    {
        var opened = new List<Session>();
        var both = new TaskCompletionSource();
        Task<Session> first, second;
        Session kept;
        using (var sessions = new TargetSessions<Session>(async (_, _) =>
        {
            await both.Task;
            lock (opened)
            {
                opened.Add(new($"http://127.0.0.1:{opened.Count}"));
                return opened[^1];
            }
        }))
        {
            (first, second) = (sessions.OpenAsync(Prod, default), sessions.OpenAsync(Prod, default));
            both.SetResult();
            kept = await first;

            Assert.Same(kept, await second);
            Assert.Equal(kept.UnusualEndpoints, sessions.UnusualEndpoints);
            Assert.Equal(2, opened.Count);
            Assert.All(opened, s => Assert.Equal(s != kept, s.IsClosed));
        }
        Assert.True(kept.IsClosed);
    }

    private sealed class Session(string endpoint) : ITargetSession
    {
        public bool IsClosed { get; private set; }

        public IEnumerable<string> UnusualEndpoints => [endpoint];

        public void Dispose() => IsClosed = true;
    }
}
