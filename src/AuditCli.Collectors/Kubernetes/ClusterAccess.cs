using System.Collections.Immutable;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using AuditCli.Collectors.Http;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>Where a cluster is, the way to it, and how the caller is let in.</summary>
internal sealed class ClusterAccess(Uri server, Route? route)
{
    /// <summary>Null in a replay.</summary>
    public Route? Route => route;

    /// <summary>Null without a kubeconfig.</summary>
    public string? Context { get; init; }

    /// <summary>The kubeconfig's name of the cluster; null without a kubeconfig.</summary>
    public string? Cluster { get; init; }

    /// <summary>The name that the server's certificate must have; null for its address.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>Fields of every request that say as whom somebody else reads.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Impersonation { get; init; } = [];

    /// <summary>What the caller shows; null where it is a certificate, or nothing.</summary>
    public Func<CancellationToken, Task<AuthenticationHeaderValue?>> Authorization { get; init; } = _ => Task.FromResult<AuthenticationHeaderValue?>(null);

    /// <summary>The certificate that the caller shows; null where it is something else.</summary>
    public Func<X509Certificate2?> Certificate { get; init; } = () => null;

    /// <summary>What reports say of the place.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Place =>
        Context is null ? [new("server", Address)] : [new("cluster", Cluster ?? ""), new("context", Context), new("server", Address)];

    /// <summary>Address and path of the API server, without a slash at the end.</summary>
    public string Address => server.AbsoluteUri.TrimEnd('/');
}
