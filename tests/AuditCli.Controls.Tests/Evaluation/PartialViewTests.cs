using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Evaluation;

/// <summary>Checks that part of the engagement is never taken for the whole.</summary>
public sealed class PartialViewTests
{
    private const string Alice = """{"name":"alice","mfa":true,"_target":"a","_account":"a"}""";
    private const string Bob = """{"name":"bob","mfa":false,"_target":"b","_account":"b"}""";

    private static readonly LeftOutPlace TargetB = new("aws", "b", "", LimitationCodes.TargetLeftOut, "left out by --target");

    private static readonly EvidenceNeed Register = Some.Need("register", [new("name", ColumnType.Text)]);

    private static Partition In(string account, params string[] users) => Some.Partition(account, ("users", Some.Table(Some.Users, users)));

    private static Partition WithRegister(Partition partition, params string[] rows) =>
        partition with { Tables = partition.Tables.SetItem("register", Some.Table(Register, rows)) };

    [Fact]
    public async Task A_test_over_the_engagement_is_not_concluded_where_a_target_is_left_out()
    {
        var control = Some.Control() with { AcrossEngagement = true };

        var outcome = await Some.EvaluateAsync(control, [TargetB], In("a", Alice));

        Assert.Equal(Conclusion.Inconclusive, outcome.Conclusion);
        var limitation = Assert.Single(outcome.Result.Limitations);
        Assert.Equal(("TargetLeftOut", "b"), (limitation.Code, limitation.Target));
        Assert.Equal(Conclusion.Pass, (await Some.EvaluateAsync(control, In("a", Alice))).Conclusion);
    }

    [Fact]
    public async Task A_deviation_is_indicated_where_a_target_is_left_out_although_the_test_stands()
    {
        var control = Some.Control(Some.Test(Some.MfaSql, stands: true)) with { AcrossEngagement = true };

        var outcome = await Some.EvaluateAsync(control, [TargetB], In("a", Bob));

        Assert.Equal((Conclusion.Inconclusive, 0, 1), (outcome.Conclusion, outcome.Result.Deviations, outcome.Result.Indicated));
    }

    [Fact]
    public async Task An_account_that_the_engagement_leaves_out_hides_deviations_and_makes_none()
    {
        var control = Some.Control(Some.Test(Some.MfaSql, stands: true)) with { AcrossEngagement = true };
        var excluded = new LeftOutPlace("aws", "org", "444455556666", LimitationCodes.AccountLeftOut, "left out by exclude_accounts");

        Assert.Equal(Conclusion.Inconclusive, (await Some.EvaluateAsync(control, [excluded], In("a", Alice))).Conclusion);
        Assert.Equal(Conclusion.Fail, (await Some.EvaluateAsync(control, [excluded], In("a", Bob))).Conclusion);
    }

    [Fact]
    public async Task A_target_of_another_source_and_a_control_of_one_account_at_a_time_are_not_limited()
    {
        var google = TargetB with { Source = "gcp" };

        Assert.Equal(Conclusion.Pass, (await Some.EvaluateAsync(Some.Control() with { AcrossEngagement = true }, [google], In("a", Alice))).Conclusion);
        Assert.Equal(Conclusion.Pass, (await Some.EvaluateAsync(Some.Control(), [TargetB], In("a", Alice))).Conclusion);
    }

    [Fact]
    public async Task One_table_across_the_engagement_holds_every_account_and_the_others_one()
    {
        var control = Some.Control(Some.Test("SELECT u.name AS item, u.name IN (SELECT r.name FROM register r) AS pass, '' AS reason FROM users u")) with
        {
            Evidence = [Some.Users, Register with { AcrossEngagement = true }],
        };
        var (member, management) = (WithRegister(In("member", Alice)), WithRegister(In("management"), """{"name":"alice"}"""));

        var outcome = await Some.EvaluateAsync(control, member, management);

        Assert.Equal(
            [("management", Conclusion.NoOccurrence, 0), ("member", Conclusion.Pass, 1)],
            outcome.Partitions.Select(t => (t.Partition.Account, t.Conclusion, (int)t.Population)));
        Assert.Equal(Conclusion.Fail, (await Some.EvaluateAsync(control with { Evidence = [Some.Users, Register] }, member, management)).Conclusion);
    }

