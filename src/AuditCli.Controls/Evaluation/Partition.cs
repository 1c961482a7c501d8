using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Evidence that could not be read, or not in the required state: what it was, where, and the provider's reason.
/// </summary>
/// <param name="Evidence">The control's name for the table.</param>
/// <param name="Code">The provider's code, or one of AuditCli's own (<see cref="LimitationCodes"/>).</param>
/// <param name="Count">The number of affected calls.</param>
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

/// <summary>The rows of one evidence table in one partition, all regions, and the outcome of reading them.</summary>
/// <param name="Columns">The columns in order, including those that begin with an underscore.</param>
/// <param name="Complete">Whether every region and every call is Complete.</param>
/// <param name="ReadFrom">
/// When the first request for it was made, by the servers' clocks; null for files, which have no such moment.
/// </param>
/// <param name="ReadUntil">When the last request for it was made.</param>
/// <param name="Rows">The rows in canonical order.</param>
/// <param name="Calls">With <c>for_each</c>: the table of calls.</param>
/// <param name="ClockOffset">
/// How far the servers were ahead of the collecting machine; null where no response of the run has a date.
/// </param>
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
    /// <summary>Remarks for a reader on a file that could be read, and on warnings from servers.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>Error codes that counted as "there is none", each with its number of calls.</summary>
    public ImmutableArray<NoneAnswer> TakenAsNone { get; init; } = [];

    /// <summary>The age of the oldest response from a cache; null where no response came from a cache.</summary>
    public TimeSpan? AnswerAge { get; init; }

    /// <summary>How many responses are marked out of date without saying by how much.</summary>
    public long StaleAnswers { get; init; }
}

/// <summary>The table of calls of a <c>for_each</c> table: one row per call, in canonical order.</summary>
public sealed record CallTable(ImmutableArray<Column> Columns, TableRows Rows);

/// <summary>
/// The evidence that tests see at a time: one account through one target, with inputs visible in every partition.
/// </summary>
/// <param name="Tables">The tables by evidence name.</param>
public sealed record Partition(string Target, string Account, ImmutableSortedDictionary<string, EvidenceTable> Tables)
{
    /// <summary>The target and account of the union of all partitions (<c>across: engagement</c>).</summary>
    public const string Everywhere = "*";
}

/// <summary>
/// The moment and the period that tests concern, UTC; SQL sees them as <c>$as_of</c>, <c>$period_start</c> and
/// <c>$period_end</c>.
/// </summary>
/// <param name="PeriodEnd">Midnight after the last day.</param>
public sealed record AuditMoment(DateTimeOffset AsOf, DateTimeOffset PeriodStart, DateTimeOffset PeriodEnd, TimeSpan AsOfTolerance)
{
    private static readonly TimeSpan MostClockOffset = TimeSpan.FromMinutes(5);

    /// <summary>The time zone in which the period's days begin, by its IANA name.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>
    /// How far the collecting machine's clock may be from the servers': a tenth of the tolerance, at most 5 minutes.
    /// </summary>
    public TimeSpan ClockLimit => AsOfTolerance / 10 < MostClockOffset ? AsOfTolerance / 10 : MostClockOffset;
}

/// <summary>When a run's evidence was read, and how far the collecting machine's clock was from the servers'.</summary>
/// <param name="ReadFrom">The first request, by the servers' clocks; null where no server was called.</param>
/// <param name="ReadUntil">The last request.</param>
/// <param name="Offset">
/// How far the servers were ahead, where the difference was largest; null where no response has a date.
/// </param>
public sealed record EvidenceClock(DateTimeOffset? ReadFrom, DateTimeOffset? ReadUntil, TimeSpan? Offset)
{
    /// <summary>The age of the oldest response from a cache.</summary>
    public TimeSpan? AnswerAge { get; init; }

    /// <summary>How many responses are marked out of date; null for none.</summary>
    public long? StaleAnswers { get; init; }
}

/// <summary>The limits of one test; a test that exceeds them is stopped and becomes ERROR.</summary>
/// <param name="TestTime">The time for loading one table, for one completeness check, and for one test: each.</param>
/// <param name="Memory">DuckDB's <c>memory_limit</c>, such as <c>2GB</c>.</param>
public sealed record EvaluationLimits(TimeSpan TestTime, string Memory)
{
    /// <summary>
    /// The bytes of memory to which an evaluation process may write in all (Linux: RLIMIT_DATA); more than <see cref="Memory"/>.
    /// </summary>
    public long ProcessMemory { get; init; } = 4L << 30;

    /// <summary>The bytes of rows that an evaluation process may return for one partition of one control.</summary>
    public long Output { get; init; } = 4L << 30;

    /// <summary>
    /// The time for parsing and checking SQL, before any of it runs; for the library's controls it takes milliseconds.
    /// </summary>
    public TimeSpan SqlTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long after <see cref="TestTime"/> a process that does not stop by itself is killed.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    public static EvaluationLimits Default { get; } = new(TimeSpan.FromMinutes(5), "2GB");

    /// <summary>The limits of a process that only parses SQL.</summary>
    public static EvaluationLimits Reading { get; } = new(TimeSpan.FromSeconds(10), "256MB") { ProcessMemory = 1L << 30 };
}
