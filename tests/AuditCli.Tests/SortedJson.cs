using System.Text.Json;

namespace AuditCli.Tests;

/// <summary>Prepares JSON for comparison: members sorted by name, texts decoded, other literals as written.</summary>
internal static class SortedJson
{
    /// <summary>Parses JSON that is nested deeper than the default limit.</summary>
    public static JsonElement Parse(string text) => JsonElement.Parse(text, new JsonDocumentOptions { MaxDepth = 1000 });

    public static string Of(JsonElement e) => e.ValueKind switch
    {
        JsonValueKind.Object => "{\n"
            + string.Join(",\n", e.EnumerateObject().OrderBy(m => m.Name, StringComparer.Ordinal)
                .Select(m => $"{JsonSerializer.Serialize(m.Name)}: {Of(m.Value)}"))
            + "}",
        JsonValueKind.Array => "[\n" + string.Join(",\n", e.EnumerateArray().Select(Of)) + "]",
        JsonValueKind.String => JsonSerializer.Serialize(e.GetString()),
        _ => e.GetRawText(),
    };
}
