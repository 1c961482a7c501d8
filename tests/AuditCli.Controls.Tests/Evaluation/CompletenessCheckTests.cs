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

    /// <summary>The engine converts one of two types to compare them, and what it rounds or reads as something else would agree.</summary>
    [Theory]
    [InlineData("9007199254740993::BIGINT", "9007199254740992.0::DOUBLE", "'sql' gives BIGINT and 'equals' gives DOUBLE")]
    [InlineData("true", "1::INTEGER", "'sql' gives BOOLEAN and 'equals' gives INTEGER")]
    [InlineData("'a'::VARCHAR", "'a'::BLOB", "'sql' gives VARCHAR and 'equals' gives BLOB")]
    [InlineData("'2'::VARCHAR", "2::BIGINT", "'sql' gives VARCHAR and 'equals' gives BIGINT")]
    [InlineData("DATE '2026-01-01'", "TIMESTAMP '2026-01-01'", "'sql' gives DATE and 'equals' gives TIMESTAMP")]
    [InlineData("0.1::FLOAT", "0.1::DOUBLE", "'sql' gives FLOAT and 'equals' gives DOUBLE")]
    public async Task Sides_of_different_kinds_are_refused_before_a_conversion_makes_them_equal(string sql, string equals, string said)
    {
        var control = Some.Control() with { Completeness = [new("c", $"SELECT {sql} FROM users", $"SELECT {equals} FROM users")] };
        (await Some.EvaluateAsync(control, Some.With(Bob))).IsError($"completeness check 'c': {said}, which cannot be compared without a conversion");
        var message = Assert.Single(await ControlSql.CheckAsync(control, process: null, CancellationToken.None));
        Assert.Equal("completeness[0].equals", message.Key);
        Assert.StartsWith($"check 'c': {said}", message.Message, StringComparison.Ordinal);
        Assert.Contains("cast one side to the type of the other, such as CAST(... AS ", message.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2::BIGINT", "2::HUGEINT", true)]
    [InlineData("2::BIGINT", "2.00::DECIMAL(38,18)", true)]
    [InlineData("9007199254740993::BIGINT", "9007199254740992::DECIMAL(18,0)", false)]
    [InlineData("170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105726::HUGEINT", false)]
    [InlineData("0.5::DECIMAL(1,1)", "0.500::DECIMAL(4,3)", true)]
    [InlineData("-0.5::DECIMAL(2,1)", "0.5::DECIMAL(2,1)", false)]
    [InlineData("0.0::DOUBLE", "-0.0::DOUBLE", true)]
    [InlineData("0.1::DOUBLE + 0.2::DOUBLE", "0.3::DOUBLE", false)]
    [InlineData("'1.0'", "'1.00'", false)]
    [InlineData("'a'", "'a'", true)]
    public async Task Sides_of_one_kind_are_compared_digit_by_digit(string sql, string equals, bool agree)
    {
        var control = Some.Control() with { Completeness = [new("c", $"SELECT {sql} FROM users", $"SELECT {equals} FROM users")] };
        var outcome = await Some.EvaluateAsync(control, Some.With("""{"name":"bob","mfa":true}"""));
        Assert.True(outcome.Test.Error is null, outcome.Test.Error);
        Assert.Equal(agree, Assert.Single(outcome.Test.Completeness).Agree);
    }

    [Theory]
    [InlineData("SELECT count(*) FROM users", "SELECT CAST(name AS INTEGER) FROM users", "equals: Conversion Error")]
    [InlineData("SELECT CAST(name AS INTEGER) FROM users", "SELECT 1", "sql: Conversion Error")]
    public async Task An_error_of_the_engine_names_the_side(string sql, string equals, string said)
    {
        var outcome = await Some.EvaluateAsync(Some.Control() with { Completeness = [new("c", sql, equals)] }, Some.With(Bob));
        outcome.IsError(said);
    }

    [Theory]
    [InlineData("SELECT count(*) FROM users GROUP BY name", "2 rows")]
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
