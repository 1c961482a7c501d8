using System.Diagnostics;
using System.Globalization;

namespace AuditCli.Benchmarks;

/// <summary>What a program cost in a separate process.</summary>
/// <param name="Peak">The largest working set seen, in bytes.</param>
/// <param name="Said">What it printed to both streams.</param>
internal sealed record MeasuredProcess(TimeSpan Wall, TimeSpan Cpu, long Peak, int ExitCode, string Said)
{
    private const int Look = 50;

    /// <summary>The column headings of <see cref="Line"/>, after the one for what is counted.</summary>
    public static string Heading(string counted) => $"{counted + "s",10}{"requests",10}{"wall s",10}{"cpu s",10}{"peak MiB",10}{"us/" + counted,12}{"exit",6}";

    /// <summary>Runs an engagement in a new folder, which is deleted afterwards.</summary>
    /// <param name="targets">The value of the engagement's <c>targets</c>, as YAML on one line.</param>
    public static async Task<MeasuredProcess> RunAsync(
        string name, string control, string targets, Func<string, IReadOnlyDictionary<string, string>> environment)
    {
        var folder = Directory.CreateTempSubdirectory("auditcli-scale-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "engagement.yaml"), $$"""
                schema: 1
                entity: Scale
                name: {{name}}
                period: { start: 2026-09-01, end: 2026-11-15 }
                as_of: 2026-11-23T00:00:00Z
                as_of_tolerance: 36500d
                preparer: A. Preparer
                reviewer: R. Reviewer
                controls: { include: [{{control}}] }
                targets: {{targets}}
                """);
            var start = AuditCli("run", "engagement.yaml", "--out", "out");
            start.WorkingDirectory = folder.FullName;
            foreach (var (variable, value) in environment(folder.FullName))
                start.Environment[variable] = value;
            return await RunAsync(start);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Returns the figures as a line of the table, with the program's output if its exit code is unexpected.</summary>
    public string Line(int count, long requests, int wished) => string.Create(
        CultureInfo.InvariantCulture,
        $"{count,10}{requests,10}{Wall.TotalSeconds,10:F1}{Cpu.TotalSeconds,10:F1}{Peak >> 20,10}"
            + $"{Wall.TotalMicroseconds / count,12:F0}{ExitCode,6}{(ExitCode == wished ? "" : "\n" + Said)}");

    /// <summary>The measured program, built next to this one.</summary>
    public static ProcessStartInfo AuditCli(params string[] arguments) => new("dotnet", [Path.Combine(AppContext.BaseDirectory, "auditcli.dll"), .. arguments]);

    public static async Task<MeasuredProcess> RunAsync(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        long peak = 0;
        var cpu = TimeSpan.Zero;
        while (!process.HasExited)
        {
            process.Refresh();
            if (!process.HasExited)
                (peak, cpu) = (Math.Max(peak, process.PeakWorkingSet64), process.TotalProcessorTime);
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(Look));
        }
        return new(watch.Elapsed, cpu, peak, process.ExitCode, $"{await output}\n{await error}");
    }
}
