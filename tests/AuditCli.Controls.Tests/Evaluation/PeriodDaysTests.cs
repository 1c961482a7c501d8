using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Evaluation;

/// <summary>Checks that each day of the period is a row, as long as it was where the engagement is.</summary>
public sealed class PeriodDaysTests
{
    private static AuditMoment Period(string start, string end, string zone = "UTC") => new(
        Some.AsOf, DateTimeOffset.Parse(start, CultureInfo.InvariantCulture), DateTimeOffset.Parse(end, CultureInfo.InvariantCulture), TimeSpan.FromHours(24))
    {
        TimeZone = zone,
    };

    private static string[] Days(AuditMoment moment) => [.. PeriodDays.Of(moment)
        .Select(d => string.Create(CultureInfo.InvariantCulture, $"{d.Day:yyyy-MM-dd} {d.StartsAt:yyyy-MM-ddTHH:mm} {(d.EndsAt - d.StartsAt).TotalHours}"))];

    [Fact]
    public async Task A_day_on_which_nothing_happened_is_an_exception_and_not_missing()
    {
        var backups = Some.Need("backups", [new("at", ColumnType.Timestamp)]);
        var control = Some.Control(Some.Test("""
            SELECT p.day::VARCHAR AS item, EXISTS (SELECT 1 FROM backups b WHERE b.at >= p.starts_at AND b.at < p.ends_at) AS pass, 'no backup' AS reason
            FROM period_days p
            """)) with
        { Evidence = [backups], Mode = ControlMode.Period };
        Assert.Empty(await ControlSql.CheckAsync(control, process: null, CancellationToken.None));
        var outcome = await Some.EvaluateAsync(
            control, Period("2026-09-01T00:00:00Z", "2026-09-04T00:00:00Z"), EvaluationLimits.Default,
            Some.Partition("prod", ("backups", Some.Table(backups, """{"at":"2026-09-01T00:00:00Z"}""", """{"at":"2026-09-03T23:59:59Z"}"""))),
            Some.Partition("test", ("backups", Some.Table(backups))));
        Assert.Equal((Conclusion.Fail, 6L, 4L), (outcome.Conclusion, outcome.Result.Population, outcome.Result.Deviations));
        Assert.Contains(outcome.Rows(), r => r.Contains("\"account\":\"prod\",\"item\":\"2026-09-02\",\"pass\":false", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_test_that_reads_nothing_but_the_days_is_refused_because_they_are_no_evidence()
    {
        var control = Some.Control(Some.Test("SELECT p.day::VARCHAR AS item, true AS pass, '' AS reason FROM period_days p"));
        (await Some.EvaluateAsync(control, Some.With("""{"name":"alice"}"""))).IsError("it names no evidence");
    }

    [Fact]
    public async Task A_check_of_completeness_sees_the_days_too()
    {
        var control = Some.Control() with
        {
            Completeness = [new("a user for each day", "SELECT count(*) FROM users", "SELECT count(*) FROM period_days")],
        };
        var rows = Enumerable.Range(0, 3).Select(n => $$"""{"name":"u{{n}}","mfa":true}""").ToArray();
        foreach (var (end, conclusion) in new[] { ("2026-09-04T00:00:00Z", Conclusion.Pass), ("2026-09-05T00:00:00Z", Conclusion.Inconclusive) })
        {
            var outcome = await Some.EvaluateAsync(control, Period("2026-09-01T00:00:00Z", end), EvaluationLimits.Default, Some.With(rows));
            Assert.True(outcome.Conclusion == conclusion, outcome.Test.Error);
        }
    }

    [Fact]
    public void A_day_on_which_clocks_change_has_23_or_25_hours() => Assert.Equal(
        ["2026-10-24 2026-10-23T22:00 24", "2026-10-25 2026-10-24T22:00 25", "2026-10-26 2026-10-25T23:00 24"],
        Days(Period("2026-10-23T22:00:00Z", "2026-10-26T23:00:00Z", "Europe/Zurich")));

    [Fact]
    public void A_day_without_midnight_begins_when_it_begins() => Assert.Equal(
        ["2024-09-07 2024-09-07T04:00 24", "2024-09-08 2024-09-08T04:00 23"],
        Days(Period("2024-09-07T04:00:00Z", "2024-09-09T03:00:00Z", "America/Santiago")));

    /// <summary>Samoa skipped a Friday when it moved across the date line: nothing could happen on it, so it is no day of the period.</summary>
    [Theory]
    [InlineData("Pacific/Apia", "2011-12-29", "2011-12-31", "2011-12-29 2011-12-29T10:00 24|2011-12-31 2011-12-30T10:00 24")]
    [InlineData("Pacific/Apia", "2011-12-30", "2011-12-31", "2011-12-31 2011-12-30T10:00 24")]
    public void A_day_that_the_zone_skipped_is_no_day_of_the_period(string zone, string start, string end, string days)
    {
        var period = PeriodReader.Of(
            DateOnly.Parse(start, CultureInfo.InvariantCulture), DateOnly.Parse(end, CultureInfo.InvariantCulture), zone,
            TimeZoneInfo.FindSystemTimeZoneById(zone));
        Assert.Equal(
            days.Split('|'), Days(new(Some.AsOf, period.StartsAt, period.EndsBefore, TimeSpan.Zero) { TimeZone = zone }));
    }

    [Fact]
    public void The_days_begin_and_end_with_the_period_and_follow_each_other_without_a_gap()
    {
        foreach (var zone in (string[])["UTC", "Europe/Zurich", "Asia/Kathmandu", "America/Sao_Paulo", "Australia/Lord_Howe"])
        {
            var period = PeriodReader.Of(new(2011, 1, 1), new(2018, 12, 31), zone, TimeZoneInfo.FindSystemTimeZoneById(zone));
            var days = PeriodDays.Of(new(Some.AsOf, period.StartsAt, period.EndsBefore, TimeSpan.Zero) { TimeZone = zone }).ToArray();
            Assert.Equal((period.Start, period.StartsAt), (days[0].Day, days[0].StartsAt));
            Assert.Equal((period.End, period.EndsBefore), (days[^1].Day, days[^1].EndsAt));
            Assert.All(days.Zip(days[1..]), d => Assert.Equal((d.First.Day.AddDays(1), d.First.EndsAt), (d.Second.Day, d.Second.StartsAt)));
        }
    }

    [Fact]
    public async Task A_common_table_of_that_name_and_evidence_of_an_older_bundle_keep_their_meaning()
    {
        var common = Some.Control(Some.Test(
            "WITH period_days AS (SELECT u.name AS day FROM users u) SELECT p.day AS item, true AS pass, '' AS reason FROM period_days p"));
        var first = await Some.EvaluateAsync(common, Some.With("""{"name":"alice"}"""));
        Assert.True((first.Conclusion, first.Result.Population) == (Conclusion.Pass, 1), first.Test.Error);

        var own = Some.Need("period_days", Some.UserColumns);
        var control = Some.Control(Some.Test("SELECT p.name AS item, true AS pass, '' AS reason FROM period_days p")) with { Evidence = [own] };
        var second = await Some.EvaluateAsync(control, Some.Partition("prod", ("period_days", Some.Table(own, """{"name":"alice"}"""))));
        Assert.True((second.Conclusion, second.Result.Population) == (Conclusion.Pass, 1), second.Test.Error);
    }

    [Fact]
    public async Task A_case_has_the_days_of_its_period()
    {
        var control = Some.Control(Some.Test("""
            SELECT p.day::VARCHAR AS item, EXISTS (SELECT 1 FROM users u WHERE u.name = p.day::VARCHAR) AS pass, '' AS reason FROM period_days p
            """));
        var users = new FixtureTable([JsonDocument.Parse("""{"name":"2026-02-01"}""").RootElement], CollectionOutcome.Complete, null, []);
        var partition = new FixturePartition("prod", ImmutableSortedDictionary<string, FixtureTable>.Empty.Add("users", users));
        var file = new FixtureFile("f.yaml", [new(
            "two days", ImmutableSortedDictionary<string, JsonElement>.Empty, null, new(2026, 2, 1), new(2026, 2, 2), [partition],
            ImmutableSortedDictionary<string, FixtureTable>.Empty, new(Conclusion.Fail, ["2026-02-02"], [], []), 3)]);
        Assert.Empty(Assert.Single(await FixtureRunner.RunAsync(control, file, EvaluationLimits.Default, process: null, CancellationToken.None)).Differences);
    }
}
