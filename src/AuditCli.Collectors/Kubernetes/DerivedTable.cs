using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// A table that is no list of a cluster's objects: it is made from several of them, page by page, or from the one object that may be
/// read by name. A replay of what was recorded makes it again. It takes no parameters.
/// </summary>
/// <param name="Name">The name control authors write; it has no slash, so that no resource can have it.</param>
/// <param name="Reads">The lists it is made from; none where it is made from one object.</param>
/// <param name="ReadAsync">
/// Its pages, each with the rows of the last answer that was read before it: that answer's exchange is the one rows refer to.
/// </param>
internal sealed record DerivedTable(
    string Name,
    ImmutableArray<Column> Columns,
    ImmutableArray<KubernetesResource> Reads,
    Func<KubernetesSession, CancellationToken, IAsyncEnumerable<Page>> ReadAsync)
{
    /// <summary>Every one, by name in order.</summary>
    public static ImmutableArray<DerivedTable> All { get; } = [AwsAuth.Table, PodTemplates.Table, RbacEffective.Table];

    /// <summary>The table of that name, or null.</summary>
    public static DerivedTable? Find(string name) => All.FirstOrDefault(t => t.Name == name);
}
