using System.Text;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Loading;

public sealed class FixtureLoadingTests
{
    /// <summary>Fixtures that use every key.</summary>
    public const string Fixtures = """
        cases:
          - name: a user without a device fails
            parameters: { grace_days: 3 }
            as_of: 2026-10-02T00:00:00Z
            period: { start: 2026-01-01, end: 2026-06-30 }
            read: { from: 2026-10-01T23:00:00Z, until: 2026-10-02T01:00:00Z }
            partitions:
              one:
                evidence:
                  users:
                    rows:
                      - { UserName: 007, CreateDate: 2026-01-01T00:00:00Z, Tags: [{ Key: age, Value: "7" }, { n: 7 }], _region: aws-global }
                      - { UserName: null, Arn: "" }
                  mfa_devices:
                    outcome: incomplete
                    code: Throttling
                    rows: [{ SerialNumber: x, _with_UserName: 007 }]
                    calls: [{ _with_UserName: 007, outcome: failed, code: Throttling }]
              two: {}
            inputs:
              approved: { rows: [{ arn: a, expires: 2026-12-31, approved_by: "" }] }
            answers: { H1: yes, H2: not_found }
            expect: { conclusion: FAIL, deviations: [one/007], approved: [], undetermined: [two/x], indicated: [two/y], unmatched: { approved: [a] }, rows: { one/007: { reason: 385 days, age: 385, owner: null } } }
          - name: all pass
            partitions: { one: { evidence: { users: { outcome: failed, code: AccessDenied } } } }
            expect: { conclusion: INCONCLUSIVE }

        """;

    internal static Control Control() => Samples.Loaded(Samples.Minimal(
        evidence: """
              users:       { aws: iam:ListUsers }
              mfa_devices: { aws: iam:ListMFADevices, for_each: users, with: { UserName: UserName } }
              groups:      { aws: ec2:DescribeSecurityGroups }
              approved:    { file: register, optional: true, unmatched: "SELECT a.arn AS row, 'x' AS why FROM approved a", columns: { arn: text, expires: date, approved_by: text, amount: decimal } }

            """,
        parameters: "parameters: { grace_days: { type: integer, default: 0, why: w } }\n"
            + "human_attributes: [{ id: H1, question: Was it reviewed? }, { id: H2, question: Was it kept? }]")).Control;

    [Theory]
    [InlineData("{ H3: yes }", "4:16: APD-AWS-001 has no question 'H3' in its human_attributes; did you mean 'H1'?")]
    [InlineData("{ H1: perhaps }", "4:20: the answer to 'H1' must be ")]
    [InlineData("[H1]", "4:14: 'answers' must be a map")]
    public void An_answer_to_no_question_or_in_no_word_of_the_sheets_is_named_with_its_place(string answers, string fault) =>
        Assert.StartsWith(fault, Assert.Single(Faults($"""
            cases:
              - name: n
                partitions:{"  "}{"{"} one: {"{ }"} {"}"}
                answers: {answers}
                expect: {"{"} conclusion: PASS {"}"}
            """)), StringComparison.Ordinal);

    [Fact]
    public void Unmatched_rows_are_expected_of_a_register_that_lists_them() => Assert.Equal(
        ["6:20: APD-AWS-001 lists no unmatched rows of 'aproved'; did you mean 'approved'?"],
        Faults("""
            cases:
              - name: n
                partitions: { one: {} }
                expect:
                  conclusion: PASS
                  unmatched: { aproved: [x] }
            """));

    [Theory]
    [InlineData("{ UserNam: x }", "8:17: there is no column 'UserNam'; did you mean 'UserName'?")]
    [InlineData("{ UserName: [x] }", "8:27: 'UserName' must be text, but is a list")]
    [InlineData("{ CreateDate: 2026-01-01 }", "8:29: 'CreateDate' must be a time with its zone such as "
            + "2026-10-01T00:00:00Z or 2026-10-01T02:00:00+02:00, but is '2026-01-01'")]
    [InlineData("{ CreateDate: 2026-01-01T10:00:00 }", "8:29: 'CreateDate' must be a time with its zone such as 2026-10-01T00:00:00Z or "
        + "2026-10-01T02:00:00+02:00, but is '2026-01-01T10:00:00'")]
    [InlineData("{ CreateDate: 2026-02-30T10:00:00Z }", "8:29: 'CreateDate' must be a time with its zone such as 2026-10-01T00:00:00Z or "
        + "2026-10-01T02:00:00+02:00, but is '2026-02-30T10:00:00Z'")]
    [InlineData("{ CreateDate: { at: 2026-02-28T10:00:00Z } }", "8:29: 'CreateDate' must be a time with its zone such as 2026-10-01T00:00:00Z or "
        + "2026-10-01T02:00:00+02:00, but is a map")]
    [InlineData("text", "8:15: a row must be a map of columns, but is text")]
    public void A_cell_that_does_not_fit_is_named_with_its_place(string row, string fault) => Assert.Equal([fault], Faults($"""
        cases:
          - name: n
            partitions:
              one:
                evidence:
                  users:
                    rows:
                    - {row}
            expect: {"{"} conclusion: PASS {"}"}
        """));

