using System.IO.Compression;
using System.Text.Json;
using AuditCli.Tests.Commands;

namespace AuditCli.Tests.Reports;

/// <summary>A bundle in which people answered some questions, and said something of an exception.</summary>
public sealed class AnsweredBundle : IAsyncLifetime, IDisposable
{
    public AskedBundle Asked { get; } = new();

    public string Bundle { get; private set; } = "";

    public string Output { get; private set; } = "";

    public async Task InitializeAsync()
    {
        await Asked.InitializeAsync();
        var now = DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", System.Globalization.CultureInfo.InvariantCulture);
        var (answers, exceptions) = (Path.Combine(Asked.Folder, "answers.csv"), Path.Combine(Asked.Folder, "exceptions.csv"));
        await File.WriteAllTextAsync(answers, Asked.Fill(
            "answers.csv",
            ("OPS-XSR-901,H1,", $"yes,ticket 7,seen on site,A. Preparer,{now}"),
            ("OPS-XSR-902,H1,", $"no,,nobody restored it,Q. Quiet,{now}")));
        await File.WriteAllTextAsync(exceptions, Asked.Fill("exceptions.csv", ("OPS-XSR-902", $"not_a_deviation,the system was retired,A. Preparer,{now}")));
        var done = await AuditCommand.RunAsync(
            Asked.Folder, "conclude", Asked.Bundle, "--sheet", answers, "--sheet", exceptions, "--allow-unsigned", "--out", "said");
        Assert.True(done.ExitCode == 0, done.ToString());
        (Bundle, Output) = (AuditCommand.TheBundle(Path.Combine(Asked.Folder, "said")), done.Output);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => Asked.Dispose();
}

/// <summary>Tests that what people said is where a reader looks for the control and for the exception.</summary>
public sealed class PeopleNotesTests(AnsweredBundle answered) : IClassFixture<AnsweredBundle>
{
    private const string Answer = "question H1 (Did the team, not the vendor, do it?) is answered yes by A. Preparer at ";
    private const string Support = "; reference: ticket 7; seen on site";
    private const string No = "question H1 (Did the team, not the vendor, do it?) is answered no by Q. Quiet at ";
    private const string Said = "that it is not a deviation: the system was retired; its verdict stays";

    private string Folder => answered.Asked.Folder;

