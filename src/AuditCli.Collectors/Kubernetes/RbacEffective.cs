using System.Runtime.CompilerServices;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Reads who may do what, and through which binding: each binding with each of its subjects and each permission of its role.
/// </summary>
/// <remarks>
/// Follows "Using RBAC Authorization" of the Kubernetes documentation. All roles are held in memory, bindings only by page. Every binding
/// has at least one row for each subject, and one row if it has no subjects: if nothing is granted, because the role is empty or does not
/// exist, the verb is null. If a list of roles was not read completely, a role that was not found may exist, so <c>role_missing</c> is null
/// too. A RoleBinding grants only in its own namespace, and never a non-resource URL.
/// </remarks>
internal static class RbacEffective
{
    private const string Group = "rbac.authorization.k8s.io";

    /// <summary>The divisor of the page size for bindings: one binding may produce hundreds of rows, which are held together.</summary>
    private const int BindingsShare = 10;

    private static readonly KubernetesResource ClusterRoles = new(Group, "v1", "clusterroles");
    private static readonly KubernetesResource Roles = new(Group, "v1", "roles");
    private static readonly KubernetesResource ClusterRoleBindings = new(Group, "v1", "clusterrolebindings");
    private static readonly KubernetesResource RoleBindings = new(Group, "v1", "rolebindings");

    public static DerivedTable Table { get; } = new(
        "rbac_effective",
        [
            new("subject_kind", ColumnType.Text), new("subject", ColumnType.Text), new("verb", ColumnType.Text), new("api_group", ColumnType.Text),
            new("resource", ColumnType.Text), new("resource_name", ColumnType.Text), new("non_resource_url", ColumnType.Text),
            new("namespace", ColumnType.Text), new("via", ColumnType.Text), new("role", ColumnType.Text), new("role_missing", ColumnType.Boolean),
        ],
        [ClusterRoles, Roles, ClusterRoleBindings, RoleBindings],
        ReadAsync);

    private static async IAsyncEnumerable<Page> ReadAsync(KubernetesSession session, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var roles = new RbacRoles();
        foreach (var resource in new[] { ClusterRoles, Roles })
        {
            await foreach (var (list, failure) in session.PartsOrFailureAsync(resource, share: 1, cancellationToken))
            {
                var unread = failure is null ? Add(roles, resource, list) : [failure];
                foreach (var one in unread)
                {
                    roles.MarkPartial(clusterWide: resource == ClusterRoles);
                    yield return Page.Without(one);
                }
            }
        }
        foreach (var resource in new[] { ClusterRoleBindings, RoleBindings })
        {
            await foreach (var (list, failure) in session.PartsOrFailureAsync(resource, BindingsShare, cancellationToken))
            {
                var pages = failure is null
                    ? PageRows.Of(resource, list, (rows, i, binding) => Add(rows, i, binding, clusterWide: resource == ClusterRoleBindings, roles))
                    : [Page.Without(failure)];
                foreach (var page in pages)
                    yield return page;
            }
        }
    }

    /// <summary>Adds the roles of a page, and returns a failure for each role that cannot be read.</summary>
    private static List<CollectionException> Add(RbacRoles roles, KubernetesResource resource, JsonElement list)
    {
        var failures = new List<CollectionException>();
        foreach (var role in ObjectRows.Items(list))
        {
            try
            {
                roles.Add(role, clusterWide: resource == ClusterRoles);
            }
            catch (FormatException e)
            {
                failures.Add(ObjectRows.Unreadable(resource, role, e));
            }
        }
        return failures;
    }

    private static void Add(PageRows rows, int item, JsonElement binding, bool clusterWide, RbacRoles roles)
    {
        var metadata = Members.Of(binding, "metadata");
        var ns = clusterWide ? null : JsonMember.Text(metadata, "namespace") ?? throw new FormatException("it has no namespace");
        var via = RbacRoles.Key(
            clusterWide ? "ClusterRoleBinding" : "RoleBinding", ns, JsonMember.Text(metadata, "name") ?? throw new FormatException("it has no name"));
        Members.CheckNames(binding, "roleRef", "subjects");
        var reference = Members.Of(binding, "roleRef");
        if ((JsonMember.Text(reference, "kind"), JsonMember.Text(reference, "name")) is not (("ClusterRole" or "Role") and var kind, { } name))
            throw new FormatException("its roleRef names no role");
        var role = RbacRoles.Key(kind, kind == "Role" ? ns : null, name);
        var found = roles.Grants(role);
        var grants = (found ?? []).Where(g => clusterWide || g.NonResourceUrl is null).Select(g => (RbacGrant?)g).DefaultIfEmpty().ToList();
        foreach (var (subjectKind, subject) in Members.Objects(binding, "subjects").Select(s => Subject(s, ns)).Distinct().DefaultIfEmpty())
        {
            // A subject that cannot exist is granted nothing.
            foreach (var grant in subject is null ? [null] : grants)
            {
                rows.Add(item, writer => Write(
                    writer, subjectKind, subject, grant, ns, via, role,
                    found is not null ? false : roles.IsPartial(clusterWide: kind == "ClusterRole") ? null : true));
            }
        }
    }

    /// <summary>
    /// Returns the subject with the name that the API server uses for a caller. A service account without a namespace belongs to the
    /// binding's namespace; the name is null if the binding has none.
    /// </summary>
    private static (string? Kind, string? Name) Subject(JsonElement subject, string? bindingNamespace)
    {
        Members.CheckNames(subject, "kind", "name", "namespace");
        var (kind, name) = (JsonMember.Text(subject, "kind"), JsonMember.Text(subject, "name"));
        if (kind is null || name is null)
            throw new FormatException("a subject has no kind or no name");
        if (kind != "ServiceAccount")
            return (kind, name);
        var ns = JsonMember.Text(subject, "namespace") is { Length: > 0 } own ? own : bindingNamespace;
        return (kind, ns is null ? null : $"system:serviceaccount:{ns}:{name}");
    }

    private static void Write(Utf8JsonWriter writer, string? kind, string? subject, RbacGrant? grant, string? ns, string via, string role, bool? roleMissing)
    {
        writer.WriteString("subject_kind", kind);
        writer.WriteString("subject", subject);
        writer.WriteString("verb", grant?.Verb);
        writer.WriteString("api_group", grant?.ApiGroup);
        writer.WriteString("resource", grant?.Resource);
        writer.WriteString("resource_name", grant?.ResourceName);
        writer.WriteString("non_resource_url", grant?.NonResourceUrl);
        writer.WriteString("namespace", ns);
        writer.WriteString("via", via);
        writer.WriteString("role", role);
        if (roleMissing is { } missing)
            writer.WriteBoolean("role_missing", missing);
        else
            writer.WriteNull("role_missing");
    }
}
