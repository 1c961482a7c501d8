using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Running;

namespace AuditCli.Collectors.Aws;

/// <summary>Derives the request for the next page from a response, and detects page tokens that repeat.</summary>
internal sealed class PageTokens(ServiceModel service, OperationModel model, Pager pager)
{
    private readonly string _operation = $"{service.Name}:{model.Name}";

    /// <summary>The end of a step of a member path that stands for the last element of a list.</summary>
    public const string Last = "[-1]";

    private readonly GivenTokens _given = new($"{service.Name}:{model.Name}");

    /// <summary>Returns the parameters for the next page; null if this was the last.</summary>
    /// <exception cref="CollectionException">
    /// The token was given before, there is more and no token, or a token and nothing more.
    /// </exception>
    public JsonObject? Next(JsonObject parameters, JsonElement page)
    {
        var more = pager.More is { } flag ? At(page, flag) : null;
        if (more?.ValueKind == JsonValueKind.False)
        {
            return Given(page) is { } idle && !PlacesOnLastPage
                ? throw Malformed($"the response says that nothing follows, but also gives {idle} for a next page")
                : null;
        }
        // Without the flag, a token from the response means that there is more; a token derived from the last row does not mean anything.
        if (more is null && pager.More is not null && pager.Outputs.Any(o => o.Contains(Last, StringComparison.Ordinal)) && Given(page) is null)
        {
            return pager.Outputs.All(o => At(page, o) is null)
                ? null
                : throw Malformed($"the response does not say whether more follows: it has no {pager.More}");
        }
        if (more is null && pager.More is not null && Given(page) is null
            && service.Shape(model.Output!) is ShapeModel.Structure shape && shape.Required.Contains(pager.More))
            throw Malformed($"the response does not say whether more follows: it has no {pager.More}");
        if (pager.Inputs.IsEmpty)
        {
            return pager.Outputs.All(o => At(page, o) is null)
                ? null
                : throw new CollectionException(
                    Codes.NextPageUnreadable, $"{_operation}: there are more pages, but the operation takes no token to request them");
        }
        var next = (JsonObject)parameters.DeepClone();
        var given = new List<string>();
        for (var i = 0; i < pager.Inputs.Length; i++)
        {
            next.Remove(pager.Inputs[i]);
            if (At(page, pager.Outputs[i]) is { } token && Text(token) is { Length: > 0 } text)
            {
                if (token.ValueKind != JsonValueKind.String && Kind(pager.Inputs[i]) == MemberKind.String)
                    throw Malformed($"{pager.Outputs[i]} is a JSON {token.ValueKind}, not a text");
                given.Add($"{pager.Inputs[i]}={text}");
                next[pager.Inputs[i]] = JsonNode.Parse(token.GetRawText());
            }
        }
        if (given.Count == 0)
            return more is null ? null : throw Malformed("there are more pages, but the response does not say how to read them");
        _given.Add(string.Join('\n', given));
        return next;
    }

    /// <summary>Whether the operation returns tokens on the last page too: S3 names the last part and the last upload there.</summary>
    private bool PlacesOnLastPage => service.Name == "s3" && model.Name is "ListParts" or "ListMultipartUploads";

    /// <summary>Returns the path of a token that the response itself contains; a token derived from the last row does not count.</summary>
    private string? Given(JsonElement page) => pager.Outputs.SelectMany(o => o.Split("||", StringSplitOptions.TrimEntries))
        .FirstOrDefault(o => !o.Contains(Last, StringComparison.Ordinal) && At(page, o) is { } token && Text(token).Length > 0);

    private MemberKind? Kind(string input) => model.Input is { } name && service.Shape(name) is ShapeModel.Structure shape ? shape.Member(input)?.Kind : null;

    private CollectionException Malformed(string how) => new(Codes.MalformedResponse, $"{_operation}: {how}");

    private string Text(JsonElement token)
    {
        try
        {
            return token.ToString();
        }
        catch (InvalidOperationException e)
        {
            throw new CollectionException(Codes.NextPageUnreadable, $"{_operation}: the page token is not well-formed Unicode", e);
        }
    }

    /// <summary>
    /// Returns the value at a path such as <c>A.B</c> or <c>A[-1].B</c>; of alternatives (<c>||</c>) the first that is present.
    /// </summary>
    public static JsonElement? At(JsonElement page, string path)
    {
        foreach (var alternative in path.Split("||", StringSplitOptions.TrimEntries))
        {
            JsonElement? at = page;
            foreach (var step in alternative.Split('.'))
            {
                var last = step.EndsWith(Last, StringComparison.Ordinal);
                at = at is { ValueKind: JsonValueKind.Object } holder && holder.TryGetProperty(last ? step[..^Last.Length] : step, out var found)
                    ? found
                    : null;
                if (last)
                    at = at is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 0 ? list[list.GetArrayLength() - 1] : null;
            }
            if (at is { ValueKind: not JsonValueKind.Null })
                return at;
        }
        return null;
    }
}
