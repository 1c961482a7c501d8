using System.Collections.Immutable;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using AuditCli.Collectors.Exchanges;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>The address of a cluster, the route to it, and the caller's authentication.</summary>
internal sealed class ClusterAccess(Uri server, Route? route)
{
    /// <summary>The route; null in a replay.</summary>
    public Route? Route => route;

    /// <summary>The context; null without a kubeconfig.</summary>
    public string? Context { get; init; }

    /// <summary>The kubeconfig's name of the cluster; null without a kubeconfig.</summary>
    public string? Cluster { get; init; }

    /// <summary>The name that the server's certificate must have; null for the name in its address.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>The impersonation headers of every request.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Impersonation { get; init; } = [];

    /// <summary>Returns the Authorization header; null if the caller authenticates by certificate or not at all.</summary>
    public Func<CancellationToken, Task<AuthenticationHeaderValue?>> Authorization { get; init; } = _ => Task.FromResult<AuthenticationHeaderValue?>(null);

    /// <summary>Returns the client certificate; null if the caller authenticates otherwise.</summary>
    public Func<X509Certificate2?> Certificate { get; init; } = () => null;

    /// <summary>The place of the cluster as shown in reports.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Place =>
        Context is null ? [new("server", Address)] : [new("cluster", Cluster ?? ""), new("context", Context), new("server", Address)];

    /// <summary>The URL of the API server, without a trailing slash.</summary>
    public string Address => server.AbsoluteUri.TrimEnd('/');
}
