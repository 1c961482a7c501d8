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

    /// <summary>Returns a text without its quotes, and any other value as it is written.</summary>
    /// <exception cref="InvalidOperationException">The text has an unpaired surrogate.</exception>
    public static string TextOrRaw(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
