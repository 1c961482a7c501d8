using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Builds the ClusterRole with exactly the lists that operations need (https://kubernetes.io/docs/reference/access-authn-authz/rbac/).
/// </summary>
internal static class KubernetesPermissions
{
    private const string Name = "auditcli-reader";

    /// <param name="operations">The operations that are collected.</param>
    public static PermissionDocument Document(ImmutableArray<Operation> operations)
    {
        var resources = ImmutableArray.CreateBuilder<KubernetesResource>();
        var unmapped = ImmutableArray.CreateBuilder<UnmappedOperation>();
        var awsAuth = false;
        foreach (var name in operations.SelectMany(o => o.Reads).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            if (name == AwsAuth.Table.Name)
                awsAuth = true;
            else if (KubernetesResource.TryParse(name, out var resource, out var reason))
                resources.Add(resource);
            else
                unmapped.Add(new(name, reason));
        }
        var remarks = new PermissionRemarks(Notes(resources), [], unmapped.ToImmutable());
        return new("ClusterRole", remarks.Comments + Role(resources, awsAuth), remarks, HoldsRemarks: true);
    }

    private static ImmutableArray<string> Notes(IEnumerable<KubernetesResource> resources)
    {
        var notes = ImmutableArray.Create(
            $"use: kubectl apply -f FILE, then kubectl create clusterrolebinding {Name} --clusterrole={Name} --user=USER",
            "a run also asks the server for its own identity (selfsubjectreviews), "
                + "and what is served where a list is missing: by default every user may (system:basic-user, system:discovery), "
                + "and a refusal of the first has no effect");
        return resources.Any(r => r.IsMetadataOnly)
            ? notes.Add("AuditCli requests only the metadata of configmaps, but Kubernetes has no such permission: "
                + "whoever may list them may also read their data")
            : notes;
    }

    /// <summary>
    /// Returns one rule for each API group, and one for the configmap that is read by name. Rules do not depend on versions.
    /// </summary>
    private static string Role(IEnumerable<KubernetesResource> resources, bool awsAuth)
    {
        var rules = resources.GroupBy(r => r.Group, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g =>
            $"- apiGroups: [\"{g.Key}\"]\n"
            + $"  resources: [{string.Join(", ", g.Select(r => $"\"{r.Name}\"").Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))}]\n"
            + "  verbs: [\"list\"]\n").ToImmutableArray();
        if (awsAuth)
            rules = rules.Add("- apiGroups: [\"\"]\n  resources: [\"configmaps\"]\n  resourceNames: [\"aws-auth\"]\n  verbs: [\"get\"]\n");
        return $"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: {Name}\n"
            + $"rules:{(rules.IsEmpty ? " []" : "")}\n{string.Concat(rules)}";
    }
}
