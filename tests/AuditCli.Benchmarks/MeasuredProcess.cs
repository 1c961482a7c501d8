using System.Diagnostics;
using System.Globalization;

namespace AuditCli.Benchmarks;

/// <summary>What a program cost as a process of its own.</summary>
/// <param name="Peak">Resident bytes at most.</param>
internal sealed record MeasuredProcess(TimeSpan Wall, TimeSpan Processor, long Peak, int ExitCode, long OutputBytes, string Error)
{
    public const string Heading = "    wall s     cpu s  peak MiB  exit";

    /// <summary>The columns of <see cref="Heading"/>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Wall.TotalSeconds,10:F1}{Processor.TotalSeconds,10:F1}{Peak >> 20,10}{ExitCode,6}");

    /// <summary>Runs a program to its end; its output is counted and thrown away.</summary>
    public static async Task<MeasuredProcess> RunAsync(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var (output, error) = (CountAsync(process.StandardOutput.BaseStream), process.StandardError.ReadToEndAsync());
        long peak = 0;
        var processor = TimeSpan.Zero;
        while (!process.HasExited)
        {
            try
            {
                process.Refresh();
                (peak, processor) = (Math.Max(peak, process.PeakWorkingSet64), process.TotalProcessorTime);
            }
            catch (InvalidOperationException)
            {
                break;  // it ended in between
            }
            await Task.Delay(20);
        }
        await process.WaitForExitAsync();
        return new(watch.Elapsed, processor, peak, process.ExitCode, await output, await error);
    }

    /// <summary>The program under measurement, built beside this one.</summary>
    public static ProcessStartInfo AuditCli(string folder, params string[] arguments) =>
        new("dotnet", [Path.Combine(AppContext.BaseDirectory, "auditcli.dll"), .. arguments]) { WorkingDirectory = folder };

    private static async Task<long> CountAsync(Stream stream)
    {
        var buffer = new byte[1 << 16];
        long count = 0;
        while (await stream.ReadAsync(buffer) is > 0 and var read)
            count += read;
        return count;
    }
}
