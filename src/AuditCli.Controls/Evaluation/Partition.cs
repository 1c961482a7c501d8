using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Controls.Evaluation;

/// <summary>Something that could not be read, or not as it stood: what it was, where, and in the provider's words why.</summary>
/// <param name="Evidence">The control's name for the table.</param>
/// <param name="Code">The provider's code, or one of AuditCli's own (<see cref="LimitationCodes"/>).</param>
/// <param name="Count">How many calls it concerns.</param>
public sealed record Limitation(
    string Evidence,
    string Target,
    string Account,
    string Region,
    string Operation,
    CollectionOutcome Outcome,
    string Code,
    string Message,
    long Count);

/// <summary>The codes of limitations that evaluation itself finds.</summary>
public static class LimitationCodes
{
    /// <summary>Point-in-time evidence was read further from <c>as_of</c> than the engagement tolerates.</summary>
    public const string StateReadAway = "StateReadAway";

    /// <summary>The clock of the machine that read differs too much from the servers', so that no state is of a certain moment.</summary>
    public const string ClockDiffers = "ClockDiffers";

    /// <summary>No answer of the run says its time, so that nobody knows whether the clock of the machine that read was right.</summary>
    public const string ClockNotCompared = "ClockNotCompared";

    /// <summary>An answer was older than tolerated when it came, or says that it is out of date or was changed on the way, so that its state is of no certain moment.</summary>
    public const string OldAnswer = "OldAnswer";

    /// <summary>A target of the engagement was left out of the run by <c>--target</c>, and the test speaks of the whole engagement.</summary>
    public const string TargetLeftOut = "TargetLeftOut";

    /// <summary>An account of a target was left out by the engagement, and the test speaks of the whole engagement.</summary>
    public const string AccountLeftOut = "AccountLeftOut";

    /// <summary>The partition has no such table although the control needs it.</summary>
    public const string NotCollected = "NotCollected";

    /// <summary>The table is marked as not complete, and nobody said why.</summary>
    public const string Incomplete = "Incomplete";
}

/// <summary>The rows of one evidence table in one partition, all regions, and how reading them went.</summary>
/// <param name="Columns">In order, those that begin with an underscore included.</param>
/// <param name="Complete">Every region and every call is Complete.</param>
/// <param name="ReadFrom">When the first of it was asked for, by the servers' clocks; null for what has no such moment (files).</param>
/// <param name="ReadUntil">When the last of it was asked for.</param>
/// <param name="Rows">In canonical order.</param>
/// <param name="Calls">For <c>for_each</c>: the companion table.</param>
/// <param name="ClockOffset">By how much the servers were ahead of the machine that read; null where no answer of the run says its time.</param>
public sealed record EvidenceTable(
    ImmutableArray<Column> Columns,
    bool Complete,
    ImmutableArray<Limitation> Limitations,
    DateTimeOffset? ReadFrom,
    DateTimeOffset? ReadUntil,
    TableRows Rows,
    CallTable? Calls = null,
    TimeSpan? ClockOffset = null)
{
    /// <summary>What a reader should know of a file that could be read, and of what servers warned.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>Codes that were answered and taken for "there is none", each with its calls.</summary>
    public ImmutableArray<NoneAnswer> TakenAsNone { get; init; } = [];

    /// <summary>How old the oldest answer of a cache was; null where none came out of one.</summary>
    public TimeSpan? AnswerAge { get; init; }

    /// <summary>How many answers say that they are out of date, and not by how much.</summary>
    public long StaleAnswers { get; init; }
}

/// <summary>The companion of a <c>for_each</c> table: one row per call, in canonical order.</summary>
public sealed record CallTable(ImmutableArray<Column> Columns, TableRows Rows);

/// <summary>What tests see at a time: one account through one target, with inputs visible in every one.</summary>
/// <param name="Tables">By evidence name.</param>
public sealed record Partition(string Target, string Account, ImmutableSortedDictionary<string, EvidenceTable> Tables)
{
    /// <summary>The target and account of the union of all partitions (<c>across: engagement</c>).</summary>
    public const string Everywhere = "*";
}

/// <summary>The moment and the period that tests speak of, UTC; SQL sees them as <c>$as_of</c>, <c>$period_start</c> and <c>$period_end</c>.</summary>
/// <param name="PeriodEnd">Midnight after the last day.</param>
public sealed record AuditMoment(DateTimeOffset AsOf, DateTimeOffset PeriodStart, DateTimeOffset PeriodEnd, TimeSpan AsOfTolerance)
{
    private static readonly TimeSpan MostClockOffset = TimeSpan.FromMinutes(5);

    /// <summary>How far the clock of the machine that reads may be from the servers': a tenth of the tolerance, at most 5 minutes.</summary>
    public TimeSpan ClockLimit => AsOfTolerance / 10 < MostClockOffset ? AsOfTolerance / 10 : MostClockOffset;
}

/// <summary>When a run's evidence was read, and how far the clock of the machine that read it was from the servers'.</summary>
/// <param name="ReadFrom">The first request, by the servers' clocks; null where nothing was asked of a server.</param>
/// <param name="ReadUntil">The last request.</param>
/// <param name="Offset">By how much the servers were ahead, where it was most; null where no answer says its time.</param>
public sealed record EvidenceClock(DateTimeOffset? ReadFrom, DateTimeOffset? ReadUntil, TimeSpan? Offset)
{
    /// <summary>How old the oldest answer of a cache was.</summary>
    public TimeSpan? AnswerAge { get; init; }

    /// <summary>How many answers say that they are out of date; null for none.</summary>
    public long? StaleAnswers { get; init; }
}

/// <summary>What one test may use before it is stopped and becomes ERROR.</summary>
/// <param name="TestTime">For loading a partition's tables, for a completeness check, and for a test: each.</param>
/// <param name="Memory">DuckDB's <c>memory_limit</c>, such as <c>2GB</c>.</param>
public sealed record EvaluationLimits(TimeSpan TestTime, string Memory)
{
    /// <summary>Bytes of memory that a process of its own may write to in all (Linux: RLIMIT_DATA); more than <see cref="Memory"/>.</summary>
    public long ProcessMemory { get; init; } = 4L << 30;

    /// <summary>Bytes of rows that a process of its own may give for one partition of one control.</summary>
    public long Output { get; init; } = 4L << 30;

    /// <summary>For parsing and judging SQL, before any of it runs: of the library's controls it takes milliseconds.</summary>
    public TimeSpan SqlTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long after <see cref="TestTime"/> a process that does not stop by itself is killed.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    public static EvaluationLimits Default { get; } = new(TimeSpan.FromMinutes(5), "2GB");

    /// <summary>Of a process that only parses SQL.</summary>
    public static EvaluationLimits Reading { get; } = new(TimeSpan.FromSeconds(10), "256MB") { ProcessMemory = 1L << 30 };
}
