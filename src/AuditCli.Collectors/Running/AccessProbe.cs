using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Running;

/// <summary>The result of requesting the first page of one operation.</summary>
public enum ProbeOutcome
{
    /// <summary>The operation returned a page, or the provider's code for "there is none".</summary>
    Readable,

    /// <summary>The request was refused or failed.</summary>
    Refused,

    /// <summary>No request was made: the parent has no row to ask for, or the operation has a side effect.</summary>
    NotAsked,
}

/// <summary>One planned request in one account and region, probed by its first page only.</summary>
/// <param name="Code">The provider's or the collector's code; null if there is none.</param>
/// <param name="Message">The provider's message, or why no request was made.</param>
public sealed record ProbedOperation(PlannedRequest Request, string Account, string Region, ProbeOutcome Outcome, string? Code, string? Message);

/// <summary>A target, with the result of connecting to it and of probing its operations.</summary>
/// <param name="Accounts">Every account that the target reaches; a single one without a connection if the target could not be entered.</param>
/// <param name="AccountsAsked">The number of accounts probed: the first of those that are read through this target.</param>
public sealed record ProbedTarget(
    Target Target, ImmutableArray<ReachedTarget> Accounts, int AccountsAsked, ImmutableArray<ProbedOperation> Operations)
{
    /// <summary>Why the target could not be entered; null if it could.</summary>
    public ReadFailure? Failure => Accounts is [{ Connection: null, Failure: { } whole }] ? whole : null;

    /// <summary>The connections to its accounts; empty if the target could not be entered.</summary>
    public IEnumerable<Connection> Connections => Accounts.Select(a => a.Connection).OfType<Connection>();

    /// <summary>The accounts that would be read through this target.</summary>
    public IEnumerable<Connection> Readable => Accounts.Where(a => a.IsRead).Select(a => a.Connection!);

    /// <summary>The accounts that would be read through another target, each with the name of that target.</summary>
    public IEnumerable<(string Account, string Target)> ReadElsewhere =>
        Accounts.Where(a => a.ReadThrough is not null).Select(a => (a.Account, a.ReadThrough!));

    /// <summary>Whether one of its accounts would be read, through this target or through another.</summary>
    public bool IsRead => Accounts.Any(a => a.IsRead || a.ReadThrough is not null);

    /// <summary>
    /// The failures to enter the target or one of its accounts, or to list its accounts completely (with an empty account).
    /// </summary>
    public IEnumerable<(string Account, ReadFailure Failure)> NotEntered =>
        Accounts.Where(a => a.Failure is not null).Select(a => (a.Account, a.Failure!));
}

