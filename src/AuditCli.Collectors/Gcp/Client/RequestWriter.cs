using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Gcp.Catalogue;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Gcp.Client;

/// <summary>Writes parameters into the path, query and body of a request; equal parameters always give the same request.</summary>
internal static class RequestWriter
{
    private const string ProjectWord = "{project}";

    /// <summary>The parameter that asks for the next page.</summary>
    public const string TokenParameter = "pageToken";

    /// <summary>
    /// Returns the parameters as they will be sent: checked, with the project inserted where required, and with the catalogue's defaults
    /// for parameters that the control does not give.
    /// </summary>
    /// <param name="project">The project; empty if there is none.</param>
    /// <exception cref="CollectionException">
    /// A parameter is unknown, missing or of another type, leads to another path than the operation's, or needs a project and there is
    /// none.
    /// </exception>
    public static ImmutableSortedDictionary<string, JsonElement> Complete(
        ApiModel api, OperationModel operation, IEnumerable<KeyValuePair<string, JsonElement>> given, string project)
    {
        var what = $"{api.Name}:{operation.Name}";
        var all = ImmutableSortedDictionary.CreateBuilder<string, JsonElement>(StringComparer.Ordinal);
        foreach (var (name, value) in given)
        {
            if (name == TokenParameter && operation.Token is not null)
                throw new CollectionException(Codes.InvalidParameter, $"{what}: {name} is set by AuditCli, which reads every page");
            var parameter = operation.Parameter(name) ?? throw new CollectionException(Codes.InvalidParameter, $"{what} has no parameter {name}");
            if (!Fits(parameter, value))
            {
                throw new CollectionException(
                    Codes.InvalidParameter, $"{what}: {name} is not of type {parameter.Type.ToString().ToLowerInvariant()}");
            }
            all[name] = WithProject(what, name, value, project);
        }
        foreach (var parameter in operation.Parameters.Where(p => !all.ContainsKey(p.Name)))
        {
            if (parameter.Fill is { } fill)
            {
                using var document = JsonDocument.Parse(fill);
                all[parameter.Name] = WithProject(what, parameter.Name, document.RootElement, project);
            }
            else if (parameter.Required)
                throw new CollectionException(Codes.InvalidParameter, $"{what} needs the parameter {parameter.Name}");
        }
        // Check the path after the project was inserted.
        foreach (var (name, value) in all.Where(p => operation.Parameter(p.Key)!.Place == ParameterPlace.Path && p.Value.ValueKind == JsonValueKind.String))
        {
            if (PathSegments.WhyNot(value.GetString()!) is { } why)
                throw new CollectionException(Codes.InvalidParameter, $"{what}: {name} {why}");
        }
        return all.ToImmutable();
    }

    /// <summary>Whether the parameters name the project, so that the request differs from that of every other project.</summary>
    public static bool Names(ImmutableSortedDictionary<string, JsonElement> parameters, string project) => parameters.Values.Any(v => v.ValueKind switch
    {
        JsonValueKind.String => Mentions(v.GetString()!, project),
        JsonValueKind.Array => v.EnumerateArray().Any(e => e.ValueKind == JsonValueKind.String && Mentions(e.GetString()!, project)),
        _ => false,
    });

    /// <summary>Returns the request for one page.</summary>
    /// <param name="parameters">The result of <see cref="Complete"/>.</param>
    public static HttpRequestMessage Write(Uri baseAddress, OperationModel operation, ImmutableSortedDictionary<string, JsonElement> parameters, string? token)
    {
        var at = Placed(operation, parameters, ParameterPlace.Query).SelectMany(p => Values(p.Value).Select(v => (p.Key, Value: v)));
        if (token is not null && operation.Token == ParameterPlace.Query)
            at = at.Append((TokenParameter, token));
        var query = string.Join('&', at.Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}"));
        var request = new HttpRequestMessage(
            new(operation.Method), new Uri(baseAddress, Path(operation, parameters) + (query.Length == 0 ? "" : "?" + query)));
        if (operation.Method == HttpMethod.Post.Method)
        {
            var body = new JsonObject(Placed(operation, parameters, ParameterPlace.Body)
                .Select(p => KeyValuePair.Create(p.Key, JsonNode.Parse(p.Value.GetRawText()))));
            if (token is not null && operation.Token == ParameterPlace.Body)
                body[TokenParameter] = token;
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body.ToJsonString()));
            request.Content.Headers.ContentType = new("application/json");
        }
        return request;
    }

    private static IEnumerable<KeyValuePair<string, JsonElement>> Placed(
        OperationModel operation, ImmutableSortedDictionary<string, JsonElement> parameters, ParameterPlace place) =>
        parameters.Where(p => operation.Parameter(p.Key)!.Place == place);

    private static string Path(OperationModel operation, ImmutableSortedDictionary<string, JsonElement> parameters)
    {
        var path = new StringBuilder();
        foreach (var part in operation.Path.Split('{'))
        {
            var end = part.IndexOf('}', StringComparison.Ordinal);
            if (end < 0)
            {
                path.Append(part);
                continue;
            }
            var several = part[0] == '+';
            var value = JsonMember.TextOrRaw(parameters[part[(several ? 1 : 0)..end]]);
            path.Append(several ? string.Join('/', value.Split('/').Select(Uri.EscapeDataString)) : Uri.EscapeDataString(value)).Append(part[(end + 1)..]);
        }
        return path.ToString();
    }

    private static IEnumerable<string> Values(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select(JsonMember.TextOrRaw) : [JsonMember.TextOrRaw(value)];

    private static bool Fits(ParameterModel parameter, JsonElement value) => parameter.Type switch
    {
        ColumnType.Text or ColumnType.Timestamp => value.ValueKind == JsonValueKind.String,
        ColumnType.Integer => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        ColumnType.Double => value.ValueKind == JsonValueKind.Number,
        ColumnType.Boolean => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        // A query can hold only a list of texts.
        _ => parameter.Place == ParameterPlace.Body || value.ValueKind == JsonValueKind.Array,
    };

    private static JsonElement WithProject(string what, string name, JsonElement value, string project) => value.ValueKind switch
    {
        JsonValueKind.String when value.GetString()!.Contains(ProjectWord, StringComparison.Ordinal) => project.Length > 0
            ? JsonSerializer.SerializeToElement(value.GetString()!.Replace(ProjectWord, project, StringComparison.Ordinal))
            : throw new CollectionException(
                Codes.InvalidParameter,
                $"{what} would be called with {name}={value.GetString()}, but no project is named; name the project, or give {name}"),
        JsonValueKind.Array => JsonSerializer.SerializeToElement(value.EnumerateArray().Select(e => WithProject(what, name, e, project)).ToArray()),
        _ => value.Clone(),
    };

    private static bool Mentions(string text, string project) => text.Split('/').Contains(project, StringComparer.Ordinal);
}
