using System.Text.Json;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Evaluation;

/// <summary>Checks that two values that differ in any character are two items.</summary>
public sealed class WholeTextTests
{
    private static readonly Control Approved = Some.Control() with { Evidence = [Some.Users, Some.Approvals], Waivers = Some.Waivers };

    [Theory]
    [InlineData("alice\0x")]
    [InlineData("alice\0")]
    [InlineData("alice\u200b")]
    [InlineData("alice\u00a0")]
    [InlineData("Alice")]
    [InlineData("a\u006c\u0131ce")]
    public async Task An_approval_of_one_name_never_covers_another(string name)
    {
        var outcome = await Some.EvaluateAsync(Approved, Some.Partition("prod",
            ("users", Some.Table(Some.Users, """{"name":"alice","mfa":false}""", JsonSerializer.Serialize(new { name, mfa = false }))),
            ("approvals", Some.Table(Some.Approvals, Some.Approval("alice")))));
        Assert.Equal((Conclusion.Fail, 1L, 1L), (outcome.Conclusion, outcome.Result.Approved, outcome.Result.Deviations));
        var items = outcome.Rows().Select(r => JsonDocument.Parse(r).RootElement)
            .ToLookup(r => r.GetProperty("verdict").GetString(), r => r.GetProperty("item").GetString());
        Assert.Equal([name], items["deviation"]);
        Assert.Equal(["alice"], items["approved"]);
    }

    [Fact]
    public async Task Texts_inside_JSON_and_attributes_come_back_whole()
    {
        const string sql = "SELECT (u.tags->>'owner') AS item, false AS pass, (u.tags->>'owner') AS reason, "
            + "u.name, u.tags, u.tags->>'$.list[*]' AS list FROM users u";
        var outcome = await Some.EvaluateAsync(Some.Control(Some.Test(sql)), Some.With(
            """{"name":"n\u0000m","tags":{"owner":"a\u0000b","list":["x\u0000y"]}}""", """{"name":"n","tags":{"owner":"a","list":["x"]}}"""));
        var rows = outcome.Rows().Select(r => JsonDocument.Parse(r).RootElement).ToDictionary(r => r.GetProperty("item").GetString()!);
        Assert.Equal(["a", "a\0b"], rows.Keys.Order(StringComparer.Ordinal));
        var whole = rows["a\0b"];
        Assert.Equal("a\0b", whole.GetProperty("reason").GetString());
        Assert.Equal("n\0m", whole.GetProperty("attributes").GetProperty("name").GetString());
        Assert.Equal("a\0b", whole.GetProperty("attributes").GetProperty("tags").GetProperty("owner").GetString());
        Assert.Equal("x\0y", whole.GetProperty("attributes").GetProperty("list")[0].GetString());
    }

    [Fact]
    public async Task A_table_with_decimals_keeps_them_too()
    {
        var fees = Some.Need("fees", [new("name", ColumnType.Text), new("fee", ColumnType.Decimal)]);
        const string sql = "SELECT f.name AS item, f.fee = 1.5 AS pass, 'r' AS reason FROM fees f";
        var outcome = await Some.EvaluateAsync(Some.Control(Some.Test(sql)) with { Evidence = [fees] },
            Some.Partition("prod", ("fees", Some.Table(fees, """{"name":"a","fee":1.5}""", """{"name":"a\u0000","fee":1.5}""", """{"name":"b","fee":1.5}"""))));
        Assert.Equal((Conclusion.Pass, 3L), (outcome.Conclusion, outcome.Result.Population));
    }

    [Theory]
    [InlineData("'User', 'alice'", "User alice")]
    [InlineData("'ServiceAccount', 'system:serviceaccount:ops:deployer', 'in', 'payments'", "ServiceAccount system:serviceaccount:ops:deployer in payments")]
    [InlineData("'User', 'alice in payments'", "User alice%20in%20payments")]
    [InlineData("'User', 'alice', NULL, NULL", "User alice")]
    [InlineData("'100%', 'a' || chr(0) || 'b', 'a' || chr(9) || chr(8203) || chr(160) || chr(12644)", "100%25 a%00b a%09%E2%80%8B%C2%A0%E3%85%A4")]
    [InlineData("'arn:aws:iam::1:user/a+b=c,d@e_f', 'Gr' || chr(252) || 'ße', '[x](y)\"'", "arn:aws:iam::1:user/a+b=c,d@e_f Grüße [x](y)\"")]
    [InlineData("'a', '', 'b'", "a  b")]
    [InlineData("1, true", "1 true")]
    public async Task An_item_is_put_together_so_that_its_parts_can_be_told(string parts, string item)
    {
        var outcome = await Some.EvaluateAsync(
            Some.Control(Some.Test($"SELECT item({parts}) AS item, true AS pass, '' AS reason FROM users u")), Some.With("""{"name":"x"}"""));
        Assert.True(outcome.Conclusion == Conclusion.Pass, outcome.Test.Error);
        Assert.Equal(item, JsonDocument.Parse(outcome.Rows()[0]).RootElement.GetProperty("item").GetString());
    }

    [Fact]
    public async Task An_item_of_nothing_is_no_item()
    {
        var outcome = await Some.EvaluateAsync(
            Some.Control(Some.Test("SELECT item(u.name, u.name) AS item, true AS pass, '' AS reason FROM users u")), Some.With("{}"));
        outcome.IsError("item is NULL");
    }

    [Fact]
    public async Task An_imperfect_approval_is_listed_with_what_it_lacks_and_can_be_read_back()
    {
        var outcome = await Some.EvaluateAsync(Approved, Some.Partition("prod",
            ("users", Some.Table(Some.Users, """{"name":"alice","mfa":false}""")),
            ("approvals", Some.Table(Some.Approvals, """{"arn":"alice","approved_by":"R. Reviewer"}""") with
            {
                Notes = ["x.csv:3: no expires; this approval does not count"],
            })));
        Assert.Equal(Conclusion.Fail, outcome.Conclusion);
        Assert.Contains("x.csv:3: no expires; this approval does not count", outcome.Result.Notes);
        var read = Assert.Single(ResultsJson.Read(ResultsTests.Bytes(outcome.Result)).Controls);
        Assert.Equal("it gives no reason", Assert.Single(read.Waivers.Expired).Why);
        Assert.Null(read.Waivers.Expired[0].Expires);
    }
}
