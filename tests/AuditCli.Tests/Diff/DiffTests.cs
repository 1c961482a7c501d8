using System.Text.Json;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Diff;

/// <summary>
/// Compares the exceptions of two bundles. An exception that the later bundle merely could not see must not be called fixed.
/// </summary>
public sealed class DiffTests(SampleRun sample, HostileRun hostile) : IClassFixture<SampleRun>, IClassFixture<HostileRun>
{
    private const string Control = """
        schema: 1
        id: APD-XSR-902
        version: 1.0.0
        title: Accounts are known
        objective: Every account is known.
        risk: Nobody knows.
        domain: access-to-programs-and-data
        nature: { type: detective, execution: automated }
        frequency: continuous
        kind: operating-effectiveness
        mode: point-in-time
        key_control: false
        owner: Test
        references: { soc2-tsc: [CC6.1] }
        parameters:
          level: { type: integer, default: 1, why: The standard. }
        evidence:
          accounts: { file: accounts, columns: { name: text, level: integer } }
          approved: { file: approvals, optional: true, columns: { item: text, approved_by: text, approved_on: date, reason: text, expires: date } }
        completeness: { none: a test }
        tests:
          - id: T1
            title: The level is low
            sql: SELECT a.name AS item, a.level <= $level AS pass, 'too high' AS reason FROM accounts a
        waivers: { from: approved, item: item, expires: expires, approved_by: approved_by, approved_on: approved_on, reason: reason }
        recommendation: Know them.
        """;

    private const string Engagement = """
        schema: 1
        entity: Example Exchange
        name: Follow-up
        period: { start: 2026-09-01, end: 2026-11-15 }
        as_of: 2026-11-16T00:00:00Z
        preparer: A. Preparer
        reviewer: R. Reviewer
        library: controls
        inputs:
          accounts: { file: accounts.csv, obtained_from: Somebody, obtained_on: 2026-11-16, how: by mail }
        targets:
          nobody: { kubernetes: { context: nowhere } }
        replay: exchanges
        """;

    [Fact]
    public async Task Each_exception_is_fixed_open_new_approved_or_back()
    {
        using var folder = new TemporaryFolder();
        var first = await RunAsync(folder, "first", "passes,2\ngone,2\nstays,2\nwaived,2\nreturns,2\n");
        var second = await RunAsync(folder, "second", "passes,2\ngone,2\nstays,2\nwaived,2\nreturns,1\n");
        var third = await RunAsync(
            folder, "third", "passes,1\nstays,2\nwaived,2\nreturns,2\nnovel,2\n",
            approvals: "waived,R. Reviewer,2026-09-01,agreed,2026-12-31\n");
        var (exit, diff) = await JsonAsync(first, second, third);
        Assert.Equal(2, exit);
        Assert.Equal(
            ["gone fixed", "novel new", "passes fixed", "returns reappeared", "stays still_open", "waived approved"],
            States(diff));
        var (withoutFirst, twoOnly) = await JsonAsync(second, third);
        Assert.Equal(2, withoutFirst);
        Assert.Contains("returns new", States(twoOnly));
        var (lapsed, back) = await JsonAsync(third, second);
        Assert.Equal(2, lapsed);
        Assert.Contains("waived reappeared", States(back));
    }

    [Fact]
    public async Task A_run_with_controls_of_another_folder_does_not_ask_for_the_engagements_own()
    {
        using var folder = new TemporaryFolder();
        var first = await RunAsync(folder, "first", "a,2\n");
        folder.Write("moved/engagement.yaml", Engagement.Replace("library: controls", "library: nowhere", StringComparison.Ordinal));
        folder.Write("moved/accounts.csv", "name,level\na,2\n");
        Directory.CreateDirectory(Path.Combine(folder.Path, "moved", "exchanges"));
        var own = await AuditCommand.RunAsync(folder.Path, "run", "moved/engagement.yaml", "--out", "moved/out");
        Assert.Equal(1, own.ExitCode);
        Assert.Contains("the folder 'nowhere' does not exist", own.Error, StringComparison.Ordinal);
        var other = await AuditCommand.RunAsync(
            folder.Path, "run", "moved/engagement.yaml",
            "--controls", Path.Combine(folder.Path, "first", "controls"), "--out", "moved/out");
        Assert.True(other.ExitCode == 2, other.ToString());
        Assert.NotEqual(first, AuditCommand.TheBundle(Path.Combine(folder.Path, "moved", "out")));
    }

