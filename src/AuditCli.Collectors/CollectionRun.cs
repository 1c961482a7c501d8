using System.Collections.Immutable;
using AuditCli.Collectors.Http;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Collectors;

/// <summary>A target of the run, and what came of entering it. One that reaches several accounts stands once for each of them.</summary>
/// <param name="Connection">Null when the target could not be entered.</param>
/// <param name="ReadThrough">The target through which its account was already being read; null for a target that is read itself.</param>
/// <param name="Failure">Why it could not be entered; null when it could.</param>
/// <param name="Exchanges">Every attempt that entering took: who the caller is, which accounts and regions there are. With the first of several accounts.</param>
public sealed record ReachedTarget(Target Target, Connection? Connection, string? ReadThrough, ReadFailure? Failure, ImmutableArray<ExchangeReference> Exchanges);

/// <summary>What a run collected: every target in the order given, and every evidence item, as they stand in the index.</summary>
public sealed record Collected(ImmutableArray<ReachedTarget> Targets, ImmutableArray<EvidenceItem> Items);

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
    /// Evidence items under way at once, each with open files: a target may reach thousands of accounts. More than the requests at
    /// once, so that these limit the speed.
    /// </summary>
    private const int OpenItems = 64;

    /// <summary>
    /// Enters every target and asks everything planned.
    /// Failures to read are evidence items, not exceptions; what is thrown is cancellation, or that the bundle cannot be written.
    /// </summary>
    public async Task<Collected> RunAsync(
        ImmutableArray<Target> targets,
        ImmutableArray<SuppliedInput> inputs,
        CancellationToken cancellationToken)
    {
        var entered = await Task.WhenAll(targets.Select(t => EnterAsync(t, cancellationToken)));
        var reached = OncePerAccount(entered.SelectMany(t => t));
        foreach (var target in reached)
            tell(target.Failure is { } failure
                ? new CollectionEvent.TargetFailed(target.Target.Name, failure.Code, failure.Message)
                : new CollectionEvent.TargetReached(target.Connection!));

        var asked = reached.Where(t => t.ReadThrough is null)
            .SelectMany(t => plan.Requests.Where(r => r.Target == t.Target.Name).SelectMany(r => At(t, r)))
            .ToImmutableArray();
        tell(new CollectionEvent.Planned(asked.Length + plan.Inputs.Length));

        var given = ImmutableArray.CreateBuilder<EvidenceItem>();
        foreach (var input in plan.Inputs)
            given.Add(await RecordAsync(await new InputCollection(bundle, clock).CollectAsync(input, inputs.Single(i => i.Name == input.Input), cancellationToken), cancellationToken));

        // One failed task (the bundle cannot be written) ends the others too: nothing goes on unrecorded.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var open = new SemaphoreSlim(OpenItems);
        var items = new Dictionary<(string Target, string Account, string Key, string Region), Task<EvidenceItem>>();
        foreach (var (target, request, region) in asked)
        {
            var account = target.Connection?.Account ?? "";
            var parent = request.ParentKey is { } key ? items[(target.Target.Name, account, key, region)] : null;
            items[(target.Target.Name, account, request.Key, region)] = Task.Run(() => AskAsync(target, request, region, parent, open, ending), ending.Token);
        }
        return new(reached, [.. given, .. await AllAsync(items.Values)]);
    }

    private async Task<ImmutableArray<ReachedTarget>> EnterAsync(Target target, CancellationToken cancellationToken)
    {
        var trail = transport.BeginTrail();
        try
        {
            var connections = await limit.RunAsync((target.Name, target.Source, ""), () => new ValueTask<ImmutableArray<Connection>>(collectors[target.Source].ConnectAsync(target, cancellationToken)), cancellationToken);
            var exchanges = trail.Drain();
            return [.. connections.Select((connection, i) => new ReachedTarget(target, connection, null, null, i == 0 ? exchanges : []))];
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            var (code, message) = Failures.Describe(e);
            return [new(target, null, null, new(code, message, 1), trail.Drain())];
        }
    }

    /// <summary>An account that two targets reach is read once, by the one that stands first.</summary>
    private static ImmutableArray<ReachedTarget> OncePerAccount(IEnumerable<ReachedTarget> entered)
    {
        var readers = new Dictionary<(string Source, string Account), string>();
        return
        [
            .. entered.Select(t => t.Connection is { } c && !readers.TryAdd((t.Target.Source, c.Account), t.Target.Name)
                ? t with { ReadThrough = readers[(t.Target.Source, c.Account)] }
                : t),
        ];
    }

    /// <summary>Where a request is asked: once for the account, or in every region. A target that was not entered has one place without a name.</summary>
    private static IEnumerable<(ReachedTarget Target, PlannedRequest Request, string Region)> At(ReachedTarget target, PlannedRequest request)
    {
        if (target.Connection is not { } connection)
            return [(target, request, "")];
        return request.Operation.Scope == OperationScope.Global
            ? [(target, request, connection.GlobalRegion)]
            : connection.Regions.Select(region => (target, request, region));
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
        var item = target.Connection is { } connection
            ? await AskAsync(connection, request, region, parent, cancellationToken)
            : Unreached(target, request);
        return await RecordAsync(item, cancellationToken);
    }

    private async Task<EvidenceItem> AskAsync(Connection connection, PlannedRequest request, string region, Task<EvidenceItem>? parent, CancellationToken cancellationToken)
    {
        var place = new RequestPlace(plan, request, connection, region);
        var collection = new RequestCollection(collectors[connection.Target.Source], transport, bundle, clock, limit);
        return parent is null
            ? await collection.CollectAsync(place, cancellationToken)
            : await new PerParentCollection(collection, bundle, clock, tell).CollectAsync(place, await parent, cancellationToken);
    }

    private EvidenceItem Unreached(ReachedTarget target, PlannedRequest request) => new()
    {
        EvidenceId = plan.EvidenceId(request, "", ""),
        Names = request.Names,
        Target = target.Target.Name,
        Account = "",
        Region = "",
        Source = request.Operation.Source,
        Operation = request.Operation.Name,
        Parameters = request.Parameters,
        Outcome = CollectionOutcome.Failed,
        Code = target.Failure!.Code,
        Message = target.Failure.Message,
        Pages = 0,
        Items = 0,
        Columns = [],
        Exchanges = [],
        Identity = "",
        Started = clock.GetUtcNow(),
        Finished = clock.GetUtcNow(),
        Failures = [target.Failure],
    };

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
