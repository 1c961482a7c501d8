namespace AuditCli.Collectors;

/// <summary>What a request counts against.</summary>
/// <param name="Owner">Whose quota it is: an AWS account, a Google consumer project, a cluster.</param>
/// <param name="Region">AWS counts by region; empty where the provider does not.</param>
public readonly record struct LimitKey(string Source, string Owner, string Region, string Service);

/// <summary>
/// How many requests may be on their way at once: for an account and region, because that is how providers count; for each service of
/// them, so that a slow or throttling one holds up only itself; and in all, because each request on its way costs a connection and
/// memory. A request waits for all three together and holds none of them meanwhile. Safe for any number of callers.
/// </summary>
public sealed class ConcurrencyLimit(RequestLimits limits)
{
    private readonly Lock _turn = new();

    /// <summary>What is on its way, by account and region, and by service of them.</summary>
    private readonly Dictionary<LimitKey, int> _underWay = [];

    /// <summary>Those that wait, in the order of their coming; by service, in the order in which these are looked at next.</summary>
    private readonly Dictionary<LimitKey, Queue<TaskCompletionSource>> _waiting = [];
    private readonly LinkedList<LimitKey> _next = new();
    private int _all;

    /// <summary>Runs one step, such as fetching a page, when all limits allow it.</summary>
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
        // Continued elsewhere: whoever leaves must not run the next one's step first.
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

    /// <summary>Lets in whoever there is room for: one of each service in turn, so that none waits for another's long row.</summary>
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
            // Those who were cancelled meanwhile have left by themselves.
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
