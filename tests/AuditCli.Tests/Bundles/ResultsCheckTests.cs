using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Evidence;
using AuditCli.Tests.Reperformance;

namespace AuditCli.Tests.Bundles;

/// <summary>
/// Changes results, rows, index or record of a bundle that concludes PASS, with every digest that would reveal it. Nothing is printed that
/// the bundle itself contradicts.
/// </summary>
public sealed class ResultsCheckTests(OneAccount account) : IClassFixture<OneAccount>, IDisposable
{
    private const string Results = "data/results/results.json";
    private const string Control = "APD-AWS-004";
    private const string Rows = "data/results/apd-aws-004.t1.ndjson";
    private const string Partitions = "data/results/apd-aws-004.partitions.ndjson";
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
        ["another account"] = ($"{Rows} has other rows", (_, t) => t["partition"]!["account"] = "999999999999"),
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
        var parts = (await File.ReadAllLinesAsync(Path.Combine(bundle, Partitions))).Select(l => JsonNode.Parse(l)!.AsObject()).ToArray();
        Forged[forgery].Change(control, parts[0]);
        parts[0] = JsonNode.Parse(parts[0].ToJsonString())!.AsObject();
        control["tests"] = JsonSerializer.SerializeToNode(Totals(parts));
        await File.WriteAllTextAsync(path, results.ToJsonString());
        BundleForgery.EditPartitions(bundle, Control, _ => parts.Select(p => p.ToJsonString()));
        await RefusedAsync(bundle, Forged[forgery].Said);
    }

    public static TheoryData<string, string> PartitionForgeries => new()
    {
        { "removed", $"{Partitions} is not in the bundle, although results.json gives its digest" },
        { "an extra line", $"{Partitions}:2: T1 in prod 111122223333 is out of order, or has two results" },
        { "a line less", $"{Partitions} has another number of lines than results.json says" },
        { "another digest", $"{Partitions} is not the file that was evaluated" },
        { "another order", $"{Partitions}:2: T1 in prod 111122223333 is out of order, or has two results" },
        { "a line edited", $"{Partitions} is not the file that was evaluated" },
        { "a line edited with its digest", $"{Partitions} adds up to other totals of {Control} T1" },
        { "totals edited", $"{Partitions} adds up to other totals of {Control} T1" },
        { "another test", $"{Partitions} has results of tests for which results.json has no totals" },
        { "of no control", "it does not name data/results/apd-aws-999.partitions.ndjson" },
    };

    [Theory]
    [MemberData(nameof(PartitionForgeries))]
    public async Task Results_by_partition_that_are_not_those_of_results_json_are_not_printed(string forgery, string said)
    {
        var bundle = Copy();
        var file = Path.Combine(bundle, Partitions);
        static string Other(string line, string account) =>
            line.Replace("\"account\":\"111122223333\"", $"\"account\":\"{account}\"", StringComparison.Ordinal);
        switch (forgery)
        {
            case "removed":
                File.Delete(file);
                break;
            case "an extra line":
                BundleForgery.EditPartitions(bundle, Control, lines => [lines[0], .. lines]);
                break;
            case "a line less":
                BundleForgery.Replace(bundle, Results, "\"partitions\":{\"lines\":1,", "\"partitions\":{\"lines\":2,");
                break;
            case "another digest":
                BundleForgery.Replace(bundle, Results, Digest.Of(File.ReadAllBytes(file)).Hex, new string('0', 64));
                break;
            case "another order":
                BundleForgery.EditPartitions(bundle, Control, lines => [Other(lines[0], "999999999999"), .. lines]);
                break;
            case "a line edited":
                BundleForgery.Replace(bundle, Partitions, "\"approved\":0", "\"approved\":1");
                break;
            case "a line edited with its digest":
                BundleForgery.ReplaceInPartitions(bundle, Control, "\"approved\":0", "\"approved\":1");
                break;
            case "totals edited":
                BundleForgery.Replace(bundle, Results, "\"conclusions\":{\"PASS\":1}", "\"conclusions\":{\"PASS\":2}");
                break;
            case "another test":
                BundleForgery.EditPartitions(
                    bundle, Control, lines => [.. lines, lines[0].Replace("\"id\":\"T1\"", "\"id\":\"T2\"", StringComparison.Ordinal)]);
                break;
            default:
                File.Copy(file, file.Replace("apd-aws-004", "apd-aws-999", StringComparison.Ordinal));
                break;
        }
        await RefusedAsync(bundle, said);
    }

    /// <summary>Adds the lines up, so that nothing but the change itself is wrong.</summary>
    private static object[] Totals(JsonObject[] parts) =>
    [
        .. parts.GroupBy(p => (string)p["id"]!).Select(g => new
        {
            id = g.Key,
            conclusion = (string)g.First()["conclusion"]!,
            population = g.Sum(p => (long)p["population"]!),
            deviations = g.Sum(p => (long)p["deviations"]!),
            approved = g.Sum(p => (long)p["approved"]!),
            undetermined = g.Sum(p => (long)p["undetermined"]!),
            indicated = g.Sum(p => (long)p["indicated"]!),
            conclusions = g.CountBy(p => (string)p["conclusion"]!).ToDictionary(),
            unit = (string)g.First()["unit"]!,
            mode = (string)g.First()["mode"]!,
        }),
    ];

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
        await RefusedAsync(bundle, "APD-AWS-004 has no limitation for ");
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
