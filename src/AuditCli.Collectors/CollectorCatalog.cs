using System.Collections.Immutable;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Gcp;
using AuditCli.Collectors.HttpApi;
using AuditCli.Collectors.Kubernetes;

namespace AuditCli.Collectors;

/// <summary>Every source. A new source is a folder and a line here; a test fails if the line is missing.</summary>
public static class CollectorCatalog
{
    public static ImmutableArray<CollectorEntry> All { get; } =
    [
        AwsEntry.Create(),
        GcpEntry.Create(),
        KubernetesEntry.Create(),
        HttpApiEntry.Create(),
    ];
}
