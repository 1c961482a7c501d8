using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using AuditCli.Evidence;

namespace AuditCli.Controls.Evaluation;

/// <summary>What an evaluation concluded: <c>data/results/results.json</c>. Nothing in it depends on when or where it ran.</summary>
public sealed record EvaluationResults(
    int Schema,
    EngineDescription Engine,
    MomentParameters Parameters,
    ImmutableArray<ControlResult> Controls,
    ImmutableArray<NotTested> NotTested)
{
    public const int CurrentSchema = 1;

    /// <summary>Results in the order in which they are written: controls and untested things by id.</summary>
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

/// <summary>The moment and the period that every test was given.</summary>
public sealed record MomentParameters(DateTimeOffset AsOf, DateTimeOffset PeriodStart, DateTimeOffset PeriodEnd, long AsOfToleranceSeconds)
{
    /// <summary>As <see cref="AuditMoment.ClockLimit"/>; null in results of rules that knew no limit.</summary>
    public long? ClockLimitSeconds { get; init; }

    /// <summary>As <see cref="EvidenceClock.Offset"/>, in whole seconds.</summary>
    public long? ClockOffsetSeconds { get; init; }

    /// <summary>As <see cref="EvidenceClock.ReadFrom"/>.</summary>
    public DateTimeOffset? ReadFrom { get; init; }

    /// <summary>As <see cref="EvidenceClock.ReadUntil"/>.</summary>
    public DateTimeOffset? ReadUntil { get; init; }

    /// <summary>As <see cref="EvidenceClock.AnswerAge"/>, in whole seconds.</summary>
    public long? AnswerAgeSeconds { get; init; }

    /// <summary>As <see cref="EvidenceClock.StaleAnswers"/>.</summary>
    public long? StaleAnswers { get; init; }
}

/// <summary>What one control concluded. Counts are of distinct items of a partition, over all its tests.</summary>
/// <param name="Population">Null where the units of its tests differ: regions and events have no sum.</param>
/// <param name="Deviations">Without those that a valid waiver covers.</param>
/// <param name="Indicated">Deviations seen in evidence that does not allow to call them so.</param>
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
    ImmutableArray<TestResult> Tests,
    WaiverSummary Waivers,
    ImmutableArray<string> Notes,
    ImmutableArray<ParameterResult> Parameters,
    NotApplicableResult? NotApplicable = null)
{
    /// <summary>The registers whose rows without a match the control lists, by name; null where it lists none, as all controls did before it could.</summary>
    public ImmutableArray<RegisterResult>? Registers { get; init; }

    /// <summary>The engagement's decision to leave the control out, where it decides nothing; null where there is none.</summary>
    public RefusedDecision? RefusedDecision { get; init; }

    /// <summary>The result of a control that the engagement leaves out.</summary>
    public static ControlResult LeftOut(ControlInScope scope, NotApplicable decision) => new(
        scope.Control.Id, scope.Control.Version, scope.Control.Sha256, scope.Origin, Conclusion.NotApplicable, scope.Control.Title,
        scope.Control.Domain, 0, 0, 0, 0, 0, [], [], WaiverSummary.None, [], ParameterResult.Of(scope),
        new NotApplicableResult(decision.Reason, decision.ApprovedBy, decision.ApprovedOn));
}

/// <summary>Who left a control out, and why.</summary>
public sealed record NotApplicableResult(string Reason, string ApprovedBy, DateOnly ApprovedOn);

/// <summary>A decision to leave a control out that counts for nothing, and why; the control was tested in spite of it.</summary>
public sealed record RefusedDecision(string Reason, string ApprovedBy, DateOnly ApprovedOn, string Why);

/// <summary>A parameter's value; by whom and why where the engagement set it.</summary>
public sealed record ParameterResult(string Name, ColumnType Type, JsonElement Value, string? By = null, string? Why = null)
{
    internal static ImmutableArray<ParameterResult> Of(ControlInScope scope) =>
        [.. scope.Parameters.OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => new ParameterResult(p.Name, p.Type, p.Value, p.By, p.Why))];
}

/// <summary>A partition, by the names that identify it.</summary>
public sealed record PartitionName(string Target, string Account);

/// <summary>What one test concluded in one partition.</summary>
/// <param name="RowsSha256">Of this partition's lines in the test's rows file, line ends included.</param>
/// <param name="Error">Why the test broke; only with <see cref="Conclusion.Error"/>.</param>
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
    /// <summary>What one item of the population is, as the control says; null where it does not.</summary>
    public string? Unit { get; init; }

    /// <summary>Whether it speaks of a state or of the period; null in results of rules that asked only the control.</summary>
    public ControlMode? Mode { get; init; }

    /// <summary>What its SQL saw as <c>$read_from</c>; null where nothing was asked of a server.</summary>
    public DateTimeOffset? ReadFrom { get; init; }

    /// <summary>What its SQL saw as <c>$read_until</c>.</summary>
    public DateTimeOffset? ReadUntil { get; init; }
}

/// <summary>The two sides of a completeness check, as text.</summary>
/// <param name="Left">Null for SQL NULL, and where the check broke.</param>
public sealed record CompletenessResult(
    string Name,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Left,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Right,
    bool Agree,
    string? Error = null);

/// <summary>Rows of the waiver table that approved nothing.</summary>
/// <param name="Unmatched">Valid, but no deviation has their item.</param>
/// <param name="Expired">Not valid at <c>as_of</c>: expired, not yet approved, or without what a waiver must say.</param>
public sealed record WaiverSummary(ImmutableArray<WaiverRow> Unmatched, ImmutableArray<WaiverRow> Expired)
{
    public static WaiverSummary None { get; } = new([], []);
}

/// <summary>Rows of a register that belong to nothing that was read, such as an identity map's line of a user who does not exist.</summary>
/// <param name="Evidence">The register's name in the control.</param>
/// <param name="Unknown">Why nobody can say which they are, such as evidence that was not read; null where they are known.</param>
public sealed record RegisterResult(string Evidence, ImmutableArray<UnmatchedRow> Unmatched, string? Unknown = null);

/// <summary>A register's row as the control names it, and what it has no match for.</summary>
public sealed record UnmatchedRow(string Row, string Why);

/// <summary>One row of the waiver table, as text, and why it approved nothing. What is null is what the row does not say.</summary>
public sealed record WaiverRow(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Item,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? ApprovedBy,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? ApprovedOn,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Expires,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Reason,
    string Why);
