using System.Globalization;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>How what broke a test reads in results.</summary>
internal static class Faults
{
    public static string OutOfTime(TimeSpan limit) => $"stopped after {limit.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s, the time limit";

    /// <summary>Whether a step was stopped for the time or memory that it took, after which its process is not what it was.</summary>
    public static bool IsExhausted(string? error, EvaluationLimits limits) =>
        error is not null && (error == OutOfTime(limits.TestTime) || error.Contains("Out of Memory", StringComparison.OrdinalIgnoreCase));

    /// <summary>An engine's fault: its first line, which names the thing; the rest is a drawing of the SQL.</summary>
    public static string FirstLine(DuckDBException fault) => fault.Message.Split('\n')[0].TrimEnd();
}
