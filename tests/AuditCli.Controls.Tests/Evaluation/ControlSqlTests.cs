using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Evaluation;

public sealed class ControlSqlTests
{
    private static async Task<ImmutableArray<SqlMessage>> Check(Control control) => await ControlSql.CheckAsync(control, process: null, CancellationToken.None);

    [Theory]
    [InlineData("SELECT name AS item, mfa AS pass, '' AS reason FROM nobody", "unknown table nobody")]
    [InlineData("SELECT u.nome AS item, mfa AS pass, '' AS reason FROM users u", "nome")]
    [InlineData("SELECT name AS item, now() IS NULL AS pass, '' AS reason FROM users", "now()")]
    [InlineData("SELECT name AS item, age AS pass, '' AS reason FROM users", "column pass is BIGINT and must be BOOLEAN")]
    [InlineData("SELECT name AS item, mfa AS pass FROM users", "column reason is missing")]
    [InlineData("SELECT name AS item, mfa AS pass, '' AS reason FROM users WHERE age > $days", "unknown parameter $days")]
    public async Task A_test_that_cannot_run_is_found_without_evidence(string sql, string message)
    {
        var found = Assert.Single(await Check(Some.Control(Some.Test(sql))));
        Assert.Equal("tests[T1].sql", found.Key);
        Assert.False(found.IsWarning);
        Assert.Contains(message, found.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SELECT count(*) FROM users u WHERE u.name <> 'A'", "select  COUNT( * )\n from users U -- all\nwhere u.name <> 'A';", "is the same SQL")]
    [InlineData("SELECT count(*) FROM users", "SELECT count(*) AS n FROM users u", "counts the rows of users")]
    [InlineData("SELECT count(*) FROM users", "SELECT count(*) FROM devices__calls c", "compares users with the calls made for each of its rows")]
    [InlineData("SELECT count(*) FROM users u WHERE u.name <> 'A'", "SELECT count(*) FROM users u WHERE u.name <> 'a'", null)]
    [InlineData("SELECT count(*) FROM users", "SELECT count(*) FROM devices", null)]
    [InlineData("SELECT count(*) FROM users", "SELECT count(*) FROM devices__calls c WHERE c.outcome = 'complete'", null)]
    public async Task A_completeness_check_that_cannot_fail_is_told_to_its_author(string left, string right, string? message)
    {
        var control = Some.Control(Some.Test(Some.MfaSql)) with { Evidence = [Some.Users, Some.Devices], Completeness = [new("c", left, right)] };
        var found = await Check(control);
        if (message is null)
            Assert.Empty(found);
        else
            Assert.Contains(
                message,
                Assert.Single(found, m => m is { IsForAuthors: true, IsWarning: false, Key: "completeness[0].equals" }).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_text_is_checked_under_its_own_key()
    {
        var control = Some.Control(Some.Test("SELECT")) with
        {
            Evidence = [Some.Users, Some.Approvals with { Unmatched = "SELECT 1" }],
            Completeness = [new("c", "SELECT 1, 2", "SELECT no_such FROM users")],
            Waivers = Some.Waivers with { Expires = "until" },
        };
        Assert.Equal(
            ["tests[T1].sql", "completeness[0].sql", "completeness[0].equals", "evidence.approvals.unmatched", "waivers.expires"],
            (await Check(control)).Select(m => m.Key));
    }

    [Fact]
    public async Task A_comparison_with_false_is_a_warning_because_it_misses_null()
    {
        var found = Assert.Single(await Check(Some.Control(Some.Test("SELECT name AS item, mfa = false AS pass, '' AS reason FROM users"))));
        Assert.True(found.IsWarning);
    }

    [Fact]
    public async Task A_control_in_order_gives_no_message()
    {
        var control = Some.Control(Some.Test(
            "SELECT name AS item, age < $days AND NOT EXISTS (SELECT 1 FROM devices__calls c WHERE c._parent = u._ref) AS pass, "
                + "'' AS reason FROM users u")) with
        {
            Evidence = [Some.Users, Some.Devices, Some.Approvals],
            Completeness = [new("c", "SELECT count(*) FROM users", "SELECT count(*) FROM devices")],
            Waivers = Some.Waivers,
            Parameters = [new("days", ColumnType.Integer, JsonDocument.Parse("5").RootElement, "w")],
        };
        Assert.Empty(await Check(control));
    }
}
