using AuditCli.Controls.Evaluation;

namespace AuditCli.Controls.Tests.Evaluation;

public sealed class RegisterTests
{
    private const string Unmatched =
        "SELECT item(a.arn) AS row, 'no user has this name' AS why FROM approvals a WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.name = a.arn)";

    private static Control Listing(string sql) => Some.Control() with { Evidence = [Some.Users, Some.Approvals with { Unmatched = sql }] };

    private static async Task<RegisterResult> OfAsync(string sql, params Partition[] partitions) =>
        Assert.Single((await Some.EvaluateAsync(Listing(sql), partitions)).Result.Registers ?? []);

    private static Partition In(string account, EvidenceTable users, params string[] rows) =>
        Some.Partition(account, ("users", users), ("approvals", Some.Table(Some.Approvals, [.. rows.Select(r => Some.Approval(r))])));

    private static EvidenceTable Users(params string[] names) => Some.Table(Some.Users, [.. names.Select(n => $$"""{"name":"{{n}}","mfa":true}""")]);

    [Fact]
    public async Task A_row_that_belongs_to_nothing_that_was_read_is_listed_and_decides_nothing()
    {
        var outcome = await Some.EvaluateAsync(Listing(Unmatched), In("prod", Users("alice"), "alice", "alcie", "bob b"));
        Assert.Equal(Conclusion.Pass, outcome.Conclusion);
        var register = Assert.Single(outcome.Result.Registers ?? []);
        Assert.Equal(("approvals", null), (register.Evidence, register.Unknown));
        Assert.Equal(["alcie: no user has this name", "bob%20b: no user has this name"], register.Unmatched.Select(r => $"{r.Row}: {r.Why}"));
    }

    [Fact]
    public async Task A_row_that_matches_in_one_account_is_matched() =>
        Assert.Equal(
            ["carol"],
            (await OfAsync(Unmatched, In("dev", Users("bob"), "alice", "bob", "carol"), In("prod", Users("alice"), "alice", "bob", "carol")))
                .Unmatched.Select(r => r.Row));

    [Theory]
    [InlineData("dev")]
    [InlineData("prod")]
    public async Task Where_one_account_was_not_read_whole_no_row_is_called_unmatched(string denied)
    {
        Partition Of(string account) => In(account, account == denied ? Some.Denied(Some.Users) : Users("alice"), "alice", "bob");
        var register = await OfAsync(Unmatched, Of("dev"), Of("prod"));
        Assert.Empty(register.Unmatched);
        Assert.Equal("users was not read completely", register.Unknown);
    }

    [Fact]
    public async Task SQL_that_breaks_lists_nothing_and_says_how()
    {
        var outcome = await Some.EvaluateAsync(
            Listing("SELECT a.arn AS row, CAST(a.arn AS BIGINT)::VARCHAR AS why FROM approvals a"), In("prod", Users("alice"), "alice"));
        Assert.Contains("alice", Assert.Single(outcome.Result.Registers ?? []).Unknown, StringComparison.Ordinal);
        Assert.Equal(Conclusion.Pass, outcome.Conclusion);
    }

    [Fact]
    public async Task A_control_that_lists_no_register_has_results_as_before()
    {
        var result = (await Some.EvaluateAsync(Listing(Unmatched) with { Evidence = [Some.Users, Some.Approvals] }, In("prod", Users("alice")))).Result;
        Assert.Null(result.Registers);
    }

    [Theory]
    [InlineData("SELECT a.arn AS row FROM approvals a", "column why is missing")]
    [InlineData("SELECT a.arn AS name, a.arn AS why FROM approvals a", "column row is missing")]
    [InlineData("SELECT 1 AS row, a.arn AS why FROM approvals a", "column row is INTEGER and must be VARCHAR")]
    [InlineData("SELECT a.arn AS row, a.arn AS why FROM leavers a", "leavers")]
    public async Task What_gives_no_list_of_rows_is_refused_when_the_control_is_checked(string sql, string message)
    {
        var fault = Assert.Single(await ControlSql.CheckAsync(Listing(sql), process: null, CancellationToken.None));
        Assert.Equal("evidence.approvals.unmatched", fault.Key);
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }
}
