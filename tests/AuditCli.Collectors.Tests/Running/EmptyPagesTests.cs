using System.Globalization;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Running;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Running;

/// <summary>Tests lists whose pages are empty and always refer to a next page.</summary>
[Collection("environment")]
public sealed class EmptyPagesTests
{
    private const string Numbers =
        "1000 consecutive pages were empty but pointed to a next page; reading stops after 1000 of them within 10 minutes, or after 10000";

    [Fact]
    public async Task Endless_pages_of_AWS_end_live_and_replayed()
    {
        await using var server = new LoopbackServer((_, n) =>
            Reaction.Json(string.Create(CultureInfo.InvariantCulture, $$"""{"Events":[],"NextToken":"t{{n}}"}""")));
        await using var session = Aws.Session.Live(server.Address, new LeapingClock(600));

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("cloudtrail:LookupEvents"));

        Assert.Equal(("EndlessPages", "cloudtrail:LookupEvents: " + Numbers), (e.Code, e.Message));
        Assert.Equal(1000, server.Seen.Count);
        await session.Transport.DisposeAsync();
        await using var replay = Aws.Session.Replay(session);
        var again = await Assert.ThrowsAsync<CollectionException>(() => replay.CallAsync("cloudtrail:LookupEvents"));
        Assert.Equal((e.Code, e.Message), (again.Code, again.Message));
        Assert.Empty(((ReplayTransport)replay.Transport).Unused);
    }

    [Fact]
    public async Task Endless_pages_of_Google_end_live_and_replayed()
    {
        using var server = new GoogleServer(fault: (request, n) =>
            request.Path == "/v1/userinfo"
                ? null
                : new(200, string.Create(CultureInfo.InvariantCulture, $$"""{"nextPageToken":"t{{n}}"}""")));
        await using var session = Gcp.Session.Live(server, new LeapingClock(600));

        var e = await Assert.ThrowsAsync<CollectionException>(() =>
            session.CollectAsync("logging:entries.list", ("filter", "logName:\"cloudaudit.googleapis.com\"")));

        Assert.Equal(("EndlessPages", "logging:entries.list: " + Numbers), (e.Code, e.Message));
        await session.Transport.DisposeAsync();
        await using var replay = Gcp.Session.Replay(session);
        var again = await Assert.ThrowsAsync<CollectionException>(() =>
            replay.CollectAsync("logging:entries.list", ("filter", "logName:\"cloudaudit.googleapis.com\"")));
        Assert.Equal((e.Code, e.Message), (again.Code, again.Message));
    }

    [Fact]
    public async Task Endless_pages_of_a_cluster_end_live_and_replayed()
    {
        await using var server = new LoopbackServer((request, n) => request.Method == "POST"
            ? Reaction.Json("""{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"auditor"}}}""", 201)
            : Reaction.Json(string.Create(
                CultureInfo.InvariantCulture, $$"""{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"t{{n}}"},"items":[]}""")));
        await using var session = Kubernetes.ClusterSession.Live(Kubernetes.ClusterSession.Kubeconfig(server.Address), new LeapingClock(600));

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("v1/pods"));

        Assert.Equal(("EndlessPages", "v1/pods: " + Numbers), (e.Code, e.Message));
        await session.Transport.DisposeAsync();
        await using var replay = Kubernetes.ClusterSession.Replay(session);
        var again = await Assert.ThrowsAsync<CollectionException>(() => replay.CollectAsync("v1/pods"));
        Assert.Equal((e.Code, e.Message), (again.Code, again.Message));
    }

    /// <summary>
    /// Checks the evidence that a run writes into the bundle: no rows, the code, and one line for each request that was sent.
    /// </summary>
    [Theory]
    [InlineData("cloudtrail:LookupEvents")]
    [InlineData("iam:projects.serviceAccounts.list")]
    [InlineData("v1/pods")]
    public async Task Endless_pages_leave_the_evidence_of_a_run_incomplete_after_bounded_requests(string operation)
    {
        var item = await CollectedAsync(operation);

        Assert.Equal((CollectionOutcome.Incomplete, "EndlessPages", 0L), (item.Outcome, item.Code, item.Items));
        Assert.EndsWith(Numbers, item.Message, StringComparison.Ordinal);
        Assert.InRange(item.Exchanges.Length, 1000, 1001);
    }

    [Theory]
    [InlineData(999, 3600, false)]
    [InlineData(1000, 0.598, false)]
    [InlineData(1000, 0.61, true)]
    [InlineData(9_999, 0, false)]
    [InlineData(10_000, 0, true)]
    public void So_many_pages_may_be_empty_and_so_long(int pages, double secondsEach, bool ends)
    {
        var clock = new StillClock();
        var empty = new EmptyPages("a list", clock);

        var e = Record.Exception(() =>
        {
            for (var n = 0; n < pages; n++)
            {
                empty.Add(isEmpty: true);
                clock.Milliseconds += (long)(secondsEach * 1000);
            }
        });

        Assert.Equal(ends, e is CollectionException);
    }

    [Fact]
    public void A_page_with_a_row_begins_the_count_again()
    {
        var clock = new StillClock();
        var empty = new EmptyPages("a list", clock);

        for (var n = 0; n < 30_000; n++)
        {
            empty.Add(isEmpty: n % 900 != 0);
            clock.Milliseconds += 60_000;
        }
    }

    private static async Task<EvidenceItem> CollectedAsync(string operation)
    {
        if (operation.StartsWith("v1/", StringComparison.Ordinal))
        {
            await using var server = new LoopbackServer((request, n) => request.Method == "POST"
                ? Reaction.Json("""{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"auditor"}}}""", 201)
                : Reaction.Json(string.Create(
                    CultureInfo.InvariantCulture,
                    $$"""{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"t{{n}}"},"items":[]}""")));
            await using var session = Kubernetes.ClusterSession.Live(Kubernetes.ClusterSession.Kubeconfig(server.Address), new LeapingClock(600));
            return Assert.Single(await session.RunAsync(operation)).Item;
        }
        if (operation.StartsWith("iam:", StringComparison.Ordinal))
        {
            using var server = new GoogleServer(fault: (request, n) =>
                request.Path == "/v1/userinfo"
                    ? null
                    : new(200, string.Create(CultureInfo.InvariantCulture, $$"""{"nextPageToken":"t{{n}}"}""")));
            await using var session = Gcp.Session.Live(server, new LeapingClock(600));
            return (await CollectedRows.OfAsync(session.Collector, session.Transport, Gcp.Session.Target(), session.Operation(operation))).Item;
        }
        await using (var server = new LoopbackServer((request, n) => request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal)
            ? Reaction.Xml(
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a</Arn>"
                + "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
            : Reaction.Json(string.Create(CultureInfo.InvariantCulture, $$"""{"Events":[],"NextToken":"t{{n}}"}"""))))
        {
            await using var session = Aws.Session.Live(server.Address, new LeapingClock(600));
            return (await CollectedRows.OfAsync(session.Collector, session.Transport, Aws.Session.Target(), session.Operation(operation))).Item;
        }
    }

    /// <summary>A clock that advances only when a test sets it.</summary>
    private sealed class StillClock : TimeProvider
    {
        public long Milliseconds { get; set; }

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => Milliseconds;
    }
}
