using System.Collections.Concurrent;

namespace AuditCli.Collectors;

/// <summary>
/// How many requests may be on their way at once: overall, and per service and region of an account, so that a slow or
/// throttling service holds up only itself.
/// </summary>
public sealed class ConcurrencyLimit(int overall, int perServiceAndRegion) : IDisposable
{
    private readonly SemaphoreSlim _overall = new(overall);
    private readonly ConcurrentDictionary<(string Account, string Service, string Region), SemaphoreSlim> _services = new();

    /// <summary>Runs one step, such as fetching a page, when both limits allow it.</summary>
    public async Task<T> RunAsync<T>((string Account, string Service, string Region) key, Func<ValueTask<T>> step, CancellationToken cancellationToken)
    {
        var service = _services.GetOrAdd(key, _ => new(perServiceAndRegion));
        await service.WaitAsync(cancellationToken);
        try
        {
            await _overall.WaitAsync(cancellationToken);
            try
            {
                return await step();
            }
            finally
            {
                _overall.Release();
            }
        }
        finally
        {
            service.Release();
        }
    }

    public void Dispose()
    {
        _overall.Dispose();
        foreach (var service in _services.Values)
            service.Dispose();
    }
}
