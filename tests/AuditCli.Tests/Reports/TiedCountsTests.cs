using System.Collections.Immutable;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;
using AuditCli.Libraries;
using AuditCli.Reports;
using AuditCli.Reports.Formats;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Reports;

/// <summary>
/// Checks that every printed number counts what is listed, in its own unit. The test counts the rows again from their files.
/// </summary>
public sealed class TiedCountsTests(SampleRun sample) : IClassFixture<SampleRun>
{
    /// <summary>The counts of one test's rows.</summary>
    private sealed record Tally(string Unit, long Population, long Exceptions, long Approved, long Undetermined, long Indicated)
    {
        public string Noun => Number(Population, Unit);

        public string Words =>
            $"{Number(Exceptions, "exception")} on {(Exceptions > 0 ? $"{Exceptions} of " : "")}{Noun}"
            + $"{Rest(Approved, "approved")}{Rest(Undetermined, "undetermined")}{Rest(Indicated, "indicated")}";

        public static string Rest(long count, string word) => count > 0 ? $", {count} {word}" : "";

        public static string Number(long count, string noun) =>
            count == 1 ? $"1 {noun}" : $"{count} {(noun.EndsWith("ty", StringComparison.Ordinal) ? noun[..^1] + "ie" : noun)}s";
    }

    private sealed record Counted(string Id, JsonElement Result, SortedDictionary<string, Tally> Tests, long Items)
    {
        public long Exceptions => Tests.Values.Sum(t => t.Exceptions);

        public long Approved => Tests.Values.Sum(t => t.Approved);

        public long Undetermined => Tests.Values.Sum(t => t.Undetermined);

        public long Indicated => Tests.Values.Sum(t => t.Indicated);

        public bool HasOneUnit => Tests.Values.Select(t => t.Unit).Distinct().Count() == 1;

        public string Population => HasOneUnit
            ? Tally.Number(Items, Tests.Values.First().Unit)
            : string.Join(", ", Tests.Select(t => $"{t.Key} {t.Value.Noun}"));
    }

    [Fact]
    public void The_results_count_the_rows_and_have_no_population_where_units_differ()
    {
        foreach (var control in Controls())
        {
            var population = control.Result.GetProperty("population");
            if (control.HasOneUnit)
                Assert.Equal(control.Items, population.GetInt64());
            else
                Assert.Equal(JsonValueKind.Null, population.ValueKind);
            var partitions = BundleForgery.Partitions(sample.Bundle, control.Id).ToLookup(p => p.GetProperty("id").GetString()!);
            foreach (var test in control.Result.GetProperty("tests").EnumerateArray())
            {
                var id = test.GetProperty("id").GetString()!;
                var counted = control.Tests[id];
                Func<string, long>[] stated = [m => test.GetProperty(m).GetInt64(), m => partitions[id].Sum(p => p.GetProperty(m).GetInt64())];
                foreach (var count in stated)
                {
                    Assert.Equal(
                        (counted.Population, counted.Exceptions, counted.Approved, counted.Undetermined, counted.Indicated),
                        (count("population"), count("deviations"), count("approved"), count("undetermined"), count("indicated")));
                }
                Assert.Equal(
                    partitions[id].GroupBy(p => p.GetProperty("conclusion").GetString()!, (c, all) => (c, (long)all.Count())).Order(),
                    test.GetProperty("conclusions").EnumerateObject().Select(c => (c.Name, c.Value.GetInt64())).Order());
            }
        }
        Assert.Contains(Controls(), c => !c.HasOneUnit);
        Assert.Contains(Controls(), c => c.HasOneUnit && c.Tests.Count > 1);
    }

