using System.Globalization;
using AuditCli.Tests.Commands;

namespace AuditCli.Tests.Bundles;

/// <summary>Tests how the sheets are read that people filled in.</summary>
public sealed class SheetReaderTests(AskedBundle asked) : IClassFixture<AskedBundle>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("yes,,seen,A. Preparer,NOW")]
    [InlineData("yes,-,,A. Preparer,NOW")]
    public async Task A_yes_without_anything_that_can_be_checked_does_not_count(string said)
    {
        var done = await ConcludeAsync(asked.Fill("answers.csv", ("OPS-XSR-902,H2", Timed(said))));
        Assert.Equal(["sheet0.csv:5: reference must say where a 'yes' can be checked, such as a ticket or a document"], Faults(done));
    }

    [Theory]
    [InlineData("n/a")]
    [InlineData("TBD")]
    [InlineData("none")]
    [InlineData("unknown")]
    [InlineData("nobody")]
    [InlineData("N.A.")]
    [InlineData("tbd.")]
    [InlineData("x")]
    [InlineData("pending")]
    [InlineData("null")]
    [InlineData("A")]
    [InlineData("the preparer")]
    [InlineData("myself")]
    public async Task Whoever_is_not_named_answers_and_decides_nothing(string by)
    {
        var done = await ConcludeAsync(
            asked.Fill("answers.csv", ("OPS-XSR-902,H2", Timed($"yes,ticket 7,,{by},NOW"))),
            asked.Fill("exceptions.csv", ("OPS-XSR-902", Timed($"new_risk,the system stays,{by},NOW"))));
        Assert.Equal(
            [
                "sheet0.csv:5: answered_by names nobody, so it is not the name of a person",
                "sheet1.csv:2: decided_by names nobody, so it is not the name of a person",
            ],
            Faults(done));
    }

    [Theory]
    [InlineData("n/a")]
    [InlineData("TBD")]
    [InlineData("none")]
    [InlineData("\u3164")]
    [InlineData("1")]
    [InlineData("ok")]
    [InlineData("see ticket")]
    [InlineData("none given")]
    public async Task A_reason_that_says_nothing_does_not_count(string why)
    {
        var done = await ConcludeAsync(
            asked.Fill(
                "answers.csv",
                ("OPS-XSR-902,H1", Timed($"na,,{why},A. Preparer,NOW")),
                ("OPS-XSR-902,H2", Timed($"yes,{why},,A. Preparer,NOW"))),
            asked.Fill("exceptions.csv", ("OPS-XSR-902", Timed($"not_a_deviation,{why},A. Preparer,NOW"))));
        Assert.Equal(
            [
                "sheet0.csv:4: note must say why the question does not apply",
                "sheet0.csv:5: reference must say where a 'yes' can be checked, such as a ticket or a document",
                "sheet1.csv:2: why must say why the exception is not_a_deviation",
            ],
            Faults(done));
    }

    [Theory]
    [InlineData("Reviewer R.")]
    [InlineData("RReviewer")]
    [InlineData("Rita Reviewer")]
    [InlineData("R. R\u00E9viewer")]
    [InlineData("R. Revie\u200Awer")]
    [InlineData("R. Revie\u3164wer")]
    [InlineData("R. Rev1ewer")]
    [InlineData("Second")]
    [InlineData("Sam Second")]
    public async Task Another_spelling_of_a_reviewer_answers_and_decides_nothing(string by)
    {
        var done = await ConcludeAsync(
            asked.Fill("answers.csv", ("OPS-XSR-902,H2", Timed($"yes,ticket 7,,{by},NOW"))),
            asked.Fill("exceptions.csv", ("OPS-XSR-902", Timed($"new_risk,the system stays,{by},NOW"))));
        Assert.Collection(
            Faults(done),
            f => Assert.Contains("who reviews this audit; another person must answer", f, StringComparison.Ordinal),
            f => Assert.Contains("who reviews this audit; another person must answer", f, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Quiet")]
    [InlineData("Quentin Quiet")]
    [InlineData("Q. Qu1et")]
    [InlineData("QQuiet")]
    public async Task A_person_of_the_team_answers_under_the_words_of_the_team_only(string by)
    {
        var done = await ConcludeAsync(asked.Fill("answers.csv", ("OPS-XSR-902,H2", Timed($"yes,ticket 7,,{by},NOW"))));
        Assert.Equal([$"sheet0.csv:5: answered_by is {by}, who is not in the team of the engagement"], Faults(done));
    }

    [Fact]
    public async Task A_text_that_no_report_could_show_does_not_count()
    {
        var done = await ConcludeAsync(asked.Fill("answers.csv", ("OPS-XSR-902,H2", Timed($"yes,ticket 7,{new string('n', 4001)},A. Preparer,NOW"))));
        Assert.Equal(["sheet0.csv:5: note has 4001 characters, more than the 4000 that reports show; put it into a document and name that"], Faults(done));
    }

    [Fact]
    public async Task Every_fault_of_every_line_is_named_in_one_go()
    {
        var answers = asked.Fill(
            "answers.csv",
            ("OPS-XSR-901,H1", "perhaps,,,R. Reviewer,yesterday"),
            ("OPS-XSR-901,H2", Timed("na,,,,NOW")),
            ("OPS-XSR-902,H1", "yes,,,X. Stranger,2999-01-01T00:00:00Z"),
            ("OPS-XSR-902,H2", Timed("yes,password=Hunter2!Hunter2!,password=Hunter3!Hunter3!,A. Preparer,NOW")))
            .Replace("Did the team, not the vendor, do it?", "Did anybody do it?", StringComparison.Ordinal);
        var exceptions = asked.Fill("exceptions.csv", ("OPS-XSR-902", "new_risk,,-,"));
        var done = await ConcludeAsync(answers, exceptions);
        Assert.Equal(
            [
                "sheet0.csv:5: holds what looks like a credential; remove it",
                "sheet0.csv:2: question was changed: it is 'Did the team, not the vendor, do it?' in the bundle",
                "sheet0.csv:2: answer is 'perhaps', not one of na, no, not_found, yes",
                "sheet0.csv:2: answered_by is R. Reviewer, who reviews this audit; another person must answer",
                "sheet0.csv:2: answered_at is 'yesterday', not a time such as 2026-11-30T09:00:00Z",
                "sheet0.csv:3: note must say why the question does not apply",
                "sheet0.csv:3: answered_by must name a person",
                "sheet0.csv:4: question was changed: it is 'Did the team, not the vendor, do it?' in the bundle",
                "sheet0.csv:4: reference must say where a 'yes' can be checked, such as a ticket or a document",
                "sheet0.csv:4: answered_by is X. Stranger, who is not in the team of the engagement",
                "sheet0.csv:4: answered_at is in the future",
                "sheet1.csv:2: why must say why the exception is new_risk",
                "sheet1.csv:2: decided_by has no letter, so it is not the name of a person",
                "sheet1.csv:2: decided_at is '', not a time such as 2026-11-30T09:00:00Z",
            ],
            Faults(done));
        Assert.Contains("14 faults; nothing was sealed", done.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_of_another_bundle_is_refused_with_its_own_faults()
    {
        var sheet = asked.Fill("answers.csv", ("OPS-XSR-901,H1", "yes,,,A. Preparer,"))
            .Replace("example-exchange-", "other-exchange-", StringComparison.Ordinal);
        var faults = Faults(await ConcludeAsync(sheet));
        Assert.Equal(3, faults.Length);
        Assert.Contains("is for bundle other-exchange-", faults[0], StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static string Timed(string said) => said.Replace(
        "NOW", DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture), StringComparison.Ordinal);

    private static string[] Faults(CommandResult done)
    {
        Assert.True(done.ExitCode == 2, done.ToString());
        return done.Error.ReplaceLineEndings("\n").TrimEnd().Split('\n')[..^1];
    }

    private Task<CommandResult> ConcludeAsync(params string[] sheets)
    {
        var files = sheets.Select((s, n) => _folder.Write($"sheet{n}.csv", s)).SelectMany(f => new[] { "--sheet", f });
        return AuditCommand.RunAsync(_folder.Path, ["conclude", asked.Bundle, .. files, "--out", "out", "--allow-unsigned"]);
    }
}
