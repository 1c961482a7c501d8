using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Http;
using AuditCli.Evidence;

namespace AuditCli.Collectors;

/// <summary>What came of asking one operation for its first page.</summary>
public enum ProbeOutcome
{
    /// <summary>It answered, or said in the provider's own way that there is none.</summary>
    Readable,

    /// <summary>It was refused, or failed.</summary>
    Refused,

    /// <summary>It was not asked: there was nothing to ask it for, or asking would change something.</summary>
    NotAsked,
}

/// <summary>One planned question, in one account and region, asked as cheaply as it can be.</summary>
/// <param name="Code">The provider's code, or the collector's; null where there is none.</param>
/// <param name="Message">Its words, or why nothing was asked.</param>
public sealed record ProbedOperation(PlannedRequest Request, string Account, string Region, ProbeOutcome Outcome, string? Code, string? Message);

/// <summary>A target, and what came of entering it and asking it.</summary>
/// <param name="Connections">Every account that it reaches; empty where it could not be entered.</param>
/// <param name="Failure">Why it could not be entered; null where it could.</param>
/// <param name="AccountsAsked">In how many of its accounts anything was asked: the first of those that can be read.</param>
public sealed record ProbedTarget(
    Target Target, ImmutableArray<Connection> Connections, ReadFailure? Failure, int AccountsAsked, ImmutableArray<ProbedOperation> Operations)
{
    /// <summary>The accounts that would be read.</summary>
    public IEnumerable<Connection> Readable => Connections.Where(c => c is { LeftOut: null, Failure: null });

    /// <summary>What stands in the way of entering it or one of its accounts, or of knowing which accounts these are.</summary>
    public IEnumerable<(string Account, ReadFailure Failure)> NotEntered =>
    [
        .. Failure is { } whole ? [("", whole)] : Array.Empty<(string, ReadFailure)>(),
        .. Connections.Where(c => c.Failure is not null).Select(c => (c.Account, c.Failure!)),
    ];
}

/// <summary>
/// Asks everything that a plan would ask, each for its first page alone, and keeps nothing: what will be denied is known before the run. A
/// question for a parent's rows is asked for the first of them; an operation with a side effect is not asked.
/// </summary>
/// <param name="mostAccounts">Of each target; more would be no longer cheap.</param>
public sealed class AccessProbe(
    CollectionPlan plan, ImmutableDictionary<string, ICollector> collectors, ExchangeTransport transport, ConcurrencyLimit limit, int mostAccounts)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Enters every target and asks. Failures are in the result; what is thrown is cancellation.</summary>
    public async Task<ImmutableArray<ProbedTarget>> RunAsync(ImmutableArray<Target> targets, CancellationToken cancellationToken) =>
        [.. await Task.WhenAll(targets.Select(t => ProbeAsync(t, cancellationToken)))];

    private async Task<ProbedTarget> ProbeAsync(Target target, CancellationToken cancellationToken)
    {
        ImmutableArray<Connection> connections;
        try
        {
            transport.BeginTrail();
            connections = await limit.RunAsync(new LimitKey(target.Source, target.Name, "", ""), () => new ValueTask<ImmutableArray<Connection>>(collectors[target.Source].ConnectAsync(target, cancellationToken)), cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            var (code, message) = Failures.Describe(e);
            return new(target, [], new(code, message, 1), 0, []);
        }
        var asked = connections.Where(c => c is { LeftOut: null, Failure: null }).Take(mostAccounts).ToImmutableArray();
        var unasked = ImmutableArray.CreateBuilder<ProbedOperation>();
        var pages = new Dictionary<(string Account, string Key, string Region), Task<FirstPage>>();
        foreach (var connection in asked)
        {
            foreach (var request in plan.Requests.Where(r => r.Target == target.Name))
            {
                if (request.Operation.Scope != OperationScope.Global && connection.RegionsUnread is { } unread)
                    unasked.Add(new(request, connection.Account, "", ProbeOutcome.Refused, unread.Code, unread.Message));
                foreach (var region in request.Operation.Scope == OperationScope.Global ? [connection.GlobalRegion] : connection.Regions)
                {
                    var parent = request.ParentKey is { } key ? pages[(connection.Account, key, region)] : null;
                    pages[(connection.Account, request.Key, region)] = Task.Run(() => AskAsync(new RequestPlace(plan, request, connection, region), parent, cancellationToken), cancellationToken);
                }
            }
        }
        var answers = await Task.WhenAll(pages.Values);
        return new(target, connections, null, asked.Length, [.. unasked, .. answers.Select(a => a.Result)]);
    }

    private async Task<FirstPage> AskAsync(RequestPlace place, Task<FirstPage>? parent, CancellationToken cancellationToken)
    {
        var parameters = place.Request.Parameters;
        if (place.Request.Operation.SideEffect is { } effect)
            return Not(place, $"asking has a side effect: it {effect}");
        if (parent is not null)
        {
            var (above, row) = await parent;
            if (row is not { } first)
                return Not(place, above.Outcome == ProbeOutcome.Readable ? $"{above.Request.Operation.Name} has nothing to ask it for" : $"{above.Request.Operation.Name} was not read");
            foreach (var (parameter, column) in place.Request.With)
            {
                if (Value(place, first, column) is not { } value)
                    return Not(place, $"the first row of {above.Request.Operation.Name} has no {column}");
                parameters = parameters.SetItem(parameter, value);
            }
        }
        return await FirstAsync(place, parameters, cancellationToken);
    }

    private async Task<FirstPage> FirstAsync(RequestPlace place, ImmutableSortedDictionary<string, JsonElement> parameters, CancellationToken cancellationToken)
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
                return new(Probed(place, ProbeOutcome.Refused, part.Code, part.Message), null);
            return new(Probed(place, ProbeOutcome.Readable, null, null), any && pages.Current.Rows is [var row, ..] ? row.Value.Clone() : null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(Probed(place, ProbeOutcome.Refused, "NoAnswer", $"no answer within {Patience.TotalMinutes:0} minutes"), null);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var (code, message) = Failures.Describe(e);
            return new(Probed(place, place.Request.TakesAsNone(code) ? ProbeOutcome.Readable : ProbeOutcome.Refused, code, message), null);
        }
    }

    private static JsonElement? Value(RequestPlace place, JsonElement row, string column) => column switch
    {
        "_target" => JsonSerializer.SerializeToElement(place.Connection.Target.Name),
        "_account" => JsonSerializer.SerializeToElement(place.Connection.Account),
        "_region" => JsonSerializer.SerializeToElement(place.Region),
        _ => row.TryGetProperty(column, out var value) && value.ValueKind != JsonValueKind.Null ? value : null,
    };

    private static FirstPage Not(RequestPlace place, string why) => new(Probed(place, ProbeOutcome.NotAsked, null, why), null);

    private static ProbedOperation Probed(RequestPlace place, ProbeOutcome outcome, string? code, string? message) =>
        new(place.Request, place.Connection.Account, place.Region, outcome, code, message);

    private sealed record FirstPage(ProbedOperation Result, JsonElement? Row);
}
