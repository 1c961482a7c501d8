using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Rest;

/// <summary>
/// Finds the next page of one list, and at its end compares what was read with what the provider says that there is. A list that ends
/// earlier than it says, or that goes on where it cannot be followed, is never complete.
/// </summary>
/// <param name="what">The request, as named in messages.</param>
internal sealed class RestPages(string what, RestOperation operation, ImmutableSortedDictionary<string, JsonElement> parameters)
{
    private const string HeaderPrefix = "header ";
    private long _rows;
    private long _offset;
    private long _page = 1;
    private long? _total;

    /// <summary>Takes note of a page and returns the next one; null after the last page.</summary>
    /// <param name="request">The URL of the request for the page.</param>
    /// <exception cref="CollectionException">
    /// The next page cannot be requested, or the list is not whole: other rows than the provider counts, or as many as it returns at most.
    /// </exception>
    public NextPage? After(Uri request, RestAnswer answer, JsonElement body, int rows)
    {
        CheckWhole(body);
        _rows += rows;
        var pager = operation.Pager;
        _total = Total(pager, answer, body) ?? _total;
        var next = pager is null ? null : Next(pager, request, answer, body, rows);
        if (next is null)
            CheckEnd(answer, body);
        return next;
    }

    private NextPage? Next(Pager pager, Uri request, RestAnswer answer, JsonElement body, int rows)
    {
        var next = pager.Kind switch
        {
            PagerKind.Token => Text(pager, body) is { } token ? new NextPage(pager.To, token) : null,
            PagerKind.Url => Text(pager, body) is { } url ? Followed(pager, request, url) : null,
            PagerKind.Link => WebLink.Next(answer.Fields("Link")) is { } link ? Followed(pager, request, link) : null,
            _ => null,
        };
        var isLast = Flag(pager, body);
        if (pager.Kind is PagerKind.Offset or PagerKind.Page)
            return Numbered(pager, rows, isLast);
        if (next is null && isLast == false)
            throw Unreadable("says that it is not the last page, but names no next page");
        if (next is not null && isLast == true)
            throw new CollectionException(Codes.MalformedResponse, $"{what}: the response says that it is the last page, but names a next page");
        return next;
    }

    private NextPage? Numbered(Pager pager, int rows, bool? isLast)
    {
        var asked = pager.Size is { } size && parameters.TryGetValue(size, out var given) && given.TryGetInt64(out var number) ? number : (long?)null;
        // A provider that leaves out rows which the caller may not see still counts them, so the place is that of the rows asked for.
        _offset += asked ?? rows;
        _page++;
        var ended = isLast ?? (_total is { } total ? _offset >= total : asked is { } full ? rows < full : rows == 0);
        if (!ended && rows == 0 && (isLast == false || _total is null))
            throw Unreadable("is empty, but says that it is not the last page");
        return ended || rows == 0 && asked is null
            ? null
            : new(pager.To, (pager.Kind == PagerKind.Offset ? _offset : _page).ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Requires that no member of the response reports missing parts.</summary>
    /// <exception cref="CollectionException">One does (<see cref="Codes.PartialAnswer"/>).</exception>
    private void CheckWhole(JsonElement body)
    {
        foreach (var member in operation.Partial)
        {
            if (body.ValueKind == JsonValueKind.Object && body.TryGetProperty(member, out var said) && !UnknownMembers.IsEmpty(said))
            {
                throw new CollectionException(
                    Codes.PartialAnswer, $"{what}: the response says that it is partial: {member}: {said.GetRawText()}");
            }
        }
    }

    private void CheckEnd(RestAnswer answer, JsonElement body)
    {
        if (WebLink.Next(answer.Fields("Link")) is not null)
            throw Unreadable("says that more follows (Link), but not how to read it");
        if (RestRows.Unfollowed(operation, body) is { } member)
            throw Unreadable($"says that more follows ({member}), but not how to read it");
        if (_total is { } total && total != _rows)
        {
            throw new CollectionException(
                Codes.CountsDiffer, string.Create(CultureInfo.InvariantCulture, $"{what}: the provider counts {total} rows, but {_rows} were read"));
        }
        if (operation.Cap is { } cap && _rows >= cap)
        {
            throw new CollectionException(
                Codes.CappedAnswer,
                string.Create(CultureInfo.InvariantCulture, $"{what}: {_rows} rows were read, and the provider returns at most {cap}; ask for less at once"));
        }
    }

    private long? Total(Pager? pager, RestAnswer answer, JsonElement body)
    {
        if (pager?.Total is not { } place)
            return null;
        var text = place.StartsWith(HeaderPrefix, StringComparison.Ordinal)
            ? answer.Fields(place[HeaderPrefix.Length..])
            : JsonPointer.Find(body, place) is { } found ? JsonMember.TextOrRaw(found) : null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var total)
            ? total
            : throw new CollectionException(Codes.MalformedResponse, $"{what}: the response does not say how many rows there are ({place})");
    }

    private string? Text(Pager pager, JsonElement body) => JsonPointer.Find(body, pager.From) switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.String } text => text.GetString() is { Length: > 0 } token ? token : null,
        _ => throw new CollectionException(Codes.MalformedResponse, $"{what}: {pager.From} is not a text"),
    };

    private bool? Flag(Pager pager, JsonElement body)
    {
        if (pager.Last is not { } place)
            return null;
        var negated = place[0] == '!';
        return JsonPointer.Find(body, place.TrimStart('!')) switch
        {
            null => null,
            { ValueKind: JsonValueKind.True } => !negated,
            { ValueKind: JsonValueKind.False } => negated,
            _ => throw new CollectionException(Codes.MalformedResponse, $"{what}: {place.TrimStart('!')} is not true or false"),
        };
    }

    /// <summary>
    /// Returns the query of a link. Only the query is taken: a link to another host or path could lead to other data, and would send the
    /// credentials there.
    /// </summary>
    private NextPage Followed(Pager pager, Uri request, string link)
    {
        if (!Uri.TryCreate(request, link, out var next))
            throw Unreadable("names a next page that is not a URL");
        if (next.GetLeftPart(UriPartial.Authority) != request.GetLeftPart(UriPartial.Authority) || next.UserInfo.Length > 0)
            throw Unreadable($"names a next page on another host ({next.Host})");
        if (next.AbsolutePath != request.AbsolutePath)
            throw Unreadable($"names a next page with another path ({next.AbsolutePath})");
        var query = next.Query.TrimStart('?');
        var names = query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => Uri.UnescapeDataString(p.Split('=')[0])).ToArray();
        if (names.FirstOrDefault(n => operation.Parameter(n)?.Place != ParameterPlace.Query && !pager.Own.Contains(n)) is { } unknown)
            throw Unreadable($"names a next page with the parameter {unknown}, which this list does not have");
        return names.Length == 0 ? throw Unreadable("names a next page that is the first one") : new(null, query);
    }

    private CollectionException Unreadable(string how) => new(Codes.NextPageUnreadable, $"{what}: the response {how}");
}
