using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Collectors.Gcp.Catalogue;
using AuditCli.Collectors.Gcp.Client;

namespace AuditCli.Collectors.Gcp;

/// <summary>The rows of an answer, and what it says about rows that are missing from it.</summary>
internal static class AnswerRows
{
    private const string ValueColumn = "value";

    /// <summary>Said by lists of many APIs, also by some whose description does not mention it.</summary>
    private static readonly ImmutableArray<string> Always = ["unreachable", "unreachables", "missingZones", "warning", "warnings"];

    /// <summary>Compute says this of every location where nothing of the kind exists.</summary>
    private const string NothingThere = "NO_RESULTS_ON_PAGE";

    /// <summary>Of two members of one name nobody knows which one the provider meant.</summary>
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>The answer as JSON.</summary>
    /// <exception cref="CollectionException">It is no JSON object.</exception>
    public static JsonElement Parse(string what, ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Strict);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new CollectionException(GcpFailures.Malformed, $"{what}: the answer is not JSON: {e.Message}", e);
        }
        throw new CollectionException(GcpFailures.Malformed, $"{what}: the answer is not a JSON object");
    }

    /// <summary>The rows of one page.</summary>
    /// <exception cref="CollectionException">The place of the rows holds something else.</exception>
    public static ImmutableArray<PageRow> Read(string what, OperationModel operation, JsonElement page) =>
        [.. Elements(what, operation, page).Select(e => new PageRow(Row(e.Value, e.Key), e.Pointer))];

    /// <summary>What the rows of one page are made from, as the provider wrote it: where it stands, and the key of its list in a map of lists.</summary>
    /// <exception cref="CollectionException">The place of the rows holds something else.</exception>
    public static IEnumerable<(JsonElement Value, string Pointer, string? Key)> Elements(string what, OperationModel operation, JsonElement page)
    {
        if (operation.Rows is not { } member)
            return [(page, "", null)];
        // An empty list is left out.
        if (!page.TryGetProperty(member, out var rows) || rows.ValueKind == JsonValueKind.Null)
            return [];
        if (operation.Inner is not { } inner)
            return List(what, rows, "/" + member, null);
        if (rows.ValueKind != JsonValueKind.Object)
            throw new CollectionException(GcpFailures.Malformed, $"{what}: {member} is not a map");
        return rows.EnumerateObject().SelectMany(p => p.Value.ValueKind == JsonValueKind.Object && p.Value.TryGetProperty(inner, out var list)
            ? List(what, list, $"/{member}/{Escaped(p.Name)}/{inner}", p.Name)
            : []);
    }

    /// <summary>What the answer says is missing, in its own words; null when it says nothing.</summary>
    public static string? Missing(OperationModel operation, JsonElement page)
    {
        if (operation.Rows is null && operation.Partial.IsEmpty && operation.Whole.IsEmpty)
            return null;
        var said = operation.Partial.Union(Always, StringComparer.Ordinal).Where(m => page.TryGetProperty(m, out var value) && IsSomething(value)).Select(m => $"{m}: {page.GetProperty(m).GetRawText()}");
        if (operation is { Rows: { } member, Inner: not null } && page.TryGetProperty(member, out var map) && map.ValueKind == JsonValueKind.Object)
        {
            said = said.Concat(map.EnumerateObject()
                .Where(p => p.Value.ValueKind == JsonValueKind.Object && p.Value.TryGetProperty("warning", out var warning) && IsSomething(warning))
                .Select(p => $"{p.Name}: {p.Value.GetProperty("warning").GetRawText()}"));
        }
        // False is left out, so that only a true one says anything.
        said = said.Concat(operation.Whole.Where(path => !IsTrue(page, path.Split('.'))).Select(path => $"{path} is not true"));
        var all = string.Join("; ", said);
        return all.Length == 0 ? null : all;
    }

    private static bool IsTrue(JsonElement value, ReadOnlySpan<string> path) => path.IsEmpty
        ? value.ValueKind == JsonValueKind.True
        : value.ValueKind == JsonValueKind.Object && value.TryGetProperty(path[0], out var member) && IsTrue(member, path[1..]);

    private static bool IsSomething(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.EnumerateObject().Any() && !(value.TryGetProperty("code", out var code) && code.ValueKind == JsonValueKind.String && code.GetString() == NothingThere),
        JsonValueKind.String => value.GetString()!.Length > 0,
        _ => false,
    };

    private static IEnumerable<(JsonElement Value, string Pointer, string? Key)> List(string what, JsonElement list, string pointer, string? key)
    {
        if (list.ValueKind != JsonValueKind.Array)
            throw new CollectionException(GcpFailures.Malformed, $"{what}: {pointer} is not a list");
        return list.EnumerateArray().Select((e, i) => (e, string.Create(CultureInfo.InvariantCulture, $"{pointer}/{i}"), key));
    }

    private static JsonElement Row(JsonElement element, string? key)
    {
        if (element.ValueKind != JsonValueKind.Object)
            return JsonSerializer.SerializeToElement(new Dictionary<string, JsonElement> { [ValueColumn] = element });
        if (key is null)
            return element;
        using var row = new MemoryStream();
        using (var writer = new Utf8JsonWriter(row))
        {
            writer.WriteStartObject();
            writer.WriteString(OperationModel.KeyColumn, key);
            foreach (var member in element.EnumerateObject())
                member.WriteTo(writer);
            writer.WriteEndObject();
        }
        using var document = JsonDocument.Parse(row.GetBuffer().AsMemory(0, (int)row.Length));
        return document.RootElement.Clone();
    }

    /// <summary>As RFC 6901 wants it.</summary>
    private static string Escaped(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
