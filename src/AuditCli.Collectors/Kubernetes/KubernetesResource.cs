using System.Diagnostics.CodeAnalysis;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// One kind of object as the API server's paths name it: <c>v1/pods</c> for the core group, <c>apps/v1/deployments</c> for every
/// other. Whether a cluster serves it, only the cluster knows.
/// </summary>
/// <param name="Group">Empty for the core group.</param>
/// <param name="Name">The plural in lower case, without subresource.</param>
internal sealed record KubernetesResource(string Group, string Version, string Name)
{
    private const int LongestGroup = 253;
    private const int LongestLabel = 63;
    private const int LongestVersion = 9;

    /// <summary>Of these, metadata alone is asked for: their data is where people put passwords that should be secrets.</summary>
    public bool IsMetadataOnly => Name == "configmaps";

    public string GroupVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>Where the server tells what it serves of this group and version.</summary>
    public string DiscoveryPath => Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}";

    /// <summary>What must be asked for, so that the server sends no more than may be kept.</summary>
    public string Accept => IsMetadataOnly ? "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1" : "application/json";

    /// <summary>The apiVersion of its lists.</summary>
    public string AnswerVersion => IsMetadataOnly ? "meta.k8s.io/v1" : GroupVersion;

    /// <summary>Where its objects are listed, of one namespace or of all.</summary>
    public string ListPath(string? ns) => ns is null ? $"{DiscoveryPath}/{Name}" : $"{DiscoveryPath}/namespaces/{ns}/{Name}";

    public override string ToString() => $"{GroupVersion}/{Name}";

    /// <summary>Reads <c>[group/]version/resource</c>; false, with the reason, when it cannot or must not be asked.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out KubernetesResource? resource, [NotNullWhen(false)] out string? reason)
    {
        var parts = text.Split('/');
        resource = parts switch
        {
            [var version, var name] => new("", version, name),
            [var group, var version, var name] when group.Length > 0 => new(group, version, name),
            _ => null,
        };
        reason = resource is null ? "write <group>/<version>/<resource>, or v1/<resource> for the core group" : Refusal(resource);
        if (reason is not null)
            resource = null;
        return resource is not null;
    }

    /// <summary>Whether the text can name a namespace (RFC 1123 label).</summary>
    public static bool IsLabel(string text) =>
        text.Length is > 0 and <= LongestLabel && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') && text[0] != '-' && text[^1] != '-';

    private static string? Refusal(KubernetesResource resource)
    {
        var (group, version, name) = resource;
        // Whatever the group and the version: an API server may serve them under others tomorrow.
        if (name == "secrets")
            return "secrets are never requested";
        if (group.Length == 0 && version != "v1")
            return "the core group has the one version v1; elsewhere write <group>/<version>/<resource>";
        // v1/pods/log is a part of a pod, and not a resource of a group that is called v1.
        if (group is ['v', >= '1' and <= '9', ..] && group.Length <= LongestVersion)
            return $"'{name}' is not a resource: its plural in lower case, without subresource";
        if (group.Length > LongestGroup || group.Length > 0 && !group.Split('.').All(IsLabel))
            return $"'{group}' is not a group's name";
        if (!IsLabel(version))
            return $"'{version}' is not a version";
        if (!IsLabel(name))
            return $"'{name}' is not a resource: its plural in lower case, without subresource";
        // Not resources but ways to reach into them: a stream without end, and other servers behind this one.
        return name is "watch" or "proxy" ? $"'{name}' is not a resource" : null;
    }
}
