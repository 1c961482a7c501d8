using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Evaluation;

/// <summary>Checks that two counts that differ or cannot be determined prevent a pass.</summary>
public sealed class CompletenessCheckTests
{
    private const string Bob = """{"name":"bob","mfa":true}""";
    private const string Carol = """{"name":"carol"}""";

    private static readonly CompletenessCheck Disagreeing = new("two counts", "SELECT count(*) FROM users", "SELECT 7");

    [Fact]
    public async Task Counts_that_do_not_agree_are_inconclusive_with_both_shown()
    {
        var outcome = await Some.EvaluateAsync(Some.Control() with { Completeness = [Disagreeing] }, Some.With(Bob));
        Assert.Equal(Conclusion.Inconclusive, outcome.Conclusion);
        Assert.Equal(new CompletenessResult("two counts", "1", "7", false), Assert.Single(outcome.Test.Completeness));
    }

    [Fact]
    public async Task A_count_that_is_null_does_not_agree()
    {
        var control = Some.Control() with { Completeness = [new("c", "SELECT max(age) FROM users", "SELECT min(age) FROM users")] };
        var outcome = await Some.EvaluateAsync(control, Some.With(Bob));
        Assert.Equal(Conclusion.Inconclusive, outcome.Conclusion);
        Assert.Equal(new CompletenessResult("c", null, null, false), Assert.Single(outcome.Test.Completeness));
    }

    [Theory]
    [InlineData("SELECT name FROM users", "2 rows")]
    [InlineData("SELECT 1, 2", "2 columns")]
    [InlineData("SELECT nothing FROM users", "nothing")]
    [InlineData("SELECT now()", "now()")]
    public async Task A_check_that_breaks_is_an_error_and_not_a_pass(string sql, string message)
    {
        var outcome = await Some.EvaluateAsync(Some.Control() with { Completeness = [new("c", sql, "SELECT 2")] }, Some.With(Bob, Carol));
        outcome.IsError(message);
    }

    [Fact]
    public async Task Opposite_errors_of_two_accounts_do_not_cancel()
    {
        var other = Some.Need("others", [new("name", ColumnType.Text)]);
        var control = Some.Control() with
        {
            Evidence = [Some.Users, other],
            Completeness = [new("c", "SELECT count(*) FROM users", "SELECT count(*) FROM others")],
        };
        var outcome = await Some.EvaluateAsync(
            control,
            Some.Partition("a", ("users", Some.Table(Some.Users, Bob)), ("others", Some.Table(other))),
            Some.Partition("b", ("users", Some.Table(Some.Users)), ("others", Some.Table(other, """{"name":"bob"}"""))));
        Assert.Equal(Conclusion.Inconclusive, outcome.Conclusion);
        Assert.All(outcome.Partitions, t => Assert.Equal(Conclusion.Inconclusive, t.Conclusion));
    }

    [Fact]
    public async Task A_check_concerns_the_tests_that_use_its_tables_and_one_that_uses_none_concerns_all()
    {
        var other = Some.Need("others", [new("name", ColumnType.Text)]);
        var control = Some.Control(Some.Test(Some.MfaSql), Some.Test("SELECT name AS item, true AS pass, '' AS reason FROM others", "T2")) with
        {
            Evidence = [Some.Users, other],
            Completeness = [Disagreeing],
        };
        var partition = Some.Partition("prod", ("users", Some.Table(Some.Users, Bob)), ("others", Some.Table(other, """{"name":"x"}""")));
        Assert.Equal([Conclusion.Inconclusive, Conclusion.Pass], (await Some.EvaluateAsync(control, partition)).Partitions.Select(t => t.Conclusion));
        control = control with { Completeness = [new("c", "SELECT 1", "SELECT 2")] };
        Assert.Equal([Conclusion.Inconclusive, Conclusion.Inconclusive], (await Some.EvaluateAsync(control, partition)).Partitions.Select(t => t.Conclusion));
    }
}
