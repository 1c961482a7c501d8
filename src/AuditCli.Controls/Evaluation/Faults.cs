using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>How an engine's fault reads in results: its first line, which names the thing; the rest is a drawing of the SQL.</summary>
internal static class Faults
{
    public static string FirstLine(DuckDBException fault) => fault.Message.Split('\n')[0].TrimEnd();
}
