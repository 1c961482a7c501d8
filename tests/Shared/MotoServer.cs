using System.Diagnostics;
using System.Net;

namespace AuditCli.Tests;

/// <summary>A moto_server process on a free port, stopped by its own process id.</summary>
public sealed class MotoServer : IAsyncDisposable
{
    internal const string HowToInstall = "moto_server is not installed: pip install 'moto[server]==5.2.1'";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly Process _process;

    private MotoServer(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    /// <summary>The path of the program, or null if it is not installed.</summary>
    internal static string? Executable => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? "moto_server.exe" : "moto_server"))
        .FirstOrDefault(File.Exists);

    public Uri Address { get; }

    /// <summary>Starts a server and waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">There is no moto_server, it ends at once, or it does not answer in a minute.</exception>
    public static async Task<MotoServer> StartAsync()
    {
        var executable = Executable ?? throw new InvalidOperationException(HowToInstall);
        var address = new Uri($"http://127.0.0.1:{Loopback.FreePort()}/");
        var start = new ProcessStartInfo(executable) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["-H", address.Host, "-p", address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture)])
            start.ArgumentList.Add(argument);
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{executable} did not start");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var server = new MotoServer(process, address);
        try
        {
            await server.WaitUntilReadyAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Deletes everything that was created in it.</summary>
    public async Task ResetAsync()
    {
        using var client = new HttpClient();
        using var answer = await client.PostAsync(new Uri(Address, "moto-api/reset"), null);
        answer.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }

    private async Task WaitUntilReadyAsync()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < StartLimit)
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"moto_server ended at once with code {_process.ExitCode}");
            try
            {
                using var answer = await client.GetAsync(new Uri(Address, "moto-api/data.json"));
                if (answer.StatusCode == HttpStatusCode.OK)
                    return;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                // The server does not answer yet.
            }
            await Task.Delay(100);
        }
        throw new InvalidOperationException($"moto_server does not answer at {Address}");
    }
}
