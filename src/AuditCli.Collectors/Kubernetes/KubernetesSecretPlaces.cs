using System.Collections.Immutable;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// The places in which Kubernetes, and every service that uses its container format, returns secrets. Secret objects themselves are never
/// requested, and for configmaps only the metadata.
/// </summary>
internal static class KubernetesSecretPlaces
{
    public static ImmutableArray<RedactedPlace> All { get; } =
    [
        // Containers of every kind, and pipeline steps, which are custom resources.
        new("environment", "[]/env/[]/value"),
        new("environment", "*/env/[]/value"),
        // Headers that a probe or hook sends with its request.
        new("http-header", "httpHeaders/[]/value", keepsSwitches: true),
        // The host identifies the receiver of the webhook; the path after it may be a credential.
        new("webhook-url", "clientConfig/url") { Part = SecretParts.BehindHost },
        // Annotations that hold the whole object again.
        new("last-applied", "annotations/kubectl.kubernetes.io~1last-applied-configuration"),
        new("last-applied", "annotations/objectset.rio.cattle.io~1applied"),
        new("last-applied", "annotations/kapp.k14s.io~1original"),
    ];
}