    [Fact]
    public async Task One_bundle_has_nothing_to_be_compared_with()
    {
        var result = await AuditCommand.RunAsync(sample.Folder, "diff", sample.Bundle);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.StartsWith("name two or more bundles, oldest first", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_new_ends_with_zero_and_what_is_open_still_is_named()
    {
        using var folder = new TemporaryFolder();
        var first = await RunAsync(folder, "first", "a,2\nb,2\n");
        var second = await RunAsync(folder, "second", "a,2\nb,1\n");
        var result = await AuditCommand.RunAsync(folder.Path, "diff", first, second, "--allow-unsigned");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("1 still open, 1 fixed", result.Output, StringComparison.Ordinal);
        Assert.Equal(3, (await AuditCommand.RunAsync(folder.Path, "diff", first, second)).ExitCode);
    }

    [Fact]
    public async Task Under_another_control_or_parameter_nothing_is_called_fixed()
    {
        using var folder = new TemporaryFolder();
        var first = await RunAsync(folder, "first", "a,2\n");
        var softer = Engagement.Replace(
            "inputs:",
            "controls: { parameters: { APD-XSR-902: { level: { value: 5, by: R. Reviewer, why: Softer. } } } }\ninputs:",
            StringComparison.Ordinal);
        var parameter = await RunAsync(folder, "second", "a,2\n", engagement: softer);
        var (exit, diff) = await JsonAsync(first, parameter);
        Assert.Equal(3, exit);
        Assert.Equal(["a other_rule"], States(diff));
        Assert.Equal("parameter level", Assert.Single(diff.GetProperty("parameters_changed").EnumerateArray()).GetProperty("what").GetString());
        var control = await RunAsync(
            folder, "third", "a,2\n", control: Control.Replace("a.level <= $level", "a.level <= $level + 4", StringComparison.Ordinal));
        (exit, diff) = await JsonAsync(first, control);
        Assert.Equal(3, exit);
        Assert.Equal(["a other_rule"], States(diff));
        Assert.Equal("control changed", Assert.Single(diff.GetProperty("controls_changed").EnumerateArray()).GetProperty("what").GetString());
    }

    [Fact]
    public async Task A_shorter_file_or_one_that_is_not_whole_fixes_nothing()
    {
        using var folder = new TemporaryFolder();
        var first = await RunAsync(folder, "first", "a,2\nb,1\n");
        var shorter = await RunAsync(folder, "second", "b,1\n");
        var (exit, diff) = await JsonAsync(first, shorter);
        Assert.Equal(3, exit);
        Assert.Equal(["a seen_less"], States(diff));
        var unfit = await RunAsync(folder, "third", "a,1\nb,no number\n", exit: 3);
        (exit, diff) = await JsonAsync(first, unfit);
        Assert.Equal(3, exit);
        Assert.Equal(["a seen_less"], States(diff));
        Assert.Equal("evidence incomplete", Assert.Single(diff.GetProperty("newly_incomplete").EnumerateArray()).GetProperty("what").GetString());
    }

    [Fact]
    public async Task What_is_only_indicated_is_never_listed_as_an_exception_without_saying_so()
    {
        using var folder = new TemporaryFolder();
        var first = await RunAsync(folder, "first", "a,2\nb,2\n");
        // A cell of the wrong type makes the file incomplete, so its exceptions are only indicated.
        var second = await RunAsync(folder, "second", "a,2\nb,2\nc,no number\n", exit: 3);
        var text = await AuditCommand.RunAsync(folder.Path, "diff", first, second, "--allow-unsigned");
        Assert.Contains("2 still open (2 of them indicated)", text.Output, StringComparison.Ordinal);
        Assert.Contains("STILL OPEN (2, 2 of them indicated)", text.Output, StringComparison.Ordinal);
        Assert.Equal(2, text.Output.Split("indicated, not concluded: too high").Length - 1);
        var markdown = await AuditCommand.RunAsync(folder.Path, "diff", first, second, "--allow-unsigned", "--format", "md");
        Assert.Contains("## STILL OPEN (2, 2 of them indicated)", markdown.Output, StringComparison.Ordinal);
        var (_, diff) = await JsonAsync(first, second);
        var change = Assert.Single(diff.GetProperty("counts_changed").EnumerateArray());
        Assert.Equal(
            ("2 exceptions on 2 of 2 items", "0 exceptions on 3 items, 1 undetermined, 2 indicated"),
            (change.GetProperty("before").GetString(), change.GetProperty("after").GetString()));
        var shown = await AuditCommand.RunAsync(folder.Path, "show", second);
        Assert.Matches(@"(?m)^APD-XSR-902 +3 items +0 +0 +2 INCONCLUSIVE", shown.Output);
    }

    [Fact]
    public async Task Accounts_and_controls_that_were_not_read_fix_nothing()
    {
        using var folder = new TemporaryFolder();
        var result = await AuditCommand.RunAsync(
            folder.Path, "run", Repository.Path("samples", "engagement.yaml"),
            "--out", "out", "--target", "prod", "--control", "INF-AWS-002");
        Assert.Equal(0, result.ExitCode);
        var later = AuditCommand.TheBundle(Path.Combine(folder.Path, "out"));
        var (exit, diff) = await JsonAsync(sample.Bundle, later);
        Assert.Equal(3, exit);
        Assert.NotEmpty(diff.GetProperty("exceptions").EnumerateArray());
        Assert.All(diff.GetProperty("exceptions").EnumerateArray(), e => Assert.Equal("seen_less", e.GetProperty("state").GetString()));
        var shrunk = diff.GetProperty("scope_shrank").EnumerateArray()
            .Select(c => $"{c.GetProperty("control")} {c.GetProperty("what")} {c.GetProperty("before")}").ToArray();
        Assert.Contains(" account not read 444455556666", shrunk);
        Assert.Contains("APD-AWS-002 control not run FAIL", shrunk);
        var dev = diff.GetProperty("exceptions").EnumerateArray().Single(e => e.GetProperty("control").GetString() == "INF-AWS-002");
        Assert.Equal("444455556666 was not read", dev.GetProperty("why").GetString());
    }

    [Fact]
    public async Task A_bundle_that_does_not_verify_is_no_ground_for_good_news()
    {
        using var folder = new TemporaryFolder();
        var first = await RunAsync(folder, "first", "a,2\n");
        var second = await RunAsync(folder, "second", "a,1\n");
        await File.WriteAllTextAsync(Path.Combine(second, "data", "unexpected.txt"), "x");
        var result = await AuditCommand.RunAsync(folder.Path, "diff", first, second, "--allow-unsigned");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("UNEXPECTED_FILE", result.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, (await AuditCommand.RunAsync(folder.Path, "diff", first, "nowhere")).ExitCode);
    }

    [Theory]
    [InlineData("after", "changed", "in the later bundle data/controls/apd-xsr-902.yaml is not the file that was evaluated: its sha256 is ")]
    [InlineData("before", "changed", "in the earlier bundle data/controls/apd-xsr-902.yaml is not the file that was evaluated: its sha256 is ")]
    [InlineData("after", "removed", "in the later bundle the bundle does not contain data/controls/apd-xsr-902.yaml")]
    [InlineData("before", "removed", "in the earlier bundle the bundle does not contain data/controls/apd-xsr-902.yaml")]
    [InlineData("after", "unreadable", "in the later bundle data/controls/apd-xsr-902.yaml is not the file that was evaluated: its sha256 is ")]
    public async Task Nothing_is_fixed_under_a_control_that_is_not_the_one_that_concluded(string which, string how, string said)
    {
        using var folder = new TemporaryFolder();
        var first = await RunAsync(folder, "first", "passes,2\n");
        var second = await RunAsync(folder, "second", "passes,1\n");
        var (_, honest) = await JsonAsync(first, second);
        Assert.Equal(["passes fixed"], States(honest));
        var changed = which == "after" ? second : first;
        var path = Path.Combine(changed, "data/controls/apd-xsr-902.yaml");
        if (how == "removed")
            File.Delete(path);
        else
            BundleForgery.Replace(
                changed,
                "data/controls/apd-xsr-902.yaml",
                how == "changed" ? "SELECT a.name AS item" : "tests:",
                how == "changed" ? "SELECT a.name  AS item" : "test:");
        if (how == "removed")
            Directory.Delete(Path.GetDirectoryName(path)!);
        BundleForgery.Reseal(changed);
        var (exit, diff) = await JsonAsync(first, second);
        Assert.Equal(3, exit);
        Assert.Equal(["passes seen_less"], States(diff));
        Assert.All(diff.GetProperty("exceptions").EnumerateArray(), e => Assert.StartsWith(said, e.GetProperty("why").GetString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Hostile_names_are_compared_harmlessly()
    {
        foreach (var form in new[] { "text", "md" })
        {
            var result = await AuditCommand.RunAsync(hostile.Folder, "diff", hostile.Bundle, hostile.Bundle, "--allow-unsigned", "--format", form);
            Assert.Equal(0, result.ExitCode);
            HostileRun.IsHarmless(result.Output);
            Assert.Contains("5 still open", result.Output, StringComparison.Ordinal);
            if (form == "md")
            {
                Assert.DoesNotContain("<script", result.Output, StringComparison.Ordinal);
                Assert.Contains("| \\=cmd\\|' /C calc'\\!A0 |", result.Output, StringComparison.Ordinal);
            }
        }
        var (_, diff) = await JsonAsync(hostile.Bundle, hostile.Bundle);
        Assert.Contains(HostileRun.Escape, diff.GetProperty("exceptions").EnumerateArray().Select(e => e.GetProperty("item").GetString()));
    }

    private async Task<(int Exit, JsonElement Diff)> JsonAsync(params string[] bundles)
    {
        var result = await AuditCommand.RunAsync(sample.Folder, ["diff", .. bundles, "--allow-unsigned", "--format", "json"]);
        Assert.True(result.Output.Length > 0, result.ToString());
        return (result.ExitCode, JsonElement.Parse(result.Output));
    }

    private static string[] States(JsonElement diff) =>
        [.. diff.GetProperty("exceptions").EnumerateArray().Select(e => $"{e.GetProperty("item")} {e.GetProperty("state")}").Order(StringComparer.Ordinal)];

    /// <summary>Returns a sealed bundle about the accounts in a file.</summary>
    private static async Task<string> RunAsync(
        TemporaryFolder folder,
        string name,
        string accounts,
        string? approvals = null,
        string control = Control,
        string engagement = Engagement,
        int? exit = null)
    {
        folder.Write($"{name}/controls/access-to-programs-and-data/APD-XSR-902.yaml", control);
        folder.Write($"{name}/accounts.csv", "name,level\n" + accounts);
        Directory.CreateDirectory(Path.Combine(folder.Path, name, "exchanges"));
        if (approvals is not null)
        {
            folder.Write($"{name}/approvals.csv", "item,approved_by,approved_on,reason,expires\n" + approvals);
            engagement = engagement.Replace(
                "targets:",
                "  approvals: { file: approvals.csv, obtained_from: Somebody, obtained_on: 2026-11-16, how: by mail }\ntargets:",
                StringComparison.Ordinal);
        }
        folder.Write($"{name}/engagement.yaml", engagement);
        var result = await AuditCommand.RunAsync(folder.Path, "run", $"{name}/engagement.yaml", "--out", $"{name}/out");
        Assert.True(exit is null ? result.ExitCode is 0 or 2 : result.ExitCode == exit, result.ToString());
        return AuditCommand.TheBundle(Path.Combine(folder.Path, name, "out"));
    }
}
