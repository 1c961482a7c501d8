using System.IO.Compression;
using System.Text;
using AuditCli.Tests.Reperformance;

namespace AuditCli.Tests.Bundles;

/// <summary>
/// Replaces a file of a bundle after a command has read it once. The command must print what was sealed, or fail and name the file, and
/// never print the replacement.
/// </summary>
public sealed class ReplacedFileTests(OneAccount account) : IClassFixture<OneAccount>, IDisposable
{
    private const string Forged = "FORGED";
    private const string Run = "data/run.json";
    private const string Index = "data/evidence/index.jsonl";
    private const string Results = "data/results/results.json";
    private const string Rows = "data/results/apd-aws-004.t1.ndjson";
    private const string Partitions = "data/results/apd-aws-004.partitions.ndjson";
    private const string Control = "data/controls/apd-aws-004.yaml";
    private const string Exchanges = "data/exchanges/prod/iam-aws-global.warc.gz";
    private const string Table = "table of keys";
    private const string Sql = """
        SELECT (SELECT max(item) FROM results.items), (SELECT min(UserName) FROM "APD-AWS-004".access_keys),
            (SELECT max(identity) FROM evidence.items), (SELECT max(title) FROM results.controls)
        """;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static readonly string[] Commands =
    [
        "report BUNDLE --allow-unsigned --format md", "report BUNDLE --allow-unsigned --format sarif", "diff BUNDLE BUNDLE --allow-unsigned",
        "show BUNDLE", "show BUNDLE APD-AWS-004", "show BUNDLE APD-AWS-004 T1 user000001/AKIAUSER000001",
        "show BUNDLE APD-AWS-004 --output json", "query BUNDLE SQL", "reperform BUNDLE --allow-unsigned",
    ];

    private const int Sampled = 4;

    /// <summary>
    /// Each command with each kind of file in <c>.ci/long</c>; otherwise one in four of these combinations, and a report of other
    /// results, as a whole or by partition, than the verified ones, which would print conclusions that nobody reached under a signature that holds.
    /// </summary>
    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            var all = Commands.SelectMany(c => new[] { Run, Index, Results, Rows, Partitions, Control, Exchanges, Table }.Select(f => (Command: c, File: f)));
            foreach (var (command, file) in LongRun.Sample(all, Sampled).Union([(Commands[0], Results), (Commands[0], Partitions)]))
                cases.Add(command, file);
            return cases;
        }
    }

    [NeedsTheory("root")]
    [MemberData(nameof(Cases))]
    public async Task What_takes_the_place_of_a_file_is_never_printed(string command, string file)
    {
        string[] Words(string bundle) => [.. command.Split(' ').Select(w => w switch { "BUNDLE" => bundle, "SQL" => Sql, _ => w })];
        var genuine = await AuditCommand.RunAsync(_folder.Path, Words(Copy("untouched")));
        for (var times = 1; times <= 3; times++)
        {
            var bundle = Copy($"read-{times}");
            var path = file == Table
                ? Directory.GetFiles(Path.Combine(bundle, "data/tables"), "aws-iam-listaccesskeys-*")
                    .Single(f => !f.Contains(".calls.", StringComparison.Ordinal))
                : Path.Combine(bundle, file);
            using var replaced = new ReplacedOnceRead(path, Other(path), times);
            var result = await AuditCommand.RunAsync(_folder.Path, Words(bundle));
            Assert.DoesNotContain(Forged, result.Output, StringComparison.OrdinalIgnoreCase);
            if (result.ExitCode == genuine.ExitCode)
            {
                Assert.Equal(
                    genuine.Output.Replace("untouched", "", StringComparison.Ordinal),
                    result.Output.Replace($"read-{times}", "", StringComparison.Ordinal));
            }
            else
            {
                Assert.True(replaced.IsReplaced, result.ToString());
                Assert.Contains(Path.GetRelativePath(bundle, path), result.ToString(), StringComparison.Ordinal);
            }
        }
    }

    private string Copy(string name) => BundleForgery.Copy(account.Bundle, Path.Combine(_folder.Path, name));

    /// <summary>Returns a forged version of the file.</summary>
    private static byte[] Other(string path)
    {
        if (path.EndsWith(".warc.gz", StringComparison.Ordinal))
        {
            var copy = path + ".copy";
            File.Copy(path, copy);
            BundleForgery.EditExchanges(copy, r =>
                r.Type == "response" && Encoding.UTF8.GetString(r.Block.Span).Contains("user000001", StringComparison.Ordinal)
                    ? BundleForgery.WithBody(r, "user000001", "FORGED0001", honest: true)
                    : r);
            var content = File.ReadAllBytes(copy);
            File.Delete(copy);
            return content;
        }
        var packed = path.EndsWith(".gz", StringComparison.Ordinal);
        var text = packed ? BundleForgery.ReadTable(path) : File.ReadAllText(path);
        var words = Path.GetFileName(path) switch
        {
            "run.json" => "Example Exchange",
            "results.json" => "Long-lived access keys",
            "apd-aws-004.yaml" => "title: ",
            "index.jsonl" => "arn:aws:",
            "apd-aws-004.partitions.ndjson" => "each user who",
            _ => "user000001",
        };
        Assert.Contains(words, text, StringComparison.Ordinal);
        var other = Encoding.UTF8.GetBytes(text.Replace(words, words == "title: " ? "title: FORGED " : "FORGED0001", StringComparison.Ordinal));
        if (!packed)
            return other;
        using var table = new MemoryStream();
        using (var gzip = new GZipStream(table, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(other);
        return table.ToArray();
    }
}
