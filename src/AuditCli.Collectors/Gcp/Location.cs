using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Collectors.Rest;

namespace AuditCli.Collectors.Gcp;

/// <summary>
/// Determines the location whose host serves a request (<c>https://europe-west1-aiplatform.googleapis.com</c>). A location is an id, so that
/// none can lead to another host, and it is the one that the path names, because another location's host answers for its own.
/// </summary>
internal static partial class Location
{
    /// <summary>The parameter, and its word in templates.</summary>
    public const string Parameter = "location";

    /// <summary>Returns why a text cannot be a location, as the end of a sentence; null if it can.</summary>
    public static string? WhyNot(string text) => Form.IsMatch(text) ? null : $"is '{text}', and must be a location such as europe-west1";

    /// <summary>Returns the location of a request: the one that is given, else the one that a name in the path has; null for the API's own host.</summary>
    /// <exception cref="CollectionException">There is none, it is no location, or a name is about another one.</exception>
    public static string? Of(RestApi api, RestOperation operation, IEnumerable<KeyValuePair<string, JsonElement>> given)
    {
        if (operation.Host is null)
            return null;
        var texts = given.Where(p => p.Value.ValueKind == JsonValueKind.String).ToImmutableDictionary(p => p.Key, p => p.Value.GetString()!);
        var named = texts.Where(p => operation.Parameter(p.Key)?.Place == ParameterPlace.Path)
            .Select(p => (p.Key, Location: InPath(p.Value))).FirstOrDefault(p => p.Location is not null && p.Location != Word);
        var location = texts.GetValueOrDefault(Parameter) ?? named.Location
            ?? throw Invalid(api, operation, $"needs the parameter {Parameter}, because each location has a host of its own");
        if (WhyNot(location) is { } why)
            throw Invalid(api, operation, $"{Parameter} {why}");
        return named.Location is null || named.Location == location
            ? location
            : throw Invalid(api, operation, $"{named.Key} is about {named.Location}, but {Parameter} is {location}");
    }

    /// <summary>The word in templates and fills that stands for the location.</summary>
    public const string Word = "{" + Parameter + "}";

    /// <summary>Returns the location that a resource's name has; null if it has none.</summary>
    public static string? InPath(string path) => path.Split('/') is var parts && Array.IndexOf(parts, "locations") is >= 0 and var at && at + 1 < parts.Length
        ? Uri.UnescapeDataString(parts[at + 1])
        : null;

    private static CollectionException Invalid(RestApi api, RestOperation operation, string what) =>
        new(Codes.InvalidParameter, $"{api.Name}:{operation.Name}: {what}");

    [GeneratedRegex(@"\A(?=.{2,40}\z)[a-z][a-z0-9]*(?:-[a-z0-9]+)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form { get; }
}
