using System.Text;
using System.Text.Json;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Refuses SQL that reads a column or a parameter of which no digit may be lost (<c>whole</c>, <c>decimal(18)</c>) and computes with it in DOUBLE. The gate
/// cannot see this, because types are known only once the SQL is bound to tables.
/// </summary>
internal static class ExactSql
{
    /// <summary>The depth limit of the plan's JSON form; the gate limits expressions, subqueries and joins far below it.</summary>
    private const int DeepestPlan = 4096;

    /// <summary>Returns why the SQL may not run; null when it reads nothing of the kind, or loses nothing of it.</summary>
    /// <param name="database">A database that has the control's tables; their rows do not matter.</param>
    /// <param name="lineage">What the gate found in the SQL, or in the two texts that are compared in it.</param>
    /// <exception cref="DuckDBException">The SQL cannot be bound.</exception>
    public static async Task<SqlVerdict.Refused?> RefusalAsync(
        LockedDatabase database, string sql, SqlScope scope, SqlParameters parameters, CancellationToken cancellationToken, params SqlLineage[] lineage)
    {
        var exact = scope.Tables.SelectMany(t => t.Columns.Where(c => c.IsExact && lineage.Any(l => l.Needs(t.Name, c.Name))).Select(c => $"{t.Name}.{c.Name}"))
            .Concat(lineage.SelectMany(l => l.Parameters).Where(parameters.IsExact).Select(p => "$" + p)).FirstOrDefault();
        if (exact is null)
            return null;
        var bound = WithValues(sql.TrimEnd().TrimEnd(';'), parameters, out var moved);
        var plan = (await database.QueryAsync(
            "SELECT json_serialize_plan($1::VARCHAR)", [new DuckDBParameter(bound)], r => r.GetString(0), cancellationToken)).Single();
        using var tree = JsonDocument.Parse(plan, new JsonDocumentOptions { MaxDepth = DeepestPlan });
        if (tree.RootElement.GetProperty("error").GetBoolean())
        {
            var why = tree.RootElement.GetProperty("error_message").GetString()!.Split('\n')[0];
            return new($"whether the digits of {exact} are kept cannot be checked: {why}", null);
        }
        return ExactPlan.Loss(tree.RootElement.GetProperty("plans")) is { } loss
            ? new(
                $"no digit of {exact} may be lost in this SQL, but {loss.Message}",
                loss.Offset is { } bytes ? Original(bound, bytes, moved) : null)
            : null;
    }

    /// <summary>
    /// Returns the SQL with a value of its type for each parameter: an unbound one would take the type of whatever is beside it, and hide
    /// what a value of its own type does there.
    /// </summary>
    /// <param name="moved">For each replaced parameter its place in both texts, and its length in both.</param>
    private static string WithValues(string sql, SqlParameters parameters, out List<(int Old, int OldLength, int New, int NewLength)> moved)
    {
        var (text, places, copied) = (new StringBuilder(), new List<(int, int, int, int)>(), 0);
        foreach (var found in SqlText.Parameter.Matches(sql).Where(m => m.Groups["name"].Success))
        {
            var value = parameters.SampleOf(found.Groups["name"].Value);
            text.Append(sql, copied, found.Index - copied);
            places.Add((found.Index, found.Length, text.Length, value.Length));
            text.Append(value);
            copied = found.Index + found.Length;
        }
        moved = places;
        return text.Append(sql, copied, sql.Length - copied).ToString();
    }

    /// <summary>Returns the place in the author's text; null where the engine states none.</summary>
    /// <param name="bytes">The place in the other text, in bytes of UTF-8.</param>
    private static int? Original(string bound, long bytes, List<(int Old, int OldLength, int New, int NewLength)> moved)
    {
        var text = Encoding.UTF8.GetBytes(bound);
        if (bytes < 0 || bytes > text.Length)
            return null;
        var at = Encoding.UTF8.GetCharCount(text, 0, (int)bytes);
        var before = moved.LastOrDefault(m => m.New <= at);
        return before == default ? at : at < before.New + before.NewLength ? before.Old : at - (before.New + before.NewLength) + before.Old + before.OldLength;
    }
}
