using System.Text.Json;
using System.Text.Unicode;

namespace AuditCli.Collectors;

/// <summary>
/// An answer in JSON of which every name and text is well-formed Unicode, as RFC 8259 and RFC 7493 want it. Google and Kubernetes write no
/// other; of what something in between has damaged no text can be compared, and each comparison would have to expect it.
/// </summary>
internal static class JsonAnswer
{
    /// <summary>The answer as JSON.</summary>
    /// <exception cref="JsonException">It is no JSON that can be read, or a text in it is not well-formed.</exception>
    public static JsonElement Parse(ReadOnlySpan<byte> body, JsonDocumentOptions options)
    {
        if (!Utf8.IsValid(body))
            throw new JsonException("it is not UTF-8");
        if (body.IndexOf("\\ud"u8) >= 0 || body.IndexOf("\\uD"u8) >= 0)
            RequirePairs(body, options.MaxDepth);
        return JsonElement.Parse(body, options);
    }

    /// <summary>Escapes are the one way to write half of a surrogate pair in UTF-8.</summary>
    private static void RequirePairs(ReadOnlySpan<byte> body, int depth)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = depth });
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || !reader.ValueIsEscaped)
                continue;
            try
            {
                _ = reader.GetString();
            }
            catch (InvalidOperationException e)
            {
                throw new JsonException($"a text before byte {reader.BytesConsumed} has half of a surrogate pair", e);
            }
        }
    }
}
