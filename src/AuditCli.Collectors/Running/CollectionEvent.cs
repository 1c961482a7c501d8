using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Running;

/// <summary>The progress events of a run; the command displays them and the run log keeps them.</summary>
public abstract record CollectionEvent
{
    private CollectionEvent()
    {
    }

    /// <summary>A target was entered, and its identity is known.</summary>
    public sealed record TargetReached(Connection Connection) : CollectionEvent;

    /// <summary>A target could not be entered; everything planned for it becomes a scope limitation.</summary>
    /// <param name="Unsent">The number of evidence items for which no request is sent because of it.</param>
    public sealed record TargetFailed(string Target, string Code, string Message, int Unsent) : CollectionEvent;

    /// <summary>The accounts and regions are known, and with them the number of evidence items.</summary>
    public sealed record Planned(int Items) : CollectionEvent;

    /// <summary>An operation that is called per parent row is in progress; <paramref name="Calls"/> of the calls have ended.</summary>
    public sealed record CallsMade(string Operation, string Account, string Region, long Calls) : CollectionEvent;

    /// <summary>A wait begins that a server asked for.</summary>
    public sealed record Waiting(RequestedWait Wait) : CollectionEvent;

    /// <summary>An evidence item is finished.</summary>
    /// <param name="WasToldBefore">Whether the failure of its target, which was told before, is all that there is to say about it.</param>
    public sealed record ItemFinished(EvidenceItem Item, bool WasToldBefore = false) : CollectionEvent;
}
