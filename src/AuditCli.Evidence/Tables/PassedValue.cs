using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Tables;

/// <summary>
/// Defines which value of a parent's row a parameter takes (<c>with</c>), for all sources. A text parameter takes numbers and booleans as
/// they are written, because APIs write many identifiers as numbers and expect them as text; the other way round, a parameter takes the text
/// of a value of its type, because <c>_with_</c> columns hold texts. Nothing else is converted.
/// </summary>
public static class PassedValue
{
    /// <summary>Returns a value in the form that a parameter takes; null if the parameter does not take it.</summary>
    public static JsonElement? Of(ColumnType parameter, JsonElement value)
    {
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : null;
        return parameter switch
        {
            ColumnType.Json => value.Clone(),
            ColumnType.Text when text is not null => value.Clone(),
            ColumnType.Text when value.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False =>
                JsonSerializer.SerializeToElement(value.GetRawText()),
            ColumnType.Integer or ColumnType.Whole when value.ValueKind is JsonValueKind.Number or JsonValueKind.String
                && CellFormat.TryReadInteger(Encoding.UTF8.GetBytes(JsonMember.TextOrRaw(value)), out _) => value.Clone(),
            ColumnType.Double or ColumnType.Decimal when value.ValueKind is JsonValueKind.Number => value.Clone(),
            ColumnType.Double or ColumnType.Decimal when text is not null && Parsed(text) is { ValueKind: JsonValueKind.Number } number => number,
            ColumnType.Boolean when value.ValueKind is JsonValueKind.True or JsonValueKind.False => value.Clone(),
            ColumnType.Boolean when text is "true" or "false" => Parsed(text),
            ColumnType.Date when text is not null && CellFormat.IsDate(text) => value.Clone(),
            ColumnType.Timestamp when text is not null && Rfc3339.TryParse(text, out _) => value.Clone(),
            _ => null,
        };
    }

    /// <summary>Whether some value of a column fits a parameter. Texts and members of JSON may hold anything, so only their rows can tell.</summary>
    public static bool MayFit(ColumnType parameter, ColumnType column) => parameter is ColumnType.Json or ColumnType.Text
        || column is ColumnType.Json or ColumnType.Text
        || (IsNumber(parameter) ? IsNumber(column) : parameter == column);

    private static bool IsNumber(ColumnType type) => type is ColumnType.Integer or ColumnType.Whole or ColumnType.Decimal or ColumnType.Double;

    private static JsonElement? Parsed(string text)
    {
        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            // The text is no JSON, and so no number or boolean.
            return null;
        }
    }
}
