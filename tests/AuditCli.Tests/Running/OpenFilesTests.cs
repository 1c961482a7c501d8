using System.Text.Json;

namespace AuditCli.Tests.Running;

/// <summary>Checks that the limit of open files affects only the speed of a run with many accounts, not how many it can read.</summary>
public sealed class OpenFilesTests
{
    private const int Accounts = 12;

    /// <summary>Fewer than the run has files of exchanges, one for each account and region.</summary>
    private const int Allowed = 256;

    [NeedsFact("prlimit")]
    public async Task A_dozen_accounts_are_read_and_sealed_where_few_files_may_be_open()
    {
        using var folder = new TemporaryFolder();
        using var server = new AccountsServer(Accounts, TimeSpan.Zero);
        folder.Write("engagement.yaml", Engagement);
        using var process = AuditCommand.Start(
            folder.Path, server.Environment, ["prlimit", $"--nofile={Allowed}:{Allowed}"],
            "run", "engagement.yaml", "--out", "out", "--output", "json");
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var recordings = 0;
        while (!process.HasExited)
        {
            recordings = Math.Max(recordings, OpenRecordings(process.Id));
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(50));
        }
        await AuditCommand.EndAsync(process);

        Assert.True(process.ExitCode == 0, $"{process.ExitCode}\n{await output}\n{await error}");
        var bundle = AuditCommand.TheBundle(Path.Combine(folder.Path, "out"));
        Assert.True(Directory.EnumerateFiles(Path.Combine(bundle, "data", "exchanges"), "*.warc.gz", SearchOption.AllDirectories).Count() > Allowed);
        Assert.True(recordings <= 64, $"{recordings} recordings were open at once");
        var limits = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(bundle, "data", "run.json"))).RootElement.GetProperty("limits");
        Assert.Equal(24, limits.GetProperty("requests_at_once").GetInt32());
        Assert.Equal(24, limits.GetProperty("connections").GetInt32());
        Assert.True(server.MostAtOnce <= 24, $"{server.MostAtOnce} requests were on their way at once");
        var verified = await AuditCommand.RunAsync(folder.Path, "verify", bundle, "--allow-unsigned");
        Assert.True(verified.ExitCode == 0, verified.ToString());
    }

    [NeedsFact("prlimit")]
    public async Task A_run_that_could_not_open_its_files_is_refused_before_it_asks_anything()
    {
        using var folder = new TemporaryFolder();
        using var server = new AccountsServer(2, TimeSpan.Zero);
        folder.Write("engagement.yaml", Engagement);
        var result = await AuditCommand.ProcessAsync(
            folder.Path, server.Environment, ["prlimit", "--nofile=200:200"], "run", "engagement.yaml", "--out", "out");
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains("200 files open at once, and a run needs 224", result.Error, StringComparison.Ordinal);
        Assert.Contains("ulimit -n", result.Error, StringComparison.Ordinal);
        Assert.Equal(0, server.Answered);
    }

    private static string Engagement => $$"""
        schema: 1
        entity: Example Exchange
        name: Many accounts
        period: { start: 2026-09-01, end: 2026-11-15 }
        as_of: 2026-11-23T00:00:00Z
        as_of_tolerance: 36500d
        preparer: A. Preparer
        reviewer: R. Reviewer
        controls: { include: ["INF-AWS-002"] }
        targets: {{AccountsServer.Target}}
        """;

    private static int OpenRecordings(int process)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries($"/proc/{process}/fd")
                .Count(d => new FileInfo(d).LinkTarget?.EndsWith(".warc.gz", StringComparison.Ordinal) == true);
        }
        catch (IOException)
        {
            // The process exited meanwhile.
            return 0;
        }
    }
}
