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

/// <summary>
/// Executes a plan: sends every request and writes each response, or the failure to get one, into the bundle under construction. No other
/// stage uses the network. Memory does not grow with the number of pages, rows or parent rows.
/// </summary>
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

    /// <summary>
    /// Connects to every target and makes every planned request. A failure to read becomes an evidence item; the method throws only if it
    /// is cancelled or the bundle cannot be written.
    /// </summary>
    public async Task<Collected> RunAsync(
        ImmutableArray<Target> targets,
        ImmutableArray<SuppliedInput> inputs,
        CancellationToken cancellationToken)
    {
        var bundled = await InputCollection.BundleAsync(bundle, inputs, plan.Inputs, cancellationToken);
        var walk = new TargetWalk(plan, collectors, transport, limit);
        var reached = await walk.ConnectAsync(targets, cancellationToken);
        var asked = reached.Where(t => t.ReadThrough is null && (t.IsEntered || t.Failure is not null))
            .SelectMany(t => plan.Requests.Where(r => r.Target == t.Target.Name)
                .SelectMany(r => walk.PlacesOf(t, r).Select(region => (Target: t, Request: r, Region: region))))
            .ToImmutableArray();
        foreach (var target in reached)
        {
            if (target.Failure is { } failure)
            {
                var unsent = target.IsEntered ? 0 : asked.Count(a => ReferenceEquals(a.Target, target));
                tell(new CollectionEvent.TargetFailed(target.Target.Name, failure.Code, failure.Message, unsent));
            }
            else if (target.IsRead)
                tell(new CollectionEvent.TargetReached(target.Connection!));
        }
        var listing = reached.Where(t => t.Connection?.Listed is not null).Select(t => t.Target).Distinct().ToImmutableArray();
        tell(new CollectionEvent.Planned(asked.Length + plan.Inputs.Length + listing.Length));

        var given = ImmutableArray.CreateBuilder<EvidenceItem>();
        foreach (var input in plan.Inputs)
        {
            var (supplied, copy) = (inputs.Single(i => i.Name == input.Input), bundled.Single(b => b.Name == input.Input).File);
            given.Add(await RecordAsync(new InputCollection(bundle, clock).Collect(input, supplied, copy, cancellationToken), cancellationToken));
        }

        foreach (var target in listing)
        {
            var item = new AccountPopulation(bundle).Write(target, [.. reached.Where(t => t.Target.Name == target.Name)]);
            given.Add(await RecordAsync(item, cancellationToken));
        }

        // One failed task (the bundle cannot be written) cancels the others: no request is sent that could not be recorded.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var open = new SemaphoreSlim(OpenItems);
        using var scratch = new ScratchFile(bundle.PartialFolder);
        var items = new Dictionary<(string Target, string Account, string Key, string Region), Task<EvidenceItem>>();
        foreach (var (target, request, region) in AccountsInTurn(asked))
        {
            var parent = request.ParentKey is { } key ? items[(target.Target.Name, target.Account, key, region)] : null;
            items[(target.Target.Name, target.Account, request.Key, region)] = Task.Run(
                () => AskAsync(target, request, region, parent, open, scratch, ending),
                ending.Token);
        }
        return new(
            reached,
            bundled,
            [.. given, .. await AllAsync(asked.Select(a => items[(a.Target.Target.Name, a.Target.Account, a.Request.Key, a.Region)]))]);
    }

    /// <summary>
    /// Orders the requests by turn: the first request of each account, then the second of each, and so on. Providers limit each account
    /// separately; working through one account after another would wait for its limits while the other accounts are idle. Within an account
    /// the order is kept, parents first.
    /// </summary>
    private static IEnumerable<(ReachedTarget Target, PlannedRequest Request, string Region)> AccountsInTurn(
        ImmutableArray<(ReachedTarget Target, PlannedRequest Request, string Region)> asked) => asked
        .GroupBy(a => (a.Target.Target.Name, a.Target.Account))
        .SelectMany(account => account.Index())
        .OrderBy(a => a.Index)
        .Select(a => a.Item);

    private async Task<EvidenceItem> AskAsync(
        ReachedTarget target, PlannedRequest request, string region, Task<EvidenceItem>? parent, SemaphoreSlim open,
        ScratchFile scratch, CancellationTokenSource ending)
    {
        try
        {
            // Wait for the parent before taking a slot; a waiting request must not hold one.
            if (parent is not null)
                await parent;
            await open.WaitAsync(ending.Token);
            try
            {
                return await RecordedAsync(target, request, region, parent, scratch, ending.Token);
            }
            finally
            {
                open.Release();
            }
        }
        catch (Exception)
        {
            await ending.CancelAsync();
            throw;
        }
    }

    private async Task<EvidenceItem> RecordedAsync(
        ReachedTarget target, PlannedRequest request, string region, Task<EvidenceItem>? parent, ScratchFile scratch,
        CancellationToken cancellationToken)
    {
        var item = target.IsEntered && region.Length > 0
            ? await AskAsync(target.Connection!, request, region, parent, scratch, cancellationToken)
            : Unreached(target, request);
        return await RecordAsync(item, cancellationToken, wasToldBefore: !target.IsEntered && target.Failure is not null);
    }

    private async Task<EvidenceItem> AskAsync(
        Connection connection, PlannedRequest request, string region, Task<EvidenceItem>? parent, ScratchFile scratch,
        CancellationToken cancellationToken)
    {
        var place = new RequestPlace(plan, request, connection, region);
        var collection = new RequestCollection(collectors[connection.Target.Source], transport, bundle, clock, limit);
        return parent is null
            ? await collection.CollectAsync(place, cancellationToken)
            : await new PerParentCollection(collection, bundle, scratch, tell).CollectAsync(place, await parent, cancellationToken);
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

    private async Task<EvidenceItem> RecordAsync(EvidenceItem item, CancellationToken cancellationToken, bool wasToldBefore = false)
    {
        await bundle.AppendEvidenceAsync(item, cancellationToken);
        tell(new CollectionEvent.ItemFinished(item, wasToldBefore));
        return item;
    }

    /// <summary>
    /// Waits for all tasks to end, then throws the original failure rather than one of the cancellations that followed it.
    /// </summary>
    private static async Task<EvidenceItem[]> AllAsync(IEnumerable<Task<EvidenceItem>> tasks)
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
}
