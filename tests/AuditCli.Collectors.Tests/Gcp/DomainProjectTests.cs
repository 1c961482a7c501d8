using System.Text.Json.Nodes;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Gcp;

/// <summary>Checks that projects of a domain (<c>example.com:legacy</c>), whose ids contain a colon, are read like all others.</summary>
[Collection("environment")]
public sealed class DomainProjectTests
{
    private const string Project = "example.com:legacy";

    [Theory]
    [InlineData("iam:projects.serviceAccounts.list", 3)]
    [InlineData("compute:firewalls.list", 3)]
    [InlineData("cloudresourcemanager:projects.getIamPolicy", 1)]
    [InlineData("iam_bindings", -1)]
    public async Task A_domain_scoped_project_passes_our_own_guard_and_a_replay_agrees(string operation, int rows)
    {
        var recorded = await File.ReadAllTextAsync(Repository.Path("tests", "Shared", "google.json"));
        var resources = JsonNode.Parse(recorded.Replace("p-one", Project, StringComparison.Ordinal))!.AsObject();
        resources[$"GET /v3/projects/{Project}"] = JsonNode.Parse($$"""{ "body": { "name": "projects/1", "projectId": "{{Project}}" } }""");
        using var server = new GoogleServer(resources.ToJsonString());
        await using var session = Session.Live(server);

        var live = await RowsAsync(session, operation);

        Assert.True(rows < 0 ? live.Count > 0 : live.Count == rows, $"{live.Count} rows");
        Assert.Contains(server.Seen, r => r.Path.Contains("example.com%3Alegacy", StringComparison.OrdinalIgnoreCase));
        await session.Transport.DisposeAsync();
        await using var replay = Session.Replay(session);
        Assert.Equal(live, await RowsAsync(replay, operation));
    }

    private static async Task<List<string>> RowsAsync(Session session, string operation)
    {
        var target = Session.Target(("projects", [Project]));
        var connection = Assert.Single(await session.Collector.ConnectAsync(target, CancellationToken.None));
        Assert.Equal(Project, connection.Account);
        var rows = new List<string>();
        var collected = session.Collector.CollectAsync(
            new("google", Project, "gcp-global", session.Operation(operation), Session.Parameters()), CancellationToken.None);
        await foreach (var page in collected)
            rows.AddRange(page.Rows.Select(r => r.Value.GetRawText()));
        return rows;
    }
}
