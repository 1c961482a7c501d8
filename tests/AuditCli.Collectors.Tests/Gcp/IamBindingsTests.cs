using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Gcp;
using AuditCli.Collectors.Running;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Gcp;

/// <summary>Tests the role bindings that apply to a project, level by level.</summary>
[Collection("environment")]
public sealed class IamBindingsTests
{
    private const string Tree = """
        {
          "GET /v3/projects/p-one": { "permission": "resourcemanager.projects.get", "body": { "name": "projects/1", "projectId": "p-one", "parent": "folders/22" } },
          "GET /v3/folders/22": { "permission": "resourcemanager.folders.get", "body": { "name": "folders/22", "parent": "folders/11" } },
          "GET /v3/folders/11": { "permission": "resourcemanager.folders.get", "body": { "name": "folders/11", "parent": "organizations/9" } },
          "POST /v3/projects/p-one:getIamPolicy": { "permission": "resourcemanager.projects.getIamPolicy", "body": { "version": 3, "etag": "BwP=", "bindings": [
            { "role": "roles/owner", "members": ["user:alice@example.com", "deleted:user:bob@example.com?uid=17"] },
            { "role": "roles/editor", "members": ["serviceAccount:a@p-one.iam.gserviceaccount.com"], "condition": { "title": "until", "expression": "request.time < timestamp('2027-01-01T00:00:00Z')" } },
            { "role": "roles/none" }
          ] } },
          "POST /v3/folders/22:getIamPolicy": { "permission": "resourcemanager.folders.getIamPolicy", "body": { "etag": "ACAB" } },
          "POST /v3/folders/11:getIamPolicy": { "permission": "resourcemanager.folders.getIamPolicy", "body": { "etag": "BwF=", "bindings": [
            { "role": "roles/owner", "members": ["group:trading@example.com"] }
          ] } },
          "POST /v3/organizations/9:getIamPolicy": { "permission": "resourcemanager.organizations.getIamPolicy", "body": { "etag": "BwO=", "bindings": [
            { "role": "roles/browser", "members": ["domain:example.com", "principalSet://iam.googleapis.com/locations/global/workforcePools/staff/group/audit"] }
          ] } }
        }
        """;

