using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Finds the first place of a bound query at which a number may lose digits: the engine makes a DOUBLE of whatever is divided, averaged
/// or compared with one, without a word, and a test would then agree or disagree by a rounding. It reads the engine's own plan, in which
/// every expression has its type and every conversion is visible, also those that the SQL does not write; so nothing passes by how it is
/// spelled, or by being inside a subquery, a join, an ordering or a lambda.
/// </summary>
internal static partial class ExactPlan
{
    private static readonly FrozenSet<string> Floating = Set("DOUBLE", "FLOAT");

    private static readonly FrozenSet<string> Big = Set("BIGNUM");

    private static readonly FrozenSet<string> Decimals = Set("DECIMAL");

    private static readonly FrozenSet<string> Numbers = Set(
        "DECIMAL", "BIGNUM", "HUGEINT", "UHUGEINT", "BIGINT", "UBIGINT", "INTEGER", "UINTEGER", "SMALLINT", "USMALLINT", "TINYINT", "UTINYINT");

    private static readonly FrozenSet<string> Texts = Set("VARCHAR");

    /// <summary>
    /// Aggregates that take a value between two others. DuckDB 1.5 does so in DOUBLE even where the result is a DECIMAL, and gives a number
    /// that lies outside of the two.
    /// </summary>
    private static readonly FrozenSet<string> Between = Set("median", "quantile_cont");

    private static readonly FrozenSet<string> Subtractions = Set("-", "subtract");

    private const string Instead =
        "multiply instead of dividing (a * 100 > b * 5), add up instead of averaging, and cast the other side of a comparison to DECIMAL(38, places)";

    /// <summary>Returns what loses digits, what to write instead, and where; null when nothing does.</summary>
    /// <param name="plan">The answer of <c>json_serialize_plan</c>, or a part of it.</param>
    public static SqlWalk.Refusal? Loss(JsonElement plan) => Loss(plan, null);

    private static SqlWalk.Refusal? Loss(JsonElement element, long? around)
    {
        var parts = element.ValueKind switch
        {
            JsonValueKind.Array => element.EnumerateArray(),
            JsonValueKind.Object => element.EnumerateObject().Select(m => m.Value),
            _ => Enumerable.Empty<JsonElement>(),
        };
        if (IsExpression(element))
        {
            around = element.TryGetProperty("query_location", out var at) && at.TryGetInt64(out var offset) ? offset : around;
            if (Fault(element) is { } fault)
                return new(fault, around);
        }
        return parts.Select(p => Loss(p, around)).FirstOrDefault(r => r is not null);
    }

    private static string? Fault(JsonElement expression)
    {
        var type = TypeOf(expression);
        var (all, isCast) = (Operands(expression).ToArray(), JsonMember.Text(expression, "expression_class") == "BOUND_CAST");
        var operands = all.Where(o => !IsConstant(o)).ToArray();
        var call = JsonMember.Text(expression, "name") is { Length: > 0 } name ? name : "";
        // The engine reads a number of JSON as a DOUBLE, even where it is then made a text.
        if (IsJson(type) && operands.FirstOrDefault(o => Holds(o, Decimals, Big)) is { ValueKind: JsonValueKind.Object } written)
        {
            return $"a {Described(TypeOf(written))} becomes JSON, whose numbers lose digits when they are read again; "
                + "keep it as it is, or put it into a list or struct";
        }
        if (isCast && Count(type, Decimals) > 0 && operands is [var read] && IsJson(TypeOf(read)))
        {
            return $"JSON becomes a {Described(type)} by way of a DOUBLE; have the number written as a text where it comes from, "
                + $"and write (j->>'member')::{Described(type)}";
        }
        if (isCast)
        {
            if (operands is [var from] && Count(type, Floating) > Count(TypeOf(from), Floating) && Holds(from, Numbers, Texts))
                return $"a {Described(TypeOf(from))} becomes a {Described(type)}; {Instead}";
            if (all is [var one] && ((Count(type, Big) > 0 && Holds(one, Decimals)) || (Count(type, Decimals) > 0 && Holds(one, Big))))
                return $"the engine cannot make a {Described(type)} of a {Described(TypeOf(one))}; write x::VARCHAR::DECIMAL(38, places)";
            if (Count(type, Big) > 0 && all is [var number] && Holds(number, Floating, Texts) && !IsWholeLiteral(number))
            {
                return $"a {Described(TypeOf(number))} becomes a {Described(type)}, which drops what is not whole; "
                    + "declare the column as whole, or write x::VARCHAR on the other side";
            }
            return null;
        }
        if (Is(type, Floating) && !operands.Any(o => Holds(o, Floating))
            && operands.FirstOrDefault(o => Holds(o, Numbers)) is { ValueKind: JsonValueKind.Object } of)
            return $"{Name(call)} makes a {Described(type)} of a {Described(TypeOf(of))}; {Instead}";
        if (Between.Contains(call) && operands.FirstOrDefault(o => Holds(o, Numbers)) is { ValueKind: JsonValueKind.Object } rounded)
            return $"{call}() of a {Described(TypeOf(rounded))} is not exact; write quantile_disc()";
        return Subtractions.Contains(call) && Is(type, Big) && operands.Length > 1
            ? "the engine subtracts a BIGNUM from one with the same value wrongly; write x + (-y) in place of x - y"
            : null;
    }

