using System.Collections.Concurrent;
using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors;

/// <summary>What a collector holds open for one target.</summary>
internal interface ITargetSession : IDisposable
{
    /// <summary>The endpoints used so far that are not the provider's own over https, as scheme and authority.</summary>
    IEnumerable<string> UnusualEndpoints { get; }
}

/// <summary>The sessions of one collector, each opened when its target is first asked for and kept until the end.</summary>
/// <param name="open">Opens one; its failures propagate, and the next question tries again.</param>
internal sealed class TargetSessions<TSession>(Func<Target, CancellationToken, Task<TSession>> open) : IDisposable
    where TSession : class, ITargetSession
{
    private readonly ConcurrentDictionary<string, TSession> _sessions = new(StringComparer.Ordinal);

    /// <summary>Of all sessions, each endpoint once, in order.</summary>
    public ImmutableArray<string> UnusualEndpoints =>
        [.. _sessions.Values.SelectMany(s => s.UnusualEndpoints).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>The target's session, opened now if it is not yet.</summary>
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

    /// <summary>The session of a target that was connected to.</summary>
    /// <exception cref="InvalidOperationException">It was not.</exception>
    public TSession Connected(string target) =>
        _sessions.GetValueOrDefault(target) ?? throw new InvalidOperationException($"{target} is not connected to");

    public void Dispose()
    {
        foreach (var session in _sessions.Values)
            session.Dispose();
    }
}
