using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// What a Kubernetes cluster offers, as plain data: the list of every resource, written <c>&lt;group&gt;/&lt;version&gt;/&lt;resource&gt;</c>, or
/// <c>v1/&lt;resource&gt;</c> for the core group. There is no catalogue, because clusters serve kinds nobody here knows; what may never
/// be asked is refused by rule. An operation that a cluster does not serve fails there as <c>NotServed</c>. A name without a slash is
/// that of a table made from others (<see cref="DerivedTable"/>).
/// </summary>
public static class KubernetesSource
{
    /// <summary>The word control and engagement authors write.</summary>
    public const string Name = "kubernetes";

    /// <summary>The word for what exists once for a cluster; Kubernetes has no regions.</summary>
    public const string GlobalRegion = "cluster";

    private const int MostSuggestions = 5;
    private const int MostSlips = 4;

    /// <summary>Every list takes these; page size and token are AuditCli's own.</summary>
    internal static ImmutableArray<OperationParameter> Parameters { get; } =
    [
        new("namespace", ColumnType.Text, false),
        new("labelSelector", ColumnType.Text, false),
        new("fieldSelector", ColumnType.Text, false),
    ];

    /// <summary>The source with its rule for operations; cheap, and shareable between threads.</summary>
    public static EvidenceSource Create() => new(
        Name,
        [
            new("context", TargetSettingForm.Text, false, []),
            new("kubeconfig", TargetSettingForm.File, false, []),
        ],
        name => DerivedTable.Find(name) is { } table ? Describe(table) : KubernetesResource.TryParse(name, out var resource, out _) ? Describe(resource) : null,
        Suggest);

    internal static Operation Describe(DerivedTable table) =>
        new(Name, table.Name, OperationScope.Global, [], table.Columns) { Reads = table.Reads.IsEmpty ? [table.Name] : [.. table.Reads.Select(r => r.ToString())] };

    internal static Operation Describe(KubernetesResource resource) =>
        new(Name, resource.ToString(), OperationScope.Global, Parameters, WellKnownResources.Columns(resource))
        {
            // Discovery was read and does not list it: a cluster without the resource has none of it.
            NotConfigured = [KubernetesFailures.NotServed],
            NotFound = KubernetesFailures.NotFound,
        };

    /// <summary>Tables and resources of the same name in whatever group was meant, and in any case why the one written was refused.</summary>
    private static ImmutableArray<string> Suggest(string name)
    {
        if (KubernetesResource.TryParse(name, out _, out var reason))
            return [];
        var words = name.ToLowerInvariant().Split('/', StringSplitOptions.RemoveEmptyEntries);
        string[] near =
        [
            .. WellKnownResources.Names
                .Where(known => words.Any(word => IsPlural(known.Split('/')[^1], word)))
                .Order(StringComparer.Ordinal)
                .Select(known => $"{known}: {reason}")
                .Concat(DerivedTable.All.Where(table => IsNear(table, name.ToLowerInvariant())).Select(table => $"{table.Name}: made from {(table.Reads.IsEmpty ? AwsAuth.Path : string.Join(", ", table.Reads))}"))
                .Take(MostSuggestions),
        ];
        return near.Length > 0 ? [.. near] : [$"{name} is refused: {reason}"];
    }

    /// <summary>Whether a table was meant: its name with a slip, or a list that it is made from.</summary>
    private static bool IsNear(DerivedTable table, string written) =>
        EditDistance.Between(table.Name, written) <= MostSlips || table.Name.Split('_').Contains(written)
        || table.Reads.Any(r => IsPlural(r.Name, written));

    private static bool IsPlural(string plural, string word) =>
        plural == word || plural == word + "s" || plural == word + "es" || word.EndsWith('y') && plural == word[..^1] + "ies";
}
