using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// What a Kubernetes cluster offers, as plain data: the list of every resource, written <c>&lt;group&gt;/&lt;version&gt;/&lt;resource&gt;</c>, or
/// <c>v1/&lt;resource&gt;</c> for the core group. There is no catalogue, because clusters serve kinds nobody here knows; what may never
/// be asked is refused by rule. An operation that a cluster does not serve fails there as <c>NotServed</c>.
/// </summary>
public static class KubernetesSource
{
    /// <summary>The word control and engagement authors write.</summary>
    public const string Name = "kubernetes";

    /// <summary>The word for what exists once for a cluster; Kubernetes has no regions.</summary>
    public const string GlobalRegion = "cluster";

    private const int MostSuggestions = 5;

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
        name => KubernetesResource.TryParse(name, out var resource, out _) ? Describe(resource) : null,
        Suggest);

    internal static Operation Describe(KubernetesResource resource) =>
        new(Name, resource.ToString(), OperationScope.Global, Parameters, WellKnownResources.Columns(resource));

    /// <summary>Resources of the same name in whatever group was meant, and why the one written was refused.</summary>
    private static ImmutableArray<string> Suggest(string name)
    {
        if (KubernetesResource.TryParse(name, out _, out var reason))
            return [];
        if (name.Split('/')[^1] is "secrets" or "secret")
            return [$"v1/serviceaccounts: {reason}"];
        var words = name.ToLowerInvariant().Split('/', StringSplitOptions.RemoveEmptyEntries);
        return
        [
            .. WellKnownResources.Names
                .Where(known => words.Any(word => IsPlural(known.Split('/')[^1], word)))
                .Order(StringComparer.Ordinal)
                .Take(MostSuggestions)
                .Select(known => $"{known}: {reason}"),
        ];
    }

    private static bool IsPlural(string plural, string word) =>
        plural == word || plural == word + "s" || plural == word + "es" || word.EndsWith('y') && plural == word[..^1] + "ies";
}
