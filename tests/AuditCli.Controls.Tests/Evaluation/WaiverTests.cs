using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Evaluation;

public sealed class WaiverTests
{
    private static readonly Control Control = Some.Control() with { Evidence = [Some.Users, Some.Approvals], Waivers = Some.Waivers };

    private static Task<Some.Outcome> With(string approval, params string[] users) => Some.EvaluateAsync(
        Control, Some.Partition("prod", ("users", Some.Table(Some.Users, users)), ("approvals", Some.Table(Some.Approvals, approval))));

    [Theory]
    [InlineData("2026-12-31", "2026-10-02", "R. Reviewer", "break glass", "approved after as_of")]
    [InlineData("2026-09-30", "2026-09-01", "R. Reviewer", "break glass", "expired before as_of")]
    [InlineData("2026-12-31", "2026-09-01", " ", "break glass", "it names no approver")]
    [InlineData("2026-12-31", "2026-09-01", "R. Reviewer", "", "it gives no reason")]
    [InlineData("2026-12-31", "2026-09-01", "\u00A0\u200B\u2800", "break glass", "it names no approver")]
    [InlineData("2026-12-31", "2026-09-01", "\0\u001B\u202E\t", "break glass", "it names no approver")]
    [InlineData("2026-12-31", "2026-09-01", "R. Reviewer", "\n\u3164\uFEFF", "it gives no reason")]
    [InlineData("2026-12-31", "2026-09-01", "-", "break glass", "it names no approver")]
    [InlineData("2026-12-31", "2026-09-01", "n/a", "break glass", "it names no approver")]
    [InlineData("2026-12-31", "2026-09-01", "TBD", "break glass", "it names no approver")]
    [InlineData("2026-12-31", "2026-09-01", "R. Reviewer", ".", "it gives no reason")]
    [InlineData("2026-12-31", "2026-09-01", "R. Reviewer", "N.A.", "it gives no reason")]
    [InlineData("2026-12-31", "2026-09-01", "R. Reviewer", "???", "it gives no reason")]
    public async Task A_waiver_that_is_not_valid_at_as_of_approves_nothing_and_is_listed(string expires, string on, string by, string reason, string why)
    {
        var outcome = await With(Some.Approval("alice", expires, on, by, reason), """{"name":"alice","mfa":false}""");
        Assert.Equal(Conclusion.Fail, outcome.Conclusion);
        Assert.Equal(why, Assert.Single(outcome.Result.Waivers.Expired).Why);
    }

    [Theory]
    [InlineData("""{"approved_by":"R. Reviewer","approved_on":"2026-09-01","reason":"break glass","expires":"2026-12-31"}""", "it names no item")]
    [InlineData("""{"arn":"alice","approved_on":"2026-09-01","reason":"break glass","expires":"2026-12-31"}""", "it names no approver")]
    [InlineData("""{"arn":"alice","approved_by":"R. Reviewer","approved_on":"2026-09-01","expires":"2026-12-31"}""", "it gives no reason")]
    [InlineData("""{"arn":"alice","approved_by":"R. Reviewer","reason":"break glass","expires":"2026-12-31"}""", "it has no date of approval")]
    [InlineData("""{"arn":"alice","approved_by":"R. Reviewer","approved_on":"2026-09-01","reason":"break glass"}""", "it has no date of expiry")]
    [InlineData("""{"arn":"**","approved_by":"R. Reviewer","approved_on":"2026-09-01","reason":"break glass","expires":"2026-12-31"}""", null)]
    [InlineData("""{"arn":"al%","approved_by":"R. Reviewer","approved_on":"2026-09-01","reason":"break glass","expires":"2026-12-31"}""", null)]
    public async Task A_row_that_lacks_a_cell_or_is_a_pattern_approves_nothing_and_is_listed_beside_one_that_counts(string row, string? why)
    {
        var outcome = await Some.EvaluateAsync(Control, Some.Partition(
            "prod",
            ("users", Some.Table(Some.Users, """{"name":"alice","mfa":false}""", """{"name":"bob","mfa":false}""")),
            ("approvals", Some.Table(Some.Approvals, row, Some.Approval("bob")))));
        Assert.Equal((Conclusion.Fail, 1L, 1L), (outcome.Conclusion, outcome.Result.Deviations, outcome.Result.Approved));
        Assert.Equal(why ?? "no deviation has this item", Assert.Single(outcome.Result.Waivers.Expired.Concat(outcome.Result.Waivers.Unmatched)).Why);
    }

