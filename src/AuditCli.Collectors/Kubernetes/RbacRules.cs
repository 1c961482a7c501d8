using System.Collections.Immutable;
using System.Text.Json;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>One permission of a rule: a verb on a resource, or on a non-resource URL.</summary>
/// <param name="Resource">The resource with its subresource (<c>pods/exec</c>); null for a URL.</param>
/// <param name="ResourceName">The name of the only permitted object; null for all objects.</param>
internal readonly record struct RbacGrant(string Verb, string? ApiGroup, string? Resource, string? ResourceName, string? NonResourceUrl);

/// <summary>Expands the rules of one role into single permissions.</summary>
internal static class RbacRules
{
    private static readonly ImmutableArray<string?> EveryName = [null];

    /// <summary>Yields every permission of a role's own rules, in their order, possibly with duplicates.</summary>
    /// <exception cref="FormatException">The rules do not conform to the API; the message says why.</exception>
    public static IEnumerable<RbacGrant> Grants(JsonElement role)
    {
        foreach (var rule in Members.Objects(role, "rules"))
        {
            Members.CheckNames(rule, "verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs");
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
