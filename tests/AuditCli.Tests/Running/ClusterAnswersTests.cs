using System.Globalization;
using System.Text;

namespace AuditCli.Tests.Running;

/// <summary>Runs against a loopback cluster whose answers carry a warning or has many empty pages.</summary>
public sealed class ClusterAnswersTests : IDisposable
{
    private const string Control = """
        schema: 1
        id: APD-K8S-901
        version: 1.0.0
        title: Namespaces are named
        objective: Every namespace has a name.
        risk: Nobody knows.
        domain: access-to-programs-and-data
        nature: { type: detective, execution: automated }
        frequency: continuous
        kind: operating-effectiveness
        mode: point-in-time
        key_control: false
        owner: Test
        references: { soc2-tsc: [CC6.1] }
        evidence:
          namespaces: { kubernetes: v1/namespaces }
        completeness: { none: a test }
        tests:
          - id: T1
            title: It has a name
            sql: SELECT n.uid AS item, n.name IS NOT NULL AS pass, 'no name' AS reason FROM namespaces n
        recommendation: Name them.
        """;

    private const string Whole = """{"kind":"NamespaceList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a","uid":"1"}}]}""";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// Serves 1,200 empty pages and then one namespace. The limit is a number of pages together with a time, so the clock decides: where the
    /// pages take too long, reading stops at the limit of pages; where they do not, it goes on to the end. Without the limit both would pass.
    /// </summary>
    [Theory]
    [InlineData(600, 1000, 3, "INCONCLUSIVE", true)]
    [InlineData(0, 1201, 0, "PASS", false)]
    public async Task Empty_pages_are_given_up_at_the_limit_and_not_before_it(int secondsEach, int lists, int exitCode, string conclusion, bool isGivenUp)
    {
        using var cluster = new ClusterServer(n => Encoding.UTF8.GetBytes(n > 1200 ? Whole : string.Create(
            CultureInfo.InvariantCulture, $$"""{"kind":"NamespaceList","apiVersion":"v1","metadata":{"continue":"t{{n}}"},"items":[]}""")));

        var (result, report) = await RunAsync(cluster, new LeapingClock(secondsEach));

        Assert.True(result.ExitCode == exitCode, result.ToString());
        Assert.Contains(conclusion, result.Output, StringComparison.Ordinal);
        Assert.Equal(isGivenUp, report.Contains("EndlessPages", StringComparison.Ordinal));
        Assert.Equal(lists, cluster.Lists);
    }

    [Theory]
    [InlineData("110 - \"Response is Stale\"")]
    [InlineData("199 - \"Miscellaneous Warning\"")]
    [InlineData("299 - \"deprecated\", 112")]
    public async Task An_answer_that_warns_of_its_age_is_no_pass(string warning)
    {
        using var cluster = new ClusterServer(_ => Encoding.UTF8.GetBytes(Whole)) { Warning = warning };

        var (result, report) = await RunAsync(cluster, TimeProvider.System);

        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains("INCONCLUSIVE", result.Output, StringComparison.Ordinal);
        Assert.Contains("OldAnswer", report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_server_itself_warns_of_is_shown_and_takes_no_pass_away()
    {
        using var cluster = new ClusterServer(_ => Encoding.UTF8.GetBytes(Whole)) { Warning = "299 - \"v1 Namespace is deprecated\"" };

        var (result, report) = await RunAsync(cluster, TimeProvider.System);

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("the server warns: v1 Namespace is deprecated", report, StringComparison.Ordinal);
    }

    /// <summary>Returns the output and the sealed report page.</summary>
    private async Task<(CommandResult Result, string Report)> RunAsync(ClusterServer cluster, TimeProvider clock)
    {
        _folder.Write("config", cluster.Kubeconfig);
        _folder.Write(Path.Combine("controls", "access-to-programs-and-data", "APD-K8S-901.yaml"), Control);
        _folder.Write("engagement.yaml", $$"""
            schema: 1
            entity: E
            name: n
            period: { start: 2026-09-01, end: 2026-11-15 }
            as_of: {{DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}}
            preparer: A. Preparer
            reviewer: R. Reviewer
            library: controls
            targets:
              trading: { kubernetes: { kubeconfig: config } }
            """);
        var result = await AuditCommand.RunAsync(
            AuditCommand.Host(_folder.Path) with { Clock = clock }, CancellationToken.None, "run", "engagement.yaml", "--out", "out");
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        return (result, await File.ReadAllTextAsync(Path.Combine(bundle, "data", "reports", "report.html")));
    }
}
