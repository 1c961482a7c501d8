using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using AuditCli.Evidence;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// The result of an evaluation: <c>data/results/results.json</c>. Nothing in it depends on when or where it ran.
/// </summary>
public sealed record EvaluationResults(
    int Schema,
    EngineDescription Engine,
    MomentParameters Parameters,
    ImmutableArray<ControlResult> Controls,
    ImmutableArray<NotTested> NotTested)
{
    /// <summary>The schema that is written. Schema 1, which has the results by partition in the same file, is still read.</summary>
    public const int CurrentSchema = 2;

    /// <summary>Creates results in the order in which they are written: controls and untested things by ID.</summary>
    public static EvaluationResults From(
        EngineDescription engine, AuditMoment moment, EvidenceClock clock, IEnumerable<ControlResult> controls, IEnumerable<NotTested> notTested) => new(
        CurrentSchema,
        engine,
        new MomentParameters(moment.AsOf, moment.PeriodStart, moment.PeriodEnd, (long)moment.AsOfTolerance.TotalSeconds)
        {
            ClockLimitSeconds = (long)moment.ClockLimit.TotalSeconds,
            ClockOffsetSeconds = (long?)clock.Offset?.TotalSeconds,
            ReadFrom = clock.ReadFrom,
            ReadUntil = clock.ReadUntil,
            AnswerAgeSeconds = (long?)clock.AnswerAge?.TotalSeconds,
            StaleAnswers = clock.StaleAnswers,
        },
        [.. controls.OrderBy(c => c.Id, StringComparer.Ordinal)],
        [.. notTested.OrderBy(n => n.Id, StringComparer.Ordinal).ThenBy(n => n.Reason, StringComparer.Ordinal)]);
}

/// <summary>The moment and the period that every test received.</summary>
public sealed record MomentParameters(DateTimeOffset AsOf, DateTimeOffset PeriodStart, DateTimeOffset PeriodEnd, long AsOfToleranceSeconds)
{
    /// <summary>See <see cref="AuditMoment.ClockLimit"/>; null in results of rules without a limit.</summary>
    public long? ClockLimitSeconds { get; init; }

    /// <summary>See <see cref="EvidenceClock.Offset"/>, in whole seconds.</summary>
    public long? ClockOffsetSeconds { get; init; }

    /// <summary>See <see cref="EvidenceClock.ReadFrom"/>.</summary>
    public DateTimeOffset? ReadFrom { get; init; }

    /// <summary>See <see cref="EvidenceClock.ReadUntil"/>.</summary>
    public DateTimeOffset? ReadUntil { get; init; }

    /// <summary>See <see cref="EvidenceClock.AnswerAge"/>, in whole seconds.</summary>
    public long? AnswerAgeSeconds { get; init; }

    /// <summary>See <see cref="EvidenceClock.StaleAnswers"/>.</summary>
    public long? StaleAnswers { get; init; }
}

/// <summary>The result of one control. Counts are of distinct items of a partition, over all its tests.</summary>
/// <param name="Population">
/// The number of items; null where the units of its tests differ, because regions and events cannot be added.
/// </param>
/// <param name="Deviations">The deviations that no valid waiver covers.</param>
/// <param name="Indicated">Failed items that the evidence does not allow to call deviations.</param>
/// <param name="Tests">The totals of each test, in the control's order; empty where nothing was tested.</param>
public sealed record ControlResult(
    string Id,
    string Version,
    Digest Sha256,
    ControlOrigin Origin,
    Conclusion Conclusion,
    string Title,
    ItgcDomain Domain,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] long? Population,
    long Deviations,
    long Approved,
    long Undetermined,
    long Indicated,
    ImmutableArray<Limitation> Limitations,
    ImmutableArray<TestTotals> Tests,
    WaiverSummary Waivers,
    ImmutableArray<string> Notes,
    ImmutableArray<ParameterResult> Parameters,
    NotApplicableResult? NotApplicable = null)
{
    /// <summary>The file with the results by partition; null where nothing was tested, and in schema 1.</summary>
    public PartitionsFile? Partitions { get; init; }

    /// <summary>The results by partition that schema 1 has in results.json itself; null in later schemas, which have a file of them.</summary>
    [JsonIgnore]
    public ImmutableArray<TestResult>? PartitionsOfSchema1 { get; init; }

    /// <summary>
    /// The registers whose rows without a match the control lists, by name; null where it lists none, and for controls from
    /// before this feature.
    /// </summary>
    public ImmutableArray<RegisterResult>? Registers { get; init; }

    /// <summary>The engagement's decision to leave the control out, when it was refused; null where there is none.</summary>
    public RefusedDecision? RefusedDecision { get; init; }

    /// <summary>The conclusion of the evidence alone; null where no person added anything to it.</summary>
    public Conclusion? Collected { get; init; }

    /// <summary>Answers to the control's questions; null where there are none.</summary>
    public ImmutableArray<PersonAnswer>? Answers { get; init; }

    /// <summary>What people make of its exceptions; null where there are none.</summary>
    public ImmutableArray<Disposition>? Dispositions { get; init; }

    /// <summary>Creates the result of a control that the engagement leaves out.</summary>
    public static ControlResult LeftOut(ControlInScope scope, NotApplicable decision) => new(
        scope.Control.Id, scope.Control.Version, scope.Control.Sha256, scope.Origin, Conclusion.NotApplicable, scope.Control.Title,
        scope.Control.Domain, 0, 0, 0, 0, 0, [], [], WaiverSummary.None, [], ParameterResult.Of(scope),
        new NotApplicableResult(decision.Reason, decision.ApprovedBy, decision.ApprovedOn));
}

