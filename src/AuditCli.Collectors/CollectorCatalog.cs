using System.Collections.Immutable;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Gcp;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Evidence;

namespace AuditCli.Collectors;

/// <summary>The dependencies that a collector gets for one run.</summary>
/// <param name="CredentialUsed">Called for every credential exchange with its endpoint, time and status, never with a credential.</param>
public sealed record CollectorContext(ExchangeTransport Transport, TimeProvider Clock, Action<CredentialExchange> CredentialUsed);

/// <summary>A kind of system that AuditCli can read: its operations as data, and how its collector is opened for a run.</summary>
/// <param name="Permissions">
/// Returns the permissions needed to collect the given operations from the given targets, including the connect. With no targets, it
/// returns those for any target with default settings.
/// </param>
public sealed record CollectorEntry(
    EvidenceSource Source,
    Type Implementation,
    Func<CollectorContext, ICollector> Open,
    Func<ImmutableArray<Operation>, ImmutableArray<Target>, PermissionDocument> Permissions);

/// <summary>Every collector. A new collector is a folder and a line here; a test fails if the line is missing.</summary>
public static class CollectorCatalog
{
    public static ImmutableArray<CollectorEntry> All { get; } =
    [
        new(
            AwsSource.Create(),
            typeof(AwsCollector),
            context => new AwsCollector(context.Transport, context.Clock, context.CredentialUsed),
            AwsPermissions.Document),
        new(
            GcpSource.Create(),
            typeof(GcpCollector),
            context => new GcpCollector(context.Transport, context.Clock, context.CredentialUsed),
            GcpPermissions.Document),
        new(
            KubernetesSource.Create(),
            typeof(KubernetesCollector),
            context => new KubernetesCollector(context.Transport, context.Clock, context.CredentialUsed),
            (operations, _) => KubernetesPermissions.Document(operations)),
    ];
}
