using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace AuditCli.Tests.Running;

/// <summary>Runs the sample engagement through the real collectors and SDKs, without a cloud or a network.</summary>
public sealed class SampleTests : IClassFixture<SampleRun>
{
    private const int ReadmeWidth = 132;
    private static readonly Dictionary<string, string> Nothing = [];
    private readonly SampleRun _run;

    public SampleTests(SampleRun run) => _run = run;

    [Fact]
    public void The_sample_shows_every_conclusion_a_reader_should_know()
    {
        Assert.True(_run.Result.ExitCode == 2, _run.Result.ToString());
        foreach (var shown in new[] { "PASS", "FAIL", "INCONCLUSIVE", "AccessDenied", "REPLAY of exchanges recorded" })
            Assert.Contains(shown, _run.Result.Output, StringComparison.Ordinal);
        var controls = Results(_run.Bundle).GetProperty("controls").EnumerateArray().ToArray();
        Assert.Equal(14, controls.Length);
        var notes = controls.SelectMany(c => c.GetProperty("notes").EnumerateArray()).Select(n => n.GetString()!).ToArray();
        Assert.Contains(notes, n => n.StartsWith("policy_status: NoSuchBucketPolicy was accepted as 'there is none' (", StringComparison.Ordinal));
        Assert.DoesNotContain(notes, n => n.Contains(":  was accepted", StringComparison.Ordinal));
        Assert.Contains(controls, c => c.GetProperty("approved").GetInt64() > 0);
        Assert.Contains(Partitions(_run.Bundle).Select(p => p.Result), t => t.GetProperty("conclusion").GetString() == "NO_OCCURRENCE");
    }

    [Fact]
    public async Task A_replay_of_one_control_says_in_one_line_how_many_responses_were_not_used()
    {
        using var folder = new TemporaryFolder();
        var run = await AuditCommand.RunAsync(
            folder.Path, "run", Repository.Path("samples", "engagement.yaml"), "--control", "APD-AWS-004", "--out", "out", "-v");
        Assert.Matches(
            @"^\d+ recorded responses of \d+ files were not used$",
            Assert.Single(run.Output.Split('\n'), l => l.Contains("not used", StringComparison.Ordinal)).TrimEnd());
        Assert.Contains("Recorded responses of \"", run.Error, StringComparison.Ordinal);
    }

