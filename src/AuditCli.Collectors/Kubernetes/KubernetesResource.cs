using System.Diagnostics.CodeAnalysis;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// A kind of object as named in the API server's paths: <c>v1/pods</c> for the core group, <c>apps/v1/deployments</c> for every other. Only
/// the cluster knows whether it serves it.
/// </summary>
/// <param name="Group">Empty for the core group.</param>
/// <param name="Name">The plural in lower case, without subresource.</param>
internal sealed record KubernetesResource(string Group, string Version, string Name)
{
    private const int LongestGroup = 253;
    private const int LongestLabel = 63;
    private const int LongestVersion = 9;

    /// <summary>Whether only the metadata is requested: the data of configmaps often holds passwords that should be in secrets.</summary>
    public bool IsMetadataOnly => Name == "configmaps";

    public string GroupVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>The path at which the server lists the resources of this group and version.</summary>
    public string DiscoveryPath => Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}";

    /// <summary>
    /// The Accept header; for configmaps it restricts the response to metadata, so that the server does not send the data.
    /// </summary>
    public string Accept => IsMetadataOnly ? "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1" : "application/json";

    /// <summary>The apiVersion of list responses.</summary>
    public string AnswerVersion => IsMetadataOnly ? "meta.k8s.io/v1" : GroupVersion;

    /// <summary>Returns the path of the list, for one namespace or for all.</summary>
    public string ListPath(string? ns) => ns is null ? $"{DiscoveryPath}/{Name}" : $"{DiscoveryPath}/namespaces/{ns}/{Name}";

    public override string ToString() => $"{GroupVersion}/{Name}";

    /// <summary>Parses <c>[group/]version/resource</c>; returns false and the reason if it is not valid or must not be requested.</summary>
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

    /// <summary>Whether the text can be a namespace (RFC 1123 label).</summary>
    public static bool IsLabel(string text) =>
        text.Length is > 0 and <= LongestLabel && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
        && text[0] != '-' && text[^1] != '-';

    private static string? Refusal(KubernetesResource resource)
    {
        var (group, version, name) = resource;
        // Refused for every group and version, since an API server may serve secrets under others in the future.
        if (name == "secrets")
            return "secrets are never requested";
        if (group.Length == 0 && version != "v1")
            return "the core group has the one version v1; elsewhere write <group>/<version>/<resource>";
        // v1/pods/log is a subresource of a pod, not a resource of a group named v1.
        if (group is ['v', >= '1' and <= '9', ..] && group.Length <= LongestVersion)
            return $"'{name}' is not a resource: its plural in lower case, without subresource";
        if (group.Length > LongestGroup || group.Length > 0 && !group.Split('.').All(IsLabel))
            return $"'{group}' is not a group's name";
        if (!IsLabel(version))
            return $"'{version}' is not a version";
        if (!IsLabel(name))
            return $"'{name}' is not a resource: its plural in lower case, without subresource";
        // These are not resources but path prefixes: an endless stream, and a proxy to other servers.
        return name is "watch" or "proxy" ? $"'{name}' is not a resource" : null;
    }
}