    [Theory]
    [InlineData("show BUNDLE OPS-XSR-902")]
    [InlineData("show BUNDLE OPS-XSR-902 T1")]
    [InlineData("show BUNDLE OPS-XSR-902 --output json")]
    [InlineData("show BUNDLE OPS-XSR-902 T1 --output json")]
    public async Task Show_of_a_control_and_of_a_test_prints_what_people_said(string words)
    {
        var shown = await RunAsync(words);
        Assert.True(shown.ExitCode == 0, shown.ToString());
        Assert.Contains(Said, shown.Output, StringComparison.Ordinal);
        Assert.Contains("nobody restored it", shown.Output, StringComparison.Ordinal);
        if (!words.Contains("json", StringComparison.Ordinal))
            Assert.Contains(No, shown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_says_what_supports_an_answer_and_which_questions_are_open()
    {
        var shown = await RunAsync("show BUNDLE OPS-XSR-901");
        Assert.Contains(Answer, shown.Output, StringComparison.Ordinal);
        Assert.Contains(Support, shown.Output, StringComparison.Ordinal);
        Assert.Contains("question H2 is open: Was it repeated?", shown.Output, StringComparison.Ordinal);
        Assert.Single(shown.Output.Split("question H2 is open").Skip(1));
        var again = $"next: auditcli conclude {Path.GetFileName(answered.Asked.Bundle)} --sheets DIR (the collected bundle";
        Assert.Contains(again, shown.Output, StringComparison.Ordinal);
        Assert.Contains(again, (await RunAsync("show BUNDLE")).Output, StringComparison.Ordinal);
        Assert.Contains(again, answered.Output, StringComparison.Ordinal);
        var json = JsonElement.Parse((await RunAsync("show BUNDLE --output json")).Output).GetProperty("controls")[0];
        Assert.Equal("H2", Assert.Single(json.GetProperty("open_questions").EnumerateArray()).GetProperty("id").GetString());
    }

    [Fact]
    public async Task A_bundle_that_nobody_answered_names_its_open_questions_and_the_next_command()
    {
        var (bundle, asked) = (answered.Asked.Bundle, answered.Asked);
        var show = await AuditCommand.RunAsync(Folder, "show", bundle);
        foreach (var printed in new[] { asked.RunOutput, show.Output })
        {
            Assert.Contains("question H1 is open: Did the team, not the vendor, do it?", printed, StringComparison.Ordinal);
            Assert.Contains("question H2 is open: Was it repeated?", printed, StringComparison.Ordinal);
            Assert.Contains($"next: auditcli conclude {bundle} --sheets DIR", printed, StringComparison.Ordinal);
        }
        foreach (var report in new[] { "summary.md", "report.html", "results.csv" })
        {
            var text = await File.ReadAllTextAsync(Path.Combine(bundle, "data", "reports", report));
            Assert.Contains("question H2 is open: Was it repeated?", text, StringComparison.Ordinal);
            Assert.Contains("next: auditcli conclude BUNDLE --sheets DIR", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_exceptions_of_the_reports_say_what_people_said()
    {
        var reports = Path.Combine(answered.Bundle, "data", "reports");
        var summary = (await File.ReadAllTextAsync(Path.Combine(reports, "summary.md"))).Split("### Exceptions of ");
        Assert.Contains(Answer, summary.Single(s => s.StartsWith("OPS-XSR-901", StringComparison.Ordinal)), StringComparison.Ordinal);
        var section = summary.Single(s => s.StartsWith("OPS-XSR-902", StringComparison.Ordinal));
        Assert.Contains(No, section, StringComparison.Ordinal);
        Assert.Contains("| a person says |", section, StringComparison.Ordinal);
        Assert.Contains($"{Said} |", section, StringComparison.Ordinal);

        var html = await File.ReadAllTextAsync(Path.Combine(reports, "report.html"));
        Assert.Contains("<h4>What people answered</h4>", html, StringComparison.Ordinal);
        Assert.Contains("<dt>A person says</dt>", html, StringComparison.Ordinal);
        Assert.Contains(Said, html, StringComparison.Ordinal);

        using var workbook = ZipFile.OpenRead(Path.Combine(reports, "workpaper.xlsx"));
        var sheets = workbook.Entries.Where(e => e.FullName.StartsWith("xl/worksheets/", StringComparison.Ordinal)).Select(Text).ToArray();
        var exceptions = Assert.Single(sheets, s => s.Contains("true exception?", StringComparison.Ordinal));
        Assert.Contains("a person says", exceptions, StringComparison.Ordinal);
        var own = Assert.Single(sheets, s => s.Contains("9  Exceptions", StringComparison.Ordinal) && s.Contains(Said, StringComparison.Ordinal));
        Assert.All([exceptions, own], s => Assert.Contains(No, s, StringComparison.Ordinal));
        Assert.Contains(Said, exceptions, StringComparison.Ordinal);
        Assert.Contains("To be answered: H2", string.Concat(sheets), StringComparison.Ordinal);
        Assert.DoesNotContain("To be answered: H1", string.Concat(sheets), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("md")]
    [InlineData("json")]
    public async Task Diff_prints_what_people_answered_and_what_they_say_of_an_exception(string format)
    {
        var diff = await AuditCommand.RunAsync(Folder, "diff", answered.Asked.Bundle, answered.Bundle, "--allow-unsigned", "--format", format);
        Assert.True(diff.ExitCode == 0, diff.ToString());
        Assert.Contains(Said, diff.Output, StringComparison.Ordinal);
        Assert.Contains("no answer", diff.Output, StringComparison.Ordinal);
        Assert.Contains("yes by A. Preparer at ", diff.Output, StringComparison.Ordinal);
        Assert.Contains("reference: ticket 7", diff.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sql_reads_answers_and_dispositions_with_the_words_of_the_sheets()
    {
        var answers = await QueryAsync("SELECT control, question, answer, answered_by, reference, note FROM results.answers ORDER BY ALL");
        Assert.Equal(
            "control,question,answer,answered_by,reference,note\n"
            + "OPS-XSR-901,H1,yes,A. Preparer,ticket 7,seen on site\n"
            + "OPS-XSR-902,H1,no,Q. Quiet,,nobody restored it\n",
            answers);
        var joined = await QueryAsync(
            "SELECT d.control, i.item, i.verdict, d.disposition, d.why, d.decided_by, d.decided_at IS NOT NULL AS at "
            + "FROM results.dispositions d JOIN results.items i USING (exception_id)");
        Assert.Equal(
            "control,item,verdict,disposition,why,decided_by,at\n"
            + "OPS-XSR-902,trading,deviation,not_a_deviation,the system was retired,A. Preparer,true\n",
            joined);
    }

    private static string Text(ZipArchiveEntry entry)
    {
        using var reader = new StreamReader(entry.Open());
        return reader.ReadToEnd();
    }

    private async Task<string> QueryAsync(string sql)
    {
        var answer = await AuditCommand.RunAsync(Folder, "query", answered.Bundle, sql, "--format", "csv");
        Assert.True(answer.ExitCode == 0, answer.ToString());
        return answer.Output.ReplaceLineEndings("\n");
    }

    private Task<CommandResult> RunAsync(string words) =>
        AuditCommand.RunAsync(Folder, words.Split(' ').Select(w => w == "BUNDLE" ? answered.Bundle : w).ToArray());
}
