using System.Collections.Frozen;
using System.Text.Json;

namespace AuditCli.Collectors.Aws.Catalogue;

/// <summary>
/// The endpoint form that most services use in each AWS partition, <c>https://name[-fips].region.suffix</c>. A service's file holds only
/// the exceptions.
/// </summary>
internal sealed class PartitionRules
{
    private readonly FrozenDictionary<string, Partition> _partitions;

    private PartitionRules(FrozenDictionary<string, Partition> partitions) => _partitions = partitions;

    /// <summary>Reads the catalogue's partition file.</summary>
    public static PartitionRules Read(Stream json)
    {
        using var document = JsonDocument.Parse(json);
        return new(document.RootElement.EnumerateObject().ToFrozenDictionary(p => p.Name, p => new Partition(
            p.Value.GetProperty("suffix").GetString()!, p.Value.GetProperty("dual_stack_suffix").GetString()!,
            p.Value.GetProperty("fips").GetBoolean(), p.Value.GetProperty("dual_stack").GetBoolean()), StringComparer.Ordinal));
    }

    /// <summary>Returns the URL for the given kind of endpoint; null if the partition is unknown or has none.</summary>
    public string? Usual(string endpointPrefix, string partition, string region, bool fips, bool dualStack) =>
        _partitions.TryGetValue(partition, out var known) && (known.Fips || !fips) && (known.DualStack || !dualStack)
            ? $"https://{endpointPrefix}{(fips ? "-fips" : "")}.{region}.{(dualStack ? known.DualStackSuffix : known.Suffix)}"
            : null;

    private sealed record Partition(string Suffix, string DualStackSuffix, bool Fips, bool DualStack);
}
