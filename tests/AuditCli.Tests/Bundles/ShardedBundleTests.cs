using System.Text.Json.Nodes;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Bundles;

/// <summary>The sample, sealed in shards of one account each.</summary>
public sealed class ShardedSample : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public string Bundle { get; private set; } = "";

    public async Task InitializeAsync()
    {
        await using var evaluation = AuditCommand.Host(_folder.Path).StartEvaluation();
        var run = await WholeSample.RunAsync(
            evaluation, _folder.Path, text => text, new(["APD-AWS-002", "APD-GCP-001", "APD-K8S-001"], []), unitsEach: 1, reports: true);
        Bundle = run.Path;
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();
}

/// <summary>Edits bundles whose evidence is in shards, consistently, so that every digest agrees.</summary>
public sealed class ShardedBundleTests(ShardedSample sample) : IClassFixture<ShardedSample>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string> Edits => new()
    {
        { "no reason", "run.json does not say why" },
        { "no list", "run.json says that the evidence is in shards, and there is no data/shards.jsonl" },
        { "a shard left out", "was read, and no shard of data/shards.jsonl has it" },
        { "more accounts each", "accounts, and data/run.json says at most" },
        { "an account that was not read", "does not say was read" },
        { "another moment", " has the as_of 2026-11-15T00:00:00Z, and the run around it has " },
        { "another mode", " has the mode live, and the run around it has replay" },
        { "another reviewer", " has the reviewer Nobody, and the run around it has S. Lindqvist" },
        { "another program", " has the tool 0.0.0, and the run around it has " },
        { "another target", " says other things of account " },
        { "evidence of another account", " has evidence of account 999999999999 of target " },
        { "times of the list", "gives other times of " },
    };

    [Fact]
    public async Task A_run_in_shards_of_one_account_each_is_whole_for_every_command()
    {
        foreach (var command in new string[][]
        {
            ["verify", sample.Bundle, "--allow-unsigned"],
            ["show", sample.Bundle],
            ["reperform", sample.Bundle, "--allow-unsigned"],
            ["diff", sample.Bundle, sample.Bundle],
            ["report", sample.Bundle, "--allow-unsigned", "--format", "md"],
        })
        {
            var result = await AuditCommand.RunAsync(_folder.Path, command);
            Assert.True(result.ExitCode is 0 or 3, result.ToString());
        }
    }

    [Fact]
    public async Task Peoples_words_are_added_to_a_run_in_shards_and_both_are_re_performed()
    {
        var sheets = await AuditCommand.RunAsync(_folder.Path, "conclude", sample.Bundle, "--sheets", "sheets", "--allow-unsigned");
        Assert.True(sheets.ExitCode == 0, sheets.ToString());
        var exceptions = Path.Combine(_folder.Path, "sheets", "exceptions.csv");
        var lines = File.ReadAllText(exceptions).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        lines[1] = $"{lines[1].TrimEnd(',')},true_deviation,,A. Person,{DateTimeOffset.UtcNow:yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'}";
        File.WriteAllText(exceptions, string.Concat(lines.Select(l => l + "\r\n")));
        var concluded = await AuditCommand.RunAsync(
            _folder.Path, "conclude", sample.Bundle, "--sheet", exceptions, "--allow-unsigned", "--out", "concluded");
        Assert.True(concluded.ExitCode == 0, concluded.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "concluded"));
        foreach (var command in new[] { "verify", "reperform" })
        {
            var result = await AuditCommand.RunAsync(_folder.Path, command, bundle, "--allow-unsigned");
            Assert.True(result.ExitCode == 0, result.ToString());
        }
        var shown = await AuditCommand.RunAsync(_folder.Path, "show", bundle);
        Assert.True(shown.ExitCode == 0, shown.ToString());
    }

    [Fact]
    public async Task A_shard_by_itself_is_whole_and_says_where_its_results_are()
    {
        var shard = Directory.EnumerateFiles(Path.Combine(sample.Bundle, "data", "shards")).Order(StringComparer.Ordinal).First();
        var verified = await AuditCommand.RunAsync(_folder.Path, "verify", shard, "--allow-unsigned");
        Assert.True(verified.ExitCode == 0, verified.ToString());
        foreach (var command in new string[][]
        {
            ["show", shard], ["report", shard, "--allow-unsigned", "--format", "md"], ["reperform", shard, "--allow-unsigned"],
        })
        {
            var result = await AuditCommand.RunAsync(_folder.Path, command);
            Assert.True(result.ExitCode is 1 or 2, result.ToString());
            Assert.Contains("it is a shard, whose results are in the bundle that it is a part of", result.Output + result.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Edits))]
    public async Task A_bundle_that_does_not_agree_with_its_shards_is_refused_in_words(string edit, string words)
    {
        var bundle = BundleForgery.Copy(sample.Bundle, _folder.Path);
        var (run, list) = (Path.Combine(bundle, "data", "run.json"), Path.Combine(bundle, "data", "shards.jsonl"));
        var shards = File.ReadAllLines(list);
        switch (edit)
        {
            case "no reason":
                Edit(run, r => r.Remove("sharded"));
                break;
            case "no list":
                File.Delete(list);
                Directory.Delete(Path.Combine(bundle, "data", "shards"), recursive: true);
                break;
            case "a shard left out":
                File.WriteAllText(list, string.Concat(shards[1..].Select(l => l + "\n")));
                File.Delete(Path.Combine(bundle, "data", "shards", JsonNode.Parse(shards[0])!["bundle_id"]!.GetValue<string>() + ".tar"));
                break;
            case "more accounts each":
                EditShard(bundle, 0, shard => Edit(Path.Combine(shard, "data", "run.json"), r => r["targets"]!.AsArray().Add(Another(r))));
                Edit(run, r => r["targets"]!.AsArray().Add(Another(r)));
                break;
            case "an account that was not read":
                EditShard(bundle, 0, shard => Edit(Path.Combine(shard, "data", "run.json"), r => r["targets"]!.AsArray().Add(Another(r))));
                break;
            case "times of the list":
                File.WriteAllText(list, string.Concat(shards.Select(l => l.Replace("\"started\":\"2", "\"started\":\"1", StringComparison.Ordinal) + "\n")));
                break;
            case "evidence of another account":
                EditShard(bundle, 0, shard =>
                {
                    var index = Path.Combine(shard, "data", "evidence", "index.jsonl");
                    var account = JsonNode.Parse(File.ReadLines(index).First())!["account"]!.GetValue<string>();
                    var lines = File.ReadAllText(index);
                    File.WriteAllText(index, lines.Replace($"\"account\":\"{account}\"", "\"account\":\"999999999999\"", StringComparison.Ordinal));
                });
                break;
            default:
                EditShard(bundle, 0, shard => Edit(Path.Combine(shard, "data", "run.json"), r =>
                {
                    switch (edit)
                    {
                        case "another moment": r["as_of"] = "2026-11-15T00:00:00Z"; break;
                        case "another mode": (r["mode"], r["recorded"]) = ("live", null); break;
                        case "another reviewer": r["reviewer"] = "Nobody"; break;
                        case "another program": r["tool"]!["version"] = "0.0.0"; break;
                        default: r["targets"]![0]!["settings"] = new JsonObject(); break;
                    }
                }));
                break;
        }
        BundleForgery.Reseal(bundle);
        var shown = await AuditCommand.RunAsync(_folder.Path, "show", bundle);
        Assert.True(shown.ExitCode == 2, shown.ToString());
        Assert.Contains(words, shown.Error, StringComparison.Ordinal);
        var again = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 2, again.ToString());
    }

    public void Dispose() => _folder.Dispose();

    private static JsonNode Another(JsonObject run)
    {
        var target = run["targets"]![0]!.DeepClone();
        target["account"] = "999999999999";
        return target;
    }

    private static void Edit(string file, Action<JsonObject> edit)
    {
        var content = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        edit(content);
        File.WriteAllText(file, content.ToJsonString());
    }

    /// <summary>Edits a shard as if it had been sealed like that: its manifests, its archive and its line in the list agree.</summary>
    private void EditShard(string bundle, int number, Action<string> edit)
    {
        var list = Path.Combine(bundle, "data", "shards.jsonl");
        var lines = File.ReadAllLines(list).Select(l => JsonNode.Parse(l)!.AsObject()).ToArray();
        var archive = Path.Combine(bundle, "data", "shards", lines[number]["bundle_id"]!.GetValue<string>() + ".tar");
        System.Formats.Tar.TarFile.ExtractToDirectory(archive, _folder.Path, overwriteFiles: false);
        var shard = Path.Combine(_folder.Path, Path.GetFileNameWithoutExtension(archive));
        edit(shard);
        BundleForgery.Reseal(shard);
        File.Delete(archive);
        File.Move(BundleArchiver.Write(shard, CancellationToken.None), archive);
        lines[number]["tagmanifest_sha256"] = Digest.Of(File.ReadAllBytes(Path.Combine(shard, "tagmanifest-sha256.txt"))).Hex;
        lines[number]["bytes"] = new FileInfo(archive).Length;
        var units = JsonNode.Parse(File.ReadAllText(Path.Combine(shard, "data", "run.json")))!["targets"]!.AsArray()
            .Select(t => (Target: t!["name"]!.GetValue<string>(), Account: t["account"]!.GetValue<string>()))
            .OrderBy(u => u.Target, StringComparer.Ordinal).ThenBy(u => u.Account, StringComparer.Ordinal);
        lines[number]["units"] = new JsonArray([.. units.Select(u => (JsonNode)new JsonObject { ["target"] = u.Target, ["account"] = u.Account })]);
        File.WriteAllText(list, string.Concat(lines.Select(l => l.ToJsonString() + "\n")));
    }
}
