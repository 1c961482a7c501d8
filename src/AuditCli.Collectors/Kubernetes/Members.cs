using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>Reads members of objects in a response. Go omits empty values or writes null, so absent and null are treated alike.</summary>
internal static class Members
{
    /// <summary>Returns a member; an undefined value if there is none or the holder is not an object.</summary>
    public static JsonElement Of(JsonElement e, string name) =>
        e.ValueKind == JsonValueKind.Object && e.TryGetProperty(name, out var value) ? value : default;

    /// <summary>Returns a member that is a list of texts.</summary>
    /// <exception cref="FormatException">The member has another type.</exception>
    public static ImmutableArray<string> Texts(JsonElement e, string name) => [.. List(e, name, JsonValueKind.String, "texts").Select(t => t.GetString()!)];

    /// <summary>Returns a member that is a list of objects.</summary>
    /// <exception cref="FormatException">The member has another type.</exception>
    public static ImmutableArray<JsonElement> Objects(JsonElement e, string name) => List(e, name, JsonValueKind.Object, "objects");

    /// <summary>
    /// Refuses an object that has a member of the API under a name that differs only by case: what a test asks for would look absent.
    /// </summary>
    /// <exception cref="FormatException">It has such a member.</exception>
    public static void CheckNames(JsonElement holder, params ReadOnlySpan<string> known)
    {
        if (holder.ValueKind == JsonValueKind.Object && UnknownMembers.InAnotherCase(holder, known) is var (found, name))
            throw new FormatException($"it has {found} where the API has {name}");
    }

    /// <summary>Copies a member under a column's name with its original bytes; an absent member stays absent.</summary>
    public static void Copy(Utf8JsonWriter writer, JsonElement from, string member, string column)
    {
        if (from.ValueKind != JsonValueKind.Object || !from.TryGetProperty(member, out var value))
            return;
        writer.WritePropertyName(column);
        writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
    }

    private static ImmutableArray<JsonElement> List(JsonElement e, string name, JsonValueKind kind, string of)
    {
        var list = Of(e, name);
        return list.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => [],
            JsonValueKind.Array when list.EnumerateArray().All(i => i.ValueKind == kind) => [.. list.EnumerateArray()],
            _ => throw new FormatException($"{name} is not a list of {of}"),
        };
    }
}
