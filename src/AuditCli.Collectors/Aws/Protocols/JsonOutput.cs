using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>
/// Writes JSON answers (json, rest-json) as typed JSON: wire names become member names, instants RFC 3339. Texts keep the bytes that came,
/// escapes included: a text that is no Unicode stays the text that it is, and whoever cannot carry it says so.
/// </summary>
internal static class JsonOutput
{
    /// <summary>Of two members of one name nobody knows which one the provider meant.</summary>
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>The members of an answer, from the body.</summary>
    /// <exception cref="JsonException">The body is not a JSON object.</exception>
    /// <exception cref="FormatException">It is no answer to the operation.</exception>
    public static void Body(Utf8JsonWriter writer, ServiceModel service, OperationModel operation, ImmutableArray<MemberReference> members, ReadOnlyMemory<byte> body)
    {
        var root = Document(body);
        AnswerForm.Check(operation, members, root);
        Members(writer, service, members, root);
    }

    /// <summary>The body's root.</summary>
    /// <exception cref="JsonException">The body is not a JSON object.</exception>
    public static JsonElement Document(ReadOnlyMemory<byte> body)
    {
        var root = AnyValue(body);
        return root.ValueKind == JsonValueKind.Object ? root : throw new JsonException($"the answer is a JSON {root.ValueKind}, not an object");
    }

    /// <summary>The body's root, which may be any value; a byte order mark before it says nothing (RFC 8259, section 8.1).</summary>
    /// <exception cref="JsonException">The body is not JSON, or an object in it has two members of one name.</exception>
    public static JsonElement AnyValue(ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body.Span.StartsWith(Encoding.UTF8.Preamble) ? body[Encoding.UTF8.Preamble.Length..] : body, Strict);
        return document.RootElement.Clone();
    }

    /// <summary>One value as it came.</summary>
    public static void AsItCame(Utf8JsonWriter writer, JsonElement value) => writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);

    /// <summary>One value of any kind.</summary>
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

    /// <exception cref="FormatException">A member has another case than the model's.</exception>
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
