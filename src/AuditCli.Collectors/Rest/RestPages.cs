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
        CheckPlace(body, rows);
        _rows += rows;
        var pager = operation.Pager;
        if (Total(pager, answer, body) is { } total)
        {
            if (_total is { } before && before != total)
                throw Differ($"the provider counted {before} rows on an earlier page and {total} on a later one");
            _total = total;
        }
        var links = Links(answer);
        var next = pager is null ? null : Next(pager, request, links, body, rows);
        if (next is null)
            CheckEnd(links, body);
        return next;
    }

    private NextPage? Next(Pager pager, Uri request, IReadOnlyList<string>? links, JsonElement body, int rows)
    {
        var isLast = Flag(pager, body);
        if (pager.Kind is PagerKind.Offset or PagerKind.Page)
            return Numbered(pager, rows, isLast);
        var next = pager.Kind switch
        {
            PagerKind.Token => Text(pager, body) is { } token ? new NextPage(pager.To, token) : null,
            PagerKind.Url => Text(pager, body) is { } url ? Followed(pager, request, url) : null,
            _ => links is [var link] ? Followed(pager, request, link) : null,
        };
        if (links is null && pager.Kind == PagerKind.Link && Asked(pager) is { } full && rows >= full)
            throw Unreadable("has as many rows as were asked for and no Link header, so more may follow");
        if (next is null && isLast is null && pager is { Kind: PagerKind.Token, Last: not null })
            throw Unreadable("does not say whether it is the last page");
        if (next is null && isLast == false)
            throw Unreadable("says that it is not the last page, but names no next page");
        if (next is not null && isLast == true)
            throw Malformed("the response says that it is the last page, but names a next page");
        return next;
    }

    private NextPage? Numbered(Pager pager, int rows, bool? isLast)
    {
        var asked = Asked(pager);
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
        if (body.ValueKind != JsonValueKind.Object)
            return;
        foreach (var member in body.EnumerateObject().Where(m => !UnknownMembers.IsEmpty(m.Value)))
        {
            // Some products write rows and, beside them, that reading them failed.
            var isOwn = operation.Rows is null && operation.ColumnNames.Contains(member.Name);
            if (operation.Partial.Contains(member.Name) || !isOwn && (member.Name.Contains("error", StringComparison.OrdinalIgnoreCase)
                || member.Name.Contains("warning", StringComparison.OrdinalIgnoreCase)))
            {
                throw new CollectionException(
                    Codes.PartialAnswer, $"{what}: the response says that it is partial: {member.Name}: {member.Value.GetRawText()}");
            }
        }
    }

    /// <summary>
    /// Requires that a page is the one that was asked for: a server that does not know the parameter of the place returns another.
    /// </summary>
    private void CheckPlace(JsonElement body, int rows)
    {
        if (body.ValueKind != JsonValueKind.Object || operation.Pager is not { Kind: PagerKind.Offset or PagerKind.Page } pager)
            return;
        var place = pager.Kind == PagerKind.Offset ? _offset : _page;
        if (body.TryGetProperty(pager.To, out var stated) && Whole(stated) != place)
            throw Malformed($"the page that begins at {place} was asked for, and the response has {pager.To} {stated.GetRawText()}");
        if (pager.Count is { } count && JsonPointer.Find(body, count) is { } number && Whole(number) != rows)
            throw Differ($"the response says that it has {number.GetRawText()} rows, but has {rows}");
    }

    /// <summary>Returns the links to a next page; null if the response has no Link header.</summary>
    /// <exception cref="CollectionException">The header cannot be read, or has several next pages.</exception>
    private IReadOnlyList<string>? Links(RestAnswer answer)
    {
        if (answer.Fields("Link") is not { } field)
            return null;
        var links = WebLink.Next(field) ?? throw Unreadable("has a Link header that cannot be read");
        return links.Count <= 1 ? links : throw Unreadable("names several next pages");
    }

    /// <summary>Returns the number of rows that were asked for; null if that is not known.</summary>
    private long? Asked(Pager pager) =>
        pager.Size is { } size && parameters.TryGetValue(size, out var given) ? Whole(given) : null;

    private static long? Whole(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    private void CheckEnd(IReadOnlyList<string>? links, JsonElement body)
    {
        if (links is [_, ..] && operation.Pager?.Kind != PagerKind.Link)
            throw Unreadable("says that more follows (Link), but not how to read it");
        if (RestRows.Unfollowed(operation, body) is { } member)
            throw Unreadable($"says that more follows ({member}), but not how to read it");
        if (_total is { } total && total != _rows)
            throw Differ($"the provider counts {total} rows, but {_rows} were read");
        if (operation.Cap is { } cap && _rows >= cap)
        {
            throw new CollectionException(
                Codes.CappedAnswer,
                string.Create(CultureInfo.InvariantCulture, $"{what}: {_rows} rows were read, and the provider returns at most {cap}; ask for less at once"));
        }
    }

    private long? Total(Pager? pager, RestAnswer answer, JsonElement body)
    {
        if (pager?.Total is not { } named)
            return null;
        var (place, always) = (named.TrimStart('?'), named[0] != '?');
        var text = place.StartsWith(HeaderPrefix, StringComparison.Ordinal)
            ? answer.Fields(place[HeaderPrefix.Length..])
            : JsonPointer.Find(body, place) is { } found ? JsonMember.TextOrRaw(found) : null;
        return !always && text is null ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var total) ? total
            : throw Malformed($"the response does not say how many rows there are ({place})");
    }

    /// <summary>Returns the token or URL of the next page; null if the response has none.</summary>
    /// <exception cref="CollectionException">A part of its place has another form than that of the API.</exception>
    private string? Text(Pager pager, JsonElement body)
    {
        var at = body;
        foreach (var step in JsonPointer.Tokens(pager.From))
        {
            if (at.ValueKind != JsonValueKind.Object)
                throw Malformed($"{pager.From} cannot be read");
            if (UnknownMembers.InAnotherCase(at, step) is var (found, name))
                throw Malformed($"the response has {found} where the API has {name}");
            if (!at.TryGetProperty(step, out at))
                return null;
            // A token may be null on the last page; a link that is there and leads nowhere was damaged.
            if (at.ValueKind == JsonValueKind.Null && pager.Kind == PagerKind.Token)
                return null;
        }
        return at.ValueKind != JsonValueKind.String ? throw Malformed($"{pager.From} is not a text")
            : at.GetString() is { Length: > 0 } text ? text
            : throw Malformed($"{pager.From} is empty");
    }

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
            _ => throw Malformed($"{place.TrimStart('!')} is not true or false"),
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
        CheckQuestion(pager, query);
        return new(null, query);
    }

    /// <summary>
    /// Requires that a link asks the same question at another place: a changed or missing filter would return other rows, or too few.
    /// </summary>
    private void CheckQuestion(Pager pager, string query)
    {
        var all = query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=', 2))
            .Select(p => (Name: Read(p[0]), Value: Read(p.Length > 1 ? p[1] : ""))).ToArray();
        if (all.Select(q => q.Name).FirstOrDefault(n => operation.Parameter(n)?.Place != ParameterPlace.Query && !pager.Own.Contains(n)) is { } unknown)
            throw Unreadable($"names a next page with the parameter {unknown}, which this list does not have");
        var places = all.Where(q => pager.Own.Contains(q.Name)).ToArray();
        if (!places.Any(q => q.Value.Length > 0 && !(parameters.TryGetValue(q.Name, out var given) && JsonMember.TextOrRaw(given) == q.Value)))
            throw Unreadable("names a next page that is the first one");
        if (places.DistinctBy(q => q.Name).Count() != places.Length)
            throw Unreadable("names a next page with the same parameter twice");
        var asked = parameters.Where(p => operation.Parameter(p.Key)!.Place == ParameterPlace.Query && !pager.Own.Contains(p.Key))
            .SelectMany(p => RestRequest.Values(p.Value).Select(v => (Name: p.Key, Value: v)));
        if (!all.Where(q => !pager.Own.Contains(q.Name)).Order().SequenceEqual(asked.Order()))
            throw Unreadable("names a next page of another question: its filter or another parameter differs");

        static string Read(string written) => Uri.UnescapeDataString(written.Replace('+', ' '));
    }

    private CollectionException Differ(string how) => new(Codes.CountsDiffer, $"{what}: {how}");

    private CollectionException Malformed(string how) => new(Codes.MalformedResponse, $"{what}: {how}");

    private CollectionException Unreadable(string how) => new(Codes.NextPageUnreadable, $"{what}: the response {how}");
}