    [Fact]
    public void The_table_of_results_lists_as_many_items_as_it_counts()
    {
        using var csv = CsvReader.Open(Report("results.csv"));
        var lines = csv.Records().Select(r => csv.Header.Zip(r.Fields).ToDictionary(f => f.First, f => f.Second)).ToArray();
        foreach (var control in Controls())
        {
            var own = lines.Where(l => l["control"] == control.Id).ToArray();
            var head = own.Single(l => l["record"] == "control");
            Assert.Equal(
                (
                    control.HasOneUnit ? $"{control.Items} {control.Tests.Values.First().Unit}" : " ",
                    $"{control.Exceptions} {control.Approved} {control.Undetermined} {control.Indicated}"),
                ($"{head["population"]} {head["unit"]}", $"{head["exceptions"]} {head["approved"]} {head["undetermined"]} {head["indicated"]}"));
            foreach (var (id, test) in control.Tests)
            {
                var parts = own.Where(l => l["record"] == "test" && l["test"] == id).ToArray();
                Assert.All(parts, p => Assert.Equal(test.Unit, p["unit"]));
                Assert.Equal(test.Population, parts.Sum(p => long.Parse(p["population"])));
                var items = own.Where(l => l["record"] == "item" && l["test"] == id).ToLookup(l => l["result"]);
                Assert.Equal(test.Population, items.Sum(i => i.Count()));
                Assert.Equal(test.Exceptions, items["exception"].Count());
                Assert.Equal(test.Approved, items["approved exception"].Count());
                Assert.Equal(test.Undetermined, items["undetermined"].Count());
                Assert.Equal(test.Indicated, items["indicated exception"].Count());
            }
        }
    }

    [Fact]
    public void The_summary_for_a_ci_job_has_the_same_numbers_with_their_nouns()
    {
        var lines = File.ReadAllLines(Report("summary.md"));
        foreach (var control in Controls())
        {
            var line = lines.Single(l => l.StartsWith($"| {control.Id} |", StringComparison.Ordinal) && !l.EndsWith("` |", StringComparison.Ordinal));
            Assert.Contains($"** | {control.Population} | {control.Exceptions} | {control.Approved} | ", line, StringComparison.Ordinal);
        }
        var items = lines.Where(l => l.StartsWith('|') && l.Contains("<code>", StringComparison.Ordinal)).ToArray();
        Assert.Equal(Controls().Sum(c => c.Exceptions + c.Undetermined + c.Indicated), items.Length);
    }

