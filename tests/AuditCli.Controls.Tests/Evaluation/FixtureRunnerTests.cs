using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Evaluation;

public sealed class FixtureRunnerTests
{
    private static readonly Control Control = Some.Control(Some.Test(
        """
        SELECT u.name AS item,
            CASE WHEN EXISTS (SELECT 1 FROM devices__calls c WHERE c._with_UserName = u.name AND c.outcome <> 'complete') THEN NULL
            ELSE EXISTS (SELECT 1 FROM devices d WHERE d._parent = u._ref) END AS pass,
            'no device' AS reason
        FROM users u
        """)) with
    { Evidence = [Some.Users, Some.Devices, Some.Approvals], Waivers = Some.Waivers };

    private static FixtureTable Rows(params string[] rows) =>
        new([.. rows.Select(r => JsonDocument.Parse(r).RootElement)], CollectionOutcome.Complete, null, []);

    private static FixturePartition Partition(string name, params (string Name, FixtureTable Table)[] evidence) =>
        new(name, evidence.ToImmutableSortedDictionary(e => e.Name, e => e.Table));

    private static FixtureExpectation Expect(Conclusion conclusion, params string[] deviations) => new(conclusion, [.. deviations], [], []);

    private static RowFilter Filter(string path, object value) => new([new(path, [JsonSerializer.SerializeToElement(value)])]);

    private static Task<string[]> RunAsync(
        FixtureExpectation expect, ImmutableSortedDictionary<string, FixtureTable>? inputs, params FixturePartition[] partitions) =>
        RunAsync(Control, expect, inputs, partitions);

    private static Task<string[]> RunAsync(Control control, FixtureExpectation expect, FixturePartition partition) =>
        RunAsync(control, expect, null, partition);

    private static async Task<string[]> RunAsync(
        Control control, FixtureExpectation expect, ImmutableSortedDictionary<string, FixtureTable>? inputs, params FixturePartition[] partitions)
    {
        var file = new FixtureFile("f.yaml", [new("case", ImmutableSortedDictionary<string, JsonElement>.Empty, null, null, null, [.. partitions],
            inputs ?? ImmutableSortedDictionary<string, FixtureTable>.Empty, expect, 3)]);
        return [.. Assert.Single(await FixtureRunner.RunAsync(control, file, EvaluationLimits.Default, process: null, CancellationToken.None)).Differences];
    }

    [Fact]
    public async Task The_period_and_the_moment_of_a_case_are_known_whether_stated_or_not()
    {
        var none = ImmutableSortedDictionary<string, JsonElement>.Empty;
        var inputs = ImmutableSortedDictionary<string, FixtureTable>.Empty;
        var file = new FixtureFile("f.yaml",
        [
            new("default", none, null, null, null, [Partition("prod")], inputs, Expect(Conclusion.Pass), 3),
            new("stated", none, null, new(2026, 10, 1), new(2026, 12, 31), [Partition("prod")], inputs, Expect(Conclusion.Pass), 9),
        ]);
        Assert.Equal(
            ["period 2026-01-01 to 2026-09-30, as of 2026-10-01T00:00:00Z", "period 2026-10-01 to 2026-12-31, as of 2027-01-01T00:00:00Z"],
            (await FixtureRunner.RunAsync(Control, file, EvaluationLimits.Default, process: null, CancellationToken.None)).Select(o => o.Moment));
    }

    [Fact]
    public async Task An_open_question_keeps_a_case_from_passing_and_the_case_says_how_it_is_answered() => Assert.Equal(
        ["expected PASS, got NEEDS_REVIEW", "question H2 is open; answer it in the case: answers: { H2: yes }"],
        await AnsweredAsync(Conclusion.Pass, ("H1", PersonWord.Yes)));

    [Theory]
    [InlineData(PersonWord.Yes, Conclusion.Pass)]
    [InlineData(PersonWord.Na, Conclusion.Pass)]
    [InlineData(PersonWord.No, Conclusion.Fail)]
    [InlineData(PersonWord.NotFound, Conclusion.Fail)]
    public async Task Answers_of_a_case_conclude_as_people_do(PersonWord second, Conclusion conclusion) =>
        Assert.Empty(await AnsweredAsync(conclusion, ("H1", PersonWord.Yes), ("H2", second)));

