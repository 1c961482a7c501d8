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

    /// <summary>Lists what Compute Engine says is in another project or zone. What is shared with the project is only named in a row.</summary>
    [Theory]
    [InlineData("id", """{"kind":"compute#diskList","id":"projects/p-other/zones/z-1/disks"}""", "AnotherProject")]
    [InlineData("selfLink", """{"kind":"compute#diskList","selfLink":"https://x/compute/v1/projects/p-other/zones/z-1/disks"}""", "AnotherProject")]
    [InlineData("zone", """{"kind":"compute#diskList","id":"projects/p-one/zones/z-2/disks"}""", "MalformedResponse")]
    [InlineData("row", """{"kind":"compute#diskList","items":[{"selfLink":"https://x/projects/p-other/zones/z-1/disks/a"}]}""", "AnotherProject")]
    [InlineData("another case", """{"kind":"compute#diskList","items":[{"selfLink":"https://x/Projects/p-other/zones/z-1/disks/a"}]}""", "AnotherProject")]
    [InlineData("row's zone", """{"kind":"compute#diskList","items":[{"selfLink":"https://x/projects/p-one/zones/z-2/disks/a"}]}""", "MalformedResponse")]
    [InlineData("escaped", """{"kind":"compute#diskList","id":"projects/p%2Done/zones/z-1/disks"}""", null)]
    [InlineData("number", """{"kind":"compute#diskList","id":"projects/123456789012/zones/z-1/disks"}""", null)]
    [InlineData(
        "shared", """{"kind":"compute#diskList","items":[{"name":"a","sourceImage":"https://x/projects/debian-cloud/global/images/i"}]}""", null)]
    public async Task A_list_of_another_place_is_not_evidence_of_the_one_that_was_asked(string what, string body, string? code)
    {
        using var server = new GoogleServer(fault: (request, _) => request.Path == "/v1/userinfo" ? null : new(200, body));
        await using var session = Session.Live(server);

        var e = await Record.ExceptionAsync(() => session.CollectAsync("compute:disks.list", ("zone", "z-1")));

        Assert.True((e as CollectionException)?.Code == code && (e is null) == (code is null), $"{what}: {e?.Message ?? "complete"}");
    }

    [Theory]
    [InlineData("compute:projects.listXpnHosts", """{"kind":"compute#xpnHostList","items":[{"selfLink":"https://x/projects/p-host"}]}""")]
    [InlineData(
        "compute:backendServices.listUsable",
        """{"kind":"compute#usableBackendServiceList","items":[{"selfLink":"https://x/projects/p-host/global/backendServices/a"}]}""")]
    public async Task What_other_projects_share_is_listed_where_the_list_is_of_that(string operation, string body)
    {
        using var server = new GoogleServer(fault: (request, _) => request.Path == "/v1/userinfo" ? null : new(200, body));
        await using var session = Session.Live(server);

        Assert.Single(Assert.Single(await session.CollectAsync(operation)).Rows);
    }
}
