using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Tests.Running;

/// <summary>
/// Runs a control with <c>keep</c>, <c>where</c> and a question that two rows ask against a live server, and re-performs its bundle.
/// </summary>
public sealed class SelectedRowsTests
{
    private const string Entries = "keep: { severity: NOTICE, \"protoPayload.methodName\": \"Set*\" }";

    [Fact]
    public async Task A_misspelt_member_never_becomes_a_pass()
    {
        using var folder = new TemporaryFolder();
        using var server = Server();
        var bundle = await RunAsync(folder, server, Entries.Replace("methodName", "metodName", StringComparison.Ordinal), wished: 3);

        var item = Item(bundle, "logging:entries.list");
        Assert.Equal((CollectionOutcome.Incomplete, "MemberNotSeen", 3L, 0L), (item.Outcome, item.Code, item.Read, item.Kept));
        Assert.Contains("protoPayload.metodName", item.Message, StringComparison.Ordinal);
        var control = Assert.Single(SampleTests.Results(bundle).GetProperty("controls").EnumerateArray());
        Assert.Equal("INCONCLUSIVE", control.GetProperty("conclusion").GetString());
    }

    [Fact]
    public async Task What_is_kept_and_asked_for_is_the_same_when_the_bundle_is_re_performed()
    {
        using var folder = new TemporaryFolder();
        using var server = Server();
        var bundle = await RunAsync(folder, server, Entries, wished: 0);

        var entries = Item(bundle, "logging:entries.list");
        Assert.Equal((3L, 1L, 1L), (entries.Read, entries.Kept, entries.Items));
        // Three of four accounts are asked for, and two of these ask the same.
        Assert.Equal(2, server.Seen.Count(r => r.Path.EndsWith("/keys", StringComparison.Ordinal)));
        var keys = Item(bundle, "iam:projects.serviceAccounts.keys.list");
        Assert.Equal((3L, 2L), (keys.Items, keys.Pages));

        var again = await AuditCommand.RunAsync(folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
        var shown = await AuditCommand.RunAsync(folder.Path, "show", bundle, entries.EvidenceId);
        Assert.Contains("complete: 1 row of 3 read, 2 pages", shown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_tries_a_row_for_which_a_run_would_ask()
    {
        using var folder = new TemporaryFolder();
        using var server = Server();
        await RunAsync(folder, server, Entries, wished: 0);
        var before = server.Seen.Count;

        var result = await AuditCommand.ProcessAsync(folder.Path, GoogleEnvironment.At(server, folder), [], "doctor", "engagement.yaml");

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(
            ["/v1/projects/p-one/serviceAccounts/a%40x/keys"],
            server.Seen.Skip(before).Select(r => r.Path).Where(p => p.EndsWith("/keys", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(true, "each-question-once")]
    [InlineData(false, null)]
    public async Task Only_a_question_that_an_older_version_sent_again_explains_another_table_of_calls(bool isSentAgain, string? rule)
    {
        using var folder = new TemporaryFolder();
        using var server = Server();
        var bundle = BundleForgery.Copy(await RunAsync(folder, server, Entries, wished: 0), Path.Combine(folder.Path, "forged"));
        var calls = Item(bundle, "iam:projects.serviceAccounts.keys.list");
        var table = Path.Combine(bundle, calls.Calls!);
        // The first two rows ask the same, and the third asks something else.
        var line = BundleForgery.ReadTable(table).Split('\n')[isSentAgain ? 1 : 2];
        var record = JsonElement.Parse(line).GetProperty("exchanges")[0].GetProperty("record_id").GetString()!;
        BundleForgery.ReplaceInTable(table, line, line.Replace(record, "urn:uuid:00000000-0000-0000-0000-000000000000", StringComparison.Ordinal));
        var digest = Digest.Of(System.Text.Encoding.UTF8.GetBytes(BundleForgery.ReadTable(table)));
        BundleForgery.Replace(bundle, "data/evidence/index.jsonl", calls.CallsSha256!.Value.Hex, digest.Hex);
        BundleForgery.Replace(bundle, "data/run.json", "\"evaluation\":2,", "");
        BundleForgery.Reseal(bundle);

        var again = await AuditCommand.RunAsync(folder.Path, "reperform", bundle, "--allow-unsigned", "--output", "json");

        var difference = JsonElement.Parse(again.Output).GetProperty("tables").GetProperty("differences").EnumerateArray()
            .Single(d => d.GetProperty("what").GetString() == "calls_sha256");
        Assert.Equal(rule, difference.GetProperty("rule").GetString());
    }

    private static GoogleServer Server()
    {
        static string Account(string name, string about, string shown = "app") => $$"""
            { "name": "projects/p-one/serviceAccounts/{{name}}", "displayName": "{{shown}}", "description": "projects/p-one/serviceAccounts/{{about}}" }
            """;
        static string Entry(string id, string method) => $$"""
            {
              "logName": "projects/p-one/logs/cloudaudit.googleapis.com%2Factivity", "insertId": "{{id}}", "severity": "NOTICE",
              "protoPayload": { "methodName": "{{method}}" }
            }
            """;
        return new($$"""
            {
              "/v1/projects/p-one/serviceAccounts": { "list": "accounts", "data": [
                {{Account("d@x", "d@x", "person")}}, {{Account("a@x", "a@x")}}, {{Account("b@x", "a@x")}}, {{Account("c@x", "c@x")}}
              ] },
              "/v1/projects/p-one/serviceAccounts/a@x/keys": { "body": { "keys": [{ "name": "k1", "keyType": "USER_MANAGED" }] } },
              "/v1/projects/p-one/serviceAccounts/c@x/keys": { "body": { "keys": [{ "name": "k3", "keyType": "USER_MANAGED" }] } },
              "POST /v2/entries:list": {
                "list": "entries", "data": [{{Entry("1", "SetIamPolicy")}}, {{Entry("2", "GetIamPolicy")}}, {{Entry("3", "ListKeys")}}]
              }
            }
            """);
    }

    private static async Task<string> RunAsync(TemporaryFolder folder, GoogleServer server, string keep, int wished)
    {
        server.Emails["MARKERtokenOfServiceAccountMARKER"] = GoogleEnvironment.Account;
        folder.Write("engagement.yaml", GoogleEnvironment.Engagement("LOG-GCP-901", "projects: [p-one]") + "\nlibrary: controls\n");
        folder.Write("controls/logging-and-monitoring/LOG-GCP-901.yaml", $$"""
            schema: 1
            id: LOG-GCP-901
            version: 1.0.0
            title: Changes of policies and keys are listed
            objective: o
            risk: r
            domain: logging-and-monitoring
            nature: { type: detective, execution: automated }
            frequency: continuous
            kind: operating-effectiveness
            mode: period
            key_control: false
            owner: w
            references: {}
            evidence:
              accounts: { gcp: iam:projects.serviceAccounts.list }
              keys:
                gcp: iam:projects.serviceAccounts.keys.list
                for_each: accounts
                with: { name: description }
                where: { displayName: "a*" }
              entries: { gcp: logging:entries.list, params: { filter: 'logName:"cloudaudit.googleapis.com"' }, {{keep}} }
            completeness: { none: The server has one list of each. }
            tests:
              - id: T1
                title: Every account that is asked for has one key and one call
                sql: |
                  SELECT a.name AS item, count(DISTINCT k.name) = 1 AND count(c._parent) = 1 AS pass, 'x' AS reason
                  FROM accounts a LEFT JOIN keys__calls c ON c._parent = a._ref LEFT JOIN keys k ON k._parent = a._ref
                  WHERE starts_with(a.displayName, 'a') GROUP BY a.name
              - id: T2
                title: Policies are set by the change process
                sql: SELECT e.insertId AS item, (e.protoPayload->>'methodName') = 'SetIamPolicy' AS pass, 'x' AS reason FROM entries e
            recommendation: c
            """);
        var result = await AuditCommand.ProcessAsync(folder.Path, GoogleEnvironment.At(server, folder), [], "run", "engagement.yaml", "--out", "out");
        Assert.True(result.ExitCode == wished, result.ToString());
        return AuditCommand.TheBundle(Path.Combine(folder.Path, "out"));
    }

    private static EvidenceItem Item(string bundle, string operation) => EvidenceIndex.Read(bundle).Single(i => i.Operation == operation);
}
