using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Running;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Gcp;

[Collection("environment")]
public sealed class CollectionTests
{
    private const string Organization = "123456789012";

    [Fact]
    public async Task A_target_whose_folders_may_not_be_listed_is_not_entered()
    {
        using var server = new GoogleServer();
        server.Permissions["MARKERtokenOfServiceAccountMARKER"] = ["resourcemanager.projects.list"];
        await using var session = Session.Live(server);

        var e = await Assert.ThrowsAsync<CollectionException>(() =>
            session.Collector.ConnectAsync(Session.Target(("organization", [Organization])), CancellationToken.None));

        Assert.Equal("PERMISSION_DENIED", e.Code);
        Assert.Contains("resourcemanager.folders.list", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_target_without_projects_is_not_an_empty_success()
    {
        using var server = new GoogleServer("""{"/v3/projects":{"list":"projects","data":[]},"/v3/folders":{"list":"folders","data":[]}}""");
        await using var session = Session.Live(server);

        Assert.Equal(
            "NoProjects",
            (await Assert.ThrowsAsync<CollectionException>(() =>
                session.Collector.ConnectAsync(Session.Target(("folder", ["11"])), CancellationToken.None))).Code);
    }

    [Fact]
    public async Task A_target_says_in_exactly_one_way_which_projects_it_is()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);

        var e = await Assert.ThrowsAsync<CollectionException>(() =>
            session.Collector.ConnectAsync(Session.Target(("projects", ["p-one"]), ("folder", ["11"])), CancellationToken.None));

        Assert.Equal("InvalidTarget", e.Code);
    }

    [Fact]
    public async Task An_organization_is_every_project_under_it_folders_included()
    {
        using var server = new GoogleServer();
        server.Emails["MARKERtokenOfServiceAccountMARKER"] = Session.Account;
        await using var session = Session.Live(server);

        var connections = await session.Collector.ConnectAsync(Session.Target(("organization", [Organization])), CancellationToken.None);

        Assert.Equal(
            ["p-one ", "p-three ", "p-trading ", "p-two ", $"organizations/{Organization} organization"],
            connections.Select(c => $"{c.Account} {c.Whole}"));
        Assert.All(connections, c => Assert.Equal((Session.Account, "gcp-global"), (c.Identity, c.GlobalRegion)));
        Assert.Equal(server.Address.GetLeftPart(UriPartial.Authority), Assert.Single(session.Collector.UnusualEndpoints));
        Assert.Equal(5, (await session.RecordedAsync("cloudresourcemanager")).Count);
    }

