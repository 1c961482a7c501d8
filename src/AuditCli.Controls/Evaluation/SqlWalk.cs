using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Walks over the JSON form of a syntax tree once. Every allowed kind of node is named here; any other is refused.
/// </summary>
internal sealed class SqlWalk(SqlScope scope)
{
    /// <summary>
    /// The limit of joins, unions and subqueries, whose cost for the binder grows faster than their number: 5000 unions take it
    /// seconds.
    /// </summary>
    private const int MostRelations = 200;

    /// <summary>
    /// How deep lambdas may be inside each other. Each level multiplies the work by the length of a list, and the engine cannot be
    /// interrupted where the lists are constants.
    /// </summary>
    private const int DeepestLambda = 3;

    /// <summary>Names that are functions without parentheses unless a column has the name.</summary>
    private static readonly FrozenSet<string> SessionNames = Set(
        "current_catalog", "current_date", "current_schema", "current_role", "current_time", "current_timestamp", "current_user",
        "localtime", "localtimestamp", "session_user", "user");

    private static readonly FrozenSet<string> Operators = Set(
        "OPERATOR_NOT", "COMPARE_IN", "COMPARE_NOT_IN", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_COALESCE",
        "OPERATOR_NULLIF", "ARRAY_EXTRACT", "ARRAY_SLICE", "STRUCT_EXTRACT", "ARRAY_CONSTRUCTOR", "GROUPING_FUNCTION");

    private static readonly FrozenSet<string> PlainExpressions = Set(
        "COMPARISON", "CONJUNCTION", "CASE", "BETWEEN", "SUBQUERY");

    private static readonly FrozenSet<string> PlainNodes = Set(
        "SELECT_NODE", "SET_OPERATION_NODE", "SUBQUERY", "EMPTY", "EXPRESSION_LIST", "ORDER_MODIFIER", "ORDER_DEFAULT", "ASCENDING",
        "DESCENDING", "ORDER_ASCENDING", "ORDER_DESCENDING");

    private static readonly FrozenSet<string> Types = Set(
        "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
        "FLOAT", "DOUBLE", "DECIMAL", "VARCHAR", "CHAR", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "INTERVAL", "UUID",
        "BLOB", "LIST", "STRUCT", "MAP", "JSON", "TEXT", "STRING", "TIMESTAMPTZ", "NUMERIC", "SQLNULL", "NULL");

    private readonly HashSet<string> _tables = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _functions = new(StringComparer.Ordinal);
    private readonly HashSet<string> _parameters = new(StringComparer.Ordinal);
    private readonly HashSet<string> _relations = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _bareNames = new(StringComparer.OrdinalIgnoreCase);
    private bool _star;
    private int _relationCount;
    private int _lambdaDepth;
    private bool _sortsNext;

    /// <summary>The names that the walked tree uses; complete only after <see cref="Run"/>.</summary>
    public SqlLineage Lineage => new(
        [.. _tables],
        _names.ToImmutableHashSet(StringComparer.OrdinalIgnoreCase),
        // A table's name or alias in the place of a value means its whole row.
        _star || _bareNames.Overlaps(_relations),
        [.. _functions],
        [.. _parameters]);

    /// <summary>Walks the tree; returns null when it is admitted, else the first reason against it.</summary>
    public Refusal? Run(JsonElement node)
    {
        try
        {
            Visit(node, ImmutableHashSet.Create<string>(StringComparer.OrdinalIgnoreCase));
            return null;
        }
        catch (RefusedException e)
        {
            return e.Refusal;
        }
    }