    [Fact]
    public async Task One_account_that_was_not_read_makes_the_table_incomplete_for_all()
    {
        var control = Some.Control(
            Some.Test("SELECT u.name AS item, u.name IN (SELECT r.name FROM register r) AS pass, '' AS reason FROM users u"),
            Some.Test(Some.MfaSql, "T2")) with
        { Evidence = [Some.Users, Register with { AcrossEngagement = true }] };
        var management = In("management") with { Tables = In("management").Tables.SetItem("register", Some.Denied(Register)) };

        var read = await Some.EvaluateAsync(control, WithRegister(In("member", Alice), """{"name":"alice"}"""), management);
        var leftOut = await Some.EvaluateAsync(control, [TargetB], WithRegister(In("member", Alice), """{"name":"alice"}"""));

        Assert.All(read.Partitions.Where(t => t.Id == "T1"), t => Assert.Equal(Conclusion.Inconclusive, t.Conclusion));
        // A test that does not read the table concludes as before.
        Assert.Equal(["T1 Inconclusive", "T2 Pass"], leftOut.Partitions.Select(t => $"{t.Id} {t.Conclusion}"));
    }

    [Fact]
    public async Task Counts_that_make_up_for_each_other_in_two_accounts_do_not_agree()
    {
        var control = Some.Control() with
        {
            AcrossEngagement = true,
            Evidence = [Some.Users, Register],
            Completeness = [new("as many users as the register has", "SELECT count(*) FROM users", "SELECT count(*) FROM register")],
        };
        var one = Some.Partition("a", ("users", Some.Table(Some.Users, Alice)), ("register", Some.Table(Register, Row("a"), Row("a"))));
        var other = Some.Partition(
            "b",
            ("users", Some.Table(Some.Users, Bob, Bob.Replace("bob", "bea", StringComparison.Ordinal))),
            ("register", Some.Table(Register, Row("b"))));

        var outcome = await Some.EvaluateAsync(control, one, other);

        Assert.Equal(Conclusion.Inconclusive, outcome.Conclusion);
        Assert.Equal(
            [
                "as many users as the register has: 3 3 True",
                "as many users as the register has (account a): 1 2 False",
                "as many users as the register has (account b): 2 1 False",
            ],
            outcome.Test.Completeness.Select(c => $"{c.Name}: {c.Left} {c.Right} {c.Agree}"));

        // An author sets this only where a count is meaningless for a single account.
        var whole = control with { Completeness = [control.Completeness[0] with { AcrossEngagement = true }] };
        Assert.True(Assert.Single((await Some.EvaluateAsync(whole, one, other)).Test.Completeness).Agree);

        static string Row(string account) => $$"""{"name":"x","_target":"{{account}}","_account":"{{account}}"}""";
    }

    [Fact]
    public async Task A_check_is_not_asked_of_an_account_where_its_evidence_was_not()
    {
        var control = Some.Control() with
        {
            AcrossEngagement = true,
            Evidence = [Some.Users, Register with { IfTarget = true, Source = "gcp" }],
            Completeness = [new("the register is not empty", "SELECT count(*) > 0 FROM register", "SELECT true")],
        };
        var cloud = Some.Partition("p", ("register", Some.Table(Register, """{"name":"x","_target":"p","_account":"p"}""")));

        Assert.Equal(Conclusion.Pass, (await Some.EvaluateAsync(control, In("a", Alice), cloud)).Conclusion);
    }

