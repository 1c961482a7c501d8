using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using AuditCli.Tests;

namespace AuditCli.Benchmarks;

/// <summary>
/// Runs on organizations with many accounts: measures open files and memory, and compares the time of this program with that of another
/// commit.
/// </summary>
internal static class AccountsMeasurement
{
    /// <summary>
    /// Runs once for each number of accounts, and prints wall and processor time of all processes, peak memory and open files.
    /// </summary>
    /// <param name="arguments">
    /// Numbers of accounts; <c>--delay MS</c> before each answer; <c>--nofile N</c>, the limit of open files.
    /// </param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var (accounts, options) = Options(arguments);
        var delay = TimeSpan.FromMilliseconds(options.GetValueOrDefault("--delay"));
        IReadOnlyList<string> program = ["dotnet", Path.Combine(AppContext.BaseDirectory, "auditcli.dll")];
        if (options.TryGetValue("--nofile", out var files))
            program = ["prlimit", $"--nofile={files}:{files}", .. program];
        Console.WriteLine(RunFigures.Heading);
        foreach (var count in accounts)
        {
            var figures = await RunFigures.OfAccountsAsync(count, delay, program);
            Console.WriteLine(figures.Line(count));
            if (figures.ExitCode is not (0 or 2 or 3))
                Console.WriteLine(figures.Said);
        }
        return 0;
    }

    /// <summary>
    /// Runs another commit's program and this one in turn, both published in Release. This one first sends the other's requests, so that
    /// the two are comparable, and then its own. Prints the medians and their ratios.
    /// </summary>
    /// <param name="arguments">The commit; then numbers and options as for <see cref="RunAsync"/>, and <c>--rounds N</c>.</param>
    public static async Task<int> CompareAsync(string[] arguments)
    {
        var (accounts, options) = Options(arguments[1..]);
        var delay = TimeSpan.FromMilliseconds(options.GetValueOrDefault("--delay", 150));
        var rounds = options.GetValueOrDefault("--rounds", 3);
        var commit = await CommitAsync(arguments[0]);
        var before = await PublishedAsync(commit);
        using var controls = new TemporaryFolder();
        await ExtractAsync(commit, controls.Path, "controls");
        var (other, same, own) = (arguments[0], "same asked", "own asked");
        var now = await PublishAsync(Repository.Path(), Path.Combine(Cache, "working-tree"));
        foreach (var count in accounts.DefaultIfEmpty(20))
        {
            Console.WriteLine($"\n{"program",12}{RunFigures.Heading}");
            var runs = new Dictionary<string, List<RunFigures>> { [other] = [], [same] = [], [own] = [] };
            for (var round = 0; round < rounds; round++)
            {
                foreach (var (name, program, library) in new[]
                {
                    (other, before, null),
                    (same, now, Path.Combine(controls.Path, "controls")),
                    (own, now, null),
                })
                {
                    var figures = await RunFigures.OfAccountsAsync(count, delay, ["dotnet", program], library);
                    runs[name].Add(figures);
                    Console.WriteLine($"{name[..Math.Min(10, name.Length)],12}{figures.Line(count)}");
                }
            }
            foreach (var here in new[] { same, own })
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"ratio of medians, here ({here}) to {other}: wall {Ratio(f => f.Wall.TotalSeconds):F2}, "
                        + $"cpu {Ratio(f => f.Cpu.TotalSeconds):F2}, peak {Ratio(f => f.Peak):F2}"));
                double Ratio(Func<RunFigures, double> of) => Median(runs[here], of) / Median(runs[other], of);
            }
        }
        return 0;
    }

    private static string Cache => Directory.CreateDirectory(Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "auditcli-benchmarks")).FullName;

    private static double Median(List<RunFigures> runs, Func<RunFigures, double> of) => runs.Select(of).Order().ElementAt(runs.Count / 2);

    private static (int[] Accounts, Dictionary<string, int> Options) Options(string[] arguments)
    {
        var (accounts, options) = (new List<int>(), new Dictionary<string, int>(StringComparer.Ordinal));
        for (var at = 0; at < arguments.Length; at++)
        {
            if (arguments[at].StartsWith("--", StringComparison.Ordinal) && at + 1 < arguments.Length)
                options[arguments[at]] = int.Parse(arguments[++at], CultureInfo.InvariantCulture);
            else
                accounts.Add(int.Parse(arguments[at], CultureInfo.InvariantCulture));
        }
        return ([.. accounts], options);
    }

    private static async Task<string> CommitAsync(string name) =>
        (await ToolAsync("git", Repository.Path(), "rev-parse", "--verify", name + "^{commit}")).Trim();

    /// <summary>Returns the program of a commit, which is published only once.</summary>
    private static async Task<string> PublishedAsync(string commit)
    {
        var folder = Path.Combine(Cache, commit);
        if (File.Exists(Path.Combine(folder, "auditcli.dll")))
            return Path.Combine(folder, "auditcli.dll");
        using var source = new TemporaryFolder();
        await ExtractAsync(commit, source.Path);
        return await PublishAsync(source.Path, folder);
    }

    /// <summary>Extracts the commit's files, or those of one folder.</summary>
    private static async Task ExtractAsync(string commit, string into, params string[] paths)
    {
        using var work = new TemporaryFolder();
        var archive = Path.Combine(work.Path, "source.tar");
        await ToolAsync("git", Repository.Path(), ["archive", "--format=tar", $"--output={archive}", commit, .. paths]);
        await TarFile.ExtractToDirectoryAsync(archive, into, overwriteFiles: false);
    }

    private static async Task<string> PublishAsync(string source, string folder)
    {
        // Builds in another folder first, so that an interrupted build is not taken for the commit's program.
        var building = folder + ".building";
        await ToolAsync(
            "dotnet", source, "publish", Path.Combine("src", "AuditCli"), "--configuration", "Release", "--output", building,
            "--verbosity", "quiet", "--nologo");
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.Move(building, folder);
        return Path.Combine(folder, "auditcli.dll");
    }

    private static async Task<string> ToolAsync(string program, string folder, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true })!;
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? said
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {said}");
    }
}
