using System.Text.Json;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Tests.Evaluation;

/// <summary>
/// Checks that a number of which no digit may be lost comes through SQL digit for digit, and that SQL which would lose some is refused,
/// when it is checked and when it runs.
/// </summary>
public sealed class ExactSqlTests
{
    private const string Most = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    private const string Amount = "12345678901234567890.123456789012345678";

    private static readonly EvidenceNeed Ledger = Some.Need("ledger",
    [
        new("id", ColumnType.Text), new("amount", ColumnType.Decimal) { Scale = 18 }, new("supply", ColumnType.Whole), new("fee", ColumnType.Decimal),
        new("n", ColumnType.Integer), new("words", ColumnType.Text), new("details", ColumnType.Json),
    ]);

    private static readonly EvidenceNeed Rates = Some.Need("rates", [new("rate", ColumnType.Double), new("count", ColumnType.Integer)]);

    private static Control Control(string sql) => Some.Control(Some.Test(sql)) with
    {
        Evidence = [Ledger, Rates],
        Parameters =
        [
            new("limit_of", ColumnType.Decimal, JsonDocument.Parse("0.5").RootElement, "w"),
            new("floor", ColumnType.Text, JsonDocument.Parse("\"0.000000000000000001\"").RootElement, "w"),
            new("most", ColumnType.Whole, JsonDocument.Parse($"\"{Most}\"").RootElement, "w"),
            new("exact", ColumnType.Decimal, JsonDocument.Parse($"\"{Amount}\"").RootElement, "w") { Scale = 18 },
        ],
    };

    private static Control Checked(string left, string right) =>
        Control("SELECT l.id AS item, true AS pass, '' AS reason FROM ledger l") with { Completeness = [new("c", left, right)] };

    private static Task<Some.Outcome> RunAsync(Control control, params string[] rows) => Some.EvaluateAsync(
        control, Some.Partition("prod", ("ledger", Some.Table(Ledger, rows)), ("rates", Some.Table(Rates, """{"rate":0.1,"count":3}"""))));

    private static string Test(string pass) => $"SELECT l.id AS item, ({pass}) AS pass, '' AS reason FROM ledger l";