    [Fact]
    public async Task A_case_that_answers_no_question_of_the_control_proves_nothing() =>
        Assert.Equal(["the control has no question H9"], await AnsweredAsync(Conclusion.Pass, ("H9", PersonWord.Yes)));

    private static async Task<string[]> AnsweredAsync(Conclusion conclusion, params (string Question, PersonWord Word)[] answers)
    {
        var file = new FixtureFile("f.yaml",
        [
            new("case", ImmutableSortedDictionary<string, JsonElement>.Empty, null, null, null,
                [
                    Partition(
                        "prod", ("users", Rows("""{"name":"bob"}""")), ("devices", Rows("""{"_with_UserName":"bob","serial":"1"}"""))),
                ],
                ImmutableSortedDictionary<string, FixtureTable>.Empty, Expect(conclusion), 3)
            {
                Answers = answers.ToImmutableSortedDictionary(a => a.Question, a => a.Word),
            },
        ]);
        var asking = Control with { HumanAttributes = [new("H1", "Was it reviewed?"), new("H2", "Was it kept?")] };
        return [.. Assert.Single(await FixtureRunner.RunAsync(asking, file, EvaluationLimits.Default, process: null, CancellationToken.None)).Differences];
    }

    [Fact]
    public async Task A_wrong_expectation_is_spelled_out()
    {
        var differences = await RunAsync(
            Expect(Conclusion.Pass, "bob", "zoe"), null,
            Partition("prod", ("users", Rows("""{"name":"alice"}""", """{"name":"bob"}""")), ("devices", Rows("""{"_with_UserName":"bob","serial":"1"}"""))));
        Assert.Equal(
            [
                "expected PASS, got FAIL",
                "'bob' should be an exception and is a pass",
                "'zoe' should be an exception and is not in the population",
                "'alice' is an exception, which the case does not expect: no device",
            ],
            differences);
    }

    [Fact]
    public async Task A_case_sees_nothing_of_the_case_before_it()
    {
        ImmutableArray<FixturePartition> two =
        [
            Partition("one", ("users", Rows("""{"name":"alice"}"""))), Partition("two", ("users", Rows("""{"name":"alice"}"""))),
        ];
        FixtureCase Case(string name, ImmutableSortedDictionary<string, FixtureTable> inputs, FixtureExpectation expect) =>
            new(name, ImmutableSortedDictionary<string, JsonElement>.Empty, null, null, null, two, inputs, expect, 3);
        var nothing = ImmutableSortedDictionary<string, FixtureTable>.Empty;
        var approvals = nothing.Add(
            "approvals", Rows("""{"arn":"alice","approved_by":"CISO","approved_on":"2026-01-01","reason":"break glass","expires":"2026-12-31"}"""));
        var file = new FixtureFile("f.yaml",
        [
            Case("approved in both accounts", approvals, Expect(Conclusion.Pass) with { Approved = ["one/alice", "two/alice"] }),
            Case("approved in none", nothing, Expect(Conclusion.Fail, "one/alice", "two/alice")),
            Case("approved again", approvals, Expect(Conclusion.Pass) with { Approved = ["one/alice", "two/alice"] }),
        ]);
        Assert.All(
            await FixtureRunner.RunAsync(Control, file, EvaluationLimits.Default, process: null, CancellationToken.None),
            o => Assert.Empty(o.Differences));
    }

    [Fact]
    public async Task A_case_sees_digests_in_personal_columns_as_a_run_does()
    {
        var left = Some.Need("left", [new("id", ColumnType.Text), new("email", ColumnType.Text)]) with
        {
            Source = EvidenceNeed.FileSource,
            Personal = ["email"],
        };
        var right = Some.Need("badges", [new("holder", ColumnType.Text)]) with { Source = EvidenceNeed.FileSource, Personal = ["holder"] };
        var control = Some.Control(Some.Test("""
            SELECT l.id AS item, l.email LIKE 'hmac-sha256:%' AND l.email IN (SELECT b.holder FROM badges b) AS pass, '' AS reason
            FROM "left" l
            """)) with
        { Evidence = [left, right], Mode = ControlMode.Period };
        async Task<string[]> Run(Conclusion expected, string row)
        {
            var inputs = ImmutableSortedDictionary<string, FixtureTable>.Empty
                .Add("left", Rows(row)).Add("badges", Rows("""{"holder":"zoe@example.org "}"""));
            var file = new FixtureFile("f.yaml", [new(
                "case", ImmutableSortedDictionary<string, JsonElement>.Empty, null, null, null, [], inputs,
                expected == Conclusion.Pass ? Expect(expected) : Expect(expected, "1"), 3)]);
            return [.. Assert.Single(await FixtureRunner.RunAsync(control, file, EvaluationLimits.Default, process: null, CancellationToken.None)).Differences];
        }
        Assert.Empty(await Run(Conclusion.Fail, """{"id":"1","email":"Zoe@example.org"}"""));
        Assert.Empty(await Run(Conclusion.Pass, """{"id":"1","email":"zoe@example.org"}"""));
    }

