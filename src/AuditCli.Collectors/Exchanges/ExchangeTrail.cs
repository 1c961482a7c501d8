using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// Collects a reference to every attempt made in the async flow that began it, including retries, in the order of their responses. Safe for
/// flows that branch.
/// </summary>
/// <param name="askedFor">The value of <see cref="Evidence.Warc.HttpExchange.AskedFor"/>.</param>
public sealed class ExchangeTrail(string? askedFor)
{
    private readonly Lock _turn = new();
    private readonly List<ExchangeReference> _seen = [];

    internal string? AskedFor => askedFor;

    /// <summary>Returns the references collected since the last call.</summary>
    public ImmutableArray<ExchangeReference> Drain()
    {
        lock (_turn)
        {
            ImmutableArray<ExchangeReference> seen = [.. _seen];
            _seen.Clear();
            return seen;
        }
    }

    internal void Add(ExchangeReference reference)
    {
        lock (_turn)
            _seen.Add(reference);
    }
}