    [Fact]
    public void The_page_has_the_same_numbers_and_opens_as_many_exceptions()
    {
        var page = WebUtility.HtmlDecode(File.ReadAllText(Report("report.html")));
        foreach (var control in Controls())
        {
            var article = page[page.IndexOf($"<article id=\"{control.Id}\"", StringComparison.Ordinal)..];
            article = article[..article.IndexOf("</article>", StringComparison.Ordinal)];
            Assert.Contains(
                $"<b>{(control.HasOneUnit ? control.Population : "–")}</b>population</li>"
                + $"<li><b>{control.Exceptions}</b>exceptions</li><li><b>{control.Approved}</b>approved</li>",
                article,
                StringComparison.Ordinal);
            Assert.Equal(
                control.Exceptions + control.Approved + control.Undetermined + control.Indicated,
                article.Split("<details class=\"exception\"").Length - 1);
            foreach (var test in control.Tests.Values)
                Assert.Contains($"<p class=\"k\">{test.Words}</p>", article, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_workbook_has_the_same_numbers_on_its_index_and_on_each_sheet()
    {
        using var zip = ZipFile.OpenRead(Report("workpaper.xlsx"));
        var text = string.Concat(zip.Entries.Where(e => e.FullName.EndsWith(".xml", StringComparison.Ordinal)).Select(e =>
        {
            using var reader = new StreamReader(e.Open());
            return WebUtility.HtmlDecode(reader.ReadToEnd());
        }));
        foreach (var control in Controls())
        {
            Assert.Contains($">{control.Population}<", text, StringComparison.Ordinal);
            Assert.Contains($">{Words(control)}<", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_formats_for_programs_have_the_same_numbers()
    {
        var suites = XDocument.Load(Report("results.junit.xml")).Root!.Elements("testsuite").ToArray();
        using var sarif = JsonDocument.Parse(File.ReadAllBytes(Report("results.sarif")));
        using var oscal = JsonDocument.Parse(File.ReadAllBytes(Report("results.oscal.json")));
        var run = sarif.RootElement.GetProperty("runs")[0];
        var result = oscal.RootElement.GetProperty("assessment-results").GetProperty("results")[0];
        var findings = result.GetProperty("findings").EnumerateArray().ToArray();
        // Every item of a population has an observation; those that passed are not exceptions.
        var listed = result.GetProperty("observations").EnumerateArray()
            .Where(o => o.GetProperty("props").EnumerateArray()
                .Single(p => p.GetProperty("name").GetString() == "result").GetProperty("value").GetString() != "pass")
            .Select(o => o.GetProperty("uuid").GetString()).ToHashSet();
        foreach (var control in Controls())
        {
            var properties = suites.Single(s => s.Attribute("name")!.Value.StartsWith(control.Id, StringComparison.Ordinal)).Element("properties")!.Elements()
                .ToLookup(p => p.Attribute("name")!.Value, p => p.Attribute("value")!.Value);
            string Property(string name) => Assert.Single(properties[name]);
            Assert.Equal(
                (control.Population, $"{control.Exceptions}", $"{control.Approved}"),
                (Property("population"), Property("exceptions"), Property("approved")));

            var rule = run.GetProperty("tool").GetProperty("driver").GetProperty("rules").EnumerateArray()
                .Single(r => r.GetProperty("id").GetString() == control.Id).GetProperty("properties");
            Assert.Equal(
                (control.Population, control.Exceptions, control.Approved),
                (rule.GetProperty("population").GetString(), rule.GetProperty("exceptions").GetInt64(), rule.GetProperty("approved").GetInt64()));

            var finding = findings.Single(f => f.GetProperty("title").GetString()!.StartsWith(control.Id, StringComparison.Ordinal));
            var props = finding.GetProperty("props").EnumerateArray()
                .ToLookup(p => p.GetProperty("name").GetString()!, p => p.GetProperty("value").GetString()!);
            string Prop(string name) => Assert.Single(props[name]);
            Assert.Equal(
                (control.Population, $"{control.Exceptions}", $"{control.Approved}"),
                (Prop("population"), Prop("exceptions"), Prop("approved-exceptions")));
            Assert.Equal(
                control.Exceptions + control.Approved + control.Undetermined + control.Indicated,
                finding.TryGetProperty("related-observations", out var related)
                    ? related.EnumerateArray().Count(o => listed.Contains(o.GetProperty("observation-uuid").GetString()))
                    : 0);
            foreach (var (id, test) in control.Tests)
                Assert.Equal((test.Words, test.Words), (Property($"test {id}"), rule.GetProperty("tests").GetProperty(id).GetString()));
        }
    }

    [Fact]
    public async Task A_run_and_show_print_the_same_numbers()
    {
        var all = await AuditCommand.RunAsync(sample.Folder, "show", sample.Bundle);
        var shown = await AuditCommand.RunAsync(sample.Folder, "show", sample.Bundle, "--output", "json");
        var json = JsonElement.Parse(shown.Output).GetProperty("controls").EnumerateArray().ToArray();
        foreach (var control in Controls())
        {
            var cell = Regex.Escape(control.HasOneUnit ? control.Population : "–");
            Assert.Matches($@"(?m)^{control.Id} .* {cell} +{control.Exceptions} +{control.Approved} [A-Z]", sample.Result.Output);
            Assert.Matches($@"(?m)^{control.Id} +{cell} +{control.Exceptions} +{control.Approved} +{control.Indicated} [A-Z]", all.Output);
            if (!control.HasOneUnit)
            {
                foreach (var (id, test) in control.Tests)
                    Assert.Contains($"{id}: {test.Words}{Environment.NewLine}", sample.Result.Output, StringComparison.Ordinal);
            }
            var own = json.Single(c => c.GetProperty("id").GetString() == control.Id).GetProperty("tests").EnumerateArray().ToArray();
            Assert.Equal(
                control.Tests.Select(t => (t.Key, t.Value.Unit, t.Value.Population, t.Value.Exceptions)),
                own.Select(t => (
                    t.GetProperty("id").GetString()!,
                    t.GetProperty("unit").GetString()!,
                    t.GetProperty("population").GetInt64(),
                    t.GetProperty("exceptions").GetInt64())));
        }
        var one = await AuditCommand.RunAsync(sample.Folder, "show", sample.Bundle, "INF-AWS-001");
        Assert.Contains(Words(Controls().Single(c => c.Id == "INF-AWS-001")) + Environment.NewLine, one.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_test_of_the_shipped_library_says_what_it_counts()
    {
        var library = ChosenLibrary.Load(null, AuditCommand.Host(sample.Folder));
        Assert.Empty(library.Faults);
        Assert.Equal(14, library.Controls.Length);
        Assert.Empty(library.Controls.SelectMany(c => c.Control.Tests.Where(t => t.Unit is null).Select(t => $"{c.Control.Id} {t.Id}")));
    }

    [Fact]
    public void An_approved_exception_is_not_said_to_need_its_approval()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(sample.Bundle, "data", "results"), "*.t?.ndjson"))
        {
            foreach (var line in File.ReadLines(file).Where(l => l.Contains("\"verdict\":\"approved\"", StringComparison.Ordinal)))
                Assert.DoesNotContain("needs a", line, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0, true, true, "an exception that no valid approval covers, seen in complete evidence")]
    [InlineData(1, true, false, "the population is not proven complete: at least 3 exceptions")]
    [InlineData(0, false, false, "the population is not proven complete: at least 3 exceptions")]
    public void A_failure_is_said_to_be_seen_in_complete_evidence_only_where_it_was(int limitations, bool agree, bool complete, string meaning)
    {
        var result = Some(Conclusion.Fail, limitations, agree);
        Assert.Equal(meaning, ControlReasons.Meaning(result, [SomePart(Conclusion.Fail, agree)]));
        Assert.Equal(complete, ControlReasons.Meaning(result, [SomePart(Conclusion.Fail, agree)]).Contains("complete evidence", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1, "policy", "1 policy")]
    [InlineData(2, "policy", "2 policies")]
    [InlineData(0, "access key", "0 access keys")]
    [InlineData(3, "address", "3 addresses")]
    [InlineData(3, "switch", "3 switches")]
    [InlineData(2, "leaver-platform pair", "2 leaver-platform pairs")]
    public void Nouns_have_their_plural(long count, string noun, string words) => Assert.Equal(words, Wording.Count(count, noun));

    [Fact]
    public async Task Nothing_says_that_all_was_tested_while_a_person_has_a_question_to_answer()
    {
        using var folder = new TemporaryFolder();
        folder.Write("controls/access-to-programs-and-data/APD-XSR-903.yaml", """
            schema: 1
            id: APD-XSR-903
            version: 1.0.0
            title: Approvals are real
            objective: Every approval is real.
            risk: Nobody looked.
            domain: access-to-programs-and-data
            nature: { type: detective, execution: manual }
            frequency: continuous
            kind: operating-effectiveness
            mode: point-in-time
            key_control: false
            owner: Test
            references: { soc2-tsc: [CC6.1] }
            evidence: { approvals: { file: approvals, columns: { item: text } } }
            completeness: { none: a test }
            tests: [{ id: T1, title: There is one, population: { unit: approval }, sql: "SELECT a.item AS item, true AS pass, '' AS reason FROM approvals a" }]
            human_attributes: [{ id: H1, question: Is the signature real? }]
            recommendation: Look.
            """);
        folder.Write("approvals.csv", "item\none\ntwo\n");
        Directory.CreateDirectory(Path.Combine(folder.Path, "exchanges"));
        folder.Write("engagement.yaml", """
            schema: 1
            entity: Example Exchange
            name: Questions
            period: { start: 2026-09-01, end: 2026-11-15 }
            as_of: 2026-11-16T00:00:00Z
            preparer: A. Preparer
            reviewer: R. Reviewer
            library: controls
            inputs: { approvals: { file: approvals.csv, obtained_from: Somebody, obtained_on: 2026-11-16, how: by mail } }
            targets: { nobody: { kubernetes: { context: nowhere } } }
            replay: exchanges
            """);
        var run = await AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(run.ExitCode == 3, run.ToString());
        var workpaper = ReportBundle.Read(AuditCommand.TheBundle(Path.Combine(folder.Path, "out")));
        Assert.Contains("1 question for a person is open", Assert.Single(workpaper.Controls).Tested, StringComparison.Ordinal);
        foreach (var format in ReportFormats.All)
        {
            var text = Readable(ReportFormatTests.Written(format, workpaper));
            foreach (var claim in new[]
            {
                "100 %", "nothing was sampled", "nothing sampled", "all of them tested", "every one tested",
                "Every item of each population was tested.",
            })
            {
                Assert.False(text.Contains(claim, StringComparison.Ordinal), $"{format.Name} says '{claim}'");
            }
        }
    }

    private static string Words(Counted control) => control.HasOneUnit
        ? $"{Tally.Number(control.Exceptions, "exception")} on "
            + $"{(control.Exceptions > 0 ? $"{control.Result.GetProperty("deviations").GetInt64()} of " : "")}{control.Population}"
            + $"{Tally.Rest(control.Approved, "approved")}{Tally.Rest(control.Undetermined, "undetermined")}"
            + $"{Tally.Rest(control.Indicated, "indicated")}"
        : string.Join("; ", control.Tests.Select(t => $"{t.Key}: {t.Value.Words}"));

    private static string Readable(byte[] content)
    {
        if (!content.AsSpan().StartsWith("PK"u8))
            return WebUtility.HtmlDecode(Encoding.UTF8.GetString(content));
        using var zip = new ZipArchive(new MemoryStream(content));
        return string.Concat(zip.Entries.Select(e =>
        {
            using var reader = new StreamReader(e.Open());
            return WebUtility.HtmlDecode(reader.ReadToEnd());
        }));
    }

    private string Report(string file) => Path.Combine(sample.Bundle, BundleLayout.ReportsFolder, file);

    private ImmutableArray<Counted> Controls() =>
    [
        .. SampleTests.Results(sample.Bundle).GetProperty("controls").EnumerateArray().Select(result =>
        {
            var id = result.GetProperty("id").GetString()!;
            var tests = new SortedDictionary<string, Tally>(StringComparer.Ordinal);
            var items = new HashSet<string>(StringComparer.Ordinal);
            foreach (var test in result.GetProperty("tests").EnumerateArray())
            {
                var name = test.GetProperty("id").GetString()!;
                var rows = File.ReadLines(Path.Combine(sample.Bundle, "data", "results", $"{id}.{name}.ndjson".ToLowerInvariant()))
                    .Select(l => JsonElement.Parse(l)).ToArray();
                long Of(string verdict) => rows.Count(r => r.GetProperty("verdict").GetString() == verdict);
                tests[name] = new(test.GetProperty("unit").GetString()!, rows.Length, Of("deviation"), Of("approved"), Of("undetermined"), Of("indicated"));
                items.UnionWith(rows.Select(r => $"{r.GetProperty("target")}\n{r.GetProperty("account")}\n{r.GetProperty("item")}"));
            }
            return new Counted(id, result, tests, items.Count);
        }),
    ];

    private static TestResult SomePart(Conclusion conclusion, bool agree) =>
        new("T1", new("prod", "1"), conclusion, 24, 3, 0, 0, 0, [new("both counts", "24", agree ? "24" : "2", agree)], default) { Unit = "region" };

    private static ControlResult Some(Conclusion conclusion, int limitations, bool agree) => new(
        "APD-AWS-901", "1.0.0", default, ControlOrigin.Local, conclusion, "A title", ItgcDomain.AccessToProgramsAndData, 24, 3, 0, 0, 0,
        [
            .. Enumerable.Range(0, limitations).Select(_ => new Limitation(
                "users", "prod", "1", "", "iam:ListUsers", CollectionOutcome.Failed, "AccessDenied", "no", 1)),
        ],
        TestTotals.Of([SomePart(conclusion, agree)]),
        WaiverSummary.None, [], []);
}
