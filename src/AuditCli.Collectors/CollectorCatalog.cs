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
public sealed record CollectorEntry(EvidenceSource Source, Type Implementation, Func<CollectorContext, ICollector> Open);

/// <summary>Every collector. A new one is a folder and a line here; a test finds the forgotten line.</summary>
public static class CollectorCatalog
{
    public static ImmutableArray<CollectorEntry> All { get; } =
    [
        new(AwsSource.Create(), typeof(AwsCollector), context => new AwsCollector(context.Transport, context.Clock, context.CredentialUsed)),
        new(GcpSource.Create(), typeof(GcpCollector), context => new GcpCollector(context.Transport, context.Clock, context.CredentialUsed)),
        new(KubernetesSource.Create(), typeof(KubernetesCollector), context => new KubernetesCollector(context.Transport, context.Clock, context.CredentialUsed)),
    ];
}
