using System.Text.Json;
using AuditCli.Evidence.Bundles;
using AuditCli.Reports.Formats;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Reports;

/// <summary>Reads the reports with independent programs: LibreOffice, gnumeric, Chromium with axe, NIST's schema and CI tools.</summary>
public sealed class ReportOracleTests : IClassFixture<SampleRun>, IDisposable
{
    private static readonly string[] LightAndDark = ["light-1280", "dark-1280", "light-390", "dark-390"];
    private readonly SampleRun _run;
    private readonly TemporaryFolder _folder = new();

    public ReportOracleTests(SampleRun run) => _run = run;

    public void Dispose() => _folder.Dispose();

    private string Sealed(string file) => Path.Combine(_run.Bundle, BundleLayout.ReportsFolder, file);

    [Fact]
    public void A_run_seals_every_report_and_they_are_what_the_bundle_says()
    {
        foreach (var format in ReportFormats.All)
        {
            Assert.Equal(
                Evidence.Digest.Of(File.ReadAllBytes(Sealed(format.FileName))),
                Evidence.Digest.Of(ReportFormatTests.Written(format, ReportBundle.Read(_run.Bundle))));
        }
    }

    [Fact]
    public async Task A_report_that_was_edited_is_found_when_it_is_made_again()
    {
        var bundle = BundleForgery.Copy(_run.Bundle, _folder.Path);
        BundleForgery.Replace(bundle, BundleLayout.ReportsFolder + "summary.md", "9 FAIL", "0 FAIL");
        BundleForgery.Reseal(bundle);
        var result = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("results  identical", result.Output, StringComparison.Ordinal);
        Assert.Contains("reports  DIFFER (1)", result.Output, StringComparison.Ordinal);
        Assert.Contains("data/reports/summary.md: sha256", result.Output, StringComparison.Ordinal);
    }

    [NeedsFact("ssconvert")]
    public async Task Gnumeric_sees_the_numbers_of_the_results()
    {
        var read = await AuditCommand.OtherAsync(_folder.Path, "ssconvert", "--export-type=Gnumeric_stf:stf_csv", Sealed("workpaper.xlsx"), "index.csv");
        Assert.True(read.ExitCode == 0, read.ToString());
        Assert.DoesNotContain("WARNING", read.Error, StringComparison.OrdinalIgnoreCase);
        CheckIndex(await File.ReadAllTextAsync(Path.Combine(_folder.Path, "index.csv")));
    }

    [NeedsFact("soffice")]
    public async Task LibreOffice_opens_the_workbook_and_sees_the_numbers_of_the_results()
    {
        var read = await AuditCommand.OtherAsync(
            _folder.Path, "soffice", $"-env:UserInstallation=file://{_folder.Path}/profile", "--headless",
            "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1", "--outdir", _folder.Path, Sealed("workpaper.xlsx"));
        Assert.True(read.ExitCode == 0, read.ToString());
        CheckIndex(await File.ReadAllTextAsync(Path.Combine(_folder.Path, "workpaper.csv")));
    }

    [NeedsFact("node")]
    public async Task Oscal_results_are_valid_by_nists_own_schema()
    {
        foreach (var file in new[] { Sealed("results.oscal.json"), await HostileAsync("oscal") })
        {
            var found = await NodeAsync("oscal-check.mjs", Repository.Path("tests", "AuditCli.Tests", "Vectors", "oscal-assessment-results-schema.json"), file);
            Assert.True(found.GetProperty("valid").GetBoolean(), found.GetRawText());
        }
        var broken = _folder.Write("broken.json", (await File.ReadAllTextAsync(Sealed("results.oscal.json")))
            .Replace("\"objective-id\"", "\"nothing\"", StringComparison.Ordinal));
        var read = await NodeAsync(
            "oscal-check.mjs", Repository.Path("tests", "AuditCli.Tests", "Vectors", "oscal-assessment-results-schema.json"), broken);
        Assert.False(read.GetProperty("valid").GetBoolean());
    }

    [NeedsFact("node")]
    public async Task Sarif_is_accepted_by_microsofts_validator()
    {
        foreach (var file in new[] { Sealed("results.sarif"), await HostileAsync("sarif") })
        {
            var read = await ValidateSarifAsync(file);
            Assert.DoesNotContain(": error ", read.Output, StringComparison.Ordinal);
            Assert.Contains("Analysis completed successfully", read.Output, StringComparison.Ordinal);
        }
        var broken = _folder.Write("broken.sarif", (await File.ReadAllTextAsync(Sealed("results.sarif")))
            .Replace("\"driver\":{\"name\":\"auditcli\",", "\"driver\":{", StringComparison.Ordinal));
        Assert.Contains("error JSON1002", (await ValidateSarifAsync(broken)).Output, StringComparison.Ordinal);
    }

