using System.Text.Json;

namespace AuditCli.Tests.Running;

/// <summary>Runs the Google Cloud controls against a live server with an organization, and replays the recorded run.</summary>
public sealed class GoogleTests
{
    private const string More = """

          parameters:
            INF-GCP-001: { admin_ports: { value: "22,3389,5432,7400", by: S. Lindqvist, why: 7400 is the console of the matching engine } }
        inputs:
          service-account-keys-register: { file: keys.csv, obtained_from: Security operations, obtained_on: 2026-11-16, how: export watched by the preparer }
          google-network-register: { file: network.csv, obtained_from: Network operations, obtained_on: 2026-11-16, how: export watched by the preparer }

        """;

    /// <summary>
    /// Control, project and item of every fault of samples/google.json that no register approves, in order. A key is listed once for each
    /// test that it fails.
    /// </summary>
    internal static readonly string[] Planted =
    [
        "APD-GCP-001 nq-sandbox folders/320 roles/editor group:developers@northquay.example",
        "APD-GCP-001 nq-sandbox projects/nq-sandbox roles/owner user:j.marsh@northquay.example",
        "APD-GCP-001 nq-sandbox projects/nq-sandbox roles/owner user:l.ferrari@northquay.example if request.time < timestamp('2027-01-01T00:00:00Z')",
        "APD-GCP-002 nq-ledger-prod ledger-writer@nq-ledger-prod.iam.gserviceaccount.com/93af27d5e1",
        "APD-GCP-002 nq-ledger-prod ledger-writer@nq-ledger-prod.iam.gserviceaccount.com/93af27d5e1",
        "APD-GCP-002 nq-ledger-prod settlement@nq-ledger-prod.iam.gserviceaccount.com/c08b5f7712",
        "APD-GCP-002 nq-ledger-prod settlement@nq-ledger-prod.iam.gserviceaccount.com/c08b5f7712",
        "APD-GCP-002 nq-ledger-prod settlement@nq-ledger-prod.iam.gserviceaccount.com/c08b5f7712",
        "INF-GCP-001 nq-matching-prod firewalls/default-allow-ssh",
        "INF-GCP-001 nq-matching-prod firewalls/matching-console",
        "INF-GCP-001 nq-matching-prod networks/default",
        "INF-GCP-001 nq-matching-prod zones/europe-west2-b/instances/bench-1",
    ];

