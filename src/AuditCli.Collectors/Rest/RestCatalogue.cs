using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;

namespace AuditCli.Collectors.Rest;

/// <summary>
/// The operations of one source that may be called: the embedded files of a folder, each read at the first use of its API. Thread-safe.
/// </summary>
/// <param name="folder">The folder below the project, such as <c>Gcp/Catalogue</c>.</param>
internal sealed class RestCatalogue(string folder)
{
    private const int MostSuggestions = 5;
    private const string Suffix = ".json";
    private readonly ConcurrentDictionary<string, Lazy<RestApi>> _apis = new(StringComparer.Ordinal);
    private readonly Assembly _assembly = typeof(RestCatalogue).Assembly;
    private readonly string _prefix = folder + "/";

    /// <summary>The APIs that have a file, sorted.</summary>
    public ImmutableArray<string> ApiNames => [.. _assembly.GetManifestResourceNames()
        .Where(n => n.StartsWith(_prefix, StringComparison.Ordinal))
        .Select(n => n[_prefix.Length..^Suffix.Length])
        .Order(StringComparer.Ordinal)];

    /// <summary>Returns the API of that name; null if the catalogue has no file for it.</summary>
    public RestApi? Api(string name)
    {
        var resource = _prefix + name + Suffix;
        return _assembly.GetManifestResourceInfo(resource) is null ? null : _apis.GetOrAdd(name, _ => new(() => Load(resource))).Value;
    }

    /// <summary>Finds <c>api:operation</c>; returns null if the catalogue does not contain it.</summary>
    public (RestApi Api, RestOperation Operation)? Find(string name)
    {
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && Api(name[..colon]) is { } api && api.Operation(name[(colon + 1)..]) is { } operation ? (api, operation) : null;
    }

    /// <summary>
    /// Returns names near one that was not found, best first, at most five; or the name itself and why it is refused.
    /// </summary>
    /// <param name="distance">Returns how far an operation of the catalogue is from the one that was written, without their APIs.</param>
    /// <param name="others">Further names, each with its distance.</param>
    public ImmutableArray<string> Suggest(string name, Func<string, string, int> distance, params ReadOnlySpan<(string Name, int Distance)> others)
    {
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        var (given, wanted) = (colon > 0 ? name[..colon] : "", name[(colon + 1)..]);
        if (colon > 0 && Api(given) is { } exact && exact.Refused.TryGetValue(wanted, out var reason))
            return [$"{name} is refused because {reason}"];
        return
        [
            .. ApiNames.Select(n => Api(n)!)
                .SelectMany(api => api.OperationNames.Select(o => (
                    Name: $"{api.Name}:{o}", Distance: (given.Length == 0 ? 1 : EditDistance.Between(api.Name, given)) + distance(o, wanted))))
                .Concat(others.ToArray())
                .Where(n => n.Distance <= Math.Max(2, name.Length / 3))
                .OrderBy(n => n.Distance).ThenBy(n => n.Name, StringComparer.Ordinal)
                .Take(MostSuggestions)
                .Select(n => n.Name),
        ];
    }

    private RestApi Load(string resource)
    {
        using var stream = _assembly.GetManifestResourceStream(resource)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return RestApi.Read(content);
    }
}
