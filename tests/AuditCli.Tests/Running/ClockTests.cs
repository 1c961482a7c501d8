using System.Globalization;
using System.IO.Compression;
using System.Text.RegularExpressions;

namespace AuditCli.Tests.Running;

/// <summary>
/// Tests runs on a machine whose clock differs from the servers': their conclusions, where these mention the difference, and their replay.
/// </summary>
public sealed partial class ClockTests
{
    private static readonly string[] Reports =
    [
        "summary.md", "results.csv", "report.html", "results.junit.xml", "results.sarif", "results.oscal.json", "workpaper.xlsx",
    ];

    public static TheoryData<double, string> Clocks => new()
    {
        { -100 * 24 * 60, "clock was 99 days ahead of the servers" },
        { 100 * 24 * 60 + 1, "clock was 100 days behind the servers" },
        { 6, "clock was " },
    };

    [Theory]
    [MemberData(nameof(Clocks))]
    public async Task A_clock_that_is_off_concludes_no_state_says_so_on_every_first_page_and_replays_the_same(double minutes, string words)
    {
        using var folder = new TemporaryFolder();
        using var server = new IamServer(users: 2, TimeSpan.Zero)
        {
            Date = () => DateTimeOffset.UtcNow.AddMinutes(minutes).ToString("r", CultureInfo.InvariantCulture),
        };
        var (result, bundle) = await RunAsync(folder, server);
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains(words, result.Output, StringComparison.Ordinal);
        var control = Assert.Single(SampleTests.Results(bundle).GetProperty("controls").EnumerateArray());
        Assert.Equal("INCONCLUSIVE", control.GetProperty("conclusion").GetString());
        Assert.Contains("ClockDiffers", control.GetProperty("limitations").EnumerateArray().Select(l => l.GetProperty("code").GetString()));
        foreach (var report in Reports)
        {
            var text = await TextAsync(Path.Combine(bundle, "data", "reports", report));
            Assert.True(text.Contains(words, StringComparison.Ordinal), $"{report} does not say that the {words}");
        }

        await ReplayIsTheSameAsync(folder, bundle);
    }

