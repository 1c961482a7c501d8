using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Files;
using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Running;
using AuditCli.Controls;
using AuditCli.Evidence;

namespace AuditCli.Running;

/// <summary>The stopped run whose collected evidence this run evaluated and sealed, and when, by which user and where.</summary>
/// <param name="BundleId">The id of the bundle that the stopped run would have sealed.</param>
internal sealed record Resumption(string BundleId, DateTimeOffset At, string User, string Machine);

/// <summary>The facts of a run in addition to its evidence and results.</summary>
internal sealed record RunFacts
{
    public required DateTimeOffset Started { get; init; }
    public required DateTimeOffset Finished { get; init; }

    /// <summary>The time that point-in-time tests refer to.</summary>
    public required DateTimeOffset AsOf { get; init; }

    /// <summary>For a replay, the dates of its recording; null for a live run.</summary>
    public required RecordedDates? Recorded { get; init; }
    public required ImmutableArray<UnusedRecordings> Unused { get; init; }
    public required ImmutableArray<ReachedTarget> Reached { get; init; }

    /// <summary>Every supplied file, as the bundle holds it.</summary>
    public required ImmutableArray<BundledInput> Inputs { get; init; }

    /// <summary>Every endpoint used that is not its provider's own, in order.</summary>
    public required ImmutableArray<string> UnusualEndpoints { get; init; }
    public required ImmutableSortedDictionary<string, TimeSpan> ClockOffsets { get; init; }
    public required RequestLimits Limits { get; init; }

    /// <summary>The operating system's user who started the run.</summary>
    public required string User { get; init; }
    public required string Machine { get; init; }

    /// <summary>The stopped run that this one finished, with time and user; null if it did not finish one.</summary>
    public Resumption? Resumed { get; init; }

    /// <summary>Files that hold what looks like a credential and were sealed because of <c>--allow-secrets</c>.</summary>
    public ImmutableArray<CredentialFound> Leaks { get; init; } = [];

    /// <summary>The most accounts of a shard; null if the bundle has no shards.</summary>
    public int? UnitsEach { get; init; }

    /// <summary>
    /// Accounts that the engagement excludes and no other target reads. Tests over the whole engagement get a limitation for them.
    /// </summary>
    public IEnumerable<LeftOutPlace> Excluded => Reached.Where(t => t.ReadThrough is null && t.Connection is { Excluded: true })
        .Select(t => LeftOutPlace.Excluded(t.Target.Source, t.Target.Name, t.Account));

    public string Mode => Recorded is null ? RunRecord.Live : RunRecord.Replay;

    /// <summary>Targets and accounts that were not read, or only through another target, for the list of what was not tested.</summary>
    public IEnumerable<NotTested> NotRead => Reached.Where(t => t.ReadThrough is not null || t.Connection?.LeftOut is not null)
        .Select(t => new NotTested(
            t.Target.Name, t.ReadThrough is { } reader ? RunTarget.IsReadThrough(t.Account, reader) : t.Connection!.LeftOut!));
}
