using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Evaluation;

/// <summary>Tests when evidence was read and by whose clock, and how that affects tests of a state and of a period.</summary>
public sealed class ClockTests
{
    private const string Bob = """{"name":"bob","mfa":true}""";
    private const string Alice = """{"name":"alice","mfa":false}""";

    private static EvidenceTable Read(int offsetSeconds, params string[] rows) =>
        Some.Table(Some.Users, rows) with { ReadFrom = Some.AsOf, ReadUntil = Some.AsOf, ClockOffset = TimeSpan.FromSeconds(offsetSeconds) };

    [Theory]
    [InlineData(
        301,
        24 * 60,
        "the collecting machine's clock was 5 minutes behind the servers'; the limit is 5 minutes, so the time at which the state was read is uncertain")]
    [InlineData(
        -301,
        24 * 60,
        "the collecting machine's clock was 5 minutes ahead of the servers'; the limit is 5 minutes, so the time at which the state was read is uncertain")]
    [InlineData(
        8_640_000,
        24 * 60,
        "the collecting machine's clock was 100 days behind the servers'; the limit is 5 minutes, so the time at which the state was read is uncertain")]
    [InlineData(
        61,
        10,
        "the collecting machine's clock was 61 seconds behind the servers'; the limit is 60 seconds, so the time at which the state was read is uncertain")]
    public async Task A_clock_that_is_off_never_passes_a_state(int offset, int toleranceMinutes, string message)
    {
        var moment = Some.Moment with { AsOfTolerance = TimeSpan.FromMinutes(toleranceMinutes) };
        var control = Some.Control(Some.Test(Some.MfaSql, stands: true));
        var passing = await Some.EvaluateAsync(control, moment, EvaluationLimits.Default, Some.Partition("prod", ("users", Read(offset, Bob))));
        Assert.Equal(Conclusion.Inconclusive, passing.Conclusion);
        var limitation = Assert.Single(passing.Result.Limitations);
        Assert.Equal((LimitationCodes.ClockDiffers, message), (limitation.Code, limitation.Message));

        var failing = await Some.EvaluateAsync(control, moment, EvaluationLimits.Default, Some.Partition("prod", ("users", Read(offset, Alice))));
        Assert.Equal((Conclusion.Inconclusive, 1L), (failing.Conclusion, failing.Result.Indicated));
    }

    [Theory]
    [InlineData(300)]
    [InlineData(-300)]
    [InlineData(0)]
    public async Task A_clock_within_the_limit_changes_nothing(int offset)
    {
        var outcome = await Some.EvaluateAsync(Some.Control(), Some.Partition("prod", ("users", Read(offset, Bob))));
        Assert.Equal(Conclusion.Pass, outcome.Conclusion);
        Assert.Empty(outcome.Result.Limitations);
    }

    [Theory]
    [InlineData(
        301, 0, "a response came from a cache and was 5 minutes old (Age header); the limit is 5 minutes, "
            + "so the time at which the state was read is uncertain")]
    [InlineData(
        172_800, 0, "a response came from a cache and was 2 days old (Age header); the limit is 5 minutes, "
            + "so the time at which the state was read is uncertain")]
    [InlineData(10, 3, "3 responses are marked as out of date, or as changed in transit (Warning, Age), so the time at which the state was read is uncertain")]
    public async Task An_old_answer_never_passes_a_state_and_leaves_the_period_alone(int age, int stale, string message)
    {
        var table = Read(0, Bob) with { AnswerAge = TimeSpan.FromSeconds(age), StaleAnswers = stale };
        var outcome = await Some.EvaluateAsync(Some.Control(), Some.Partition("prod", ("users", table)));
        Assert.Equal(Conclusion.Inconclusive, outcome.Conclusion);
        Assert.Equal((LimitationCodes.OldAnswer, message), Assert.Single(outcome.Result.Limitations.Select(l => (l.Code, l.Message))));

        var period = Some.Control(Some.Test(Some.MfaSql) with { Mode = ControlMode.Period });
        Assert.Empty((await Some.EvaluateAsync(period, Some.Partition("prod", ("users", table)))).Result.Limitations);
    }

    [Fact]
    public async Task An_answer_that_is_hardly_older_than_its_reading_changes_nothing() =>
        Assert.Equal(
            Conclusion.Pass,
            (await Some.EvaluateAsync(Some.Control(), Some.Partition("prod", ("users", Read(0, Bob) with { AnswerAge = TimeSpan.FromSeconds(300) }))))
                .Conclusion);