    private static string Name(string call) => call.Length == 0 ? "an expression" : char.IsAsciiLetter(call[0]) ? $"{call}()" : $"'{call}'";

    private static bool IsExpression(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty("expression_class", out _);

    /// <summary>
    /// Returns the expressions of which an expression is made. What a function keeps for itself, such as a lambda, is no operand.
    /// </summary>
    private static IEnumerable<JsonElement> Operands(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().SelectMany(e => IsExpression(e) ? [e] : Operands(e)),
        JsonValueKind.Object => element.EnumerateObject().Where(m => !m.NameEquals("function_data"))
            .SelectMany(m => IsExpression(m.Value) ? [m.Value] : Operands(m.Value)),
        _ => [],
    };

    /// <summary>Whether the value is written in the SQL, so that it is the author's own, or comes from a parameter.</summary>
    private static bool IsConstant(JsonElement expression) => JsonMember.Text(expression, "expression_class") switch
    {
        "BOUND_CONSTANT" => true,
        "BOUND_CAST" => Operands(expression).All(IsConstant),
        _ => false,
    };

    private static bool IsWholeLiteral(JsonElement expression) =>
        JsonMember.Text(expression, "expression_class") == "BOUND_CONSTANT" && JsonMember.Text(expression.GetProperty("value"), "value") is { } text
        && WholeForm.IsMatch(text);

    private static JsonElement TypeOf(JsonElement expression) =>
        expression.TryGetProperty("return_type", out var type) || (expression.TryGetProperty("value", out var value)
            && value.ValueKind == JsonValueKind.Object && value.TryGetProperty("type", out type))
            ? type
            : default;

    private static bool Is(JsonElement type, FrozenSet<string> names) => JsonMember.Text(type, "id") is { } name && names.Contains(name);

    private static bool IsJson(JsonElement type) =>
        type.ValueKind == JsonValueKind.Object && type.TryGetProperty("type_info", out var form) && JsonMember.Text(form, "alias") == "JSON";

    private static bool Holds(JsonElement expression, params ReadOnlySpan<FrozenSet<string>> names)
    {
        foreach (var set in names)
        {
            if (Count(TypeOf(expression), set) > 0)
                return true;
        }
        return false;
    }

    /// <summary>Counts a type's parts with one of the names: the type itself, and those of which a list, struct or map is made.</summary>
    private static int Count(JsonElement type, FrozenSet<string> names) => type.ValueKind switch
    {
        JsonValueKind.Array => type.EnumerateArray().Sum(t => Count(t, names)),
        JsonValueKind.Object => (Is(type, names) ? 1 : 0) + type.EnumerateObject().Sum(m => Count(m.Value, names)),
        _ => 0,
    };

    private static string Described(JsonElement type)
    {
        var name = JsonMember.Text(type, "id") ?? "value";
        return name == "DECIMAL" && type.TryGetProperty("type_info", out var form) && form.ValueKind == JsonValueKind.Object
            && form.TryGetProperty("width", out var width) && form.TryGetProperty("scale", out var scale)
                ? string.Create(CultureInfo.InvariantCulture, $"{name}({width},{scale})")
                : name;
    }

    private static FrozenSet<string> Set(params string[] names) => names.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    [GeneratedRegex(@"\A-?[0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex WholeForm { get; }
}
