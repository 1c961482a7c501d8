using System.Globalization;
using System.Text.Json;

namespace AuditCli.Evidence.Text;

/// <summary>Reads and writes JSON pointers (RFC 6901), as used in references to rows.</summary>
public static class JsonPointer
{
    /// <summary>Escapes a member name as a reference token of a pointer (RFC 6901, section 3).</summary>
    public static string Escape(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    /// <summary>Returns the member name that a reference token stands for.</summary>
    public static string Unescape(string token) => token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);

    /// <summary>Returns the unescaped reference tokens of a pointer; none for the whole document.</summary>
    public static string[] Tokens(string pointer) => pointer.Length == 0 ? [] : [.. pointer.TrimStart('/').Split('/').Select(Unescape)];

    /// <summary>Returns the value that a pointer references; null if there is none.</summary>
    public static JsonElement? Find(JsonElement document, string pointer)
    {
        var value = document;
        foreach (var token in Tokens(pointer))
        {
            if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty(token, out var member))
                value = member;
            else if (value.ValueKind == JsonValueKind.Array && Index(token) is { } index && index < value.GetArrayLength())
                value = value[index];
            else
                return null;
        }
        return value;
    }

    /// <summary>Parses a reference token as an array index; null if it is not one.</summary>
    public static int? Index(string token) => int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;
}
