using System.Diagnostics;
using System.Text.Json;

namespace AuditCli.Tests.Running;

/// <summary>The bundles of runs that nothing interrupted, made once.</summary>
public sealed class UninterruptedRuns : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>What the bundle of a run over so many projects says, and how many requests it made.</summary>
    internal Dictionary<int, (string[] Said, int Requests)> Of { get; } = [];

    public async Task InitializeAsync()
    {
        ManyProjects.Write(_folder);
        foreach (var projects in new[] { 12, 57 })
        {
            using var server = ManyProjects.Server(projects);
            var run = await ManyProjects.RunAsync(_folder, server, "run", "engagement.yaml", "--out", $"out-{projects}");
            Assert.True(run.ExitCode == 3, run.ToString());
            Of[projects] = ([.. ManyProjects.Said(AuditCommand.TheBundle(Path.Combine(_folder.Path, $"out-{projects}")))], server.Seen.Count);
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();
}

/// <summary>Kills runs and goes on with them.</summary>
public sealed class ResumedRunTests(UninterruptedRuns uninterrupted) : IClassFixture<UninterruptedRuns>, IDisposable
{
    private static readonly TimeSpan OneRequest = TimeSpan.FromMilliseconds(4);
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<int, int> Kills
    {
        get
        {
            var kills = new TheoryData<int, int>();
            for (var n = 0; n < (LongRun.IsWhole ? 200 : 10); n++)
                kills.Add(n % 2 == 0 ? 12 : 57, n);
            return kills;
        }
    }

    [Theory]
    [MemberData(nameof(Kills))]
    public async Task A_run_that_was_killed_anywhere_goes_on_and_says_what_an_uninterrupted_one_says(int projects, int number)
    {
        var (said, requests) = uninterrupted.Of[projects];
        using var server = ManyProjects.Server(projects, (_, _) => Slow());
        ManyProjects.Write(_folder);
        var random = new Random(number);
        string[] command = ["run", "engagement.yaml", "--out", "out"];
        for (var kills = 1 + random.Next(2); kills > 0; kills--)
        {
            using var process = AuditCommand.Start(_folder.Path, GoogleEnvironment.At(server, _folder), [], command);
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await KillAsync(process, server, random.Next(requests + requests / 2), requests);
            _ = await output + await error;
            if (Sealed() is not null)
                break;
            if (Partial() is { } partial && File.Exists(Path.Combine(Beside(partial), "questions.json")))
                command = ["run", "--resume", partial];
            else if (Directory.Exists(Path.Combine(_folder.Path, "out")))
                Directory.Delete(Path.Combine(_folder.Path, "out"), recursive: true);
        }
        if (Sealed() is null)
        {
            var resumed = await ManyProjects.RunAsync(_folder, server, command);
            Assert.True(resumed.ExitCode == 3, resumed.ToString());
            Assert.Single(Directory.GetFileSystemEntries(Path.Combine(_folder.Path, "out")));
        }
        var bundle = Sealed()!;
        var again = ManyProjects.Said(bundle).ToArray();
        foreach (var (expected, actual) in said.Zip(again))
            Assert.Equal(expected.Split('\n'), actual.Split('\n'));
        Assert.Equal(said.Length, again.Length);
        var verified = await AuditCommand.RunAsync(_folder.Path, "verify", bundle, "--allow-unsigned");
        Assert.True(verified.ExitCode == 0, verified.ToString());
        // Of those that CI leaves out, every tenth: a repeated run takes longer than two killed ones.
        if (number >= 10 && number % 10 != 0)
            return;
        var reperformed = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(reperformed.ExitCode == 0, reperformed.ToString());
    }

    [Theory]
    [InlineData(12)]
    [InlineData(57)]
    public async Task A_resumed_run_asks_only_for_what_is_missing(int projects)
    {
        var requests = uninterrupted.Of[projects].Requests;
        using var server = ManyProjects.Server(projects, (_, _) => Slow());
        ManyProjects.Write(_folder);
        using (var process = AuditCommand.Start(_folder.Path, GoogleEnvironment.At(server, _folder), [], "run", "engagement.yaml", "--out", "out"))
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await KillAsync(process, server, requests * 3 / 4, requests);
            _ = await output + await error;
        }
        var partial = Partial()!;
        var whole = Whole(partial).ToArray();
        Assert.InRange(whole.Length, projects / 3, projects * 2);
        var before = server.Seen.Count;
        var resumed = await ManyProjects.RunAsync(_folder, server, "run", "--resume", partial);
        Assert.True(resumed.ExitCode == 3, resumed.ToString());
        var after = server.Seen.Skip(before).Select(r => r.Path).ToArray();
        foreach (var (account, operation) in whole)
        {
            var keys = operation.Contains(".keys.", StringComparison.Ordinal);
            Assert.DoesNotContain(
                after,
                p => p.StartsWith($"/v1/projects/{account}/serviceAccounts", StringComparison.Ordinal)
                    && p.EndsWith("/keys", StringComparison.Ordinal) == keys);
        }
    }

    /// <summary>Sizes of a disk in KiB, all too small.</summary>
    public static TheoryData<int> Disks => LongRun.IsWhole ? [.. Enumerable.Range(0, 20).Select(n => 120 + (n * 12))] : [200];

    [NeedsTheory("root", "unshare", "mount", "sh", "cp")]
    [MemberData(nameof(Disks))]
    public async Task A_run_that_found_the_disk_full_goes_on_once_there_is_room(int kilobytes)
    {
        using var server = ManyProjects.Server(projects: 57);
        ManyProjects.Write(_folder);
        var (small, whole) = (Directory.CreateDirectory(Path.Combine(_folder.Path, "small")).FullName, Path.Combine(_folder.Path, "out"));
        // The mount is in a namespace of the process, so it disappears when the process exits.
        var script = $"""
            mount -t tmpfs -o size={kilobytes}k none '{small}' && "$@" run engagement.yaml --out '{small}'; echo "first: $?"
            mount -o remount,size=64m '{small}' && for left in '{small}'/*.partial; do "$@" run --resume "$left"; done; echo "second: $?"
            cp -r '{small}' '{whole}'
            """;
        var result = await AuditCommand.ProcessAsync(
            _folder.Path, GoogleEnvironment.At(server, _folder), ["unshare", "-m", "--", "sh", "-c", script, "sh"]);
        Assert.True(result.Error.Contains("No space left", StringComparison.OrdinalIgnoreCase), result.ToString());
        Assert.True(
            result.Output.Contains("first: 1", StringComparison.Ordinal) && result.Output.Contains("second: 3", StringComparison.Ordinal), result.ToString());
        Assert.Equal(uninterrupted.Of[57].Said, ManyProjects.Said(Sealed()!));
    }

    [Fact]
    public async Task Two_processes_never_write_one_bundle()
    {
        using var server = ManyProjects.Server(projects: 30, (_, _) => Slow());
        ManyProjects.Write(_folder);
        using var process = AuditCommand.Start(_folder.Path, GoogleEnvironment.At(server, _folder), [], "run", "engagement.yaml", "--out", "out");
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await SeenAsync(process, server, 20);
        var second = await ManyProjects.RunAsync(_folder, server, "run", "--resume", Partial()!);
        Assert.True(second.ExitCode == 1, second.ToString());
        Assert.Contains("another process is writing", second.Error, StringComparison.Ordinal);
        await AuditCommand.EndAsync(process);
        Assert.True(process.ExitCode == 3, await output + await error);
        Assert.NotNull(Sealed());
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Makes a request take some time, so that a process can be killed between two.</summary>
    private static GoogleFault? Slow()
    {
        Thread.Sleep(OneRequest);
        return null;
    }

    /// <summary>Kills the process when the server has seen so many requests; those beyond all stand for steps of time after the last.</summary>
    private static async Task KillAsync(Process process, GoogleServer server, int at, int requests)
    {
        await SeenAsync(process, server, server.Seen.Count + Math.Min(at, requests));
        if (at > requests)
            await Task.Delay(TimeSpan.FromSeconds(6) * (at - requests) / requests);
        if (!process.HasExited)
            process.Kill();
        await AuditCommand.EndAsync(process);
    }

    /// <summary>Waits until the server has seen so many requests, or no further one for a while.</summary>
    private static async Task SeenAsync(Process process, GoogleServer server, int count)
    {
        var (last, still) = (-1, 0);
        for (var waited = 0; waited < 6000 && !process.HasExited && server.Seen.Count < count && still < 300; waited++)
        {
            (still, last) = server.Seen.Count == last && last > 0 ? (still + 1, last) : (0, server.Seen.Count);
            await Task.Delay(10);
        }
    }

    private string? Partial() => Folders(".partial").SingleOrDefault();

    /// <summary>Returns the folder that looks like a bundle; there may be none.</summary>
    private string? Sealed() => Folders("").SingleOrDefault(d => Path.GetExtension(d) is not (".partial" or ".begun"));

    private string[] Folders(string suffix) => Path.Combine(_folder.Path, "out") is var folder && Directory.Exists(folder)
        ? [.. Directory.GetDirectories(folder).Where(d => d.EndsWith(suffix, StringComparison.Ordinal))]
        : [];

    private static string Beside(string partial) => partial[..^".partial".Length] + ".begun";

    /// <summary>Returns the account and the operation of everything that an unsealed bundle has read completely.</summary>
    private static IEnumerable<(string Account, string Operation)> Whole(string partial)
    {
        var data = Path.Combine(partial, "data");
        var indexes = Directory.EnumerateFiles(data, "index.jsonl", SearchOption.AllDirectories).Select(File.ReadAllText);
        var archives = Directory.Exists(Path.Combine(data, "shards"))
            ? Directory.EnumerateFiles(Path.Combine(data, "shards"), "*.tar").Select(a =>
            {
                using var shard = new StreamReader(AuditCli.Bundles.BundleFolder.Sealed(a).Open("data/evidence/index.jsonl"));
                return shard.ReadToEnd();
            })
            : [];
        return indexes.Concat(archives).SelectMany(t => t.Split('\n')[..^1]).Select(l => JsonElement.Parse(l))
            .Where(i => i.GetProperty("outcome").GetString() == "complete" && i.GetProperty("account").GetString() != "")
            .Select(i => (i.GetProperty("account").GetString()!, i.GetProperty("operation").GetString()!));
    }
}
