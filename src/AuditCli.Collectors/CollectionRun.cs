using System.Collections.Immutable;
using AuditCli.Collectors.Http;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Collectors;

/// <summary>A target of the run, and what came of entering it. One that reaches several accounts stands once for each of them.</summary>
/// <param name="Connection">Null when the target could not be entered at all.</param>
/// <param name="ReadThrough">The target through which its account is read instead; null for what is read itself.</param>
/// <param name="Failure">Why target or account could not be entered; null when it could, or did not have to be.</param>
/// <param name="Exchanges">Every attempt that entering took, by file: who the caller is, which accounts and regions there are. With the first of several accounts.</param>
public sealed record ReachedTarget(Target Target, Connection? Connection, string? ReadThrough, ReadFailure? Failure, ImmutableArray<ExchangeReference> Exchanges)
{
    /// <summary>Whether its account was entered, by it or by the target through which it is read.</summary>
    public bool IsEntered => Connection is { LeftOut: null } && Failure is null;

    /// <summary>The account; empty where it is not known.</summary>
    public string Account => Connection?.Account ?? "";
}

/// <summary>What a run collected: every target in the order given, every file handed in, and every evidence item, as they are in the index.</summary>
public sealed record Collected(ImmutableArray<ReachedTarget> Targets, ImmutableArray<BundledInput> Inputs, ImmutableArray<EvidenceItem> Items);