    [Fact]
    public async Task What_a_row_must_say_and_does_not_is_spelled_out()
    {
        var expect = Expect(Conclusion.Fail, "alice") with
        {
            Rows = ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string?>>.Empty
                .Add("alice", ImmutableSortedDictionary<string, string?>.Empty.Add("reason", "device").Add("age", "3"))
                .Add("zoe", ImmutableSortedDictionary<string, string?>.Empty.Add("reason", "no")),
        };
        var partition = Partition("prod", ("users", Rows("""{"name":"alice"}""")));
        Assert.Equal(["'alice' has age NULL, but the case expects 3", "'zoe' is not in the population"], await RunAsync(expect, null, partition));
        var cells = ImmutableSortedDictionary<string, string?>.Empty.Add("reason", "no device").Add("age", null);
        expect = expect with { Rows = expect.Rows.Remove("zoe").SetItem("alice", cells) };
        Assert.Empty(await RunAsync(expect, null, partition));
    }

    [Fact]
    public async Task Rows_of_a_register_that_match_nothing_are_compared_where_the_case_names_it()
    {
        var approvals = Some.Approvals with { Unmatched = "SELECT a.arn AS row, 'x' AS why FROM approvals a WHERE a.arn NOT IN (SELECT u.name FROM users u)" };
        var listing = Control with { Evidence = Control.Evidence.SetItem(2, approvals) };
        FixtureCase Case(params string[] unmatched) => new(
            "case", ImmutableSortedDictionary<string, JsonElement>.Empty, null, null, null, [Partition("prod", ("users", Rows("""{"name":"alice"}""")))],
            ImmutableSortedDictionary<string, FixtureTable>.Empty.Add("approvals", Rows(Some.Approval("alice"), Some.Approval("bob"))),
            Expect(Conclusion.Pass) with
            {
                Approved = ["alice"],
                Unmatched = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty.Add("approvals", [.. unmatched]),
            },
            3);
        var outcomes = await FixtureRunner.RunAsync(
            listing, new FixtureFile("f.yaml", [Case("bob"), Case("zoe"), Case()]), EvaluationLimits.Default, process: null, CancellationToken.None);
        Assert.Equal(
            [[], ["'zoe' of approvals should match nothing", "'bob' of approvals matches nothing, which the case does not expect"],
                ["'bob' of approvals matches nothing, which the case does not expect"]],
            outcomes.Select(o => o.Differences.ToArray()));
    }

    [Fact]
    public async Task A_column_or_evidence_that_does_not_exist_is_a_fault_of_the_case()
    {
        var differences = await RunAsync(Expect(Conclusion.Pass), null, Partition("prod", ("users", Rows("""{"nome":"alice"}""")), ("user", Rows())));
        Assert.Equal(["partition prod: the control has no evidence user that is read from a target", "users: there is no column nome"], differences);
    }

    [Fact]
    public async Task Denied_evidence_concludes_what_it_must()
    {
        var denied = Rows() with { Outcome = CollectionOutcome.Failed, Code = "AccessDenied" };
        Assert.Empty(await RunAsync(Expect(Conclusion.Inconclusive), null, Partition("prod", ("users", denied))));
        Assert.Equal(
            ["expected PASS, got INCONCLUSIVE; users: AccessDenied"],
            await RunAsync(Expect(Conclusion.Pass), null, Partition("prod", ("users", denied))));
    }

