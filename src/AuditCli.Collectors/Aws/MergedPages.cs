using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Joins the pages of one answer into one object, as the AWS CLI and boto3's paginators do: what grows from page to page is
/// joined, what is the same on every page is kept, and what only concerns paging is left out.
/// </summary>
internal sealed class MergedPages(OperationModel operation)
{
    private readonly Pager? _pager = operation.Pager;
    private readonly string[] _growing = operation.Pager switch
    {
        null => [],
        { Results.IsEmpty: true } => operation.Rows is { } rows ? [rows] : [],
        var pager => [.. pager.Results],
    };

    private JsonObject? _all;

    public void Add(JsonElement page)
    {
        var more = (JsonObject)JsonNode.Parse(page.GetRawText())!;
        if (_all is null)
        {
            _all = First(more);
            return;
        }
        foreach (var path in _growing)
        {
            if (Value(more, path) is not { } added)
                continue;
            if (Value(_all, path) is JsonArray joined && added is JsonArray elements)
            {
                foreach (var element in elements)
                    joined.Add(element?.DeepClone());
            }
            else if (Value(_all, path) is null)
                Put(_all, path, added);
        }
    }

    public JsonElement ToElement() => JsonSerializer.SerializeToElement(_all ?? []);

    private JsonObject First(JsonObject page)
    {
        if (_pager is null)
            return page;
        if (_pager.Results.IsEmpty)
        {
            foreach (var token in _pager.Outputs.Append(_pager.More).OfType<string>())
                page.Remove(token);
            return page;
        }
        var first = new JsonObject();
        foreach (var path in _pager.Kept.Concat(_growing))
        {
            if (Value(page, path) is { } value)
                Put(first, path, value);
        }
        return first;
    }

    private static JsonNode? Value(JsonObject root, string path) =>
        path.Split('.').Aggregate((JsonNode?)root, (at, step) => at is JsonObject members ? members[step] : null);

    private static void Put(JsonObject root, string path, JsonNode value)
    {
        var steps = path.Split('.');
        foreach (var step in steps[..^1])
        {
            if (root[step] is not JsonObject inner)
                root[step] = inner = [];
            root = inner;
        }
        root[steps[^1]] = value.DeepClone();
    }
}
