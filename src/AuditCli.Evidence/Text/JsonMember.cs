using System.Text.Json;

namespace AuditCli.Evidence.Text;

/// <summary>Reads members and values of JSON that may not have the expected form.</summary>
public static class JsonMember
{
    /// <summary>Returns a member that is a text; null if it is absent or of another type, or if the holder is not an object.</summary>
    /// <exception cref="InvalidOperationException">The text has an unpaired surrogate.</exception>
    public static string? Text(JsonElement holder, string name) =>
        holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>
    /// Returns the path of the first list element that is null, such as <c>targets[0]</c>; null if there is none. Typed readers refuse null
    /// members but accept null elements, and every list of this program's files holds values.
    /// </summary>
    public static string? NullElement(JsonElement value, string path = "")
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Array:
                var index = 0;
                foreach (var element in value.EnumerateArray())
                {
                    var at = $"{path}[{index++}]";
                    if (element.ValueKind == JsonValueKind.Null)
                        return at;
                    if (NullElement(element, at) is { } found)
                        return found;
                }
                return null;
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    if (NullElement(member.Value, path.Length == 0 ? member.Name : $"{path}.{member.Name}") is { } found)
                        return found;
                }
                return null;
            default:
                return null;
        }
    }

    /// <summary>Returns a text without its quotes, and any other value as it is written.</summary>
    /// <exception cref="InvalidOperationException">The text has an unpaired surrogate.</exception>
    public static string TextOrRaw(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
