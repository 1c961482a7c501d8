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

    private RestApi Load(string resource)
    {
        using var stream = _assembly.GetManifestResourceStream(resource)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return RestApi.Read(content);
    }
}
