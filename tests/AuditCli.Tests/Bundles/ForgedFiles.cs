using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Tests.Bundles;

/// <summary>
/// A run over supplied files alone, shared by a class: a control with approvals, one whose evidence is incomplete and whose counts differ, one with a
/// test over each, one that the engagement leaves out, one with registers whose rows match nothing, and one that cannot be tested.
/// </summary>
public sealed class FilesRun : IAsyncLifetime, IDisposable
{
    private const string Shared = """
        version: 1.0.0
        objective: Every account is known.
        risk: Nobody knows.
        domain: access-to-programs-and-data
        nature: { type: detective, execution: automated }
        frequency: continuous
        kind: operating-effectiveness
        mode: point-in-time
        key_control: false
        owner: Test
        references: { soc2-tsc: [CC6.1] }
        recommendation: Know them.
        """;

    private const string Accounts = "accounts: { file: accounts, columns: { name: text, level: integer } }";
    private const string Broken = "broken: { file: broken, columns: { name: text, level: integer } }";

    private static readonly Dictionary<string, string> Controls = new(StringComparer.Ordinal)
    {
        ["APD-XSR-901"] = $$"""
            title: Approved
            parameters:
              level: { type: integer, default: 1, min: 0, max: 9, why: The standard. }
            evidence:
              {{Accounts}}
              counted: { file: counted, columns: { total: integer } }
              approved: { file: approvals, columns: { item: text, approved_by: text, approved_on: date, reason: text, expires: date } }
            completeness:
              - { name: as many as counted, sql: SELECT count(*) FROM accounts, equals: SELECT max(total) FROM counted }
            tests:
              - { id: T1, title: The level is low, sql: "SELECT a.name AS item, a.level <= $level AS pass, 'too high' AS reason FROM accounts a" }
              - { id: T2, title: There is a count, sql: "SELECT 'count' AS item, c.total > 0 AS pass, 'none' AS reason FROM counted c" }
            waivers: { from: approved, item: item, expires: expires, approved_by: approved_by, approved_on: approved_on, reason: reason }
            """,
        ["APD-XSR-902"] = $$"""
            title: Incomplete
            evidence:
              {{Broken}}
            completeness:
              - { name: two counts, sql: SELECT count(*) FROM broken, equals: SELECT 99 }
            tests:
              - { id: T1, title: There is a name, sql: "SELECT b.name AS item, true AS pass, '' AS reason FROM broken b" }
            """,
        ["APD-XSR-903"] = $$"""
            title: Left out
            evidence:
              {{Accounts}}
            completeness: { none: a test }
            tests:
              - { id: T1, title: There is a name, sql: "SELECT a.name AS item, true AS pass, '' AS reason FROM accounts a" }
            """,
        ["APD-XSR-904"] = $$"""
            title: Mixed
            evidence:
              {{Accounts}}
              {{Broken}}
            completeness: { none: a test }
            tests:
              - { id: T1, title: There is a name, sql: "SELECT b.name AS item, true AS pass, '' AS reason FROM broken b" }
              - { id: T2, title: There is a name, sql: "SELECT a.name AS item, true AS pass, '' AS reason FROM accounts a" }
            """,
        ["APD-XSR-905"] = $$"""
            title: Registered
            evidence:
              {{Accounts}}
              broken:
                file: broken
                columns: { name: text, level: integer }
                unmatched: |
                  SELECT b.name AS row, 'no account has this name' AS why FROM broken b
                  WHERE NOT EXISTS (SELECT 1 FROM accounts a WHERE a.name = b.name)
              owners:
                file: owners
                columns: { name: text }
                unmatched: |
                  SELECT o.name AS row, 'no account has this name' AS why FROM owners o
                  WHERE NOT EXISTS (SELECT 1 FROM accounts a WHERE a.name = o.name)
            completeness:
              - { name: as many owners as stated, sql: SELECT count(*) FROM owners, equals: SELECT 99 }
            tests:
              - { id: T1, title: There is a name, sql: "SELECT a.name AS item, true AS pass, '' AS reason FROM accounts a" }
              - { id: T2, title: There is a name, sql: "SELECT o.name AS item, true AS pass, '' AS reason FROM owners o" }
            """,
        ["APD-XSR-906"] = """
            title: Without its file
            evidence:
              absent: { file: absent, columns: { name: text } }
            completeness: { none: a test }
            tests:
              - { id: T1, title: There is a name, sql: "SELECT a.name AS item, true AS pass, '' AS reason FROM absent a" }
            """,
    };

