using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>
/// Writes JSON responses (json, rest-json) as typed JSON: wire names become member names, and instants become RFC 3339. Texts keep their
/// original bytes, including escapes: a text that is not valid Unicode is passed on unchanged, and the consumer that cannot represent it
/// reports it.
/// </summary>
internal static class JsonOutput
{
    /// <summary>Refuses duplicate members, because it is not defined which of the two the provider meant.</summary>
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Writes the members of a response from its body.</summary>
    /// <exception cref="JsonException">The body is not a JSON object.</exception>
    /// <exception cref="FormatException">The body is not a response to the operation.</exception>
    public static void Body(
        Utf8JsonWriter writer, ServiceModel service, OperationModel operation, ImmutableArray<MemberReference> members, ReadOnlyMemory<byte> body)
    {
        var root = Document(body);
        AnswerForm.Check(operation, members, root);
        Members(writer, service, members, root);
    }

    /// <summary>Returns the root of the body.</summary>
    /// <exception cref="JsonException">The body is not a JSON object.</exception>
    public static JsonElement Document(ReadOnlyMemory<byte> body)
    {
        var root = AnyValue(body);
        return root.ValueKind == JsonValueKind.Object ? root : throw new JsonException($"the response is a JSON {root.ValueKind}, not an object");
    }

    /// <summary>
    /// Returns the root of the body, which may be any value; a byte order mark before it is ignored (RFC 8259, section 8.1).
    /// </summary>
    /// <exception cref="JsonException">The body is not JSON, or an object in it has two members of one name.</exception>
    public static JsonElement AnyValue(ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body.Span.StartsWith(Encoding.UTF8.Preamble) ? body[Encoding.UTF8.Preamble.Length..] : body, Strict);
        return document.RootElement.Clone();
    }

    /// <summary>Writes one value with its original bytes.</summary>
    public static void AsItCame(Utf8JsonWriter writer, JsonElement value) =>
        writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);

    /// <summary>Writes one value of any kind.</summary>
    public static void Value(Utf8JsonWriter writer, ServiceModel service, MemberReference member, JsonElement value)
    {
        if (member.Kind == MemberKind.Timestamp)
        {
            Timestamp(writer, value);
            return;
        }
        switch (member.Kind == MemberKind.Shape ? service.Shape(member.Shape) : null)
        {
            case ShapeModel.Structure structure when value.ValueKind == JsonValueKind.Object:
                writer.WriteStartObject();
                Members(writer, service, structure.Members, value);
                writer.WriteEndObject();
                break;
            case ShapeModel.List list when value.ValueKind == JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var element in value.EnumerateArray())
                    Value(writer, service, list.Element, element);
                writer.WriteEndArray();
                break;
            case ShapeModel.Map map when value.ValueKind == JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var entry in value.EnumerateObject())
                {
                    writer.WritePropertyName(entry.Name);
                    Value(writer, service, map.Value, entry.Value);
                }
                writer.WriteEndObject();
                break;
            default:
                AsItCame(writer, value);
                break;
        }
    }

    private static void Members(Utf8JsonWriter writer, ServiceModel service, ImmutableArray<MemberReference> members, JsonElement value)
    {
        var found = 0;
        foreach (var member in members)
        {
            if (!value.TryGetProperty(member.Wire, out var content))
                continue;
            found++;
            if (content.ValueKind == JsonValueKind.Null)
                continue;
            writer.WritePropertyName(member.Name);
            Value(writer, service, member, content);
        }
        if (found < value.GetPropertyCount())
            CheckUnknown(members, value);
    }

    /// <exception cref="FormatException">A name differs from the model's only by case.</exception>
    private static void CheckUnknown(ImmutableArray<MemberReference> members, JsonElement value)
    {
        foreach (var member in value.EnumerateObject())
        {
            if (!members.Any(m => member.NameEquals(m.Wire)))
                AnswerForm.CheckCase(member.Name, members);
        }
    }

    private static void Timestamp(Utf8JsonWriter writer, JsonElement value)
    {
        var text = value.ValueKind switch
        {
            JsonValueKind.Number => Timestamps.FromUnix(value.GetDouble()),
            JsonValueKind.String => Timestamps.From(value.GetString()!),
            _ => null,
        };
        if (text is null)
            AsItCame(writer, value);
        else
            writer.WriteStringValue(text);
    }
}
