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
/// <param name="Connections">Every account that the target reaches; empty if the connect failed.</param>
/// <param name="Failure">Why the target could not be entered; null if it could.</param>
/// <param name="AccountsAsked">The number of accounts probed: the first of those that can be read.</param>
public sealed record ProbedTarget(
    Target Target, ImmutableArray<Connection> Connections, ReadFailure? Failure, int AccountsAsked, ImmutableArray<ProbedOperation> Operations)
{
    /// <summary>The accounts that would be read.</summary>
    public IEnumerable<Connection> Readable => Connections.Where(c => c is { LeftOut: null, Failure: null });

    /// <summary>
    /// The failures to enter the target or one of its accounts, or to list its accounts completely (with an empty account).
    /// </summary>
    public IEnumerable<(string Account, ReadFailure Failure)> NotEntered =>
    [
        .. Failure is { } whole ? [("", whole)] : Array.Empty<(string, ReadFailure)>(),
        .. Connections.Where(c => c.Failure is not null).Select(c => (c.Account, c.Failure!)),
    ];
}

/// <summary>
/// Requests the first page of everything that a plan would read and keeps nothing, so that denied operations are known before the run. For
/// an operation that is called per parent row, only the first parent row is used; an operation with a side effect is not called.
/// </summary>
/// <param name="mostAccounts">The number of accounts probed for each target; the limit keeps the probe cheap.</param>
public sealed class AccessProbe(
    CollectionPlan plan, ImmutableDictionary<string, ICollector> collectors, ExchangeTransport transport, ConcurrencyLimit limit, int mostAccounts)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Connects to every target and probes its operations. Failures are part of the result; the method throws only on cancellation.
    /// </summary>
    public async Task<ImmutableArray<ProbedTarget>> RunAsync(ImmutableArray<Target> targets, CancellationToken cancellationToken) =>
        [.. await Task.WhenAll(targets.Select(t => ProbeAsync(t, cancellationToken)))];

    private async Task<ProbedTarget> ProbeAsync(Target target, CancellationToken cancellationToken)
    {
        ImmutableArray<Connection> connections;
        try
        {
            transport.BeginTrail();
            connections = await limit.RunAsync(
                new LimitKey(target.Source, target.Name, "", ""),
                () => new ValueTask<ImmutableArray<Connection>>(collectors[target.Source].ConnectAsync(target, cancellationToken)),
                cancellationToken);
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
                    pages[(connection.Account, request.Key, region)] = Task.Run(
                        () => AskAsync(new RequestPlace(plan, request, connection, region), parent, cancellationToken),
                        cancellationToken);
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
            {
                return Not(place, above.Outcome == ProbeOutcome.Readable
                    ? $"{above.Request.Operation.Name} has nothing to ask it for"
                    : $"{above.Request.Operation.Name} was not read");
            }
            foreach (var (parameter, column) in place.Request.With)
            {
                if (Value(place, first, column) is not { } value)
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
                return new(Probed(place, ProbeOutcome.Refused, part.Code, part.Message), null);
            return new(Probed(place, ProbeOutcome.Readable, null, null), any && pages.Current.Rows is [var row, ..] ? row.Value.Clone() : null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(Probed(place, ProbeOutcome.Refused, Codes.NoAnswer, $"no answer within {Patience.TotalMinutes:0} minutes"), null);
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
