using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Gcp;

/// <summary>Extracts the rows of a response, and what the response says about missing rows.</summary>
internal static class AnswerRows
{
    private const string ValueColumn = "value";

    /// <summary>The member of a response that names the next page.</summary>
    public const string NextPageToken = "nextPageToken";

    /// <summary>Members in which lists of many APIs report missing parts, including APIs whose description does not mention them.</summary>
    private static readonly ImmutableArray<string> Always =
        ["unreachable", "unreachables", "missingZones", Warning, "warnings", "partialSuccess", "incompleteResults"];
    private const string Warning = "warning";

    /// <summary>The warning code that Compute writes for every location without resources of the requested kind.</summary>
    private const string NothingThere = "NO_RESULTS_ON_PAGE";

    /// <summary>Parses the response as JSON.</summary>
    /// <exception cref="CollectionException">The response is not a JSON object.</exception>
    public static JsonElement Parse(string what, ReadOnlyMemory<byte> body) =>
        JsonAnswer.Strict(what, body.Span) is { ValueKind: JsonValueKind.Object } answer
            ? answer
            : throw new CollectionException(Codes.MalformedResponse, $"{what}: the response is not a JSON object");

    /// <summary>
    /// Rejects a body that has the form of a response to the operation but is not one: an error, a message of an intermediary, the list of
    /// another kind, and members under other names than the API's. Google omits empty members, so a response without any member is an empty
    /// list; one whose members are all unknown is not a list.
    /// </summary>
    /// <exception cref="CollectionException">The response is one of these (<see cref="Codes.MalformedResponse"/>).</exception>
    public static void Check(string what, RestOperation operation, JsonElement page)
    {
        string[] known = operation.Rows is { } rows
            ? [rows, NextPageToken, .. operation.Beside, .. operation.Partial, .. Always]
            : [NextPageToken, .. operation.Columns.Select(c => c.Name), .. operation.Partial, .. Always, .. operation.Whole.Select(w => w.Split('.')[0])];
        foreach (var member in page.EnumerateObject())
        {
            var saysError = member.Name.ToUpperInvariant() switch
            {
                "ERROR" => member.Value.ValueKind != JsonValueKind.Null,
                "ERRORS" => !UnknownMembers.IsEmpty(member.Value),
                _ => false,
            };
            if (saysError && !known.Contains(member.Name))
                throw Malformed(what, $"the response has status 200, but is an error: {member.Name} is {member.Value.GetRawText()}");
        }
        if (UnknownMembers.InAnotherCase(page, known) is var (found, name))
            throw Malformed(what, $"the response has {found} where the API has {name}");
        if (page.GetPropertyCount() > 0 && !page.EnumerateObject().Any(m => known.Contains(m.Name)))
            throw Malformed(what, $"the response has no member of the API, but {page.EnumerateObject().First().Name}");
        if (operation.Kind is { } kind && page.TryGetProperty("kind", out var own) && !(own.ValueKind == JsonValueKind.String && own.ValueEquals(kind)))
            throw Malformed(what, $"the response is a {own.GetRawText()}, not a {kind}");
        if (page.TryGetProperty(NextPageToken, out var token) && token.ValueKind != JsonValueKind.String)
            throw Malformed(what, $"{NextPageToken} is not a text");
        if (operation.Rows is { } list && !page.TryGetProperty(list, out _) && OtherPart(page, known) is { } part)
            throw Malformed(what, $"the response has no {list}, but {part}, which is not in the API");
    }

    /// <summary>
    /// Rejects a page whose rows are of another kind than the list's. A kind that no list of the API has is taken: descriptions of a few lists
    /// name it otherwise than the server does.
    /// </summary>
    /// <exception cref="CollectionException">There is such a row (<see cref="Codes.MalformedResponse"/>).</exception>
    public static void CheckKinds(string what, RestApi api, RestOperation operation, JsonElement page)
    {
        if (operation.RowKind is not { } kind)
            return;
        var prefix = kind[..(kind.IndexOf('#', StringComparison.Ordinal) + 1)];
        foreach (var (row, pointer, _) in Elements(what, operation, page))
        {
            if (row.ValueKind != JsonValueKind.Object || !row.TryGetProperty("kind", out var own))
                continue;
            var name = own.ValueKind == JsonValueKind.String ? own.GetString() : null;
            if (name != kind && (name is null || !name.StartsWith(prefix, StringComparison.Ordinal) || api.HasRowKind(name)))
                throw Malformed(what, $"{pointer} is a {own.GetRawText()}, not a {kind}");
        }
    }

    /// <summary>Returns the member that suggests further pages which cannot be read; null if there is none.</summary>
    public static string? Unfollowed(RestOperation operation, JsonElement page)
    {
        if (operation.Rows is null)
            return null;
        // If the operation takes no page token, a token is an unknown member like any other. Members of partial results are reported by
        // Missing.
        string[] known = [.. operation.Pager is null ? [] : new[] { NextPageToken }, .. operation.Beside, .. operation.Partial, operation.Rows];
        return UnknownMembers.OfMore(page, known);
    }

    /// <summary>Returns the rows of one page.</summary>
    /// <exception cref="CollectionException">The member of the rows has another type.</exception>
    public static ImmutableArray<PageRow> Read(string what, RestOperation operation, JsonElement page) =>
        [.. Elements(what, operation, page).Select(e => new PageRow(
            Row(operation.Rows is null ? e.Value : Checked(what, operation, e.Value, e.Pointer), e.Key), e.Pointer))];