    [Theory]
    [InlineData("2026-01-01T10:00:00+02:00", "2026-01-01T08:00:00Z")]
    [InlineData("2026-01-01T00:30:00-23:30", "2026-01-02T00:00:00Z")]
    [InlineData("2026-01-01T10:00:00.1234567890Z", null)]
    [InlineData("2026-01-01T10:00:00.123456789Z", "2026-01-01T10:00:00.1234567Z")]
    [InlineData("'2026-01-01t10:00:00.500z'", "2026-01-01T10:00:00.5Z")]
    public void A_time_in_a_row_is_that_of_a_live_table(string written, string? inTable)
    {
        var (file, faults) = FixtureLoader.Load(
            new("f", Encoding.UTF8.GetBytes("cases: [{ name: n, as_of: 2026-10-01T01:00:00+01:00, partitions: { one: { evidence: { users: { rows: "
                + $"[{{ CreateDate: {written} }}] }} }} }} }}, expect: {{ conclusion: PASS }} }}]")),
            Control());
        if (inTable is null)
        {
            Assert.Single(faults);
            return;
        }
        var row = Assert.Single(Assert.Single(file!.Cases).Partitions[0].Evidence["users"].Rows);
        Assert.Equal($$"""{"CreateDate":"{{inTable}}"}""", row.GetRawText());
        Assert.Equal(new DateTimeOffset(2026, 10, 1, 0, 0, 0, TimeSpan.Zero), file.Cases[0].AsOf);
    }

    [Theory]
    [InlineData("as_of: 2026-10-01T00:00:00", "1:27: 'as_of' must be a time with its zone such as 2026-10-01T00:00:00Z or "
        + "2026-10-01T02:00:00+02:00, but is '2026-10-01T00:00:00'")]
    [InlineData("as_of: 2026-02-30T00:00:00Z", "1:27: 'as_of': there is no time 2026-02-30T00:00:00Z")]
    [InlineData("read: { from: 2026-10-01T00:00:00, until: 2026-10-01T00:00:00Z }", "1:34: 'from' must be a time with its zone such as "
        + "2026-10-01T00:00:00Z or 2026-10-01T02:00:00+02:00, but is '2026-10-01T00:00:00'")]
    public void A_moment_of_a_case_that_is_none_is_named_with_its_place(string moment, string fault) => Assert.Equal(
        [fault], Faults("cases: [{ name: n, " + moment + ", partitions: { one: {} }, expect: { conclusion: PASS } }]"));

