using System.Collections.Immutable;
using AuditCli.Controls;
using AuditCli.Reports;

namespace AuditCli.Commands;

/// <summary>Prints faults in files.</summary>
internal static class CommandErrors
{
    /// <summary>Prints each fault on its own line, as compilers do, and returns the exit code.</summary>
    public static int Report(TextWriter error, ImmutableArray<Diagnostic> faults) => Report(error, [.. faults.Select(f => f.ToString())]);

    /// <summary>Prints faults that already begin with their place, and returns the exit code.</summary>
    public static int Report(TextWriter error, ImmutableArray<string> faults)
    {
        foreach (var fault in faults)
            error.WriteLine(fault);
        error.WriteLine($"{Wording.Count(faults.Length, "fault")}; nothing was sent or written");
        return ExitCode.Usage;
    }
}
