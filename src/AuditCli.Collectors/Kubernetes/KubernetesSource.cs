using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Describes the operations of a Kubernetes cluster as plain data: the list of every resource, written
/// <c>&lt;group&gt;/&lt;version&gt;/&lt;resource&gt;</c>, or <c>v1/&lt;resource&gt;</c> for the core group. There is no catalogue, because
/// clusters serve arbitrary custom kinds; what must never be requested is refused by rule. An operation that a cluster does not serve fails
/// with <c>NotServed</c>. A name without a slash is that of a table computed from lists (<see cref="DerivedTable"/>).
/// </summary>
public static class KubernetesSource
{
    /// <summary>The source name in controls and engagements.</summary>
    public const string Name = "kubernetes";

    /// <summary>The region name of every request; Kubernetes has no regions.</summary>
    public const string GlobalRegion = "cluster";

    private const int MostSuggestions = 5;
    private const int MostSlips = 4;

    /// <summary>The parameters of every list; page size and page token are set by AuditCli.</summary>
    internal static ImmutableArray<OperationParameter> Parameters { get; } =
    [
        new("namespace", ColumnType.Text, false),
        new("labelSelector", ColumnType.Text, false),
        new("fieldSelector", ColumnType.Text, false),
    ];

    /// <summary>Returns the source with its rule for operations; it is cheap to create and thread-safe.</summary>
    public static EvidenceSource Create() => new(
        Name,
        [
            new("context", TargetSettingForm.Text, false, []) { Description = "Context of the kubeconfig; its current context if omitted." },
            new("kubeconfig", TargetSettingForm.File, false, [])
            {
                Description = "The kubeconfig file, relative to the engagement's folder; kubectl's own rules if omitted.",
            },
        ],
        name => DerivedTable.Find(name) is { } table ? Describe(table)
            : KubernetesResource.TryParse(name, out var resource, out _) ? Describe(resource)
            : null,
        Suggest)
    {
        TargetDescription = "A cluster.",
        OperationDescription =
            "<group>/<version>/<resource>, or v1/<resource> for the core group, such as v1/pods; or a table: "
            + "rbac_effective, pod_templates, aws_auth.",
    };

    internal static Operation Describe(DerivedTable table) =>
        new(Name, table.Name, OperationScope.Global, [], table.Columns)
        {
            Reads = table.Reads.IsEmpty ? [table.Name] : [.. table.Reads.Select(r => r.ToString())],
        };

    internal static Operation Describe(KubernetesResource resource) =>
        new(Name, resource.ToString(), OperationScope.Global, Parameters, WellKnownResources.Columns(resource))
        {
            // Discovery was read and does not list the resource, so the cluster has no objects of it.
            NotConfigured = [KubernetesCodes.NotServed],
            NotFound = KubernetesCodes.NotFound,
        };

    /// <summary>Returns tables, and resources of the same name in any group; otherwise why the name was refused.</summary>
    private static ImmutableArray<string> Suggest(string name)
    {
        if (KubernetesResource.TryParse(name, out _, out var reason))
            return [];
        var words = name.ToLowerInvariant().Split(['/', ':'], StringSplitOptions.RemoveEmptyEntries);
        string[] near =
        [
            .. WellKnownResources.Names
                .Where(known => words.Any(word => IsPlural(known.Split('/')[^1], word)))
                .Order(StringComparer.Ordinal)
                .Select(known => $"{known}: {reason}")
                .Concat(DerivedTable.All.Where(table => IsNear(table, name.ToLowerInvariant()))
                    .Select(table => $"{table.Name}: made from {(table.Reads.IsEmpty ? AwsAuth.Path : string.Join(", ", table.Reads))}"))
                .Take(MostSuggestions),
        ];
        return near.Length > 0 ? [.. near] : [$"{name} is refused: {reason}"];
    }

    /// <summary>Whether the name is close to a table's: its name with typing errors, or a list that it is computed from.</summary>
    private static bool IsNear(DerivedTable table, string written) =>
        EditDistance.Between(table.Name, written) <= MostSlips || table.Name.Split('_').Contains(written)
        || table.Reads.Any(r => IsPlural(r.Name, written));

    private static bool IsPlural(string plural, string word) =>
        plural == word || plural == word + "s" || plural == word + "es" || word.EndsWith('y') && plural == word[..^1] + "ies";
}