    [Theory]
    [InlineData("Age", "7200", "a response came from a cache and was 2 hours old (Age header); the limit is 5 minutes")]
    [InlineData("Age", "864000", "a response came from a cache and was 10 days old (Age header); the limit is 5 minutes")]
    [InlineData("Age", "unknown", "marked as out of date, or as changed in transit (Warning, Age)")]
    [InlineData("Warning", "110 - \"Response is Stale\"", "marked as out of date, or as changed in transit (Warning, Age)")]
    public async Task An_old_answer_concludes_no_state_says_so_on_every_first_page_and_replays_the_same(string field, string value, string words)
    {
        using var folder = new TemporaryFolder();
        using var server = new IamServer(users: 2, TimeSpan.Zero) { Field = (field, value) };
        var (result, bundle) = await RunAsync(folder, server);
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains(words, result.Output, StringComparison.Ordinal);
        var control = Assert.Single(SampleTests.Results(bundle).GetProperty("controls").EnumerateArray());
        Assert.Equal("INCONCLUSIVE", control.GetProperty("conclusion").GetString());
        Assert.Contains("OldAnswer", control.GetProperty("limitations").EnumerateArray().Select(l => l.GetProperty("code").GetString()));
        foreach (var report in Reports)
        {
            var text = await TextAsync(Path.Combine(bundle, "data", "reports", report));
            Assert.True(text.Contains(words, StringComparison.Ordinal), $"{report} does not say that {words}");
        }

        await ReplayIsTheSameAsync(folder, bundle);
        var again = await AuditCommand.RunAsync(folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Fact]
    public async Task One_answer_of_many_with_an_old_date_concludes_no_state()
    {
        using var folder = new TemporaryFolder();
        var answers = 0;
        using var server = new IamServer(users: 2, TimeSpan.Zero)
        {
            // The first response is to GetCallerIdentity; the third is the credential report.
            Date = () => DateTimeOffset.UtcNow.AddHours(Interlocked.Increment(ref answers) == 3 ? -3 : 0).ToString("r", CultureInfo.InvariantCulture),
        };
        var (result, bundle) = await RunAsync(folder, server);
        Assert.True(answers >= 3 && result.ExitCode == 3, $"{answers} {result}");
        Assert.Contains("ClockDiffers", result.Output, StringComparison.Ordinal);
        await ReplayIsTheSameAsync(folder, bundle);
    }

    [Theory]
    [InlineData("Age", "0")]
    [InlineData("Age", "299")]
    [InlineData("Warning", "299 - \"this API is deprecated\"")]
    public async Task An_answer_that_is_not_old_passes_and_what_its_server_warns_of_is_a_note(string field, string value)
    {
        using var folder = new TemporaryFolder();
        using var server = new IamServer(users: 2, TimeSpan.Zero) { Field = (field, value) };
        var (result, bundle) = await RunAsync(folder, server);
        // A cached answer says nothing about the server's clock. If all answers are cached, there is no clock to compare with.
        Assert.True(result.ExitCode == (value == "299" ? 3 : 0), result.ToString());
        Assert.DoesNotContain("OldAnswer", result.Output, StringComparison.Ordinal);
        var html = await TextAsync(Path.Combine(bundle, "data", "reports", "report.html"));
        Assert.Equal(field == "Warning", html.Contains("the server warns: this API is deprecated", StringComparison.Ordinal));
        await ReplayIsTheSameAsync(folder, bundle);
    }

    [Fact]
    public async Task A_clock_that_agrees_passes_and_the_bundle_says_when_it_was_read()
    {
        using var folder = new TemporaryFolder();
        using var server = new IamServer(users: 2, TimeSpan.Zero);
        var (result, bundle) = await RunAsync(folder, server);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.DoesNotContain("clock", result.Output, StringComparison.Ordinal);
        var test = SampleTests.Partitions(bundle).First().Result;
        var read = test.GetProperty("read_from").GetDateTimeOffset();
        Assert.InRange(read, DateTimeOffset.UtcNow.AddMinutes(-10), test.GetProperty("read_until").GetDateTimeOffset());
        var summary = Unescaped(await TextAsync(Path.Combine(bundle, "data", "reports", "summary.md")));
        Assert.Contains($"| Read, by the servers' clocks | {read:yyyy-MM-ddTHH:mm:ssZ} to", summary, StringComparison.Ordinal);
        await ReplayIsTheSameAsync(folder, bundle);
    }

    [Fact]
    public async Task A_clock_that_could_be_compared_with_none_concludes_no_state()
    {
        using var folder = new TemporaryFolder();
        using var server = new IamServer(users: 2, TimeSpan.Zero) { Date = () => "some time this week" };
        var (result, bundle) = await RunAsync(folder, server);
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains("ClockNotCompared", result.Output, StringComparison.Ordinal);
        await ReplayIsTheSameAsync(folder, bundle);
    }

    [Theory]
    [InlineData("period: { start: 2026-09-01, end: 2026-11-15 }", "period: { start: 2026-09-01, end: 2099-12-31 }", 0, "was read from")]
    [InlineData("as_of_tolerance: 36500d", "as_of_tolerance: 36500d", 1, "so as_of was in the future")]
    [InlineData("period: { start: 2026-09-01, end: 2026-11-15 }", "period: { start: 2026-09-01, end: 2026-11-15 }", -100, "after ")]
    public async Task A_period_that_was_not_over_and_a_moment_of_the_future_are_said_first(string line, string other, int days, string words)
    {
        using var folder = new TemporaryFolder();
        using var server = new IamServer(users: 2, TimeSpan.Zero);
        var moment = days == 0 ? DateTimeOffset.UtcNow
            : days > 0 ? DateTimeOffset.UtcNow.AddDays(days)
            : new DateTimeOffset(2026, 11, 14, 0, 0, 0, TimeSpan.Zero);
        var asOf = moment.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var (result, _) = await RunAsync(folder, server, e => e.Replace(line, other, StringComparison.Ordinal), asOf);
        var scope = result.Output[result.Output.IndexOf("SCOPE", StringComparison.Ordinal)..];
        Assert.Contains(words, scope, StringComparison.Ordinal);
    }

    /// <summary>Runs APD-AWS-004 for one account, as of now.</summary>
    private static async Task<(CommandResult Result, string Bundle)> RunAsync(
        TemporaryFolder folder, IamServer server, Func<string, string>? change = null, string? asOf = null)
    {
        asOf ??= DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var engagement = AsOf().Replace(AwsEnvironment.Engagement("APD-AWS-004"), $"as_of: {asOf}");
        if (change is null)
            engagement = engagement.Replace("as_of_tolerance: 36500d\n", "", StringComparison.Ordinal);
        folder.Write("engagement.yaml", change?.Invoke(engagement) ?? engagement);
        var result = await AuditCommand.ProcessAsync(folder.Path, AwsEnvironment.At(server.Url), [], "run", "engagement.yaml", "--out", "out");
        return (result, AuditCommand.TheBundle(Path.Combine(folder.Path, "out")));
    }

    private static async Task ReplayIsTheSameAsync(TemporaryFolder folder, string bundle)
    {
        var engagement = await File.ReadAllTextAsync(Path.Combine(folder.Path, "engagement.yaml"));
        folder.Write("replay.yaml", $"{engagement}\nreplay: {Path.GetRelativePath(folder.Path, bundle)}/data/exchanges\n");
        var result = await AuditCommand.RunAsync(folder.Path, "run", "replay.yaml", "--out", "replayed");
        Assert.Contains("REPLAY", result.Output, StringComparison.Ordinal);
        foreach (var part in new[] { "data/tables", "data/results", "data/evidence" })
            SampleTests.SameContents(bundle, AuditCommand.TheBundle(Path.Combine(folder.Path, "replayed")), part);
    }

    /// <summary>Returns the text of a report; for a workbook, that of its first sheet.</summary>
    private static async Task<string> TextAsync(string report)
    {
        if (!report.EndsWith(".xlsx", StringComparison.Ordinal))
            return Unescaped(await File.ReadAllTextAsync(report));
        await using var zip = await ZipFile.OpenReadAsync(report);
        using var sheet = new StreamReader(await zip.GetEntry("xl/worksheets/sheet1.xml")!.OpenAsync());
        return Unescaped(await sheet.ReadToEndAsync());
    }

    /// <summary>Reverts how Markdown, HTML and JSON escape an apostrophe.</summary>
    private static string Unescaped(string text) => text
        .Replace("&#39;", "'", StringComparison.Ordinal)
        .Replace("&apos;", "'", StringComparison.Ordinal)
        .Replace("\\u0027", "'", StringComparison.Ordinal)
        .Replace("\\'", "'", StringComparison.Ordinal);

    [GeneratedRegex("as_of: .*$", RegexOptions.Multiline)]
    private static partial Regex AsOf();
}
