using System.Collections.Immutable;
using System.Text.Json;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>One thing that a rule allows: a verb on a resource, or on a path that is no resource.</summary>
/// <param name="Resource">With its subresource (<c>pods/exec</c>); null for a path.</param>
/// <param name="ResourceName">The one object that is meant; null for every one.</param>
internal readonly record struct RbacGrant(string Verb, string? ApiGroup, string? Resource, string? ResourceName, string? NonResourceUrl);

/// <summary>The rules of one role, spread out into what each of them allows.</summary>
internal static class RbacRules
{
    private static readonly ImmutableArray<string?> EveryName = [null];

    /// <summary>Every grant of a role's own rules, in their order; one may come twice.</summary>
    /// <exception cref="FormatException">The rules are not what the API defines; the message says how.</exception>
    public static IEnumerable<RbacGrant> Grants(JsonElement role)
    {
        foreach (var rule in Members.Objects(role, "rules"))
        {
            var (groups, resources, names) = (Members.Texts(rule, "apiGroups"), Members.Texts(rule, "resources"), Members.Texts(rule, "resourceNames"));
            var urls = Members.Texts(rule, "nonResourceURLs");
            foreach (var verb in Members.Texts(rule, "verbs"))
            {
                foreach (var group in groups)
                    foreach (var resource in resources)
                        foreach (var name in names.IsEmpty ? EveryName : [.. names])
                            yield return new(verb, group, resource, name, null);
                foreach (var url in urls)
                    yield return new(verb, null, null, null, url);
            }
        }
    }
}
