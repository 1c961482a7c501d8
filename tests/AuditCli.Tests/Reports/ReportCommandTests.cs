using AuditCli.Tests.Reperformance;

namespace AuditCli.Tests.Reports;

/// <summary>Tests <c>auditcli report</c>: first what it refuses, then what it writes.</summary>
public sealed class ReportCommandTests(OneAccount account) : IClassFixture<OneAccount>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_bundle_that_was_changed_is_not_reported_on()
    {
        var bundle = await ReportBundle.SealAsync(_folder.Path, ReportBundle.Usual);
        BundleForgery.Replace(bundle, "data/results/results.json", "FAIL", "PASS");
        var result = await RunAsync(bundle, "--format", "md");
        Assert.Equal(2, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.Contains("CONTENT_MODIFIED data/results/results.json", result.Error, StringComparison.Ordinal);
        Assert.Contains("so no report was written", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_in_a_bundle_is_not_followed()
    {
        var bundle = await ReportBundle.SealAsync(_folder.Path, ReportBundle.Usual);
        File.Delete(Path.Combine(bundle, "data/results/apd-aws-901.t1.ndjson"));
        File.CreateSymbolicLink(Path.Combine(bundle, "data/results/apd-aws-901.t1.ndjson"), "/etc/passwd");
        var result = await RunAsync(bundle, "--format", "csv");
        Assert.Equal(2, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.Contains("SPECIAL_FILE data/results/apd-aws-901.t1.ndjson", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--format", "pdf", "--format pdf is not one of xlsx, html, md, csv, oscal, sarif, junit or all")]
    [InlineData("--format", "all", "several reports cannot go to stdout; say --out DIR")]
    [InlineData("--format", "xlsx", "workpaper.xlsx cannot go to stdout; say --out DIR")]
    [InlineData("--challenge", "x", "say --format xlsx, html, md, csv, oscal, sarif, junit or all")]
    public async Task What_cannot_be_done_is_said_before_anything_is_read(string option, string value, string said)
    {
        var bundle = await ReportBundle.SealAsync(_folder.Path, ReportBundle.Usual);
        var result = await RunAsync(bundle, option, value);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_written_into_the_bundle_or_over_somebodys_work()
    {
        var bundle = await ReportBundle.SealAsync(_folder.Path, ReportBundle.Usual);
        var inside = await RunAsync(bundle, "--format", "md", "--out", Path.Combine(bundle, "data"));
        Assert.Equal(1, inside.ExitCode);
        Assert.Contains("would break its seal", inside.Error, StringComparison.Ordinal);
        var filled = _folder.Write("handover/workpaper.xlsx", "signed off");
        var over = await RunAsync(bundle, "--format", "all", "--out", Path.GetDirectoryName(filled)!);
        Assert.Equal(1, over.ExitCode);
        Assert.Contains("already exists", over.Error, StringComparison.Ordinal);
        Assert.Equal("signed off", await File.ReadAllTextAsync(filled));
    }

    [Fact]
    public async Task All_seven_are_written_and_name_the_seal_that_the_sealed_ones_cannot_know()
    {
        var bundle = account.Bundle;
        var target = Path.Combine(_folder.Path, "handover");
        var result = await RunAsync(bundle, "--format", "all", "--out", target, "--allow-unsigned");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(
            ["report.html", "results.csv", "results.junit.xml", "results.oscal.json", "results.sarif", "summary.md", "workpaper.xlsx"],
            Directory.GetFiles(target).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var seal = Evidence.Digest.Of(await File.ReadAllBytesAsync(Path.Combine(bundle, "tagmanifest-sha256.txt"))).Hex;
        foreach (var file in new[] { "report.html", "results.csv", "results.junit.xml", "results.oscal.json", "results.sarif", "summary.md" })
            Assert.Contains(seal, await File.ReadAllTextAsync(Path.Combine(target, file)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_summary_goes_to_stdout_and_an_unsigned_bundle_stays_undecided()
    {
        var bundle = account.Bundle;
        var result = await RunAsync(bundle, "--format", "md");
        Assert.Equal(3, result.ExitCode);
        Assert.StartsWith("# ", result.Output, StringComparison.Ordinal);
        Assert.Contains("undecided", result.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(bundle, "--format", "md", "--allow-unsigned")).ExitCode);
    }

    private Task<CommandResult> RunAsync(string bundle, params string[] arguments) => AuditCommand.RunAsync(_folder.Path, ["report", bundle, .. arguments]);
}
