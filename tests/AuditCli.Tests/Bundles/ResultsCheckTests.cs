using System.Text.Json.Nodes;
using AuditCli.Tests.Reperformance;

namespace AuditCli.Tests.Bundles;

/// <summary>
/// Changes results, rows, index or record of a bundle that concludes PASS, with every digest that would reveal it. Nothing is printed that
/// the bundle itself contradicts.
/// </summary>
public sealed class ResultsCheckTests(OneAccount account) : IClassFixture<OneAccount>, IDisposable
{
    private const string Results = "data/results/results.json";
    private const string Rows = "data/results/apd-aws-004.t1.ndjson";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static readonly Dictionary<string, (string Said, Action<JsonObject, JsonObject> Change)> Forged = new(StringComparer.Ordinal)
    {
        ["undetermined"] = ("is PASS, but 1 of its items could not be determined", (_, t) => t["undetermined"] = 1),
        ["uncovered"] = ("is PASS, but 1 of its items failed without an approval", (_, t) => t["deviations"] = 1),
        ["indicated"] = ("is PASS, but 1 of its items failed in incomplete evidence", (_, t) => t["indicated"] = 1),
        ["incomplete"] = ("does not agree", (_, t) => t["completeness"]![0]!["agree"] = false),
        ["empty"] = ("is PASS, but its population is empty", (_, t) => t["population"] = 0),
        ["nothing there"] = ("is NO_OCCURRENCE, but it has a population", (_, t) => t["conclusion"] = "NO_OCCURRENCE"),
        ["failed"] = ("is FAIL, but none of its items failed without an approval", (_, t) => t["conclusion"] = "FAIL"),
        ["broken"] = ("is PASS, but an error is recorded", (_, t) => t["error"] = "it did not run"),
        ["negative"] = ("is PASS, but its counts are not those of one population", (_, t) => t["approved"] = -1),
        ["approved"] = ("is PASS, but its counts are not those of one population", (_, t) => t["approved"] = 1_000),
        ["no test concludes so"] = ("is NEEDS_REVIEW, but no test concludes so", (_, t) => t["conclusion"] = "NEEDS_REVIEW"),
        ["another conclusion"] = ("APD-AWS-004 is PASS, but its tests are INCONCLUSIVE", (_, t) => t["conclusion"] = "INCONCLUSIVE"),
        ["the control's counts"] = ("APD-AWS-004 is PASS, but it counts items that failed", (c, _) => c["undetermined"] = 1),
        ["left out"] = ("APD-AWS-004 is NOT_APPLICABLE, but nobody decided that", (c, _) => c["conclusion"] = "NOT_APPLICABLE"),
        ["a smaller population"] = ($"{Rows} has other counts of items", (_, t) => t["population"] = t["population"]!.GetValue<long>() + 1),
        ["another account"] = ("APD-AWS-004 tests T1 prod 999999999999 is there, which does not follow", (_, t) => t["partition"]!["account"] = "999999999999"),
    };

    public static TheoryData<string> Forgeries => [.. Forged.Keys];

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task A_conclusion_that_its_own_data_contradict_is_not_printed(string forgery)
    {
        var bundle = Copy();
        var path = Path.Combine(bundle, Results);
        var results = JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        var control = results["controls"]![0]!.AsObject();
        Forged[forgery].Change(control, control["tests"]![0]!.AsObject());
        await File.WriteAllTextAsync(path, results.ToJsonString());
        await RefusedAsync(bundle, Forged[forgery].Said);
    }

    [Fact]
    public async Task Rows_that_were_not_evaluated_are_not_printed_beside_a_pass()
    {
        var bundle = Copy();
        BundleForgery.Replace(bundle, Rows, "\"pass\":true,\"verdict\":\"pass\"", "\"pass\":null,\"verdict\":\"undetermined\"");
        await RefusedAsync(bundle, $"{Rows} has other rows for ");
    }

    [Fact]
    public async Task Evidence_that_was_not_read_has_a_limitation_in_the_results()
    {
        var bundle = Copy();
        BundleForgery.Replace(bundle, "data/evidence/index.jsonl", "\"outcome\":\"complete\"", "\"outcome\":\"incomplete\"");
        await RefusedAsync(bundle, "APD-AWS-004 limitations ");
    }

    [Fact]
    public async Task What_the_check_has_no_fault_with_is_printed()
    {
        var bundle = Copy();
        foreach (var command in new[] { "show BUNDLE", "report BUNDLE --allow-unsigned --format md" })
        {
            var result = await AuditCommand.RunAsync(_folder.Path, [.. command.Split(' ').Select(w => w == "BUNDLE" ? bundle : w)]);
            Assert.True(result.ExitCode == 0 && result.Output.Contains("PASS", StringComparison.Ordinal), result.ToString());
        }
    }

    private string Copy() => BundleForgery.Copy(account.Bundle, _folder.Path);

    private async Task RefusedAsync(string bundle, string said)
    {
        BundleForgery.Reseal(bundle);
        foreach (var command in new[] { "show BUNDLE", "show BUNDLE APD-AWS-004 T1", "report BUNDLE --allow-unsigned --format md" })
        {
            var result = await AuditCommand.RunAsync(_folder.Path, [.. command.Split(' ').Select(w => w == "BUNDLE" ? bundle : w)]);
            Assert.True(result.ExitCode != 0 && result.Output.Length == 0, $"{command}\n{result}");
            Assert.Contains(said, result.Error, StringComparison.Ordinal);
            Assert.Contains("auditcli reperform", result.Error, StringComparison.Ordinal);
        }
    }
}
