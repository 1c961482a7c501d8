using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Evaluation;

public sealed class ResultsTests
{
    internal static byte[] Bytes(params ControlResult[] controls) => ResultsJson.Write(EvaluationResults.From(
        LockedDatabase.Describe(), Some.Moment, new(Some.AsOf, null, TimeSpan.FromSeconds(-7)), controls, [new NotTested("INF-K8S-001", "no target")]));

    private static async Task<ControlResult> FailingAsync() => (await FailedAsync()).Result;

    private static Task<Some.Outcome> FailedAsync() => Some.EvaluateAsync(
        Some.Control() with
        {
            Completeness = [new("c", "SELECT count(*) FROM users", "SELECT NULL")],
            Evidence = [Some.Users, Some.Approvals],
            Waivers = Some.Waivers,
        },
        Some.Partition(
            "prod",
            ("users", Some.Denied(Some.Users, """{"name":"alice","mfa":false}""")),
            ("approvals", Some.Table(Some.Approvals, Some.Approval("zoe")))));

    [Theory]
    [InlineData("\"schema\":2", "\"schema\":1")]
    [InlineData("\"schema\":2", "\"schema\":3")]
    [InlineData("\"schema\":2", "\"schema\":2,\"schema\":2")]
    [InlineData("\"schema\":2", "\"schema\":2,\"more\":1")]
    [InlineData("\"conclusions\":{\"INCONCLUSIVE\":1}", "\"conclusions\":{\"FINE\":1}")]
    [InlineData("\"partitions\":{", "\"partitions\":{\"more\":1,")]
    [InlineData("\"conclusion\":\"INCONCLUSIVE\"", "\"conclusion\":\"FINE\"")]
    [InlineData("\"conclusion\":\"INCONCLUSIVE\",", "")]
    public async Task Results_that_differ_from_the_form_are_refused(string from, string to)
    {
        var text = Encoding.UTF8.GetString(Bytes(await FailingAsync())).Replace(from, to, StringComparison.Ordinal);
        Assert.Throws<JsonException>(() => ResultsJson.Read(Encoding.UTF8.GetBytes(text)));
    }

    [Fact]
    public async Task Results_read_back_and_write_again_to_the_same_bytes()
    {
        var left = ControlResult.LeftOut(
            new ControlInScope(Some.Control() with { Id = "OPS-AWS-002" }, ControlOrigin.Local, []),
            new("OPS-AWS-002", "none", "R", new(2026, 9, 1)));
        var bytes = Bytes(left, await FailingAsync());
        Assert.Equal(bytes, ResultsJson.Write(ResultsJson.Read(bytes)));
    }

