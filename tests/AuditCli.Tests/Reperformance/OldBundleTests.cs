using System.IO.Compression;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Controls.Evaluation;

namespace AuditCli.Tests.Reperformance;

/// <summary>
/// Verifies, reads and re-performs old bundles with the current program. <c>tests/Shared/bundles</c> keeps one for each version of the
/// evaluation rules, because bundles are kept longer than programs. All have results of schema 1 and a file for each empty table.
/// </summary>
public sealed class OldBundleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<int> Evaluations => [.. Enumerable.Range(1, Math.Max(EvaluationRules.Current - 1, 2))];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Evaluations))]
    public async Task An_old_bundle_verifies_as_archive_and_as_folder_under_the_key_that_signed_it(int evaluation)
    {
        foreach (var bundle in new[] { Archive(evaluation), Unpacked(evaluation) })
        {
            var result = await AuditCommand.RunAsync(_folder.Path, "verify", bundle, "--trust", Key(evaluation));
            Assert.True(result.ExitCode == 0, result.ToString());
        }
    }

    [Theory]
    [MemberData(nameof(Evaluations))]
    public async Task An_old_bundle_is_still_shown_queried_reported_and_compared(int evaluation)
    {
        var bundle = Unpacked(evaluation);
        using var results = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(bundle, "data/results/results.json")));
        var conclusions = results.RootElement.GetProperty("controls").EnumerateArray()
            .Select(c => (Id: c.GetProperty("id").GetString()!, Conclusion: c.GetProperty("conclusion").GetString()!)).ToArray();
        Assert.NotEmpty(conclusions);

        var shown = await AuditCommand.RunAsync(_folder.Path, "show", bundle);
        Assert.True(shown.ExitCode == 0, shown.ToString());
        Assert.All(conclusions, c => Assert.Contains(c.Id, shown.Output, StringComparison.Ordinal));
        foreach (var (id, conclusion) in conclusions)
        {
            var one = await AuditCommand.RunAsync(_folder.Path, "show", bundle, id, "--output", "json");
            Assert.True(one.ExitCode == 0, one.ToString());
            Assert.Contains(conclusion, one.Output, StringComparison.OrdinalIgnoreCase);
        }

        var queried = await AuditCommand.RunAsync(_folder.Path, "query", bundle, "SELECT count(*) AS n FROM results.items", "--format", "csv");
        Assert.True(queried.ExitCode == 0, queried.ToString());

        var reported = await AuditCommand.RunAsync(
            _folder.Path, "report", bundle, "--trust", Key(evaluation), "--format", "all", "--out", Path.Combine(_folder.Path, "reports"));
        Assert.True(reported.ExitCode == 0, reported.ToString());

        var compared = await AuditCommand.RunAsync(_folder.Path, "diff", bundle, bundle, "--trust", Key(evaluation));
        Assert.True(compared.ExitCode is 0 or 2, compared.ToString());
        Assert.DoesNotContain("FIXED", compared.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Evaluations))]
    public async Task Every_difference_of_a_re_performed_old_bundle_has_its_rule(int evaluation)
    {
        var result = await AuditCommand.RunAsync(
            _folder.Path, "reperform", Unpacked(evaluation), "--trust", Key(evaluation), "--output", "json");
        using var printed = JsonDocument.Parse(result.Output);
        var differences = new[] { "tables", "results", "reports" }
            .SelectMany(part => printed.RootElement.GetProperty(part).GetProperty("differences").EnumerateArray()).ToArray();
        var rules = EvaluationRules.After(evaluation).Select(r => r.Id).ToHashSet();
        var unexplained = differences.Where(d => d.GetProperty("rule").GetString() is not { } rule || !rules.Contains(rule)).ToArray();
        Assert.True(unexplained.Length == 0, string.Join('\n', unexplained.Take(20)));
        Assert.True(result.ExitCode == 3 || differences.Length == 0 && result.ExitCode == 0, result.ToString());
    }

    [Fact]
    public async Task An_edited_result_of_an_old_bundle_is_named_with_the_partition_and_the_value()
    {
        var bundle = Unpacked(2);
        var path = Path.Combine(bundle, "data/results/results.json");
        var results = JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        var control = results["controls"]!.AsArray().Single(c => (string)c!["id"]! == "INF-AWS-002")!;
        control["tests"]!.AsArray().First(t => (string)t!["partition"]!["account"]! == "444455556666")!["population"] = 77;
        await File.WriteAllTextAsync(path, results.ToJsonString(new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        BundleForgery.Reseal(bundle);
        var result = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle);
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Matches("INF-AWS-002: tests T1 dev 444455556666 population 77 -> [0-9]+\n", result.Output);
    }

    [Fact]
    public async Task A_row_in_the_file_of_a_table_that_has_none_is_named()
    {
        var bundle = Unpacked(2);
        var empty = File.ReadLines(Path.Combine(bundle, "data/evidence/index.jsonl")).Select(l => JsonNode.Parse(l)!)
            .First(i => (long)i["items"]! == 0 && i["table"] is not null);
        await using (var table = new GZipStream(File.Create(Path.Combine(bundle, (string)empty["table"]!)), CompressionLevel.Fastest))
            table.Write("{\"_ref\":\"forged\"}\n"u8);
        BundleForgery.Reseal(bundle);
        var result = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle);
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Contains("row 1 (forged) is not in the rebuilt table", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_later_rule_never_excuses_an_edit_of_something_else()
    {
        var bundle = Unpacked(1);
        BundleForgery.Replace(bundle, "data/results/results.json", "\"title\":\"The account root identity is locked away\"", "\"title\":\"Nothing\"");
        BundleForgery.Reseal(bundle);
        var result = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle);
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Contains("APD-AWS-001: title Nothing -> The account root identity is locked away", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_later_rule_never_excuses_an_edited_verdict_of_evidence_that_it_does_not_speak_of()
    {
        var bundle = Unpacked(1);
        BundleForgery.Replace(bundle, "data/results/apd-aws-002.t1.ndjson", "\"pass\":false,\"verdict\":\"deviation\"", "\"pass\":true,\"verdict\":\"pass\"");
        BundleForgery.Reseal(bundle);
        var result = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--output", "json");
        Assert.True(result.ExitCode == 2, result.ToString());
        using var printed = JsonDocument.Parse(result.Output);
        var verdict = printed.RootElement.GetProperty("results").GetProperty("differences").EnumerateArray()
            .Single(d => d.GetProperty("what").GetString() == "verdict");
        Assert.Equal(JsonValueKind.Null, verdict.GetProperty("rule").ValueKind);
    }

    [Fact]
    public void Rules_are_numbered_in_order_up_to_the_current_one_and_have_distinct_names()
    {
        Assert.Equal(EvaluationRules.All.Length, EvaluationRules.All.Select(r => r.Id).Distinct().Count());
        Assert.Equal(EvaluationRules.All.Select(r => r.Since).Order(), EvaluationRules.All.Select(r => r.Since));
        Assert.All(EvaluationRules.All, r => Assert.InRange(r.Since, 2, EvaluationRules.Current));
        Assert.All(EvaluationRules.All, r => Assert.All(r.Changes, c => Assert.Matches("^(tables|results) [a-z0-9_]+$", c)));
    }

    private static string Archive(int evaluation) => Repository.Path("tests", "Shared", "bundles", $"evaluation-{evaluation}.zip");

    private static string Key(int evaluation) => Repository.Path("tests", "Shared", "bundles", $"evaluation-{evaluation}.pub");

    private string Unpacked(int evaluation)
    {
        var parent = Path.Combine(_folder.Path, $"{evaluation}");
        ZipFile.ExtractToDirectory(Archive(evaluation), parent);
        return Directory.GetDirectories(parent).Single();
    }
}