    [Theory]
    [InlineData("P. Preparer", "p. preparer")]
    [InlineData("P. Preparer", " P.\u00A0Preparer\u200B")]
    [InlineData("P. Preparer", "P Preparer")]
    [InlineData("P. Preparer", "Preparer, P.")]
    [InlineData("P. Preparer", "PREPARER P")]
    [InlineData("P. Preparer", "\uFF30. \uFF30reparer")]
    [InlineData("P. Preparer", "Mr P. Preparer")]
    [InlineData("P. Preparer", "P. Preparer (preparer)")]
    [InlineData("P. Preparer", "P. Preparer / H. C")]
    public async Task What_the_preparer_approved_is_approved_by_nobody(string preparer, string by)
    {
        var outcome = await Some.EvaluateAsync(Control, preparer, Some.Partition(
            "prod",
            ("users", Some.Table(Some.Users, """{"name":"alice","mfa":false}""")),
            ("approvals", Some.Table(Some.Approvals, Some.Approval("alice", by: by)))));
        Assert.Equal(Conclusion.Fail, outcome.Conclusion);
        Assert.Equal("the preparer of the engagement approved it", Assert.Single(outcome.Result.Waivers.Expired).Why);
        Assert.Equal(Conclusion.Pass, (await With(Some.Approval("alice", by: by), """{"name":"alice","mfa":false}""")).Conclusion);
    }

    [Fact]
    public async Task An_approval_of_everything_at_once_approves_nothing()
    {
        var outcome = await With(Some.Approval("*"), """{"name":"alice","mfa":false}""", """{"name":"*","mfa":false}""");
        Assert.Equal((Conclusion.Fail, 2L), (outcome.Conclusion, outcome.Result.Deviations));
        Assert.Equal("it approves everything at once, but an approval must name one item", Assert.Single(outcome.Result.Waivers.Expired).Why);
    }

    /// <summary>A test reads the column, because a column that no SQL reads is not loaded and could revive nothing.</summary>
    [Theory]
    [InlineData("approved_day", "2026-09-01", "2026-12-31", "2026-10-02", "approved after as_of")]
    [InlineData("last_day", "2026-12-31", "2019-12-31", "2019-09-01", "expired before as_of")]
    [InlineData("why", null, "2019-12-31", "2019-09-01", "expired before as_of")]
    [InlineData("item", "alice", "2019-12-31", "2019-09-01", "expired before as_of")]
    [InlineData("n", "0", "2019-12-31", "2019-09-01", "expired before as_of")]
    [InlineData("rowid", "0", "2019-12-31", "2019-09-01", "expired before as_of")]
    public async Task A_register_whose_own_column_has_a_name_of_ours_revives_no_approval(
        string column, string? value, string expires, string on, string why)
    {
        var type = column.EndsWith("day", StringComparison.Ordinal) ? ColumnType.Date : ColumnType.Text;
        var approvals = Some.Approvals with { Columns = [.. Some.Approvals.Columns, new(column, type)] };
        var row = Some.Approval("alice", expires, on)[..^1] + (value is null ? "}" : $",\"{column}\":\"{value}\"}}");
        var reader = Some.Test($"SELECT 'register' AS item, count(a.\"{column}\") = {(value is null ? 0 : 1)} AS pass, '' AS reason FROM approvals a", "T2");
        var outcome = await Some.EvaluateAsync(
            Control with { Evidence = [Some.Users, approvals], Tests = [.. Control.Tests, reader] },
            Some.Partition("prod", ("users", Some.Table(Some.Users, """{"name":"alice","mfa":false}""")), ("approvals", Some.Table(approvals, row))));
        Assert.Equal([Conclusion.Fail, Conclusion.Pass], outcome.Partitions.Select(t => t.Conclusion));
        Assert.Equal(why, Assert.Single(outcome.Result.Waivers.Expired).Why);
    }

    [Theory]
    [InlineData("2026-10-01", "2026-10-01")]
    [InlineData("2026-12-31", "2026-09-01")]
    public async Task A_waiver_counts_from_the_day_of_approval_through_the_day_it_expires(string expires, string on)
    {
        var outcome = await With(Some.Approval("alice", expires, on), """{"name":"alice","mfa":false}""");
        Assert.Equal((Conclusion.Pass, 1L, 0L), (outcome.Conclusion, outcome.Result.Approved, outcome.Result.Deviations));
        Assert.Contains(
            $$"""{"approved_by":"R. Reviewer","approved_on":"{{on}}","expires":"{{expires}}","reason":"break glass"}""",
            outcome.Rows()[0],
            StringComparison.Ordinal);
        Assert.Empty(outcome.Result.Waivers.Unmatched.Concat(outcome.Result.Waivers.Expired));
    }

