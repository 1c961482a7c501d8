using System.Text;
using System.Text.Json;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Evaluation;

public sealed class ResultsTests
{
    internal static byte[] Bytes(params ControlResult[] controls) => ResultsJson.Write(EvaluationResults.From(
        LockedDatabase.Describe(), Some.Moment, new(Some.AsOf, null, TimeSpan.FromSeconds(-7)), controls, [new NotTested("INF-K8S-001", "no target")]));

    private static async Task<ControlResult> FailingAsync() => (await Some.EvaluateAsync(
        Some.Control() with
        {
            Completeness = [new("c", "SELECT count(*) FROM users", "SELECT NULL")],
            Evidence = [Some.Users, Some.Approvals],
            Waivers = Some.Waivers,
        },
        Some.Partition(
            "prod",
            ("users", Some.Denied(Some.Users, """{"name":"alice","mfa":false}""")),
            ("approvals", Some.Table(Some.Approvals, Some.Approval("zoe")))))).Result;

    [Theory]
    [InlineData("\"schema\":1", "\"schema\":2")]
    [InlineData("\"schema\":1", "\"schema\":1,\"schema\":1")]
    [InlineData("\"schema\":1", "\"schema\":1,\"more\":1")]
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
        Assert.StartsWith("""{"schema":1,"engine":{"name":"duckdb","version":"v""", text, StringComparison.Ordinal);
        Assert.Contains(
            ""","parameters":{"as_of":"2026-10-01T00:00:00Z","period_start":"2026-01-01T00:00:00Z","period_end":"2026-10-01T00:00:00Z","as_of_tolerance_seconds":86400,"clock_limit_seconds":300,"clock_offset_seconds":-7,"read_from":"2026-10-01T00:00:00Z"},"controls":[{"id":"APD-AWS-002","version":"1.0.0","sha256":""",
            text,
            StringComparison.Ordinal);
        Assert.Contains(
            ""","origin":"shipped","conclusion":"INCONCLUSIVE","title":"Console users use MFA","domain":"access-to-programs-and-data","population":1,"deviations":0,"approved":0,"undetermined":0,"indicated":1,"limitations":[{"evidence":"users","target":"prod","account":"111","region":"aws-global","operation":"iam:Listusers","outcome":"failed","code":"AccessDenied","message":"not authorized","count":1}],"tests":[{"id":"T1","partition":{"target":"prod","account":"prod"},"conclusion":"INCONCLUSIVE",""",
            text,
            StringComparison.Ordinal);
        Assert.Contains("""completeness":[{"name":"c","left":"1","right":null,"agree":false}],"rows_sha256":""", text, StringComparison.Ordinal);
        Assert.EndsWith(""","not_tested":[{"id":"INF-K8S-001","reason":"no target"}]}""", text, StringComparison.Ordinal);
    }
}
