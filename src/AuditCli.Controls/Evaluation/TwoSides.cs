using System.Collections.Immutable;
using System.Data.Common;
using AuditCli.Evidence.Text;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>What both sides of a completeness check returned, as text; null for SQL NULL. They agree only if both are values.</summary>
internal sealed record ComparedSides(string? Left, string? Right, bool Agree);

/// <summary>A test or check does not return what it must return.</summary>
internal sealed class BrokenTestException(string message) : Exception(message);

/// <summary>Evaluates the two sides of completeness checks over the tables of a slice.</summary>
internal sealed class TwoSides(Control control, SqlParameters parameters, LockedDatabase database)
{
    private const string Compared = "CAST(l.v AS VARCHAR), CAST(r.v AS VARCHAR), coalesce(l.v = r.v, FALSE)";
    private const int ComparedColumns = 3;

    /// <param name="part">For a union, the one partition whose rows the check sees; null for all.</param>
    /// <exception cref="BrokenTestException">A side is not one value.</exception>
    /// <exception cref="DuckDBException">The engine cannot evaluate a side, or compare the two.</exception>
    public async Task<ComparedSides> CompareAsync(
        CompletenessCheck check, SqlLineage left, SqlLineage right, SlicePart? part, CancellationToken cancellationToken)
    {
        if (await TogetherAsync(check, left, right, part, cancellationToken) is { } sides)
            return sides;
        await ScalarAsync("_left", "sql", check.Sql, left, part, cancellationToken);
        await ScalarAsync("_right", "equals", check.EqualsSql, right, part, cancellationToken);
        return (await database.QueryAsync($"SELECT {Compared} FROM _left l, _right r", [], Sides, cancellationToken)).Single();
    }

    /// <summary>
    /// Compares both sides in one statement, because planning a statement takes longer than running it. Returns null unless each side is one value that is not
    /// NULL: the sides are then asked one after the other, so that a message can say which of them is at fault.
    /// </summary>
    private async Task<ComparedSides?> TogetherAsync(
        CompletenessCheck check, SqlLineage left, SqlLineage right, SlicePart? part, CancellationToken cancellationToken)
    {
        try
        {
            using var command = database.Command(
                $"SELECT {Compared}, l.*, r.* FROM ({Side(check.Sql, left, part)}) l(v), ({Side(check.EqualsSql, right, part)}) r(v) LIMIT 2",
                parameters.For(left.Parameters.Union(right.Parameters)));
            using var reader = await command.ExecuteReaderAsync(cancellationToken);
            if (reader.FieldCount != ComparedColumns + 2 || !await reader.ReadAsync(cancellationToken))
                return null;
            var sides = Sides(reader);
            return sides.Left is null || sides.Right is null || await reader.ReadAsync(cancellationToken) ? null : sides;
        }
        catch (DuckDBException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private static ComparedSides Sides(DbDataReader row) =>
        new(row.IsDBNull(0) ? null : row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.GetBoolean(2));

    private async Task ScalarAsync(string table, string side, string sql, SqlLineage lineage, SlicePart? part, CancellationToken cancellationToken)
    {
        await database.ExecuteAsync(
            $"CREATE OR REPLACE TABLE {table} AS {Side(sql, lineage, part)}", parameters.For(lineage), cancellationToken);
        var columns = await database.DescribeAsync(table, [], cancellationToken);
        var rows = (await database.QueryAsync($"SELECT count(*) FROM {table}", [], r => r.GetInt64(0), cancellationToken)).Single();
        if (columns.Length != 1 || rows != 1)
            throw new BrokenTestException($"{side}: must give one value, not {rows} rows of {columns.Length} columns");
        database.Execute($"ALTER TABLE {table} RENAME COLUMN {SqlQuote.Name(columns[0].Name)} TO v");
    }

    /// <summary>Returns the SELECT of one side, over the rows of the part.</summary>
    private string Side(string sql, SqlLineage lineage, SlicePart? part) =>
        $"{Narrowed(lineage, part)}SELECT * FROM (\n{SqlText.Inner(sql, parameters)}\n)";

    /// <summary>
    /// Returns a WITH clause that replaces each named table by one of the same name with the rows of one partition. Inputs
    /// belong to every partition.
    /// </summary>
    private string Narrowed(SqlLineage lineage, SlicePart? part)
    {
        var tables = control.Evidence.Where(n => !n.IsFile)
            .SelectMany(CompiledControl.TablesOf)
            .Where(t => lineage.Tables.Contains(t.Name))
            .Select(t => SqlQuote.Name(t.Name))
            .ToImmutableArray();
        if (part is null || tables.IsEmpty)
            return "";
        var place = $"_target = {SqlQuote.Text(part.Name.Target)} AND _account = {SqlQuote.Text(part.Name.Account)}";
        return $"WITH {string.Join(", ", tables.Select(t => $"{t} AS (SELECT * FROM main.{t} WHERE {place})"))} ";
    }
}
