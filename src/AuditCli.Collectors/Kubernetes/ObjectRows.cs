using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>Reads lists as the API server sends them, and makes a row of each object. No literal of a number changes on the way.</summary>
internal static class ObjectRows
{
    private const string MetadataList = "PartialObjectMetadataList";
    internal static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 200 };
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
        if (list.ValueKind != JsonValueKind.Object || Members.Text(list, "kind") is not { } kind || !kind.EndsWith("List", StringComparison.Ordinal))
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
        Members.Text(Members.Of(list, "metadata"), "continue") is { Length: > 0 } token ? token : null;

    /// <summary>The rows of a page. Objects in lists of Kubernetes' own kinds do not repeat version and kind; the list's own say them.</summary>
    public static ImmutableArray<PageRow> Read(KubernetesResource resource, JsonElement list)
    {
        var fields = WellKnownResources.Fields(resource);
        using var rows = new PageRows();
        foreach (var (i, item) in Items(list).Index())
            rows.Add(i, writer => Write(writer, resource, list, item, fields));
        return rows.Complete();
    }

    /// <summary>The apiVersion of an object: its own, or that of its list.</summary>
    public static string? ApiVersion(JsonElement list, JsonElement item) => Members.Text(item, "apiVersion") ?? Members.Text(list, "apiVersion");

    /// <summary>The kind of an object: its own, or that of its list.</summary>
    public static string? Kind(JsonElement list, JsonElement item) => Members.Text(item, "kind") ?? Members.Text(list, "kind")?[..^"List".Length];

    /// <summary>The columns that name an object.</summary>
    public static void WriteNames(Utf8JsonWriter writer, JsonElement list, JsonElement item)
    {
        writer.WriteString("api_version", ApiVersion(list, item));
        writer.WriteString("kind", Kind(list, item));
        var metadata = Members.Of(item, "metadata");
        Members.Copy(writer, metadata, "namespace", "namespace");
        Members.Copy(writer, metadata, "name", "name");
        Members.Copy(writer, metadata, "uid", "uid");
        Members.Copy(writer, metadata, "creationTimestamp", "created_at");
    }

    /// <summary>Says which object of an answer is not what the API defines, and why.</summary>
    public static CollectionException Unreadable(KubernetesResource resource, JsonElement item, FormatException cause) =>
        Malformed(resource, $"has an object that cannot be read, {Members.Text(Members.Of(item, "metadata"), "name") ?? "without a name"}: {cause.Message}", cause);

    /// <summary>Says what is wrong with an answer.</summary>
    public static CollectionException Malformed(KubernetesResource resource, string how, Exception? cause = null) =>
        new(KubernetesFailures.MalformedResponse, $"the answer to {resource} {how}", cause);

    private static void Write(Utf8JsonWriter writer, KubernetesResource resource, JsonElement list, JsonElement item, ImmutableArray<string> fields)
    {
        var metadata = Members.Of(item, "metadata");
        WriteNames(writer, list, item);
        Members.Copy(writer, metadata, "labels", "labels");
        Members.Copy(writer, metadata, "annotations", "annotations");
        Members.Copy(writer, item, "metadata", "metadata");
        if (!resource.IsMetadataOnly)
        {
            Members.Copy(writer, item, "spec", "spec");
            Members.Copy(writer, item, "status", "status");
            foreach (var field in fields)
                Members.Copy(writer, item, field, field);
            WriteOthers(writer, item, fields);
        }
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
}
