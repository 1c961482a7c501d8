using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AuditCli.Evidence.Text;

/// <summary>
/// Encodes JSON in the canonical form of RFC 8785 (JSON Canonicalization Scheme): members ordered by UTF-16 code units, numbers
/// as ECMAScript prints them, no white space.
/// </summary>
public static class CanonicalJson
{
    /// <summary>Returns the canonical UTF-8 bytes.</summary>
    /// <exception cref="ArgumentException">A number is not finite as a double, or a string has a lone surrogate.</exception>
    public static byte[] Encode(JsonNode? node)
    {
        var text = new StringBuilder();
        try
        {
            Append(text, node);
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetBytes(text.ToString());
        }
        catch (Exception e) when (e is EncoderFallbackException or InvalidOperationException)
        {
            // System.Text.Json throws InvalidOperationException for a lone surrogate in text that it parsed.
            throw new ArgumentException("a string has a lone surrogate, which I-JSON (RFC 7493) does not allow", nameof(node), e);
        }
    }

    private static void Append(StringBuilder text, JsonNode? node)
    {
        switch (node)
        {
            case null:
                text.Append("null");
                break;
            case JsonObject members:
                text.Append('{');
                var first = true;
                foreach (var (name, value) in members.OrderBy(m => m.Key, StringComparer.Ordinal))
                {
                    if (!first)
                        text.Append(',');
                    first = false;
                    Append(text, name);
                    text.Append(':');
                    Append(text, value);
                }
                text.Append('}');
                break;
            case JsonArray elements:
                text.Append('[');
                for (var i = 0; i < elements.Count; i++)
                {
                    if (i > 0)
                        text.Append(',');
                    Append(text, elements[i]);
                }
                text.Append(']');
                break;
            default:
                AppendScalar(text, node.AsValue());
                break;
        }
    }

    private static void AppendScalar(StringBuilder text, JsonValue value)
    {
        switch (value.GetValueKind())
        {
            case JsonValueKind.String:
                Append(text, value.GetValue<string>());
                break;
            case JsonValueKind.Number:
                text.Append(Number(double.Parse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture)));
                break;
            case JsonValueKind.True:
                text.Append("true");
                break;
            case JsonValueKind.False:
                text.Append("false");
                break;
            default:
                text.Append("null");
                break;
        }
    }

    private static void Append(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append(@"\\"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < ' ' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }
        text.Append('"');
    }

    /// <summary>Formats a number as ECMA-262, Number::toString for radix 10, from the shortest digits that round-trip.</summary>
    internal static string Number(double value)
    {
        if (!double.IsFinite(value))
            throw new ArgumentException("a number is too large for a double");
        if (value == 0)
            return "0";
        var (digits, exponent) = Split(Math.Abs(value).ToString("R", CultureInfo.InvariantCulture));
        var sign = value < 0 ? "-" : "";
        var k = digits.Length;
        var n = exponent;
        if (k <= n && n <= 21)
            return sign + digits + new string('0', n - k);
        if (0 < n && n <= 21)
            return sign + digits[..n] + "." + digits[n..];
        if (-6 < n && n <= 0)
            return sign + "0." + new string('0', -n) + digits;
        var power = n - 1 < 0 ? "-" + (1 - n) : "+" + (n - 1);
        return sign + (k == 1 ? digits : digits[..1] + "." + digits[1..]) + "e" + power;
    }

    /// <summary>
    /// Splits a number into its significant digits and the position of the decimal point, counted from the first of them.
    /// </summary>
    private static (string Digits, int Point) Split(string number)
    {
        var e = number.IndexOf('E');
        var mantissa = e < 0 ? number : number[..e];
        var power = e < 0 ? 0 : int.Parse(number.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var dot = mantissa.IndexOf('.');
        var point = (dot < 0 ? mantissa.Length : dot) + power;
        var all = mantissa.Replace(".", "", StringComparison.Ordinal);
        var leading = all.Length - all.TrimStart('0').Length;
        return (all.Trim('0'), point - leading);
    }
}
