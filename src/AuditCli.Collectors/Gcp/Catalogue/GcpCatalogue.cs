using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;

namespace AuditCli.Collectors.Gcp.Catalogue;

/// <summary>
/// The operations that may be called: the embedded files that <c>generate.py</c> writes, each read at the first use of its API.
/// </summary>
internal sealed class GcpCatalogue
{
    private const string Prefix = "Gcp/Catalogue/";
    private const string Suffix = ".json";
    private readonly ConcurrentDictionary<string, Lazy<ApiModel>> _apis = new(StringComparer.Ordinal);
    private readonly Assembly _assembly = typeof(GcpCatalogue).Assembly;

    /// <summary>The APIs that have a file, sorted.</summary>
    public ImmutableArray<string> ApiNames => [.. _assembly.GetManifestResourceNames()
        .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))
        .Select(n => n[Prefix.Length..^Suffix.Length])
        .Order(StringComparer.Ordinal)];

    /// <summary>Returns the API of that name; null if the catalogue has no file for it.</summary>
    public ApiModel? Api(string name)
    {
        var resource = Prefix + name + Suffix;
        return _assembly.GetManifestResourceInfo(resource) is null ? null : _apis.GetOrAdd(name, _ => new(() => Load(resource))).Value;
    }

    /// <summary>Finds <c>api:collection.method</c>; returns null if the catalogue does not contain it.</summary>
    public (ApiModel Api, OperationModel Operation)? Find(string name)
    {
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && Api(name[..colon]) is { } api && api.Operation(name[(colon + 1)..]) is { } operation ? (api, operation) : null;
    }

    private ApiModel Load(string resource)
    {
        using var stream = _assembly.GetManifestResourceStream(resource)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return ApiModel.Read(content);
    }
}
