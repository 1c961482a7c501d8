using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Yaml;

/// <summary>Reads a node as a value of a column's or parameter's type, in the JSON form of evidence tables.</summary>
internal static partial class TypedValue
{
    /// <summary>
    /// Returns the word that control authors write for each type. Files and parameters do not have <c>double</c> and <c>json</c>.
    /// </summary>
    public static string Word(ColumnType type) => type switch
    {
        ColumnType.Text => "text",
        ColumnType.Integer => "integer",
        ColumnType.Decimal => "decimal",
        ColumnType.Whole => "whole",
        ColumnType.Double => "double",
        ColumnType.Boolean => "boolean",
        ColumnType.Date => "date",
        ColumnType.Timestamp => "timestamp",
        ColumnType.Json => "json",
        _ => throw new InvalidOperationException("a column type without a word"),
    };

    /// <summary>Returns the words for a column's type, such as <c>decimal(18)</c>.</summary>
    public static string Word(Column column) => column.Scale is { } scale ? $"{Word(column.Type)}({scale})" : Word(column.Type);

    /// <summary>
    /// Returns the value; null after a fault of meaning. Text takes any scalar's text, numbers and booleans are written without
    /// quotes, and <see cref="ColumnType.Json"/> takes any structure under the core schema.
    /// </summary>
    public static JsonElement? Read(YamlNode node, ColumnType type, string label, FaultList faults)
    {
        if (type == ColumnType.Json)
            return CoreSchema.ToJson(node);
        if (node is not YamlScalar scalar || IsNull(scalar))
            return Refuse(node, type, label, faults);
        var text = scalar.Text;
        var plain = scalar.Style == ScalarStyle.Plain;
        return type switch
        {
            ColumnType.Text => CoreSchema.ToJson(text),
            ColumnType.Boolean when plain && text is "true" or "false" => CoreSchema.ToJson(scalar),
            ColumnType.Integer when plain && IntegerForm().IsMatch(text)
                && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) => CoreSchema.ToJson(scalar),
            ColumnType.Decimal when plain && DecimalForm().IsMatch(text) => CoreSchema.ToJson(scalar),
            ColumnType.Double when plain && CoreSchema.JsonNumber().IsMatch(text)
                && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                && double.IsFinite(number) => CoreSchema.ToJson(scalar),
            ColumnType.Date when DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) =>
                CoreSchema.ToJson(text),
            ColumnType.Timestamp when TextForm.Timestamp.Pattern.IsMatch(text)
                && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _) => CoreSchema.ToJson(text),
            _ => Refuse(node, type, label, faults),
        };
    }

    /// <summary>
    /// Reads a value of a column or parameter as it is written. Exact numbers may have quotes, because editors and other readers of YAML
    /// round them.
    /// </summary>
    public static JsonElement? Read(YamlNode node, Column column, string label, FaultList faults)
    {
        if (!column.IsExact)
            return Read(node, column.Type, label, faults);
        if (node is YamlScalar { Text: var text } && ExactNumber.In(column, text) is { } number)
            return CoreSchema.ToJson(number);
        faults.Meaning(node.Position, $"{label} must be {ExactNumber.Described(column)}, but is {NodeReader.Shown(node)}");
        return null;
    }

    /// <summary>
    /// Reads a cell as a table of evidence has it: an instant in UTC, whatever offset it is written with. Without one it would be a guess,
    /// and fits no table.
    /// </summary>
    public static JsonElement? ReadCell(YamlNode node, Column column, string label, FaultList faults)
    {
        if (column.Type != ColumnType.Timestamp)
            return Read(node, column, label, faults);
        return node is YamlScalar { Text: var text } && Rfc3339.TryParse(text, out var instant)
            ? CoreSchema.ToJson(Rfc3339.Format(instant))
            : Refuse(node, column.Type, label, faults);
    }

    public static bool IsNull(YamlNode node) => node is YamlScalar scalar && CoreSchema.KindOf(scalar) == ScalarKind.Null;

    private static JsonElement? Refuse(YamlNode node, ColumnType type, string label, FaultList faults)
    {
        faults.Meaning(node.Position, $"{label} must be {Example(type)}, but is {NodeReader.Shown(node)}");
        return null;
    }

    private static string Example(ColumnType type) => type switch
    {
        ColumnType.Integer => "an integer such as 90, without quotes",
        ColumnType.Decimal => "a decimal such as 12.50, without quotes (at most 29 digits before the point and 9 after)",
        ColumnType.Double => "a number such as 0.5, without quotes",
        ColumnType.Boolean => "true or false, without quotes",
        ColumnType.Date => TextForm.Date.Described,
        ColumnType.Timestamp => TextForm.Timestamp.Described,
        ColumnType.Text or ColumnType.Json => "text",
        _ => throw new InvalidOperationException("a column type without an example"),
    };

    [GeneratedRegex(@"^-?(?:0|[1-9][0-9]{0,18})\z")]
    private static partial Regex IntegerForm();

    [GeneratedRegex(@"^-?(?:0|[1-9][0-9]{0,28})(?:\.[0-9]{1,9})?\z")]
    private static partial Regex DecimalForm();
}
