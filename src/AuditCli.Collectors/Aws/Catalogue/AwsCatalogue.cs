using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;

namespace AuditCli.Collectors.Aws.Catalogue;

/// <summary>
/// The operations that may be called: the embedded files that <c>generate.py</c> writes, each read at the first use of its service.
/// </summary>
internal sealed class AwsCatalogue
{
    private const string Prefix = "Aws/Catalogue/Services/";
    private const string Suffix = ".json";
    private readonly ConcurrentDictionary<string, Lazy<ServiceModel>> _services = new(StringComparer.Ordinal);
    private readonly Assembly _assembly = typeof(AwsCatalogue).Assembly;
    private readonly Lazy<PartitionRules> _partitions = new(() =>
    {
        using var stream = typeof(AwsCatalogue).Assembly.GetManifestResourceStream("Aws/Catalogue/partitions.json")!;
        return PartitionRules.Read(stream);
    });

    /// <summary>The services that have a file, sorted.</summary>
    public ImmutableArray<string> ServiceNames => [.. _assembly.GetManifestResourceNames()
        .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))
        .Select(n => n[Prefix.Length..^Suffix.Length])
        .Order(StringComparer.Ordinal)];

    /// <summary>Returns the service of that name; null if the catalogue has no file for it.</summary>
    public ServiceModel? Service(string name)
    {
        var resource = Prefix + name + Suffix;
        if (_assembly.GetManifestResourceInfo(resource) is null)
            return null;
        return _services.GetOrAdd(name, _ => new(() => Load(resource))).Value;
    }

    /// <summary>Finds <c>service:Operation</c>; returns null if the catalogue does not contain it.</summary>
    public (ServiceModel Service, OperationModel Operation)? Find(string name)
    {
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && Service(name[..colon]) is { } service && service.Operation(name[(colon + 1)..]) is { } operation
            ? (service, operation)
            : null;
    }

    private ServiceModel Load(string resource)
    {
        using var stream = _assembly.GetManifestResourceStream(resource)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return ServiceModel.Read(content, _partitions);
    }
}
