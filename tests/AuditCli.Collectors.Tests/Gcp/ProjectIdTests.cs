using System.Text.Json.Nodes;
using AuditCli.Collectors.Gcp;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Gcp;

/// <summary>Compares the project that a response names with the requested one, and refuses what cannot be a project id.</summary>
[Collection("environment")]
public sealed class ProjectIdTests
{
    [Theory]
    [InlineData("projects", "../../etc")]
    [InlineData("projects", "p-one/../p-two")]
    [InlineData("projects", "%2e%2e")]
    [InlineData("projects", "")]
    [InlineData("folder", "11/../../organizations/1")]
    [InlineData("folder", "organizations/1")]
    [InlineData("organization", "acme.example")]
    public void A_target_that_can_be_none_is_refused_before_anything_is_asked(string setting, string value) =>
        Assert.Contains($"'{value}'", GcpSource.Create().WhyNotTarget(Session.Target((setting, [value]))), StringComparison.Ordinal);

    [Theory]
    [InlineData("projects", "p-one")]
    [InlineData("projects", "example.com:legacy")]
    [InlineData("projects", "123456789012")]
    [InlineData("folder", "11")]
    [InlineData("folder", "folders/11")]
    [InlineData("organization", "organizations/123456789012")]
    public void A_target_of_any_form_that_Google_has_is_one(string setting, string value) =>
        Assert.Null(GcpSource.Create().WhyNotTarget(Session.Target((setting, [value]))));

    [Theory]
    [InlineData("/v3/projects", "projects", """[{"projectId":"../../etc"}]""", "'../../etc' is not a project")]
    [InlineData("/v3/folders", "folders", """[{"name":"folders/../organizations/1"}]""", "'folders/../organizations/1' is not a folder")]
    [InlineData("/v3/folders", "folders", """[{"name":"organizations/1"}]""", "'organizations/1' is not a folder")]
    public async Task A_list_of_what_can_be_no_project_is_not_followed(string path, string list, string data, string said)
    {
        var resources = new JsonObject
        {
            ["/v3/projects"] = JsonNode.Parse("""{"list":"projects","data":[{"projectId":"p-one"}]}"""),
            ["/v3/folders"] = JsonNode.Parse("""{"list":"folders","data":[]}"""),
            [path] = JsonNode.Parse($$"""{"list":"{{list}}","data":{{data}}}"""),
        };
        using var server = new GoogleServer(resources.ToJsonString());
        await using var session = Session.Live(server);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.Collector.ConnectAsync(Session.Target(("folder", ["11"])), CancellationToken.None));

        Assert.Contains(said, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_accounts_of_another_project_are_not_evidence_of_the_one_that_was_asked()
    {
        var resources = (await File.ReadAllTextAsync(Repository.Path("tests", "Shared", "google.json")))
            .Replace(
                "\"projectId\": \"p-one\", \"uniqueId\": \"102\"", "\"projectId\": \"p-other\", \"uniqueId\": \"102\"",
                StringComparison.Ordinal);
        using var server = new GoogleServer(resources);
        await using var session = Session.Live(server);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("iam:projects.serviceAccounts.list"));

        Assert.Equal(
            ("AnotherProject", "iam:projects.serviceAccounts.list lists a resource of project p-other, but project p-one was requested"),
            (e.Code, e.Message));
    }
}
