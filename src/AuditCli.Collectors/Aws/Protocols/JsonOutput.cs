using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>Writes JSON answers (json, rest-json) as typed JSON: wire names become member names, instants RFC 3339.</summary>
internal static class JsonOutput
{
    /// <summary>The members that stand in the body.</summary>
    /// <exception cref="JsonException">The body is not a JSON object.</exception>
    public static void Body(Utf8JsonWriter writer, ServiceModel service, IEnumerable<MemberReference> members, ReadOnlyMemory<byte> body) =>
        Members(writer, service, members, Document(body));

    /// <summary>The body's root.</summary>
    /// <exception cref="JsonException">The body is not a JSON object.</exception>
    public static JsonElement Document(ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body);
        return document.RootElement.ValueKind == JsonValueKind.Object
            ? document.RootElement.Clone()
            : throw new JsonException($"the answer is a JSON {document.RootElement.ValueKind}, not an object");
    }

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
                value.WriteTo(writer);
                break;
        }
    }

    private static void Members(Utf8JsonWriter writer, ServiceModel service, IEnumerable<MemberReference> members, JsonElement value)
    {
        foreach (var member in members)
        {
            if (member.Location != MemberLocation.Body || !value.TryGetProperty(member.Wire, out var found) || found.ValueKind == JsonValueKind.Null)
                continue;
            writer.WritePropertyName(member.Name);
            Value(writer, service, member, found);
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
            value.WriteTo(writer);
        else
            writer.WriteStringValue(text);
    }
}
