using System.Text.Json;
using AuditCli.Libraries;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Coverage;

/// <summary>Tests <c>coverage</c>: clauses, controls, conclusions and gaps.</summary>
public sealed class CoverageTests(SampleRun sample) : IClassFixture<SampleRun>
{
    private static readonly AuditHost Host = AuditCommand.Host(Path.GetTempPath());

    [Theory]
    [InlineData("--framework soc3", "there is no framework 'soc3'")]
    [InlineData("--framework soc2-tsc:CC6.99", "soc2-tsc has no clause 'CC6.99'")]
    [InlineData("--pack sox", "sox: the library has no such pack")]
    [InlineData("nowhere", "there is no bundle")]
    [InlineData("{bundle} {bundle}", "is given twice")]
    public async Task What_does_not_exist_is_named_and_nothing_is_shown(string words, string said)
    {
        var run = await RunAsync(words.Replace("{bundle}", sample.Bundle, StringComparison.Ordinal));
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bundle_whose_results_were_altered_is_not_relied_on()
    {
        using var folder = new TemporaryFolder();
        var bundle = CopyTo(folder, sample.Bundle);
        File.AppendAllText(Path.Combine(bundle, "data", "results", "results.json"), " ");
        var run = await RunAsync(bundle);
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Contains("cannot be relied on", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_clause_and_domain_of_a_pack_is_named_with_its_control_or_its_gap()
    {
        var library = ChosenLibrary.Load(folder: null, Host);
        var frameworks = ChosenLibrary.Frameworks(folder: null, Host);
        var pack = Assert.Single(ChosenLibrary.FindPacks("sox-itgc", folder: null, library, frameworks, Host).Packs);

        var json = await JsonAsync("--pack", "sox-itgc", sample.Bundle);
        var framework = Assert.Single(json.GetProperty("frameworks").EnumerateArray());
        Assert.Equal("cobit-2019", framework.GetProperty("key").GetString());
        var clauses = framework.GetProperty("clauses").EnumerateArray().ToArray();
        Assert.Equal(pack.Clauses["cobit-2019"].ToArray(), clauses.Select(c => c.GetProperty("id").GetString()));
        Assert.All(clauses, clause =>
        {
            var id = clause.GetProperty("id").GetString()!;
            var expected = library.Controls.Select(c => c.Control)
                .Where(c => pack.Controls.Contains(c.Id) && c.References.GetValueOrDefault("cobit-2019", []).Contains(id)).Select(c => c.Id).ToArray();
            Assert.Equal(expected, InPack(clause).Select(c => c.GetProperty("id").GetString()));
            Assert.Equal(expected.Length == 0 ? "no_control" : "tested", clause.GetProperty("state").GetString());
        });
        Assert.Contains(clauses, c => c.GetProperty("state").GetString() == "no_control");
        Assert.Equal(
            [
                "access-to-programs-and-data tested", "program-change-management no_control", "program-development no_control",
                "computer-operations no_control", "logging-and-monitoring tested",
            ],
            json.GetProperty("domains").EnumerateArray().Select(d => $"{d.GetProperty("id")} {d.GetProperty("state")}"));

        var text = (await RunAsync("--pack", "sox-itgc", sample.Bundle)).Output;
        Assert.Matches(@"(?m)^  BAI06\.01  .+\n      no control$", text);
        Assert.Matches(@"(?m)^  DSS05\.04  .+\n      APD-AWS-001  PASS  The account root", text);
        Assert.Matches(@"(?m)^  program-change-management  .+\n      no control$", text);
        Assert.Contains(", 0 with no control", (await RunAsync("--framework", "cobit-2019:DSS05.04", sample.Bundle)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Conclusions_are_those_of_the_bundle()
    {
        var results = JsonElement.Parse(File.ReadAllBytes(Path.Combine(sample.Bundle, "data", "results", "results.json")))
            .GetProperty("controls").EnumerateArray().ToDictionary(c => c.GetProperty("id").GetString()!, c => c.GetProperty("conclusion").GetString());
        var json = await JsonAsync(sample.Bundle);
        var seen = json.GetProperty("frameworks").EnumerateArray().SelectMany(f => f.GetProperty("clauses").EnumerateArray())
            .SelectMany(c => c.GetProperty("controls").EnumerateArray()).ToArray();
        Assert.Equal(results.Keys.Order(), seen.Select(c => c.GetProperty("id").GetString()!).Distinct().Order());
        Assert.All(seen, c => Assert.Equal(
            results[c.GetProperty("id").GetString()!], Assert.Single(c.GetProperty("answers").EnumerateArray()).GetProperty("conclusion").GetString()));
        Assert.Empty(json.GetProperty("notes").EnumerateArray());
        Assert.Contains("owasp-llm-2025", json.GetProperty("unreferenced").EnumerateArray().Select(f => f.GetString()));
    }

    [Fact]
    public async Task A_control_of_the_library_that_the_pack_leaves_out_is_named_beside_the_gap()
    {
        using var folder = new TemporaryFolder();
        Library(folder, "references: { soc2-tsc: [CC6.1, CC6.2] }");
        folder.Write("library/packs/none.yaml", "schema: 1\ntitle: None\ncontrols: [APD-XSR-912]\ncovers: { frameworks: { soc2-tsc: [CC6.2, CC6.4] } }\n");
        Library(folder, "references: { soc2-tsc: [CC6.3] }", "APD-XSR-912");
        var run = await AuditCommand.RunAsync(folder.Path, "coverage", "--controls", "library", "--pack", "none");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Matches(@"(?m)^  CC6\.2  .+\n      no control in the pack none; the library has APD-XSR-911$", run.Output);
        Assert.Matches(@"(?m)^  CC6\.4  .+\n      no control$", run.Output);
        Assert.Contains("2 clauses: 0 with a control, 2 with no control", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("CC6.3", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_bundles_each_says_what_it_tested_and_why_it_did_not()
    {
        using var folder = new TemporaryFolder();
        var part = await AuditCommand.RunAsync(
            folder.Path, "run", Repository.Path("samples", "engagement.yaml"), "--pack", "quick", "--target", "dev", "--out", "out");
        Assert.True(part.ExitCode == 2, part.ToString());
        var small = AuditCommand.TheBundle(Path.Combine(folder.Path, "out"));

        var json = await JsonAsync("--framework", "soc2-tsc:CC6.?", sample.Bundle, small);
        var clause = json.GetProperty("frameworks")[0].GetProperty("clauses").EnumerateArray().Single(c => c.GetProperty("id").GetString() == "CC6.3");
        var control = clause.GetProperty("controls").EnumerateArray().Single(c => c.GetProperty("id").GetString() == "APD-AWS-006");
        var answers = control.GetProperty("answers").EnumerateArray().ToArray();
        Assert.Equal("PASS", answers[0].GetProperty("conclusion").GetString());
        Assert.Equal(JsonValueKind.Null, answers[1].GetProperty("conclusion").ValueKind);
        Assert.Equal("not tested: not in the pack quick", answers[1].GetProperty("shown").GetString());
        Assert.Equal(2, json.GetProperty("bundles").GetArrayLength());

        var text = (await RunAsync("--framework", "soc2-tsc:CC6.3", sample.Bundle, small)).Output;
        Assert.Matches(@"(?m)^      APD-AWS-006  .+\n        \[1\] PASS .*\n        \[2\] not tested: not in the pack quick$", text);
        Assert.Matches(@"(?m)^\[2\] northquay-exchange-.*: Northquay Exchange, FY2026 interim, as of .*, a REPLAY", text);
    }

    [Fact]
    public async Task A_bundle_refers_to_what_its_own_file_of_the_control_says()
    {
        using var folder = new TemporaryFolder();
        Library(folder, "references: { soc2-tsc: [CC6.1], house: [H1] }");
        folder.Write("accounts.csv", "item\nfirst\n");
        folder.Write("register.csv", "item,owner\nfirst,somebody\n");
        Directory.CreateDirectory(Path.Combine(folder.Path, "exchanges"));
        folder.Write("engagement.yaml", """
            schema: 1
            entity: Example Exchange
            name: One control
            period: { start: 2026-01-01, end: 2026-09-30 }
            preparer: A. Preparer
            reviewer: R. Reviewer
            as_of: 2026-10-01T00:00:00Z
            library: library
            inputs:
              apd-xsr-911-items: { file: accounts.csv, obtained_from: Somebody, obtained_on: 2026-09-30, how: by mail }
              apd-xsr-911-register: { file: register.csv, obtained_from: Somebody, obtained_on: 2026-09-30, how: by mail }
            targets:
              nobody: { kubernetes: { context: nowhere } }
            replay: exchanges
            """);
        var run = await AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(run.ExitCode == 0, run.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(folder.Path, "out"));
        Library(folder, "references: { soc2-tsc: [CC6.2] }");

        var result = await AuditCommand.RunAsync(folder.Path, "coverage", bundle, "--controls", "library", "--framework", "soc2-tsc");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Matches(@"(?m)^  CC6\.1  .+\n      APD-XSR-911  PASS  ", result.Output);
        Assert.Matches(@"(?m)^  CC6\.2  .+\n      APD-XSR-911  not tested for this: version 1\.0\.0 does not refer to it  ", result.Output);
        Assert.Contains(
            "note: APD-XSR-911 1.0.0 refers to house, which is no framework of the library or the program", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_framework_of_a_library_is_covered_like_a_shipped_one()
    {
        using var folder = new TemporaryFolder();
        Library(folder, "references: { house: [H1] }");
        folder.Write("library/frameworks/house.yaml", """
            schema: 1
            title: House rules
            publisher: Example Exchange
            version: "1"
            complete: true
            listed: All.
            clauses: { H1: Keys are kept, H2: Doors are shut }
            """);
        var valid = await AuditCommand.RunAsync(folder.Path, "controls", "validate", "--controls", "library");
        Assert.True(valid.ExitCode == 0 && valid.Output.Contains("0 faults", StringComparison.Ordinal), valid.ToString());
        var run = await AuditCommand.RunAsync(folder.Path, "coverage", "--controls", "library");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Contains(
            "HOUSE  House rules, Example Exchange, 1\n  complete: All.\n  H1  Keys are kept\n      APD-XSR-911  ",
            run.Output.ReplaceLineEndings("\n"),
            StringComparison.Ordinal);
        Assert.Contains("2 clauses: 1 with a control, 1 with no control", run.Output, StringComparison.Ordinal);
        Assert.Contains("  soc2-tsc  Trust Services Criteria (SOC 2): 61 clauses, no control", run.Output, StringComparison.Ordinal);
    }

    private Task<CommandResult> RunAsync(params string[] words) =>
        AuditCommand.RunAsync(sample.Folder, ["coverage", .. words.SelectMany(w => w.Split(' '))]);

    private async Task<JsonElement> JsonAsync(params string[] words)
    {
        var run = await RunAsync([.. words, "-o", "json"]);
        Assert.True(run is { ExitCode: 0, Error: "" }, run.ToString());
        return JsonElement.Parse(run.Output);
    }

    private static IEnumerable<JsonElement> InPack(JsonElement row) =>
        row.GetProperty("controls").EnumerateArray().Where(c => c.GetProperty("in_pack").GetBoolean());

    /// <summary>Writes a control into the folder's library, in the place of the one of that ID.</summary>
    private static void Library(TemporaryFolder folder, string references, string id = "APD-XSR-911")
    {
        var skeleton = ControlSkeleton.Of(id, Controls.ItgcDomain.AccessToProgramsAndData, source: null, "library");
        Assert.Contains("references: {}", skeleton.Control, StringComparison.Ordinal);
        folder.Write($"library/access-to-programs-and-data/{id}.yaml", skeleton.Control.Replace("references: {}", references, StringComparison.Ordinal));
        folder.Write($"library/access-to-programs-and-data/{id}.fixtures.yaml", skeleton.Fixtures);
    }

    private static string CopyTo(TemporaryFolder folder, string bundle)
    {
        foreach (var file in Directory.GetFiles(bundle, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(folder.Path, "copy", Path.GetRelativePath(bundle, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        return Path.Combine(folder.Path, "copy");
    }
}