    [Theory]
    // Each looks for a row that may be among the unread ones, so its absence alone makes the deviation.
    [InlineData("SELECT u.name AS item, EXISTS (SELECT 1 FROM devices d WHERE d._with_UserName = u.name) AS pass, '' AS reason FROM users u", false)]
    [InlineData("SELECT u.name AS item, u.name IN (SELECT d._with_UserName FROM devices d) AS pass, '' AS reason FROM users u", false)]
    [InlineData("SELECT u.name AS item, CASE WHEN NOT EXISTS (SELECT 1 FROM devices d) THEN false ELSE true END AS pass, '' AS reason FROM users u", false)]
    [InlineData(
        "SELECT u.name AS item, false AS pass, '' AS reason FROM users u WHERE NOT EXISTS (SELECT 1 FROM devices d WHERE d._with_UserName = u.name)",
        false)]
    [InlineData("SELECT u.name AS item, false AS pass, '' AS reason FROM users u WHERE u.name NOT IN (SELECT d._with_UserName FROM devices d)", false)]
    [InlineData("SELECT u.name AS item, false AS pass, '' AS reason FROM users u ANTI JOIN devices d ON d._with_UserName = u.name", false)]
    [InlineData(
        "WITH lacking AS (SELECT name FROM users EXCEPT SELECT _with_UserName FROM devices) "
            + "SELECT l.name AS item, false AS pass, '' AS reason FROM lacking l",
        false)]
    [InlineData(
        "WITH known AS (SELECT d._with_UserName AS name FROM devices d) "
            + "SELECT u.name AS item, u.name IN (SELECT k.name FROM known k) AS pass, '' AS reason FROM users u",
        false)]
    // Each looks for a row that speaks against the item, so unread rows can only hide a deviation.
    [InlineData("SELECT u.name AS item, NOT EXISTS (SELECT 1 FROM devices d WHERE d.serial = 'lost') AND false AS pass, '' AS reason FROM users u", true)]
    [InlineData("SELECT u.name AS item, CASE WHEN EXISTS (SELECT 1 FROM users x) THEN false ELSE true END AS pass, '' AS reason FROM users u", true)]
    [InlineData("SELECT u.name AS item, false AS pass, '' AS reason FROM users u WHERE NOT EXISTS (SELECT 1 FROM devices__calls c) OR true", false)]
    [InlineData("SELECT u.name AS item, u.name NOT IN ('bob') AS pass, '' AS reason FROM users u", true)]
    [InlineData("SELECT u.name AS item, false AS pass, '' AS reason FROM users u LEFT JOIN devices d ON d._with_UserName = u.name", true)]
    public async Task A_deviation_that_the_refusal_may_have_made_does_not_stand(string sql, bool stands)
    {
        var control = Some.Control(Some.Test(sql, stands: true)) with { Evidence = [Some.Users, Some.Devices] };

        var outcome = await Some.EvaluateAsync(
            control, Some.Partition("prod", ("users", Some.Table(Some.Users, """{"name":"bob"}""")), ("devices", Some.Denied(Some.Devices))));

        var mentionsDevices = sql.Contains("devices", StringComparison.Ordinal);
        Assert.Equal((stands ? Conclusion.Fail : Conclusion.Inconclusive, stands ? 0 : 1), (outcome.Conclusion, (int)outcome.Result.Indicated));
        var warned = (await ControlSql.CheckAsync(control, process: null, CancellationToken.None))
            .Any(m => m.IsWarning && m.Message.Contains("stands_when_incomplete", StringComparison.Ordinal));
        Assert.Equal(mentionsDevices && !stands, warned);
    }

    [Fact]
    public async Task A_question_about_the_rows_of_the_items_own_table_lets_its_deviations_stand()
    {
        var control = Some.Control(Some.Test(
            "WITH old AS (SELECT u.name FROM users u WHERE u.age > 90) "
                + "SELECT u.name AS item, u.mfa AS pass, '' AS reason FROM users u WHERE NOT EXISTS (SELECT 1 FROM old o WHERE o.name = u.name)",
            stands: true));

        Assert.Equal(
            Conclusion.Fail,
            (await Some.EvaluateAsync(control, Some.Partition("prod", ("users", Some.Denied(Some.Users, """{"name":"bob","mfa":false}""")))))
                .Conclusion);
    }

    [Fact]
    public async Task What_one_source_says_is_indicated_while_the_other_is_not_read()
    {
        const string Sql = "SELECT u.name AS item, CASE WHEN u.age > 0 THEN u.mfa END AS pass, u.mfa IS FALSE AS indicated, 'no MFA' AS reason FROM users u";
        var outcome = await Some.EvaluateAsync(
            Some.Control(Some.Test(Sql)),
            In("a", """{"name":"known","mfa":true}""", """{"name":"seen","mfa":false}""", """{"name":"sure","mfa":true,"age":1}"""));

        Assert.Equal((Conclusion.Inconclusive, 1, 1), (outcome.Conclusion, (int)outcome.Result.Indicated, (int)outcome.Result.Undetermined));
        Assert.Contains(
            outcome.Rows(),
            r => r.Contains("\"item\":\"seen\",\"pass\":null,\"verdict\":\"indicated\",\"exception_id\":", StringComparison.Ordinal));
        Assert.DoesNotContain(outcome.Rows(), r => r.Contains("\"indicated\":", StringComparison.Ordinal));
        (await Some.EvaluateAsync(Some.Control(Some.Test(Sql.Replace("u.mfa IS FALSE", "u.name", StringComparison.Ordinal))), In("a", Alice)))
            .IsError("column indicated is VARCHAR and must be BOOLEAN");
    }
}
