using System.Text;
using System.Text.Json;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Evaluation;

/// <summary>Tests how tests, items and partitions determine a control's conclusion, and how they fail.</summary>
public sealed class EvaluatorTests
{
    private const string Bob = """{"name":"bob","mfa":true}""";
    private const string Alice = """{"name":"alice","mfa":false}""";
    private const string Carol = """{"name":"carol"}""";

    private static readonly CompletenessCheck Agreeing = new("two counts", "SELECT count(*) FROM users", "SELECT count(name) FROM users");

    [Theory]
    [InlineData("SELECT 'x' AS item, true AS pass, '' AS reason FROM users", "item 'x' has 2 rows")]
    [InlineData("SELECT NULL::VARCHAR AS item, true AS pass, '' AS reason FROM users", "item is NULL in 2 rows")]
    [InlineData("SELECT '' AS item, true AS pass, '' AS reason FROM users", "item is empty in 2 rows")]
    [InlineData("SELECT age AS item, true AS pass, '' AS reason FROM users", "column item is BIGINT and must be VARCHAR")]
    [InlineData("SELECT name AS item, 1 AS pass, '' AS reason FROM users", "column pass is INTEGER and must be BOOLEAN")]
    [InlineData("SELECT name AS item, 'true' AS pass, '' AS reason FROM users", "column pass is VARCHAR and must be BOOLEAN")]
    [InlineData("SELECT name AS item, mfa AS pass, 3 AS reason FROM users", "column reason is INTEGER and must be VARCHAR")]
    [InlineData("SELECT name AS item, mfa AS pass FROM users", "column reason is missing")]
    [InlineData("SELECT mfa AS pass, '' AS reason FROM users", "column item is missing")]
    [InlineData("SELECT no_such AS item, true AS pass, '' AS reason FROM users", "no_such")]
    [InlineData("SELECT name::INT::VARCHAR AS item, true AS pass, '' AS reason FROM users", "Conversion Error")]
    [InlineData("SELECT name AS item, true AS pass, '' AS reason FROM read_csv('/etc/passwd')", "read_csv")]
    public async Task A_test_that_breaks_is_an_error_that_names_the_thing(string sql, string message)
    {
        var outcome = await Some.EvaluateAsync(Some.Control(Some.Test(sql)), Some.With(Alice, Bob));
        outcome.IsError(message);
        Assert.Empty(outcome.Rows());
    }

    [Theory]
    [InlineData("""{"name":5}""", "line 1, column name is not of type text")]
    [InlineData("""{"name":"x","mfa":"true"}""", "column mfa is not of type boolean")]
    [InlineData("""{"name":"x","mfa":1}""", "column mfa is not of type boolean")]
    [InlineData("""{"name":"x","name":"y"}""", "column name occurs twice")]
    [InlineData("""{"nome":"x"}""", "column nome is not a column of the table")]
    [InlineData("""{"name":"\ud800"}""", "column name is not valid JSON")]
    [InlineData("""{"name":"x"} 5""", "not valid JSON")]
    [InlineData("[]", "is not an object")]
    [InlineData("{", "not valid JSON")]
    public async Task A_row_that_does_not_fit_its_table_breaks_the_test(string row, string message) =>
        (await Some.EvaluateAsync(Some.Control(), Some.With(row))).IsError(message);

    [Fact]
    public async Task A_test_that_takes_too_long_is_an_error()
    {
        var rows = Enumerable.Range(0, 2000).Select(i => $$"""{"name":"{{i}}"}""").ToArray();
        var control = Some.Control(Some.Test(
            "SELECT count(*)::VARCHAR AS item, true AS pass, '' AS reason FROM users a, users b, users c, users d "
                + "WHERE a.name || b.name || c.name || d.name = 'x'"));
        (await Some.EvaluateAsync(control, Some.Moment, new EvaluationLimits(TimeSpan.FromMilliseconds(500), "256MB"), Some.With(rows))).IsError("time limit");
    }

    [Fact]
    public async Task A_test_that_takes_too_much_memory_is_an_error()
    {
        var rows = Enumerable.Range(0, 2000).Select(i => $$"""{"name":"{{new string('x', 100)}}{{i}}"}""").ToArray();
        var control = Some.Control(Some.Test("SELECT a.name || b.name || c.name AS item, true AS pass, '' AS reason FROM users a, users b, users c"));
        (await Some.EvaluateAsync(control, Some.Moment, new EvaluationLimits(TimeSpan.FromMinutes(1), "64MB"), Some.With(rows))).IsError("Out of Memory");
    }