    [NeedsFact("node")]
    public async Task A_junit_reader_counts_what_was_not_concluded_as_broken_and_never_as_passed()
    {
        var found = await NodeAsync("junit-check.mjs", Sealed("results.junit.xml"));
        var tests = SampleTests.Partitions(_run.Bundle).Select(p => p.Result.GetProperty("conclusion").GetString()).ToArray();
        Assert.Equal(tests.Length, found.GetProperty("cases").GetInt32());
        Assert.Equal(tests.Count(c => c == "FAIL"), found.GetProperty("failed").GetInt32());
        Assert.Equal(tests.Count(c => c == "INCONCLUSIVE"), found.GetProperty("broken").GetInt32());
        Assert.Equal(tests.Count(c => c == "NO_OCCURRENCE"), found.GetProperty("left").GetInt32());
        Assert.StartsWith("REPLAY of exchanges", found.GetProperty("name").GetString(), StringComparison.Ordinal);
        Assert.True((await NodeAsync("junit-check.mjs", await HostileAsync("junit"))).GetProperty("failed").GetInt32() > 0);
    }

    [NeedsFact("chromium", "node")]
    public async Task The_page_works_in_a_browser_and_axe_finds_nothing_serious()
    {
        var found = await NodeAsync("report-check.mjs", Sealed("report.html"), "Console users sign in with multi-factor authentication", "prod");
        CheckPage(found);
        Assert.Equal("Skip to the content", found.GetProperty("firstStop").GetString());
        Assert.Equal("#main", found.GetProperty("firstStopLeadsTo").GetString());
        Assert.Equal(14, found.GetProperty("controls").GetInt32());
        Assert.Equal(1, found.GetProperty("foundByWord").GetInt32());
        Assert.Equal(0, found.GetProperty("foundByNonsense").GetInt32());
        Assert.Equal(found.GetProperty("expectedFiltered").GetInt32(), found.GetProperty("filtered").GetInt32());
        Assert.Equal(14, found.GetProperty("afterClear").GetInt32());
        Assert.InRange(found.GetProperty("rowsFound").GetInt32(), 1, found.GetProperty("rows").GetInt32() - 1);
        Assert.Contains("data/exchanges/dev/iam-aws-global.warc.gz", found.GetProperty("exceptionText").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("REPLAY of exchanges", found.GetProperty("firstText").GetString(), StringComparison.Ordinal);
    }

    [NeedsFact("chromium", "node")]
    public async Task A_hostile_page_runs_nothing_and_shows_everything_as_text()
    {
        var found = await NodeAsync("report-check.mjs", await HostileAsync("html"), "APD-AWS-901", "<script>alert(1)");
        CheckPage(found);
        Assert.Equal(1, found.GetProperty("rowsFound").GetInt32());
        Assert.Contains("<img src=x onerror=alert(2)>", found.GetProperty("foundText").GetString(), StringComparison.Ordinal);
    }

    internal static void CheckPage(JsonElement found)
    {
        Assert.Equal(0, found.GetProperty("messages").GetArrayLength());
        Assert.Equal(0, found.GetProperty("requests").GetArrayLength());
        Assert.Equal(0, found.GetProperty("dialogs").GetInt32());
        Assert.Equal(0, found.GetProperty("markupFromEvidence").GetInt32());
        Assert.All(LightAndDark, look => Assert.True(
            found.GetProperty("serious").GetProperty(look).GetArrayLength() == 0,
            $"{look}: {found.GetProperty("serious").GetRawText()}"));
        Assert.Equal(0, found.GetProperty("overflow1280").GetInt32());
        Assert.Equal(0, found.GetProperty("overflow390").GetInt32());
    }

    /// <summary>Checks that each control's line of the index has the numbers of results.json.</summary>
    private void CheckIndex(string csv)
    {
        var lines = csv.Replace("\"", "", StringComparison.Ordinal).Split('\n');
        Assert.StartsWith("REPLAY of exchanges", lines[0], StringComparison.Ordinal);
        foreach (var control in SampleTests.Results(_run.Bundle).GetProperty("controls").EnumerateArray())
        {
            var line = lines.Single(l =>
                l.StartsWith(control.GetProperty("id").GetString() + ",", StringComparison.Ordinal)
                && l.Contains(control.GetProperty("sha256").GetString()!, StringComparison.Ordinal));
            var tests = control.GetProperty("tests").EnumerateArray().ToArray();
            string[] counted = ["deviations", "approved", "undetermined", "indicated"];
            var numbers = string.Join(',', counted.Select(n => tests.Sum(t => t.GetProperty(n).GetInt64())));
            Assert.Contains($",{numbers},", line, StringComparison.Ordinal);
        }
    }

    private async Task<string> HostileAsync(string name)
    {
        var format = ReportFormats.All.Single(f => f.Name == name);
        using var bundles = new TemporaryFolder();
        var content = ReportFormatTests.Written(format, ReportBundle.Read(await HostileReportTests.SealAsync(bundles.Path)));
        var file = Path.Combine(_folder.Path, $"hostile-{format.FileName}");
        await File.WriteAllBytesAsync(file, content);
        return file;
    }

    private Task<CommandResult> ValidateSarifAsync(string file) => AuditCommand.OtherAsync(
        _folder.Path,
        "node",
        Repository.Path("tests", "tools", "node_modules", "@microsoft", "sarif-multitool", "bin.js"),
        "validate",
        file);

    internal static async Task<JsonElement> NodeAsync(string script, params string[] arguments)
    {
        var read = await AuditCommand.OtherAsync(Repository.Path("tests", "tools"), "node", [script, .. arguments]);
        Assert.True(read.ExitCode == 0, read.ToString());
        return JsonDocument.Parse(read.Output).RootElement;
    }
}
