using System.Globalization;
using System.Text.Json;

namespace AuditCli.Bundles;

/// <summary>JSON pointers (RFC 6901), as references to rows have them.</summary>
internal static class JsonPointer
{
    /// <summary>A member's name as it is in a pointer.</summary>
    public static string Escape(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    /// <summary>The tokens of a pointer; none for the whole document.</summary>
    public static string[] Tokens(string pointer) => pointer.Length == 0 ? []
        : [.. pointer.TrimStart('/').Split('/').Select(t => t.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];

    /// <summary>The value that a pointer names; null where there is none.</summary>
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

    /// <summary>A token as a place in a list; null where it is none.</summary>
    public static int? Index(string token) => int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;
}