    private void Visit(JsonElement element, ImmutableHashSet<string> ctes)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var child in element.EnumerateArray())
                Visit(child, ctes);
            return;
        }
        if (element.ValueKind != JsonValueKind.Object)
            return;
        if (element.TryGetProperty("sample", out var sample) && sample.ValueKind != JsonValueKind.Null)
            throw Refuse("SAMPLE would make the population random", element);

        if (JsonMember.Text(element, "class") is { } expression)
        {
            if (IsLambdaCall(element, expression))
            {
                Lambda(element, ctes);
                return;
            }
            if (!Expression(element, expression))
                return;
        }
        else if (JsonMember.Text(element, "type") is { } node)
        {
            Node(element, node, ctes);
        }
        if (element.TryGetProperty("cte_map", out var map))
            ctes = CommonTables(map, ctes);
        foreach (var member in element.EnumerateObject())
        {
            if (member.NameEquals("cte_map"))
                continue;
            if (member.NameEquals("cast_type") || member.NameEquals("expected_types"))
                TypeOf(member.Value);
            else
                Visit(member.Value, ctes);
        }
    }

    /// <summary>Checks an expression; returns false when nothing below it needs a check.</summary>
    private bool Expression(JsonElement element, string kind)
    {
        switch (kind)
        {
            case "CONSTANT":
                return false;
            case "COLUMN_REF":
                ColumnReference(element);
                return false;
            case "PARAMETER":
                var parameter = JsonMember.Text(element, "identifier") ?? "";
                if (!scope.Parameters.Contains(parameter))
                    throw Refuse($"unknown parameter ${parameter}; known are {string.Join(", ", scope.Parameters.Select(p => "$" + p))}", element);
                _parameters.Add(parameter);
                return false;
            case "STAR":
                _star = true;
                return true;
            case "FUNCTION":
                Function(element);
                return true;
            case "WINDOW":
                Window(element);
                return true;
            case "LAMBDA":
                // Before binding, json->'key' is parsed as a lambda too. Outside the functions that take a lambda this is the
                // operator.
                _functions.Add("->");
                return true;
            case "CAST":
                return true;
            case "OPERATOR":
                var type = JsonMember.Text(element, "type") ?? "";
                return Operators.Contains(type) ? true : throw Refuse($"the operator {type} is not allowed", element);
            default:
                return PlainExpressions.Contains(kind) ? true : throw Refuse($"{kind} is not allowed", element);
        }
    }

    private static bool IsLambdaCall(JsonElement element, string kind) =>
        kind == "FUNCTION" && SqlFunctions.Lambdas.Contains(JsonMember.Text(element, "function_name") ?? "");

    /// <summary>
    /// Visits a call of a function that takes a lambda, in either spelling (<c>x -> ...</c> or <c>lambda x: ...</c>). The lambda's body is an
    /// expression like any other, and its parameters are names like those of columns.
    /// </summary>
    private void Lambda(JsonElement element, ImmutableHashSet<string> ctes)
    {
        Function(element);
        foreach (var member in element.EnumerateObject().Where(m => !m.NameEquals("children")))
            Visit(member.Value, ctes);
        foreach (var argument in element.GetProperty("children").EnumerateArray())
        {
            var isLambda = JsonMember.Text(argument, "class") == "LAMBDA";
            if (isLambda && ++_lambdaDepth > DeepestLambda)
                throw Refuse($"lambdas more than {DeepestLambda} deep inside each other are refused; unnest the list in a CTE", element);
            Visit(argument, ctes);
            _lambdaDepth -= isLambda ? 1 : 0;
        }
    }

    private void Node(JsonElement element, string kind, ImmutableHashSet<string> ctes)
    {
        if (kind is "BASE_TABLE" or "TABLE_FUNCTION" or "SELECT_NODE" && ++_relationCount > MostRelations)
            throw Refuse($"SQL with more than {MostRelations} SELECTs and tables is refused", element);
        switch (kind)
        {
            case "BASE_TABLE":
                Table(element, ctes);
                break;
            case "TABLE_FUNCTION":
                var function = JsonMember.Text(element.GetProperty("function"), "function_name") ?? "";
                if (!SqlFunctions.Tables.Contains(function))
                    throw Refuse($"the table function {function}() is not allowed", element);
                break;
            case "JOIN":
                var join = JsonMember.Text(element, "ref_type") ?? "";
                if (join is not ("REGULAR" or "CROSS"))
                    throw Refuse($"a {join} join is not allowed: it depends on more than its condition", element);
                foreach (var column in element.GetProperty("using_columns").EnumerateArray())
                    _names.Add(column.GetString()!);
                break;
            case "DISTINCT_MODIFIER":
                if (element.GetProperty("distinct_on_targets").GetArrayLength() > 0)
                    throw Refuse("DISTINCT ON keeps arbitrary rows; use row_number() with ORDER BY", element);
                break;
            case "LIMIT_MODIFIER" or "LIMIT_PERCENT_MODIFIER":
                throw Refuse("LIMIT and OFFSET hide items of the population", element);
            case "RECURSIVE_CTE_NODE":
                throw Refuse("a recursive CTE may never end", element);
            case "SHOW_REF":
                throw Refuse("DESCRIBE, SHOW and SUMMARIZE are not allowed", element);
            case "PIVOT":
                throw Refuse("PIVOT and UNPIVOT are not allowed; use CASE or FILTER", element);
            default:
                if (!PlainNodes.Contains(kind))
                    throw Refuse($"{kind} is not allowed", element);
                break;
        }
        if (JsonMember.Text(element, "alias") is { Length: > 0 } alias)
            _relations.Add(alias);
    }

    private void Table(JsonElement element, ImmutableHashSet<string> ctes)
    {
        var name = JsonMember.Text(element, "table_name") ?? "";
        if (JsonMember.Text(element, "schema_name") is { Length: > 0 } || JsonMember.Text(element, "catalog_name") is { Length: > 0 })
            throw Refuse($"the table {name} must be named without schema or database", element);
        if (element.TryGetProperty("at_clause", out var at) && at.ValueKind != JsonValueKind.Null)
            throw Refuse("AT is not allowed", element);
        _relations.Add(name);
        // t(a, b) renames columns by position, so names do not show which columns are used.
        if (element.TryGetProperty("column_name_alias", out var renamed) && renamed.GetArrayLength() > 0)
            _star = true;
        if (ctes.Contains(name))
            return;
        var table = scope.Tables.FirstOrDefault(t => string.Equals(t.Name, name, StringComparison.OrdinalIgnoreCase));
        if (table is null)
            throw Refuse($"unknown table {name}; known are {string.Join(", ", scope.Tables.Select(t => t.Name))}", element);
        _tables.Add(table.Name);
    }

    private ImmutableHashSet<string> CommonTables(JsonElement map, ImmutableHashSet<string> ctes)
    {
        foreach (var entry in map.GetProperty("map").EnumerateArray())
        {
            var name = entry.GetProperty("key").GetString()!;
            if (scope.Tables.Any(t => !SqlTables.IsOwn(t) && string.Equals(t.Name, name, StringComparison.OrdinalIgnoreCase)))
                throw Refuse($"the CTE {name} would hide the evidence of that name", map);
            // A CTE sees those before it, and not itself.
            Visit(entry.GetProperty("value"), ctes);
            ctes = ctes.Add(name);
            _relations.Add(name);
        }
        return ctes;
    }

    private void ColumnReference(JsonElement element)
    {
        var names = element.GetProperty("column_names");
        foreach (var name in names.EnumerateArray())
            _names.Add(name.GetString()!);
        if (names.GetArrayLength() != 1)
            return;
        var bare = names[0].GetString()!;
        if (SessionNames.Contains(bare))
            throw Refuse($"an unqualified {bare} may refer to the session instead of the evidence; write t.\"{bare}\" with the table's name or alias", element);
        _bareNames.Add(bare);
    }

    private void Function(JsonElement element)
    {
        var name = Qualified(element);
        if (!SqlFunctions.Allows(name) && !SqlFunctions.Tables.Contains(name))
            throw Refuse($"the function {name}() is not on the list of allowed functions", element);
        // What is sorted is the first thing inside, and so the next function that is visited.
        var isSorted = _sortsNext && SqlFunctions.ListAggregates.Contains(name);
        _sortsNext = SqlFunctions.Sorts.Contains(name) && element.GetProperty("children").EnumerateArray() is var arguments && arguments.MoveNext()
            && JsonMember.Text(arguments.Current, "class") == "FUNCTION";
        if (SqlFunctions.OrderedAggregates.Contains(name) && !isSorted && element.GetProperty("order_bys").GetProperty("orders").GetArrayLength() == 0)
            throw Refuse($"{name}() needs ORDER BY inside its parentheses; otherwise its result is arbitrary", element);
        _functions.Add(name.ToLowerInvariant());
    }

    private void Window(JsonElement element)
    {
        var name = Qualified(element);
        if (!SqlFunctions.Windows.Contains(name) && !SqlFunctions.UnorderedAggregates.Contains(name) && !SqlFunctions.OrderedAggregates.Contains(name))
            throw Refuse($"the window function {name}() is not on the list of allowed functions", element);
        if (!SqlFunctions.UnorderedAggregates.Contains(name) && element.GetProperty("orders").GetArrayLength() == 0)
            throw Refuse($"{name}() OVER needs ORDER BY; otherwise its result is arbitrary", element);
        _functions.Add(name.ToLowerInvariant());
    }

    /// <summary>
    /// Returns the function's name; the parser itself writes "main" before functions that it creates from syntax.
    /// </summary>
    private static string Qualified(JsonElement element)
    {
        var name = JsonMember.Text(element, "function_name") ?? "";
        return JsonMember.Text(element, "schema") is null or "" or "main" && JsonMember.Text(element, "catalog") is null or ""
            ? name
            : throw Refuse($"the function {name}() must be named without schema or database", element);
    }

    private static void TypeOf(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var child in element.EnumerateArray())
                TypeOf(child);
        }
        if (element.ValueKind != JsonValueKind.Object)
            return;
        var name = JsonMember.Text(element, "id") == "UNBOUND" ? null : JsonMember.Text(element, "id");
        if (JsonMember.Text(element, "type") == "UNBOUND_TYPE_INFO")
            name = JsonMember.Text(element, "name");
        if (name is not null && !Types.Contains(name))
            throw Refuse($"the type {name} is not allowed", element);
        foreach (var member in element.EnumerateObject())
            TypeOf(member.Value);
    }

    private static RefusedException Refuse(string message, JsonElement element) => new(new Refusal(message,
        element.TryGetProperty("query_location", out var at) && at.TryGetInt64(out var offset) ? offset : null));

    private static FrozenSet<string> Set(params string[] names) => names.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <param name="Offset">Bytes of UTF-8 from the start.</param>
    internal sealed record Refusal(string Message, long? Offset);

    /// <summary>Ends the walk at the first reason; it never leaves <see cref="Run"/>.</summary>
    private sealed class RefusedException(Refusal refusal) : Exception(refusal.Message)
    {
        public Refusal Refusal { get; } = refusal;
    }
}
