using System.Text.Json;
using AuditCli.Collectors.Gcp;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Gcp;

[Collection("environment")]
public sealed class GcloudTests
{
    [NeedsFact("gcloud")]
    public async Task The_cli_takes_the_role_that_is_printed()
    {
        using var server = new GoogleServer("""
            {
              "POST /v1/permissions:queryTestablePermissions": { "body": {} },
              "POST /v1/projects/p-one/roles": { "body": { "name": "projects/p-one/roles/auditcliReader" } }
            }
            """);
        await using var session = Session.Live(server);
        var document = CollectorCatalog.All.Single(c => c.Source.Name == GcpSource.Name)
            .Permissions([session.Operation("iam:projects.serviceAccounts.list"), session.Operation("cloudasset:assets.list")], []);

        await Gcloud.AskAsync(
            $"iam roles create auditcliReader --project=p-one --file={session.Write("role.yaml", document.Text)}", session.Folder,
            server.Overrides);

        var role = JsonElement.Parse(server.Seen.Single(r => r.Path == "/v1/projects/p-one/roles").Body).GetProperty("role");
        Assert.Equal(["iam.serviceAccounts.list"], role.GetProperty("includedPermissions").EnumerateArray().Select(p => p.GetString()));
        Assert.Equal(("AuditCli reader", "GA"), (role.GetProperty("title").GetString(), role.GetProperty("stage").GetString()));
    }
}
