using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AuditCli.Collectors.Running;

namespace AuditCli.Collectors.Rest;

/// <summary>Reads operations of one API at one address: every page, with the checks that make a list whole.</summary>
/// <param name="address">The host and base path.</param>
/// <param name="clock">The clock that limits empty pages; null in a replay.</param>
internal sealed class RestReader(RestApi api, Uri address, RestClient client, TimeProvider? clock)
{
    /// <summary>
    /// Yields the elements of every page, as the provider wrote them, or the response itself where it is no list. If the list turns out not
    /// to be whole, the failure is thrown after the page that shows it.
    /// </summary>
    /// <exception cref="CollectionException">There is no response, it is not one of the operation, or the list is not whole.</exception>
    public async IAsyncEnumerable<(JsonElement Body, ImmutableArray<PageRow> Elements)> PagesAsync(
        RestOperation operation, IEnumerable<KeyValuePair<string, JsonElement>> given, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var what = $"{api.Name}:{operation.Name}";
        var parameters = RestRequest.Complete(api, operation, given);
        var pages = new RestPages(what, operation, parameters);
        var tokens = new GivenTokens(what);
        var read = new ReadRows(what);
        var empty = new EmptyPages(what, clock);
        for (NextPage? next = null; ;)
        {
            var (uri, answer) = await AskAsync(what, operation, parameters, next, empty, cancellationToken);
            if (answer.Status != 200)
                throw RestFailures.Of(what, api, operation, answer);
            if (answer.Fields("Content-Type") is { } type && !type.Contains("json", StringComparison.OrdinalIgnoreCase))
                throw new CollectionException(Codes.MalformedResponse, $"{what}: the response is {type}, not JSON");
            var body = answer.Json(what);
            var elements = RestRows.Elements(what, operation, body);
            if (operation.Rows is not null && read.Add(elements) is { } repeated)
                throw repeated;
            yield return (body, elements);
            next = pages.After(uri, answer, body, elements.Length);
            if (next is null)
                yield break;
            tokens.Add($"{next.Parameter}={next.Value}");
            empty.Add(elements.IsEmpty);
        }
    }

    /// <summary>Returns the rows of every page.</summary>
    /// <exception cref="CollectionException">As for <see cref="PagesAsync"/>.</exception>
    public async IAsyncEnumerable<ImmutableArray<PageRow>> RowsAsync(
        RestOperation operation, IEnumerable<KeyValuePair<string, JsonElement>> given, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (_, elements) in PagesAsync(operation, given, cancellationToken))
            yield return RestRows.Read($"{api.Name}:{operation.Name}", operation, elements);
    }

    private async Task<(Uri Uri, RestAnswer Answer)> AskAsync(
        string what, RestOperation operation, ImmutableSortedDictionary<string, JsonElement> parameters, NextPage? next, EmptyPages empty,
        CancellationToken cancellationToken)
    {
        Uri? uri = null;
        try
        {
            var answer = await client.SendAsync(
                what,
                () =>
                {
                    var request = RestRequest.Write(address, operation, parameters, next);
                    uri = request.RequestUri;
                    return request;
                },
                cancellationToken);
            return (uri!, answer);
        }
        catch (CollectionException e) when (empty.Of(e) is var told && told != e)
        {
            throw told;
        }
    }
}
