namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Checks that a request only reads, just before it is sent. It does not rely on the code above it and refuses every request that it does
/// not recognise, including percent-encoded spellings.
/// </summary>
/// <param name="basePath">The path before <c>/api</c> and <c>/apis</c>, such as a gateway's path to the cluster.</param>
internal sealed class RequestCheck(string basePath)
{
    private static readonly string[] ListParameters = ["limit", "continue", "labelSelector", "fieldSelector", "pretty"];

    /// <summary>The only requests with a body: each reviews the caller and stores nothing.</summary>
    private static readonly string[] Reviews =
    [
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        "/apis/authentication.k8s.io/v1beta1/selfsubjectreviews",
        "/apis/authentication.k8s.io/v1alpha1/selfsubjectreviews",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
    ];

    /// <summary>Returns why the request may not be sent; null if it may.</summary>
    public string? Refusal(HttpRequestMessage request)
    {
        var uri = request.RequestUri!;
        var name = $"{request.Method} {uri.AbsolutePath}";
        if (!uri.AbsolutePath.StartsWith(basePath + "/", StringComparison.Ordinal))
            return $"{name} is outside the cluster's path {basePath}";
        var path = uri.AbsolutePath[basePath.Length..];
        if (request.Method == HttpMethod.Post)
            return Reviews.Contains(path) && uri.Query.Length == 0 ? null : $"{name} would write";
        if (request.Method != HttpMethod.Get || request.Content is not null)
            return $"{name} would write";
        return path[1..].Split('/') switch
        {
            ["api", var version] => Discovery(uri, "", version, name),
            ["apis", var group, var version] => Discovery(uri, group, version, name),
            ["api", var version, var resource] => List(request, new("", version, resource), null, name),
            ["api", var version, "namespaces", var ns, var resource] => List(request, new("", version, resource), ns, name),
            ["apis", var group, var version, var resource] when group.Length > 0 => List(request, new(group, version, resource), null, name),
            ["apis", var group, var version, "namespaces", var ns, var resource] when group.Length > 0 =>
                List(request, new(group, version, resource), ns, name),
            // The only object that may be read by name.
            _ when path == AwsAuth.Path && uri.Query.Length == 0 => null,
            _ => $"{name} is not the list of a resource",
        };
    }

    private static string? Discovery(Uri uri, string group, string version, string name) =>
        uri.Query.Length == 0 && KubernetesResource.TryParse(new KubernetesResource(group, version, "pods").ToString(), out _, out _)
            ? null
            : $"{name} is not a group and version";

    private static string? List(HttpRequestMessage request, KubernetesResource asked, string? ns, string name)
    {
        if (!KubernetesResource.TryParse(asked.ToString(), out var resource, out var reason))
            return $"{name}: {reason}";
        if (ns is not null && !KubernetesResource.IsLabel(ns))
            return $"{name}: '{ns}' is not a namespace";
        // /api/v1/namespaces/<name>/status reads one namespace and is not a list.
        if (ns is not null && resource.Group.Length == 0 && resource.Name is "status" or "finalize")
            return $"{name} is not the list of a resource";
        foreach (var parameter in request.RequestUri!.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var key = Uri.UnescapeDataString(parameter.Split('=')[0]);
            if (!ListParameters.Contains(key))
                return $"{name}: the parameter {key} is not a parameter of a finite list";
        }
        return request.Headers.NonValidated.TryGetValues("Accept", out var accept) && accept.Count == 1 && accept.ToString() == resource.Accept
            ? null
            : $"{name} must be requested as {resource.Accept}";
    }
}
