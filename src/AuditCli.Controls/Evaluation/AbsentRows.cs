using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Finds the tables of a test in which a missing row would cause a deviation: tables that SQL reads with NOT EXISTS, NOT IN,
/// EXCEPT or an anti join, and tables that <c>pass</c> reads with EXISTS or IN. While such a table is incomplete, a deviation may
/// be the result of a refused request, so it must not count. A subquery over the same table that gives the outer rows (the rules
/// of one group, say) does not count: with the table's row the item is missing too. The effect of a missing row in a LEFT JOIN is
/// known only to the author.
/// </summary>
internal sealed class AbsentRows
{
    private readonly SqlScope _scope;
    private readonly Dictionary<string, ImmutableHashSet<string>> _ctes = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _found = new(StringComparer.Ordinal);

    /// <summary>The tables that the SELECTs around the current node read.</summary>
    private ImmutableHashSet<string> _around = [];

    private AbsentRows(SqlScope scope) => _scope = scope;

    /// <summary>Returns the names of tables, as the scope spells them.</summary>
    /// <param name="node">The syntax tree of a SELECT that the gate admitted.</param>
    public static ImmutableSortedSet<string> Of(JsonElement node, SqlScope scope)
    {
        var absent = new AbsentRows(scope);
        absent.Visit(node, outermost: true);
        return [.. absent._found];
    }

    private void Visit(JsonElement element, bool outermost)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var child in element.EnumerateArray())
                Visit(child, outermost);
        }
        if (element.ValueKind != JsonValueKind.Object)
            return;
        // CTEs come before the SELECT that names them.
        if (element.TryGetProperty("cte_map", out var common))
            CommonTables(common);
        var outside = _around;
        if (element.TryGetProperty("from_table", out var from))
            _around = _around.Union(TablesOf(from));
        Inside(element, outermost);
        _around = outside;
    }

    private void Inside(JsonElement element, bool outermost)
    {
        switch (JsonMember.Text(element, "type"))
        {
            case "OPERATOR_NOT":
                foreach (var child in Children(element))
                {
                    if (IsQuestion(child))
                        Found(child);
                }
                break;
            case "JOIN" when JsonMember.Text(element, "join_type") == "ANTI":
                _found.UnionWith(TablesOf(element.GetProperty("right")).Except(TablesOf(element.GetProperty("left"))));
                break;
            case "SET_OPERATION_NODE" when JsonMember.Text(element, "setop_type") == "EXCEPT":
                if (element.TryGetProperty("right", out var right))
                    Found(right);
                break;
        }
        var union = JsonMember.Text(element, "type") == "SET_OPERATION_NODE";
        foreach (var member in element.EnumerateObject().Where(m => !m.NameEquals("cte_map")))
        {
            if (outermost && member.NameEquals("select_list"))
            {
                foreach (var column in member.Value.EnumerateArray())
                {
                    if (string.Equals(JsonMember.Text(column, "alias"), "pass", StringComparison.OrdinalIgnoreCase))
                        Pass(column, wanted: true);
                    else
                        Visit(column, outermost: false);
                }
            }
            else
            {
                Visit(member.Value, outermost && union && (member.NameEquals("left") || member.NameEquals("right") || member.NameEquals("children")));
            }
        }
    }

    /// <summary>Walks an expression that decides the verdict.</summary>
    /// <param name="wanted">Whether the test passes when the expression is true.</param>
    private void Pass(JsonElement element, bool wanted)
    {
        switch (JsonMember.Text(element, "class"), JsonMember.Text(element, "type"))
        {
            case ("OPERATOR", "OPERATOR_NOT"):
                foreach (var child in Children(element))
                    Pass(child, !wanted);
                break;
            case ("CONJUNCTION", _):
                foreach (var child in Children(element))
                    Pass(child, wanted);
                break;
            case ("CAST", _):
                Pass(element.GetProperty("child"), wanted);
                break;
            case ("CASE", _):
                foreach (var check in element.GetProperty("case_checks").EnumerateArray())
                {
                    var (when, then) = (check.GetProperty("when_expr"), check.GetProperty("then_expr"));
                    if (Constant(then) is { } verdict)
                    {
                        Pass(when, wanted == verdict);
                    }
                    else
                    {
                        Visit(when, outermost: false);
                        Pass(then, wanted);
                    }
                }
                Pass(element.GetProperty("else_expr"), wanted);
                break;
            default:
                if (wanted && IsQuestion(element))
                    Found(element);
                Visit(element, outermost: false);
                break;
        }
    }

    /// <summary>Whether the expression tests the existence of a row.</summary>
    private static bool IsQuestion(JsonElement element) =>
        JsonMember.Text(element, "class") == "SUBQUERY" && JsonMember.Text(element, "subquery_type") is "EXISTS" or "ANY";

    private void CommonTables(JsonElement map)
    {
        foreach (var entry in map.GetProperty("map").EnumerateArray())
        {
            Visit(entry.GetProperty("value"), outermost: false);
            _ctes[entry.GetProperty("key").GetString()!] = [.. TablesOf(entry.GetProperty("value"))];
        }
    }

    private void Found(JsonElement element) => _found.UnionWith(TablesOf(element).Except(_around));

    /// <summary>Returns the evidence that a part of the tree reads, also through CTEs.</summary>
    private IEnumerable<string> TablesOf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().SelectMany(TablesOf),
        JsonValueKind.Object when JsonMember.Text(element, "type") == "BASE_TABLE" && JsonMember.Text(element, "table_name") is { } name =>
            _ctes.TryGetValue(name, out var tables) ? tables
            : _scope.Tables.Where(t => string.Equals(t.Name, name, StringComparison.OrdinalIgnoreCase)).Select(t => t.Name),
        JsonValueKind.Object => element.EnumerateObject().SelectMany(m => TablesOf(m.Value)),
        _ => [],
    };

    private static JsonElement.ArrayEnumerator Children(JsonElement element) =>
        element.TryGetProperty("children", out var children) && children.ValueKind == JsonValueKind.Array ? children.EnumerateArray() : default;

    /// <summary>Returns a literal truth value; DuckDB's tree has it as a constant, or as a cast of 't' or 'f'.</summary>
    private static bool? Constant(JsonElement element)
    {
        if (JsonMember.Text(element, "class") == "CAST")
            return Constant(element.GetProperty("child"));
        if (JsonMember.Text(element, "class") != "CONSTANT"
            || !element.TryGetProperty("value", out var value) || !value.TryGetProperty("value", out var written))
            return null;
        return written.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.String => written.GetString() switch { "t" => true, "f" => false, _ => null },
            _ => null,
        };
    }
}