    [Fact]
    public async Task Calls_are_one_per_parent_and_carry_the_tables_outcome()
    {
        var expect = Expect(Conclusion.Inconclusive) with { Undetermined = ["alice"] };
        var users = Rows("""{"name":"alice"}""");
        Assert.Empty(await RunAsync(
            expect,
            null,
            Partition("prod", ("users", users), ("devices", Rows() with { Outcome = CollectionOutcome.Incomplete, Code = "AccessDenied" }))));
        Assert.Empty(await RunAsync(Expect(Conclusion.Fail, "alice"), null, Partition("prod", ("users", users))));
    }

    /// <summary>Counts, per user, the devices and the calls that name the user's row as their parent.</summary>
    private static readonly Control Counting = Some.Control(Some.Test(
        """
        SELECT u.name AS item,
            (SELECT count(*) FROM devices d WHERE d._parent = u._ref) = 1 AND (SELECT count(*) FROM devices__calls c WHERE c._parent = u._ref) = 1 AS pass,
            'x' AS reason
        FROM users u
        """));

    [Fact]
    public async Task A_row_that_keep_would_leave_out_is_a_fault_of_the_case()
    {
        var filtered = Counting with { Evidence = [Some.Users with { Keep = Filter("tags.team", "ops") }, Some.Devices] };
        var partition = Partition(
            "prod", ("users", Rows("""{"name":"a","tags":{"team":"ops"}}""", """{"name":"b","tags":{"team":"dev"}}""", """{"name":"c"}""")));
        Assert.Equal(
            [
                "users: row 2 can never be in the table, because 'keep' takes only rows with tags.team: ops",
                "users: row 3 can never be in the table, because 'keep' takes only rows with tags.team: ops",
            ],
            await RunAsync(filtered, Expect(Conclusion.Pass), partition));
    }

    [Fact]
    public async Task A_row_or_call_for_which_where_asks_nothing_is_a_fault_of_the_case()
    {
        var filtered = Counting with { Evidence = [Some.Users, Some.Devices with { Where = Filter("mfa", true) }] };
        var users = Rows("""{"name":"a","mfa":true}""", """{"name":"b","mfa":false}""");
        var devices = Rows("""{"_with_UserName":"a","serial":"1"}""", """{"_with_UserName":"b","serial":"2"}""");
        Assert.Equal(
            ["devices: row 2 can never be there, because 'where' asks only for rows of users with mfa: true"],
            await RunAsync(filtered, Expect(Conclusion.Pass), Partition("prod", ("users", users), ("devices", devices))));
        var calls = Rows() with { Calls = [JsonElement.Parse("""{"_with_UserName":"b","outcome":"failed"}""")] };
        Assert.Equal(
            ["devices: call 1 can never be there, because 'where' asks only for rows of users with mfa: true"],
            await RunAsync(filtered, Expect(Conclusion.Pass), Partition("prod", ("users", users), ("devices", calls))));
        // The user that is not asked for has neither rows nor a call.
        var only = Partition("prod", ("users", users), ("devices", Rows("""{"_with_UserName":"a","serial":"1"}""")));
        Assert.Empty(await RunAsync(filtered, Expect(Conclusion.Fail, "b"), only));
    }

    [Fact]
    public async Task Rows_that_ask_the_same_each_have_the_answer_and_a_call()
    {
        var asking = Counting with { Evidence = [Some.Users, Some.Devices with { With = Some.Devices.With.SetItem("UserName", "tags.login") }] };
        var partition = Partition(
            "prod",
            ("users", Rows("""{"name":"a","tags":{"login":"x"}}""", """{"name":"b","tags":{"login":"x"}}""", """{"name":"c","tags":{"login":"y"}}""")),
            ("devices", Rows("""{"_with_UserName":"x","serial":"1"}""")));
        Assert.Empty(await RunAsync(asking, Expect(Conclusion.Fail, "c"), partition));
    }

    [Fact]
    public async Task Items_of_two_partitions_carry_the_partition_and_inputs_are_seen_by_both()
    {
        var users = Rows("""{"name":"alice"}""", """{"name":"bob"}""");
        var inputs = ImmutableSortedDictionary<string, FixtureTable>.Empty.Add("approvals", Rows(Some.Approval("bob")));
        var expect = Expect(Conclusion.Fail, "dev/alice") with { Approved = ["dev/bob", "prod/bob"] };
        Assert.Empty(await RunAsync(
            expect,
            inputs,
            Partition("dev", ("users", users)),
            Partition("prod", ("users", users), ("devices", Rows("""{"_with_UserName":"alice","serial":"1"}""")))));
    }
}