    [Fact]
    public async Task A_caller_google_does_not_name_is_only_claimed()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);

        Assert.Equal($"claimed: {Session.Account}", Assert.Single(await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None)).Identity);
    }

    [Fact]
    public async Task Every_page_of_a_list_is_read_and_the_project_stands_where_none_is_given()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);

        var pages = await session.CollectAsync("iam:projects.serviceAccounts.list");

        Assert.Equal([2, 1], pages.Select(p => p.Rows.Length));
        Assert.Equal("/accounts/1", pages[0].Rows[1].Pointer);
        Assert.Contains(server.Seen, r => r.Path == "/v1/projects/p-one/serviceAccounts" && r.Query == "pageToken=t2");
    }

    [Fact]
    public async Task A_list_by_post_pages_in_its_body()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);

        var pages = await session.CollectAsync(
            "logging:entries.list", ("filter", "logName:\"cloudaudit.googleapis.com\" AND timestamp >= \"2026-01-01T00:00:00Z\""));

        Assert.Equal([2, 1], pages.Select(p => p.Rows.Length));
        Assert.Equal(
            """{"filter":"logName:\u0022cloudaudit.googleapis.com\u0022 AND timestamp \u003E= \u00222026-01-01T00:00:00Z\u0022","resourceNames":["projects/p-one"],"pageToken":"t2"}""",
            server.Seen[^1].Body);
    }

    [Fact]
    public async Task Rows_of_a_map_carry_its_key_and_an_empty_zone_is_not_a_missing_one()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);

        var rows = (await session.CollectAsync("compute:instances.aggregatedList")).SelectMany(p => p.Rows).ToArray();

        Assert.Equal([("zones/europe-west1-b", "web-1"), ("zones/europe-west1-b", "web-2"), ("zones/us-east1-b", "db-1")],
            rows.Select(r => (r.Value.GetProperty("_key").GetString()!, r.Value.GetProperty("name").GetString()!)));
        Assert.Equal("/items/zones~1europe-west1-b/instances/1", rows[1].Pointer);
    }

    [Fact]
    public async Task A_policy_is_asked_for_with_its_conditions()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);

        var row = Assert.Single(Assert.Single(await session.CollectAsync("cloudresourcemanager:projects.getIamPolicy")).Rows);

        Assert.Equal(2, row.Value.GetProperty("bindings").GetArrayLength());
        Assert.Equal("""{"options":{"requestedPolicyVersion":3}}""", server.Seen[^1].Body);
    }

    [Fact]
    public async Task Whoever_pays_is_named_in_every_request_and_known_to_the_replay()
    {
        using var server = new GoogleServer();
        await using var live = Session.Live(server);
        var target = Session.Target(("projects", ["p-one"]), ("quota_project", ["p-pays"]));
        await live.Collector.ConnectAsync(target, CancellationToken.None);
        var asked = live.Operation("iam:projects.serviceAccounts.list");
        var expected = await RowsAsync(live, asked);
        await live.Transport.DisposeAsync();
        Assert.All(server.Seen, r => Assert.Equal("p-pays", r.QuotaProject));

        await using var replay = Session.Replay(live);
        await replay.Collector.ConnectAsync(Session.Target(), CancellationToken.None);

        Assert.Equal(expected, await RowsAsync(replay, asked));
    }

    [Fact]
    public async Task A_run_over_an_organization_has_a_partition_for_each_project_and_its_replay_is_the_same()
    {
        using var server = new GoogleServer(fault: (r, _) =>
            r.Path == "/v1/projects/p-three/serviceAccounts" ? GoogleFault.Error(403, "PERMISSION_DENIED", "no") : null);
        await using var live = Session.Live(server);
        var recorded = await RunAsync(live);
        await live.Transport.DisposeAsync();
        var asked = server.Seen.Count;
        await using var replay = Session.Replay(live);
        var replayed = await RunAsync(replay);

        Assert.Equal(["p-one", "p-three", "p-trading", "p-two"], recorded.Targets.Select(t => t.Connection!.Account));
        Assert.Equal([5, 0, 0, 0], recorded.Targets.Select(t => t.Exchanges.Count(e => e.File.Contains("cloudresourcemanager", StringComparison.Ordinal))));
        Assert.Equal(CollectionOutcome.Complete, Of(recorded, "p-one", "list").Outcome);
        Assert.Equal((3, 1), (Of(recorded, "p-one", "serviceaccounts-list").Items, Of(recorded, "p-two", "serviceaccounts-list").Items));
        Assert.Equal(
            (CollectionOutcome.Failed, "PERMISSION_DENIED"),
            (Of(recorded, "p-three", "serviceaccounts-list").Outcome, Of(recorded, "p-three", "serviceaccounts-list").Code));
        Assert.Equal("NOT_FOUND", Of(recorded, "p-trading", "serviceaccounts-list").Code);
        Assert.Equal(3, Of(recorded, "p-one", "keys-list").Items);
        Assert.Equal(recorded.Items.Select(Essence), replayed.Items.Select(Essence));
        Assert.Equal(asked, server.Seen.Count);
    }

    [Fact]
    public async Task A_question_without_a_project_is_kept_apart_for_each_of_them()
    {
        var answers = 0;
        using var server = new GoogleServer(fault: (r, _) =>
            r.Path == "/v3/organizations:search"
                ? new(200, $$"""{"organizations":[{"name":"organizations/{{Interlocked.Increment(ref answers)}}"}]}""")
                : null);
        await using var live = Session.Live(server);
        var target = Session.Target(("projects", ["p-one", "p-two"]));
        await live.Collector.ConnectAsync(target, CancellationToken.None);
        var asked = live.Operation("cloudresourcemanager:organizations.search");
        var expected = new[] { await RowsAsync(live, asked, "p-one"), await RowsAsync(live, asked, "p-two") };
        await live.Transport.DisposeAsync();
        await using var replay = Session.Replay(live);
        await replay.Collector.ConnectAsync(target, CancellationToken.None);

        // Replays in the reverse order, which can happen with concurrent requests.
        var second = await RowsAsync(replay, asked, "p-two");

        var first = await RowsAsync(replay, asked, "p-one");
        Assert.Equal(expected, (string[])[first, second]);
    }

    [Fact]
    public async Task Projects_of_one_reader_share_the_limit_of_the_project_that_asks()
    {
        using var server = new GoogleServer("{}");
        await using var session = Session.Live(server);
        var target = Session.Target(("projects", ["p-one", "p-two"]));
        var connections = await session.Collector.ConnectAsync(target, CancellationToken.None);
        var request = new PlannedRequest(
            "accounts", "google", session.Operation("iam:projects.serviceAccounts.list"), Session.Parameters(), null,
            ImmutableSortedDictionary<string, string>.Empty, [], null, []);
        var plan = new CollectionPlan([request], [], []);
        var keys = connections.Select(c => new RequestPlace(plan, request, c, "gcp-global").LimitKey).ToArray();
        Assert.Equal(2, keys.Length);
        Assert.Equal(keys[0].Owner, keys[1].Owner);
        Assert.NotEqual(keys[0].Service, keys[1].Service);
    }

    private static async Task<string> RowsAsync(Session session, Operation operation, string project = "p-one")
    {
        var rows = new List<string>();
        var collected = session.Collector.CollectAsync(
            new("google", project, "gcp-global", operation, Session.Parameters()), CancellationToken.None);
        await foreach (var page in collected)
            rows.AddRange(page.Rows.Select(r => r.Pointer + r.Value.GetRawText()));
        return string.Join('\n', rows);
    }

    private static async Task<Collected> RunAsync(Session session)
    {
        var none = ImmutableSortedDictionary<string, JsonElement>.Empty;
        var with = ImmutableSortedDictionary<string, string>.Empty;
        var plan = new CollectionPlan(
            [
                new("accounts", "google", session.Operation("iam:projects.serviceAccounts.list"), none, null, with, [], null, []),
                new("keys", "google", session.Operation("iam:projects.serviceAccounts.keys.list"), none, "accounts", with.Add("name", "name"), [], null, []),
            ],
            [], []);
        await using var bundle = BundleWriter.Create(Path.Combine(session.Folder, "out"), "a-bundle");
        var limit = new ConcurrencyLimit(RequestLimits.Default);
        return await new CollectionRun(
            plan, ImmutableDictionary<string, ICollector>.Empty.Add("gcp", session.Collector), session.Transport, bundle, TimeProvider.System, limit, _ => { })
            .RunAsync([Session.Target(("organization", [Organization]))], [], CancellationToken.None);
    }

    private static EvidenceItem Of(Collected run, string project, string operation) =>
        run.Items.First(i => i.Account == project && i.EvidenceId.Contains(operation, StringComparison.Ordinal));

    private static string Essence(EvidenceItem item) =>
        $"{item.EvidenceId} {item.Account} {item.Outcome} {item.Code} {item.Message} {item.Items} {item.TableSha256} {item.CallsSha256} "
        + $"{string.Join(' ', item.Exchanges.Select(e => e.RecordId))}";
}
