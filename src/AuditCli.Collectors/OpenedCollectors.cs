using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors;

/// <summary>The collectors of the sources that some targets have, opened on one transport. Disposing it closes them.</summary>
public sealed class OpenedCollectors : IAsyncDisposable
{
    private OpenedCollectors(ImmutableDictionary<string, ICollector> bySource) => BySource = bySource;

    /// <summary>The collectors by the name of their source.</summary>
    public ImmutableDictionary<string, ICollector> BySource { get; }

    /// <inheritdoc cref="ICollector.UnusualEndpoints"/>
    public ImmutableArray<string> UnusualEndpoints =>
        [.. BySource.Values.SelectMany(c => c.UnusualEndpoints).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Opens one collector for each source that a target has.</summary>
    public static OpenedCollectors For(ImmutableArray<Target> targets, ImmutableArray<CollectorEntry> entries, CollectorContext context) =>
        new(entries.Where(e => targets.Any(t => t.Source == e.Source.Name)).ToImmutableDictionary(e => e.Source.Name, e => e.Open(context)));

    public async ValueTask DisposeAsync()
    {
        foreach (var collector in BySource.Values)
            await collector.DisposeAsync();
    }
}
