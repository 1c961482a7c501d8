using System.Globalization;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>Words for the faults of tests in results.</summary>
internal static class Faults
{
    public static string OutOfTime(TimeSpan limit) => $"stopped after {limit.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s, the time limit";

    /// <summary>The first words of the fault of a step whose process ended by itself.</summary>
    public const string ProcessEnded = "the process that ran it ended";

    /// <summary>Whether a step was ended by a limit or with its process, so that it may succeed another time.</summary>
    public static bool IsOfLimits(string? error) => error is not null
        && (error.StartsWith("stopped after ", StringComparison.Ordinal) || error.StartsWith(ProcessEnded, StringComparison.Ordinal)
            || error.Contains("Out of Memory", StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a step was stopped because of its time or memory, after which its process must be replaced.</summary>
    public static bool IsExhausted(string? error, EvaluationLimits limits) =>
        error is not null && (error == OutOfTime(limits.TestTime) || error.Contains("Out of Memory", StringComparison.OrdinalIgnoreCase));

    /// <summary>Returns the first line of an engine's error, which has the message; the other lines show the SQL.</summary>
    public static string FirstLine(DuckDBException fault) => fault.Message.Split('\n')[0].TrimEnd();
}
