using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics;
using AuditCli.Collectors;

namespace AuditCli.Tests;

public sealed record CommandResult(int ExitCode, string Output, string Error)
{
    public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Error}";
}

/// <summary>Runs the program, either in this process with a given host or as a separate process.</summary>
public static class AuditCommand
{
    /// <summary>What .NET needs of the environment, and what <c>test.runsettings</c> sets to make processes start sooner.</summary>
    private static readonly ImmutableArray<string> Kept = ["PATH", "DOTNET_EnableWriteXorExecute", "DOTNET_TC_CallCountThreshold", "GLIBC_TUNABLES"];

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Runs in this process with the given host. The SDKs still see the environment of the test process.</summary>
    public static async Task<CommandResult> RunAsync(AuditHost host, CancellationToken cancellationToken, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var configuration = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false };
        var exit = await Composition.Root(host).Parse(arguments).InvokeAsync(configuration, cancellationToken);
        return new(exit, output.ToString(), error.ToString());
    }

    public static Task<CommandResult> RunAsync(string folder, params string[] arguments) =>
        RunAsync(Host(folder), CancellationToken.None, arguments);

    public static Task<CommandResult> RunAsync(string folder, ImmutableArray<CollectorEntry> collectors, params string[] arguments) =>
        RunAsync(Host(folder) with { Collectors = collectors }, CancellationToken.None, arguments);

    /// <summary>Returns a host for that folder, without any environment variables.</summary>
    public static AuditHost Host(string folder) => new(
        TimeProvider.System,
        _ => null,
        System.Security.Cryptography.RandomNumberGenerator.GetBytes,
        LiveError: false,
        OutputWidth: 160,
        OutputColours: false,
        folder,
        ["dotnet", System.IO.Path.Combine(AppContext.BaseDirectory, "auditcli.dll")],
        CollectorCatalog.All);

    /// <summary>Runs as a separate process with only the given variables and those that .NET needs.</summary>
    public static async Task<CommandResult> ProcessAsync(
        string folder, IReadOnlyDictionary<string, string> environment, IEnumerable<string> wrapper, params string[] arguments)
    {
        using var process = Start(folder, environment, wrapper, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await EndAsync(process);
        return new(process.ExitCode, await output, await error);
    }

    /// <summary>Runs a command line in bash, with only the given variables and those that .NET needs.</summary>
    public static async Task<CommandResult> ShellAsync(string folder, IReadOnlyDictionary<string, string> environment, string command)
    {
        var start = new ProcessStartInfo("bash", ["-c", command]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Clear();
        foreach (var name in Kept.Where(n => Environment.GetEnvironmentVariable(n) is not null))
            start.Environment[name] = Environment.GetEnvironmentVariable(name);
        start.Environment["HOME"] = folder;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await EndAsync(process);
        return new(process.ExitCode, await output, await error);
    }

    /// <summary>Starts the process. The caller must end it.</summary>
    public static Process Start(string folder, IReadOnlyDictionary<string, string> environment, IEnumerable<string> wrapper, params string[] arguments)
    {
        string[] command = [.. wrapper, "dotnet", System.IO.Path.Combine(AppContext.BaseDirectory, "auditcli.dll"), .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Signal.AllowInterrupt();
        start.Environment.Clear();
        foreach (var name in Kept.Where(n => Environment.GetEnvironmentVariable(n) is not null))
            start.Environment[name] = Environment.GetEnvironmentVariable(name);
        start.Environment["HOME"] = folder;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Waits for the process to exit, with a time limit.</summary>
    public static async Task EndAsync(Process process)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"auditcli did not end within {Patience}");
        }
    }

    /// <summary>Runs another program and returns its exit code and output.</summary>
    public static async Task<CommandResult> OtherAsync(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await EndAsync(process);
        return new(process.ExitCode, await output, await error);
    }

    /// <summary>Returns the path of the only sealed bundle in a folder.</summary>
    public static string TheBundle(string folder) =>
        Directory.EnumerateDirectories(folder).Single(d => System.IO.Path.GetExtension(d) is not (".partial" or ".begun"));
}
