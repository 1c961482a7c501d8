using System.Text.Json;

namespace AuditCli.Tests;

/// <summary>JSON for comparison: members in order of their names, texts by what they say, every other literal as it is written.</summary>
internal static class SortedJson
{
    /// <summary>Reads JSON that may be nested deeper than a reader expects.</summary>
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
