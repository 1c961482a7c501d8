using System.Text.Json;
using AuditCli.Controls.Planning;
using AuditCli.Running;

namespace AuditCli.Tests.Running;

/// <summary>Reads more projects than one bundle holds.</summary>
public sealed class ShardedRunTests : IDisposable
{
    private const long Bound = 400L << 20;
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task A_run_of_many_projects_is_sealed_in_shards_and_every_command_reads_it()
    {
        using var server = ManyProjects.Server(projects: 30);
        ManyProjects.Write(_folder);
        var run = await ManyProjects.RunAsync(_folder, server, "run", "engagement.yaml", "--out", "out");
        Assert.True(run.ExitCode == 3, run.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        Assert.Equal([bundle], Directory.GetFileSystemEntries(Path.Combine(_folder.Path, "out")));
        var shards = File.ReadLines(Path.Combine(bundle, "data", "shards.jsonl")).Select(l => JsonElement.Parse(l)).ToArray();
        Assert.Equal([25, 5], shards.Select(s => s.GetProperty("units").GetArrayLength()));
        Assert.Equal([25, 5], shards.Select(s => s.GetProperty("units").EnumerateArray().Distinct().Count()));

        foreach (var command in new string[][]
        {
            ["verify", bundle, "--allow-unsigned"],
            ["show", bundle, "APD-GCP-901"],
            ["query", bundle, "SELECT count(*) AS n FROM \"APD-GCP-901\".keys"],
            ["reperform", bundle, "--allow-unsigned"],
        })
        {
            var result = await AuditCommand.RunAsync(_folder.Path, command);
            Assert.True(result.ExitCode == 0, result.ToString());
            if (command[0] != "reperform")
                continue;
            // Nobody reads the accounts again, so there is no line of each that names who reads it.
            var target = Assert.Single(result.Error.Split('\n'), l => l.StartsWith("target ", StringComparison.Ordinal)).TrimEnd();
            Assert.EndsWith(": 30 accounts, repeated from recorded exchanges; nothing is asked of it now", target, StringComparison.Ordinal);
            Assert.DoesNotContain("read as", result.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Any_division_of_accounts_into_shards_gives_equal_results_and_tables()
    {
        ManyProjects.Write(_folder);
        using (var server = ManyProjects.Server(projects: 11))
        {
            var run = await ManyProjects.RunAsync(_folder, server, "run", "engagement.yaml", "--out", "out");
            Assert.True(run.ExitCode == 3, run.ToString());
        }
        var whole = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        var engagement = Path.Combine(_folder.Path, "engagement.yaml");
        File.AppendAllText(engagement, $"\nreplay: {Path.GetRelativePath(_folder.Path, whole)}/data/exchanges\n");
        var said = ManyProjects.Said(await ReplayAsync(engagement, each: 25), exactly: true).ToArray();
        foreach (var each in new[] { 1, 2, 3, 5, 10, 11 })
        {
            var bundle = await ReplayAsync(engagement, each);
            Assert.Equal(each >= 11 ? 0 : (11 + each - 1) / each, Shards(bundle));
            Assert.Equal(said, ManyProjects.Said(bundle, exactly: true));
            var again = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned");
            Assert.True(again.ExitCode == 0, again.ToString());
        }
    }

    [Fact]
    public async Task Every_command_reads_many_projects_in_bounded_memory()
    {
        using var server = ManyProjects.Server(LongRun.IsWhole ? 200 : 60);
        ManyProjects.Write(_folder);
        var run = await ManyProjects.RunAsync(_folder, server, "run", "engagement.yaml", "--out", "out");
        Assert.True(run.ExitCode == 3, run.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        foreach (var command in new string[][]
        {
            ["verify", bundle, "--allow-unsigned"],
            ["show", bundle, "APD-GCP-901"],
            ["query", bundle, "SELECT count(*) AS n FROM \"APD-GCP-901\".keys"],
            ["report", bundle, "--allow-unsigned", "--format", "xlsx", "--out", "reports"],
            ["reperform", bundle, "--allow-unsigned"],
        })
        {
            using var process = AuditCommand.Start(_folder.Path, new Dictionary<string, string>(), [], command);
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            var peak = 0L;
            for (var waited = 0; !process.HasExited && waited < 6000; waited++)
            {
                process.Refresh();
                peak = Math.Max(peak, process.HasExited ? 0 : process.PeakWorkingSet64);
                await Task.Delay(20);
            }
            await AuditCommand.EndAsync(process);
            Assert.True(process.ExitCode == 0, $"{string.Join(' ', command)}\n{await output}\n{await error}");
            Assert.True(peak < Bound, $"{command[0]} needed {peak >> 20} MiB");
        }
    }

    [NeedsFact("bash", "openssl", "sha256sum", "tar")]
    public async Task Openssl_and_the_usual_tools_agree_on_a_signed_run_in_shards_and_on_each_shard()
    {
        using var server = ManyProjects.Server(projects: 27);
        ManyProjects.Write(_folder);
        Assert.Equal(0, (await AuditCommand.RunAsync(_folder.Path, "keys", "new", "auditor.pem", "--no-passphrase")).ExitCode);
        var run = await ManyProjects.RunAsync(_folder, server, "run", "engagement.yaml", "--out", "out", "--sign", "auditor.pem");
        Assert.True(run.ExitCode == 3, run.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        var shards = Directory.GetFiles(Path.Combine(bundle, "data", "shards"));
        Assert.Equal(2, shards.Length);
        foreach (var shard in shards)
            System.Formats.Tar.TarFile.ExtractToDirectory(shard, _folder.Path, overwriteFiles: false);
        string[] all = [bundle, .. shards.Select(s => Path.Combine(_folder.Path, Path.GetFileNameWithoutExtension(s)))];
        foreach (var signed in all)
        {
            var said = await RecipeAsync(signed);
            Assert.True(said.ExitCode == 0, said.ToString());
        }
        foreach (var signed in all)
        {
            File.AppendAllText(Path.Combine(signed, "data", "run.json"), " ");
            var said = await RecipeAsync(signed);
            Assert.True(said.ExitCode == 1, said.ToString());
        }
    }

    private Task<CommandResult> RecipeAsync(string bundle) => AuditCommand.ShellAsync(
        _folder.Path, new Dictionary<string, string>(), $"bash '{Repository.Path("samples", "verify-without-auditcli.sh")}' '{bundle}' auditor.pem.pub");

    private static int Shards(string bundle) =>
        Path.Combine(bundle, "data", "shards.jsonl") is var list && File.Exists(list) ? File.ReadLines(list).Count() : 0;

    private async Task<string> ReplayAsync(string engagement, int each)
    {
        var host = AuditCommand.Host(_folder.Path);
        await using var evaluation = host.StartEvaluation();
        var (prepared, faults) = await PreparedRun.LoadAsync(new(engagement, engagement, null, PlanFilter.None), host, evaluation, CancellationToken.None);
        Assert.True(prepared is not null, string.Join('\n', faults));
        var options = new RunOptions(Path.Combine(_folder.Path, $"each-{each}")) { UnitsEach = each };
        return (await new AuditRun(prepared!, options, host, evaluation, TextWriter.Null).RunAsync(CancellationToken.None)).Path;
    }

    public void Dispose() => _folder.Dispose();
}