    private const string Engagement = """
        schema: 1
        entity: Example Exchange
        name: Follow-up
        period: { start: 2026-09-01, end: 2026-11-15 }
        as_of: 2026-11-16T00:00:00Z
        preparer: A. Preparer
        reviewer: R. Reviewer
        library: controls
        controls:
          not_applicable: { APD-XSR-903: { reason: No such accounts., approved_by: R. Reviewer, approved_on: 2026-09-01 } }
        inputs:
          accounts: { file: accounts.csv, obtained_from: Somebody, obtained_on: 2026-11-16, how: by mail }
          counted: { file: counted.csv, obtained_from: Somebody, obtained_on: 2026-11-16, how: by mail }
          broken: { file: broken.csv, obtained_from: Somebody, obtained_on: 2026-11-16, how: by mail }
          owners: { file: owners.csv, obtained_from: Somebody, obtained_on: 2026-11-16, how: by mail }
          approvals: { file: approvals.csv, obtained_from: Somebody, obtained_on: 2026-11-16, how: by mail }
        targets: {}
        """;

    private readonly TemporaryFolder _folder = new();

    public string Bundle { get; private set; } = "";

    public async Task InitializeAsync()
    {
        foreach (var (id, control) in Controls)
            _folder.Write($"controls/access-to-programs-and-data/{id}.yaml", $"schema: 1\nid: {id}\n{Shared}\n{control}\n");
        _folder.Write("engagement.yaml", Engagement);
        _folder.Write("accounts.csv", "name,level\npasses,1\nfails,2\nwaived,2\n");
        _folder.Write("owners.csv", "name\npasses\nghost\nleft\n");
        _folder.Write("counted.csv", "total\n3\n");
        _folder.Write("broken.csv", "name,level\na,1\nb,no number\n");
        _folder.Write(
            "approvals.csv",
            "item,approved_by,approved_on,reason,expires\nwaived,R. Reviewer,2026-09-01,agreed,2026-12-31\n"
            + "lapsed,R. Reviewer,2026-01-01,agreed,2026-02-01\nunused,R. Reviewer,2026-09-01,agreed,2026-12-31\n");
        var run = await AuditCommand.RunAsync(_folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(run.ExitCode == 2, run.ToString());
        Bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();
}

/// <summary>
/// A copy of a bundle of files whose results are edited together with every digest that would reveal it. The tests of a control are its results by
/// partition, whose file and totals are made again when the copy is sealed.
/// </summary>
internal sealed class ForgedResults
{
    private const string ResultsFile = "data/results/results.json";
    private const string IndexFile = "data/evidence/index.jsonl";
    private readonly JsonNode _results;

    public ForgedResults(string bundle, string folder)
    {
        Bundle = BundleForgery.Copy(bundle, folder);
        _results = JsonNode.Parse(File.ReadAllText(Path.Combine(Bundle, ResultsFile)))!;
        foreach (var control in Controls.Where(c => c!["partitions"] is not null))
            control!["tests"] = new JsonArray([.. File.ReadAllLines(PartitionsOf(control)).Select(l => JsonNode.Parse(l))]);
    }

    public string Bundle { get; }

    public JsonNode Parameters => _results["parameters"]!;

    public JsonArray NotTested => _results["not_tested"]!.AsArray();

    public JsonArray Controls => _results["controls"]!.AsArray();

    public JsonNode Control(int number) => Controls.Single(c => c!["id"]!.GetValue<string>() == $"APD-XSR-{number}")!;

    public JsonNode Test(int control, string test = "T1") => Control(control)["tests"]!.AsArray().Single(t => t!["id"]!.GetValue<string>() == test)!;

    public JsonNode Register(string evidence) =>
        Control(905)["registers"]!.AsArray().Single(r => r!["evidence"]!.GetValue<string>() == evidence)!;

    public void ListUntested(string id, string reason) => NotTested.Add(new JsonObject { ["id"] = id, ["reason"] = reason });

    /// <summary>Makes a test and its control conclude so.</summary>
    public void Conclude(int control, string conclusion)
    {
        Test(control)["conclusion"] = conclusion;
        Control(control)["conclusion"] = conclusion;
    }

    /// <summary>Gives a test and its control a number of items.</summary>
    public void Count(int control, string count, int number)
    {
        Test(control)[count] = number;
        Control(control)[count] = number;
    }

    /// <summary>Edits the row of an item, and computes the digest of the rows again.</summary>
    /// <param name="edit">Returns the lines in the place of the row.</param>
    public void Row(int control, string item, Func<string, string> edit)
    {
        var path = Path.Combine(Bundle, $"data/results/apd-xsr-{control}.t1.ndjson");
        var lines = File.ReadAllLines(path).Select(l => l.Contains($"\"item\":\"{item}\"", StringComparison.Ordinal) ? edit(l) : l).ToArray();
        File.WriteAllText(path, string.Concat(lines.Select(l => l + "\n")));
        Test(control)["rows_sha256"] = Digest.Of(Encoding.UTF8.GetBytes(File.ReadAllText(path))).Hex;
    }

    /// <summary>Edits the lines of the index that have a text; a null removes the line.</summary>
    public void Index(string of, Func<string, string?> edit)
    {
        var path = Path.Combine(Bundle, IndexFile);
        File.WriteAllText(path, string.Concat(File.ReadAllLines(path)
            .Select(l => l.Contains(of, StringComparison.Ordinal) ? edit(l) : l).OfType<string>().Select(l => l + "\n")));
    }

    public void Replace(string file, string what, string with) => BundleForgery.Replace(Bundle, file, what, with);

    public void Seal()
    {
        foreach (var left in Directory.GetFiles(Path.Combine(Bundle, "data", "results"), "*.partitions.ndjson"))
            File.Delete(left);
        foreach (var control in Controls)
        {
            var tests = control!["tests"]!.AsArray();
            control.AsObject().Remove("partitions");
            if (tests.Count == 0)
                continue;
            File.WriteAllText(PartitionsOf(control), string.Concat(tests.Select(t => t!.ToJsonString(Relaxed) + "\n")));
        }
        // Results of schema 1 have the tests of each partition, and are added up when they are read.
        _results["schema"] = 1;
        var added = ResultsJson.Read(Encoding.UTF8.GetBytes(_results.ToJsonString()));
        var results = added with
        {
            Schema = EvaluationResults.CurrentSchema,
            Controls = [.. added.Controls.Select(c => c with { Partitions = Written(c), PartitionsOfSchema1 = null })],
        };
        File.WriteAllBytes(Path.Combine(Bundle, ResultsFile), ResultsJson.Write(results));
        BundleForgery.Reseal(Bundle);
    }

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private PartitionsFile? Written(ControlResult control)
    {
        var path = Path.Combine(Bundle, BundleLayout.Partitions(control.Id));
        return File.Exists(path) ? new(File.ReadLines(path).LongCount(), Digest.Of(File.ReadAllBytes(path))) : null;
    }

    private string PartitionsOf(JsonNode control) => Path.Combine(Bundle, BundleLayout.Partitions(control["id"]!.GetValue<string>()));
}
