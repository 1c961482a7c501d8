using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Tests.Secrets;

namespace AuditCli.Tests.Running;

/// <summary>Runs the sample's engagement against live servers of all three providers, and replays the recorded run.</summary>
public sealed partial class LiveTests(LiveRun run) : IClassFixture<LiveRun>
{
    /// <summary>Whether the event history, which goes back 90 days from today, still covers the first day of the sample's period.</summary>
    private static readonly bool HistoryCoversThePeriod = new DateTime(2026, 9, 1, 0, 0, 0, DateTimeKind.Utc) >= DateTime.UtcNow.AddDays(-90);

    /// <summary>Control, account and item of what samples/record.py plants and no register approves.</summary>
    private static readonly string[] Planted =
    [
        .. GoogleTests.Planted,
        "APD-AWS-002 444455556666 arn:aws:iam::444455556666:user/lukas.berg",
        "APD-K8S-001 trading User lukas.berg@northquay.example",
        "APD-K8S-004 trading ClusterRoleBinding/metrics-open",
        "APD-XSR-001 * E-1042/kubernetes",
        .. HistoryCoversThePeriod ? ["APD-XSR-001 * E-1077/gcp/projects/nq-ledger-prod/user:mira.solano@northquay.example"] : Array.Empty<string>(),
        "INF-AWS-002 444455556666 eu-west-1/sg-x",
        "INF-K8S-002 trading settlement/Pod/debug-lukas/shell",
    ];

    private static readonly Dictionary<string, (string Conclusion, int Approved)> Expected = new()
    {
        ["APD-AWS-001"] = (HistoryCoversThePeriod ? "PASS" : "INCONCLUSIVE", 0),
        ["APD-AWS-002"] = ("FAIL", 1),
        ["APD-AWS-004"] = ("PASS", 0),
        ["APD-AWS-006"] = ("PASS", 4),
        ["APD-GCP-001"] = ("FAIL", 0),
        ["APD-GCP-002"] = ("FAIL", 1),
        ["APD-K8S-001"] = ("FAIL", 1),
        ["APD-K8S-004"] = ("FAIL", 0),
        ["APD-XSR-001"] = ("FAIL", 0),
        ["INF-AWS-001"] = ("INCONCLUSIVE", 1),
        ["INF-AWS-002"] = ("FAIL", 0),
        ["INF-GCP-001"] = ("FAIL", 1),
        ["INF-K8S-002"] = ("FAIL", 1),
        ["LOG-AWS-001"] = (HistoryCoversThePeriod ? "PASS" : "INCONCLUSIVE", 0),
    };

    [NeedsFact("kube-apiserver", "kubectl", "moto_server")]
    public void Every_planted_fault_is_found_and_nothing_else()
    {
        Assert.DoesNotContain("REPLAY", run.Result.Output, StringComparison.Ordinal);
        // The server assigns new security group ids each time it starts.
        Assert.Equal(Planted.Order(StringComparer.Ordinal), GoogleTests.Deviations(run.Bundle).Select(d => GroupNumber().Replace(d, "sg-x")));

        var controls = SampleTests.Results(run.Bundle).GetProperty("controls").EnumerateArray().ToArray();
        Assert.Equal(Expected, controls.ToDictionary(c => Text(c, "id"), c => (Text(c, "conclusion"), c.GetProperty("approved").GetInt32())));
        var unread = controls.SelectMany(c => c.GetProperty("limitations").EnumerateArray()
            .Select(l => (Text(c, "id"), Text(l, "account"), Text(l, "operation"), Text(l, "code"))));
        Assert.Equal([("INF-AWS-001", "444455556666", "s3:GetBucketPolicyStatus", "AccessDenied")], unread);
    }

    [NeedsFact("kube-apiserver", "kubectl", "moto_server")]
    public async Task Its_replay_concludes_the_same_from_the_same_tables_and_asks_nobody()
    {
        var asked = run.Organization.Seen.Count;
        var exchanges = Path.Combine("live-out", Path.GetFileName(run.Bundle), "data", "exchanges");
        await File.WriteAllTextAsync(Path.Combine(run.Folder, "replay.yaml"), LiveRun.Engagement($"replay: {exchanges}"));
        var replayed = await AuditCommand.ProcessAsync(run.Folder, new Dictionary<string, string>(), [], "run", "replay.yaml", "--out", "replay-out");
        Assert.True(replayed.ExitCode == run.Result.ExitCode, replayed.ToString());
        var second = AuditCommand.TheBundle(Path.Combine(run.Folder, "replay-out"));

        SampleTests.SameContents(run.Bundle, second, "data/tables");
        SampleTests.SameContents(run.Bundle, second, "data/results");
        Assert.Equal(asked, run.Organization.Seen.Count);
        Assert.True((await AuditCommand.RunAsync(run.Folder, "verify", run.Bundle, "--allow-unsigned")).ExitCode == 0);
    }

    [NeedsFact("kube-apiserver", "kubectl", "moto_server")]
    public async Task Done_again_from_its_bundle_alone_it_is_identical_down_to_the_item()
    {
        var asked = run.Organization.Seen.Count;
        var bundle = BundleForgery.Copy(run.Bundle, Path.Combine(run.Folder, "elsewhere"));
        var again = await AuditCommand.ProcessAsync(run.Folder, new Dictionary<string, string>(), [], "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.Contains("tables   identical", again.Output, StringComparison.Ordinal);
        Assert.Contains("results  identical", again.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("were not used", again.Output, StringComparison.Ordinal);
        Assert.Equal(asked, run.Organization.Seen.Count);
    }

    [NeedsFact("kube-apiserver", "kubectl", "moto_server")]
    public async Task No_credential_of_any_provider_reaches_the_bundle_the_log_or_the_screen()
    {
        var text = run.Result + await CredentialTests.EverythingAsync(run.Bundle);
        Assert.Contains("AssumeRole", text, StringComparison.Ordinal);    // the log names the exchange
        Assert.Contains(GoogleEnvironment.Auditor, text, StringComparison.Ordinal);
        Assert.NotEmpty(run.Organization.Seen);
        Assert.All(run.Organization.Seen, r => Assert.Equal(LiveRun.GoogleToken, r.Token));
        string[] secrets =
        [
            LiveRun.AwsSecret, LiveRun.AwsToken, "<SecretAccessKey>", "<SessionToken>", "Signature=", "FQoGZXIvYXdz", "X-Amz-Security-Token",
            LiveRun.GoogleToken, "\"access_token\"", "PRIVATE KEY", "assertion=",
            KubeApiServer.ReaderToken, "Authorization:",
        ];
        Assert.All(secrets, s => Assert.False(text.Contains(s, StringComparison.OrdinalIgnoreCase), $"{s} was written"));
        Assert.DoesNotContain("MARKER", text, StringComparison.Ordinal);
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    [GeneratedRegex("sg-[0-9a-f]+")]
    private static partial Regex GroupNumber();
}