    [Fact]
    public async Task A_permission_that_is_missing_never_becomes_a_pass()
    {
        using var folder = new TemporaryFolder();
        using var server = GoogleEnvironment.Server();
        server.Permissions["MARKERtokenOfServiceAccountMARKER"] =
            ["resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy", "resourcemanager.folders.get"];
        var result = await RunAsync(folder, server, "projects: [nq-matching-prod]");
        Assert.True(result.ExitCode == 3, result.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(folder.Path, "live-out"));
        var results = SampleTests.Results(bundle);
        Assert.All(results.GetProperty("controls").EnumerateArray(), c => Assert.Equal("INCONCLUSIVE", c.GetProperty("conclusion").GetString()));
        foreach (var permission in new[] { "resourcemanager.folders.getIamPolicy", "iam.serviceAccounts.list", "compute.firewalls.list" })
            Assert.Contains(permission, results.GetRawText(), StringComparison.Ordinal);

        // The server did not confirm an identity. The one that the credentials claim is in no recorded exchange.
        var target = JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(bundle, "data", "run.json"))).GetProperty("targets")[0];
        Assert.StartsWith("claimed: ", target.GetProperty("identity").GetString(), StringComparison.Ordinal);
        var again = await AuditCommand.RunAsync(folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    /// <summary>
    /// The keys of service accounts are asked for each of them. Where the accounts were refused there is an exchange that says so; where they were
    /// never asked for, because no request could be made, only the index does.
    /// </summary>
    [Theory]
    [InlineData("refused", "iam.serviceAccounts.list", true)]
    [InlineData("never asked for", "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM must be an http or https address", false)]
    public async Task Evidence_for_each_row_of_a_parent_that_was_not_read_fails_live_and_reperformed(string how, string said, bool isSent)
    {
        using var folder = new TemporaryFolder();
        using var server = GoogleEnvironment.Server();
        if (isSent)
            server.Permissions["MARKERtokenOfServiceAccountMARKER"] = ["resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy"];
        var environment = GoogleEnvironment.At(server);
        if (!isSent)
            environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM"] = "ftp://127.0.0.1/";
        var result = await RunAsync(folder, server, "projects: [nq-ledger-prod]", environment);
        Assert.True(result.ExitCode == 3, $"{how}: {result}");
        Assert.Equal(isSent, server.Seen.Any(r => r.Path.Contains("/serviceAccounts", StringComparison.Ordinal)));
        Assert.DoesNotContain(server.Seen, r => r.Path.EndsWith("/keys", StringComparison.Ordinal));

        var bundle = AuditCommand.TheBundle(Path.Combine(folder.Path, "live-out"));
        var keys = File.ReadLines(Path.Combine(bundle, "data", "evidence", "index.jsonl")).Select(l => JsonElement.Parse(l))
            .Single(i => i.GetProperty("operation").GetString() == "iam:projects.serviceAccounts.keys.list");
        Assert.Equal(("failed", "ParentNotRead"), (keys.GetProperty("outcome").GetString(), keys.GetProperty("code").GetString()));
        var control = SampleTests.Results(bundle).GetProperty("controls").EnumerateArray().Single(c => c.GetProperty("id").GetString() == "APD-GCP-002");
        Assert.Equal("INCONCLUSIVE", control.GetProperty("conclusion").GetString());
        Assert.Contains(said, control.GetProperty("limitations").GetRawText(), StringComparison.Ordinal);

        var again = await AuditCommand.RunAsync(folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.True((await AuditCommand.RunAsync(folder.Path, "show", bundle, "APD-GCP-002")).ExitCode == 0);
    }

    [Fact]
    public async Task Every_planted_fault_is_found_and_nothing_else_live_and_replayed()
    {
        using var folder = new TemporaryFolder();
        using var server = GoogleEnvironment.Server();
        server.Emails["MARKERtokenOfServiceAccountMARKER"] = GoogleEnvironment.Auditor;
        var live = await RunAsync(folder, server, "organization: \"123456789012\"");
        Assert.True(live.ExitCode == 2, live.ToString());
        var first = AuditCommand.TheBundle(Path.Combine(folder.Path, "live-out"));
        Assert.Equal(Planted, Deviations(first));
        var asked = server.Seen.Count;

        var recorded = Path.Combine("live-out", Path.GetFileName(first), "data", "exchanges");
        var replay = folder.Write("replay.yaml", Engagement("organization: \"123456789012\"") + $"replay: {recorded}\n");
        var replayed = await AuditCommand.ProcessAsync(folder.Path, new Dictionary<string, string>(), [], "run", replay, "--out", "replay-out");
        Assert.True(replayed.ExitCode == live.ExitCode, replayed.ToString());
        var second = AuditCommand.TheBundle(Path.Combine(folder.Path, "replay-out"));

        SampleTests.SameContents(first, second, "data/tables");
        SampleTests.SameContents(first, second, "data/results");
        Assert.Equal(asked, server.Seen.Count);
        Assert.True((await AuditCommand.RunAsync(folder.Path, "verify", first, "--allow-unsigned")).ExitCode == 0);
    }

    private static string Engagement(string target) =>
        GoogleEnvironment.Engagement("\"*-GCP-*\"", target).Replace("\ntargets:", More + "targets:", StringComparison.Ordinal) + "\n";

    private static Task<CommandResult> RunAsync(
        TemporaryFolder folder, GoogleServer server, string target, IReadOnlyDictionary<string, string>? variables = null)
    {
        folder.Write("engagement.yaml", Engagement(target));
        folder.Write(
            "keys.csv",
            "key,approved_by,approved_on,reason,expires\nledger-writer@nq-ledger-prod.iam.gserviceaccount.com/4d1e6c0a9b,"
            + "R. Adeleke,2026-10-02,The bank's gateway has no federation,2026-12-31\n");
        folder.Write(
            "network.csv",
            "item,approved_by,approved_on,reason,expires\nzones/europe-west2-a/instances/gateway-1,"
            + "R. Adeleke,2026-09-14,Order gateway for members,2027-03-31\n");
        var credentials = folder.Write("credentials.json", server.ServiceAccountFile(GoogleEnvironment.Auditor));
        var environment = new Dictionary<string, string>(variables ?? GoogleEnvironment.At(server)) { ["GOOGLE_APPLICATION_CREDENTIALS"] = credentials };
        return AuditCommand.ProcessAsync(folder.Path, environment, [], "run", "engagement.yaml", "--out", "live-out");
    }

    /// <summary>Returns control, project and item of every unapproved deviation, in order.</summary>
    internal static string[] Deviations(string bundle) =>
    [
        .. Directory.EnumerateFiles(Path.Combine(bundle, "data", "results"), "*.t?.ndjson")
            .SelectMany(f => File.ReadLines(f).Select(l => (
                Control: Path.GetFileName(f).Split('.')[0].ToUpperInvariant(),
                Row: JsonDocument.Parse(l).RootElement)))
            .Where(r => r.Row.GetProperty("verdict").GetString() == "deviation")
            .Select(r => $"{r.Control} {r.Row.GetProperty("account").GetString()} {r.Row.GetProperty("item").GetString()}")
            .Order(StringComparer.Ordinal),
    ];
}
