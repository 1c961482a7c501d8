using System.Text.Json;

namespace AuditCli.Tests.Running;

/// <summary>Reads an identity provider and a ticket system in one run, from servers that know what their vendors publish.</summary>
public sealed class ProductRunTests : IDisposable
{
    private const string Token = "MARKERtokenOfProductMARKER";
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task A_ticket_system_that_hides_a_row_makes_its_control_inconclusive_and_no_other()
    {
        using var okta = Okta();
        using var tickets = new ProductServer("servicenow", (_, _) => new(200, """{"result":[{"sys_id":"c1","number":"CHG1"}]}""", ("X-Total-Count", "2")));
        var result = await RunAsync(okta, tickets);
        Assert.True(result.ExitCode == 3, result.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        var controls = SampleTests.Results(bundle).GetProperty("controls").EnumerateArray()
            .ToDictionary(c => c.GetProperty("id").GetString()!, c => c.GetProperty("conclusion").GetString());
        Assert.Equal(("PASS", "INCONCLUSIVE"), (controls["APD-API-901"], controls["PCM-API-901"]));
        Assert.Contains("the provider counts 2 rows, but 1 were read", SampleTests.Results(bundle).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Users_factors_and_changes_are_read_concluded_and_re_performed_without_a_credential_on_disk()
    {
        using var okta = Okta();
        using var tickets = Tickets();
        var doctor = await AuditCommand.ProcessAsync(_folder.Path, Write(okta, tickets), [], "doctor", "engagement.yaml");
        Assert.True(doctor.ExitCode == 0, doctor.ToString());
        var result = await RunAsync(okta, tickets);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Empty(okta.Violations.Concat(tickets.Violations));
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        var run = JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(bundle, "data", "run.json")));
        Assert.Equal(
            [$"idp {okta.Address.Authority} user-0@example.com", $"tickets {tickets.Address.Authority} claimed: auditor"],
            run.GetProperty("targets").EnumerateArray().Select(t => $"{t.GetProperty("name")} {t.GetProperty("account")} {t.GetProperty("identity")}"));
        var everything = doctor.ToString() + result + await Secrets.CredentialTests.EverythingAsync(Path.Combine(_folder.Path, "out"));
        Assert.DoesNotContain(Token, everything, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"auditor:{Token}")), everything, StringComparison.Ordinal);

        var again = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Fact]
    public async Task A_single_operation_is_called_without_an_engagement()
    {
        using var okta = Okta();
        var environment = new Dictionary<string, string> { ["OKTA_API_TOKEN"] = Token };
        var address = okta.Address.AbsoluteUri;
        var unnamed = await AuditCommand.ProcessAsync(_folder.Path, environment, [], "call", "http", "okta:users.list", "--url", address);
        Assert.Equal(1, unnamed.ExitCode);
        Assert.Contains("does not show which product answers there; give --product", unnamed.Error, StringComparison.Ordinal);
        var result = await AuditCommand.ProcessAsync(
            _folder.Path, environment, [], "call", "http", "okta:users.list", "--url", address, "--product", "okta", "filter=status eq \"ACTIVE\"");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(okta.Rows, JsonElement.Parse(result.Output).GetArrayLength());
        Assert.Contains(okta.Seen, r => r.Value("filter") == "status eq \"ACTIVE\"" && r.Value("after") == "t2");
    }

    public void Dispose() => _folder.Dispose();

    private static ProductServer Okta()
    {
        var server = new ProductServer("okta");
        server.Accepted.Add($"SSWS {Token}");
        return server;
    }

    private static ProductServer Tickets()
    {
        var server = new ProductServer("servicenow");
        server.Accepted.Add("Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"auditor:{Token}")));
        return server;
    }

    private Task<CommandResult> RunAsync(ProductServer okta, ProductServer tickets) =>
        AuditCommand.ProcessAsync(_folder.Path, Write(okta, tickets), [], "run", "engagement.yaml", "--out", "out", "-v");

    private Dictionary<string, string> Write(ProductServer okta, ProductServer tickets)
    {
        Control("APD-API-901", "access-to-programs-and-data", """
              users: { http: okta:users.list }
              factors: { http: okta:users.factors.list, for_each: users, with: { userId: id } }
            """, "SELECT u.id AS item, EXISTS (SELECT 1 FROM factors f WHERE f._parent = u._ref) AS pass, 'no factor' AS reason FROM users u");
        Control("PCM-API-901", "program-change-management", """
              changes: { http: servicenow:change_request.list, params: { sysparm_query: "sys_created_on>=2026-09-01" } }
            """, "SELECT sys_id AS item, number IS NOT NULL AS pass, 'no number' AS reason FROM changes");
        _folder.Write("engagement.yaml", $$"""
            schema: 1
            entity: Example Exchange
            name: Products
            period: { start: 2026-09-01, end: 2026-11-15 }
            preparer: A. Preparer
            reviewer: R. Reviewer
            library: lib
            targets:
              idp: { http: { url: "{{okta.Address}}", product: okta } }
              tickets: { http: { url: "{{tickets.Address}}", product: servicenow, user: auditor, password_env: TICKETS_PASSWORD } }
            """);
        return new() { ["OKTA_API_TOKEN"] = Token, ["TICKETS_PASSWORD"] = Token };
    }

    private void Control(string id, string domain, string evidence, string sql) => _folder.Write($"lib/{domain}/{id}.yaml", $$"""
        schema: 1
        id: {{id}}
        version: 1.0.0
        title: Test
        objective: Test.
        risk: Test.
        domain: {{domain}}
        nature: { type: preventive, execution: automated }
        frequency: continuous
        kind: design
        mode: period
        key_control: false
        owner: Test
        references: { cobit-2019: [DSS05.04] }
        evidence:
        {{evidence}}
        completeness: { none: nothing counts this independently here }
        tests:
          - id: T1
            title: Test
            sql: {{sql}}
        recommendation: Test.
        """);
}
