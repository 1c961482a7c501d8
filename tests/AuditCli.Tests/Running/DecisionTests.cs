namespace AuditCli.Tests.Running;

/// <summary>
/// Tests decisions of the engagement that a control is not applicable: a valid one leaves the control out, an invalid one does not.
/// </summary>
public sealed class DecisionTests
{
    [Fact]
    public async Task Where_every_control_is_left_out_nothing_was_tested_and_the_exit_code_is_not_0()
    {
        using var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", Engagement("R. Reviewer", "2026-11-01"));
        var result = await AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains("1 NOT_APPLICABLE", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("A. Preparer", "2026-11-01", "the preparer of the engagement approved it")]
    [InlineData("R. Reviewer", "2026-11-24", "it was approved after as_of")]
    public async Task A_decision_that_counts_for_nothing_is_listed_everywhere_and_the_control_is_tested(string by, string on, string why)
    {
        using var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", Engagement(by, on));
        using var server = new IamServer(users: 3, TimeSpan.Zero);
        var run = await AuditCommand.ProcessAsync(folder.Path, AwsEnvironment.At(server.Url), [], "run", "engagement.yaml", "--out", "out");
        var bundle = AuditCommand.TheBundle(Path.Combine(folder.Path, "out"));

        Assert.True(run.ExitCode == 0, run.ToString());
        var control = Assert.Single(SampleTests.Results(bundle).GetProperty("controls").EnumerateArray());
        Assert.Equal(("PASS", why), (control.GetProperty("conclusion").GetString(), control.GetProperty("refused_decision").GetProperty("why").GetString()));
        var said = $"has no effect, because {why}";
        Assert.True(OneLine(run.Output).Contains(said, StringComparison.Ordinal), run.ToString());
        Assert.Contains(said, (await AuditCommand.RunAsync(folder.Path, "show", bundle, "APD-AWS-004")).Output, StringComparison.Ordinal);
        foreach (var report in Directory.GetFiles(Path.Combine(bundle, "data", "reports")).Where(f => !f.EndsWith(".xlsx", StringComparison.Ordinal)))
            Assert.True(OneLine(await File.ReadAllTextAsync(report)).Contains(said, StringComparison.Ordinal), report);
        var again = await AuditCommand.RunAsync(folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Theory]
    [InlineData("\"*\"")]
    [InlineData("APD-*")]
    public async Task A_decision_is_of_one_control(string id)
    {
        using var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", Engagement("R. Reviewer", "2026-11-01", id));
        var result = await AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Matches(@"engagement\.yaml:\d+:\d+: ", result.Error);
    }

    /// <summary>Joins the lines of a text, so that wrapping does not matter.</summary>
    private static string OneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static string Engagement(string by, string on, string id = "APD-AWS-004") => AwsEnvironment.Engagement("APD-AWS-004").Replace(
        "  include: [APD-AWS-004]\n",
        $"  include: [APD-AWS-004]\n  not_applicable: {{ {id}: {{ reason: no keys, approved_by: {by}, approved_on: {on} }} }}\n", StringComparison.Ordinal);
}
