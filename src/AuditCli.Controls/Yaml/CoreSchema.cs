using System.Globalization;
using System.Numerics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace AuditCli.Controls.Yaml;

/// <summary>The kind of a scalar under the core schema of YAML 1.2, which editors use when they apply a JSON Schema.</summary>
public enum ScalarKind
{
    Null,
    Boolean,
    Integer,
    Float,
    Text,
}

/// <summary>
/// Implements the core schema of YAML 1.2 (section 10.3): which plain scalars are not text, and how a tree converts to JSON.
/// </summary>
public static partial class CoreSchema
{
    /// <summary>Returns the kind of a scalar; anything quoted or in a block is text.</summary>
    public static ScalarKind KindOf(YamlScalar scalar)
    {
        ArgumentNullException.ThrowIfNull(scalar);
        if (scalar.Style != ScalarStyle.Plain)
            return ScalarKind.Text;
        return scalar.Text switch
        {
            "" or "~" or "null" or "Null" or "NULL" => ScalarKind.Null,
            "true" or "True" or "TRUE" or "false" or "False" or "FALSE" => ScalarKind.Boolean,
            var t when IntegerForm().IsMatch(t) => ScalarKind.Integer,
            var t when FloatForm().IsMatch(t) => ScalarKind.Float,
            _ => ScalarKind.Text,
        };
    }

    /// <summary>Converts the tree to JSON. <c>.inf</c>, <c>.nan</c> and numbers beyond the range of a double stay text.</summary>
    public static JsonElement ToJson(YamlNode node)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            Write(writer, node);
        using var document = JsonDocument.Parse(buffer.GetBuffer().AsMemory(0, checked((int)buffer.Length)));
        return document.RootElement.Clone();
    }

    /// <summary>Converts a text to a JSON string.</summary>
    internal static JsonElement ToJson(string text)
    {
        using var document = JsonDocument.Parse($"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"");
        return document.RootElement.Clone();
    }

    private static void Write(Utf8JsonWriter writer, YamlNode node)
    {
        switch (node)
        {
            case YamlMap map:
                writer.WriteStartObject();
                foreach (var (key, value) in map.Entries)
                {
                    writer.WritePropertyName(key.Text);
                    Write(writer, value);
                }
                writer.WriteEndObject();
                break;
            case YamlList list:
                writer.WriteStartArray();
                foreach (var item in list.Items)
                    Write(writer, item);
                writer.WriteEndArray();
                break;
            case YamlScalar scalar:
                Write(writer, scalar);
                break;
            default:
                throw new InvalidOperationException("a node that is neither map, list nor scalar");
        }
    }

    private static void Write(Utf8JsonWriter writer, YamlScalar scalar)
    {
        switch (KindOf(scalar))
        {
            case ScalarKind.Null:
                writer.WriteNullValue();
                break;
            case ScalarKind.Boolean:
                writer.WriteBooleanValue(scalar.Text[0] is 't' or 'T');
                break;
            case ScalarKind.Integer when IsFinite(Integer(scalar.Text).ToString(CultureInfo.InvariantCulture)):
                writer.WriteRawValue(Integer(scalar.Text).ToString(CultureInfo.InvariantCulture));
                break;
            case ScalarKind.Float when JsonNumber().IsMatch(scalar.Text) && IsFinite(scalar.Text):
                writer.WriteRawValue(scalar.Text);
                break;
            case ScalarKind.Float when double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                && double.IsFinite(number):
                writer.WriteNumberValue(number);
                break;
            case ScalarKind.Integer or ScalarKind.Float or ScalarKind.Text:
                writer.WriteStringValue(scalar.Text);
                break;
            default:
                throw new InvalidOperationException("a scalar kind without a JSON form");
        }
    }

    private static bool IsFinite(string number) =>
        double.IsFinite(double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture));

    private static BigInteger Integer(string text)
    {
        if (text.StartsWith("0x", StringComparison.Ordinal))
            return BigInteger.Parse("0" + text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (text.StartsWith("0o", StringComparison.Ordinal))
            return text[2..].Aggregate(BigInteger.Zero, (value, digit) => value * 8 + (digit - '0'));
        return BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\z", RegexOptions.NonBacktracking)]
    private static partial Regex IntegerForm();

    [GeneratedRegex(@"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\z", RegexOptions.NonBacktracking)]
    private static partial Regex FloatForm();

    [GeneratedRegex(@"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\z", RegexOptions.NonBacktracking)]
    internal static partial Regex JsonNumber();
}
