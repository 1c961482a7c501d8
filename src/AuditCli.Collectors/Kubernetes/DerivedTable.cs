using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// A table that no single list of a cluster holds: it is made from several, page by page, so that a replay of the recorded lists
/// makes it again. It takes no parameters.
/// </summary>
/// <param name="Name">The name control authors write; it has no slash, so that no resource can have it.</param>
/// <param name="Reads">The lists it is made from, as operations.</param>
/// <param name="ReadAsync">
/// Its pages, each with the rows of the last list page that was read before it: that page's exchange is the one rows refer to.
/// </param>
internal sealed record DerivedTable(
    string Name,
    ImmutableArray<Column> Columns,
    ImmutableArray<KubernetesResource> Reads,
    Func<KubernetesSession, CancellationToken, IAsyncEnumerable<Page>> ReadAsync)
{
    /// <summary>Every one, by name in order.</summary>
    public static ImmutableArray<DerivedTable> All { get; } = [PodTemplates.Table, RbacEffective.Table];

    /// <summary>The table of that name, or null.</summary>
    public static DerivedTable? Find(string name) => All.FirstOrDefault(t => t.Name == name);
}