    [Theory]
    [InlineData("resourcemanager.projects.get", CollectionOutcome.Incomplete, 3)]
    [InlineData("resourcemanager.projects.getIamPolicy", CollectionOutcome.Incomplete, 3)]
    [InlineData("resourcemanager.folders.get", CollectionOutcome.Incomplete, 3)]
    [InlineData("resourcemanager.folders.getIamPolicy", CollectionOutcome.Incomplete, 5)]
    [InlineData("resourcemanager.organizations.getIamPolicy", CollectionOutcome.Incomplete, 4)]
    public async Task A_level_that_is_denied_is_named_and_leaves_the_others(string permission, CollectionOutcome outcome, int rows)
    {
        string[] all =
        [
            "resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy", "resourcemanager.folders.get",
            "resourcemanager.folders.getIamPolicy", "resourcemanager.organizations.getIamPolicy",
        ];
        using var server = new GoogleServer(Tree);
        server.Permissions["MARKERtokenOfServiceAccountMARKER"] = [.. all.Except([permission])];
        await using var session = Session.Live(server);

        var item = Assert.Single((await RunAsync(session)).Items);

        Assert.Equal((outcome, "PERMISSION_DENIED", rows), (item.Outcome, item.Code, item.Items));
        Assert.Contains(permission, item.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("folders/11", "is its own ancestor")]
    [InlineData("projects/p-one", "is its own ancestor")]
    [InlineData("projects/p-two", "neither a folder nor an organization")]
    [InlineData("", "names no parent")]
    public async Task A_tree_that_has_no_end_is_a_failure(string above, string said)
    {
        using var server = new GoogleServer(Tree.Replace("\"parent\": \"organizations/9\"", $"\"parent\": \"{above}\"", StringComparison.Ordinal));
        await using var session = Session.Live(server);

        var item = Assert.Single((await RunAsync(session)).Items);

        Assert.Equal(CollectionOutcome.Incomplete, item.Outcome);
        Assert.Contains(said, item.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_levels_than_google_allows_are_a_failure()
    {
        var folders = 0;
        using var server = new GoogleServer(Tree, (r, _) => r.Path.StartsWith("/v3/folders/", StringComparison.Ordinal)
            ? new(200, r.Method == "GET" ? $$"""{"parent":"folders/{{1000 + ++folders}}"}""" : "{}")
            : null);
        await using var session = Session.Live(server);

        var item = Assert.Single((await RunAsync(session)).Items);

        Assert.Equal((CollectionOutcome.Incomplete, "InvalidHierarchy", 19), (item.Outcome, item.Code, folders));
    }

    [Theory]
    [InlineData("""{"bindings":{}}""")]
    [InlineData("""{"bindings":["roles/owner"]}""")]
    [InlineData("""{"bindings":[{"role":"roles/owner","Members":["user:a@example.com"]}]}""")]
    [InlineData("""{"bindings":[{"Role":"roles/owner","members":["user:a@example.com"]}]}""")]
    [InlineData("""{"bindings":[{"role":"roles/owner","members":"user:a@example.com"}]}""")]
    [InlineData("""{"bindings":[{"role":"roles/owner","members":[{"user":"a@example.com"}]}]}""")]
    public async Task A_policy_of_another_form_is_not_an_empty_one(string policy)
    {
        using var server = new GoogleServer(Tree, (r, _) => r.Path == "/v3/projects/p-one:getIamPolicy" ? new(200, policy) : null);
        await using var session = Session.Live(server);

        var item = Assert.Single((await RunAsync(session)).Items);

        Assert.Equal((CollectionOutcome.Incomplete, "MalformedResponse"), (item.Outcome, item.Code));
    }

    [Fact]
    public async Task A_project_that_belongs_to_nobody_has_its_own_bindings()
    {
        using var server = new GoogleServer(Tree.Replace(", \"parent\": \"folders/22\"", "", StringComparison.Ordinal));
        await using var session = Session.Live(server);

        var item = Assert.Single((await RunAsync(session)).Items);

        Assert.Equal((CollectionOutcome.Complete, 1, 3), (item.Outcome, item.Pages, item.Items));
    }

    [Fact]
    public async Task Every_binding_that_reaches_the_project_is_a_row_with_its_level_and_its_place()
    {
        using var server = new GoogleServer(Tree);
        await using var session = Session.Live(server);

        var pages = await session.CollectAsync("iam_bindings");

        var rows = pages.Select(p => p.Rows.Select(r => r.Value.GetRawText() + r.Pointer).ToArray()).ToArray();
        Assert.Equal([3, 0, 1, 2], rows.Select(p => p.Length));
        Assert.Equal(
            [
                """{"resource":"projects/p-one","level":"project","depth":0,"role":"roles/owner","member":"user:alice@example.com","member_type":"user","member_id":"alice@example.com","condition":null,"etag":"BwP="}/bindings/0/members/0""",
                """{"resource":"folders/11","level":"folder","depth":2,"role":"roles/owner","member":"group:trading@example.com","member_type":"group","member_id":"trading@example.com","condition":null,"etag":"BwF="}/bindings/0/members/0""",
                """{"resource":"organizations/9","level":"organization","depth":3,"role":"roles/browser","member":"domain:example.com","member_type":"domain","member_id":"example.com","condition":null,"etag":"BwO="}/bindings/0/members/0""",
            ],
            new[] { rows[0], rows[2], rows[3] }.Select(p => p[0]));
        Assert.Equal("request.time < timestamp('2027-01-01T00:00:00Z')", pages[0].Rows[2].Value.GetProperty("condition").GetProperty("expression").GetString());
        Assert.All(server.Seen.Where(r => r.Method == "POST"), r => Assert.Equal("""{"options":{"requestedPolicyVersion":3}}""", r.Body));
    }

    [Theory]
    [InlineData("allAuthenticatedUsers", "allAuthenticatedUsers", null)]
    [InlineData("serviceAccount:p.svc.id.goog[ns/name]", "serviceAccount", "p.svc.id.goog[ns/name]")]
    [InlineData(
        "principal://iam.googleapis.com/locations/global/workforcePools/staff/subject/alice", "principal",
        "iam.googleapis.com/locations/global/workforcePools/staff/subject/alice")]
    [InlineData(
        "deleted:principal://iam.googleapis.com/locations/global/workforcePools/p/subject/a?uid=b?uid=1", "deleted",
        "iam.googleapis.com/locations/global/workforcePools/p/subject/a?uid=b")]
    [InlineData("deleted:serviceAccount:a@p.iam.gserviceaccount.com?uid=1", "deleted", "a@p.iam.gserviceaccount.com")]
    public void A_member_is_taken_apart_as_google_writes_it(string member, string type, string? id) => Assert.Equal((type, id), IamBindings.Kind(member));

    [Fact]
    public async Task Its_rows_refer_to_the_policy_they_come_from_and_a_replay_is_the_same()
    {
        using var server = new GoogleServer(Tree);
        await using var live = Session.Live(server);
        var recorded = await RunAsync(live);
        await live.Transport.DisposeAsync();
        var table = await TableAsync(live, recorded);
        var exchanges = (await live.RecordedAsync("cloudresourcemanager.iam_bindings")).ToDictionary(e => e.Answer.Id, e => e.Exchange.Uri.AbsolutePath);

        await using var replay = Session.Replay(live);
        var replayed = await RunAsync(replay);

        Assert.Equal(table, await TableAsync(replay, replayed));
        Assert.Equal(7, exchanges.Count);
        Assert.Equal(6, table.Length);
        Assert.All(table.Select(r => JsonDocument.Parse(r).RootElement), row =>
            Assert.Equal($"/v3/{row.GetProperty("resource").GetString()}:getIamPolicy", exchanges[row.GetProperty("_ref").GetString()!.Split('#')[0]]));
    }

    [Fact]
    public void It_is_found_suggested_and_says_which_calls_it_makes()
    {
        var source = GcpSource.Create();

        var found = source.FindOperation("iam_bindings")!;

        Assert.Contains("iam_bindings", source.Suggest("iam_binding"));
        Assert.Equal(5, found.Reads.Length);
        Assert.All(found.Reads, r => Assert.NotNull(source.FindOperation(r)));
    }

    private static async Task<string[]> TableAsync(Session session, Collected run)
    {
        if (Assert.Single(run.Items).Table is not { } table)
            return [];
        var path = Path.Combine(session.Folder, "out", "a-bundle.partial", table);
        await using var raw = File.OpenRead(path);
        await using var content = new System.IO.Compression.GZipStream(raw, System.IO.Compression.CompressionMode.Decompress);
        using var reader = new StreamReader(content);
        return (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task<Collected> RunAsync(Session session)
    {
        var plan = new CollectionPlan(
            [new(
                "bindings", "google", session.Operation("iam_bindings"), ImmutableSortedDictionary<string, JsonElement>.Empty, null,
                ImmutableSortedDictionary<string, string>.Empty, [], null, [])],
            [], []);
        await using var bundle = BundleWriter.Create(Path.Combine(session.Folder, "out"), "a-bundle");
        var limit = new ConcurrencyLimit(RequestLimits.Default);
        return await new CollectionRun(
            plan, ImmutableDictionary<string, ICollector>.Empty.Add("gcp", session.Collector), session.Transport, bundle, TimeProvider.System, limit, _ => { })
            .RunAsync([Session.Target()], [], CancellationToken.None);
    }
}
