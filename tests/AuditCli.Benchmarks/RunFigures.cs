using System.Diagnostics;
using System.Globalization;
using AuditCli.Tests;

namespace AuditCli.Benchmarks;

/// <summary>What a run of the program cost, including every process that it started (Linux, from <c>/proc</c>).</summary>
/// <param name="Cpu">The processor time of all its processes.</param>
/// <param name="Peak">The largest resident memory of the program itself, in bytes.</param>
/// <param name="Files">The largest number of files and pipes that the program had open at once.</param>
/// <param name="Connections">The largest number of sockets that it had open at once.</param>
/// <param name="Open">The largest number of both together and of its own assemblies, each of which the runtime opens twice.</param>
internal sealed record RunFigures(
    TimeSpan Wall, TimeSpan Cpu, long Peak, int Files, int Connections, int Open, int Requests, int MostAtOnce, int ExitCode, string Said)
{
    private const int Look = 40;
    private const double TicksPerSecond = 100;

    public static string Heading =>
        $"{"accounts",10}{"requests",10}{"at once",10}{"wall s",10}{"cpu s",10}{"peak MiB",10}{"open",8}{"files",8}{"sockets",8}{"exit",6}";

    /// <summary>
    /// Runs every shipped AWS control on an organization with this many accounts, in a new folder, which is deleted afterwards.
    /// </summary>
    /// <param name="program">The program's command, such as <c>dotnet auditcli.dll</c>, with a wrapper in front if there is one.</param>
    /// <param name="library">The folder of controls; null for the built-in ones.</param>
    public static async Task<RunFigures> OfAccountsAsync(int accounts, TimeSpan delay, IReadOnlyList<string> program, string? library = null)
    {
        using var folder = new TemporaryFolder();
        using var server = new AccountsServer(accounts, delay);
        folder.Write("engagement.yaml", $$"""
            schema: 1
            entity: Scale
            name: {{accounts}} accounts
            period: { start: 2026-09-01, end: 2026-11-15 }
            as_of: 2026-11-23T00:00:00Z
            as_of_tolerance: 36500d
            preparer: A. Preparer
            reviewer: R. Reviewer
            controls: { include: ["*-AWS-*"] }
            targets: {{AccountsServer.Target}}
            """);
        string[] controls = library is null ? [] : ["--controls", library];
        var start = new ProcessStartInfo(program[0], [.. program.Skip(1), "run", "engagement.yaml", "--out", "out", .. controls])
        {
            WorkingDirectory = folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in server.Environment)
            start.Environment[name] = value;
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var (peak, files, connections, open) = (0L, 0, 0, 0);
        var spent = new Dictionary<int, double>();
        while (!process.HasExited)
        {
            foreach (var (id, seconds) in Family(process.Id))
                spent[id] = seconds;
            var held = Held(process.Id);
            var sockets = held.Count(h => h.StartsWith("socket:", StringComparison.Ordinal));
            var own = held.Count(h => h.EndsWith(".dll", StringComparison.Ordinal) || h.EndsWith(".pdb", StringComparison.Ordinal));
            (files, connections, open) = (Math.Max(files, held.Count - sockets - own), Math.Max(connections, sockets), Math.Max(open, held.Count));
            peak = Math.Max(peak, HighWater(process.Id));
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(Look));
        }
        var wall = watch.Elapsed;
        return new(
            wall, TimeSpan.FromSeconds(spent.Values.Sum()), peak, files, connections, open, server.Answered, server.MostAtOnce,
            process.ExitCode, $"{await output}\n{await error}");
    }

    public string Line(int accounts) => string.Create(
        CultureInfo.InvariantCulture,
        $"{accounts,10}{Requests,10}{MostAtOnce,10}{Wall.TotalSeconds,10:F1}{Cpu.TotalSeconds,10:F1}{Peak >> 20,10}"
            + $"{Open,8}{Files,8}{Connections,8}{ExitCode,6}");

    /// <summary>Returns the process and its descendants, with the processor seconds of each.</summary>
    private static IEnumerable<(int Id, double Seconds)> Family(int root)
    {
        var all = Directory.EnumerateDirectories("/proc").Select(d => Path.GetFileName(d)).Where(n => n.All(char.IsAsciiDigit))
            .Select(n => (Id: int.Parse(n, CultureInfo.InvariantCulture), Fields: Fields(n))).Where(p => p.Fields is not null).ToList();
        var family = new HashSet<int> { root };
        while (all.Where(p => !family.Contains(p.Id) && family.Contains(int.Parse(p.Fields![1], CultureInfo.InvariantCulture))).ToList()
            is { Count: > 0 } children)
            family.UnionWith(children.Select(c => c.Id));
        return all.Where(p => family.Contains(p.Id))
            .Select(p => (
                p.Id,
                (double.Parse(p.Fields![11], CultureInfo.InvariantCulture) + double.Parse(p.Fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond));
    }

    /// <summary>Returns the fields of proc(5) <c>stat</c> from the state on; null if the process has exited.</summary>
    private static string[]? Fields(string id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static List<string> Held(int id)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries($"/proc/{id}/fd").Select(d => new FileInfo(d).LinkTarget ?? "")];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static long HighWater(int id)
    {
        try
        {
            var line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) << 10;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
