using System.Collections.Immutable;
using AuditCli.Controls.Loading;
using AuditCli.Controls.Planning;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Controls.Tests.Planning;

public sealed class PlannerTests
{
    private const string Users = "  users: { aws: iam:ListUsers }\n";
    private const string Devices = "  users: { aws: iam:ListUsers }\n  devices: { aws: iam:ListMFADevices, for_each: users, with: { UserName: UserName } }\n";
    private const string Register = "  users: { aws: iam:ListUsers }\n  register: { file: register, columns: { id: text } }\n";

    [Fact]
    public void A_control_named_by_id_without_a_target_is_a_usage_error()
    {
        var plan = Plan("include: [APD-AWS-001]", "k: { kubernetes: {} }", [Control("APD-AWS-001", Users)]);
        Assert.Equal(
            "e:7:23: APD-AWS-001 cannot be tested: no target of source aws; add one to 'targets', or take APD-AWS-001 out of 'include'",
            Assert.Single(plan.Faults).ToString());
    }

    [Theory]
    [InlineData("include: [\"APD-AWS-*\"]")]
    [InlineData("include: []")]
    public void A_control_matched_by_a_glob_or_by_nothing_is_not_tested_without_a_target(string include)
    {
        var plan = Plan(include, "k: { kubernetes: {} }", [Control("APD-AWS-001", Users)]);
        Assert.Empty(plan.Faults);
        Assert.Empty(plan.Controls);
        Assert.Equal(new NotTested("APD-AWS-001", "no target of source aws"), Assert.Single(plan.Plan.NotTested));
    }

    [Fact]
    public void An_input_that_is_not_supplied_is_a_usage_error_for_a_control_named_by_id_and_else_reported()
    {
        var control = Control("APD-AWS-001", Register);
        Assert.Equal(
            "e:7:23: APD-AWS-001 cannot be tested: the engagement supplies no input 'register' (evidence 'register'); "
                + "add 'register' to 'inputs', with the columns id",
            Assert.Single(Plan("include: [APD-AWS-001]", "a: { aws: {} }", [control]).Faults).ToString());
        Assert.Equal(new NotTested("APD-AWS-001", "the engagement supplies no input 'register' (evidence 'register')"),
            Assert.Single(Plan("include: []", "a: { aws: {} }", [control]).Plan.NotTested));
    }

    [Fact]
    public void What_the_command_line_names_must_exist()
    {
        var filter = new PlanFilter(["APD-AWS-0O1", "APD-AWS-002"], ["prd"]);
        var plan = Plan("include: [APD-AWS-001]", "prod: { aws: {} }", [Control("APD-AWS-001", Users), Control("APD-AWS-002", Users)], filter);
        Assert.Equal(
            [
                "e:1:1: --control APD-AWS-0O1: the library has no such control; did you mean 'APD-AWS-001'?",
                "e:1:1: --control APD-AWS-002: the engagement does not include it; add it to 'controls: include'",
                "e:1:1: --target prd: the engagement has no such target; did you mean 'prod'?",
            ],
            plan.Faults.Select(f => f.ToString()));
    }

    [Fact]
    public void What_the_command_line_leaves_out_is_reported()
    {
        var controls = ImmutableArray.Create(
            Control("APD-AWS-001", Users), Control("APD-AWS-002", Users), Control("APD-K8S-001", "  pods: { kubernetes: v1/pods }\n"));
        var plan = Plan(
            "include: [APD-AWS-001, APD-AWS-002, APD-K8S-001]",
            "one: { aws: {} }\n  two: { aws: {} }\n  k: { kubernetes: {} }",
            controls,
            new(["APD-AWS-001", "APD-K8S-*"], ["two"]));
        Assert.Empty(plan.Faults);
        var running = Assert.Single(plan.Controls);
        Assert.Equal("APD-AWS-001", running.Control.Id);
        Assert.Equal(["one aws", "k kubernetes"], running.LeftOut.Select(l => $"{l.Target} {l.Source}"));
        Assert.Equal("two", Assert.Single(plan.Plan.Requests).Target);
        Assert.Equal(
            [
                "APD-AWS-002: not selected by --control", "APD-K8S-001: every target of source kubernetes is left out by --target",
                "k: target left out by --target", "one: target left out by --target",
            ],
            plan.Plan.NotTested.Select(n => $"{n.Id}: {n.Reason}"));
    }