    /// <summary>
    /// Returns the elements from which the rows of one page are made, as the provider wrote them, with their place and, in a map of lists,
    /// the key of their list.
    /// </summary>
    /// <exception cref="CollectionException">The member of the rows has another type.</exception>
    public static IEnumerable<(JsonElement Value, string Pointer, string? Key)> Elements(string what, RestOperation operation, JsonElement page)
    {
        if (operation.Rows is not { } member)
            return [(page, "", null)];
        // Google omits an empty list and never writes it as null.
        if (!page.TryGetProperty(member, out var rows))
            return [];
        if (operation.Inner is not { } inner)
            return List(what, rows, "/" + member, null);
        if (rows.ValueKind != JsonValueKind.Object)
            throw Malformed(what, $"{member} is not a map");
        return rows.EnumerateObject().SelectMany(p => Inner(what, p, member, inner));
    }

    /// <summary>Returns what the response says is missing, in its own words; null if it says nothing.</summary>
    public static string? Missing(RestOperation operation, JsonElement page)
    {
        if (operation.Rows is null && operation.Partial.IsEmpty && operation.Whole.IsEmpty)
            return null;
        var said = operation.Partial.Union(Always, StringComparer.Ordinal)
            .Where(m => page.TryGetProperty(m, out var value) && IsSomething(value))
            .Select(m => $"{m}: {page.GetProperty(m).GetRawText()}");
        if (operation is { Rows: { } member, Inner: not null } && page.TryGetProperty(member, out var map) && map.ValueKind == JsonValueKind.Object)
        {
            said = said.Concat(map.EnumerateObject()
                .Where(p => p.Value.ValueKind == JsonValueKind.Object && p.Value.TryGetProperty("warning", out var warning) && IsSomething(warning))
                .Select(p => $"{p.Name}: {p.Value.GetProperty("warning").GetRawText()}"));
        }
        // Google omits false values, so only an explicit true means that the response is whole.
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
        JsonValueKind.Object => value.EnumerateObject().Any()
            && !(value.TryGetProperty("code", out var code) && code.ValueKind == JsonValueKind.String && code.ValueEquals(NothingThere)),
        JsonValueKind.String => value.GetRawText().Length > 2,
        JsonValueKind.Null or JsonValueKind.False => false,
        _ => true,
    };

    /// <summary>Returns the elements of one list in a map of lists; for an empty list, Google writes a warning instead.</summary>
    private static IEnumerable<(JsonElement Value, string Pointer, string? Key)> Inner(string what, JsonProperty scoped, string member, string inner)
    {
        if (scoped.Value.ValueKind != JsonValueKind.Object)
            throw Malformed(what, $"{member} of {scoped.Name} is not an object");
        if (UnknownMembers.InAnotherCase(scoped.Value, inner, Warning) is var (found, name))
            throw Malformed(what, $"{member} of {scoped.Name} has {found} where the API has {name}");
        if (scoped.Value.TryGetProperty(inner, out var list))
            return List(what, list, $"/{member}/{JsonPointer.Escape(scoped.Name)}/{inner}", scoped.Name);
        return OtherPart(scoped.Value, [Warning]) is { } part ? throw Malformed(what, $"{member} of {scoped.Name} has no {inner}, but {part}") : [];
    }

    /// <summary>Returns the first unknown member that could hold rows.</summary>
    private static string? OtherPart(JsonElement holder, string[] known) =>
        holder.EnumerateObject().Where(m => m.Value.ValueKind is JsonValueKind.Array or JsonValueKind.Object && !known.Contains(m.Name))
            .Select(m => m.Name).FirstOrDefault();

    /// <summary>Returns an element as a row, after checking that it is an object with the API's names where the API has objects.</summary>
    private static JsonElement Checked(string what, RestOperation operation, JsonElement element, string pointer)
    {
        if (operation.Columns is [{ Name: ValueColumn }])
            return element;
        if (element.ValueKind != JsonValueKind.Object)
            throw Malformed(what, $"{pointer} is not an object");
        // An API whose resources have a kind writes it in each; another one leaves out what is empty, but has no members of its own.
        if ((element.GetPropertyCount() > 0 || operation.RowKind is not null) && !element.EnumerateObject().Any(m => operation.ColumnNames.Contains(m.Name)))
            throw Malformed(what, $"{pointer} has no member of the API");
        foreach (var member in element.EnumerateObject())
        {
            if (!operation.ColumnNames.Contains(member.Name) && operation.ColumnsInAnyCase.TryGetValue(member.Name, out var name))
                throw Malformed(what, $"{pointer} has {member.Name} where the API has {name}");
        }
        return element;
    }

    private static CollectionException Malformed(string what, string how) => new(Codes.MalformedResponse, $"{what}: {how}");

    private static IEnumerable<(JsonElement Value, string Pointer, string? Key)> List(string what, JsonElement list, string pointer, string? key)
    {
        if (list.ValueKind != JsonValueKind.Array)
            throw Malformed(what, $"{pointer} is not a list");
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
            writer.WriteString(RestOperation.KeyColumn, key);
            foreach (var member in element.EnumerateObject())
                member.WriteTo(writer);
            writer.WriteEndObject();
        }
        using var document = JsonDocument.Parse(row.GetBuffer().AsMemory(0, (int)row.Length));
        return document.RootElement.Clone();
    }
}
