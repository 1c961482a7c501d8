using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Rest;

/// <summary>
/// Extracts the rows of a response, after checking that it is one of the operation: an error, a message of an intermediary, or the same
/// members under other names would otherwise count as an empty list.
/// </summary>
internal static class RestRows
{
    private const string ValueColumn = "value";

    /// <summary>Returns the rows of one page, or the whole response as the one row.</summary>
    /// <param name="rows">What <see cref="Elements"/> returns.</param>
    /// <exception cref="CollectionException">A row has not the form of the API (<see cref="Codes.MalformedResponse"/>).</exception>
    public static ImmutableArray<PageRow> Read(string what, RestOperation operation, ImmutableArray<PageRow> rows)
    {
        if (operation.Flatten is { } holder)
            rows = [.. rows.Select(r => r with { Value = Flattened(what, holder, r) })];
        return operation.Columns.Any(c => c.Name == RestOperation.OtherColumn)
            ? [.. rows.Select(r => r with { Value = WithOther(operation, r.Value) })]
            : rows;
    }

    /// <summary>Returns the elements from which the rows of one page are made, as the provider wrote them.</summary>
    /// <exception cref="CollectionException">The response has not the form of the API (<see cref="Codes.MalformedResponse"/>).</exception>
    public static ImmutableArray<PageRow> Elements(string what, RestOperation operation, JsonElement body)
    {
        if (operation.Rows is not { } place)
            return [new(Checked(what, operation, body, ""), "")];
        var pointer = place.Length == 0 || place[0] == '/' ? place : "/" + JsonPointer.Escape(place);
        if (pointer.Length > 0)
            CheckHolder(what, operation, body, pointer);
        return JsonPointer.Find(body, pointer) is not { ValueKind: JsonValueKind.Array } list
            ? throw Malformed(what, pointer.Length == 0 ? "the response is not a list" : $"the response has no list {pointer}{Instead(body)}")
            : [.. list.EnumerateArray().Select((e, i) =>
            {
                var at = string.Create(CultureInfo.InvariantCulture, $"{pointer}/{i}");
                return new PageRow(Checked(what, operation, e, at), at);
            })];
    }

    /// <summary>
    /// Returns a member beside the rows that suggests further pages, if the operation is not read in pages or this is its last page; null if
    /// there is none.
    /// </summary>
    public static string? Unfollowed(RestOperation operation, JsonElement body) =>
        operation.Rows is null || body.ValueKind != JsonValueKind.Object ? null : UnknownMembers.OfMore(body, Known(operation));

    private static void CheckHolder(string what, RestOperation operation, JsonElement body, string pointer)
    {
        if (body.ValueKind != JsonValueKind.Object)
            throw Malformed(what, $"the response is not an object with {pointer}");
        if (UnknownMembers.InAnotherCase(body, Known(operation)) is var (found, name))
            throw Malformed(what, $"the response has {found} where the API has {name}");
    }

    /// <summary>Returns the known members at the top of a response that holds a list.</summary>
    private static string[] Known(RestOperation operation) =>
    [
        First(operation.Rows!.Length > 0 && operation.Rows[0] != '/' ? "/" + JsonPointer.Escape(operation.Rows) : operation.Rows),
        .. new[] { operation.Pager?.From, operation.Pager?.Last?.TrimStart('!'), operation.Pager?.Total }
            .Where(p => p?.StartsWith('/') == true).Select(p => First(p!)),
        .. operation.Beside, .. operation.Partial,
    ];

    private static string First(string pointer) => JsonPointer.Tokens(pointer) is [var first, ..] ? first : "";

    /// <summary>Checks that a row is an object with at least one member of the API, and with the API's own names.</summary>
    private static JsonElement Checked(string what, RestOperation operation, JsonElement element, string pointer)
    {
        var shown = pointer.Length == 0 ? "the response" : pointer;
        if (operation.Columns is [{ Name: ValueColumn }] && element.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
            return JsonSerializer.SerializeToElement(new Dictionary<string, JsonElement> { [ValueColumn] = element });
        if (element.ValueKind != JsonValueKind.Object)
            throw Malformed(what, $"{shown} is not an object");
        var known = false;
        foreach (var member in element.EnumerateObject())
        {
            if (IsListed(operation, member.Name))
                known = true;
            else if (operation.ColumnsInAnyCase.TryGetValue(member.Name, out var name) && name != RestOperation.OtherColumn)
                throw Malformed(what, $"{shown} has {member.Name} where the API has {name}");
        }
        return known ? element : throw Malformed(what, $"{shown} has no member of the API{Instead(element)}");
    }

    /// <summary>Returns a row with the members of one of its objects beside its own.</summary>
    private static JsonElement Flattened(string what, string holder, PageRow row)
    {
        if (!row.Value.TryGetProperty(holder, out var inner))
            return row.Value;
        if (inner.ValueKind != JsonValueKind.Object)
            throw Malformed(what, $"{row.Pointer}/{holder} is not an object");
        foreach (var member in inner.EnumerateObject().Where(m => m.Name != holder && row.Value.TryGetProperty(m.Name, out _)))
            throw Malformed(what, $"{row.Pointer} has {member.Name}, and so has its {holder}");
        return Written(writer =>
        {
            foreach (var member in row.Value.EnumerateObject().Where(m => m.Name != holder).Concat(inner.EnumerateObject()))
                member.WriteTo(writer);
        });
    }

    /// <summary>Adds the members that the catalogue does not list, as one object: providers add members, and a test may need them.</summary>
    private static JsonElement WithOther(RestOperation operation, JsonElement row)
    {
        if (row.EnumerateObject().All(m => IsListed(operation, m.Name)))
            return row;
        return Written(writer =>
        {
            foreach (var member in row.EnumerateObject().Where(m => IsListed(operation, m.Name)))
                member.WriteTo(writer);
            writer.WriteStartObject(RestOperation.OtherColumn);
            foreach (var member in row.EnumerateObject().Where(m => !IsListed(operation, m.Name)))
                member.WriteTo(writer);
            writer.WriteEndObject();
        });
    }

    /// <summary>Whether a member has a column of its own; a provider's own member may have the name of the column for the others.</summary>
    private static bool IsListed(RestOperation operation, string name) => name != RestOperation.OtherColumn && operation.ColumnNames.Contains(name);

    private static JsonElement Written(Action<Utf8JsonWriter> members)
    {
        using var written = new MemoryStream();
        using (var writer = new Utf8JsonWriter(written))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }
        return JsonElement.Parse(written.GetBuffer().AsSpan(0, (int)written.Length));
    }

    private static string Instead(JsonElement holder) =>
        holder.ValueKind == JsonValueKind.Object && holder.GetPropertyCount() > 0 ? $", but {holder.EnumerateObject().First().Name}" : "";

    private static CollectionException Malformed(string what, string how) => new(Codes.MalformedResponse, $"{what}: {how}");
}