    [Theory]
    [InlineData("Priority: '7'", "'Priority' must be an integer such as 90, without quotes, but is the text '7'")]
    [InlineData("Priority: 9223372036854775808", "'Priority' must be an integer such as 90, without quotes, but is '9223372036854775808'")]
    [InlineData("Weight: 1e400", "'Weight' must be a number such as 0.5, without quotes, but is '1e400'")]
    public void A_number_must_be_one(string cell, string fault)
    {
        var found = Assert.Single(
            Faults("cases: [{ name: n, partitions: { one: { evidence: { groups: { rows: [{ " + cell + " }] } } } }, expect: { conclusion: PASS } }]"));
        Assert.EndsWith(fault, found, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_fault_of_a_file_is_reported_at_once() => Assert.Equal(
        [
            "2:5: the key 'expect' is missing",
            "3:19: APD-AWS-001 has no parameter 'grace'",
            "4:22: there is no 2026-13-01 in the calendar",
            "7:21: APD-AWS-001 has no evidence 'user'; did you mean 'users'?",
            "7:41: 'approved' is a file, which every partition sees, so it belongs under the case's 'inputs'",
            "8:15: 'users' is read from aws, so it belongs under a partition's 'evidence'",
            "9:11: a case above already has the name 'n'",
            "10:53: a failed request returns no rows; remove them, or write 'outcome: incomplete'",
            "10:68: give the provider's error in 'code', such as AccessDenied",
            "11:27: 'conclusion' must be one of FAIL, ERROR, INCONCLUSIVE, NEEDS_REVIEW, PASS, NO_OCCURRENCE, NOT_APPLICABLE, but is 'pass'; "
                + "did you mean 'PASS'?",
            "12:5: unknown key 'expekt'",
        ],
        Faults("""
            cases:
              - name: n
                parameters: { grace: 1 }
                period: { start: 2026-13-01, end: 2026-01-01 }
                partitions:
                  one:
                    evidence: { user: { rows: [] }, approved: { rows: [] } }
                inputs: { users: { rows: [] } }
              - name: n
                partitions: { one: { evidence: { users: { rows: [{}], outcome: failed } } } }
                expect: { conclusion: pass }
                expekt: {}
            """).Select(f => f.Replace("'start': there is no such date as 2026-13-01", "there is no 2026-13-01 in the calendar", StringComparison.Ordinal)));

    [Fact]
    public void Cells_become_JSON_by_the_type_of_their_column()
    {
        var (fixtures, faults) = FixtureLoader.Load(new("f", Encoding.UTF8.GetBytes(Fixtures)), Control());
        Assert.Empty(faults);
        var first = fixtures!.Cases[0];
        Assert.Equal(2, first.Line);
        Assert.Equal("3", first.Parameters["grace_days"].GetRawText());
        Assert.Equal(new DateOnly(2026, 6, 30), first.PeriodEnd);
        Assert.Equal(["one", "two"], first.Partitions.Select(p => p.Name));
        Assert.Equal(
            [
                """{"UserName":"007","CreateDate":"2026-01-01T00:00:00Z","Tags":[{"Key":"age","Value":"7"},{"n":7}],"_region":"aws-global"}""",
                """{"Arn":""}""",
            ],
            first.Partitions[0].Evidence["users"].Rows.Select(r => r.GetRawText()));
        var devices = first.Partitions[0].Evidence["mfa_devices"];
        Assert.Equal((CollectionOutcome.Incomplete, "Throttling"), (devices.Outcome, devices.Code));
        Assert.Equal("""{"_with_UserName":"007","outcome":"failed","code":"Throttling"}""", Assert.Single(devices.Calls).GetRawText());
        Assert.Equal("""{"arn":"a","expires":"2026-12-31"}""", Assert.Single(first.Inputs["approved"].Rows).GetRawText());
        Assert.Equal(Conclusion.Fail, first.Expect.Conclusion);
        Assert.Equal("one/007", Assert.Single(first.Expect.Deviations));
    }

    [Fact]
    public void Fixtures_must_prove_pass_fail_empty_and_denied()
    {
        var control = Control();
        Assert.Equal(
            [
                "f:1:1: no case proves that APD-AWS-001 can conclude PASS",
                "f:1:1: no case has an empty population: add one from which APD-AWS-001 concludes NO_OCCURRENCE, "
                    + "or one whose name begins with 'empty' and says why there is always an item",
            ],
            FixtureCoverage.Check(FixtureLoader.Load(new("f", Encoding.UTF8.GetBytes(Fixtures)), control).Fixtures!, control).Select(f => f.ToString()));
        var rest = """
              - name: empty is impossible, every account has a root user
                partitions: { one: {} }
                expect: { conclusion: PASS }
            """;
        Assert.Empty(FixtureCoverage.Check(FixtureLoader.Load(new("f", Encoding.UTF8.GetBytes(Fixtures + rest)), control).Fixtures!, control));
    }

    [Fact]
    public void An_exact_number_keeps_every_digit_and_one_that_does_not_fit_is_named_with_its_place()
    {
        const string Most = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        var control = Samples.Loaded(Samples.Minimal(evidence: "  ledger: { file: ledger, columns: { amount: decimal(18), supply: whole } }\n")).Control;
        string Cases(string rows) =>
            $"cases:\n  - name: c\n    inputs: {{ ledger: {{ rows: [{rows}] }} }}\n    partitions: {{ one: {{}} }}\n    expect: {{ conclusion: PASS }}\n";
        var (read, none) = FixtureLoader.Load(new("f", Encoding.UTF8.GetBytes(Cases(
            $"{{ amount: 12345678901234567890.123456789012345678, supply: {Most} }}, {{ amount: '1.50', supply: '{Most}' }}"))), control);
        Assert.Empty(none);
        Assert.Equal(
            [$"{{\"amount\":\"12345678901234567890.123456789012345678\",\"supply\":\"{Most}\"}}", $"{{\"amount\":\"1.5\",\"supply\":\"{Most}\"}}"],
            read!.Cases[0].Inputs["ledger"].Rows.Select(r => r.GetRawText()));
        var faults = FixtureLoader.Load(new("f", Encoding.UTF8.GetBytes(Cases("{ amount: 0.0000000000000000001, supply: 1e3 }"))), control).Faults;
        Assert.Equal(
            [
                "f:3:42: 'amount' must be a decimal number of at most 20 digits before the point and 18 after it, but is '0.0000000000000000001'",
                "f:3:73: 'supply' must be a whole number of at most 10000 digits, but is '1e3'",
            ],
            faults.Select(f => f.ToString()));
    }

    private static string[] Faults(string yaml) =>
        [.. FixtureLoader.Load(new("f", Encoding.UTF8.GetBytes(yaml)), Control()).Faults.Select(f => $"{f.Line}:{f.Column}: {f.Message}")];
}
