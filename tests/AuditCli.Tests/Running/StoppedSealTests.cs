using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace AuditCli.Tests.Running;

/// <summary>A seal that the last search stops, and what finishes it; and what a control's SQL puts together, which stops none.</summary>
public sealed partial class StoppedSealTests(StoppedRunOfSample stopped) : IClassFixture<StoppedRunOfSample>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>What a test puts together, and what its rows show of it.</summary>
    private static readonly (string Sql, string Shown)[] Texts =
    [
        ("'password=' || UserId", "(a credential)"),
        ("'see token: ' || UserId || ', please'", "(a credential)"),
        ("'Authorization: Bearer ' || UserId || '0123456789'", "(a credential)"),
        ("'{\"password\":\"' || UserId || '\"}'", "(a credential)"),
        // As the author of a control would, without the words themselves in the file.
        ("'pass' || 'word=Hun' || 'ter2!'", "(a credential)"),
        ("'the user ' || UserName", "the user "),
    ];

    [Fact]
    public async Task What_sql_makes_look_like_a_credential_is_replaced_where_rows_are_written()
    {
        var run = await RunControlAsync(
        [
            .. Texts.Select(t =>
                $"SELECT UserName AS item, FALSE AS pass, {t.Sql} AS reason, {t.Sql} AS note, [{t.Sql}] AS list, UserId AS api_key FROM users"),
        ]);
        Assert.True(run.ExitCode == 2, run.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        Assert.Equal(Texts.Length, Directory.GetFiles(Path.Combine(bundle, "data", "results"), "*.t?.ndjson").Length);
        foreach (var (n, (_, shown)) in Texts.Index())
        {
            var rows = File.ReadAllLines(Path.Combine(bundle, "data", "results", $"apd-aws-900.t{n + 1}.ndjson")).Select(l => JsonElement.Parse(l)).ToArray();
            Assert.NotEmpty(rows);
            Assert.All(rows, r =>
            {
                Assert.Equal("deviation", r.GetProperty("verdict").GetString());
                Assert.Contains(shown, r.GetProperty("reason").GetString(), StringComparison.Ordinal);
                Assert.Contains(shown, r.GetProperty("attributes").GetProperty("note").GetString(), StringComparison.Ordinal);
                Assert.Contains(shown, r.GetProperty("attributes").GetProperty("list")[0].GetString(), StringComparison.Ordinal);
                Assert.Equal("(a credential)", r.GetProperty("attributes").GetProperty("api_key").GetString());
            });
        }
        Assert.Empty(Json(bundle, "run.json").GetProperty("secrets_allowed").EnumerateArray());
        await HoldsUpAsync(bundle);
    }

    [Fact]
    public async Task An_item_that_looks_like_a_credential_is_an_error_of_its_test_that_says_what_to_do()
    {
        var run = await RunControlAsync(["SELECT 'password=' || UserId AS item, FALSE AS pass, 'none' AS reason FROM users"]);
        Assert.True(run.ExitCode == 3, run.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        var test = SampleTests.Partitions(bundle).First().Result;
        Assert.Equal("ERROR", test.GetProperty("conclusion").GetString());
        Assert.Contains("identify the object by its name, not by its content", test.GetProperty("error").GetString(), StringComparison.Ordinal);
        await HoldsUpAsync(bundle);
    }

    [Fact]
    public async Task A_count_that_looks_like_a_credential_is_replaced_too()
    {
        var run = await RunControlAsync(
            ["SELECT UserName AS item, TRUE AS pass, 'none' AS reason FROM users"], "SELECT 'password=' || max(UserId) FROM users",
            "SELECT min(UserId) FROM users");
        Assert.True(run.ExitCode == 3, run.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        Assert.Contains("password=(a credential)", SampleTests.Partitions(bundle).First().Result.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotMatch("password=[0-9a-z]", run.ToString());
        await HoldsUpAsync(bundle);
    }

    [Fact]
    public async Task What_the_last_search_stopped_is_finished_without_asking_again_and_says_so()
    {
        Assert.Contains("data/exchanges/prod/iam-aws-global.warc.gz, near character", stopped.Result.Error, StringComparison.Ordinal);
        // A replay copies what was recorded, so its advice is another one than that of the folder, which asks nobody.
        Assert.Contains("a replay copies unchanged: record them again with this version", stopped.Result.Error, StringComparison.Ordinal);
        Assert.Contains($"'auditcli run --resume {stopped.Partial}' finishes it without sending any request", stopped.Result.Error, StringComparison.Ordinal);

        var partial = stopped.CopyTo(_folder.Path);
        // What stopped it stops it again, unless somebody answers for it.
        var again = await AuditCommand.RunAsync(_folder.Path, "run", "--resume", partial);
        Assert.True(again.ExitCode == 1, again.ToString());
        Assert.Contains("inspect the file; if it is not one, seal it unchanged with --allow-secrets", again.Error, StringComparison.Ordinal);

        // The copy lies beside no engagement and no recording.
        var resumed = await AuditCommand.RunAsync(_folder.Path, "run", "--resume", partial, "--allow-secrets", "--output", "json");
        Assert.True(resumed.ExitCode == 2, resumed.ToString());
        var bundle = JsonElement.Parse(resumed.Output).GetProperty("bundle").GetString()!;
        var record = Json(bundle, "run.json");
        Assert.Equal(Path.GetFileName(partial), record.GetProperty("resumed").GetProperty("bundle_id").GetString() + ".partial");
        Assert.Contains("data/exchanges/prod/iam-aws-global.warc.gz", record.GetProperty("secrets_allowed").EnumerateArray().Select(f => f.GetString()));
        Assert.Equal(
            JsonElement.Parse(File.ReadAllText(Path.Combine(partial, "data", "run.json"))).GetProperty("started").GetString(),
            record.GetProperty("started").GetString());
        Assert.Contains("Resumed from", File.ReadAllText(Path.Combine(bundle, "data", "log.clef")), StringComparison.Ordinal);
        Assert.Contains(
            "collected by a run that could not be sealed",
            File.ReadAllText(Path.Combine(bundle, "data", "reports", "summary.md")),
            StringComparison.Ordinal);
        Assert.Equal(
            File.ReadAllText(Path.Combine(partial, "data", "results", "results.json")),
            File.ReadAllText(Path.Combine(bundle, "data", "results", "results.json")));
        await HoldsUpAsync(bundle);
    }

    [Theory]
    [InlineData("exchange", "data/exchanges/prod/iam-aws-global.warc.gz was changed or added since")]
    [InlineData("table", ".ndjson.gz was changed or added since")]
    [InlineData("index", "data/evidence/index.jsonl was changed or added since")]
    [InlineData("control", "data/controls/apd-aws-002.yaml was changed or added since")]
    [InlineData("engagement", "data/engagement.yaml was changed or added since")]
    [InlineData("input", "was changed or added since")]
    [InlineData("record", "data/run.json was changed or added since")]
    [InlineData("added", "data/exchanges/prod/more.warc.gz was changed or added since")]
    [InlineData("taken", "was removed since then")]
    [InlineData("link", "is a link")]
    [InlineData("interrupted", "the run was stopped before anything was collected, or ")]
    [InlineData("renamed", "it is no '<bundle-id>.partial' folder of a run")]
    [InlineData("nowhere", "it is no '<bundle-id>.partial' folder of a run")]
    [InlineData("control and manifest", "controls cannot be run by this version")]
    [InlineData("engagement and manifest", "its engagement is not the one that was run")]
    [InlineData("table and manifest", "no longer produce the tables that were built from them")]
    public async Task A_folder_that_is_not_as_the_run_left_it_is_refused_by_name(string change, string said)
    {
        var partial = stopped.CopyTo(_folder.Path);
        var data = Path.Combine(partial, "data");
        var exchange = Path.Combine(data, "exchanges", "prod", "iam-aws-global.warc.gz");
        var table = Directory.GetFiles(Path.Combine(data, "tables"), "*.gz").Order(StringComparer.Ordinal).First();
        switch (change.Split(' ')[0])
        {
            case "exchange": File.AppendAllText(exchange, "x"); break;
            case "table" when change == "table": File.AppendAllText(table, "x"); break;
            case "table": ForgeTable(partial); break;
            case "index": File.AppendAllText(Path.Combine(data, "evidence", "index.jsonl"), "\n"); break;
            case "control": File.AppendAllText(Path.Combine(data, "controls", "apd-aws-002.yaml"), "nonsense: 1\n"); break;
            case "engagement": File.AppendAllText(Path.Combine(data, "engagement.yaml"), "# later\n"); break;
            case "input": File.AppendAllText(Directory.GetFiles(Path.Combine(data, "inputs"), "*", SearchOption.AllDirectories)[0], "a,b\n"); break;
            case "record": File.AppendAllText(Path.Combine(data, "run.json"), " "); break;
            case "added": File.Copy(exchange, Path.Combine(data, "exchanges", "prod", "more.warc.gz")); break;
            case "taken": File.Delete(table); break;
            case "link": File.Delete(table); File.CreateSymbolicLink(table, exchange); break;
            case "interrupted": File.Delete(Path.Combine(partial, "manifest-sha256.txt")); break;
            case "renamed": Directory.Move(partial, partial = partial.Replace(".partial", "", StringComparison.Ordinal)); break;
            default: partial += "x.partial"; break;
        }
        if (change.EndsWith(" and manifest", StringComparison.Ordinal))
            Manifest(partial);
        var before = Directory.GetDirectories(Path.Combine(_folder.Path, "out")).Length;
        var result = await AuditCommand.RunAsync(_folder.Path, "run", "--resume", partial, "--allow-secrets");
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(
            Directory.GetDirectories(Path.Combine(_folder.Path, "out")),
            d => !d.EndsWith(".partial", StringComparison.Ordinal) && d != partial);
        if (!change.StartsWith("table and", StringComparison.Ordinal))
            Assert.Equal(before, Directory.GetDirectories(Path.Combine(_folder.Path, "out")).Length);
    }

    [Theory]
    [InlineData("engagement.yaml")]
    [InlineData("--control", "APD-AWS-002")]
    [InlineData("--target", "prod")]
    [InlineData("--pack", "quick")]
    [InlineData("--controls", ".")]
    [InlineData("--aws")]
    public async Task Who_resumes_chooses_nothing_else(params string[] more)
    {
        var result = await AuditCommand.RunAsync(_folder.Path, ["run", "--resume", "x.partial", .. more]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"--resume takes everything from the folder, so leave out {more[0]}", result.Error, StringComparison.Ordinal);
    }

    /// <summary>All of them in <c>.ci/long</c>; here the one that keeps nothing from anybody.</summary>
    public static TheoryData<string> Umasks => [.. LongRun.Sample(["000", "022", "777"], 3)];

    [Theory]
    [MemberData(nameof(Umasks))]
    public async Task Whatever_a_process_writes_is_for_its_owner_alone_whatever_the_umask(string umask)
    {
        if (OperatingSystem.IsWindows())
            return;
        StoppedRunOfSample.Write(_folder.Path);
        var program = $"dotnet '{Path.Combine(AppContext.BaseDirectory, "auditcli.dll")}'";
        // The first is stopped by a credential, and leaves a partial folder; the second finds exceptions.
        var result = await AuditCommand.ShellAsync(_folder.Path, new Dictionary<string, string>(), $"""
            set -e -o pipefail
            umask {umask}
            status=0
            {program} run engagement.yaml --control APD-AWS-002 --out made/stopped || status=$?
            [ $status = 1 ]
            status=0
            {program} run '{Repository.Path("samples", "engagement.yaml")}' --control APD-AWS-002 --out made/sealed || status=$?
            [ $status = 2 ]
            B=$(echo made/sealed/*)
            {program} report "$B" --format all --out made/reports --allow-unsigned
            {program} query "$B" 'FROM results.items' --format parquet --out made/items.parquet
            {program} query "$B" 'FROM results.items' --format csv --out made/items.csv
            ID=$({program} query "$B" 'SELECT exception_id FROM results.items WHERE exception_id IS NOT NULL LIMIT 1' --format csv |
                tail -1 | tr -d '\r')
            {program} show "$B" "$ID" --html made/card.html
            {program} keys new made/auditor.pem --no-passphrase
            {program} seal "$B" --sign made/auditor.pem --locker made/sealed
            {program} init made/begun
            """);
        Assert.True(result.ExitCode == 0, result.ToString());
        var made = Path.Combine(_folder.Path, "made");
        var folders = Directory.GetDirectories(made, "*", SearchOption.AllDirectories);
        var files = Directory.GetFiles(made, "*", SearchOption.AllDirectories);
        Assert.True(
            folders.Any(d => d.EndsWith(".partial", StringComparison.Ordinal)) && files.Any(f => f.EndsWith("card.html", StringComparison.Ordinal)),
            result.ToString());
        string[] expected =
        [
            "log.clef", "bagit.txt", "run.json", "items.parquet", "items.csv", "workpaper.xlsx", "index.jsonl",
            "statement.json", "statement.sig", "statement.sigstore.json", "signer.pub.pem", "head", "head.lock", "auditor.pem", "auditor.pem.pub", ".gitignore",
        ];
        Assert.True(expected.All(n => files.Any(f => Path.GetFileName(f) == n)), result.ToString());
        foreach (var path in folders.Concat(files))
        {
            var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            if (Directory.Exists(path))
                mode |= UnixFileMode.UserExecute;
            // What the verifier gets is for everybody to read.
            if (path.EndsWith("auditor.pem.pub", StringComparison.Ordinal))
                mode |= UnixFileMode.GroupRead | UnixFileMode.OtherRead;
            Assert.True(File.GetUnixFileMode(path) == mode, $"{path} is {File.GetUnixFileMode(path)}");
        }
    }

    /// <summary>Runs one control over the sample's users, with a test for each SQL.</summary>
    private Task<CommandResult> RunControlAsync(
        string[] tests, string count = "SELECT count(UserId) FROM users", string other = "SELECT count(*) FROM users")
    {
        var listed = string.Concat(tests.Select((sql, n) => $"""
              - id: T{n + 1}
                attribute: {(char)('A' + n)}
                severity: medium
                title: Users
                sql: |
                  {sql}

            """));
        _folder.Write("library/access-to-programs-and-data/APD-AWS-900.yaml", $"""
            schema: 1
            id: APD-AWS-900
            version: 1.0.0
            title: Users are shown
            objective: Tests what the SQL of a control may write.
            risk: None.
            domain: access-to-programs-and-data
            nature: {"{"} type: preventive, execution: automated {"}"}
            frequency: continuous
            kind: operating-effectiveness
            mode: point-in-time
            key_control: false
            owner: Tests
            references:
              soc2-tsc: [CC6.1]
            evidence:
              users: {"{"} aws: iam:ListUsers {"}"}
            completeness:
              - name: every user has an id
                sql: {count}
                equals: {other}
            tests:
            {listed.TrimEnd()}
            recommendation: None.
            """);
        var text = File.ReadAllText(Repository.Path("samples", "engagement.yaml")).Replace("library: ../controls", "library: library", StringComparison.Ordinal)
            .Replace("replay: exchanges/", $"replay: {Repository.Path("samples", "exchanges")}", StringComparison.Ordinal);
        _folder.Write("engagement.yaml", Sections().Replace(text, ""));
        return AuditCommand.RunAsync(_folder.Path, "run", "engagement.yaml", "--target", "prod", "--out", "out");
    }

    /// <summary>Changes a row of a table, and the digest that the index has of it.</summary>
    private static void ForgeTable(string partial)
    {
        var index = Path.Combine(partial, "data", "evidence", "index.jsonl");
        var line = File.ReadLines(index)
            .First(l => l.Contains("iam:ListUsers", StringComparison.Ordinal) && l.Contains("111122223333", StringComparison.Ordinal));
        var item = JsonElement.Parse(line);
        var table = Path.Combine(partial, item.GetProperty("table").GetString()!);
        BundleForgery.ReplaceInTable(table, "elena.marsh", "elena.march");
        File.WriteAllText(index, File.ReadAllText(index).Replace(
            item.GetProperty("table_sha256").GetString()!, Evidence.Digest.Of(File.ReadAllBytes(table)).Hex, StringComparison.Ordinal));
    }

    private static void Manifest(string partial) => File.WriteAllText(Path.Combine(partial, "manifest-sha256.txt"), string.Concat(
        Directory.GetFiles(Path.Combine(partial, "data"), "*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(partial, f)).Order(StringComparer.Ordinal)
            .Select(f => string.Create(CultureInfo.InvariantCulture, $"{Evidence.Digest.Of(File.ReadAllBytes(Path.Combine(partial, f)))}  {f}\n"))));

    private async Task HoldsUpAsync(string bundle)
    {
        foreach (var command in new[] { "verify", "reperform" })
        {
            var result = await AuditCommand.RunAsync(_folder.Path, command, bundle, "--allow-unsigned");
            Assert.True(result.ExitCode == 0, $"{command}: {result}");
        }
    }

    private static JsonElement Json(string bundle, string file) => JsonElement.Parse(File.ReadAllText(Path.Combine(bundle, "data", file)));

    /// <summary>What the sample's engagement says of its own controls and inputs.</summary>
    [GeneratedRegex(@"^(controls|inputs):\n((  .*)?\n)+", RegexOptions.Multiline)]
    private static partial Regex Sections();
}
