using System.Text.Json;
using AuditCli.Evidence.Attestation;

namespace AuditCli.Tests.Commands;

/// <summary>A bundle with questions to people: one control that passes but for them, and one that fails.</summary>
public sealed class AskedBundle : IAsyncLifetime, IDisposable
{
    private const string Control = """
        schema: 1
        id: ID
        version: 1.0.0
        title: Restores are tested
        objective: Every restore is tested.
        risk: Nobody knows.
        domain: computer-operations
        nature: { type: detective, execution: automated }
        frequency: continuous
        kind: operating-effectiveness
        mode: point-in-time
        key_control: false
        owner: Test
        references: {}
        evidence:
          restores: { file: restore-tests, columns: { system: text, tested_on: date } }
        completeness: { none: a test }
        tests:
          - id: T1
            title: It was tested
            sql: SELECT r.system AS item, PASSES AS pass, 'never tested' AS reason FROM restores r
        human_attributes:
          - { id: H1, question: "Did the team, not the vendor, do it?" }
          - { id: H2, question: Was it repeated? }
        recommendation: Test them.
        """;

    private readonly TemporaryFolder _folder = new();

    public string Folder => _folder.Path;

    public string Bundle { get; private set; } = "";

    public string RunOutput { get; private set; } = "";

    public async Task InitializeAsync()
    {
        foreach (var (id, pass) in new[] { ("OPS-XSR-901", "r.system IS NOT NULL"), ("OPS-XSR-902", "r.tested_on IS NOT NULL") })
        {
            var control = Control.Replace("ID", id, StringComparison.Ordinal).Replace("PASSES", pass, StringComparison.Ordinal);
            _folder.Write($"lib/computer-operations/{id}.yaml", control);
        }
        _folder.Write("restores.csv", "system,tested_on\ntrading,\nledger,2026-10-01\n");
        _folder.Write("engagement.yaml", """
            schema: 1
            entity: Example Exchange
            name: Files only
            period: { start: 2026-09-01, end: 2026-11-15 }
            as_of: 2026-11-16T00:00:00Z
            preparer: A. Preparer
            reviewer: R. Reviewer
            team:
              - { name: S. Second, role: reviewer }
              - { name: Q. Quiet, role: respondent }
            library: lib
            targets: {}
            inputs:
              restore-tests: { file: restores.csv, obtained_from: backup, obtained_on: 2026-11-16, how: export, stated_rows: 2 }
            """);
        var run = await AuditCommand.RunAsync(Folder, "run", "engagement.yaml", "--out", "out");
        Assert.True(run.ExitCode == 2, run.ToString());
        (Bundle, RunOutput) = (AuditCommand.TheBundle(Path.Combine(Folder, "out")), run.Output);
        var sheets = await AuditCommand.RunAsync(Folder, "conclude", Bundle, "--sheets", "empty", "--allow-unsigned");
        Assert.True(sheets.ExitCode == 0, sheets.ToString());
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();

    /// <summary>Returns a sheet whose lines end as given, by the words with which a line can be found.</summary>
    public string Fill(string sheet, params (string Line, string Said)[] said)
    {
        var lines = File.ReadAllText(Path.Combine(Folder, "empty", sheet)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        foreach (var (words, text) in said)
        {
            var n = Array.FindIndex(lines, l => l.Contains(words, StringComparison.Ordinal));
            Assert.True(n > 0, words);
            lines[n] = lines[n].TrimEnd(',') + "," + text;
        }
        return string.Concat(lines.Select(l => l + "\r\n"));
    }
}

/// <summary>Tests the conclusion of a bundle with people's answers.</summary>
public sealed class ConcludeTests(AskedBundle asked) : IClassFixture<AskedBundle>, IDisposable
{
    private const string Q1 = "OPS-XSR-901,H1,";
    private const string Q2 = "OPS-XSR-901,H2,";
    private readonly TemporaryFolder _folder = new();

    private static string Now => DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", System.Globalization.CultureInfo.InvariantCulture);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Empty_sheets_ask_every_question_and_list_every_exception()
    {
        Assert.Equal(5, asked.Fill("answers.csv").Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length);
        var exception = Assert.Single(asked.Fill("exceptions.csv").Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1));
        Assert.Contains(",OPS-XSR-902,T1,,trading,deviation,never tested,,,,", exception, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("yes", "yes", "PASS")]
    [InlineData("yes", "na", "PASS")]
    [InlineData("yes", "", "NEEDS_REVIEW")]
    [InlineData("no", "", "FAIL")]
    [InlineData("yes", "not_found", "FAIL")]
    public async Task An_answer_resolves_what_was_open_or_makes_it_worse(string first, string second, string conclusion)
    {
        var said = new List<(string, string)> { (Q1, $"{first},ticket 7,,A. Preparer,{Now}") };
        if (second.Length > 0)
            said.Add((Q2, $"{second},ticket 9,because,A. Preparer,{Now}"));
        var done = await ConcludeAsync(asked.Fill("answers.csv", [.. said]));
        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Equal(conclusion, Conclusion(done.Bundle, "OPS-XSR-901"));
        Assert.Equal("FAIL", Conclusion(done.Bundle, "OPS-XSR-902"));
        await IsWholeAndRepeatsAsync(done.Bundle);
    }

    [Fact]
    public async Task Nothing_that_a_person_says_makes_a_pass_of_a_fail()
    {
        var answers = asked.Fill("answers.csv", ("OPS-XSR-902,H1,", $"yes,ticket 7,,A. Preparer,{Now}"), ("OPS-XSR-902,H2,", $"yes,ticket 7,,Q. Quiet,{Now}"));
        var exceptions = asked.Fill("exceptions.csv", ("OPS-XSR-902", $"not_a_deviation,the system was retired,A. Preparer,{Now}"));
        var done = await ConcludeAsync(answers, exceptions);
        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Equal("FAIL", Conclusion(done.Bundle, "OPS-XSR-902"));
        var said = "that it is not a deviation: the system was retired; its verdict stays";
        Assert.Contains(said, done.Output, StringComparison.Ordinal);
        Assert.Contains(said, await File.ReadAllTextAsync(Path.Combine(done.Bundle, "data", "reports", "summary.md")), StringComparison.Ordinal);
        var show = await AuditCommand.RunAsync(_folder.Path, "show", done.Bundle, "OPS-XSR-902", "T1", "trading");
        Assert.Contains(said, show.Output, StringComparison.Ordinal);
        await IsWholeAndRepeatsAsync(done.Bundle);
    }

    public static TheoryData<string, string> Faults => new()
    {
        { "yes,ticket 7,,R. Reviewer,NOW", "answered_by is R. Reviewer, who reviews this audit; another person must answer" },
        { "yes,ticket 7,, r. reviewer ,NOW", "who reviews this audit" },
        { "yes,ticket 7,,\"R.\u00a0Reviewer\u200b\",NOW", "who reviews this audit" },
        { "yes,ticket 7,,\"Reviewer, R\",NOW", "who reviews this audit" },
        { "yes,ticket 7,,R. Reviewer (reviews),NOW", "who reviews this audit" },
        { "yes,ticket 7,,R\u2024 Reviewer,NOW", "who reviews this audit" },
        { "yes,ticket 7,,\uff32. Reviewer,NOW", "who reviews this audit" },
        { "yes,ticket 7,,R. Revi\u0435wer,NOW", "answered_by mixes Latin and Cyrillic letters, so it is not the name of a person" },
        { "yes,ticket 7,,\ud835\udc11. Reviewer,NOW", "answered_by has letters of a special form" },
        { "yes,ticket 7,,-,NOW", "answered_by has no letter" },
        { "yes,ticket 7,,S. Second,NOW", "answered_by is S. Second, who reviews this audit; another person must answer" },
        { "yes,ticket 7,,X. Stranger,NOW", "answered_by is X. Stranger, who is not in the team of the engagement" },
        { "yes,ticket 7,,,NOW", "answered_by must name a person" },
        { "yes,ticket 7,,A. Preparer,", "answered_at is '', not a time" },
        { "yes,ticket 7,,A. Preparer,2026-11-15T00:00:00Z", "is before" },
        { "yes,ticket 7,,A. Preparer,2999-01-01T00:00:00Z", "answered_at is in the future" },
        { "perhaps,,,A. Preparer,NOW", "answer is 'perhaps', not one of na, no, not_found, yes" },
        { "na,,,A. Preparer,NOW", "note must say why the question does not apply" },
        { "yes,password=Hunter2!Hunter2!,,A. Preparer,NOW", "holds what looks like a credential" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task An_answer_that_does_not_count_is_named_and_nothing_is_sealed(string said, string because)
    {
        var done = await ConcludeAsync(asked.Fill("answers.csv", (Q1, said.Replace("NOW", Now, StringComparison.Ordinal))));
        Refused(done, because);
    }

    [Theory]
    [InlineData("Was it repeated?", "Was it good?", "question was changed: it is 'Was it repeated?' in the bundle")]
    [InlineData("OPS-XSR-901,H2", "OPS-XSR-901,H9", "OPS-XSR-901 H9 is not a question of the bundle's controls")]
    [InlineData("OPS-XSR-901,H1", "OPS-XSR-901,H2", "question was changed")]
    [InlineData("example-exchange-", "other-exchange-", "is for bundle other-exchange-")]
    [InlineData(",", ";", "has semicolons between its columns; save it with commas")]
    [InlineData("answer,reference", "answer,because", "is neither a sheet of answers nor one of dispositions")]
    public async Task A_sheet_of_another_bundle_or_with_another_question_is_refused(string was, string now, string because)
    {
        var sheet = asked.Fill("answers.csv", (Q1, $"yes,ticket 7,,A. Preparer,{Now}"), (Q2, $"yes,ticket 7,,A. Preparer,{Now}"));
        Refused(await ConcludeAsync(sheet.Replace(was, now, StringComparison.Ordinal)), because);
    }

    [Fact]
    public async Task A_bundle_whose_folder_was_renamed_is_concluded_under_its_own_name()
    {
        var renamed = Path.Combine(_folder.Path, "renamed");
        Directory.Move(BundleForgery.Copy(asked.Bundle, _folder.Path), renamed);
        var sheet = _folder.Write("answers.csv", asked.Fill("answers.csv", (Q1, $"yes,ticket 7,,A. Preparer,{Now}")));
        var done = await AuditCommand.RunAsync(_folder.Path, "conclude", renamed, "--sheet", sheet, "--allow-unsigned", "--out", "renamed-out");
        Assert.True(done.ExitCode == 0, done.ToString());
        await IsWholeAndRepeatsAsync(AuditCommand.TheBundle(Path.Combine(_folder.Path, "renamed-out")));
    }

    [Fact]
    public async Task A_line_that_is_answered_twice_is_refused()
    {
        var sheet = asked.Fill("answers.csv", (Q1, $"yes,ticket 7,,A. Preparer,{Now}"));
        Refused(await ConcludeAsync(sheet, sheet), "OPS-XSR-901 H1 has been answered on an earlier line");
    }

    [Fact]
    public async Task An_exception_that_the_bundle_does_not_have_is_refused()
    {
        var sheet = asked.Fill("exceptions.csv", ("OPS-XSR-902", $"true_deviation,,A. Preparer,{Now}"));
        var id = sheet.Split("\r\n")[1].Split(',')[2];
        Refused(await ConcludeAsync(sheet.Replace(id, "OPS-XSR-902/X/0123456789ab", StringComparison.Ordinal)), "is not an exception of the bundle");
    }

    [Fact]
    public async Task Without_any_answer_nothing_is_sealed() => Refused(await ConcludeAsync(asked.Fill("answers.csv")), "no line of the sheets is filled in");

    [Fact]
    public async Task A_concluded_bundle_is_not_concluded_again_but_the_bundle_that_it_was_made_over()
    {
        var done = await ConcludeAsync(asked.Fill("answers.csv", (Q1, $"yes,ticket 7,,A. Preparer,{Now}")));
        var again = await AuditCommand.RunAsync(_folder.Path, "conclude", done.Bundle, "--sheets", "more", "--allow-unsigned");
        Assert.Equal(1, again.ExitCode);
        Assert.Contains($"name the bundle that it was made over, {Path.GetFileName(asked.Bundle)}", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_archive_may_lie_elsewhere_and_until_it_is_back_nothing_is_decided()
    {
        var done = await ConcludeAsync([asked.Fill("answers.csv", (Q1, $"yes,ticket 7,,A. Preparer,{Now}"))], "--archives-at", "s3://evidence/2026");
        Assert.True(done.ExitCode == 0, done.ToString());
        var archive = $"{Path.GetFileName(asked.Bundle)}.tar";
        Assert.Contains($"s3://evidence/2026/{archive} ", await File.ReadAllTextAsync(Path.Combine(done.Bundle, "fetch.txt")), StringComparison.Ordinal);
        foreach (var command in new[] { "verify", "reperform", "report --format md", "show", "query \"SELECT count(*) FROM results.items\"" })
        {
            var words = command.Split('"') is [var before, var sql, ..] ? [before.Trim(), sql] : command.Split(' ');
            string[] trust = words[0] is "verify" or "reperform" or "report" ? ["--allow-unsigned"] : [];
            var result = await AuditCommand.RunAsync(_folder.Path, [words[0], done.Bundle, .. words[1..], .. trust]);
            Assert.True(result.ExitCode == 3, result.ToString());
            Assert.Contains("0 of 1 shards are here", result.Output + result.Error, StringComparison.Ordinal);
        }
        Directory.CreateDirectory(Path.Combine(done.Bundle, "data", "shards"));
        File.Move(Path.Combine(_folder.Path, "out", archive), Path.Combine(done.Bundle, "data", "shards", archive));
        await IsWholeAndRepeatsAsync(done.Bundle);
    }

    [Fact]
    public async Task A_signed_bundle_is_concluded_by_another_person_with_another_key()
    {
        using var collector = SigningKey.Create();
        using var reviewer = SigningKey.Create();
        var (first, second) = (_folder.Write("first.pem", collector.PrivatePem(null)), _folder.Write("second.pem", reviewer.PrivatePem(null)));
        var copy = Path.Combine(_folder.Path, Path.GetFileName(asked.Bundle));
        BundleForgery.Copy(asked.Bundle, _folder.Path);
        Assert.Equal(0, (await AuditCommand.RunAsync(_folder.Path, "seal", copy, "--sign", first)).ExitCode);
        var sheet = _folder.Write("answers.csv", asked.Fill("answers.csv", (Q1, $"yes,ticket 7,,A. Preparer,{Now}")));
        var (one, other) = (_folder.Write("first.pub", collector.PublicPem), _folder.Write("second.pub", reviewer.PublicPem));
        var done = await AuditCommand.RunAsync(_folder.Path, "conclude", copy, "--sheet", sheet, "--trust", one, "--sign", second, "--out", "signed");
        Assert.True(done.ExitCode == 0, done.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "signed"));
        Assert.Equal(0, (await AuditCommand.RunAsync(_folder.Path, "verify", bundle, "--trust", one, "--trust", other)).ExitCode);
        // The collected bundle must be by a trusted key as well.
        Assert.Equal(2, (await AuditCommand.RunAsync(_folder.Path, "verify", bundle, "--trust", other)).ExitCode);
    }

    [Theory]
    [InlineData("data/people/1.csv", "yes", "nay", "sheets")]
    [InlineData("data/results/results.json", "\"NEEDS_REVIEW\"", "\"PASS\"", "results.json")]
    public async Task What_was_edited_afterwards_is_found_when_the_conclusion_is_repeated(string file, string was, string now, string named)
    {
        var done = await ConcludeAsync(asked.Fill("answers.csv", (Q1, $"yes,ticket 7,,A. Preparer,{Now}")));
        var path = Path.Combine(done.Bundle, file);
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path)).Replace(was, now, StringComparison.Ordinal));
        BundleForgery.Reseal(done.Bundle);
        var again = await AuditCommand.RunAsync(_folder.Path, "reperform", done.Bundle, "--allow-unsigned");
        Assert.Equal(2, again.ExitCode);
        Assert.Contains(named, again.Output, StringComparison.Ordinal);
    }

    [NeedsFact("node")]
    public async Task Its_files_are_as_the_published_schemas_say()
    {
        var done = await ConcludeAsync(
            asked.Fill("answers.csv", (Q1, $"yes,ticket,note,A. Preparer,{Now}")),
            asked.Fill("exceptions.csv", ("OPS-XSR-902", $"new_risk,because,A. Preparer,{Now}")));
        foreach (var (schema, file) in new[] { ("run", "run.json"), ("results", "results/results.json"), ("shards", "shards.jsonl") })
            Assert.Empty(await Bundles.BundleSchemaTests.ErrorsAsync(schema, Path.Combine(done.Bundle, "data", file)));
    }

    [Fact]
    public async Task Killed_at_any_moment_it_leaves_nothing_that_looks_whole_and_the_collected_bundle_as_it_was()
    {
        var before = await AuditCommand.RunAsync(_folder.Path, "verify", asked.Bundle, "--allow-unsigned");
        var sheet = _folder.Write("answers.csv", asked.Fill("answers.csv", (Q1, $"yes,ticket 7,,A. Preparer,{Now}")));
        var random = new Random(7);
        for (var n = 0; n < (LongRun.IsWhole ? 50 : 3); n++)
        {
            var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, $"killed{n}")).FullName;
            using (var process = AuditCommand.Start(
                _folder.Path, new Dictionary<string, string>(), [], "conclude", asked.Bundle, "--sheet", sheet, "--out", folder, "--allow-unsigned"))
            {
                for (var wait = 0; wait < 600 && !process.HasExited && Directory.GetDirectories(folder).Length == 0; wait++)
                    await Task.Delay(10);
                await Task.Delay(random.Next(400));
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync();
            }
            foreach (var left in Directory.GetDirectories(folder))
            {
                var report = await AuditCommand.RunAsync(_folder.Path, "verify", left, "--allow-unsigned");
                Assert.True(report.ExitCode == (left.EndsWith(".partial", StringComparison.Ordinal) ? 2 : 0), report.ToString());
                if (!Directory.Exists(Path.Combine(left, "data", "people")) || report.ExitCode == 0)
                    continue;
                var resumed = await AuditCommand.RunAsync(_folder.Path, "run", "--resume", left);
                Assert.True(resumed.ExitCode == 1, resumed.ToString());
                Assert.Contains("delete it and conclude again", resumed.Error, StringComparison.Ordinal);
            }
        }
        Assert.Equal(before, await AuditCommand.RunAsync(_folder.Path, "verify", asked.Bundle, "--allow-unsigned"));
    }

