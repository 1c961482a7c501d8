using System.Collections.Immutable;
using AuditCli.Collectors;
using AuditCli.Collectors.Http;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli;

/// <summary>That what one run collected was evaluated and sealed by a later one.</summary>
/// <param name="BundleId">The id that the earlier run was to be sealed under.</param>
internal sealed record Resumption(string BundleId, DateTimeOffset At, string User, string Machine);

/// <summary>What happened in a run besides its evidence and results.</summary>
internal sealed record RunFacts
{
    public required DateTimeOffset Started { get; init; }
    public required DateTimeOffset Finished { get; init; }

    /// <summary>The moment that point-in-time tests speak of.</summary>
    public required DateTimeOffset AsOf { get; init; }

    /// <summary>In a replay, when its exchanges were recorded; null live.</summary>
    public required RecordedDates? Recorded { get; init; }
    public required ImmutableArray<UnusedRecordings> Unused { get; init; }
    public required ImmutableArray<ReachedTarget> Reached { get; init; }

    /// <summary>Every file handed in, as the bundle keeps it.</summary>
    public required ImmutableArray<BundledInput> Inputs { get; init; }

    /// <summary>Every endpoint used that is not its provider's own, in order.</summary>
    public required ImmutableArray<string> UnusualEndpoints { get; init; }
    public required ImmutableSortedDictionary<string, TimeSpan> ClockOffsets { get; init; }
    public required RequestLimits Limits { get; init; }

    /// <summary>The operating system's user who ran it.</summary>
    public required string User { get; init; }
    public required string Machine { get; init; }

    /// <summary>Which run this one finished, when and by whom; null where it was run in one go.</summary>
    public Resumption? Resumed { get; init; }

    /// <summary>Files that were sealed although they hold what looks like a credential, because somebody said so.</summary>
    public ImmutableArray<CredentialFound> Leaks { get; init; } = [];

    /// <summary>Accounts that the engagement leaves out and no other target reads: what speaks of the whole engagement does not know them.</summary>
    public IEnumerable<LeftOutPlace> Excluded => Reached.Where(t => t.ReadThrough is null && t.Connection is { Excluded: true })
        .Select(t => new LeftOutPlace(t.Target.Source, t.Target.Name, t.Account, LimitationCodes.AccountLeftOut, "left out by exclude_accounts, so nothing of it was read"));

    public string Mode => Recorded is null ? "live" : "replay";

    /// <summary>Targets and accounts that were not read, or not by themselves, for the list of what was not tested.</summary>
    public IEnumerable<NotTested> NotRead => Reached.Where(t => t.ReadThrough is not null || t.Connection?.LeftOut is not null)
        .Select(t => new NotTested(t.Target.Name, t.ReadThrough is { } reader ? $"account {t.Account} is read through target {reader}" : t.Connection!.LeftOut!));
}
