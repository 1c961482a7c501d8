using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using AuditCli.Tests;

namespace AuditCli.Benchmarks;

/// <summary>
/// Calls iam:ListUsers (50 users, a page of 10 KB) on a static loopback server, alternately with boto3 and with this client, all in
/// separate processes. Prints calls per second, processor time and allocation per call, compared with boto3. Rounds are interleaved, and
/// the median of three counts. Then makes the calls with a simulated delay, through the limiter of a run.
/// </summary>
internal static class AwsMeasurement
{
    private const int Rounds = 3;
    private const int Calls = 2000;
    private const int SlowCalls = 10_000;
    private const int Delay = 50;
    private const int PerService = 8;

    public static async Task<int> RunAsync()
    {
        Console.WriteLine($"load average {(File.Exists("/proc/loadavg") ? (await File.ReadAllTextAsync("/proc/loadavg")).Trim() : "unknown")}");
        Console.WriteLine($"{"concurrency",12}  {"client",-26}{"calls/s",10}{"to boto3",10}{"cpu ms",10}{"to boto3",10}{"KiB/call",10}{"peak MiB",10}");
        using (var server = Start("aws-server", "0"))
        {
            var url = (await server.StandardOutput.ReadLineAsync())!;
            foreach (var concurrency in new[] { 1, 8, 32 })
            {
                string[] clients = ["boto3, threads", "recording, typed parsing", "recording alone"];
                var runs = clients.ToDictionary(c => c, _ => new List<ClientFigures>());
                for (var round = 0; round < Rounds; round++)
                {
                    runs[clients[0]].Add(await BotoAsync(url, concurrency, Calls / 4));
                    runs[clients[1]].Add(await OursAsync(url, concurrency, Calls, "typed"));
                    runs[clients[2]].Add(await OursAsync(url, concurrency, Calls, "raw"));
                }
                var boto = Median(runs[clients[0]]);
                foreach (var client in clients)
                    Print(concurrency, client, Median(runs[client]), boto);
            }
            server.StandardInput.Close();
        }
        using (var server = Start("aws-server", Delay.ToString(CultureInfo.InvariantCulture)))
        {
            var url = (await server.StandardOutput.ReadLineAsync())!;
            Console.WriteLine($"{"calls",12}  {"at " + Delay + " ms, limited to " + PerService,-26}{"wall s",10}{"to bound",10}{"peak MiB",10}");
            foreach (var calls in new[] { SlowCalls / 10, SlowCalls })
            {
                var figures = await OursAsync(url, PerService, calls, "limited");
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{calls,12}  {"recording, typed parsing",-26}{figures.Seconds,10:F1}"
                        + $"{figures.Seconds / (calls * Delay / 1000.0 / PerService),10:F3}{figures.Peak >> 20,10}"));
            }
            server.StandardInput.Close();
        }
        return 0;
    }

    private static void Print(int concurrency, string client, ClientFigures figures, ClientFigures boto) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{concurrency,12}  {client,-26}{figures.PerSecond,10:F0}{figures.PerSecond / boto.PerSecond,10:F1}"
            + $"{figures.CpuPerCall,10:F2}{figures.CpuPerCall / boto.CpuPerCall,10:F2}"
            + $"{figures.Allocated / 1024.0 / figures.Calls,10:F0}{figures.Peak >> 20,10}"));

    private static ClientFigures Median(List<ClientFigures> runs) => runs.OrderBy(r => r.PerSecond).ElementAt(runs.Count / 2);

    private static Task<ClientFigures> OursAsync(string url, int concurrency, int calls, string mode) =>
        FiguresAsync(Start("aws-client", url, concurrency.ToString(CultureInfo.InvariantCulture), calls.ToString(CultureInfo.InvariantCulture), mode));

    private static Task<ClientFigures> BotoAsync(string url, int concurrency, int calls)
    {
        var start = new ProcessStartInfo("python3") { RedirectStandardOutput = true };
        foreach (var argument in (string[])[Repository.Path("tests", "AuditCli.Benchmarks", "boto3_client.py"), url, $"{concurrency}", $"{calls}"])
            start.ArgumentList.Add(argument);
        return FiguresAsync(Process.Start(start)!);
    }

    private static async Task<ClientFigures> FiguresAsync(Process process)
    {
        using (process)
        {
            var said = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            return process.ExitCode == 0
                ? JsonSerializer.Deserialize<ClientFigures>(said)!
                : throw new InvalidOperationException($"the client ended with {process.ExitCode}: {said}");
        }
    }

    private static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in arguments.Prepend(typeof(AwsMeasurement).Assembly.Location))
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }
}

/// <summary>What a number of calls costs a client after its warm-up.</summary>
/// <param name="Cpu">The processor time in seconds.</param>
/// <param name="Allocated">The allocated bytes; 0 if they are not measured.</param>
/// <param name="Peak">The largest working set of the process, in bytes.</param>
internal sealed record ClientFigures(int Calls, double Seconds, double Cpu, long Allocated, long Peak)
{
    public double PerSecond => Calls / Seconds;
    public double CpuPerCall => Cpu * 1000 / Calls;
}
