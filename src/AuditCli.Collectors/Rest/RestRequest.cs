using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Rest;

/// <summary>Writes parameters into the path, query and body of a request; equal parameters always give the same request.</summary>
internal static class RestRequest
{
    /// <summary>
    /// Returns the parameters as they will be sent: checked, with the place inserted where required, and with the catalogue's defaults
    /// for parameters that the control does not give.
    /// </summary>
    /// <param name="places">What replaces words in parameters; none for an API without such words.</param>
    /// <exception cref="CollectionException">
    /// A parameter is unknown, missing or of another type, leads to another path than the operation's, or needs a place and there is none.
    /// </exception>
    public static ImmutableSortedDictionary<string, JsonElement> Complete(
        RestApi api, RestOperation operation, IEnumerable<KeyValuePair<string, JsonElement>> given, params ImmutableArray<RestPlace> places)
    {
        var what = $"{api.Name}:{operation.Name}";
        var all = ImmutableSortedDictionary.CreateBuilder<string, JsonElement>(StringComparer.Ordinal);
        foreach (var (name, value) in given)
        {
            if (operation.Pager is { } pager && (name == pager.To && name.Length > 0 || pager.Own.Contains(name)))
                throw new CollectionException(Codes.InvalidParameter, $"{what}: {name} is set by AuditCli, which reads every page");
            var parameter = operation.Parameter(name) ?? throw new CollectionException(Codes.InvalidParameter, $"{what} has no parameter {name}");
            if (!Fits(parameter, value))
            {
                throw new CollectionException(
                    Codes.InvalidParameter, $"{what}: {name} is not of type {parameter.Type.ToString().ToLowerInvariant()}");
            }
            if (operation.Pager?.Size == name && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var size) && size < 1)
                throw new CollectionException(Codes.InvalidParameter, $"{what}: {name} is {size}; a page has at least one row");
            all[name] = WithPlaces(what, name, Ended(parameter, value), places);
        }
        foreach (var parameter in operation.Parameters.Where(p => !all.ContainsKey(p.Name)))
        {
            if (parameter.Fill is { } fill)
            {
                using var document = JsonDocument.Parse(fill);
                all[parameter.Name] = WithPlaces(what, parameter.Name, document.RootElement, places);
            }
            else if (parameter.Required)
                throw new CollectionException(Codes.InvalidParameter, $"{what} needs the parameter {parameter.Name}");
        }
        // Check the path after the place was inserted.
        foreach (var (name, value) in all.Where(p => operation.Parameter(p.Key)!.Place == ParameterPlace.Path && p.Value.ValueKind == JsonValueKind.String))
        {
            if (PathSegments.WhyNot(value.GetString()!) is { } why)
                throw new CollectionException(Codes.InvalidParameter, $"{what}: {name} {why}");
        }
        return all.ToImmutable();
    }

    /// <summary>Whether the parameters name the place, so that the request differs from that of every other place.</summary>
    public static bool Names(ImmutableSortedDictionary<string, JsonElement> parameters, string place) => parameters.Values.Any(v => v.ValueKind switch
    {
        JsonValueKind.String => Mentions(v.GetString()!, place),
        JsonValueKind.Array => v.EnumerateArray().Any(e => e.ValueKind == JsonValueKind.String && Mentions(e.GetString()!, place)),
        _ => false,
    });

    /// <summary>Returns the request for one page.</summary>
    /// <param name="parameters">The result of <see cref="Complete"/>.</param>
    /// <param name="next">What the page before said about this one; null for the first page.</param>
    public static HttpRequestMessage Write(
        Uri baseAddress, RestOperation operation, ImmutableSortedDictionary<string, JsonElement> parameters, NextPage? next)
    {
        var inBody = next is { Parameter: not null } && operation.Pager!.Place == ParameterPlace.Body;
        var at = Placed(operation, parameters, ParameterPlace.Query)
            .Where(p => p.Key != next?.Parameter)
            .SelectMany(p => Values(p.Value).Select(v => (p.Key, Value: v)));
        if (next is { Parameter: { } parameter } && !inBody)
            at = at.Append((parameter, next.Value));
        var query = next is { Parameter: null }
            ? next.Value
            : string.Join('&', at.Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}"));
        var request = new HttpRequestMessage(
            new(operation.Method), new Uri(baseAddress, Path(operation, parameters) + (query.Length == 0 ? "" : "?" + query)));
        if (operation.Method == HttpMethod.Post.Method)
        {
            var body = new JsonObject(Placed(operation, parameters, ParameterPlace.Body)
                .Select(p => KeyValuePair.Create(p.Key, JsonNode.Parse(p.Value.GetRawText()))));
            if (inBody)
                body[next!.Parameter!] = next.Value;
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body.ToJsonString()));
            request.Content.Headers.ContentType = new("application/json");
        }
        return request;
    }

    private static IEnumerable<KeyValuePair<string, JsonElement>> Placed(
        RestOperation operation, ImmutableSortedDictionary<string, JsonElement> parameters, ParameterPlace place) =>
        parameters.Where(p => operation.Parameter(p.Key)!.Place == place);

    private static string Path(RestOperation operation, ImmutableSortedDictionary<string, JsonElement> parameters)
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

    /// <summary>Returns the texts that a parameter has in a query, one for each element of a list.</summary>
    internal static IEnumerable<string> Values(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select(JsonMember.TextOrRaw) : [JsonMember.TextOrRaw(value)];

    private static bool Fits(RestParameter parameter, JsonElement value) => parameter.Type switch
    {
        ColumnType.Text or ColumnType.Timestamp => value.ValueKind == JsonValueKind.String,
        ColumnType.Integer => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        ColumnType.Double => value.ValueKind == JsonValueKind.Number,
        ColumnType.Boolean => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        // A query can hold only a list of texts.
        _ => parameter.Place == ParameterPlace.Body || value.ValueKind == JsonValueKind.Array,
    };

    private static JsonElement Ended(RestParameter parameter, JsonElement value) =>
        parameter.Ending is { } ending && value.ValueKind == JsonValueKind.String && !value.GetString()!.EndsWith(ending, StringComparison.Ordinal)
            ? JsonSerializer.SerializeToElement(value.GetString() + ending)
            : value;

    private static JsonElement WithPlaces(string what, string name, JsonElement value, ImmutableArray<RestPlace> places) =>
        places.Aggregate(value.Clone(), (with, place) => WithPlace(what, name, with, place));

    private static JsonElement WithPlace(string what, string name, JsonElement value, RestPlace p) => value.ValueKind switch
    {
        JsonValueKind.String when value.GetString()!.Contains(p.Word, StringComparison.Ordinal) => p.Value.Length > 0
            ? JsonSerializer.SerializeToElement(value.GetString()!.Replace(p.Word, p.Value, StringComparison.Ordinal))
            : throw new CollectionException(
                Codes.InvalidParameter,
                $"{what} would be called with {name}={value.GetString()}, but no {p.Kind} is named; name the {p.Kind}, or give {name}"),
        JsonValueKind.Array => JsonSerializer.SerializeToElement(value.EnumerateArray().Select(e => WithPlace(what, name, e, p)).ToArray()),
        _ => value,
    };

    private static bool Mentions(string text, string place) => text.Split('/').Contains(place, StringComparer.Ordinal);
}

/// <summary>What replaces a word in parameters, such as <c>{project}</c>.</summary>
/// <param name="Value">The account of the connection; empty if the request has none.</param>
internal readonly record struct RestPlace(string Word, string Value)
{
    /// <summary>The word for people: <c>project</c>.</summary>
    public string Kind => Word.Trim('{', '}');
}

/// <summary>What a page says about the next one.</summary>
/// <param name="Parameter">The parameter to send; null if <paramref name="Value"/> is the whole query of the next request.</param>
internal sealed record NextPage(string? Parameter, string Value);
