using System.IO.Compression;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tests.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Verification;

/// <summary>Verifies that a table without rows has no file and that every other has one, in bundles whose results are of schema 2.</summary>
public sealed class EmptyTablesTests : IDisposable
{
    private const string Id = "aws-iam-listusers-0123456789ab";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public async Task A_line_without_rows_and_without_a_table_is_whole(int schema) =>
        Assert.Empty(await ProblemsAsync(schema, None(), _ => { }));

    [Fact]
    public async Task A_line_with_rows_and_their_table_is_whole() => Assert.Empty(await ProblemsAsync(2, Samples.Item("prod", Id), Table("{}\n")));

    [Theory]
    [InlineData("file", "UNEXPECTED_FILE data/tables/aws-iam-listusers-0123456789ab.ndjson.gz: has no rows, and a table without rows has no file")]
    [InlineData("line", "UNEXPECTED_FILE data/evidence/index.jsonl: line 1: aws-iam-listusers-0123456789ab has no rows, but names a table")]
    [InlineData("no table", "MISSING_FILE data/evidence/index.jsonl: line 1: aws-iam-listusers-0123456789ab has 1 rows, but names no table")]
    [InlineData("calls", "UNEXPECTED_FILE data/tables/aws-iam-listusers-0123456789ab.calls.ndjson.gz: has no rows, and a table without rows has no file")]
    [InlineData(
        "no digest",
        "JSON_MALFORMED data/evidence/index.jsonl: line 1: aws-iam-listusers-0123456789ab has a table without its digest, "
        + "or a digest without a table")]
    public async Task Another_form_of_it_is_a_problem_of_new_bundles_alone(string form, string said)
    {
        var whole = Samples.Item("prod", Id);
        (EvidenceItem Item, Action<BundleWriter> Write) of = form switch
        {
            "file" => (None(), Table("")),
            "line" => (whole with { Items = 0 }, Table("{}\n")),
            "no table" => (whole with { Table = null, TableSha256 = null }, _ => { }),
            "calls" => (None(), bundle => Write(bundle, BundleLayout.Calls(Id), "")),
            _ => (whole with { TableSha256 = null }, Table("{}\n")),
        };
        Assert.Equal([said], await ProblemsAsync(2, of.Item, of.Write));
        Assert.Empty(await ProblemsAsync(1, of.Item, of.Write));
    }

    [Fact]
    public async Task An_archive_is_told_like_its_folder()
    {
        var bundle = await SealAsync(2, None(), Table(""));
        var (folder, archive) = (await Samples.VerifyAsync(bundle), await Samples.VerifyAsync(BundleArchiver.Write(bundle, default)));
        Assert.NotEmpty(folder.Problems);
        Assert.Equal<VerifyProblem>(folder.Problems, archive.Problems);
    }

    [Fact]
    public async Task A_line_of_the_index_that_cannot_be_read_is_a_problem()
    {
        var bundle = await SealAsync(2, None(), _ => { });
        var index = Path.Combine(bundle, BundleLayout.EvidenceIndex);
        await File.AppendAllTextAsync(index, "{}\n");
        Samples.Reseal(bundle);
        var problem = Assert.Single((await Samples.VerifyAsync(bundle)).Problems, p => p.Question == VerifyQuestion.Files);
        Assert.StartsWith("line 2: an evidence item has no ", problem.Message, StringComparison.Ordinal);
    }

    private static EvidenceItem None() => Samples.Item("prod", Id) with { Items = 0, Table = null, TableSha256 = null };

    private static Action<BundleWriter> Table(string rows) => bundle => Write(bundle, BundleLayout.Table(Id), rows);

    private static void Write(BundleWriter bundle, string path, string rows)
    {
        using var file = bundle.OpenFile(path);
        if (rows.Length == 0)
        {
            // The runtime's own writer leaves nothing at all for empty content; others write a member.
            file.Write([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            return;
        }
        using var gzip = new GZipStream(file, CompressionLevel.Fastest);
        gzip.Write(System.Text.Encoding.UTF8.GetBytes(rows));
    }

    private async Task<string[]> ProblemsAsync(int schema, EvidenceItem item, Action<BundleWriter> write) =>
        [.. (await Samples.VerifyAsync(await SealAsync(schema, item, write))).Problems.Select(p => $"{p.Code} {p.Path}: {p.Message}")];

    private async Task<string> SealAsync(int schema, EvidenceItem item, Action<BundleWriter> write)
    {
        await using var bundle = BundleWriter.Create(_folder.Path, $"acme-{Guid.NewGuid():n}");
        await bundle.WriteFileAsync("data/run.json", "{\"mode\":\"replay\"}"u8.ToArray(), default);
        await bundle.WriteFileAsync(BundleLayout.Results, System.Text.Encoding.UTF8.GetBytes($"{{\"schema\":{schema}}}"), default);
        write(bundle);
        await bundle.AppendEvidenceAsync(item, default);
        return (await bundle.SealAsync(Samples.Info, default)).Path;
    }
}
