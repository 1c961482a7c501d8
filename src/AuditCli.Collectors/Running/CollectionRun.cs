using System.Collections.Immutable;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Files;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Collectors.Running;

/// <summary>
/// What a run collected: every target in the order given, every file supplied, and every evidence item, as listed in the evidence index.
/// </summary>
public sealed record Collected(ImmutableArray<ReachedTarget> Targets, ImmutableArray<BundledInput> Inputs, ImmutableArray<EvidenceItem> Items);

/// <summary>One request of the plan in an account and region.</summary>
/// <param name="Region">Empty if the account was not entered, or its regions are unknown: nothing is sent, and the reading fails.</param>
public sealed record PlannedReading(ReachedTarget Target, PlannedRequest Request, string Region);

/// <summary>The targets as they were reached, in the order given, and what is to be read of them.</summary>
public sealed record EnteredTargets(ImmutableArray<ReachedTarget> Targets, ImmutableArray<PlannedReading> Readings)
{
    /// <summary>The accounts that were entered and of which something is read, in order: a run is divided into shards by them.</summary>
    public ImmutableArray<ReachedTarget> Units => [.. Readings.Select(r => r.Target).Where(t => t.IsRead).Distinct()];
}

/// <summary>
/// Executes a plan: sends every request and writes each response, or the failure to get one, into the bundle under construction. No other
/// stage uses the network. Memory does not grow with the number of pages, rows or parent rows.
/// </summary>
/// <param name="bundle">The bundle of the run. Readings may go into others, which become its shards.</param>
public sealed class CollectionRun(
    CollectionPlan plan,
    ImmutableDictionary<string, ICollector> collectors,
    ExchangeTransport transport,
    BundleWriter bundle,
    TimeProvider clock,
    ConcurrencyLimit limit,
    Action<CollectionEvent> tell)
{
    /// <summary>
    /// The number of evidence items in progress at once. Each holds pages in memory, and a target may reach thousands of accounts. The
    /// value is higher than the number of concurrent requests, so that the request limits determine the speed.
    /// </summary>
    private const int OpenItems = 256;

    private readonly TargetWalk _walk = new(plan, collectors, transport, limit);

    /// <summary>
    /// Connects to every target and makes every planned request. A failure to read becomes an evidence item; the method throws only if it
    /// is cancelled or the bundle cannot be written.
    /// </summary>
    public async Task<Collected> RunAsync(
        ImmutableArray<Target> targets,
        ImmutableArray<SuppliedInput> inputs,
        CancellationToken cancellationToken)
    {
        var bundled = await BundleAsync(inputs, cancellationToken);
        var entered = await EnterAsync(targets, cancellationToken);
        var given = await GiveAsync(entered, inputs, bundled, cancellationToken);
        return new(entered.Targets, bundled, [.. given, .. await ReadAsync(bundle, entered.Readings, KeptEvidence.None, cancellationToken)]);
    }

    /// <summary>Copies every supplied file into the bundle.</summary>
    /// <inheritdoc cref="InputCollection.BundleAsync" path="/exception"/>
    public Task<ImmutableArray<BundledInput>> BundleAsync(ImmutableArray<SuppliedInput> inputs, CancellationToken cancellationToken) =>
        InputCollection.BundleAsync(bundle, inputs, plan.Inputs, cancellationToken);

    /// <summary>Connects to every target, and returns what is to be read. A target that cannot be entered is a part of the result.</summary>
    public async Task<EnteredTargets> EnterAsync(ImmutableArray<Target> targets, CancellationToken cancellationToken)
    {
        var reached = await _walk.ConnectAsync(targets, cancellationToken);
        var readings = reached.Where(t => t.ReadThrough is null && (t.IsEntered || t.Failure is not null))
            .SelectMany(t => plan.Requests.Where(r => r.Target == t.Target.Name)
                .SelectMany(r => _walk.PlacesOf(t, r).Select(region => new PlannedReading(t, r, region))))
            .ToImmutableArray();
        foreach (var target in reached)
        {
            if (target.Failure is { } failure)
            {
                var unsent = target.IsEntered ? 0 : readings.Count(a => ReferenceEquals(a.Target, target));
                tell(new CollectionEvent.TargetFailed(target.Target.Name, failure.Code, failure.Message, unsent));
            }
            else if (target.IsRead)
                tell(new CollectionEvent.TargetReached(target.Connection!));
        }
        tell(new CollectionEvent.Planned(readings.Length + plan.Inputs.Length + Listing(reached).Length));
        return new(reached, readings);
    }

    /// <summary>Writes the evidence that no reading gives: the files that were supplied, and the accounts of each target that lists them.</summary>
    public async Task<ImmutableArray<EvidenceItem>> GiveAsync(
        EnteredTargets entered, ImmutableArray<SuppliedInput> inputs, ImmutableArray<BundledInput> bundled, CancellationToken cancellationToken)
    {
        var given = ImmutableArray.CreateBuilder<EvidenceItem>();
        foreach (var input in plan.Inputs)
        {
            var (supplied, copy) = (inputs.Single(i => i.Name == input.Input), bundled.Single(b => b.Name == input.Input).File);
            var item = new InputCollection(bundle, clock).Collect(input, supplied, copy, cancellationToken);
            given.Add(await RecordAsync(bundle, item, cancellationToken));
        }

        foreach (var target in Listing(entered.Targets))
        {
            var item = new AccountPopulation(bundle).Write(target, [.. entered.Targets.Where(t => t.Target.Name == target.Name)]);
            given.Add(await RecordAsync(bundle, item, cancellationToken));
        }
        return given.ToImmutable();
    }

    /// <summary>Reads, and returns the evidence in the order of the readings. A failure to read is a part of the result.</summary>
    /// <param name="into">The bundle that gets tables, exchanges and lines of the index; the transport must record into the same.</param>
    /// <param name="kept">What was read before and need not be asked again.</param>
    public async Task<ImmutableArray<EvidenceItem>> ReadAsync(
        BundleWriter into, ImmutableArray<PlannedReading> readings, KeptEvidence kept, CancellationToken cancellationToken)
    {
        // One failed task (the bundle cannot be written) cancels the others: no request is sent that could not be recorded.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var open = new SemaphoreSlim(OpenItems);
        using var scratch = new ScratchFile(into.PartialFolder);
        var reading = new Reading(into, kept, open, scratch, ending);
        var items = new Dictionary<(string Target, string Account, string Key, string Region), Task<ReadItem>>();
        foreach (var planned in AccountsInTurn(readings))
        {
            var (target, request, region) = planned;
            var parent = request.ParentKey is { } key ? items[(target.Target.Name, target.Account, key, region)] : null;
            items[(target.Target.Name, target.Account, request.Key, region)] = Task.Run(() => AskAsync(planned, parent, reading), ending.Token);
        }
        var read = await AllAsync(readings.Select(a => items[(a.Target.Target.Name, a.Target.Account, a.Request.Key, a.Region)]));
        return [.. read.Select(r => r.Item)];
    }

    private static ImmutableArray<Target> Listing(ImmutableArray<ReachedTarget> reached) =>
        [.. reached.Where(t => t.Connection?.Listed is not null).Select(t => t.Target).Distinct()];

    /// <summary>
    /// Orders the requests by turn: the first request of each account, then the second of each, and so on. Providers limit each account
    /// separately; working through one account after another would wait for its limits while the other accounts are idle. Within an account
    /// the order is kept, parents first.
    /// </summary>
    private static IEnumerable<PlannedReading> AccountsInTurn(ImmutableArray<PlannedReading> readings) => readings
        .GroupBy(a => (a.Target.Target.Name, a.Target.Account))
        .SelectMany(account => account.Index())
        .OrderBy(a => a.Index)
        .Select(a => a.Item);

    private async Task<ReadItem> AskAsync(PlannedReading planned, Task<ReadItem>? parent, Reading reading)
    {
        try
        {
            // Wait for the parent before taking a slot; a waiting request must not hold one.
            var known = parent is null ? null : await parent;
            await reading.Open.WaitAsync(reading.Ending.Token);
            try
            {
                return await RecordedAsync(planned, known, reading);
            }
            finally
            {
                reading.Open.Release();
            }
        }
        catch (Exception)
        {
            await reading.Ending.CancelAsync();
            throw;
        }
    }

    private async Task<ReadItem> RecordedAsync(PlannedReading planned, ReadItem? parent, Reading reading)
    {
        var ((target, request, region), cancellationToken) = (planned, reading.Ending.Token);
        // The rows of a child name those of its parent, so it is only kept with the parent's own rows.
        var isKept = parent is null or { IsKept: true } && target.IsEntered;
        if (isKept && reading.Kept.Find(target.Target.Name, plan.EvidenceId(request, target.Account, region)) is { } before)
        {
            await before.CopyAsync(reading.Into, transport, cancellationToken);
            return new(await RecordAsync(reading.Into, before.Item, cancellationToken), IsKept: true);
        }
        var item = target.IsEntered && region.Length > 0
            ? await AskAsync(target.Connection!, request, region, parent?.Item, reading)
            : Unreached(target, request);
        item = await RecordAsync(reading.Into, item, cancellationToken, wasToldBefore: !target.IsEntered && target.Failure is not null);
        return new(item, IsKept: false);
    }

    private async Task<EvidenceItem> AskAsync(Connection connection, PlannedRequest request, string region, EvidenceItem? parent, Reading reading)
    {
        var place = new RequestPlace(plan, request, connection, region);
        var collection = new RequestCollection(collectors[connection.Target.Source], transport, reading.Into, clock, limit);
        return parent is null
            ? await collection.CollectAsync(place, reading.Ending.Token)
            : await new PerParentCollection(collection, reading.Into, reading.Scratch, tell).CollectAsync(place, parent, reading.Ending.Token);
    }

    private EvidenceItem Unreached(ReachedTarget target, PlannedRequest request)
    {
        var failure = target.Failure ?? target.Connection!.RegionsUnread!;
        return new()
        {
            EvidenceId = plan.EvidenceId(request, target.Account, ""),
            Names = request.Names,
            Target = target.Target.Name,
            Account = target.Account,
            Region = "",
            Source = request.Operation.Source,
            Operation = request.Operation.Name,
            Parameters = request.Parameters,
            Outcome = CollectionOutcome.Failed,
            Code = failure.Code,
            Message = failure.Message,
            Pages = 0,
            Items = 0,
            Columns = [],
            Exchanges = [],
            Identity = "",
            Started = clock.GetUtcNow(),
            Finished = clock.GetUtcNow(),
            Failures = [failure],
        };
    }

    private async Task<EvidenceItem> RecordAsync(BundleWriter into, EvidenceItem item, CancellationToken cancellationToken, bool wasToldBefore = false)
    {
        await into.AppendEvidenceAsync(item, cancellationToken);
        tell(new CollectionEvent.ItemFinished(item, wasToldBefore));
        return item;
    }

    /// <summary>
    /// Waits for all tasks to end, then throws the original failure rather than one of the cancellations that followed it.
    /// </summary>
    private static async Task<ReadItem[]> AllAsync(IEnumerable<Task<ReadItem>> tasks)
    {
        var all = tasks.ToArray();
        try
        {
            return await Task.WhenAll(all);
        }
        catch (OperationCanceledException) when (all.FirstOrDefault(t => t.IsFaulted) is { } faulted)
        {
            await faulted;
            throw;
        }
    }

    /// <summary>What the readings that are made together share.</summary>
    private sealed record Reading(
        BundleWriter Into, KeptEvidence Kept, SemaphoreSlim Open, ScratchFile Scratch, CancellationTokenSource Ending);

    /// <param name="IsKept">Whether it was read before, and nothing was sent for it now.</param>
    private sealed record ReadItem(EvidenceItem Item, bool IsKept);
}