    [Fact]
    public async Task The_last_day_of_a_waiver_is_over_in_UTC_and_nowhere_else()
    {
        var users = Some.Table(Some.Users, """{"name":"alice","mfa":false}""");
        var approvals = Some.Table(Some.Approvals, Some.Approval("alice", "2026-10-01"));
        var partition = Some.Partition("prod", ("users", users), ("approvals", approvals));
        Task<Some.Outcome> At(DateTimeOffset asOf) => Some.EvaluateAsync(Control, Some.Moment with { AsOf = asOf }, EvaluationLimits.Default, partition);
        Assert.Equal(Conclusion.Pass, (await At(new(2026, 10, 1, 23, 59, 59, TimeSpan.Zero))).Conclusion);
        Assert.Equal(Conclusion.Pass, (await At(new(2026, 10, 2, 1, 59, 59, TimeSpan.FromHours(2)))).Conclusion);
        Assert.Equal(Conclusion.Fail, (await At(new(2026, 10, 2, 0, 0, 0, TimeSpan.Zero))).Conclusion);
    }

    [Fact]
    public async Task A_waiver_for_another_spelling_of_the_item_approves_nothing_and_is_unmatched()
    {
        var outcome = await With(Some.Approval("Alice"), """{"name":"alice","mfa":false}""");
        Assert.Equal(Conclusion.Fail, outcome.Conclusion);
        Assert.Equal("Alice", Assert.Single(outcome.Result.Waivers.Unmatched).Item);
    }

    [Fact]
    public async Task A_waiver_does_not_decide_what_could_not_be_determined()
    {
        var outcome = await With(Some.Approval("alice"), """{"name":"alice"}""");
        Assert.Equal((Conclusion.Inconclusive, 1L), (outcome.Conclusion, outcome.Result.Undetermined));
        Assert.Single(outcome.Result.Waivers.Unmatched);
    }

    [Fact]
    public async Task A_waiver_table_that_was_not_read_whole_leaves_deviations_indicated()
    {
        Partition Partition(string users) => Some.Partition("prod", ("users", Some.Table(Some.Users, users)), ("approvals", Some.Denied(Some.Approvals)));
        var outcome = await Some.EvaluateAsync(Control, Partition("""{"name":"alice","mfa":false}"""));
        Assert.Equal((Conclusion.Inconclusive, 1L), (outcome.Conclusion, outcome.Result.Indicated));
        Assert.Single(outcome.Result.Limitations);
        Assert.Equal(Conclusion.Pass, (await Some.EvaluateAsync(Control, Partition("""{"name":"bob","mfa":true}"""))).Conclusion);
    }

    [Fact]
    public async Task An_approval_of_a_register_that_is_not_the_one_it_was_said_to_be_makes_no_pass()
    {
        var register = Some.Table(Some.Approvals, Some.Approval("alice")) with
        {
            Complete = false,
            Limitations =
            [
                new("approvals", "", "", "", "approvals", CollectionOutcome.Incomplete, "RowCountDiffers", "the input was said to have 7 rows and has 1", 1),
            ],
        };
        var outcome = await Some.EvaluateAsync(
            Control, Some.Partition("prod", ("users", Some.Table(Some.Users, """{"name":"alice","mfa":false}""")), ("approvals", register)));
        Assert.Equal((Conclusion.Inconclusive, 1L), (outcome.Conclusion, outcome.Result.Approved));
    }

    [Fact]
    public async Task An_input_that_was_not_supplied_approves_nothing_and_is_noted()
    {
        var outcome = await Some.EvaluateAsync(Control, Some.Partition("prod", ("users", Some.Table(Some.Users, """{"name":"alice","mfa":false}"""))));
        Assert.Equal(Conclusion.Fail, outcome.Conclusion);
        Assert.Contains("no such input", Assert.Single(outcome.Result.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_waiver_that_matches_in_one_partition_is_not_unmatched_because_of_another()
    {
        var approvals = Some.Table(Some.Approvals, Some.Approval("alice"));
        var outcome = await Some.EvaluateAsync(
            Control,
            Some.Partition("a", ("users", Some.Table(Some.Users, """{"name":"alice","mfa":false}""")), ("approvals", approvals)),
            Some.Partition("b", ("users", Some.Table(Some.Users, """{"name":"bob","mfa":true}""")), ("approvals", approvals)));
        Assert.Equal(Conclusion.Pass, outcome.Conclusion);
        Assert.Empty(outcome.Result.Waivers.Unmatched);
    }
}
