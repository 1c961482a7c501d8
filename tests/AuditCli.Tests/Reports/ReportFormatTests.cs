using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Reports.Formats;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Tests.Reports;

/// <summary>
/// Tests every format of the workpaper: it matches its approved file, is deterministic, and states its limitations on the first page.
/// </summary>
public sealed class ReportFormatTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private string _bundle = "";

    public static TheoryData<string> Formats => [.. ReportFormats.All.Select(f => f.Name)];

    public async Task InitializeAsync() => _bundle = await ReportBundle.SealAsync(_folder.Path, ReportBundle.Usual);

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_format_that_is_written_is_offered_once()
    {
        var written = typeof(Composition).Assembly.GetTypes().Where(t => t.IsClass && typeof(IReportFormat).IsAssignableFrom(t)).Select(t => t.Name).Order();
        Assert.Equal(written, ReportFormats.All.Select(f => f.GetType().Name).Order());
        Assert.Equal(ReportFormats.All.Length, ReportFormats.All.Select(f => f.FileName).Distinct().Count());
        Assert.All(ReportFormats.All, f => Assert.True(
            File.Exists(Repository.Path("tests", "AuditCli.Tests", "Golden", "reports", GoldenName(f))), $"{f.Name} has no approved file"));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_format_is_as_approved(string name)
    {
        var format = ReportFormats.All.Single(f => f.Name == name);
        Golden.Matches($"reports/{GoldenName(format)}", Readable(format, Written(format, ReportBundle.Read(_bundle))));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task Equal_bundles_give_equal_bytes_wherever_they_lie(string name)
    {
        using var elsewhere = new TemporaryFolder();
        var other = await ReportBundle.SealAsync(elsewhere.Path, ReportBundle.Usual);
        var format = ReportFormats.All.Single(f => f.Name == name);
        Assert.Equal(Digest.Of(Written(format, ReportBundle.Read(_bundle))), Digest.Of(Written(format, ReportBundle.Read(other))));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Nothing_weakens_silently_in_any_format(string name)
    {
        var format = ReportFormats.All.Single(f => f.Name == name);
        var workpaper = ReportBundle.Read(_bundle);
        var text = Plain(Readable(format, Written(format, workpaper)));
        Assert.Equal(14, workpaper.Notes.Length);
        string[] said =
        [
            "REPLAY of exchanges recorded 2026-11-23T04:41:56Z to 2026-11-23T04:42:00Z", ReportBundle.Id,
            workpaper.ResultsSha256.Hex, workpaper.IndexSha256.Hex,
            "http://127.0.0.1:5000 (not encrypted)", "https://10.0.0.1:6443 (certificate not checked)", "narrowed by the engagement", "excludes 999900001111",
            "grace_days is 7, set by R. Reviewer: Client standard", "not tested: APD-K8S-001: the engagement has no target of kubernetes",
            "could not connect to target dev: AccessDenied", "data/inputs/hr-leavers/leavers.csv",
            "APD-AWS-901 is a control of your own library", "users 1", workpaper.Controls[0].Result.Sha256.Hex, "3 recorded responses",
            .. workpaper.Notes.Select(n => n.Text),
        ];
        Assert.All(said, words => Assert.True(text.Contains(words, StringComparison.Ordinal), $"{format.FileName} does not say: {words}"));
        Assert.DoesNotContain("data/reports/results.csv", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("md")]
    [InlineData("html")]
    [InlineData("csv")]
    [InlineData("junit")]
    [InlineData("oscal")]
    [InlineData("sarif")]
    [InlineData("xlsx")]
    public void A_replay_is_told_before_any_conclusion(string name)
    {
        var format = ReportFormats.All.Single(f => f.Name == name);
        var text = Plain(Readable(format, Written(format, ReportBundle.Read(_bundle))));
        var body = text[(name == "html" ? text.IndexOf("<body>", StringComparison.Ordinal) : 0)..];
        Assert.InRange(body.IndexOf("REPLAY of", StringComparison.Ordinal), 0, body.IndexOf("INCONCLUSIVE", StringComparison.Ordinal));
    }

    [Fact]
    public void An_exception_leads_down_to_the_raw_exchange()
    {
        var workpaper = ReportBundle.Read(_bundle);
        var traces = workpaper.Traces.Of(workpaper.Controls[0], CancellationToken.None);
        var raw = Assert.Single(traces[("T1", 2)].References);
        Assert.Equal("urn:uuid:35d96ad9-b2f9-8040-af7b-a90fa29782d0", raw.RecordId);
        Assert.Equal("data/exchanges/prod/iam-aws-global.warc.gz", raw.File);
        Assert.Empty(traces[("T1", 3)].References);
        var html = Encoding.UTF8.GetString(Written(ReportFormats.All.Single(f => f.Name == "html"), workpaper));
        foreach (var words in new[] { raw.Reference, raw.File!, Digest.Of("the raw answers"u8).Hex, "request-1", "data/results/apd-aws-901.t1.ndjson" })
            Assert.Contains(words, html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_index_names_cannot_lead_out_of_the_bundle()
    {
        using var folder = new TemporaryFolder();
        var bundle = await ReportBundle.SealAsync(folder.Path, ReportBundle.Usual);
        BundleForgery.Replace(bundle, "data/evidence/index.jsonl", "data/tables/aws-iam-listusers-0123456789ab.ndjson.gz", "../../../../../etc/passwd");
        BundleForgery.Reseal(bundle);
        var refused = Assert.Throws<InvalidDataException>(() => Written(ReportFormats.All.Single(f => f.Name == "html"), ReportBundle.Read(bundle)));
        Assert.Contains("../../../../../etc/passwd is in no manifest of the bundle", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("iam:ListUsers }", 0)]
    [InlineData("iam:ListUsers, across: engagement }", 1)]
    public async Task Evidence_of_another_account_is_named_only_where_the_control_reads_it_across_the_engagement(string evidence, int places)
    {
        using var folder = new TemporaryFolder();
        var bundle = await ReportBundle.SealAsync(folder.Path, ReportBundle.Usual);
        var file = Path.Combine(bundle, "data/controls/apd-aws-901.yaml");
        var before = Digest.Of(File.ReadAllBytes(file)).Hex;
        File.WriteAllText(file, File.ReadAllText(file).Replace("iam:ListUsers }", evidence, StringComparison.Ordinal));
        BundleForgery.Replace(bundle, "data/results/results.json", before, Digest.Of(File.ReadAllBytes(file)).Hex);
        BundleForgery.Replace(bundle, "data/results/apd-aws-901.t1.ndjson", "\"account\":\"111122223333\"", "\"account\":\"444455556666\"");
        BundleForgery.Reseal(bundle);
        var workpaper = ReportBundle.Read(bundle);
        Assert.NotNull(workpaper.Controls[0].Definition);
        Assert.Equal(places, workpaper.Traces.Of(workpaper.Controls[0], CancellationToken.None)[("T1", 2)].References.Length);
    }

    /// <summary>
    /// Checks that the report of 200 accounts contains each reason once, for its own account. Repeating all reasons for every account would
    /// make it 200 times larger.
    /// </summary>
    [Fact]
    public async Task A_case_of_junit_has_the_reasons_of_its_own_account_alone()
    {
        using var folder = new TemporaryFolder();
        var bundle = await ReportBundle.SealAsync(folder.Path, []);
        var results = Path.Combine(bundle, "data/results/results.json");
        var sealedResults = ResultsJson.Read(File.ReadAllBytes(results));
        string[] accounts = [.. Enumerable.Range(0, 200).Select(n => $"{300000000000 + n}")];
        var limited = sealedResults.Controls.Single(c => c.Id == "INF-AWS-903");
        var limitation = limited.Limitations.Single();
        TestResult[] parts =
        [
            .. accounts.Select(a => new TestResult("T1", new("prod", a), Conclusion.Inconclusive, 0, 0, 0, 0, 0, [], Digest.Of([]))),
        ];
        var named = limited;
        using (var written = new PartitionResultsWriter(
            limited.Id, name => File.Create(Path.Combine(bundle, BundleLayout.ResultsFolder + name)), clean: null))
        {
            foreach (var part in parts)
                await written.WriteAsync(part, CancellationToken.None);
            named = limited with { Tests = written.Totals, Partitions = written.Written };
        }
        File.WriteAllBytes(results, ResultsJson.Write(sealedResults with
        {
            Controls =
            [
                .. sealedResults.Controls.Select(c => c.Id != limited.Id ? c : named with
                {
                    Limitations = [limitation, .. accounts.Select(a => limitation with { Account = a })],
                }),
            ],
        }));
        BundleForgery.Reseal(bundle);
        var junit = XDocument.Parse(Encoding.UTF8.GetString(Written(ReportFormats.All.Single(f => f.Name == "junit"), ReportBundle.Read(bundle))));
        var cases = junit.Descendants("testcase").Where(c => c.Attribute("classname")!.Value == limited.Id).ToArray();
        Assert.Equal(accounts.Length, cases.Length);
        foreach (var (account, one) in accounts.Zip(cases))
        {
            Assert.Contains($"s3:ListBuckets in prod {account}", one.Value, StringComparison.Ordinal);
            Assert.All(accounts.Where(a => a != account), a => Assert.DoesNotContain(a, one.Value, StringComparison.Ordinal));
        }
    }

    internal static byte[] Written(IReportFormat format, Workpaper workpaper)
    {
        using var content = new MemoryStream();
        format.Write(workpaper, content, CancellationToken.None);
        return content.ToArray();
    }

    /// <summary>
    /// Returns the parts of a workbook one after another, and the compressed items of a page decompressed, so that a person can approve
    /// them.
    /// </summary>
    internal static string Readable(IReportFormat format, byte[] content)
    {
        if (format.Name == "xlsx")
        {
            using var zip = new ZipArchive(new MemoryStream(content));
            return string.Concat(zip.Entries.Select(e =>
            {
                using var reader = new StreamReader(e.Open());
                return $"== {e.FullName}\n{reader.ReadToEnd().Replace("<x:row", "\n<x:row", StringComparison.Ordinal)}\n";
            }));
        }
        var text = Encoding.UTF8.GetString(content);
        return format.Name != "html" ? text : Regex.Replace(text, "(<script type=\"application/gzip\\+base64\"[^>]*>)([^<]*)", m =>
        {
            using var unpacked = new StreamReader(new GZipStream(new MemoryStream(Convert.FromBase64String(m.Groups[2].Value)), CompressionMode.Decompress));
            return m.Groups[1].Value + unpacked.ReadToEnd();
        });
    }

    private static string GoldenName(IReportFormat format) => format.Name == "xlsx" ? "workpaper.xlsx.txt" : format.FileName;

    /// <summary>Returns the text as a reader sees it, with the escapes of the format removed.</summary>
    private static string Plain(string text) => WebUtility.HtmlDecode(Regex.Replace(
        Regex.Unescape(Regex.Replace(text.Replace("\\\\", "\\", StringComparison.Ordinal), @"\\(?!u[0-9a-fA-F]{4})", "")), "</?x:[^>]*>", " "));
}