    [Fact]
    public void Retired_and_inapplicable_controls_do_not_run_and_are_reported()
    {
        var retired = Control("APD-AWS-001", Users, "status: retired\n");
        var plan = Plan(
            "not_applicable: { APD-AWS-002: { reason: no consoles, approved_by: R. Reviewer, approved_on: 2026-01-01 } }",
            "a: { aws: {} }",
            [retired, Control("APD-AWS-002", Users)]);
        Assert.Empty(plan.Controls);
        Assert.Empty(plan.Plan.Requests);
        Assert.Equal(new NotTested("APD-AWS-001", "retired"), Assert.Single(plan.Plan.NotTested));
        var leftOut = Assert.Single(plan.NotApplicable);
        Assert.Equal(("APD-AWS-002", "no consoles"), (leftOut.Control.Id, leftOut.Decision.Reason));
        Assert.EndsWith(
            "cannot be tested: retired",
            Assert.Single(Plan("include: [APD-AWS-001]", "a: { aws: {} }", [retired]).Faults).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Evidence_of_a_source_that_is_not_in_scope_is_a_note()
    {
        var control = Control(
            "APD-AWS-001",
            "  users: { aws: iam:ListUsers }\n  pods: { kubernetes: v1/pods, if_target: true }\n"
                + "  extra: { file: extra, optional: true, columns: { a: text } }\n");
        var plan = Plan("include: [APD-AWS-001]", "a: { aws: {} }", [control]);
        Assert.Empty(plan.Faults);
        Assert.Equal(
            [
                "extra: input 'extra' was not supplied; the table is empty",
                "pods: not in scope: the engagement has no target of source kubernetes; the table is empty",
            ],
            plan.Notes.Select(n => $"{n.Evidence}: {n.Text}"));
        Assert.Single(plan.Plan.Requests);
        Assert.Single(Plan("include: [APD-AWS-001]", "a: { aws: {} }\n  k: { kubernetes: {} }", [control]).Notes);
    }

    [Fact]
    public void Equal_questions_are_asked_once_and_parents_first()
    {
        var plan = Plan("include: []", "a: { aws: {} }\n  b: { aws: {} }", [Control("APD-AWS-002", Devices), Control("APD-AWS-001", Users)]).Plan;
        Assert.Equal(
            ["a iam:ListUsers", "b iam:ListUsers", "a iam:ListMFADevices", "b iam:ListMFADevices"],
            plan.Requests.Select(r => $"{r.Target} {r.Operation.Name}"));
        Assert.Equal("APD-AWS-001 users, APD-AWS-002 users", string.Join(", ", plan.Requests[0].Names.Select(n => $"{n.Control} {n.Name}")));
        Assert.Equal(plan.Requests[0].Key, plan.Requests[2].ParentKey);
        Assert.Matches("^a/iam:ListUsers/[0-9a-f]{12}$", plan.Requests[0].Key);
        Assert.Equal(4, plan.Requests.Select(r => plan.EvidenceId(r, r.Target, "aws-global")).Distinct().Count());
    }

    [Theory]
    [InlineData(
        "  u: { aws: iam:ListUsers, params: { MaxItems: 9007199254740992 } }\n",
        "  u: { aws: iam:ListUsers, params: { MaxItems: 9007199254740993 } }\n")]
    [InlineData("  u: { aws: iam:ListUsers }\n", "  u: { aws: iam:ListUsers, params: { PathPrefix: / } }\n")]
    [InlineData("  u: { aws: iam:ListUsers }\n", "  u: { aws: iam:ListUsers, allow_errors: { NoSuchEntity: empty } }\n")]
    [InlineData(
        "  u: { aws: ec2:DescribeSecurityGroups, params: { Filters: [1] } }\n",
        "  u: { aws: ec2:DescribeSecurityGroups, params: { Filters: ['1'] } }\n")]
    [InlineData("  u: { aws: iam:ListUsers }\n", "  u: { aws: iam:ListUsers, keep: { UserName: a } }\n")]
    [InlineData("  u: { aws: iam:ListUsers, keep: { UserName: a } }\n", "  u: { aws: iam:ListUsers, keep: { UserName: b } }\n")]
    [InlineData("  u: { aws: iam:ListUsers, keep: { Tags: 1 } }\n", "  u: { aws: iam:ListUsers, keep: { Tags: '1' } }\n")]
    public void Questions_that_differ_stay_apart(string one, string other) =>
        Assert.Equal(2, Plan("include: []", "a: { aws: {} }", [Control("APD-AWS-001", one), Control("APD-AWS-002", other)]).Plan.Requests.Length);

    [Fact]
    public void The_engagements_period_stands_where_a_parameter_says_so()
    {
        var plan = Plan(
            "include: []",
            "a: { aws: {} }",
            [Control("APD-AWS-001", "  users: { aws: iam:ListUsers, params: { PathPrefix: '{period_end}', MaxItems: 7 } }\n")]);
        var asked = Assert.Single(plan.Plan.Requests).Parameters;
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:00:00Z$", asked["PathPrefix"].GetString());
        Assert.Equal(7, asked["MaxItems"].GetInt32());
    }

    [Theory]
    [InlineData("StartTime: '{period_start}'", """{"StartTime":"2026-01-01T00:00:00Z"}""")]
    [InlineData("EndTime: '{period_end}'", """{"EndTime":"2026-02-01T00:00:00Z"}""")]
    [InlineData("EndTime: '{as_of}'", """{"EndTime":"2026-03-04T05:06:07.8Z"}""")]
    [InlineData(
        "EventCategory: 'from {period_start} to {period_end} as of {as_of}, not {other}'",
        """{"EventCategory":"from 2026-01-01T00:00:00Z to 2026-02-01T00:00:00Z as of 2026-03-04T05:06:07.8Z, not {other}"}""")]
    [InlineData(
        "LookupAttributes: [{ AttributeKey: a, AttributeValue: '{period_start}', n: 1.50 }]",
        """{"LookupAttributes":[{"AttributeKey":"a","AttributeValue":"2026-01-01T00:00:00Z","n":1.50}]}""")]
    [InlineData("EventCategory: plain", """{"EventCategory":"plain"}""")]
    public void Moments_stand_in_every_text_and_time_parameter_in_the_place_of_their_words(string parameters, string asked)
    {
        var control = Control("APD-AWS-001", $"  e: {{ aws: cloudtrail:LookupEvents, params: {{ {parameters} }} }}\n");
        var plan = Plan("include: []", "a: { aws: {} }", [control]).Plan;
        var at = plan.At(new(2026, 3, 4, 5, 6, 7, 800, TimeSpan.Zero));
        Assert.Equal(asked, $"{{{string.Join(',', Assert.Single(at.Requests).Parameters.Select(p => $"\"{p.Key}\":{p.Value.GetRawText()}"))}}}");
        Assert.Equal(plan.Requests.Select(r => r.Key), at.Requests.Select(r => r.Key));
    }

    [Fact]
    public void A_question_asked_for_other_rows_of_its_parent_is_another_question()
    {
        var some = Devices.Replace("for_each: users", "for_each: users, where: { UserName: [b, a] }", StringComparison.Ordinal);
        var same = Devices.Replace("for_each: users", "for_each: users, where: { UserName: [a, b] }", StringComparison.Ordinal);
        Assert.NotEqual(Devices, some);
        var plan = Plan(
            "include: []", "a: { aws: {} }", [Control("APD-AWS-001", Devices), Control("APD-AWS-002", some), Control("APD-AWS-003", same)]).Plan;

        Assert.Equal(3, plan.Requests.Length);
        Assert.Equal(3, plan.Requests.Select(r => plan.EvidenceId(r, r.Target, "aws-global")).Distinct().Count());
        Assert.Equal("UserName: b, a", Assert.Single(plan.Requests, r => r.Where is not null).Where!.ToString());
    }

    [Fact]
    public void A_question_asked_for_other_parents_is_another_question()
    {
        var other = Devices.Replace("iam:ListUsers", "iam:ListUsers, params: { PathPrefix: /x/ }", StringComparison.Ordinal);
        var plan = Plan("include: []", "a: { aws: {} }", [Control("APD-AWS-001", Devices), Control("APD-AWS-002", other)]).Plan;
        Assert.Equal(4, plan.Requests.Length);
        Assert.Equal(
            plan.Requests[..2].Select(r => r.Key).Order(StringComparer.Ordinal),
            plan.Requests[2..].Select(r => r.ParentKey!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Files_are_merged_by_input_and_columns_whatever_their_order()
    {
        using var folder = new TemporaryFolder();
        var controls = ImmutableArray.Create(
            Control("APD-AWS-001", "  u: { aws: iam:ListUsers }\n  f: { file: hr-leavers, columns: { a: text, b: date } }\n"),
            Control("APD-AWS-002", "  u: { aws: iam:ListUsers }\n  g: { file: hr-leavers, columns: { b: date, a: text } }\n"),
            Control("APD-AWS-003", "  u: { aws: iam:ListUsers }\n  f: { file: hr-leavers, columns: { a: text } }\n"));
        var (engagement, _) = Samples.Load(folder.WithFolders(Samples.Engagement.Replace("""["APD-AWS-*", INF-K8S-002]""", "[]", StringComparison.Ordinal)));
        var plan = Planner.Plan(engagement!, "e", controls, TestSources.All, PlanFilter.None, Now).Plan;
        Assert.Equal([1, 2], plan.Inputs.Select(i => i.Names.Length).Order());
        Assert.Equal("a Text, b Date", string.Join(", ", plan.Inputs.Single(i => i.Names.Length == 2).Columns.Select(c => $"{c.Name} {c.Type}")));
    }

    [Fact]
    public void The_plan_does_not_depend_on_the_order_of_controls_and_targets()
    {
        var controls = Enumerable.Range(1, 12).Select(i => Control($"APD-AWS-{i:000}", (i % 3) switch
        {
            0 => Devices,
            1 => Users,
            _ => $"  users: {{ aws: iam:ListUsers, params: {{ PathPrefix: /{i % 2}/ }} }}\n  pods: {{ kubernetes: v1/pods, if_target: true }}\n",
        })).ToArray();
        string[] targets = ["a: { aws: {} }", "b: { aws: { profile: x } }", "k: { kubernetes: {} }"];
        var expected = Written(Plan("include: []", string.Join("\n  ", targets), [.. controls]));
        var random = new Random(20261122);
        for (var i = 0; i < 20; i++)
        {
            random.Shuffle(controls);
            random.Shuffle(targets);
            Assert.Equal(expected, Written(Plan("include: []", string.Join("\n  ", targets), [.. controls])));
        }
    }

    [Fact]
    public void Parameters_are_the_controls_or_the_engagements()
    {
        var control = Samples.Loaded(
            Samples.Minimal(parameters: "parameters: { a: { type: integer, default: 1, why: w }, b: { type: text, default: x, why: w } }"));
        var scope = Assert.Single(Plan("parameters: { APD-AWS-001: { a: { value: 2, by: R. Reviewer, why: told } } }", "a: { aws: {} }", [control]).Controls);
        Assert.Equal(["a 2 R. Reviewer told", "b \"x\"  "], scope.Parameters.Select(p => $"{p.Name} {p.Value.GetRawText()} {p.By} {p.Why}"));
    }

    [Theory]
    [InlineData("approved_by: R. Reviewer, approved_on: 2026-02-15", null)]
    [InlineData("approved_by: R. Reviewer, approved_on: 2026-02-16", "it was approved after as_of")]
    [InlineData("approved_by: A. Preparer, approved_on: 2026-02-01", "the preparer of the engagement approved it")]
    [InlineData("approved_by: ' a. preparer ', approved_on: 2026-02-01", "the preparer of the engagement approved it")]
    [InlineData("approved_by: 'Preparer A.', approved_on: 2026-02-01", "the preparer of the engagement approved it")]
    [InlineData("approved_by: '-', approved_on: 2026-02-01", "it names no approver")]
    [InlineData("approved_by: \"a. prepa\\u200Brer\", approved_on: 2026-02-01", "the preparer of the engagement approved it")]
    [InlineData("approved_by: \"\\tA. Preparer\", approved_on: 2026-02-01", "the preparer of the engagement approved it")]
    [InlineData("approved_by: \"\\u200B\", approved_on: 2026-02-01", "it names no approver")]
    public void A_control_is_left_out_only_by_a_decision_that_counts(string decision, string? why)
    {
        var plan = Plan($"not_applicable: {{ APD-AWS-001: {{ reason: no consoles, {decision} }} }}", "a: { aws: {} }", [Control("APD-AWS-001", Users)]);
        Assert.Equal(why is null ? 1 : 0, plan.NotApplicable.Length);
        Assert.Equal(why, plan.Controls.SingleOrDefault()?.RefusedDecision?.Why);
    }

    [Theory]
    [InlineData("n/a", "no consoles", "it names no approver")]
    [InlineData("tbd.", "no consoles", "it names no approver")]
    [InlineData("myself", "no consoles", "it names no approver")]
    [InlineData("A. Pre\u0440arer", "no consoles", "it names no approver")]
    [InlineData("\uD835\uDC00. Preparer", "no consoles", "it names no approver")]
    [InlineData("R. Reviewer", "N.A.", "it gives no reason")]
    [InlineData("R. Reviewer", "none given", "it gives no reason")]
    [InlineData("R. Reviewer", "\u3164", "it gives no reason")]
    [InlineData("R. Reviewer", "1", "it gives no reason")]
    [InlineData("Anna Preparer", "no consoles", "the preparer of the engagement approved it")]
    [InlineData("APreparer", "no consoles", "the preparer of the engagement approved it")]
    [InlineData("A. Pr\u00E9parer", "no consoles", "the preparer of the engagement approved it")]
    public void A_decision_by_nobody_for_no_reason_or_by_another_spelling_of_the_preparer_leaves_nothing_out(string by, string reason, string why)
    {
        var decision = $"reason: '{reason}', approved_by: '{by}', approved_on: 2026-02-01";
        var plan = Plan($"not_applicable: {{ APD-AWS-001: {{ {decision} }} }}", "a: { aws: {} }", [Control("APD-AWS-001", Users)]);
        Assert.Empty(plan.NotApplicable);
        Assert.Equal(why, Assert.Single(plan.Controls).RefusedDecision?.Why);
    }

    private static readonly DateTimeOffset Now = new(2026, 2, 15, 12, 0, 0, TimeSpan.Zero);

    private static LoadedControl Control(string id, string evidence, string rest = "") => Samples.Loaded(Samples.Minimal(id, evidence, rest: rest), id);

    private static PlanResult Plan(string controls, string targets, ImmutableArray<LoadedControl> library, PlanFilter? filter = null)
    {
        using var folder = new TemporaryFolder();
        var (engagement, faults) = Samples.Load(folder.Write("e.yaml", $$"""
            schema: 1
            entity: e
            name: n
            period: { start: 2026-01-01, end: 2026-01-31 }
            preparer: A. Preparer
            reviewer: R. Reviewer
            controls: { {{controls}} }
            targets:
              {{targets}}
            """), shownAs: "e");
        Assert.Empty(faults);
        return Planner.Plan(engagement!, "e", library, TestSources.All, filter ?? PlanFilter.None, Now);
    }

    private static string Written(PlanResult plan) => string.Join('\n',
        plan.Plan.Requests.Select(r => $"{r.Key} {r.ParentKey} {string.Join(',', r.Names)}")
            .Concat(plan.Controls.Select(c => c.Control.Id))
            .Concat(plan.Notes.Select(n => n.ToString())));
}
