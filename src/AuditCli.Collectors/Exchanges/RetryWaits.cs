using System.Globalization;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Exchanges;

/// <summary>A wait that a server asked for. People are told of it, because a run that waits looks like one that hangs.</summary>
/// <param name="Host">The host that asked, without credentials.</param>
/// <param name="Next">The number of the attempt that follows the wait, counted from 1.</param>
/// <param name="Of">The number of attempts; null where it is the time that is limited.</param>
public sealed record RequestedWait(TimeSpan Wait, string Host, int Status, int Next, int? Of)
{
    internal static RequestedWait? From(TimeSpan? asked, Uri? host, int status, int next, int? of) =>
        asked is { } wait ? new(wait, CredentialText.Clean(host?.Host ?? ""), status, next, of) : null;

    /// <summary>Returns the line for people.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"waiting {Math.Ceiling(Wait.TotalSeconds)} s, as {Host} asked ({Status}), try {Next}{(Of is { } most ? $" of {most}" : "")}");
}

/// <summary>Waits between the attempts at a request, and tells of each wait that a server asked for as it begins.</summary>
/// <param name="clock">Null in a replay, which does not wait.</param>
internal sealed class RetryWaits(TimeProvider? clock, Action<RequestedWait> tell)
{
    /// <summary>Whether nothing waits, because every attempt is a recorded one.</summary>
    public bool IsReplay => clock is null;

    /// <summary>Waits as long as the server asks, or the client's own time if that is longer.</summary>
    /// <param name="asked">Null if the server does not ask for a wait.</param>
    public Task WaitAsync(TimeSpan own, RequestedWait? asked, CancellationToken cancellationToken)
    {
        var wait = RetryAfter.OrOwn(asked?.Wait, own);
        if (clock is null || wait <= TimeSpan.Zero)
            return Task.CompletedTask;
        if (asked is not null)
            tell(asked with { Wait = wait });
        return Task.Delay(wait, clock, cancellationToken);
    }
}
