using System.Collections.Immutable;

namespace AuditCli.Collectors.Http;

/// <summary>
/// Where Kubernetes, and everything that is made of its containers, returns secrets. Its secrets themselves are never asked for, and of
/// its configmaps only the metadata.
/// </summary>
internal static class KubernetesSecretPlaces
{
    public static ImmutableArray<RedactedPlace> All { get; } =
    [
        // Containers of every kind, and the steps of pipelines, which are custom resources.
        new("environment", "[]/env/[]/value"),
        new("environment", "*/env/[]/value"),
        // Whatever a probe or a hook sends with its request.
        new("http-header", "httpHeaders/[]/value", keepsSwitches: true),
        // The host says who is asked; what stands behind it may be the proof of who asks.
        new("webhook-url", "clientConfig/url") { Part = SecretParts.BehindHost },
        // They hold the whole object once more.
        new("last-applied", "annotations/kubectl.kubernetes.io~1last-applied-configuration"),
        new("last-applied", "annotations/objectset.rio.cattle.io~1applied"),
        new("last-applied", "annotations/kapp.k14s.io~1original"),
    ];
}
