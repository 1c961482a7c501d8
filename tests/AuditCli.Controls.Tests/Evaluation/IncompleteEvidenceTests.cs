using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Evaluation;

/// <summary>Checks that unread evidence never becomes a pass.</summary>
public sealed class IncompleteEvidenceTests
{
    private const string Bob = """{"name":"bob","mfa":true}""";
    private const string Alice = """{"name":"alice","mfa":false}""";

    private static readonly CompletenessCheck Agreeing = new("two counts", "SELECT count(*) FROM users", "SELECT count(name) FROM users");

    [Fact]
    public async Task A_denied_call_never_becomes_a_pass()
    {
        var outcome = await Some.EvaluateAsync(Some.Control(), Some.Partition("prod", ("users", Some.Denied(Some.Users, Bob))));
        Assert.Equal(Conclusion.Inconclusive, outcome.Conclusion);
        Assert.Equal("AccessDenied", Assert.Single(outcome.Result.Limitations).Code);
    }

    [Fact]
    public async Task A_denied_call_without_rows_is_not_a_population_of_none() =>
        Assert.Equal(
            Conclusion.Inconclusive,
            (await Some.EvaluateAsync(Some.Control(), Some.Partition("prod", ("users", Some.Denied(Some.Users))))).Conclusion);

    [Fact]
    public async Task Deviations_in_incomplete_evidence_are_indicated_and_not_a_fail()
    {
        var outcome = await Some.EvaluateAsync(Some.Control(), Some.Partition("prod", ("users", Some.Denied(Some.Users, Alice, Bob))));
        Assert.Equal(Conclusion.Inconclusive, outcome.Conclusion);
        Assert.Equal((0, 1, 2), (outcome.Result.Deviations, outcome.Result.Indicated, outcome.Result.Population));
        Assert.Contains("\"verdict\":\"indicated\"", outcome.Rows()[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_that_stands_when_incomplete_fails_on_what_it_saw_and_never_passes()
    {
        var control = Some.Control(Some.Test(Some.MfaSql, stands: true));
        Assert.Equal(Conclusion.Fail, (await Some.EvaluateAsync(control, Some.Partition("prod", ("users", Some.Denied(Some.Users, Alice))))).Conclusion);
        Assert.Equal(Conclusion.Inconclusive, (await Some.EvaluateAsync(control, Some.Partition("prod", ("users", Some.Denied(Some.Users, Bob))))).Conclusion);
    }

    public static TheoryData<string> WithoutEvidence => new(
        "SELECT 'all' AS item, TRUE AS pass, '' AS reason",
        "SELECT 'all' AS item, TRUE AS pass, '' AS reason -- FROM users",
        "SELECT 'users' AS item, 'users' = 'users' AS pass, '' AS reason FROM (VALUES (1)) users_seen(n)",
        "WITH seen AS (SELECT 'all' AS item) SELECT item, $as_of > $period_start AS pass, '' AS reason FROM seen",
        "SELECT 'all' AS item, TRUE AS pass, '' AS reason WHERE FALSE");

    [Theory]
    [MemberData(nameof(WithoutEvidence))]
    public async Task A_test_that_names_no_evidence_is_an_error_and_never_a_pass(string sql)
    {
        foreach (var table in new[] { Some.Denied(Some.Users), Some.Table(Some.Users, """{"name":"a","mfa":true}""") })
        {
            var outcome = await Some.EvaluateAsync(Some.Control(Some.Test(sql)), Some.Partition("prod", ("users", table)));
            Assert.Equal(Conclusion.Error, outcome.Conclusion);
            Assert.StartsWith("it names no evidence", Assert.Single(outcome.Partitions).Error, StringComparison.Ordinal);
        }
        var found = Assert.Single(await ControlSql.CheckAsync(Some.Control(Some.Test(sql)), process: null, CancellationToken.None), m => !m.IsWarning);
        Assert.Equal("tests[T1].sql", found.Key);
        Assert.StartsWith("it names no evidence", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_over_inputs_alone_is_a_test()
    {
        var control = Some.Control(Some.Test("SELECT a.arn AS item, a.approved_by IS NOT NULL AS pass, '' AS reason FROM approvals a")) with
        {
            Evidence = [Some.Approvals],
        };
        var outcome = await Some.EvaluateAsync(control, Some.Partition("prod", ("approvals", Some.Table(Some.Approvals, Some.Approval("x")))));
        Assert.Equal(Conclusion.Pass, outcome.Conclusion);
    }

    [Fact]
    public async Task Evidence_that_failed_and_that_no_test_names_is_still_a_limitation()
    {
        var control = Some.Control() with { Evidence = [Some.Users, Some.Need("groups", [new("name", ColumnType.Text)])] };
        var outcome = await Some.EvaluateAsync(control, Some.Partition(
            "prod", ("users", Some.Table(Some.Users, """{"name":"a","mfa":true}""")), ("groups", Some.Denied(control.Evidence[1]))));
        Assert.Equal(Conclusion.Pass, outcome.Conclusion);
        Assert.Equal(("groups", "AccessDenied"), (Assert.Single(outcome.Result.Limitations).Evidence, outcome.Result.Limitations[0].Code));
    }

    [Fact]
    public async Task Evidence_that_nobody_collected_is_a_limitation_and_not_an_empty_table()
    {
        var outcome = await Some.EvaluateAsync(Some.Control(), Some.Partition("prod"));
        Assert.Equal(Conclusion.Inconclusive, outcome.Conclusion);
        Assert.Equal(LimitationCodes.NotCollected, Assert.Single(outcome.Result.Limitations).Code);
        Assert.Equal(Conclusion.Inconclusive, (await Some.EvaluateAsync(Some.Control())).Conclusion);
    }

    [Fact]
    public async Task Evidence_of_a_provider_that_is_not_in_scope_is_empty_with_a_note()
    {
        var control = Some.Control() with { Evidence = [Some.Users with { IfTarget = true }] };
        var outcome = await Some.EvaluateAsync(control, Some.Partition("prod"));
        Assert.Equal(Conclusion.NoOccurrence, outcome.Conclusion);
        Assert.Contains("not in scope", Assert.Single(outcome.Result.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unread_parent_limits_the_tests_of_its_children()
    {
        var control = Some.Control(Some.Test("SELECT serial AS item, true AS pass, '' AS reason FROM devices")) with { Evidence = [Some.Users, Some.Devices] };
        var devices = Some.Table(Some.Devices, """{"serial":"1"}""");
        var outcome = await Some.EvaluateAsync(control, Some.Partition("prod", ("users", Some.Denied(Some.Users)), ("devices", devices)));
        Assert.Equal(Conclusion.Inconclusive, outcome.Conclusion);
    }

    [Fact]
    public async Task A_check_over_unread_evidence_does_not_agree_by_accident()
    {
        var other = Some.Need("others", [new("name", ColumnType.Text)]);
        var control = Some.Control() with
        {
            Evidence = [Some.Users, other],
            Completeness = [new("none and none", "SELECT count(*) FROM users", "SELECT count(*) FROM others")],
        };
        var outcome = await Some.EvaluateAsync(control, Some.Partition("prod", ("users", Some.Table(Some.Users)), ("others", Some.Denied(other))));
        Assert.True(Assert.Single(outcome.Test.Completeness).Agree);
        Assert.Equal(Conclusion.Inconclusive, outcome.Conclusion);
    }

    [Fact]
    public async Task State_read_too_far_from_as_of_is_inconclusive()
    {
        var late = Some.Table(Some.Users, Alice) with { ReadFrom = Some.AsOf.AddHours(1), ReadUntil = Some.AsOf.AddHours(25), ClockOffset = TimeSpan.Zero };
        var outcome = await Some.EvaluateAsync(Some.Control(Some.Test(Some.MfaSql, stands: true)), Some.Partition("prod", ("users", late)));
        Assert.Equal(Conclusion.Inconclusive, outcome.Conclusion);
        Assert.Equal(1, outcome.Result.Indicated);
        var limitation = Assert.Single(outcome.Result.Limitations);
        Assert.Equal(LimitationCodes.StateReadAway, limitation.Code);
        Assert.Equal("state read at 2026-10-01T01:00:00Z to 2026-10-02T01:00:00Z, more than 24 h from 2026-10-01T00:00:00Z", limitation.Message);

        var near = late with { ReadUntil = Some.AsOf.AddHours(24) };
        Assert.Equal(Conclusion.Fail, (await Some.EvaluateAsync(Some.Control(), Some.Partition("prod", ("users", near)))).Conclusion);
        Assert.Equal(
            Conclusion.Fail,
            (await Some.EvaluateAsync(Some.Control() with { Mode = ControlMode.Period }, Some.Partition("prod", ("users", late)))).Conclusion);
    }

    [Fact]
    public async Task A_pass_implies_that_everything_was_read()
    {
        var random = new Random(20261123);
        var conclusions = new HashSet<Conclusion>();
        for (var round = 0; round < 60; round++)
        {
            EvidenceTable Any(EvidenceNeed need, Func<int, string> row)
            {
                var rows = Enumerable.Range(0, random.Next(4)).Select(row).ToArray();
                return random.Next(4) == 0 ? Some.Denied(need, rows) : Some.Table(need, rows);
            }
            var control = Some.Control(
                Some.Test("SELECT name AS item, mfa AS pass, '' AS reason FROM users", stands: random.Next(2) == 0),
                Some.Test("SELECT serial AS item, true AS pass, '' AS reason FROM devices", "T2")) with
            {
                Evidence = [Some.Users, Some.Devices, Some.Approvals],
                Waivers = Some.Waivers,
                Completeness = random.Next(2) == 0 ? [Agreeing] : [],
            };
            var partitions = Enumerable.Range(0, 1 + random.Next(2)).Select(p => Some.Partition(
                $"p{p}",
                ("users", Any(Some.Users, i => $$"""{"name":"u{{i}}","mfa":{{(random.Next(5) == 0 ? "false" : "true")}}}""")),
                ("devices", Any(Some.Devices, i => $$"""{"serial":"s{{i}}"}""")),
                ("approvals", Any(Some.Approvals, i => Some.Approval($"u{i}"))))).ToArray();
            var outcome = await Some.EvaluateAsync(control, partitions);
            conclusions.Add(outcome.Conclusion);
            var allRead = partitions.All(p => p.Tables["users"].Complete && p.Tables["devices"].Complete);
            if (outcome.Conclusion is Conclusion.Pass or Conclusion.NoOccurrence)
                Assert.True(allRead);
            if (outcome.Conclusion is Conclusion.Pass)
                Assert.Equal((0, 0, 0), (outcome.Result.Deviations, outcome.Result.Indicated, outcome.Result.Undetermined));
        }
        Assert.Superset(new HashSet<Conclusion> { Conclusion.Pass, Conclusion.Fail, Conclusion.Inconclusive }, conclusions);
    }
}
