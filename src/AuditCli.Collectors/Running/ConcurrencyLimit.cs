using AuditCli.Collectors.Exchanges;

namespace AuditCli.Collectors.Running;

/// <summary>The limits that a request counts against.</summary>
/// <param name="Owner">The owner of the quota: an AWS account, a Google consumer project, or a cluster.</param>
/// <param name="Region">The region, since AWS counts by region; empty for a provider that does not.</param>
public readonly record struct LimitKey(string Source, string Owner, string Region, string Service);

/// <summary>
/// Limits the number of concurrent requests: per account and region, because providers count that way; per service within these, so that a
/// slow or throttling service delays only itself; and in total, because each request costs a connection and memory. A request waits for all
/// three limits together and holds no slot while it waits. Thread-safe.
/// </summary>
public sealed class ConcurrencyLimit(RequestLimits limits)
{
    private readonly Lock _turn = new();

    /// <summary>The number of requests in progress, by account and region, and by service within these.</summary>
    private readonly Dictionary<LimitKey, int> _underWay = [];

    /// <summary>Waiting requests by service, in order of arrival; <c>_next</c> is the order in which the services are looked at.</summary>
    private readonly Dictionary<LimitKey, Queue<TaskCompletionSource>> _waiting = [];
    private readonly LinkedList<LimitKey> _next = new();
    private int _all;

    /// <summary>Runs one step, such as fetching a page, once all limits allow it.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before the step began, or by the step.</exception>
    public async Task<T> RunAsync<T>(LimitKey key, Func<ValueTask<T>> step, CancellationToken cancellationToken)
    {
        await EnterAsync(key, cancellationToken);
        try
        {
            return await step();
        }
        finally
        {
            Leave(key);
        }
    }

    private static LimitKey PlaceOf(LimitKey key) => key with { Service = "" };

    private async ValueTask EnterAsync(LimitKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        // Run the continuation asynchronously: the releasing caller must not execute the next caller's step.
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_turn)
        {
            if (!_waiting.ContainsKey(key) && HasRoom(key))
            {
                Count(key, 1);
                return;
            }
            if (!_waiting.TryGetValue(key, out var row))
            {
                _waiting.Add(key, row = new());
                _next.AddLast(key);
            }
            row.Enqueue(turn);
        }
        await using var cancelled = cancellationToken.UnsafeRegister(static (t, c) => ((TaskCompletionSource)t!).TrySetCanceled(c), turn);
        await turn.Task;
    }

    private void Leave(LimitKey key)
    {
        lock (_turn)
        {
            Count(key, -1);
            Admit();
        }
    }

    /// <summary>
    /// Admits waiting requests while there are free slots: one of each service in turn, so that no service waits for another's long queue.
    /// </summary>
    private void Admit()
    {
        for (var (at, looked) = (_next.First, _next.Count); at is not null && looked > 0 && _all < limits.AtOnce; looked--)
        {
            var (here, key) = (at, at.Value);
            at = at.Next;
            if (!HasRoom(key))
                continue;
            var row = _waiting[key];
            _next.Remove(here);
            // A cancelled request is still in the queue but already completed; it is skipped.
            while (row.TryDequeue(out var turn))
            {
                if (!turn.TrySetResult())
                    continue;
                Count(key, 1);
                break;
            }
            if (row.Count > 0)
                _next.AddLast(here);
            else
                _waiting.Remove(key);
        }
    }

    private bool HasRoom(LimitKey key) =>
        _all < limits.AtOnce && _underWay.GetValueOrDefault(PlaceOf(key)) < limits.PerAccountAndRegion && _underWay.GetValueOrDefault(key) < limits.PerService;

    private void Count(LimitKey key, int change)
    {
        _all += change;
        foreach (var counted in key.Service.Length == 0 ? [key] : new[] { key, PlaceOf(key) })
        {
            var now = _underWay.GetValueOrDefault(counted) + change;
            if (now == 0)
                _underWay.Remove(counted);
            else
                _underWay[counted] = now;
        }
    }
}
