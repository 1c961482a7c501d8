using System.Buffers.Text;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Tables;

/// <summary>
/// Writes a value of each column type in its table spelling. It is strict, because a value that was altered to fit is not
/// evidence.
/// </summary>
public static class CellFormat
{
    /// <summary>
    /// The allowed levels of objects and arrays below a row, which is a level itself; parsers with the usual limit of 64 can then
    /// read a line.
    /// </summary>
    public const int MaxDepth = 63;

    private const int DecimalDigits = 38;
    /// <summary>How many digits a decimal may have after the point.</summary>
    public const int DecimalPlaces = 9;

    /// <summary>
    /// Appends a value that is not null. Returns null when it fits its column; otherwise appends nothing and returns why not.
    /// </summary>
    internal static string? Append(JsonText text, Column column, JsonElement value) => column.Type switch
    {
        _ when column.IsExact => AppendExact(text, column, value),
        ColumnType.Text => value.ValueKind != JsonValueKind.String ? Not("a string", value)
            : text.TryAppendString(value) ? null : "is not well-formed Unicode",
        ColumnType.Integer => AppendInteger(text, value),
        ColumnType.Decimal => AppendDecimal(text, value),
        ColumnType.Double => AppendDouble(text, value),
        ColumnType.Boolean => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? Raw(text, value) : Not("true or false", value),
        ColumnType.Date => AppendDate(text, value),
        ColumnType.Timestamp => AppendTimestamp(text, value),
        ColumnType.Json => text.TryAppend(value, MaxDepth),
        _ => throw new ArgumentOutOfRangeException(nameof(column)),
    };

    /// <summary>Whether text is a JSON integer literal of 64 bits: no plus sign, no leading zeros, no point, no exponent.</summary>
    public static bool TryReadInteger(ReadOnlySpan<byte> text, out long value) =>
        Utf8Parser.TryParse(text, out value, out var used) && used == text.Length && text[0] != '+' && !HasLeadingZero(text);

    /// <summary>Whether text is a plain decimal literal of JSON with at most 38 digits, 9 of them after the point.</summary>
    public static bool IsDecimal(ReadOnlySpan<byte> text)
    {
        var digits = text.StartsWith("-"u8) ? text[1..] : text;
        var point = digits.IndexOf((byte)'.');
        var whole = point < 0 ? digits : digits[..point];
        var places = point < 0 ? [] : digits[(point + 1)..];
        return !whole.IsEmpty && !HasLeadingZero(whole) && (point < 0) == places.IsEmpty
            && !whole.ContainsAnyExceptInRange((byte)'0', (byte)'9') && !places.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && places.Length <= DecimalPlaces && whole.Length <= DecimalDigits - DecimalPlaces;
    }

    /// <summary>Whether text is a calendar day <c>yyyy-MM-dd</c>.</summary>
    public static bool IsDate(string text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    private static string? AppendInteger(JsonText text, JsonElement value)
    {
        if (value.ValueKind is not (JsonValueKind.Number or JsonValueKind.String))
            return Not("a whole number", value);
        var raw = JsonMarshal.GetRawUtf8Value(value);
        if (value.ValueKind == JsonValueKind.String)
            raw = raw[1..^1];
        if (!TryReadInteger(raw, out var number))
            return Not("a whole number of 64 bits", value);
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(number, digits, out var written);
        text.Append(digits[..written]);
        return null;
    }

    private static string? AppendDecimal(JsonText text, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && IsDecimal(JsonMarshal.GetRawUtf8Value(value))
            ? Raw(text, value)
            : Not($"a decimal number of at most {DecimalDigits} digits, {DecimalPlaces} behind the point", value);

    /// <summary>
    /// Appends an exact number as text: many readers of JSON make a double of every number, and would round it.
    /// </summary>
    private static string? AppendExact(JsonText text, Column column, JsonElement value)
    {
        var raw = JsonMarshal.GetRawUtf8Value(value);
        if (value.ValueKind == JsonValueKind.String)
            raw = raw[1..^1];
        if (ExactNumber.In(column, Encoding.Latin1.GetString(raw)) is not { } number)
            return Not(ExactNumber.Described(column), value);
        text.AppendString(number);
        return null;
    }

    private static string? AppendDouble(JsonText text, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number)
            return Not("a number", value);
        if (!double.TryParse(JsonMarshal.GetRawUtf8Value(value), CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
            return Not("a number that a double holds", value);
        text.Append(Encoding.ASCII.GetBytes(CanonicalJson.Number(number)));
        return null;
    }

    private static string? AppendDate(JsonText text, JsonElement value) =>
        TryText(value) is { } day && IsDate(day) ? Raw(text, value) : Not("a day (yyyy-MM-dd)", value);

    private static string? AppendTimestamp(JsonText text, JsonElement value)
    {
        if (TryText(value) is not { } words || !Rfc3339.TryParse(words, out var instant))
            return Not("an RFC 3339 timestamp", value);
        text.AppendString(Rfc3339.Format(instant));
        return null;
    }

    /// <summary>Returns a string that needs no unescaping, else null; real dates and timestamps never need it.</summary>
    private static string? TryText(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && !JsonMarshal.GetRawUtf8Value(value).ContainsAnyExceptInRange((byte)' ', (byte)'~')
            && !JsonMarshal.GetRawUtf8Value(value).Contains((byte)'\\')
            ? value.GetString()
            : null;

    private static string? Raw(JsonText text, JsonElement value)
    {
        text.Append(JsonMarshal.GetRawUtf8Value(value));
        return null;
    }

    private static bool HasLeadingZero(ReadOnlySpan<byte> number)
    {
        var digits = number.StartsWith("-"u8) ? number[1..] : number;
        return digits.Length > 1 && digits[0] == '0' && digits[1] is >= (byte)'0' and <= (byte)'9';
    }

    /// <summary>Describes the misfit by the kind of value, never the value itself, which may be one that redaction would have covered.</summary>
    private static string Not(string wanted, JsonElement value) => $"is not {wanted} but {KindOf(value)}";

    private static string KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "another string",
        JsonValueKind.Number => "another number",
        _ => "a boolean",
    };
}