    [Theory]
    [InlineData("l.amount / 3 > 1", "a DECIMAL(38,18) becomes a DOUBLE")]
    [InlineData("l.amount // 3 > 1", "a DECIMAL(38,18) becomes a DOUBLE")]
    [InlineData("divide(l.amount, 3) > 1", "a DECIMAL(38,18) becomes a DOUBLE")]
    [InlineData("round(l.amount / 3, 2)::DECIMAL(38,2) = 1", "becomes a DOUBLE")]
    [InlineData("l.amount::DOUBLE::DECIMAL(38,18) = 1", "becomes a DOUBLE")]
    [InlineData("TRY_CAST(l.amount AS FLOAT) > 1", "becomes a FLOAT")]
    [InlineData("l.amount > 1e0", "becomes a DOUBLE")]
    [InlineData("l.amount > 1 / 3.0", "becomes a DOUBLE")]
    [InlineData("sqrt(l.amount) > 1", "becomes a DOUBLE")]
    [InlineData("l.amount::VARCHAR::DOUBLE > 1", "a VARCHAR becomes a DOUBLE")]
    [InlineData("l.amount > (SELECT max(r.rate) FROM rates r)", "becomes a DOUBLE")]
    [InlineData("l.amount IN (SELECT r.rate FROM rates r)", "becomes a DOUBLE")]
    [InlineData("coalesce(l.amount, 0e0) > 1", "becomes a DOUBLE")]
    [InlineData("CASE WHEN l.n > 1 THEN l.amount ELSE 0e0 END > 1", "becomes a DOUBLE")]
    [InlineData("l.amount > (SELECT avg(k.amount) FROM ledger k)", "avg() makes a DOUBLE of a DECIMAL(38,18)")]
    [InlineData("(SELECT sum(k.amount) / count(*) FROM ledger k) > 1", "becomes a DOUBLE")]
    [InlineData("l.amount > 0 AND (SELECT count(*) / 3 FROM ledger k) > 1", "a BIGINT becomes a DOUBLE")]
    [InlineData("EXISTS (SELECT 1 FROM ledger k WHERE k.amount * 1e0 > l.amount)", "becomes a DOUBLE")]
    [InlineData("(SELECT list_avg(list(k.amount ORDER BY k.id)) FROM ledger k) > 1", "makes a DOUBLE")]
    [InlineData("len(list_filter([l.amount], lambda a: a / 3 > 1)) > 0", "becomes a DOUBLE")]
    [InlineData("len(list_transform([l.amount], a -> a / 3)) > 0", "becomes a DOUBLE")]
    [InlineData("[l.amount]::DOUBLE[] = [1]", "becomes a LIST")]
    [InlineData("(SELECT median(k.amount) FROM ledger k) > 1", "median() of a DECIMAL(38,18) is not exact; write quantile_disc()")]
    [InlineData("(SELECT quantile_cont(k.amount, 0.5) FROM ledger k) > 1", "quantile_cont() of a DECIMAL(38,18) is not exact")]
    [InlineData("(to_json(l.amount)->>'$')::DECIMAL(38,18) = l.amount", "becomes JSON")]
    [InlineData("l.details::DECIMAL(38,18) = l.amount", "JSON becomes a DECIMAL(38,18) by way of a DOUBLE")]
    [InlineData("l.supply * 2 > 5", "a BIGNUM becomes a DOUBLE")]
    [InlineData("l.supply / 2 > 5", "a BIGNUM becomes a DOUBLE")]
    [InlineData("l.supply % 2 = 0", "a BIGNUM becomes a DOUBLE")]
    [InlineData("abs(l.supply) > 5", "a BIGNUM becomes a DOUBLE")]
    [InlineData("l.supply > " + Most, "a BIGNUM becomes a DOUBLE")]
    [InlineData("l.supply - l.supply > 5", "write x + (-y) in place of x - y")]
    [InlineData("(SELECT max(k.supply) - max(k.supply) FROM ledger k) > 5", "write x + (-y) in place of x - y")]
    [InlineData("l.supply = l.words", "a VARCHAR becomes a BIGNUM, which drops what is not whole")]
    [InlineData("l.supply = '12.5'", "a VARCHAR becomes a BIGNUM, which drops what is not whole")]
    [InlineData("l.supply::DECIMAL(38,2) > 1.5", "the engine cannot make a DECIMAL(38,2) of a BIGNUM; write x::VARCHAR::DECIMAL(38, places)")]
    [InlineData("l.supply + l.amount > 5", "a BIGNUM becomes a DOUBLE")]
    [InlineData("sign(l.supply) = 1", "a BIGNUM becomes a DOUBLE")]
    [InlineData("l.supply + $limit_of > 5", "becomes a DOUBLE")]
    public async Task Sql_that_would_lose_a_digit_is_refused_when_it_is_checked_and_when_it_runs(string pass, string message)
    {
        var control = Control(Test(pass));
        var found = Assert.Single(await ControlSql.CheckAsync(control, process: null, CancellationToken.None));
        Assert.Equal(("tests[T1].sql", false, false), (found.Key, found.IsWarning, found.IsForAuthors));
        Assert.StartsWith("no digit of ledger.", found.Message, StringComparison.Ordinal);
        Assert.Contains(message, found.Message, StringComparison.Ordinal);
        (await RunAsync(control, $$"""{"id":"a","amount":"{{Amount}}","supply":"{{Most}}"}""")).IsError(message);
    }

    [Theory]
    [InlineData("$most * 2 > 5", "no digit of $most may be lost in this SQL, but a BIGNUM becomes a DOUBLE")]
    [InlineData("$exact / 3 > 5", "no digit of $exact may be lost in this SQL, but a DECIMAL(38,18) becomes a DOUBLE")]
    [InlineData("(SELECT max(r.rate) FROM rates r) > $exact", "no digit of $exact may be lost in this SQL, but a DECIMAL(38,18) becomes a DOUBLE")]
    [InlineData("$most = l.words", "no digit of $most may be lost in this SQL, but a VARCHAR becomes a BIGNUM, which drops what is not whole")]
    public async Task Sql_that_would_lose_a_digit_of_a_parameter_is_refused_too(string pass, string message)
    {
        var control = Control(Test(pass));
        var found = Assert.Single(await ControlSql.CheckAsync(control, process: null, CancellationToken.None));
        Assert.StartsWith(message, found.Message, StringComparison.Ordinal);
        (await RunAsync(control, """{"id":"a","words":"x"}""")).IsError(message);
    }

