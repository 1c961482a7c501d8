using System.Collections.Frozen;
using System.Collections.Immutable;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Running;

/// <summary>
/// A target of the run and the result of connecting to it. A target that reaches several accounts has one entry for each.
/// </summary>
/// <param name="Connection">Null if the target could not be entered at all.</param>
/// <param name="ReadThrough">The target through which the account is read instead; null if it is read through this one.</param>
/// <param name="Failure">Why the target or account could not be entered; null if it was entered or did not have to be.</param>
/// <param name="Exchanges">
/// Every attempt made while connecting, sorted by file: the calls for the identity, the accounts and the regions. Only the first of several
/// accounts has them.
/// </param>
public sealed record ReachedTarget(
    Target Target, Connection? Connection, string? ReadThrough, ReadFailure? Failure, ImmutableArray<ExchangeReference> Exchanges)
{
    /// <summary>Whether the account was entered, by this target or by the one through which it is read.</summary>
    public bool IsEntered => Connection is { LeftOut: null } && Failure is null;

    /// <summary>Whether the account was entered and is read through this target.</summary>
    public bool IsRead => IsEntered && ReadThrough is null;

    /// <summary>The account; empty if it is not known.</summary>
    public string Account => Connection?.Account ?? "";
}

/// <summary>
/// Connects to targets, and says in which accounts and regions requests are made. A run and the probe before it share this, because a probe
/// that went elsewhere than the run would give a false all-clear.
/// </summary>
internal sealed class TargetWalk(
    CollectionPlan plan, ImmutableDictionary<string, ICollector> collectors, ExchangeTransport transport, ConcurrencyLimit limit)
{
    /// <summary>The kind of whole of which each request is made once, by its key: there are as many questions as requests and accounts.</summary>
    private readonly FrozenDictionary<string, string?> _wholes = plan.Requests.ToFrozenDictionary(r => r.Key, plan.AskedOnceOf, StringComparer.Ordinal);

    /// <summary>
    /// Connects to all targets at once. Returns every account they reach, in the order of the targets; failures are part of the result. The
    /// method throws only on cancellation.
    /// </summary>
    public async Task<ImmutableArray<ReachedTarget>> ConnectAsync(ImmutableArray<Target> targets, CancellationToken cancellationToken)
    {
        var entered = await Task.WhenAll(targets.Select(t => EnterAsync(t, cancellationToken)));
        return OncePerAccount(entered.SelectMany(t => t));
    }

    /// <summary>
    /// Returns the regions in which a request is made: the account's global one, or each. A target or account that was not entered, or whose
    /// regions are unknown, has one empty region.
    /// </summary>
    public ImmutableArray<string> PlacesOf(ReachedTarget target, PlannedRequest request) =>
        !target.IsEntered ? [""]
        : _wholes[request.Key] != target.Connection!.Whole ? []
        : request.Operation.Scope == OperationScope.Global ? [target.Connection!.GlobalRegion]
        : target.Connection!.RegionsUnread is not null ? [""]
        : target.Connection.Regions;

    private async Task<ImmutableArray<ReachedTarget>> EnterAsync(Target target, CancellationToken cancellationToken)
    {
        var trail = transport.BeginTrail();
        try
        {
            var connections = await limit.RunAsync(
                new LimitKey(target.Source, target.Name, "", ""),
                () => new ValueTask<ImmutableArray<Connection>>(collectors[target.Source].ConnectAsync(target, cancellationToken)),
                cancellationToken);
            // Accounts are entered concurrently, but each has its own files; sorting by file gives the same order in a replay.
            ImmutableArray<ExchangeReference> exchanges = [.. trail.Drain().OrderBy(e => e.File, StringComparer.Ordinal)];
            // Without a request for the whole, it would be an account of which nothing is read.
            var wanted = connections.Where(c => c.Whole is null || plan.Requests.Any(r => r.Target == target.Name && _wholes[r.Key] == c.Whole));
            return [.. wanted.Select((connection, i) => new ReachedTarget(target, connection, null, connection.Failure, i == 0 ? exchanges : []))];
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            var (code, message) = Failures.Describe(e);
            return [new(target, null, null, new(code, message, 1), trail.Drain())];
        }
    }

    /// <summary>
    /// Ensures that an account which two targets reach is read once: a target that names it takes precedence over one that found it in a
    /// list, then the first in order. If another target reads the account, this target's failure to enter it is dropped.
    /// </summary>
    private static ImmutableArray<ReachedTarget> OncePerAccount(IEnumerable<ReachedTarget> entered)
    {
        var all = entered.ToImmutableArray();
        var readers = new Dictionary<(string Source, string Account), string>();
        foreach (var t in all.Where(t => t.IsEntered).OrderBy(t => t.Connection!.IsFound || t.Connection.Listed is not null))
            readers.TryAdd((t.Target.Source, t.Account), t.Target.Name);
        return
        [
            .. all.Select(t => t.Account.Length > 0 && readers.TryGetValue((t.Target.Source, t.Account), out var reader) && reader != t.Target.Name
                ? t with { ReadThrough = reader, Failure = null }
                : t),
        ];
    }
}
