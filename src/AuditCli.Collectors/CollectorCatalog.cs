using System.Collections.Immutable;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Gcp;
using AuditCli.Collectors.Http;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Evidence;

namespace AuditCli.Collectors;

/// <summary>What a collector is given for one run.</summary>
/// <param name="CredentialUsed">Told of every credential exchange: where, when and with which status, never with what.</param>
public sealed record CollectorContext(ExchangeTransport Transport, TimeProvider Clock, Action<CredentialExchange> CredentialUsed);

/// <summary>A kind of system AuditCli can read: what it offers as data, and how its collector is opened for a run.</summary>
/// <param name="Permissions">
/// What somebody has to be granted who collects these operations from these targets, connecting included. No target stands for
/// any target, with the settings that are the default.
/// </param>
public sealed record CollectorEntry(
    EvidenceSource Source,
    Type Implementation,
    Func<CollectorContext, ICollector> Open,
    Func<ImmutableArray<Operation>, ImmutableArray<Target>, PermissionDocument> Permissions);

/// <summary>Every collector. A new one is a folder and a line here; a test finds the forgotten line.</summary>
public static class CollectorCatalog
{
    public static ImmutableArray<CollectorEntry> All { get; } =
    [
        new(AwsSource.Create(), typeof(AwsCollector), context => new AwsCollector(context.Transport, context.Clock, context.CredentialUsed), AwsPermissions.Document),
        new(GcpSource.Create(), typeof(GcpCollector), context => new GcpCollector(context.Transport, context.Clock, context.CredentialUsed), GcpPermissions.Document),
        new(KubernetesSource.Create(), typeof(KubernetesCollector), context => new KubernetesCollector(context.Transport, context.Clock, context.CredentialUsed), (operations, _) => KubernetesPermissions.Document(operations)),
    ];
}
