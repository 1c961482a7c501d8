using System.Text;
using System.Text.Json;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Decides whether a control's SQL may run, from DuckDB's own syntax tree and before anything runs: one SELECT over the control's
/// tables, with functions selected by hand, and nothing that depends on the clock, the session, the order of rows or chance. It
/// refuses everything that it does not know.
/// </summary>
public sealed class SqlGate : IDisposable
{
    /// <summary>The longest SQL text, in bytes of UTF-8; longer ones take DuckDB seconds to bind.</summary>
    public const int LongestText = 64 * 1024;

    /// <summary>
    /// The depth limit of the tree's JSON form; an expression takes two levels of JSON each, so DuckDB's own limit of 250 is
    /// about as deep.
    /// </summary>
    private const int DeepestTree = 520;

    private readonly LockedDatabase _database = LockedDatabase.Open("256MB");

    /// <summary>
    /// Parses the text and walks its tree. It does not bind: unknown columns pass here, and fail when the SQL is bound.
    /// </summary>
    public SqlVerdict Check(string sql, SqlScope scope)
    {
        if (Encoding.UTF8.GetByteCount(sql) > LongestText)
            return new SqlVerdict.Refused($"the SQL is longer than {LongestText / 1024} KiB", null);
        if (sql.Contains('\0', StringComparison.Ordinal))
            return new SqlVerdict.Refused("the SQL holds a NUL character", sql.IndexOf('\0', StringComparison.Ordinal));
        try
        {
            using var tree = JsonDocument.Parse(Parse(sql), new JsonDocumentOptions { MaxDepth = DeepestTree });
            return Judge(tree.RootElement, sql, scope);
        }
        catch (JsonException)
        {
            // DuckDB produced the text, so the only possible fault is its depth.
            return new SqlVerdict.Refused("the SQL is nested too deeply", null);
        }
        catch (DuckDBException e)
        {
            return new SqlVerdict.Refused(Faults.FirstLine(e), null);
        }
    }

    public void Dispose() => _database.Dispose();

    private string Parse(string sql)
    {
        using var command = _database.Command("SELECT json_serialize_sql($1::VARCHAR)", [new DuckDBParameter(sql)]);
        return (string)command.ExecuteScalar()!;
    }

    private static SqlVerdict Judge(JsonElement answer, string sql, SqlScope scope)
    {
        if (answer.GetProperty("error").GetBoolean())
        {
            var message = answer.GetProperty("error_message").GetString()!;
            return message.StartsWith("Only SELECT", StringComparison.Ordinal)
                ? new SqlVerdict.Refused("only one SELECT is allowed (no PIVOT, SET, COPY, PRAGMA or the like)", null)
                : new SqlVerdict.Refused(message.Split('\n')[0], Offset(answer, sql));
        }
        var statements = answer.GetProperty("statements");
        if (statements.GetArrayLength() != 1)
            return new SqlVerdict.Refused($"exactly one SELECT is allowed, not {statements.GetArrayLength()} statements", null);
        var walk = new SqlWalk(scope);
        var node = statements[0].GetProperty("node");
        return walk.Run(node) is { } refusal
            ? new SqlVerdict.Refused(refusal.Message, refusal.Offset is { } bytes ? Characters(sql, bytes) : null)
            : new SqlVerdict.Admitted(walk.Lineage with { MadeByAbsence = AbsentRows.Of(node, scope) });
    }

    private static int? Offset(JsonElement answer, string sql) =>
        answer.TryGetProperty("position", out var position) && int.TryParse(position.GetString(), out var offset) && offset <= sql.Length
            ? offset
            : null;

    /// <summary>Converts an offset: DuckDB counts bytes of UTF-8 in its tree, and characters in its messages.</summary>
    private static int? Characters(string sql, long bytes)
    {
        var text = Encoding.UTF8.GetBytes(sql);
        return bytes >= 0 && bytes <= text.Length ? Encoding.UTF8.GetCharCount(text, 0, (int)bytes) : null;
    }
}
