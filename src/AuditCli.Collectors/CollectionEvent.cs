using AuditCli.Evidence;

namespace AuditCli.Collectors;

/// <summary>What a run tells about itself while it works; the command shows it and the run log keeps it.</summary>
public abstract record CollectionEvent
{
    private CollectionEvent()
    {
    }

    /// <summary>A target answered who we are.</summary>
    public sealed record TargetReached(Connection Connection) : CollectionEvent;

    /// <summary>A target could not be entered; everything planned for it is a scope limitation.</summary>
    public sealed record TargetFailed(string Target, string Code, string Message) : CollectionEvent;

    /// <summary>The accounts and regions are known, and so is the number of evidence items.</summary>
    public sealed record Planned(int Items) : CollectionEvent;

    /// <summary>One call per parent row is under way; <paramref name="Calls"/> of them have ended.</summary>
    public sealed record CallsMade(string Operation, string Account, string Region, long Calls) : CollectionEvent;

    /// <summary>An evidence item is finished.</summary>
    public sealed record ItemFinished(EvidenceItem Item) : CollectionEvent;
}