/// <summary>
/// Requests the first page of everything that a plan would read and keeps nothing, so that denied operations are known before the run. For
/// an operation that is called per parent row, only the first parent row is used; an operation with a side effect is not called.
/// </summary>
/// <param name="mostAccounts">The number of accounts probed for each target; the limit keeps the probe cheap.</param>
public sealed class AccessProbe(
    CollectionPlan plan, ImmutableDictionary<string, ICollector> collectors, ExchangeTransport transport, ConcurrencyLimit limit, int mostAccounts)
{
    private readonly TargetWalk _walk = new(plan, collectors, transport, limit);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Connects to every target and probes its operations. Failures are part of the result; the method throws only on cancellation.
    /// </summary>
    public async Task<ImmutableArray<ProbedTarget>> RunAsync(ImmutableArray<Target> targets, CancellationToken cancellationToken)
    {
        var reached = await _walk.ConnectAsync(targets, cancellationToken);
        return [.. await Task.WhenAll(targets.Select(t => ProbeAsync(t, [.. reached.Where(r => r.Target.Name == t.Name)], cancellationToken)))];
    }

    private async Task<ProbedTarget> ProbeAsync(Target target, ImmutableArray<ReachedTarget> accounts, CancellationToken cancellationToken)
    {
        var asked = accounts.Where(a => a.IsRead).Take(mostAccounts).ToImmutableArray();
        var unasked = ImmutableArray.CreateBuilder<ProbedOperation>();
        var pages = new Dictionary<(string Account, string Key, string Region), Task<FirstPage>>();
        foreach (var account in asked)
        {
            foreach (var request in plan.Requests.Where(r => r.Target == target.Name))
            {
                foreach (var region in _walk.PlacesOf(account, request))
                {
                    if (region.Length == 0)
                    {
                        var unread = account.Connection!.RegionsUnread!;
                        unasked.Add(new(request, account.Account, "", ProbeOutcome.Refused, unread.Code, unread.Message));
                        continue;
                    }
                    var parent = request.ParentKey is { } key ? pages[(account.Account, key, region)] : null;
                    pages[(account.Account, request.Key, region)] = Task.Run(
                        () => AskAsync(new RequestPlace(plan, request, account.Connection!, region), parent, cancellationToken),
                        cancellationToken);
                }
            }
        }
        var answers = await Task.WhenAll(pages.Values);
        return new(target, accounts, asked.Length, [.. unasked, .. answers.Select(a => a.Result)]);
    }

    private async Task<FirstPage> AskAsync(RequestPlace place, Task<FirstPage>? parent, CancellationToken cancellationToken)
    {
        var parameters = place.Request.Parameters;
        if (place.Request.Operation.SideEffect is { } effect)
            return Not(place, $"calling it has a side effect: it {effect}");
        if (parent is not null)
        {
            var (above, rows) = await parent;
            var asking = place.Request.Where is { } where ? new FilteredRows(where, above.Request.Columns) : null;
            if (rows.Where(r => asking?.Takes(r) != false).Select(r => (JsonElement?)r).FirstOrDefault() is not { } first)
            {
                return Not(place, above.Outcome == ProbeOutcome.Readable
                    ? $"{above.Request.Operation.Name} has no rows to call it for{(rows.IsEmpty ? "" : " on its first page")}"
                    : $"{above.Request.Operation.Name} was not read");
            }
            foreach (var (parameter, column) in place.Request.With)
            {
                var path = MemberPath.Of(column, name => above.Request.Columns.Any(c => c.Name == name));
                if (Value(place, first, path) is not { } value)
                    return Not(place, $"the first row of {above.Request.Operation.Name} has no {column}");
                parameters = parameters.SetItem(parameter, value);
            }
        }
        return await FirstAsync(place, parameters, cancellationToken);
    }

    private async Task<FirstPage> FirstAsync(
        RequestPlace place, ImmutableSortedDictionary<string, JsonElement> parameters, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            transport.BeginTrail();
            var (collector, request) = (collectors[place.Connection.Target.Source], place.Ask(parameters));
            await using var pages = collector.CollectAsync(request, patience.Token).GetAsyncEnumerator(patience.Token);
            await collector.ReadyAsync(request, patience.Token);
            var any = await limit.RunAsync(place.LimitKey, pages.MoveNextAsync, patience.Token);
            if (any && pages.Current.NotRead is { } part)
                return new(Probed(place, ProbeOutcome.Refused, part.Code, part.Message), []);
            var keep = RequestCollection.Kept(place.Request);
            return new(
                Probed(place, ProbeOutcome.Readable, null, null),
                any ? [.. pages.Current.Rows.Select(r => r.Value).Where(r => keep?.Takes(r) != false).Select(r => r.Clone())] : []);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(Probed(place, ProbeOutcome.Refused, Codes.NoAnswer, $"no response within {Patience.TotalMinutes:0} minutes"), []);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var (code, message) = Failures.Describe(e);
            return new(Probed(place, place.Request.TakesAsNone(code) ? ProbeOutcome.Readable : ProbeOutcome.Refused, code, message), []);
        }
    }

    private static JsonElement? Value(RequestPlace place, JsonElement row, MemberPath path) => path.Column switch
    {
        "_target" => JsonSerializer.SerializeToElement(place.Connection.Target.Name),
        "_account" => JsonSerializer.SerializeToElement(place.Connection.Account),
        "_region" => JsonSerializer.SerializeToElement(place.Region),
        _ => path.In(row),
    };

    private static FirstPage Not(RequestPlace place, string why) => new(Probed(place, ProbeOutcome.NotAsked, null, why), []);

    private static ProbedOperation Probed(RequestPlace place, ProbeOutcome outcome, string? code, string? message) =>
        new(place.Request, place.Connection.Account, place.Region, outcome, code, message);

    private sealed record FirstPage(ProbedOperation Result, ImmutableArray<JsonElement> Rows);
}
