using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors;

/// <summary>
/// Parses a JSON response and requires that its bytes, member names and texts are well-formed Unicode, as RFC 8259 and RFC 7493 demand: names
/// damaged by an intermediary cannot be compared with the names of a model, and no text that has half of a surrogate pair can be decoded.
/// </summary>
internal static class JsonAnswer
{
    /// <summary>Refuses duplicate members.</summary>
    public static readonly JsonDocumentOptions Unambiguous = new() { AllowDuplicateProperties = false };

    /// <summary>Returns the response as JSON.</summary>
    /// <exception cref="JsonException">The body is not readable JSON, or a name or text in it is not well-formed.</exception>
    public static JsonElement Parse(ReadOnlySpan<byte> body, JsonDocumentOptions options)
    {
        if (!Utf8.IsValid(body))
            throw new JsonException("it is not UTF-8");
        if (body.IndexOf("\\ud"u8) >= 0 || body.IndexOf("\\uD"u8) >= 0)
            RequirePairs(body, options.MaxDepth);
        return JsonElement.Parse(body, options);
    }

    /// <summary>Returns a response as JSON, without duplicate members, because it is not defined which of the two the provider meant.</summary>
    /// <exception cref="CollectionException">It is not such JSON (<see cref="Codes.MalformedResponse"/>).</exception>
    public static JsonElement Strict(string what, ReadOnlySpan<byte> body)
    {
        try
        {
            return Parse(body, Unambiguous);
        }
        catch (JsonException e)
        {
            throw new CollectionException(Codes.MalformedResponse, $"{what}: the response is not JSON: {e.Message}", e);
        }
    }

    /// <summary>Returns a body that is a JSON object; null if it is none, such as the error page of a proxy.</summary>
    public static JsonElement? Object(ReadOnlySpan<byte> body, JsonDocumentOptions options = default)
    {
        try
        {
            return Parse(body, options) is { ValueKind: JsonValueKind.Object } found ? found : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Returns a member that is a text and not empty.</summary>
    /// <param name="code">The source's code of an answer that is not as its API says.</param>
    /// <param name="of">What holds the member, as named in the message.</param>
    /// <exception cref="CollectionException">There is none.</exception>
    public static string Text(JsonElement holder, string name, string code, string of = "the response") =>
        JsonMember.Text(holder, name) is { Length: > 0 } text ? text : throw new CollectionException(code, $"{of} has no {name}");

    /// <summary>
    /// Returns the elements of all pages in one array, or the only element itself, with the bytes in which the provider wrote them.
    /// </summary>
    public static async Task<JsonElement> JoinedAsync(IAsyncEnumerable<JsonElement> elements, bool isList)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            if (isList)
                writer.WriteStartArray();
            await foreach (var element in elements)
                writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(element), skipInputValidation: true);
            if (isList)
                writer.WriteEndArray();
        }
        return JsonElement.Parse(buffer.WrittenSpan);
    }

    /// <summary>Decodes escaped texts, since an escape is the only way to write an unpaired surrogate in UTF-8.</summary>
    private static void RequirePairs(ReadOnlySpan<byte> body, int depth)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = depth });
        while (reader.Read())
        {
            if (!reader.ValueIsEscaped || reader.TokenType is not (JsonTokenType.PropertyName or JsonTokenType.String))
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