/// <summary>
/// The only stage that reaches the network: carries out a plan and writes every answer, and every failure to get one, into the
/// bundle under construction. Memory does not grow with pages, rows or parent rows.
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
    /// Evidence items under way at once, each with pages in memory: a target may reach thousands of accounts. More than the requests at
    /// once, so that these limit the speed.
    /// </summary>
    private const int OpenItems = 256;

    /// <summary>
    /// Enters every target and asks everything planned.
    /// Failures to read are evidence items, not exceptions; what is thrown is cancellation, or that the bundle cannot be written.
    /// </summary>
    public async Task<Collected> RunAsync(
        ImmutableArray<Target> targets,
        ImmutableArray<SuppliedInput> inputs,
        CancellationToken cancellationToken)
    {
        var bundled = await InputCollection.BundleAsync(bundle, inputs, plan.Inputs, cancellationToken);
        var entered = await Task.WhenAll(targets.Select(t => EnterAsync(t, cancellationToken)));
        var reached = OncePerAccount(entered.SelectMany(t => t));
        foreach (var target in reached)
        {
            if (target.Failure is { } failure)
                tell(new CollectionEvent.TargetFailed(target.Target.Name, failure.Code, failure.Message));
            else if (target.IsEntered && target.ReadThrough is null)
                tell(new CollectionEvent.TargetReached(target.Connection!));
        }

        var asked = reached.Where(t => t.ReadThrough is null && (t.IsEntered || t.Failure is not null))
            .SelectMany(t => plan.Requests.Where(r => r.Target == t.Target.Name).SelectMany(r => At(t, r)))
            .ToImmutableArray();
        var listing = reached.Where(t => t.Connection?.Listed is not null).Select(t => t.Target).Distinct().ToImmutableArray();
        tell(new CollectionEvent.Planned(asked.Length + plan.Inputs.Length + listing.Length));

        var given = ImmutableArray.CreateBuilder<EvidenceItem>();
        foreach (var input in plan.Inputs)
        {
            var (supplied, copy) = (inputs.Single(i => i.Name == input.Input), bundled.Single(b => b.Name == input.Input).File);
            given.Add(await RecordAsync(new InputCollection(bundle, clock).Collect(input, supplied, copy, cancellationToken), cancellationToken));
        }

        foreach (var target in listing)
            given.Add(await RecordAsync(new AccountPopulation(bundle).Write(target, [.. reached.Where(t => t.Target.Name == target.Name)]), cancellationToken));

        // One failed task (the bundle cannot be written) ends the others too: nothing goes on unrecorded.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var open = new SemaphoreSlim(OpenItems);
        var items = new Dictionary<(string Target, string Account, string Key, string Region), Task<EvidenceItem>>();
        foreach (var (target, request, region) in AccountsInTurn(asked))
        {
            var parent = request.ParentKey is { } key ? items[(target.Target.Name, target.Account, key, region)] : null;
            items[(target.Target.Name, target.Account, request.Key, region)] = Task.Run(() => AskAsync(target, request, region, parent, open, ending), ending.Token);
        }
        return new(reached, bundled, [.. given, .. await AllAsync(asked.Select(a => items[(a.Target.Target.Name, a.Target.Account, a.Request.Key, a.Region)]))]);
    }

    /// <summary>
    /// The first question of each account, then the second of each: providers limit each account by itself, so that one account after the
    /// other would wait for limits while nobody asks the rest. Within an account the order stays, parents first.
    /// </summary>
    private static IEnumerable<(ReachedTarget Target, PlannedRequest Request, string Region)> AccountsInTurn(
        ImmutableArray<(ReachedTarget Target, PlannedRequest Request, string Region)> asked) => asked
        .GroupBy(a => (a.Target.Target.Name, a.Target.Account))
        .SelectMany(account => account.Index())
        .OrderBy(a => a.Index)
        .Select(a => a.Item);

    private async Task<ImmutableArray<ReachedTarget>> EnterAsync(Target target, CancellationToken cancellationToken)
    {
        var trail = transport.BeginTrail();
        try
        {
            var connections = await limit.RunAsync(new LimitKey(target.Source, target.Name, "", ""), () => new ValueTask<ImmutableArray<Connection>>(collectors[target.Source].ConnectAsync(target, cancellationToken)), cancellationToken);
            // Accounts are entered at once; each has files of its own, in which the order is the same in a replay.
            ImmutableArray<ExchangeReference> exchanges = [.. trail.Drain().OrderBy(e => e.File, StringComparer.Ordinal)];
            return [.. connections.Select((connection, i) => new ReachedTarget(target, connection, null, connection.Failure, i == 0 ? exchanges : []))];
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            var (code, message) = Failures.Describe(e);
            return [new(target, null, null, new(code, message, 1), trail.Drain())];
        }
    }

    /// <summary>
    /// An account that two targets reach is read once: by the one that names it rather than by one that found it in a list, then by the
    /// one that stands first. Where another target reads it, it does not matter that this one could not enter it.
    /// </summary>
    private static ImmutableArray<ReachedTarget> OncePerAccount(IEnumerable<ReachedTarget> entered)
    {
        var all = entered.ToImmutableArray();
        var readers = new Dictionary<(string Source, string Account), string>();
        foreach (var t in all.Where(t => t.IsEntered).OrderBy(t => t.Connection!.Listed is not null))
            readers.TryAdd((t.Target.Source, t.Account), t.Target.Name);
        return
        [
            .. all.Select(t => t.Account.Length > 0 && readers.TryGetValue((t.Target.Source, t.Account), out var reader) && reader != t.Target.Name
                ? t with { ReadThrough = reader, Failure = null }
                : t),
        ];
    }

    /// <summary>Where a request is asked: once for the account, or in every region. A target or account that was not entered has one place without a name.</summary>
    private static IEnumerable<(ReachedTarget Target, PlannedRequest Request, string Region)> At(ReachedTarget target, PlannedRequest request)
    {
        if (!target.IsEntered)
            return [(target, request, "")];
        return request.Operation.Scope == OperationScope.Global
            ? [(target, request, target.Connection!.GlobalRegion)]
            : target.Connection!.RegionsUnread is not null ? [(target, request, "")]
            : target.Connection.Regions.Select(region => (target, request, region));
    }

    private async Task<EvidenceItem> AskAsync(ReachedTarget target, PlannedRequest request, string region, Task<EvidenceItem>? parent, SemaphoreSlim open, CancellationTokenSource ending)
    {
        try
        {
            // Before it takes a place of its own: what waits for a place must not hold one.
            if (parent is not null)
                await parent;
            await open.WaitAsync(ending.Token);
            try
            {
                return await RecordedAsync(target, request, region, parent, ending.Token);
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

    private async Task<EvidenceItem> RecordedAsync(ReachedTarget target, PlannedRequest request, string region, Task<EvidenceItem>? parent, CancellationToken cancellationToken)
    {
        var item = target.IsEntered && region.Length > 0
            ? await AskAsync(target.Connection!, request, region, parent, cancellationToken)
            : Unreached(target, request);
        return await RecordAsync(item, cancellationToken);
    }

    private async Task<EvidenceItem> AskAsync(Connection connection, PlannedRequest request, string region, Task<EvidenceItem>? parent, CancellationToken cancellationToken)
    {
        var place = new RequestPlace(plan, request, connection, region);
        var collection = new RequestCollection(collectors[connection.Target.Source], transport, bundle, clock, limit);
        return parent is null
            ? await collection.CollectAsync(place, cancellationToken)
            : await new PerParentCollection(collection, bundle, tell).CollectAsync(place, await parent, cancellationToken);
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

    private async Task<EvidenceItem> RecordAsync(EvidenceItem item, CancellationToken cancellationToken)
    {
        await bundle.AppendEvidenceAsync(item, cancellationToken);
        tell(new CollectionEvent.ItemFinished(item));
        return item;
    }

    /// <summary>Waits for all to end, then reports the cause rather than the cancellations that followed it.</summary>
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