    [Fact]
    public async Task A_cancelled_evaluation_concludes_nothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Evaluator.EvaluateAsync(
            new ControlInScope(Some.Control(), ControlOrigin.Shipped, []),
            [Some.With(Bob)],
            Some.Moment,
            EvaluationLimits.Default,
            process: null,
            _ => new MemoryStream(),
            clean: null,
            cancelled.Token));
    }

    [Fact]
    public async Task A_null_pass_is_undetermined_and_inconclusive()
    {
        var outcome = await Some.EvaluateAsync(Some.Control(), Some.With(Bob, Carol));
        Assert.Equal((Conclusion.Inconclusive, 1L), (outcome.Conclusion, outcome.Result.Undetermined));
    }

    [Fact]
    public async Task A_deviation_in_complete_evidence_fails_although_another_item_is_undetermined() =>
        Assert.Equal(Conclusion.Fail, (await Some.EvaluateAsync(Some.Control(), Some.With(Alice, Carol))).Conclusion);

    [Fact]
    public async Task An_empty_population_is_no_occurrence_and_its_table_has_every_column()
    {
        var control = Some.Control(Some.Test("SELECT name AS item, mfa AS pass, '' AS reason, age, tags->>'k' AS k, _region, _ref FROM users"));
        Assert.Equal(Conclusion.NoOccurrence, (await Some.EvaluateAsync(control, Some.With())).Conclusion);
    }

    [Fact]
    public async Task Absent_and_null_are_both_null()
    {
        var control = Some.Control(Some.Test("SELECT name AS item, mfa IS NULL AND age IS NULL AND tags IS NULL AS pass, '' AS reason FROM users"));
        Assert.Equal(
            Conclusion.Pass,
            (await Some.EvaluateAsync(control, Some.With("""{"name":"a"}""", """{"name":"b","mfa":null,"age":null,"tags":null}"""))).Conclusion);
    }

    [Fact]
    public async Task An_open_question_makes_a_pass_and_an_empty_population_wait_for_a_person_but_hides_no_fail()
    {
        var control = Some.Control() with { HumanAttributes = [new("Q1", "Was it looked at?")] };
        Assert.Equal(Conclusion.NeedsReview, (await Some.EvaluateAsync(control, Some.With(Bob))).Conclusion);
        Assert.Equal(Conclusion.NeedsReview, (await Some.EvaluateAsync(control, Some.With())).Conclusion);
        Assert.Equal(Conclusion.Fail, (await Some.EvaluateAsync(control, Some.With(Alice))).Conclusion);
        Assert.Equal(Conclusion.Inconclusive, (await Some.EvaluateAsync(control, Some.With(Carol))).Conclusion);
    }

    [Fact]
    public async Task Alice_in_development_never_covers_alice_in_production()
    {
        var devices = Some.Table(Some.Devices, """{"_with_UserName":"alice","serial":"1"}""");
        var control = Some.Control(Some.Test(
            "SELECT u.name AS item, EXISTS (SELECT 1 FROM devices d WHERE d._with_UserName = u.name) AS pass, 'no device' AS reason FROM users u")) with
        { Evidence = [Some.Users, Some.Devices] };
        var outcome = await Some.EvaluateAsync(
            control,
            Some.Partition("prod", ("users", Some.Table(Some.Users, Alice)), ("devices", Some.Table(Some.Devices))),
            Some.Partition("dev", ("users", Some.Table(Some.Users, Alice)), ("devices", devices)));
        Assert.Equal(["dev", "prod"], outcome.Partitions.Select(t => t.Partition.Account));
        Assert.Equal([Conclusion.Pass, Conclusion.Fail], outcome.Partitions.Select(t => t.Conclusion));
        Assert.Equal((2, 1), (outcome.Result.Population, outcome.Result.Deviations));
    }

    [Fact]
    public async Task Across_the_engagement_tests_see_the_union_and_inputs_once()
    {
        var input = Some.Need("people", [new("name", ColumnType.Text)]) with { Source = EvidenceNeed.FileSource };
        var control = Some.Control(Some.Test("SELECT name AS item, (SELECT count(*) FROM users) = 2 AS pass, '' AS reason FROM people")) with
        {
            Evidence = [Some.Users, input],
            AcrossEngagement = true,
        };
        var people = Some.Table(input, """{"name":"p"}""");
        var outcome = await Some.EvaluateAsync(
            control,
            Some.Partition("a", ("users", Some.Table(Some.Users, Alice)), ("people", people)),
            Some.Partition("b", ("users", Some.Table(Some.Users, Alice)), ("people", people)));
        Assert.Equal(Conclusion.Pass, outcome.Conclusion);
        Assert.Equal(new PartitionName("*", "*"), outcome.Test.Partition);
    }

    [Fact]
    public async Task An_item_of_two_tests_counts_once()
    {
        var control = Some.Control(Some.Test(Some.MfaSql), Some.Test("SELECT name AS item, true AS pass, '' AS reason FROM users", "T2"));
        var result = (await Some.EvaluateAsync(control, Some.With(Alice, Bob))).Result;
        Assert.Equal((2, 1), (result.Population, result.Deviations));
        Assert.Equal([2, 2], result.Tests.Select(t => t.Population));
    }

    [Theory]
    [InlineData("user", "user", 3L)]
    [InlineData(null, null, 3L)]
    [InlineData("user", "device", null)]
    [InlineData("user", null, null)]
    public async Task Populations_of_different_units_are_never_added(string? first, string? second, long? population)
    {
        var control = Some.Control(
            Some.Test(Some.MfaSql) with { Population = Of(first) },
            Some.Test("SELECT name || ' device' AS item, true AS pass, '' AS reason FROM users WHERE name = 'bob'", "T2") with { Population = Of(second) });
        var result = (await Some.EvaluateAsync(control, Some.With(Alice, Bob))).Result;
        Assert.Equal(population, result.Population);
        Assert.Equal([(2L, first), (1L, second)], result.Tests.Select(t => (t.Population, t.Unit)));

        static PopulationStatement? Of(string? unit) => unit is null ? null : new(unit, null, null, [], null);
    }

    public static TheoryData<string, string, Conclusion> Precedence => new()
    {
        { "fail", "error", Conclusion.Fail },
        { "fail", "inconclusive", Conclusion.Fail },
        { "fail", "pass", Conclusion.Fail },
        { "fail", "empty", Conclusion.Fail },
        { "error", "inconclusive", Conclusion.Error },
        { "error", "pass", Conclusion.Error },
        { "error", "empty", Conclusion.Error },
        { "inconclusive", "pass", Conclusion.Inconclusive },
        { "inconclusive", "empty", Conclusion.Inconclusive },
        { "pass", "empty", Conclusion.Pass },
    };

    [Theory]
    [MemberData(nameof(Precedence))]
    public async Task The_first_conclusion_that_any_partition_has_is_the_controls(string one, string other, Conclusion expected)
    {
        static Partition Of(string kind) => Some.Partition(kind, ("users", Some.Table(Some.Users, kind switch
        {
            "fail" => [Alice],
            "error" => [Alice, Alice],
            "inconclusive" => [Carol],
            "pass" => [Bob],
            _ => [],
        })));
        Assert.Equal(expected, (await Some.EvaluateAsync(Some.Control(), Of(one), Of(other))).Conclusion);
        Assert.Equal(expected, (await Some.EvaluateAsync(Some.Control(), Of(other), Of(one))).Conclusion);
    }

    [Fact]
    public async Task Parameters_have_the_types_they_are_declared_with()
    {
        static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
        var control = Some.Control(Some.Test(
            """
            SELECT concat_ws('|', typeof($t), typeof($i), typeof($b), typeof($d), typeof($when), typeof($as_of), typeof($f), typeof($m)) AS item,
                $t = 'x' AND $i = 5::BIGINT AND $b AND $d = DATE '2026-01-02' AND $when = $period_start AND $as_of = $period_end AND $m = 1.5 AS pass, '' AS reason
            FROM (SELECT count(*) FROM users)
            """)) with
        {
            Parameters =
            [
                new("t", ColumnType.Text, Json("\"x\""), ""), new("i", ColumnType.Integer, Json("5"), ""), new("b", ColumnType.Boolean, Json("true"), ""),
                new("d", ColumnType.Date, Json("\"2026-01-02\""), ""), new("when", ColumnType.Timestamp, Json("\"2026-01-01T02:00:00+02:00\""), ""),
                new("f", ColumnType.Double, Json("0.5"), ""), new("m", ColumnType.Decimal, Json("1.5"), ""), new("unused", ColumnType.Text, Json("\"\""), ""),
            ],
        };
        var outcome = await Some.EvaluateAsync(control, Some.With());
        Assert.Equal(Conclusion.Pass, outcome.Conclusion);
        Assert.StartsWith(
            """{"target":"prod","account":"prod","item":"VARCHAR|BIGINT|BOOLEAN|DATE|TIMESTAMP WITH TIME ZONE|TIMESTAMP WITH TIME ZONE|DOUBLE|DECIMAL(""",
            outcome.Rows()[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_show_every_value_in_the_form_of_its_type()
    {
        var need = Some.Need("things",
        [
            new("id", ColumnType.Text), new("n", ColumnType.Integer), new("m", ColumnType.Decimal), new("f", ColumnType.Double),
            new("seen", ColumnType.Timestamp), new("day", ColumnType.Date), new("j", ColumnType.Json),
        ]);
        var control = Some.Control(Some.Test(
            "SELECT id AS item, false AS pass, 'because' AS reason, n, m, f, seen, day, j, j->'a' AS ja, [n] AS l, {'k': m} AS s, "
                + "NULL::INT AS nothing, sum(n) OVER () AS h, INTERVAL 1 DAY AS i FROM things")) with
        { Evidence = [need] };
        var row = """{"id":"ü/1","n":"9007199254740993","m":12345678901234567890123456789.000000001,"f":0.1,"seen":"2026-01-01T02:00:00.123456789+02:00","day":"2026-01-02","j":{"a": [1, 2.50]}}""";
        var outcome = await Some.EvaluateAsync(control, Some.Partition("prod", ("things", Some.Table(need, row))));
        Assert.Null(outcome.Test.Error);
        var id = ExceptionIds.For("APD-AWS-002", "T1", "prod", "ü/1");
        Assert.Matches("^APD-AWS-002/X/[0-9a-f]{12}$", id);
        Assert.Equal(
            $$$"""{"target":"prod","account":"prod","item":"ü/1","pass":false,"verdict":"deviation","exception_id":"{{{id}}}","reason":"because","attributes":{"n":9007199254740993,"m":12345678901234567890123456789.000000001,"f":0.1,"seen":"2026-01-01T00:00:00.123456Z","day":"2026-01-02","j":{"a":[1,2.50]},"ja":[1,2.5],"l":[9007199254740993],"s":{"k":12345678901234567890123456789.000000001},"nothing":null,"h":9007199254740993,"i":"1 day"}}""",
            outcome.Rows()[0]);
    }

    [Fact]
    public async Task A_decimal_that_is_all_places_is_a_number_of_JSON()
    {
        var control = Some.Control(Some.Test(
            "SELECT 'a' AS item, false AS pass, '.5' AS reason, -.5 AS one, 0.50::DECIMAL(2,2) AS two, [.25, -.75] AS more, "
                + "{'.5': .5, 'n': 'a \"\\ .5'} AS named FROM users"));
        var outcome = await Some.EvaluateAsync(control, Some.With(Bob));
        Assert.Null(outcome.Test.Error);
        Assert.EndsWith(
            """attributes":{"one":-0.5,"two":0.5,"more":[0.25,-0.75],"named":{".5":0.5,"n":"a \"\\ .5"}}}""",
            outcome.Rows()[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_evaluations_are_equal_byte_for_byte_and_the_digest_is_of_the_lines()
    {
        var control = Some.Control() with { Completeness = [Agreeing] };
        var partitions = new[] { Some.With(Bob, Alice, Carol), Some.Partition("dev", ("users", Some.Table(Some.Users, Alice))) };
        var one = await Some.EvaluateAsync(control, partitions);
        var two = await Some.EvaluateAsync(control, [partitions[1], partitions[0]]);
        Assert.Equal(one.Files, two.Files);
        Assert.Equal(ResultsTests.Bytes(one.Result), ResultsTests.Bytes(two.Result));
        var production = string.Concat(one.Rows().Where(r => r.Contains("\"prod\"", StringComparison.Ordinal)).Select(r => r + "\n"));
        Assert.Equal(Digest.Of(Encoding.UTF8.GetBytes(production)), one.Partitions[1].RowsSha256);
    }
}