    [Fact]
    public async Task A_column_of_the_result_an_ordering_and_a_join_are_no_way_around()
    {
        string[] texts =
        [
            "SELECT l.id AS item, true AS pass, '' AS reason, l.amount / 3 AS share FROM ledger l",
            "WITH c AS (SELECT k.id, k.amount * 1e0 AS a FROM ledger k) SELECT c.id AS item, c.a > 1 AS pass, '' AS reason FROM c",
            "SELECT l.id AS item, row_number() OVER (ORDER BY l.amount / 3) > 1 AS pass, '' AS reason FROM ledger l",
            "SELECT l.id AS item, true AS pass, '' AS reason FROM ledger l JOIN rates r ON r.rate = l.amount",
            "SELECT x.i AS item, true AS pass, '' AS reason, x.a FROM (SELECT l.id AS i, l.amount AS a FROM ledger l UNION SELECT '', r.rate FROM rates r) x",
            "SELECT min(l.id) AS item, true AS pass, '' AS reason FROM ledger l GROUP BY l.n HAVING avg(l.amount) > 1",
            "SELECT min(l.id) AS item, true AS pass, sum(l.amount) FILTER (WHERE l.amount / 3 > 1)::VARCHAR AS reason FROM ledger l",
        ];
        foreach (var sql in texts)
        {
            var found = Assert.Single(await ControlSql.CheckAsync(Control(sql), process: null, CancellationToken.None));
            Assert.Contains("DOUBLE", found.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("SELECT sum(l.amount) FROM ledger l", "SELECT sum(r.rate) FROM rates r", "'sql' gives DECIMAL(38,18) and 'equals' gives DOUBLE")]
    [InlineData("SELECT sum(l.amount) / 2 FROM ledger l", "SELECT 1", "becomes a DOUBLE")]
    [InlineData("SELECT 1.0::DOUBLE", "SELECT sum(l.amount) / 2 FROM ledger l", "becomes a DOUBLE")]
    public async Task A_check_of_completeness_that_would_lose_a_digit_is_refused_too(string left, string right, string message)
    {
        var control = Checked(left, right);
        Assert.Contains(message, Assert.Single(await ControlSql.CheckAsync(control, process: null, CancellationToken.None)).Message, StringComparison.Ordinal);
        (await RunAsync(control, $$"""{"id":"a","amount":"1","supply":"2"}""")).IsError("completeness check 'c': ");
    }

    /// <summary>The engine has no type for both; the digits are compared without it.</summary>
    [Theory]
    [InlineData("2", "2.000000000000000000", Conclusion.Pass)]
    [InlineData("12345678901234567891", "12345678901234567890", Conclusion.Inconclusive)]
    public async Task Two_exact_sides_of_different_types_are_compared_digit_by_digit(string supply, string amount, Conclusion conclusion)
    {
        var control = Checked("SELECT sum(l.supply) FROM ledger l", "SELECT sum(l.amount) FROM ledger l");
        Assert.Empty(await ControlSql.CheckAsync(control, process: null, CancellationToken.None));
        var outcome = await RunAsync(control, $$"""{"id":"a","amount":"{{amount}}","supply":"{{supply}}"}""");
        Assert.True(outcome.Conclusion == conclusion, outcome.Test.Error);
    }

    [Fact]
    public async Task A_refusal_says_where_whatever_parameters_stand_before_it()
    {
        const string Sql = "SELECT 'ä$limit_of' AS item, $limit_of < 1 AND $as_of IS NOT NULL\n    AND l.amount / 3 > 1 AS pass, '' AS reason FROM ledger l";
        var control = Control(Sql);
        var found = Assert.Single(await ControlSql.CheckAsync(control, process: null, CancellationToken.None));
        Assert.Equal((2, 9), ControlSql.Place(control, found));
    }

    [Theory]
    [InlineData("l.amount = 12345678901234567890.123456789012345678")]
    [InlineData("l.amount <> 12345678901234567890.123456789012345677")]
    [InlineData("l.amount + 0.000000000000000001 = 12345678901234567890.123456789012345679")]
    [InlineData("l.amount - l.amount = 0 AND l.amount * 2 > l.amount AND abs(-l.amount) = l.amount AND l.amount % 2 > 0")]
    [InlineData("l.amount * 3 > 5 * l.n AND l.amount > l.fee AND round(l.amount, 2) = 12345678901234567890.12")]
    [InlineData("(SELECT sum(k.amount) FROM ledger k) = l.amount AND (SELECT quantile_disc(k.amount, 0.5) FROM ledger k) = l.amount")]
    [InlineData("list_sum(list_filter([l.amount, -l.amount], lambda a: a > 0)) = l.amount")]
    [InlineData("l.amount::VARCHAR = '" + Amount + "' AND l.amount > $limit_of AND l.amount > $floor::DECIMAL(38,18)")]
    [InlineData("l.supply = '" + Most + "' AND l.supply::VARCHAR = '" + Most + "'")]
    [InlineData("l.supply > 9223372036854775807 AND l.supply + 1 > l.supply AND l.supply + (-l.supply) = 0")]
    [InlineData("(SELECT sum(k.supply) FROM ledger k) = l.supply AND (SELECT max(k.supply) + (-max(k.supply)) FROM ledger k) = 0")]
    [InlineData("(SELECT count(*) FROM (SELECT k.supply FROM ledger k GROUP BY k.supply) g JOIN ledger m ON m.supply = g.supply) = 1")]
    [InlineData("l.amount > 1 AND (SELECT max(r.rate) FROM rates r) > 0.05 AND (SELECT sum(r.rate) * 2 FROM rates r) < 1")]
    [InlineData("l.amount > 1 AND date_diff('day', $period_start, $as_of) > 1")]
    [InlineData("l.supply = $most AND l.supply + (-$most) = 0 AND $most::VARCHAR = '" + Most + "' AND '$most' <> $most::VARCHAR")]
    [InlineData("l.amount = $exact AND $exact - 0.000000000000000001 < l.amount AND typeof($exact) = 'DECIMAL(38,18)' AND l.n < $exact")]
    public async Task Sql_that_loses_nothing_is_admitted_and_sees_every_digit(string pass)
    {
        var control = Control(Test(pass));
        Assert.Empty(await ControlSql.CheckAsync(control, process: null, CancellationToken.None));
        var outcome = await RunAsync(control, $$"""{"id":"a","amount":"{{Amount}}","supply":"{{Most}}","fee":1.5,"n":2}""");
        Assert.True(outcome.Conclusion == Conclusion.Pass, outcome.Test.Error);
    }

    [Theory]
    [InlineData("SELECT item(l.id, e.key) AS item, true AS pass, '' AS reason, l.amount FROM ledger l, json_each(l.details) e")]
    [InlineData("SELECT item(l.id, t.d->>'k') AS item, true AS pass, '' AS reason, l.supply FROM ledger l, unnest(l.details::JSON[]) AS t(d)")]
    [InlineData("SELECT l.id AS item, true AS pass, '' AS reason, unnest([l.amount, l.fee]) AS one FROM ledger l")]
    [InlineData("SELECT l.id AS item, true AS pass, '' AS reason FROM ledger l SEMI JOIN ledger k ON k.amount = l.amount ANTI JOIN rates r ON r.count = l.n")]
    [InlineData("SELECT l.id AS item, true AS pass, '' AS reason FROM ledger l QUALIFY rank() OVER (PARTITION BY l.n ORDER BY l.amount DESC) = 1")]
    [InlineData("SELECT coalesce(l.id, 'all') AS item, sum(l.amount) > 0 AS pass, '' AS reason FROM ledger l GROUP BY ROLLUP (l.id)")]
    [InlineData("SELECT l.id AS item, lag(l.supply) OVER (ORDER BY l.id) IS NULL AS pass, '' AS reason FROM ledger l")]
    [InlineData("SELECT l.id AS item, sum(l.supply) OVER (ORDER BY l.id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) > 0 AS pass, '' AS reason FROM ledger l")]
    [InlineData("SELECT v.a AS item, l.amount > 0 AS pass, '' AS reason FROM (VALUES ('a'), ('b')) v(a) LEFT JOIN ledger l ON l.id = v.a")]
    [InlineData("SELECT l.id AS item, l.amount NOT IN (SELECT k.amount FROM ledger k WHERE k.id <> l.id) AS pass, '' AS reason FROM ledger l")]
    [InlineData("SELECT l.id AS item, true AS pass, '' AS reason FROM ledger l WHERE l.amount = ANY (SELECT max(k.amount) FROM ledger k GROUP BY k.n)")]
    [InlineData("WITH c AS MATERIALIZED (SELECT l.id, max(l.supply) s FROM ledger l GROUP BY ALL) SELECT c.id AS item, c.s > 0 AS pass, c.id AS reason FROM c")]
    [InlineData("SELECT x.id AS item, true AS pass, x.id reason FROM (SELECT l.id, l.supply FROM ledger l EXCEPT SELECT '', NULL INTERSECT SELECT '', NULL) x")]
    [InlineData("SELECT l.id AS item, max_by(l.amount, l.n ORDER BY l.id) > 0 AS pass, count(DISTINCT l.supply)::VARCHAR reason FROM ledger l GROUP BY l.id")]
    public async Task Every_form_of_query_can_be_checked(string sql) =>
        Assert.Empty((await ControlSql.CheckAsync(Control(sql), process: null, CancellationToken.None)).Where(m => !m.IsWarning));

    [Fact]
    public async Task Sql_that_reads_no_exact_column_may_compute_as_before()
    {
        var control = Control("SELECT l.id AS item, l.fee / 3 > 0.1 AND l.n / 2 > 0.5 AS pass, '' AS reason, avg(l.fee) OVER () AS mean FROM ledger l");
        Assert.Empty(await ControlSql.CheckAsync(control, process: null, CancellationToken.None));
        Assert.Equal(Conclusion.Pass, (await RunAsync(control, """{"id":"a","fee":1.5,"n":2,"amount":"1"}""")).Conclusion);
    }

    [Fact]
    public async Task Results_show_every_digit_alone_and_in_lists()
    {
        const string Sql = "SELECT l.id AS item, true AS pass, '' AS reason, l.amount, l.supply, [l.supply] AS list, {'a': l.amount} AS struct FROM ledger l";
        var outcome = await RunAsync(Control(Sql), $$"""{"id":"a","amount":"{{Amount}}","supply":"-{{Most}}"}""");
        Assert.True(outcome.Conclusion == Conclusion.Pass, outcome.Test.Error);
        Assert.EndsWith(
            $"{{\"amount\":{Amount},\"supply\":-{Most},\"list\":[-{Most}],\"struct\":{{\"a\":{Amount}}}}}}}", outcome.Rows()[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"id":"a","supply":"1.5"}""", "column supply is not of type whole")]
    [InlineData("""{"id":"a","amount":"1.0000000000000000001"}""", "column amount is not of type decimal(18)")]
    [InlineData("""{"id":"a","amount":true}""", "column amount is not of type decimal(18)")]
    public async Task A_table_with_a_value_that_does_not_fit_is_an_error(string row, string message) =>
        (await RunAsync(Control(Test("l.amount > 0 AND l.supply > 0")), row)).IsError(message);

    /// <summary>
    /// The reason for the refusal of a subtraction. When this test fails, the engine has been corrected, and the rule can go.
    /// </summary>
    [Fact]
    public void The_engine_still_subtracts_a_whole_number_from_itself_wrongly()
    {
        using var database = new DuckDBConnection("DataSource=:memory:");
        database.Open();
        using var command = database.CreateCommand();
        command.CommandText = $"SELECT (n - n)::VARCHAR FROM (SELECT '{Most}'::BIGNUM AS n FROM range(2)) t";
        Assert.NotEqual("0", command.ExecuteScalar());
    }
}