    [Fact]
    public async Task A_clock_that_was_compared_with_none_never_passes_a_state()
    {
        var outcome = await Some.EvaluateAsync(Some.Control(), Some.Partition("prod", ("users", Read(0, Bob) with { ClockOffset = null })));
        Assert.Equal(Conclusion.Inconclusive, outcome.Conclusion);
        Assert.Equal(LimitationCodes.ClockNotCompared, Assert.Single(outcome.Result.Limitations).Code);
    }

    [Theory]
    [InlineData("$period_start >= $read_until - INTERVAL 90 DAY")]
    [InlineData("date_diff('day', $read_from, $period_end) > 0 -- not '$read_from'")]
    [InlineData("/* $read_from's */ '$read_from' <> 'it''s $read_until' AND $read_from > $period_start")]
    public async Task Where_nothing_was_read_what_depends_on_its_moment_is_unknown_and_breaks_nothing(string condition)
    {
        var control = Some.Control(Some.Test($"SELECT 'state' AS item, {condition}\n AS pass, 'read too late' AS reason FROM users u"), Some.Test(
            $"SELECT 'state' AS item, {condition}\n AS pass, 'read too late' AS reason WHERE (SELECT count(*) FROM users u) = 0", "T2"));
        var unread = Some.Denied(Some.Users) with { ReadFrom = null, ReadUntil = null };
        var outcome = await Some.EvaluateAsync(control, Some.Partition("prod", ("users", unread)));
        Assert.All(outcome.Partitions, t => Assert.Null(t.Error));
        Assert.Equal((Conclusion.Inconclusive, 1L), (outcome.Conclusion, outcome.Result.Undetermined));
    }

    [Fact]
    public async Task Of_two_tests_the_one_of_the_period_holds_whatever_the_clock_and_the_one_of_the_state_does_not()
    {
        var control = Some.Control(Some.Test(Some.MfaSql), Some.Test(Some.MfaSql, "T2") with { Mode = ControlMode.Period });
        foreach (var table in new[] { Read(3600, Alice), Read(0, Alice) with { ReadUntil = Some.AsOf.AddDays(50) } })
        {
            var outcome = await Some.EvaluateAsync(control, Some.Partition("prod", ("users", table)));
            Assert.Equal(
                [(ControlMode.PointInTime, Conclusion.Inconclusive), (ControlMode.Period, Conclusion.Fail)],
                outcome.Partitions.Select(t => (t.Mode!.Value, t.Conclusion)));
            Assert.Single(outcome.Result.Limitations);
        }
        var onlyPeriod = Some.Control(Some.Test(Some.MfaSql) with { Mode = ControlMode.Period });
        Assert.Empty((await Some.EvaluateAsync(onlyPeriod, Some.Partition("prod", ("users", Read(3600, Alice))))).Result.Limitations);
    }

    [Fact]
    public async Task The_clock_counts_for_a_control_of_files_alone_and_else_only_where_a_server_was_asked()
    {
        var register = Some.Table(Some.Approvals, Some.Approval("bob")) with { ClockOffset = TimeSpan.FromHours(1) };
        var files = Some.Control(Some.Test("SELECT arn AS item, true AS pass, '' AS reason FROM approvals")) with { Evidence = [Some.Approvals] };
        Assert.Equal(
            LimitationCodes.ClockDiffers,
            Assert.Single((await Some.EvaluateAsync(files, Some.Partition("", ("approvals", register)))).Result.Limitations).Code);

        var both = Some.Control() with { Evidence = [Some.Users, Some.Approvals], Waivers = Some.Waivers };
        Assert.Equal(Conclusion.Pass, (await Some.EvaluateAsync(both, Some.Partition("prod", ("users", Read(0, Bob)), ("approvals", register)))).Conclusion);
    }

