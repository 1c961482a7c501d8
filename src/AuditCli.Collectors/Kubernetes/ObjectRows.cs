using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>Parses lists as the API server sends them, and makes a row of each object. Number literals are not changed.</summary>
internal static class ObjectRows
{
    private const string MetadataList = "PartialObjectMetadataList";
    internal static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 200 };
    private static readonly string[] Common = ["apiVersion", "kind", "metadata", "spec", "status"];
    private static readonly string[] OfItem = ["apiVersion", "kind", "metadata"];
    private static readonly string[] OfItemMetadata = ["namespace", "name", "uid", "creationTimestamp", "labels", "annotations"];
    private static readonly string[] OfList = ["apiVersion", "kind", "metadata", "items"];
    private static readonly string[] OfFailure = ["status", "reason", "message", "code", "details", "error", "errors"];
    private static readonly string[] OfListMetadata = ["continue", "remainingItemCount", "resourceVersion", "selfLink"];

    /// <summary>Parses one page of a list.</summary>
    /// <remarks>
    /// Every API server writes <c>apiVersion</c>, <c>kind</c>, <c>metadata</c> and <c>items</c>, also for an empty list, whose items may be
    /// null because Go writes an unset slice so. A body without one of these, or with another spelling, is not a list.
    /// </remarks>
    /// <exception cref="CollectionException">The body is not JSON, or not a list of the requested resource.</exception>
    public static JsonElement Parse(KubernetesResource resource, ReadOnlySpan<byte> body)
    {
        JsonElement list;
        try
        {
            list = JsonAnswer.Parse(body, Strict);
        }
        catch (JsonException e)
        {
            throw Malformed(resource, $"is not valid JSON: {e.Message}", e);
        }
        if (list.ValueKind != JsonValueKind.Object || JsonMember.Text(list, "kind") is not { } kind || !kind.EndsWith("List", StringComparison.Ordinal))
            throw Malformed(resource, "is not a list");
        if (resource.IsMetadataOnly && kind != MetadataList)
            throw Malformed(resource, $"is a {kind}, where only metadata was requested");
        if (!resource.IsMetadataOnly && !WellKnownResources.MayBe(resource, kind[..^"List".Length]))
            throw Malformed(resource, $"is a {kind}");
        if (JsonMember.Text(list, "apiVersion") is not { } version || version != resource.AnswerVersion)
            throw Malformed(resource, $"is of version {JsonMember.Text(list, "apiVersion") ?? "none"}, not of {resource.AnswerVersion}");
        if (!list.TryGetProperty("items", out var items) || items.ValueKind is not (JsonValueKind.Array or JsonValueKind.Null))
            throw Malformed(resource, "has no list of items");
        CheckNames(resource, list, OfList);
        // These are members of a Status, which the server writes in place of a list that it could not complete, or of a proxy's error.
        foreach (var member in list.EnumerateObject())
        {
            if (OfFailure.Contains(member.Name, StringComparer.OrdinalIgnoreCase))
                throw Malformed(resource, $"is a list with a {member.Name}");
        }
        CheckMetadata(resource, Members.Of(list, "metadata"));
        var known = WellKnownResources.Knows(resource);
        var fields = known ? WellKnownResources.TopLevel(resource) : OfItem;
        foreach (var item in Items(list))
            CheckItem(resource, item, fields, known ? kind[..^"List".Length] : null);
        return list;
    }

    /// <summary>Returns a failure if the page says that more follows but has no page token; null if it may be the last page.</summary>
    public static CollectionException? Unfollowed(KubernetesResource resource, JsonElement list)
    {
        var metadata = Members.Of(list, "metadata");
        if (Remaining(list) is > 0 and var remaining)
            return Unfollowed(resource, string.Create(CultureInfo.InvariantCulture, $"remainingItemCount is {remaining}"));
        return (UnknownMembers.OfMore(list, OfList) ?? UnknownMembers.OfMore(metadata, OfListMetadata)) is { } name
            ? Unfollowed(resource, $"it has {name}")
            : null;
    }

    /// <summary>
    /// Returns the number of objects that the page says follow it; null if it does not say. The API server counts them only without a
    /// selector, and at the version of the list, which is that of every page.
    /// </summary>
    public static long? Remaining(JsonElement list) =>
        Members.Of(Members.Of(list, "metadata"), "remainingItemCount") is { ValueKind: JsonValueKind.Number } count ? count.GetInt64() : null;

    /// <summary>Returns the version of the cluster's state that the page shows; null if there is none.</summary>
    public static string? Version(JsonElement list) =>
        JsonMember.Text(Members.Of(list, "metadata"), "resourceVersion") is { Length: > 0 } version ? version : null;

    /// <summary>Returns the objects of a page.</summary>
    public static IEnumerable<JsonElement> Items(JsonElement list) =>
        list.TryGetProperty("items", out var items) && items.ValueKind == JsonValueKind.Array ? items.EnumerateArray() : [];

    /// <summary>Returns the token of the next page; null on the last page.</summary>
    public static string? Continue(JsonElement list) =>
        JsonMember.Text(Members.Of(list, "metadata"), "continue") is { Length: > 0 } token ? token : null;

    /// <summary>
    /// Returns the rows of a page. Objects in lists of built-in kinds omit version and kind, which are taken from the list.
    /// </summary>
    public static ImmutableArray<PageRow> Read(KubernetesResource resource, JsonElement list)
    {
        var fields = WellKnownResources.Fields(resource);
        using var rows = new PageRows();
        foreach (var (i, item) in Items(list).Index())
            rows.Add(i, writer => Write(writer, resource, list, item, fields));
        return rows.Complete();
    }

    /// <summary>Returns the apiVersion of an object: its own, or that of its list.</summary>
    public static string? ApiVersion(JsonElement list, JsonElement item) => JsonMember.Text(item, "apiVersion") ?? JsonMember.Text(list, "apiVersion");

    /// <summary>Returns the kind of an object: its own, or that of its list.</summary>
    public static string? Kind(JsonElement list, JsonElement item) => JsonMember.Text(item, "kind") ?? JsonMember.Text(list, "kind")?[..^"List".Length];

    /// <summary>Writes the columns that identify an object.</summary>
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

    /// <summary>Returns the failure for an object that does not conform to the API.</summary>
    public static CollectionException Unreadable(KubernetesResource resource, JsonElement item, FormatException cause) =>
        Malformed(
            resource,
            $"has an object that cannot be read, {JsonMember.Text(Members.Of(item, "metadata"), "name") ?? "without a name"}: {cause.Message}",
            cause);

    /// <summary>Returns the failure for a response that does not conform to the API.</summary>
    public static CollectionException Malformed(KubernetesResource resource, string how, Exception? cause = null) =>
        new(Codes.MalformedResponse, $"the response to {resource} {how}", cause);

    /// <summary>
    /// Refuses an object with a member name that differs from the API's only by case: its value would be missing in the row.
    /// </summary>
    /// <exception cref="CollectionException">The object has such a member.</exception>
    public static void CheckNames(KubernetesResource resource, JsonElement holder, params ReadOnlySpan<string> known)
    {
        if (UnknownMembers.InAnotherCase(holder, known) is var (found, name))
            throw Malformed(resource, $"has {found} where the API has {name}");
    }

    private static void CheckMetadata(KubernetesResource resource, JsonElement metadata)
    {
        if (metadata.ValueKind != JsonValueKind.Object)
            throw Malformed(resource, "has no metadata");
        CheckNames(resource, metadata, OfListMetadata);
        if (Members.Of(metadata, "continue").ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.String))
            throw Malformed(resource, "has a continue that is not a text");
        if (Members.Of(metadata, "remainingItemCount") is var count
            && count.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null)
            && !(count.ValueKind == JsonValueKind.Number && count.TryGetInt64(out var number) && number >= 0))
        {
            throw Malformed(resource, "has a remainingItemCount that is not a count");
        }
    }

    /// <param name="own">The kind of the list's objects, if it is a built-in kind.</param>
    private static void CheckItem(KubernetesResource resource, JsonElement item, string[] fields, string? own)
    {
        if (item.ValueKind != JsonValueKind.Object)
            throw Malformed(resource, "has an item that is not an object");
        CheckNames(resource, item, fields);
        // Every object has metadata with a name, whoever serves it.
        var metadata = Members.Of(item, "metadata");
        if (metadata.ValueKind != JsonValueKind.Object)
            throw Malformed(resource, "has an object without metadata");
        CheckNames(resource, metadata, OfItemMetadata);
        if (JsonMember.Text(metadata, "name") is not { Length: > 0 } name)
            throw Malformed(resource, "has an object without a name");
        if (own is not null && !WellKnownResources.IsComputed(resource) && JsonMember.Text(metadata, "uid") is not { Length: > 0 })
            throw Malformed(resource, $"has an object without a uid, {name}");
        if (Members.Of(item, "apiVersion") is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } version
            && !(version.ValueKind == JsonValueKind.String && version.ValueEquals(resource.AnswerVersion)))
            throw Malformed(resource, $"has an item of version {version}");
        // The kind is not checked for other groups: a custom list's name may differ from that of its objects.
        if (Members.Of(item, "kind") is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } kind
            && (kind.ValueKind != JsonValueKind.String || own is not null && !kind.ValueEquals(own)))
            throw Malformed(resource, $"has an item that is a {kind}");
    }

    private static CollectionException Unfollowed(KubernetesResource resource, string what) =>
        new(Codes.NextPageUnreadable, $"{resource}: the response says that more objects follow ({what}), but not how to read them");

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
