using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Yaml;

/// <summary>
/// Reads the value of a parameter from any source: the control's default, an engagement or a fixture. A value outside the
/// parameter's form is refused with a message that names it. Nothing is repaired, because a list with a meaningless entry would
/// narrow a test.
/// </summary>
internal static class ParameterValue
{
    /// <summary>Returns the value, or null after a fault of meaning.</summary>
    public static JsonElement? Read(YamlNode node, Column type, ParameterForm form, string label, FaultList faults)
    {
        if (TypedValue.Read(node, type, label, faults) is not { } value)
            return null;
        if (Refusal(value, type, form) is not { } why)
            return value;
        var shown = node is YamlScalar { Text: "" } ? "empty" : NodeReader.Shown(node);
        faults.Meaning(node.Position, $"{label} must be {form.Words(type)}, but is {shown}{(why.Length == 0 ? "" : ": " + why)}");
        return null;
    }

    /// <summary>Compares two values of a type, like <see cref="IComparable.CompareTo"/>.</summary>
    public static int Compare(ColumnType type, JsonElement one, JsonElement other) => type switch
    {
        ColumnType.Integer => one.GetInt64().CompareTo(other.GetInt64()),
        ColumnType.Decimal or ColumnType.Whole => Scaled(one).CompareTo(Scaled(other)),
        ColumnType.Timestamp => one.GetDateTimeOffset().CompareTo(other.GetDateTimeOffset()),
        _ => string.CompareOrdinal(one.GetString(), other.GetString()),
    };

    /// <summary>
    /// Returns why the value is outside the form, with more detail than the form's own description where possible; null where it
    /// fits.
    /// </summary>
    private static string? Refusal(JsonElement value, Column type, ParameterForm form) =>
        form.List is { } list
            ? Refusal(value.GetString()!, list)
            : Refusal(value, type.Type, form, form.Pattern is { } pattern ? ParameterPattern.Whole(pattern) : null);

    private static string? Refusal(JsonElement value, ColumnType type, ParameterForm form, Regex? pattern)
    {
        if ((form.Min is { } min && Compare(type, value, min) < 0) || (form.Max is { } max && Compare(type, value, max) > 0))
            return "";
        if (type != ColumnType.Text)
            return null;
        var text = value.GetString()!;
        if (!form.OneOf.IsEmpty && !form.OneOf.Contains(text))
            return NearMiss.Of(text, form.OneOf) is { } near ? $"did you mean '{near}'?" : "";
        try
        {
            return pattern?.IsMatch(text) == false ? "" : null;
        }
        catch (RegexMatchTimeoutException)
        {
            return "it could not be compared with the pattern within a second";
        }
    }

    private static string? Refusal(string text, ParameterList list)
    {
        if (list.Or.Contains(text))
            return null;
        if (text.Length == 0)
            return list.MayBeEmpty ? null : "";
        var pattern = list.Entries.Pattern is { } written ? ParameterPattern.Whole(written) : null;
        var seen = new HashSet<object>();
        foreach (var (n, entry) in text.Split(',').Index())
        {
            if (entry.Length == 0)
                return $"entry {n + 1} is empty";
            if (entry.Trim() != entry)
                return $"the entry '{entry.Trim()}' has blanks around it";
            if (Entry(entry, list.Of) is not { } value)
                return $"the entry '{entry}' is not one";
            if (Refusal(value, list.Of.Type, list.Entries, pattern) is { } why)
                return $"the entry '{entry}' is not one{(why.Length == 0 ? "" : "; " + why)}";
            if (!seen.Add(Identity(value, list.Of.Type)))
                return $"the entry '{entry}' occurs twice";
        }
        return null;
    }

    /// <summary>
    /// Reads the entry as a value of its type, as if it were written without quotes; returns null where it is not one.
    /// </summary>
    private static JsonElement? Entry(string entry, Column type)
    {
        var nowhere = new YamlPosition("", 1, 1);
        return type.Type == ColumnType.Text
            ? CoreSchema.ToJson(entry)
            : TypedValue.Read(new YamlScalar(nowhere, entry, ScalarStyle.Plain, new(nowhere, LineByLine: false)), type, "", new());
    }

    /// <summary>Returns an object that is equal for two spellings of one value.</summary>
    private static object Identity(JsonElement value, ColumnType type) => type switch
    {
        ColumnType.Integer => value.GetInt64(),
        ColumnType.Decimal or ColumnType.Whole => Scaled(value),
        ColumnType.Timestamp => value.GetDateTimeOffset().UtcDateTime,
        _ => value.GetString()!,
    };

    /// <summary>Returns a number as an exact whole number of the last place that any decimal has.</summary>
    private static BigInteger Scaled(JsonElement value)
    {
        var parts = JsonMember.TextOrRaw(value).Split('.');
        return BigInteger.Parse(parts[0] + (parts.Length > 1 ? parts[1] : "").PadRight(ExactNumber.DecimalDigits, '0'), CultureInfo.InvariantCulture);
    }
}