    /// <summary>
    /// Checks that a reader of any form sees which refusals a control took for "there is none": its pass rests on them. Without it such a pass
    /// looks like one over data.
    /// </summary>
    [Theory]
    [InlineData("show BUNDLE INF-AWS-001")]
    [InlineData("show BUNDLE INF-AWS-001 --output json")]
    [InlineData("report.html")]
    [InlineData("results.csv")]
    [InlineData("results.junit.xml")]
    [InlineData("results.oscal.json")]
    [InlineData("results.sarif")]
    [InlineData("summary.md")]
    [InlineData("workpaper.xlsx")]
    public async Task What_a_control_took_for_none_is_said_wherever_it_is_shown(string place)
    {
        var control = Results(_run.Bundle).GetProperty("controls").EnumerateArray().Single(c => c.GetProperty("id").GetString() == "INF-AWS-001");
        var notes = control.GetProperty("notes").EnumerateArray().Select(n => n.GetString()!)
            .Where(n => n.Contains("NoSuch", StringComparison.Ordinal)).ToArray();
        Assert.Equal(3, notes.Length);
        var file = Path.Combine(_run.Bundle, "data", "reports", place);
        string[] words = [.. place.Split(' ').Select(w => w == "BUNDLE" ? _run.Bundle : w)];
        var said = words.Length > 1 ? (await AuditCommand.RunAsync(_run.Folder, words)).Output
            : place.EndsWith(".xlsx", StringComparison.Ordinal) ? await SheetsAsync(file)
            : await File.ReadAllTextAsync(file);
        foreach (var escaped in new[] { "&#39;", "&apos;", "\\u0027", "\\'" })
            said = said.Replace(escaped, "'", StringComparison.Ordinal);
        Assert.All(notes, n => Assert.Contains(n, said, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_readmes_show_what_the_sample_prints()
    {
        using var folder = new TemporaryFolder();
        var host = AuditCommand.Host(folder.Path) with { OutputWidth = ReadmeWidth };
        var run = await AuditCommand.RunAsync(host, CancellationToken.None, "run", Repository.Path("samples", "engagement.yaml"), "--out", folder.Path);
        Assert.Equal(Masked(run.Output), Masked(Printed("samples", "README.md")));

        // The main README shows parts of the output; a line of three dots marks what it leaves out.
        var whole = string.Join(' ', Masked(run.Output));
        var at = 0;
        foreach (var part in Printed("README.md").Split("\n...\n").Select(p => string.Join(' ', Masked(p))))
        {
            var found = whole.IndexOf(part, at, StringComparison.Ordinal);
            Assert.True(found >= 0, part);
            at = found + part.Length;
        }
        Assert.Equal(whole.Length, at);

        static string Printed(params string[] page)
        {
            var readme = File.ReadAllText(Repository.Path(page));
            const string Command = "$ dotnet run --project src/AuditCli -- run samples/engagement.yaml\n";
            var from = readme.IndexOf(Command, StringComparison.Ordinal) + Command.Length;
            return readme[from..readme.IndexOf("\n```", from, StringComparison.Ordinal)];
        }

        // Masks the bundle's name and digest, which differ from run to run. Line ends are compared as spaces, because the README has no
        // trailing spaces.
        static string[] Masked(string text) => [.. System.Text.RegularExpressions.Regex.Replace(
                System.Text.RegularExpressions.Regex.Replace(text, @"(?m)^bundle .*$", "bundle"), @"(?m)^tagmanifest sha256 [0-9a-f]{64}", "tagmanifest")
            .Split((char[])['\n', '\r', ' '], StringSplitOptions.RemoveEmptyEntries)];
    }

    [Fact]
    public async Task Verify_accepts_the_bundle_and_says_that_nobody_signed_it()
    {
        var allowed = await AuditCommand.RunAsync(_run.Folder, "verify", _run.Bundle, "--allow-unsigned");
        Assert.True(allowed.ExitCode == 0, allowed.ToString());
        Assert.Contains("replay", allowed.Output, StringComparison.OrdinalIgnoreCase);
        var undecided = await AuditCommand.RunAsync(_run.Folder, "verify", _run.Bundle);
        Assert.Equal(3, undecided.ExitCode);
    }

    [NeedsFact("sha256sum")]
    public async Task Coreutils_confirm_every_file_of_the_bundle()
    {
        foreach (var manifest in new[] { "tagmanifest-sha256.txt", "manifest-sha256.txt" })
        {
            var checkedBy = await AuditCommand.OtherAsync(_run.Bundle, "sha256sum", "-c", "--strict", "--quiet", manifest);
            Assert.True(checkedBy.ExitCode == 0, checkedBy.ToString());
        }
    }

    [NeedsFact("node")]
    public async Task An_independent_reader_agrees_with_every_digest_of_every_exchange()
    {
        var files = Directory.GetFiles(Path.Combine(_run.Bundle, "data", "exchanges"), "*.warc.gz", SearchOption.AllDirectories);
        var read = await AuditCommand.OtherAsync(Repository.Path("tests", "tools"), "node", ["warc-check.mjs", .. files]);
        Assert.True(read.ExitCode == 0, read.ToString());
        var found = JsonDocument.Parse(read.Output).RootElement;
        Assert.Equal(files.Length, found.GetProperty("files").GetInt32());
        Assert.True(found.GetProperty("types").GetProperty("response").GetInt32() > 20, read.Output);
    }

    [Fact]
    public async Task Two_replays_are_the_same_bytes_in_tables_results_and_index()
    {
        using var again = new TemporaryFolder();
        var result = await AuditCommand.RunAsync(again.Path, "run", Repository.Path("samples", "engagement.yaml"), "--out", again.Path);
        Assert.True(result.ExitCode == 2, result.ToString());
        var other = AuditCommand.TheBundle(again.Path);
        foreach (var part in new[] { "data/tables", "data/results", "data/evidence", "data/controls", "data/inputs" })
            SameContents(_run.Bundle, other, part);
    }

    [Fact]
    public void Every_item_starts_before_it_ends_and_every_exchange_of_it_is_within()
    {
        var (items, ofCalls) = (0, 0);
        foreach (var item in Evidence.Bundles.EvidenceIndex.Read(_run.Bundle))
        {
            items++;
            Assert.True(item.Started <= item.Finished, $"{item.Operation} in {item.Account} {item.Region} ends at {item.Finished:O}, before {item.Started:O}");
            var dates = item.Exchanges.Select(e => e.Date).ToList();
            if (item.Calls is { } calls)
            {
                using var rows = new Evidence.Tables.TableReader(Path.Combine(_run.Bundle, calls));
                var before = dates.Count;
                dates.AddRange(rows.ReadRows()
                    .SelectMany(r => r.GetProperty("exchanges").EnumerateArray()).Select(e => e.GetProperty("date").GetDateTimeOffset()));
                ofCalls += dates.Count - before;
            }
            Assert.All(dates, d => Assert.InRange(d, item.Started, item.Finished));
            if (dates.Count == 0)
                continue;
            Assert.Equal((dates.Min(), dates.Max()), (item.Started, item.Finished));
            Assert.True(
                item.ReadFrom <= item.ReadUntil && item.ClockOffsetSeconds == 0,
                $"{item.Operation} in {item.Account} {item.Region}: {item.ReadFrom:O} {item.ReadUntil:O} {item.ClockOffsetSeconds}");
        }
        Assert.True(items > 100 && ofCalls > 50, $"{items} items, {ofCalls} exchanges of calls: this shows little");
    }

    [Fact]
    public void Each_test_says_whether_it_speaks_of_a_state_or_of_the_period_and_when_its_evidence_was_read()
    {
        var tests = Partitions(_run.Bundle).Select(p => (Name: $"{p.Control} {p.Result.GetProperty("id").GetString()}", Test: p.Result)).ToArray();
        var period = tests.Where(t => t.Test.GetProperty("mode").GetString() == "period").Select(t => t.Name).Distinct();
        Assert.Equal(["APD-AWS-001 T3", "APD-XSR-001 T2", "LOG-AWS-001 T2", "LOG-AWS-001 T3"], period.Order(StringComparer.Ordinal));
        Assert.All(tests, t => Assert.True(t.Test.GetProperty("read_from").GetDateTimeOffset() <= t.Test.GetProperty("read_until").GetDateTimeOffset()));
        var summary = File.ReadAllText(Path.Combine(_run.Bundle, "data", "reports", "summary.md"));
        Assert.Contains("T1: the state as of", summary, StringComparison.Ordinal);
        Assert.Contains("T2, T3: the period 2026", summary, StringComparison.Ordinal);
    }

    /// <summary>Half of what is asked has nothing to answer, and half of a bundle's files would say so.</summary>
    [Fact]
    public void A_table_without_rows_has_no_file_and_every_other_one_has_its_own()
    {
        var index = Evidence.Bundles.EvidenceIndex.Items(_run.Bundle).ToArray();
        Assert.Contains(index, i => i.Outcome == Evidence.CollectionOutcome.Complete && i is { Items: 0, Table: null, Columns.IsEmpty: false });
        Assert.Contains(index, i => i is { IsPerParent: true, Calls: null });
        Assert.All(index, i => Assert.Equal(i.Items == 0, i.Table is null));
        Assert.Equal(
            index.SelectMany(i => new[] { i.Table, i.Calls }).OfType<string>().Distinct().Order(StringComparer.Ordinal),
            Directory.GetFiles(Path.Combine(_run.Bundle, "data", "tables")).Select(f => Path.GetRelativePath(_run.Bundle, f)).Order(StringComparer.Ordinal));
    }

    [NeedsFact("root", "unshare")]
    public async Task Without_a_network_a_home_or_credentials_the_sample_is_the_same()
    {
        using var folder = new TemporaryFolder();
        var offline = await AuditCommand.ProcessAsync(
            folder.Path, Nothing, ["unshare", "-n", "--"], "run", Repository.Path("samples", "engagement.yaml"), "--out", folder.Path);
        Assert.True(offline.ExitCode == 2, offline.ToString());
        SameContents(_run.Bundle, AuditCommand.TheBundle(folder.Path), "data/results");
    }

    [Fact]
    public async Task The_result_as_json_names_the_bundle_and_its_seal()
    {
        using var folder = new TemporaryFolder();
        var result = await AuditCommand.RunAsync(folder.Path, "run", Repository.Path("samples", "engagement.yaml"), "--out", folder.Path, "--output", "json");
        var json = JsonDocument.Parse(result.Output).RootElement;
        var bundle = json.GetProperty("bundle").GetString()!;
        Assert.Equal("replay", json.GetProperty("mode").GetString());
        var seal = Evidence.Digest.Of(await File.ReadAllBytesAsync(Path.Combine(bundle, "tagmanifest-sha256.txt")));
        Assert.Equal(seal.Hex, json.GetProperty("tagmanifest_sha256").GetString());
        Assert.Equal(14, json.GetProperty("controls").GetArrayLength());
        Assert.True(json.GetProperty("conclusions").GetProperty("FAIL").GetInt32() > 0);
    }

    internal static JsonElement Results(string bundle) =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(bundle, "data", "results", "results.json"))).RootElement;

    /// <summary>Returns every result of a test in a partition, with its control.</summary>
    internal static IEnumerable<(string Control, JsonElement Result)> Partitions(string bundle) => Results(bundle).GetProperty("controls").EnumerateArray()
        .Where(c => c.TryGetProperty("partitions", out _)).Select(c => c.GetProperty("id").GetString()!)
        .SelectMany(c => BundleForgery.Partitions(bundle, c).Select(r => (c, r)));

    /// <summary>
    /// Checks that both bundles hold the same files with the same bytes below that folder, and shows the first difference.
    /// </summary>
    internal static void SameContents(string bundle, string other, string part)
    {
        var (left, right) = (Contents(bundle, part), Contents(other, part));
        Assert.Equal(left.Keys, right.Keys);
        foreach (var (file, digest) in left.Where(f => right[f.Key] != f.Value))
            Assert.Fail($"{file} differs:\n{Beginning(bundle, file)}\n{Beginning(other, file)} ({digest})");

        static string Beginning(string folder, string file) =>
            File.ReadAllText(Path.Combine(folder, file)) is { Length: > 3000 } text ? text[..3000] : File.ReadAllText(Path.Combine(folder, file));
    }

    /// <summary>Returns the parts of a workbook as one text.</summary>
    private static async Task<string> SheetsAsync(string workbook)
    {
        var text = new StringBuilder();
        await using var zip = await ZipFile.OpenReadAsync(workbook);
        foreach (var entry in zip.Entries)
        {
            using var part = new StreamReader(await entry.OpenAsync());
            text.Append(await part.ReadToEndAsync());
        }
        return text.ToString();
    }

    /// <summary>Returns every file below a folder of the bundle with its digest.</summary>
    private static SortedDictionary<string, string> Contents(string bundle, string part) => new(
        Directory.EnumerateFiles(Path.Combine(bundle, part), "*", SearchOption.AllDirectories)
            .ToDictionary(f => Path.GetRelativePath(bundle, f), f => Evidence.Digest.Of(File.ReadAllBytes(f)).Hex),
        StringComparer.Ordinal);
}

/// <summary>One run of the sample, of which each class has a copy.</summary>
public sealed class SampleRun : IAsyncLifetime, IDisposable
{
    private static readonly MadeOnce<CommandResult> Once = new(async folder =>
    {
        var run = await AuditCommand.RunAsync(folder, "run", Repository.Path("samples", "engagement.yaml"), "--out", folder);
        Assert.True(run.ExitCode == 2, run.ToString());
        return run;
    });

    private readonly TemporaryFolder _folder = new();

    public string Folder => _folder.Path;
    public CommandResult Result { get; private set; } = new(0, "", "");
    public string Bundle { get; private set; } = "";

    public async Task InitializeAsync()
    {
        Result = await Once.CopyToAsync(Folder);
        Bundle = AuditCommand.TheBundle(Folder);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();
}
