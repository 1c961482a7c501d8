using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// A table that is not a list of a cluster's objects: it is computed page by page from several lists, or from the only object that may be
/// read by name. A replay computes it again from the recorded exchanges. It has no parameters.
/// </summary>
/// <param name="Name">The name in controls; it has no slash, so that it cannot be the name of a resource.</param>
/// <param name="Reads">The lists from which it is computed; none if it is computed from one object.</param>
/// <param name="ReadAsync">
/// Yields its pages, each with the rows of the last response read before it: rows refer to the exchange of that response.
/// </param>
internal sealed record DerivedTable(
    string Name,
    ImmutableArray<Column> Columns,
    ImmutableArray<KubernetesResource> Reads,
    Func<KubernetesSession, CancellationToken, IAsyncEnumerable<Page>> ReadAsync)
{
    /// <summary>Every derived table, sorted by name.</summary>
    public static ImmutableArray<DerivedTable> All { get; } = [AwsAuth.Table, PodTemplates.Table, RbacEffective.Table];

    /// <summary>Returns the table of that name; null if there is none.</summary>
    public static DerivedTable? Find(string name) => All.FirstOrDefault(t => t.Name == name);
}
