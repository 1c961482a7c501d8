using System.Text.Json;
using System.Text.Unicode;

namespace AuditCli.Collectors;

/// <summary>
/// An answer in JSON whose bytes and names are well-formed Unicode, as RFC 8259 and RFC 7493 want it: what something in between has damaged
/// cannot be compared with the names of a model. Half of a surrogate pair in a value is left to whoever reads the value.
/// </summary>
internal static class JsonAnswer
{
    /// <summary>The answer as JSON.</summary>
    /// <param name="values">Whether values are held to it too, as those of Kubernetes, which cannot be written otherwise.</param>
    /// <exception cref="JsonException">It is no JSON that can be read, or a name or text in it is not well-formed.</exception>
    public static JsonElement Parse(ReadOnlySpan<byte> body, JsonDocumentOptions options, bool values)
    {
        if (!Utf8.IsValid(body))
            throw new JsonException("it is not UTF-8");
        if (body.IndexOf("\\ud"u8) >= 0 || body.IndexOf("\\uD"u8) >= 0)
            RequirePairs(body, options.MaxDepth, values);
        return JsonElement.Parse(body, options);
    }

    /// <summary>Escapes are the one way to write half of a surrogate pair in UTF-8.</summary>
    private static void RequirePairs(ReadOnlySpan<byte> body, int depth, bool values)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = depth });
        while (reader.Read())
        {
            if (!reader.ValueIsEscaped || reader.TokenType != JsonTokenType.PropertyName && !(values && reader.TokenType == JsonTokenType.String))
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
