using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Tests.Commands;

namespace AuditCli.Tests.Running;

/// <summary>Reads what is asked once of a Google organization, beside what is asked of each of its projects.</summary>
public sealed class OrganizationOfGoogleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task A_denied_organization_never_becomes_a_pass()
    {
        using var server = Server();
        server.Permissions["MARKERtokenOfServiceAccountMARKER"] = ["resourcemanager.projects.list", "resourcemanager.folders.list", "iam.serviceAccounts.list"];
        var result = await RunAsync(server, "organization: \"123456789012\"");
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains("orgpolicy:organizations.policies.list in google organizations/123456789012", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_target_of_single_projects_is_said_to_have_no_organization()
    {
        using var server = Server();
        var result = await RunAsync(server, "projects: [p-one]");
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains(
            "APD-GCP-902 cannot be tested: no target of source gcp that has orgpolicy:organizations.policies.list; add one to 'targets'",
            result.Error, StringComparison.Ordinal);
        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task The_organization_is_asked_once_its_projects_each_and_all_is_re_performed()
    {
        using var server = Server();
        var result = await RunAsync(server, "organization: \"123456789012\"");
        Assert.True(result.ExitCode == 0, result.ToString());
        // Lists have pages of two.
        Assert.Equal(2, server.Seen.Count(r => r.Path == "/v2/organizations/123456789012/policies"));
        Assert.Single(server.Seen, r => r.Path == "/v2/organizations/123456789012/policies/gcp.resourceLocations");

        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "live-out"));
        var items = (await File.ReadAllLinesAsync(Path.Combine(bundle, "data", "evidence", "index.jsonl"))).Select(l => JsonElement.Parse(l)).ToArray();
        Assert.Equal(
            ["organizations/123456789012 orgpolicy:organizations.policies.get 3", "organizations/123456789012 orgpolicy:organizations.policies.list 3"],
            items.Where(i => i.GetProperty("operation").GetString()!.StartsWith("orgpolicy:", StringComparison.Ordinal))
                .Select(i => $"{i.GetProperty("account").GetString()} {i.GetProperty("operation").GetString()} {i.GetProperty("items").GetInt64()}").Order());
        Assert.DoesNotContain(items, i => i.GetProperty("account").GetString()!.StartsWith("organizations/", StringComparison.Ordinal)
            && i.GetProperty("operation").GetString()!.StartsWith("iam:", StringComparison.Ordinal));
        var controls = SampleTests.Partitions(bundle).CountBy(p => p.Control).ToDictionary();
        Assert.Equal((4, 2), (controls["APD-GCP-901"], controls["APD-GCP-902"]));

        var again = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Returns a server on which every project has a list of service accounts.</summary>
    private static GoogleServer Server()
    {
        var resources = JsonNode.Parse(File.ReadAllText(Repository.Path("tests", "Shared", "google.json")))!;
        resources["/v1/projects/p-trading/serviceAccounts"] = resources["/v1/projects/p-three/serviceAccounts"]!.DeepClone();
        return new(resources.ToJsonString());
    }

    private Task<CommandResult> RunAsync(GoogleServer server, string target)
    {
        OwnControls.Write(_folder, "APD-GCP-901", "  accounts: { gcp: iam:projects.serviceAccounts.list }\n");
        OwnControls.Write(
            _folder, "APD-GCP-902",
            "  policies: { gcp: orgpolicy:organizations.policies.list }\n"
            + "  each: { gcp: orgpolicy:organizations.policies.get, for_each: policies, with: { name: name } }\n");
        _folder.Write("engagement.yaml", GoogleEnvironment.Engagement("APD-GCP-901, APD-GCP-902", target) + "\nlibrary: lib\n");
        return AuditCommand.ProcessAsync(_folder.Path, GoogleEnvironment.At(server, _folder), [], "run", "engagement.yaml", "--out", "live-out");
    }
}
