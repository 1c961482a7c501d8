using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Reads what a cluster serves in one group and version (<c>APIResourceList</c>, meta/v1). That a resource is not in the list satisfies a
/// control, so the list must be one that an API server writes, and nothing in it may speak of the resource.
/// </summary>
internal static class ServedResources
{
    private static readonly string[] OfList = ["kind", "apiVersion", "groupVersion", "resources"];

    /// <summary>Returns how a response is not the list of the resource's group and version; null if it is.</summary>
    public static string? WhyNot(KubernetesResource resource, JsonElement served)
    {
        if (JsonMember.Text(served, "kind") != "APIResourceList")
            return "is not a list of resources";
        if (Members.Of(served, "apiVersion") is { ValueKind: not JsonValueKind.Undefined } && JsonMember.Text(served, "apiVersion") != "v1")
            return "is of another version than v1";
        if (JsonMember.Text(served, "groupVersion") != resource.GroupVersion)
            return $"is not that of {resource.GroupVersion}";
        if (served.EnumerateObject().FirstOrDefault(m => !OfList.Contains(m.Name)) is { Value.ValueKind: not JsonValueKind.Undefined } member)
            return $"has {PrintableText.Of(member.Name, 200)}, which no list of resources has";
        if (Members.Of(served, "resources") is not { ValueKind: JsonValueKind.Array } resources)
            return "has no list of resources";
        var isServed = Find(resource, served).ValueKind != JsonValueKind.Undefined;
        foreach (var one in resources.EnumerateArray())
        {
            if (JsonMember.Text(one, "name") is not { Length: > 0 } name || Members.Of(one, "kind").ValueKind != JsonValueKind.String)
                return "has a resource without a name or a kind";
            if (!isServed && name.Split('/')[0].Equals(resource.Name, StringComparison.OrdinalIgnoreCase))
                return $"has {PrintableText.Of(name, 200)}, but no {resource.Name}";
        }
        return null;
    }

    /// <summary>Returns the entry of the resource; an undefined value if there is none.</summary>
    public static JsonElement Find(KubernetesResource resource, JsonElement served) =>
        Members.Of(served, "resources").EnumerateArray().FirstOrDefault(r => JsonMember.Text(r, "name") == resource.Name);
}
