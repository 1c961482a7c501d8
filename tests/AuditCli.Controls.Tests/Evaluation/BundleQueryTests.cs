using System.Text;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Evaluation;

/// <summary>Checks that SQL over a bundle has everything that the SQL of every control has, with the same values.</summary>
public sealed class BundleQueryTests
{
    private static readonly AuditMoment Moment = new(
        Some.AsOf, new(2026, 10, 23, 22, 0, 0, TimeSpan.Zero), new(2026, 10, 26, 23, 0, 0, TimeSpan.Zero), TimeSpan.FromHours(24))
    {
        TimeZone = "Europe/Zurich",
    };

    private static readonly QueryTable Users = new(
        "X", "users", [new("name", ColumnType.Text)], 1, [() => [Encoding.UTF8.GetBytes("""{"name":"alice"}""")]]);

    private static async Task<string[]> RowsAsync(string sql, AuditMoment moment)
    {
        using var answer = await BundleQuery.RunAsync(sql, new(moment, [Users]), EvaluationLimits.Default, CancellationToken.None);
        var rows = new List<string>();
        await foreach (var row in answer.ReadAsync(CancellationToken.None))
            rows.Add(Encoding.UTF8.GetString(row.Span));
        return [.. rows];
    }

    [Fact]
    public async Task Every_table_of_AuditCli_has_the_rows_that_controls_see()
    {
        Assert.Equal(TableNames.Always, SqlTables.Own.Select(t => t.Table.Name));
        foreach (var own in SqlTables.Own)
        {
            using var database = LockedDatabase.Open("256MB");
            await SqlTables.CreateAsync(database, own, Moment, wanted: true, CancellationToken.None);
            var seen = await database.QueryAsync($"SELECT to_json(t)::VARCHAR FROM {own.Table.Name} t", [], r => r.GetString(0), CancellationToken.None);
            Assert.NotEmpty(seen);
            var queried = await RowsAsync($"SELECT to_json(t)::VARCHAR AS row FROM {own.Table.Name} t", Moment);
            Assert.Equal(seen.Select(r => $$"""{"row":"{{r.Replace("\"", "\\\"", StringComparison.Ordinal)}}"}"""), queried);
        }
    }

    [Fact]
    public async Task Every_function_of_AuditCli_is_defined()
    {
        foreach (var function in SqlFunctions.Own)
            Assert.Single(await RowsAsync($"SELECT {function}('10.0.0.0/8') AS value FROM x.users", Moment));
    }

    [Fact]
    public async Task The_moments_of_the_engagement_have_their_values() => Assert.Equal(
        ["""{"as_of":"2026-10-01T00:00:00Z","from":"2026-10-23T22:00:00Z","to":"2026-10-26T23:00:00Z"}"""],
        await RowsAsync("SELECT $as_of AS as_of, $period_start AS \"from\", $period_end AS \"to\"", Moment));

    [Theory]
    [InlineData("SELECT $max_age_days", "$max_age_days has no value here; known are $as_of, $period_end, $period_start")]
    [InlineData("SELECT $1", "$1 has no value here")]
    [InlineData("SELECT ?", "has no value here")]
    [InlineData("FROM period_day", "there is no table period_day; did you mean 'period_days'?")]
    public async Task What_only_a_control_or_nobody_has_is_told_from_what_is_there(string sql, string message)
    {
        var e = await Assert.ThrowsAsync<QueryException>(() => RowsAsync(sql, Moment));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_common_table_of_the_users_own_comes_before_the_days() => Assert.Equal(
        ["""{"day":1}"""], await RowsAsync("WITH period_days AS (SELECT 1 AS day) SELECT day FROM period_days", Moment));

    [Fact]
    public async Task A_time_zone_that_this_machine_does_not_know_matters_only_where_days_are_asked_for()
    {
        var moment = Moment with { TimeZone = "Mars/Olympus" };
        Assert.Single(await RowsAsync("FROM x.users", moment));
        var e = await Assert.ThrowsAsync<QueryException>(() => RowsAsync("FROM period_days", moment));
        Assert.Contains("does not know the time zone 'Mars/Olympus'", e.Message, StringComparison.Ordinal);
    }
}
