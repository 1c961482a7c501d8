using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Holds every role of a cluster with its permissions. An aggregated ClusterRole allows what its object lists and what all ClusterRoles
/// allow that its selectors match, including those that are aggregated themselves.
/// </summary>
/// <remarks>
/// A controller of the cluster writes the selected rules into the object; rules that it has not written yet are already included here.
/// </remarks>
internal sealed class RbacRoles
{
    private readonly HashSet<bool> _partial = [];
    private readonly Dictionary<string, ImmutableArray<RbacGrant>> _own = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, (ImmutableDictionary<string, string> Labels, ImmutableArray<LabelSelector> Chooses)>
        _clusterRoles = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ImmutableArray<RbacGrant>> _effective = new(StringComparer.Ordinal);

    /// <summary>Records that the list of roles of this kind was not read completely.</summary>
    public void MarkPartial(bool clusterWide) => _partial.Add(clusterWide);

    /// <summary>Whether a role of this kind that was not found may nevertheless exist.</summary>
    public bool IsPartial(bool clusterWide) => _partial.Contains(clusterWide);

    /// <summary>Returns the name of a role: <c>ClusterRole/&lt;name&gt;</c> or <c>Role/&lt;namespace&gt;/&lt;name&gt;</c>.</summary>
    public static string Key(string kind, string? ns, string name) => ns is null ? $"{kind}/{name}" : $"{kind}/{ns}/{name}";

    /// <exception cref="FormatException">The object does not conform to the API's definition of a role.</exception>
    public void Add(JsonElement role, bool clusterWide)
    {
        var metadata = Members.Of(role, "metadata");
        if (JsonMember.Text(metadata, "name") is not { } name)
            throw new FormatException("it has no name");
        var key = clusterWide ? Key("ClusterRole", null, name) : Key("Role", JsonMember.Text(metadata, "namespace"), name);
        Members.CheckNames(role, "rules", "aggregationRule");
        Members.CheckNames(Members.Of(role, "aggregationRule"), "clusterRoleSelectors");
        _own[key] = [.. RbacRules.Grants(role).Distinct()];
        if (clusterWide)
            _clusterRoles[key] = (
                LabelSelector.Labels(Members.Of(metadata, "labels")),
                [.. Members.Objects(Members.Of(role, "aggregationRule"), "clusterRoleSelectors").Select(LabelSelector.Read)]);
    }

    /// <summary>Returns the permissions of a role, each once; null if the role does not exist.</summary>
    public ImmutableArray<RbacGrant>? Grants(string key)
    {
        if (!_own.TryGetValue(key, out var own))
            return null;
        if (!_clusterRoles.TryGetValue(key, out var role) || role.Chooses.IsEmpty)
            return own;
        ref var effective = ref CollectionsMarshal.GetValueRefOrAddDefault(_effective, key, out var known);
        return known ? effective : effective = [.. Reached(key).SelectMany(k => _own[k]).Distinct()];
    }

    /// <summary>Returns the role and every ClusterRole from which it takes rules, each once, even if they select each other.</summary>
    private List<string> Reached(string key)
    {
        var reached = new List<string> { key };
        var seen = new HashSet<string>(StringComparer.Ordinal) { key };
        for (var at = 0; at < reached.Count; at++)
        {
            var chooses = _clusterRoles[reached[at]].Chooses;
            if (!chooses.IsEmpty)
                reached.AddRange(_clusterRoles.Where(r => chooses.Any(s => s.Matches(r.Value.Labels)) && seen.Add(r.Key)).Select(r => r.Key));
        }
        return reached;
    }
}
