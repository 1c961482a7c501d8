using System.Collections.Immutable;
using System.Security.Cryptography;
using AuditCli.Collectors;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Files;
using AuditCli.Collectors.Running;
using AuditCli.Evidence.Bundles;
using AuditCli.Signing;
using Serilog;

namespace AuditCli.Running;

/// <summary>What a run collected.</summary>
internal sealed record CollectedRun(RunFacts Facts, ReadEvidence Read);

/// <summary>Collects the evidence of a run into a bundle: the only part of a run that uses the network.</summary>
internal sealed class RunCollection(
    PreparedRun prepared, RunOptions options, AuditHost host, BundleWriter bundle, SigningSession? signing, ILogger log, Action<CollectionEvent> tell)
{
    /// <summary>Is called when an interruption loses nothing any more: another process can go on from here.</summary>
    public Action Kept { get; init; } = () => { };

    /// <summary>Collects. Failures to read are a part of the result.</summary>
    /// <exception cref="IOException">The bundle cannot be written.</exception>
    /// <exception cref="InvalidDataException">See <see cref="ShardedReading.ReadAsync"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<CollectedRun> RunAsync(DateTimeOffset started, RequestLimits limits, CancellationToken cancellationToken)
    {
        var engagement = prepared.Engagement;
        var key = prepared.RedactionKey ?? RandomNumberGenerator.GetBytes(PreparedRun.LeastKeyBytes);
        await using ExchangeTransport transport = engagement.Replay is { } recorded
            ? new ReplayTransport(recorded, bundle.PartialFolder, bundle.Seed)
            : new LiveTransport(bundle.PartialFolder, bundle.Seed, host.Clock, redactionKey: key, connections: limits.Connections)
            {
                Waiting = wait => tell(new CollectionEvent.Waiting(wait)),
            };
        var dates = (transport as ReplayTransport)?.RecordedDates;
        // A replay uses the time of its recording: otherwise its evidence would depend on when it is repeated.
        var clock = dates is { } d ? new FixedClock(d.Last) : host.Clock;
        var asOf = engagement.AsOf ?? dates?.Last ?? started;
        var plan = prepared.Plan.Plan.At(asOf);
        var targets = plan.TargetsOf(engagement.Targets);
        await using var collectors = OpenedCollectors.For(targets, host.Collectors, new(transport, clock, log.Tell));
        var collection = new CollectionRun(plan, collectors.BySource, transport, bundle, clock, new ConcurrencyLimit(limits), tell);

        ImmutableArray<SuppliedInput> supplied = [.. engagement.Inputs.Select(i => PreparedRun.Supplied(i, i.Written) with { RedactionKey = key })];
        var inputs = WithOriginals(await collection.BundleAsync(supplied, cancellationToken));
        if (prepared.Stopped is null)
            bundle.Keep(BegunRun.Of(prepared, inputs, started, asOf).Write());
        if (prepared.Stopped is not { Collected: not null })
            Kept();
        var entered = await collection.EnterAsync(targets, cancellationToken);
        var given = await collection.GiveAsync(entered, supplied, inputs, cancellationToken);
        RunFacts Facts(ImmutableArray<ReachedTarget> reached) => new()
        {
            Started = prepared.Stopped?.Started ?? started,
            Finished = started,
            AsOf = asOf,
            Recorded = prepared.Stopped is { Collected: { } before } ? before.Recorded : dates,
            Resumed = prepared.Stopped is { } from ? new(from.BundleId, started, Environment.UserName, Environment.MachineName) : null,
            Unused = [],
            Reached = reached,
            Inputs = inputs,
            UnusualEndpoints = collectors.UnusualEndpoints,
            ClockOffsets = transport.ClockOffsets,
            Limits = limits,
            User = prepared.Stopped?.User ?? Environment.UserName,
            Machine = prepared.Stopped?.Machine ?? Environment.MachineName,
        };
        var reading = new ShardedReading(
            prepared, options, host, bundle, signing, log, collection, transport, reached => Facts(reached) with { Inputs = [] });
        var read = await reading.ReadAsync(entered, tell, cancellationToken);
        if (!read.Shards.IsEmpty)
            await bundle.WriteFileAsync(BundleLayout.Shards, ShardList.Write(read.Shards), cancellationToken);
        var facts = Facts(entered.Targets) with
        {
            Unused = (transport as ReplayTransport)?.Unused ?? [],
            UnitsEach = read.Shards.IsEmpty ? null : options.UnitsEach,
            Leaks = read.Leaks,
        };
        foreach (var unused in facts.Unused)
            log.Information("Recorded responses of {File} that were not used: {Count}", unused.File, unused.Count);
        return new(facts, read with { Items = [.. given, .. read.Items] });
    }

    /// <summary>Returns the inputs with the digests of the files as they were supplied, which a resumed run does not have.</summary>
    private ImmutableArray<BundledInput> WithOriginals(ImmutableArray<BundledInput> inputs) => prepared.Stopped is { Originals: var known }
        ? [.. inputs.Select(i => known.TryGetValue(i.Name, out var original) ? i with { Original = original } : i)]
        : inputs;

    /// <summary>A clock that always returns the same time, for replays.</summary>
    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
