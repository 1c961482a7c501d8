using System.IO.Compression;
using System.Text.Json;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Bundles;

/// <summary>
/// Checks the record, the index and the results of a bundle against their published schemas with an independent validator. The schemas
/// refuse unknown members, so a new member has to be specified before it can be written.
/// </summary>
public sealed class BundleSchemaTests : IClassFixture<SampleRun>, IDisposable
{
    private readonly SampleRun _run;
    private readonly TemporaryFolder _folder = new();

    public BundleSchemaTests(SampleRun run) => _run = run;

    public void Dispose() => _folder.Dispose();

    [NeedsTheory("node")]
    [InlineData("run", "data/run.json", "\"mode\"", "\"new_member\":1,\"mode\"")]
    [InlineData("run", "data/run.json", "\"mode\":", "\"moode\":")]
    [InlineData("index", "data/evidence/index.jsonl", "\"outcome\":\"complete\"", "\"outcome\":\"done\"")]
    [InlineData("index", "data/evidence/index.jsonl", "\"outcome\":", "\"new_member\":1,\"outcome\":")]
    [InlineData("index", "data/evidence/index.jsonl", "\"failures\":", "\"read\":5,\"failures\":")]
    [InlineData("index", "data/evidence/index.jsonl", "\"items\":0,\"columns\"", "\"items\":1,\"columns\"")]
    [InlineData("results", "data/results/results.json", "\"conclusion\":\"PASS\"", "\"conclusion\":\"FINE\"")]
    [InlineData("results", "data/results/results.json", "\"approved\":", "\"new_member\":1,\"approved\":")]
    [InlineData("results", "data/results/results.json", "\"conclusions\":{\"PASS\"", "\"conclusions\":{\"FINE\"")]
    [InlineData("results", "data/results/results.json", "\"partitions\":", "\"lines\":")]
    [InlineData("partitions", "data/results/apd-aws-002.partitions.ndjson", "\"completeness\":", "\"new_member\":1,\"completeness\":")]
    [InlineData("partitions", "data/results/apd-aws-002.partitions.ndjson", "\"partition\":{\"target\"", "\"partition\":{\"traget\"")]
    public async Task A_file_of_a_bundle_is_as_its_schema_says_and_a_changed_one_is_not(string schema, string file, string from, string to)
    {
        var own = Path.Combine(_run.Bundle, file);
        Assert.Empty(await ErrorsAsync(schema, own));
        var text = await File.ReadAllTextAsync(own);
        Assert.Contains(from, text, StringComparison.Ordinal);
        var changed = _folder.Write($"changed{Path.GetExtension(file)}", text.Replace(from, to, StringComparison.Ordinal));
        Assert.NotEmpty(await ErrorsAsync(schema, changed));
    }

    [NeedsTheory("node")]
    [InlineData(1, "run", "data/run.json")]
    [InlineData(1, "index", "data/evidence/index.jsonl")]
    [InlineData(1, "results-1", "data/results/results.json")]
    [InlineData(2, "run", "data/run.json")]
    [InlineData(2, "index", "data/evidence/index.jsonl")]
    [InlineData(2, "results-1", "data/results/results.json")]
    public async Task An_old_bundle_is_as_the_schemas_say(int evaluation, string schema, string file)
    {
        ZipFile.ExtractToDirectory(Repository.Path("tests", "Shared", "bundles", $"evaluation-{evaluation}.zip"), _folder.Path);
        var found = Assert.Single(Directory.GetFiles(_folder.Path, Path.GetFileName(file), SearchOption.AllDirectories));
        Assert.Empty(await ErrorsAsync(schema, found));
    }

    /// <summary>Returns what the independent validator finds wrong with a file.</summary>
    internal static async Task<string[]> ErrorsAsync(string schema, string file)
    {
        var path = Repository.Path("src", "AuditCli.Evidence", "Schemas", $"{schema}.schema.json");
        var read = await AuditCommand.OtherAsync(Repository.Path("tests", "tools"), "node", "schema-check.mjs", path, file);
        Assert.True(read.ExitCode == 0, read.ToString());
        using var said = JsonDocument.Parse(read.Output);
        Assert.True(said.RootElement.GetProperty("documents").GetInt32() > 0);
        return [.. said.RootElement.GetProperty("errors").EnumerateArray().Select(e => e.GetString()!)];
    }
}
