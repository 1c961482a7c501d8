using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>A table that SQL over a bundle may name; its rows are read when it is named.</summary>
/// <param name="Schema">A control's ID, or a word for the bundle's own tables; empty for those that AuditCli makes.</param>
/// <param name="Rows">The number of rows; null where it is not known.</param>
/// <param name="OpenRows">The sources of its rows, each read from the start: one JSON object per line.</param>
public sealed record QueryTable(
    string Schema, string Name, ImmutableArray<Column> Columns, long? Rows, ImmutableArray<Func<IEnumerable<ReadOnlyMemory<byte>>>> OpenRows)
{
    /// <summary>The name as SQL writes it, quoted where needed.</summary>
    public string SqlName => Schema.Length == 0 ? Word(Name) : $"{Word(Schema)}.{Word(Name)}";

    private static string Word(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') ? name : SqlQuote.Name(name);
}

/// <summary>
/// What SQL over a bundle may name: the bundle's tables, the tables that control SQL always has, and the moments of the engagement.
/// </summary>
/// <param name="BundleTables">The tables of the bundle.</param>
public sealed record QueryScope(AuditMoment Moment, ImmutableArray<QueryTable> BundleTables)
{
    /// <summary>Every table, in order.</summary>
    public ImmutableArray<QueryTable> Tables =>
        [.. SqlTables.Own.Select(t => new QueryTable("", t.Table.Name, t.Table.Columns, null, [() => t.Rows(Moment)])), .. BundleTables];
}

/// <summary>The tables and the parameters that a SELECT names, each once.</summary>
internal sealed record NamedInQuery(ImmutableArray<QueryTable> Tables, ImmutableSortedSet<string> Parameters);

/// <summary>SQL that cannot be run: it is wrong, or exceeds the limits; the message says which.</summary>
public sealed class QueryException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Finds the tables and parameters that a user's SELECT names. It does not use the gate of controls: the SELECT may have a LIMIT, read the clock
/// or leave the order undefined, because nothing is concluded from it. The engine's lock, not this class, restricts what it can
/// reach.
/// </summary>
internal static class QueryNames
{
    private const int DeepestTree = 520;

    /// <summary>Returns the tables of the scope and the parameters that the SQL names.</summary>
    /// <exception cref="QueryException">It is not exactly one SELECT, or it names a table or parameter that does not exist.</exception>
    public static NamedInQuery In(string sql, ImmutableArray<QueryTable> tables, LockedDatabase database)
    {
        if (Encoding.UTF8.GetByteCount(sql) > SqlGate.LongestText || sql.Contains('\0', StringComparison.Ordinal))
            throw new QueryException($"the SQL is longer than {SqlGate.LongestText / 1024} KiB, or holds a NUL character");
        try
        {
            using var command = database.Command("SELECT json_serialize_sql($1::VARCHAR)", [new DuckDBParameter(sql)]);
            using var tree = JsonDocument.Parse((string)command.ExecuteScalar()!, new JsonDocumentOptions { MaxDepth = DeepestTree });
            if (tree.RootElement.GetProperty("error").GetBoolean())
            {
                var message = tree.RootElement.GetProperty("error_message").GetString()!;
                throw new QueryException(
                    message.StartsWith("Only SELECT", StringComparison.Ordinal) ? "only one SELECT is allowed" : message.Split('\n')[0]);
            }
            var statements = tree.RootElement.GetProperty("statements");
            if (statements.GetArrayLength() != 1)
                throw new QueryException($"exactly one SELECT is allowed, not {statements.GetArrayLength()} statements");
            var named = new List<(string Schema, string Name)>();
            var common = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            var parameters = new HashSet<string>(StringComparer.Ordinal);
            Walk(statements[0], named, common, parameters);
            if (parameters.FirstOrDefault(p => !ParameterNames.OfEngagement.Contains(p)) is { } unknown)
            {
                throw new QueryException(
                    $"${unknown} has no value here; known are {string.Join(", ", ParameterNames.OfEngagement.Select(p => "$" + p))}, "
                    + "and the values of a control's own parameters are in results.parameters");
            }
            return new([.. named.Select(n => Find(n.Schema, n.Name, tables, common)).OfType<QueryTable>().Distinct()], [.. parameters]);
        }
        catch (JsonException e)
        {
            throw new QueryException("the SQL is nested too deeply", e);
        }
        catch (DuckDBException e)
        {
            throw new QueryException(Faults.FirstLine(e), e);
        }
    }

    private static void Walk(JsonElement node, List<(string, string)> named, HashSet<string> common, HashSet<string> parameters)
    {
        if (node.ValueKind == JsonValueKind.Array)
        {
            foreach (var child in node.EnumerateArray())
                Walk(child, named, common, parameters);
        }
        if (node.ValueKind != JsonValueKind.Object)
            return;
        if (JsonMember.Text(node, "type") == "BASE_TABLE")
            named.Add((JsonMember.Text(node, "schema_name") ?? "", JsonMember.Text(node, "table_name") ?? ""));
        if (JsonMember.Text(node, "class") == "PARAMETER")
            parameters.Add(JsonMember.Text(node, "identifier") ?? "");
        if (node.TryGetProperty("cte_map", out var map) && map.TryGetProperty("map", out var entries))
        {
            foreach (var entry in entries.EnumerateArray())
                common.Add(JsonMember.Text(entry, "key") ?? "");
        }
        foreach (var member in node.EnumerateObject())
            Walk(member.Value, named, common, parameters);
    }

    private static QueryTable? Find(string schema, string name, ImmutableArray<QueryTable> tables, HashSet<string> common)
    {
        if (tables.FirstOrDefault(t => Same(t.Schema, schema) && Same(t.Name, name)) is { } found)
            return found;
        if (schema.Length == 0 ? common.Contains(name) : Same(schema, "information_schema") || Same(schema, "pg_catalog"))
            return null;
        var elsewhere = tables.Where(t => Same(t.Name, name)).Select(t => t.SqlName).Take(5).ToArray();
        throw new QueryException(elsewhere.Length > 0
            ? $"there is no table {(schema.Length == 0 ? name : $"{schema}.{name}")}; did you mean {string.Join(", ", elsewhere)}?"
            : $"there is no table {(schema.Length == 0 ? name : $"{schema}.{name}")}{NearMiss.Hint(name, tables.Select(t => t.Name).Distinct())}");
    }

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}
