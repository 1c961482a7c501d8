using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace AuditCli.Controls.Evaluation.Isolation;

/// <summary>A child process from its start to its end, as the parent sees it.</summary>
internal sealed class ChildProcess : IDisposable
{
    private const int WordsKept = 2048;

    /// <summary>
    /// The environment variables that a .NET program needs to start, and those of them that make it faster; none of them holds a credential or
    /// loads code.
    /// </summary>
    private static readonly ImmutableArray<string> Needed =
    [
        "PATH", "HOME", "TMPDIR", "TMP", "TEMP", "SystemRoot", "windir", "USERPROFILE", "LD_LIBRARY_PATH", "DOTNET_BUNDLE_EXTRACT_BASE_DIR",
        "DOTNET_EnableWriteXorExecute", "DOTNET_TC_CallCountThreshold", "GLIBC_TUNABLES",
    ];

    private readonly Process _process;
    private readonly Task<string> _words;

    private ChildProcess(Process process)
    {
        _process = process;
        _words = FirstWordsAsync(process.StandardError);
    }

    public Stream Input => _process.StandardInput.BaseStream;

    public Stream Output => _process.StandardOutput.BaseStream;

    /// <exception cref="IOException">The program cannot be started.</exception>
    public static ChildProcess Start(ImmutableArray<string> command, EvaluationLimits limits)
    {
        var start = new ProcessStartInfo(command[0], [.. command.Skip(1), EvaluationChild.Word, limits.ProcessMemory.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        var removed = start.Environment.Keys.Where(n => !Needed.Contains(n) && !n.StartsWith("DOTNET_ROOT", StringComparison.Ordinal));
        foreach (var name in removed.ToArray())
            start.Environment.Remove(name);
        // Half of the memory for .NET itself, so that the engine gets the rest.
        start.Environment["DOTNET_GCHeapHardLimit"] = (limits.ProcessMemory / 2).ToString("x", CultureInfo.InvariantCulture);
        start.Environment["DOTNET_gcConcurrent"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        // Disables diagnostics, which debuggers reach through files and sockets.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        try
        {
            return new(Process.Start(start) ?? throw new IOException($"{command[0]} did not start"));
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new IOException($"the process in which controls are evaluated cannot be started: {command[0]}: {e.Message}", e);
        }
    }

    /// <summary>The time for which processors worked for the process; once it has ended, more than any limit.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            try
            {
                _process.Refresh();
                return _process.TotalProcessorTime;
            }
            catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or NotSupportedException)
            {
                return TimeSpan.MaxValue / 2;
            }
        }
    }

    /// <summary>Ends the process at once, whatever it is doing; harmless when it has already ended.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has already ended, which is the goal.
        }
    }

    /// <summary>Ends the process, waits for its end and returns its exit code and the beginning of its stderr output.</summary>
    public async Task<(int ExitCode, string Words)> EndAsync()
    {
        Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        return (_process.ExitCode, await _words);
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    /// <summary>Reads to the end, so that the child never blocks on a full pipe, and keeps only the beginning.</summary>
    private static async Task<string> FirstWordsAsync(StreamReader error)
    {
        var kept = new StringBuilder();
        var buffer = new char[1024];
        for (int read; (read = await error.ReadAsync(buffer)) > 0;)
            kept.Append(buffer, 0, Math.Min(read, WordsKept - kept.Length));
        return kept.ToString();
    }
}