    [Theory]
    [InlineData(
        "data/shards.jsonl", "\"units\":[]", "\"units\":[{\"target\":\"prod\",\"account\":\"1\"}]", "read other accounts than its record says")]
    [InlineData("data/shards.jsonl", "\"started\":\"2", "\"started\":\"1", "gives other times of ")]
    [InlineData("data/run.json", ",\"concluded\":{", ",\"concluded\":{\"_\":1,", "unknown member")]
    [InlineData("data/run.json", "\"concluded\":{\"bundle_id\":\"example", "\"concluded\":{\"bundle_id\":\"another", "says that another")]
    public async Task What_the_list_and_the_record_say_of_the_collected_bundle_must_be_true(string file, string was, string now, string because)
    {
        var done = await ConcludeAsync(asked.Fill("answers.csv", (Q1, $"yes,ticket 7,,A. Preparer,{Now}")));
        BundleForgery.Replace(done.Bundle, file, was, now);
        BundleForgery.Reseal(done.Bundle);
        foreach (var command in new[] { "show", "query" })
        {
            var result = await AuditCommand.RunAsync(_folder.Path, command, done.Bundle);
            Assert.True(result.ExitCode == 2 && result.Output.Length == 0, result.ToString());
            Assert.Contains(because, result.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("--sheets BUNDLE/sheets", "--sheets ")]
    [InlineData("--sheet answers.csv --out BUNDLE", "--out ")]
    [InlineData("--sheet nosuch.csv", "nosuch.csv")]
    [InlineData("--sheet answers.csv --sheets more", "give one of them")]
    [InlineData("--sheet answers.csv --archives-at ftp://store", "is not an address of https, s3 or gs")]
    [InlineData("--sheet answers.csv --archives-at https://me:secret@store", "user information")]
    [InlineData("", "say --sheets DIR")]
    public async Task What_cannot_be_done_is_said_and_changes_nothing(string options, string because)
    {
        _folder.Write("answers.csv", asked.Fill("answers.csv", (Q1, $"yes,ticket 7,,A. Preparer,{Now}")));
        var words = options.Replace("BUNDLE", asked.Bundle, StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var result = await AuditCommand.RunAsync(_folder.Path, ["conclude", asked.Bundle, "--allow-unsigned", .. words]);
        Assert.True(result.ExitCode == 1 && result.Output.Length == 0, result.ToString());
        Assert.Contains(because, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "bundles")));
    }

    private static void Refused((int ExitCode, string Output, string Error, string Bundle) done, string because)
    {
        Assert.Equal(2, done.ExitCode);
        Assert.Contains(because, done.Error, StringComparison.Ordinal);
        Assert.Contains("nothing was sealed", done.Error, StringComparison.Ordinal);
        Assert.Equal("", done.Bundle);
    }

    private static string Conclusion(string bundle, string control) => JsonElement
        .Parse(File.ReadAllBytes(Path.Combine(bundle, "data", "results", "results.json")))
        .GetProperty("controls").EnumerateArray().First(c => c.GetProperty("id").GetString() == control).GetProperty("conclusion").GetString()!;

    private async Task IsWholeAndRepeatsAsync(string bundle)
    {
        var verify = await AuditCommand.RunAsync(_folder.Path, "verify", bundle, "--allow-unsigned");
        Assert.True(verify.ExitCode == 0, verify.ToString());
        Assert.Contains("1 of 1 are here", verify.Output, StringComparison.Ordinal);
        var again = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    private Task<(int ExitCode, string Output, string Error, string Bundle)> ConcludeAsync(params string[] sheets) => ConcludeAsync(sheets, []);

    private async Task<(int ExitCode, string Output, string Error, string Bundle)> ConcludeAsync(string[] sheets, params string[] options)
    {
        var files = sheets.Select((s, n) => _folder.Write($"sheet{n}.csv", s)).SelectMany(f => new[] { "--sheet", f });
        var done = await AuditCommand.RunAsync(_folder.Path, ["conclude", asked.Bundle, .. files, "--out", "out", "--allow-unsigned", .. options]);
        var folder = Path.Combine(_folder.Path, "out");
        return (done.ExitCode, done.Output, done.Error, Directory.Exists(folder) && Directory.GetDirectories(folder) is [var bundle] ? bundle : "");
    }
}
