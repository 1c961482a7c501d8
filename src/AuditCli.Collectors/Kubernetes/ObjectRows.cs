using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>Reads lists as the API server sends them, and makes a row of each object. No literal of a number changes on the way.</summary>
internal static class ObjectRows
{
    private const string MetadataList = "PartialObjectMetadataList";
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 200 };
    private static readonly string[] Common = ["apiVersion", "kind", "metadata", "spec", "status"];

    /// <summary>One page of a list.</summary>
    /// <exception cref="CollectionException">It is not JSON, or not a list of what was asked.</exception>
    public static JsonElement Parse(KubernetesResource resource, ReadOnlySpan<byte> body)
    {
        JsonElement list;
        try
        {
            list = JsonElement.Parse(body, Strict);
        }
        catch (JsonException e)
        {
            throw Malformed(resource, $"is not JSON that can be read: {e.Message}", e);
        }
        if (list.ValueKind != JsonValueKind.Object || Text(list, "kind") is not { } kind || !kind.EndsWith("List", StringComparison.Ordinal))
            throw Malformed(resource, "is not a list");
        if (resource.IsMetadataOnly && kind != MetadataList)
            throw Malformed(resource, $"is a {kind}, where metadata alone was asked for");
        // Go writes an empty list as null.
        if (list.TryGetProperty("items", out var items) && items.ValueKind is not (JsonValueKind.Array or JsonValueKind.Null))
            throw Malformed(resource, "has items that are not a list");
        if (Items(list).Any(i => i.ValueKind != JsonValueKind.Object))
            throw Malformed(resource, "has an item that is not an object");
        return list;
    }

    /// <summary>The objects of a page.</summary>
    public static IEnumerable<JsonElement> Items(JsonElement list) =>
        list.TryGetProperty("items", out var items) && items.ValueKind == JsonValueKind.Array ? items.EnumerateArray() : [];

    /// <summary>The token of the next page; null on the last.</summary>
    public static string? Continue(JsonElement list) =>
        list.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object && Text(metadata, "continue") is { Length: > 0 } token ? token : null;

    /// <summary>The rows of a page. Objects in lists of Kubernetes' own kinds do not repeat version and kind; the list's own say them.</summary>
    public static ImmutableArray<PageRow> Read(KubernetesResource resource, JsonElement list)
    {
        var fields = WellKnownResources.Fields(resource);
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            foreach (var item in Items(list))
                Write(writer, resource, list, item, fields);
            writer.WriteEndArray();
        }
        var rows = JsonElement.Parse(buffer.WrittenSpan, Strict with { MaxDepth = Strict.MaxDepth + 2 });
        return [.. rows.EnumerateArray().Select((row, i) => new PageRow(row, string.Create(CultureInfo.InvariantCulture, $"/items/{i}")))];
    }

    /// <summary>The apiVersion of an object: its own, or that of its list.</summary>
    public static string? ApiVersion(JsonElement list, JsonElement item) => Text(item, "apiVersion") ?? Text(list, "apiVersion");

    /// <summary>The kind of an object: its own, or that of its list.</summary>
    public static string? Kind(JsonElement list, JsonElement item) => Text(item, "kind") ?? Text(list, "kind")?[..^"List".Length];

    private static void Write(Utf8JsonWriter writer, KubernetesResource resource, JsonElement list, JsonElement item, ImmutableArray<string> fields)
    {
        writer.WriteStartObject();
        writer.WriteString("api_version", ApiVersion(list, item));
        writer.WriteString("kind", Kind(list, item));
        if (item.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object)
        {
            Copy(writer, metadata, "namespace", "namespace");
            Copy(writer, metadata, "name", "name");
            Copy(writer, metadata, "uid", "uid");
            Copy(writer, metadata, "creationTimestamp", "created_at");
            Copy(writer, metadata, "labels", "labels");
            Copy(writer, metadata, "annotations", "annotations");
        }
        Copy(writer, item, "metadata", "metadata");
        if (!resource.IsMetadataOnly)
        {
            Copy(writer, item, "spec", "spec");
            Copy(writer, item, "status", "status");
            foreach (var field in fields)
                Copy(writer, item, field, field);
            WriteOthers(writer, item, fields);
        }
        writer.WriteEndObject();
    }

    private static void WriteOthers(Utf8JsonWriter writer, JsonElement item, ImmutableArray<string> fields)
    {
        var begun = false;
        foreach (var member in item.EnumerateObject())
        {
            if (Common.Contains(member.Name) || fields.Contains(member.Name))
                continue;
            if (!begun)
                writer.WriteStartObject(WellKnownResources.Other);
            begun = true;
            writer.WritePropertyName(member.Name);
            writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(member.Value), skipInputValidation: true);
        }
        if (begun)
            writer.WriteEndObject();
    }

    private static void Copy(Utf8JsonWriter writer, JsonElement from, string member, string column)
    {
        if (!from.TryGetProperty(member, out var value))
            return;
        writer.WritePropertyName(column);
        writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
    }

    private static string? Text(JsonElement e, string name) => e.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static CollectionException Malformed(KubernetesResource resource, string how, Exception? cause = null) =>
        new(KubernetesFailures.MalformedResponse, $"the answer to {resource} {how}", cause);
}
