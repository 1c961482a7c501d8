using System.Collections.Concurrent;
using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Running;

/// <summary>The resources that a collector keeps open for one target.</summary>
internal interface ITargetSession : IDisposable
{
    /// <summary>The endpoints used so far that are not the provider's own over https, as scheme and authority.</summary>
    IEnumerable<string> UnusualEndpoints { get; }
}

/// <summary>
/// The sessions of one collector. Each is opened at the first request for its target and kept until the collector is disposed.
/// </summary>
/// <param name="open">Opens a session; failures propagate, and the next request tries again.</param>
internal sealed class TargetSessions<TSession>(Func<Target, CancellationToken, Task<TSession>> open) : IDisposable
    where TSession : class, ITargetSession
{
    private readonly ConcurrentDictionary<string, TSession> _sessions = new(StringComparer.Ordinal);

    /// <summary>The unusual endpoints of all sessions, distinct and sorted.</summary>
    public ImmutableArray<string> UnusualEndpoints =>
        [.. _sessions.Values.SelectMany(s => s.UnusualEndpoints).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Returns the target's session and opens it if necessary.</summary>
    public async Task<TSession> OpenAsync(Target target, CancellationToken cancellationToken)
    {
        if (_sessions.TryGetValue(target.Name, out var known))
            return known;
        var opened = await open(target, cancellationToken);
        var kept = _sessions.GetOrAdd(target.Name, opened);
        if (kept != opened)
            opened.Dispose();
        return kept;
    }

    /// <summary>Returns the session of a connected target.</summary>
    /// <exception cref="InvalidOperationException">The target was not connected to.</exception>
    public TSession Connected(string target) =>
        _sessions.GetValueOrDefault(target) ?? throw new InvalidOperationException($"{target} is not connected to");

    public void Dispose()
    {
        foreach (var session in _sessions.Values)
            session.Dispose();
    }
}