    [Fact]
    public async Task Sql_sees_when_the_partitions_own_evidence_was_read_or_null()
    {
        const string Sql = "SELECT 'read' AS item, $read_from >= $as_of - INTERVAL 1 DAY AND $read_until <= $as_of + INTERVAL 1 DAY AS pass, "
            + "'' AS reason, $read_from AS a, $read_until AS b FROM users HAVING count(*) >= 0";
        var control = Some.Control(Some.Test(Sql) with { Mode = ControlMode.Period });
        EvidenceTable At(int from, int until) => Read(0, Bob) with { ReadFrom = Some.AsOf.AddHours(from), ReadUntil = Some.AsOf.AddHours(until) };
        var (one, two) = (Some.Partition("a", ("users", At(-3, 2))), Some.Partition("b", ("users", At(-1, 25))));

        var each = await Some.EvaluateAsync(control, one, two);
        Assert.Equal([Conclusion.Pass, Conclusion.Fail], each.Partitions.Select(t => t.Conclusion));
        Assert.Equal(
            [(Some.AsOf.AddHours(-3), Some.AsOf.AddHours(2)), (Some.AsOf.AddHours(-1), Some.AsOf.AddHours(25))],
            each.Partitions.Select(t => (t.ReadFrom!.Value, t.ReadUntil!.Value)));

        var together = await Some.EvaluateAsync(control with { AcrossEngagement = true }, one, two);
        Assert.Contains("2026-09-30T21:00:00", Assert.Single(together.Rows()), StringComparison.Ordinal);
        Assert.Contains("2026-10-02T01:00:00", Assert.Single(together.Rows()), StringComparison.Ordinal);

        var files = control with { Evidence = [Some.Approvals], Tests = [Some.Test(Sql.Replace("FROM users", "FROM approvals", StringComparison.Ordinal))] };
        var unread = await Some.EvaluateAsync(files, Some.Partition("", ("approvals", Some.Table(Some.Approvals))));
        Assert.Equal((Conclusion.Inconclusive, 1L), (unread.Conclusion, unread.Result.Undetermined));
    }

    [Fact]
    public void Evidence_without_a_time_of_its_own_is_corrected_by_the_clock_of_its_own_place()
    {
        var items = ImmutableArray.Create(
            Item("prod", "dated", "aws-global", offset: 60), Item("prod", "undated", "eu-west-1"),
            Item("cluster", "users", "", offset: 7200),
            Item("prod", "unsent", "us-east-1") with { Pages = 0, Exchanges = [], Outcome = CollectionOutcome.Failed },
            Item("", "register", "") with { Source = "file" });
        var control = Some.Control() with
        {
            Evidence =
            [
                Some.Need("dated", Some.UserColumns), Some.Need("undated", Some.UserColumns), Some.Users,
                Some.Need("unsent", Some.UserColumns), Some.Approvals with { Name = "register" },
            ],
        };
        var evidence = new CollectedEvidence("nowhere", items);
        var prod = evidence.PartitionsOf(control).Single(p => p.Target == "prod").Tables;
        Assert.Equal((Some.AsOf.AddSeconds(60), TimeSpan.FromSeconds(60)), (prod["dated"].ReadFrom, prod["dated"].ClockOffset));
        Assert.Equal(
            (Some.AsOf.AddSeconds(60), Some.AsOf.AddSeconds(69), TimeSpan.FromSeconds(60)),
            (prod["undated"].ReadFrom, prod["undated"].ReadUntil, prod["undated"].ClockOffset));
        Assert.Null(prod["unsent"].ReadFrom);
        Assert.Null(prod["register"].ReadFrom);
        Assert.Equal(new EvidenceClock(Some.AsOf.AddSeconds(60), Some.AsOf.AddSeconds(7209), TimeSpan.FromSeconds(7200)), evidence.Clock);
        Assert.Equal(evidence.Clock, new CollectedEvidence("nowhere", [.. items.Reverse()]).Clock);
    }

    private static EvidenceItem Item(string target, string name, string region, long? offset = null) => new()
    {
        EvidenceId = name,
        Names = [new("APD-AWS-002", name)],
        Target = target,
        Account = target,
        Region = region,
        Source = "aws",
        Operation = name,
        Parameters = ImmutableSortedDictionary<string, JsonElement>.Empty,
        Outcome = CollectionOutcome.Complete,
        Pages = 1,
        Items = 0,
        Columns = [],
        Exchanges = [new("f", "urn:uuid:1", null, 200, Some.AsOf)],
        Identity = "",
        Started = Some.AsOf,
        Finished = Some.AsOf.AddSeconds(9),
        ReadFrom = offset is { } from ? Some.AsOf.AddSeconds(from) : null,
        ReadUntil = offset is { } until ? Some.AsOf.AddSeconds(until + 9) : null,
        ClockOffsetSeconds = offset,
    };
}