    [Fact]
    public async Task Results_have_the_members_that_the_bundle_promises()
    {
        var text = Encoding.UTF8.GetString(Bytes(await FailingAsync()));
        Assert.StartsWith("""{"schema":2,"engine":{"name":"duckdb","version":"v""", text, StringComparison.Ordinal);
        Assert.Contains(
            ""","parameters":{"as_of":"2026-10-01T00:00:00Z","period_start":"2026-01-01T00:00:00Z","period_end":"2026-10-01T00:00:00Z","as_of_tolerance_seconds":86400,"clock_limit_seconds":300,"clock_offset_seconds":-7,"read_from":"2026-10-01T00:00:00Z"},"controls":[{"id":"APD-AWS-002","version":"1.0.0","sha256":""",
            text,
            StringComparison.Ordinal);
        Assert.Contains(
            ""","origin":"shipped","conclusion":"INCONCLUSIVE","title":"Console users use MFA","domain":"access-to-programs-and-data","population":1,"deviations":0,"approved":0,"undetermined":0,"indicated":1,"limitations":[{"evidence":"users","target":"prod","account":"111","region":"aws-global","operation":"iam:Listusers","outcome":"failed","code":"AccessDenied","message":"not authorized","count":1}],"tests":[{"id":"T1","conclusion":"INCONCLUSIVE","population":1,"deviations":0,"approved":0,"undetermined":0,"indicated":1,"conclusions":{"INCONCLUSIVE":1},"mode":"point-in-time"}],"waivers":""",
            text,
            StringComparison.Ordinal);
        Assert.Contains(""","partitions":{"lines":1,"sha256":""", text, StringComparison.Ordinal);
        Assert.EndsWith(""","not_tested":[{"id":"INF-K8S-001","reason":"no target"}]}""", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_of_results_by_partition_has_the_members_that_the_bundle_promises_and_results_have_its_digest()
    {
        var outcome = await FailedAsync();
        var lines = outcome.Files["apd-aws-002.partitions.ndjson"];
        Assert.StartsWith(
            """{"id":"T1","partition":{"target":"prod","account":"prod"},"conclusion":"INCONCLUSIVE","population":1,"deviations":0,"approved":0,"undetermined":0,"indicated":1,"completeness":[{"name":"c","left":"1","right":null,"agree":false}],"rows_sha256":""",
            lines,
            StringComparison.Ordinal);
        Assert.EndsWith("\"mode\":\"point-in-time\"}\n", lines, StringComparison.Ordinal);
        Assert.Equal(new PartitionsFile(1, Digest.Of(Encoding.UTF8.GetBytes(lines))), outcome.Result.Partitions);
    }

    [Fact]
    public async Task A_control_that_tested_nothing_has_no_file_of_results_by_partition()
    {
        var outcome = await Some.EvaluateAsync(Some.Control());
        Assert.Null(outcome.Result.Partitions);
        Assert.DoesNotContain("apd-aws-002.partitions.ndjson", outcome.Files.Keys);
    }

    [Theory]
    [InlineData("\"agree\":false", "\"agree\":false,\"more\":1")]
    [InlineData("\"id\":\"T1\",", "")]
    [InlineData("\"id\":\"T1\"", "\"id\":\"T1\",\"id\":\"T1\"")]
    [InlineData("\"completeness\":[{", "\"completeness\":[null,{")]
    [InlineData("\n", "")]
    [InlineData("\n", "\nnull\n")]
    public async Task A_line_that_differs_from_the_form_is_refused_with_its_number(string from, string to)
    {
        var lines = (await FailedAsync()).Files["apd-aws-002.partitions.ndjson"].Replace(from, to, StringComparison.Ordinal);
        var fault = Assert.Throws<InvalidDataException>(() =>
            PartitionResults.Read(() => new MemoryStream(Encoding.UTF8.GetBytes(lines)), "x.partitions.ndjson").Count());
        Assert.Matches("^x.partitions.ndjson:[12]: ", fault.Message);
    }

    [Fact]
    public async Task Results_of_schema_1_give_the_same_model_with_their_partitions()
    {
        var outcome = await FailedAsync();
        var root = JsonNode.Parse(Bytes(outcome.Result))!;
        root["schema"] = 1;
        root["controls"]![0]!.AsObject().Remove("partitions");
        root["controls"]![0]!["tests"] = new JsonArray(JsonNode.Parse(outcome.Files["apd-aws-002.partitions.ndjson"]));
        var read = ResultsJson.Read(Encoding.UTF8.GetBytes(root.ToJsonString()));
        Assert.Equal(1, read.Schema);
        Assert.Equal<TestTotals>(outcome.Result.Tests, read.Controls[0].Tests);
        var part = Assert.Single(read.Controls[0].PartitionsOfSchema1!.Value);
        Assert.Equal(ResultsJson.Element(outcome.Partitions[0]).GetRawText(), ResultsJson.Element(part).GetRawText());
    }

    [Fact]
    public void Totals_have_the_first_conclusion_in_the_order_of_precedence_and_count_the_partitions_of_each()
    {
        static TestResult Part(string account, Conclusion conclusion, long population) =>
            new("T1", new("prod", account), conclusion, population, 0, 0, 0, 0, [], default);
        var totals = Assert.Single(TestTotals.Of([Part("1", Conclusion.Pass, 3), Part("2", Conclusion.Inconclusive, 4), Part("3", Conclusion.Pass, 5)]));
        Assert.Equal((Conclusion.Inconclusive, 12L), (totals.Conclusion, totals.Population));
        Assert.Equal([(Conclusion.Inconclusive, 1L), (Conclusion.Pass, 2L)], totals.Conclusions.Select(c => (c.Key, c.Value)));
    }
}