/// <summary>The decision to leave a control out: who made it, and why.</summary>
public sealed record NotApplicableResult(string Reason, string ApprovedBy, DateOnly ApprovedOn);

/// <summary>A parameter's value; also who set it and why, where the engagement did.</summary>
/// <param name="Value">Exact numbers are texts of their digits, because many readers of JSON would round a number.</param>
public sealed record ParameterResult(string Name, ColumnType Type, JsonElement Value, string? By = null, string? Why = null)
{
    /// <summary>See <see cref="Column.Scale"/>; null for every other type.</summary>
    public int? Scale { get; init; }

    internal static ImmutableArray<ParameterResult> Of(ControlInScope scope) =>
        [.. scope.Parameters.OrderBy(p => p.Name, StringComparer.Ordinal)
            .Select(p => new ParameterResult(p.Name, p.Type, p.Value, p.By, p.Why) { Scale = p.Scale })];
}

/// <summary>The names that identify a partition.</summary>
public sealed record PartitionName(string Target, string Account);

/// <summary>The file with a control's results by partition: <c>data/results/&lt;control&gt;.partitions.ndjson</c>.</summary>
/// <param name="Lines">The number of its lines.</param>
/// <param name="Sha256">The digest of the whole file.</param>
public sealed record PartitionsFile(long Lines, Digest Sha256);

/// <summary>The result of one test in one partition: a line of <see cref="PartitionsFile"/>.</summary>
/// <param name="RowsSha256">SHA-256 of this partition's lines in the test's rows file, line ends included.</param>
/// <param name="Error">Why the test failed to run; only with <see cref="Conclusion.Error"/>.</param>
public sealed record TestResult(
    string Id,
    PartitionName Partition,
    Conclusion Conclusion,
    long Population,
    long Deviations,
    long Approved,
    long Undetermined,
    long Indicated,
    ImmutableArray<CompletenessResult> Completeness,
    Digest RowsSha256,
    string? Error = null)
{
    /// <summary>What one item of the population is, as the control states; null where it does not.</summary>
    public string? Unit { get; init; }

    /// <summary>
    /// Whether the test concerns a state or the period; null in results of rules under which only the control had a mode.
    /// </summary>
    public ControlMode? Mode { get; init; }

    /// <summary>The value of <c>$read_from</c> in its SQL; null where no server was called.</summary>
    public DateTimeOffset? ReadFrom { get; init; }

    /// <summary>The value of <c>$read_until</c> in its SQL.</summary>
    public DateTimeOffset? ReadUntil { get; init; }
}

/// <summary>The two sides of a completeness check, as text.</summary>
/// <param name="Left">Null for SQL NULL, and where the check failed to run.</param>
public sealed record CompletenessResult(
    string Name,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Left,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Right,
    bool Agree,
    string? Error = null);

/// <summary>Rows of the waiver table that approved nothing.</summary>
/// <param name="Unmatched">Valid rows whose item has no deviation.</param>
/// <param name="Expired">Rows not valid at <c>as_of</c>: expired, not yet approved, or without a required value.</param>
public sealed record WaiverSummary(ImmutableArray<WaiverRow> Unmatched, ImmutableArray<WaiverRow> Expired)
{
    public static WaiverSummary None { get; } = new([], []);
}

/// <summary>
/// Rows of a register that match nothing that was read, such as an identity map's line for a user who does not exist.
/// </summary>
/// <param name="Evidence">The register's name in the control.</param>
/// <param name="Unknown">
/// Why the rows cannot be determined, such as evidence that was not read; null where they are known.
/// </param>
public sealed record RegisterResult(string Evidence, ImmutableArray<UnmatchedRow> Unmatched, string? Unknown = null);

/// <summary>A register's row as the control names it, and why it has no match.</summary>
public sealed record UnmatchedRow(string Row, string Why);

/// <summary>
/// One row of the waiver table, as text, and why it approved nothing. A value that the row does not have is null.
/// </summary>
public sealed record WaiverRow(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Item,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? ApprovedBy,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? ApprovedOn,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Expires,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Reason,
    string Why);
