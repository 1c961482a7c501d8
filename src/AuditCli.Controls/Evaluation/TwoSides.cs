using System.Collections.Immutable;
using System.Data.Common;
using System.Text.RegularExpressions;
using AuditCli.Evidence.Text;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>What both sides of a completeness check returned, as text; null for SQL NULL. They agree only if both are values.</summary>
internal sealed partial record ComparedSides(string? Left, string? Right, bool Agree)
{
    /// <summary>Compares two values of the same kind.</summary>
    /// <param name="leftType">The type in SQL of the left side.</param>
    /// <exception cref="BrokenTestException">The types are of different kinds.</exception>
    public static ComparedSides Of(string? left, string leftType, string? right, string rightType) =>
        SideTypes.Fault(leftType, rightType) is { } fault
            ? throw new BrokenTestException(fault)
            : new(left, right, left is not null && (left == right || SideTypes.AreNumbers(leftType) && AreEqualNumbers(left, right)));

    /// <summary>Whether two texts of sides, of which the types are not known, may be of equal values.</summary>
    public static bool MayAgree(string? left, string? right) => left is not null && (left == right || AreEqualNumbers(left, right));

    /// <summary>Whether two numbers are equal, digit by digit: the engine would round both to a type that holds neither.</summary>
    private static bool AreEqualNumbers(string? left, string? right) => Plain(left) is { } plain && plain == Plain(right);

    /// <summary>Matches a number as the engine writes it: it may leave out the zero before the point.</summary>
    [GeneratedRegex("^-?([0-9]+|[0-9]*\\.[0-9]+)$", RegexOptions.CultureInvariant)]
    private static partial Regex PlainNumber { get; }

    /// <summary>Returns a plain number without the zeros that say nothing, and zero without a sign; null for any other text.</summary>
    private static string? Plain(string? number)
    {
        if (number is null || !PlainNumber.IsMatch(number))
            return null;
        var parts = number.TrimStart('-').Split('.');
        var plain = $"{parts[0].TrimStart('0')}.{(parts.Length > 1 ? parts[1].TrimEnd('0') : "")}";
        return number.StartsWith('-') && plain != "." ? "-" + plain : plain;
    }
}

/// <summary>
/// The types of two sides that may be compared. The engine compares values of different types by converting one of them, which may round it:
/// BIGINT 9007199254740993 would equal DOUBLE 9007199254740992, and TRUE would equal 1.
/// </summary>
internal static class SideTypes
{
    private static readonly ImmutableHashSet<string> Integers = ImmutableHashSet.Create(
        StringComparer.Ordinal,
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "BIGNUM");

    /// <summary>Returns why two types, by their names in SQL, cannot be compared without loss; null if they can.</summary>
    public static string? Fault(string left, string right) => left == right || IsExact(left) && IsExact(right) || IsNull(left) || IsNull(right)
        ? null
        : $"'sql' gives {left} and 'equals' gives {right}, which cannot be compared without a conversion that may round or change a value; "
            + $"cast one side to the type of the other, such as CAST(... AS {(IsExact(right) || !IsExact(left) ? right : left)})";

    /// <summary>Whether values of the type are numbers, exact or not.</summary>
    public static bool AreNumbers(string type) => IsExact(type) || type is "DOUBLE" or "FLOAT";

    private static bool IsExact(string type) => Integers.Contains(type) || type.StartsWith("DECIMAL(", StringComparison.Ordinal);

    /// <summary>Whether the type is that of a bare NULL, which agrees with nothing anyway.</summary>
    private static bool IsNull(string type) => type is "NULL" or "\"NULL\"";
}

/// <summary>A test or check does not return what it must return.</summary>
internal sealed class BrokenTestException(string message) : Exception(message);

/// <summary>Evaluates the two sides of completeness checks over the tables of a slice.</summary>
internal sealed class TwoSides(Control control, SqlParameters parameters, LockedDatabase database)
{
    private const string Compared = "CAST(l.v AS VARCHAR), typeof(l.v), CAST(r.v AS VARCHAR), typeof(r.v)";
    private const int ComparedColumns = 4;

    /// <param name="part">For a union, the one partition whose rows the check sees; null for all.</param>
    /// <exception cref="BrokenTestException">
    /// A side is not one value, the engine cannot evaluate it, or the two are of different kinds; the message names the side.
    /// </exception>
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
        ComparedSides.Of(row.IsDBNull(0) ? null : row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), row.GetString(3));

    private async Task ScalarAsync(string table, string side, string sql, SqlLineage lineage, SlicePart? part, CancellationToken cancellationToken)
    {
        try
        {
            await database.ExecuteAsync(
                $"CREATE OR REPLACE TABLE {table} AS {Side(sql, lineage, part)}", parameters.For(lineage), cancellationToken);
        }
        catch (DuckDBException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BrokenTestException($"{side}: {Faults.FirstLine(e)}");
        }
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
