using System.IO.Compression;
using System.Text;
using System.Text.Json;
using DuckDB.NET.Data;

namespace AuditCli.Tests.Running;

/// <summary>
/// A run over files with personal columns: what is kept of the values are digests, which can be joined, and anybody can do the run again.
/// </summary>
public sealed class PersonalColumnTests : IDisposable
{
    private const string Leaver = "zoe.kestrel@example.org";
    private const string Stayer = "ana.lindqvist@example.org";

    private const string Control = """
        schema: 1
        id: APD-XSR-902
        version: 1.0.0
        title: Leavers have no badge
        objective: Who left does not come in.
        risk: A stranger is in the building.
        domain: access-to-programs-and-data
        nature: { type: detective, execution: automated }
        frequency: daily
        kind: operating-effectiveness
        mode: period
        key_control: false
        owner: Security
        references: { soc2-tsc: [CC6.1] }
        evidence:
          leavers: { file: leavers, columns: { id: text, email: { type: text, personal: true } } }
          badges:  { file: badges, columns: { holder: { type: text, personal: true }, since: text } }
        completeness: { none: There is one list of each. }
        tests:
          - id: T1
            title: No badge is a leaver's
            sql: |
              SELECT l.id AS item, NOT EXISTS (SELECT 1 FROM badges b WHERE b.holder = l.email) AS pass, 'badge of ' || l.email AS reason, l.email
              FROM leavers l
        recommendation: Take the badge back.
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("xlsx")]
    [InlineData("parquet")]
    [InlineData("json")]
    public async Task A_file_of_another_format_is_kept_without_its_personal_values_and_joined_with_the_others(string format)
    {
        Write("csv", "", $"{{\"holder\":\"{Leaver}\",\"since\":\"2020\"}}\n");
        _folder.Write("engagement.yaml", File.ReadAllText(Path.Combine(_folder.Path, "engagement.yaml"))
            .Replace("leavers.csv", $"leavers.{format}", StringComparison.Ordinal));
        WriteLeavers(Path.Combine(_folder.Path, $"leavers.{format}"));
        var run = await AuditCommand.RunAsync(_folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(run.ExitCode == 2, run.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        var rows = File.ReadLines(Path.Combine(bundle, "data/results/apd-xsr-902.t1.ndjson")).Select(l => JsonElement.Parse(l)).ToArray();
        Assert.Equal(["1 deviation", "2 pass"], rows.Select(r => $"{r.GetProperty("item")} {r.GetProperty("verdict")}"));
        Assert.DoesNotContain(Directory.EnumerateFiles(bundle, "*", SearchOption.AllDirectories), f => Holds(f, Leaver) || Holds(f, Stayer));
        Assert.DoesNotContain("kestrel", run.ToString(), StringComparison.Ordinal);
        var again = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Fact]
    public async Task No_personal_value_is_in_the_bundle_or_on_the_screen_and_the_files_are_still_joined()
    {
        Write(
            "csv",
            $"id,email\n1,{Leaver}\n2,other@example.org\n",
            $"{{\"holder\":\"{Leaver} \",\"since\":\"2020\"}}\n{{\"holder\":\"{Stayer}\",\"since\":\"2021\"}}\n");
        var run = await AuditCommand.RunAsync(_folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(run.ExitCode == 2, run.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        var rows = File.ReadLines(Path.Combine(bundle, "data/results/apd-xsr-902.t1.ndjson")).Select(l => JsonElement.Parse(l)).ToArray();
        Assert.Equal(["1 deviation", "2 pass"], rows.Select(r => $"{r.GetProperty("item")} {r.GetProperty("verdict")}"));
        Assert.Matches("^badge of hmac-sha256:[0-9a-f]{64}$", rows[0].GetProperty("reason").GetString()!);

        var holding = Directory.EnumerateFiles(bundle, "*", SearchOption.AllDirectories).Where(f => Holds(f, Leaver) || Holds(f, Stayer));
        Assert.Empty(holding);
        Assert.DoesNotContain("kestrel", run.ToString(), StringComparison.Ordinal);

        var inputs = JsonElement.Parse(File.ReadAllText(Path.Combine(bundle, "data/run.json"))).GetProperty("inputs").EnumerateArray().ToArray();
        foreach (var (input, file, column) in new[] { (inputs[0], "badges.ndjson", "holder"), (inputs[1], "leavers.csv", "email") })
        {
            Assert.Equal(Sha256(Path.Combine(_folder.Path, file)), input.GetProperty("original_sha256").GetString());
            Assert.Equal(Sha256(Path.Combine(bundle, input.GetProperty("file").GetString()!)), input.GetProperty("sha256").GetString());
            Assert.Equal([column], input.GetProperty("personal").EnumerateArray().Select(c => c.GetString()));
        }

        var again = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
        // A digest of an original is believed only where the copy is not the original.
        BundleForgery.Replace(bundle, "data/run.json", "\"personal\":[\"holder\"]", "\"personal\":[\"since\"]");
        BundleForgery.Reseal(bundle);
        Assert.Equal(2, (await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned")).ExitCode);
    }

    [Fact]
    public async Task A_run_that_is_finished_later_still_says_which_file_was_supplied()
    {
        StoppedRunOfSample.Write(_folder.Path);
        foreach (var file in Directory.EnumerateFiles(Repository.Path("controls"), "*.yaml", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(Repository.Path("controls"), file);
            _folder.Write($"library/{name}", Path.GetFileName(file) == "APD-AWS-002.yaml"
                ? File.ReadAllText(file).Replace("approved_by: text", "approved_by: { type: text, personal: true }", StringComparison.Ordinal)
                : File.ReadAllText(file));
        }
        var run = await AuditCommand.RunAsync(
            _folder.Path, "run", "engagement.yaml", "--controls", "library", "--control", "APD-AWS-002", "--out", "out");
        Assert.True(run.ExitCode == 1, run.ToString());
        var partial = Directory.GetDirectories(Path.Combine(_folder.Path, "out")).Single();
        var finished = await AuditCommand.RunAsync(_folder.Path, "run", "--resume", partial, "--allow-secrets");
        Assert.True(finished.ExitCode is 0 or 2, finished.ToString());
        var record = JsonElement.Parse(File.ReadAllText(Path.Combine(AuditCommand.TheBundle(Path.Combine(_folder.Path, "out")), "data/run.json")));
        var input = record.GetProperty("inputs").EnumerateArray().Single(i => i.TryGetProperty("personal", out _));
        var supplied = Sha256(Path.Combine(_folder.Path, "inputs", "break-glass-register.csv"));
        Assert.Equal(supplied, input.GetProperty("original_sha256").GetString());
        Assert.NotEqual(supplied, input.GetProperty("sha256").GetString());
    }

    private void Write(string format, string leavers, string badges)
    {
        _folder.Write("library/access-to-programs-and-data/APD-XSR-902.yaml", Control);
        _folder.Write($"leavers.{format}", leavers);
        _folder.Write("badges.ndjson", badges);
        _folder.Write("engagement.yaml", $$"""
            schema: 1
            entity: Example Exchange
            name: Badges
            period: { start: 2026-09-01, end: 2026-11-15 }
            preparer: A. Preparer
            reviewer: R. Reviewer
            library: library
            inputs:
              badges: { file: badges.ndjson, obtained_from: Security, obtained_on: 2026-11-16, how: watched by the auditor }
              leavers: { file: leavers.{{format}}, obtained_from: People, obtained_on: 2026-11-16, how: watched by the auditor }
            targets:
              prod: { aws: { regions: [us-east-1] } }
            """);
    }

    private static void WriteLeavers(string path)
    {
        switch (Path.GetExtension(path))
        {
            case ".json":
                File.WriteAllText(path, $"[{{\"id\":\"1\",\"email\":\"{Leaver}\"}},\n{{\"id\":\"2\",\"email\":\"{Stayer}\"}}]");
                break;
            case ".xlsx":
                string[][] rows = [["id", "email"], ["1", Leaver], ["2", Stayer]];
                File.WriteAllBytes(path, WrittenWorkbook.Of([("Leavers", "", $"<sheetData>{string.Concat(rows.Select(r =>
                    $"<row>{string.Concat(r.Select(t => $"<c t=\"inlineStr\"><is><t>{t}</t></is></c>"))}</row>"))}</sheetData>")]));
                break;
            default:
                using (var connection = new DuckDBConnection("DataSource=:memory:"))
                {
                    connection.Open();
                    using var command = connection.CreateCommand();
                    command.CommandText = $"COPY (SELECT * FROM (VALUES ('1', '{Leaver}'), ('2', '{Stayer}')) t(id, email)) TO '{path}' (FORMAT parquet)";
                    command.ExecuteNonQuery();
                }
                break;
        }
    }

    /// <summary>Whether a file holds a text, also compressed or in the parts of a workbook.</summary>
    private static bool Holds(string path, string text)
    {
        if (Path.GetExtension(path) == ".xlsx")
        {
            using var zip = ZipFile.OpenRead(path);
            return zip.Entries.Any(e =>
            {
                using var reader = new StreamReader(e.Open());
                return reader.ReadToEnd().Contains(text, StringComparison.Ordinal);
            });
        }
        using var file = File.OpenRead(path);
        using Stream content = Path.GetExtension(path) == ".gz" ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var all = new StreamReader(content, Encoding.Latin1);
        return all.ReadToEnd().Contains(text, StringComparison.Ordinal);
    }

    private static string Sha256(string path) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)));
}
