using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws;

/// <summary>Joins the pages of one answer into one object.</summary>
internal sealed class MergedPages(OperationModel operation)
{
    private readonly string[] _growing = operation.Pager is null ? [] : operation.Rows is { } rows ? [rows] : [.. operation.Pager.Results];
    private JsonObject? _all;

    public void Add(JsonElement page)
    {
        var more = (JsonObject)JsonNode.Parse(page.GetRawText())!;
        foreach (var token in operation.Pager?.Outputs ?? [])
        {
            // A dotted token stands inside what is joined.
            if (Holder(more, token.Split("||")[0].Trim()) is var (holder, name))
                holder.Remove(name);
        }
        if (operation.Pager?.More is { } flag)
            more.Remove(flag);
        if (_all is null)
        {
            _all = more;
            return;
        }
        foreach (var path in _growing)
        {
            if (Holder(more, path) is not var (source, name) || source[name] is not { } added)
                continue;
            if (Holder(_all, path) is var (target, _) && target[name] is JsonArray list && added is JsonArray elements)
            {
                foreach (var element in elements)
                    list.Add(element?.DeepClone());
            }
            else if (Holder(_all, path) is var (absent, _) && absent[name] is null)
                absent[name] = added.DeepClone();
        }
    }

    public JsonElement ToElement() => JsonSerializer.SerializeToElement(_all ?? []);

    private static (JsonObject Holder, string Name)? Holder(JsonObject root, string path)
    {
        var steps = path.Split('.');
        JsonNode? at = root;
        foreach (var step in steps[..^1])
            at = (at as JsonObject)?[step];
        return at is JsonObject holder ? (holder, steps[^1]) : null;
    }
}
