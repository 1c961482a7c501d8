using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Controls;

/// <summary>The contents of a control: one YAML file, schema 1, as loaded. Texts are the author's own.</summary>
public sealed record Control
{
    /// <summary><c>&lt;DOMAIN&gt;-&lt;SOURCE&gt;-&lt;NNN&gt;</c>, never reused.</summary>
    public required string Id { get; init; }

    /// <summary>Semantic version; the major part changes when the exception rule changes its meaning.</summary>
    public required string Version { get; init; }
    public required string Title { get; init; }
    public required string Objective { get; init; }
    public required string Risk { get; init; }
    public required ItgcDomain Domain { get; init; }

    /// <summary><c>preventive</c> or <c>detective</c>.</summary>
    public required string NatureType { get; init; }

    /// <summary><c>automated</c>, <c>manual</c> or <c>hybrid</c>.</summary>
    public required string NatureExecution { get; init; }
    public required string Frequency { get; init; }
    public required ControlKind Kind { get; init; }

    /// <summary>The mode of tests that do not state their own.</summary>
    public required ControlMode Mode { get; init; }
    public required bool KeyControl { get; init; }
    public required string Owner { get; init; }

    /// <summary>
    /// Framework with its version, mapped to clause numbers. A control helps to meet a clause; it never meets one alone.
    /// </summary>
    public required ImmutableSortedDictionary<string, ImmutableArray<string>> References { get; init; }
    public required ImmutableArray<ControlParameter> Parameters { get; init; }
    public required ImmutableArray<EvidenceNeed> Evidence { get; init; }
    public required ImmutableArray<CompletenessCheck> Completeness { get; init; }

    /// <summary>Why there is no completeness check; null when there is one.</summary>
    public string? NoCompleteness { get; init; }
    public required ImmutableArray<TestProcedure> Tests { get; init; }
    public WaiverRule? Waivers { get; init; }
    public required string Recommendation { get; init; }

    /// <summary><c>active</c> or <c>retired</c>.</summary>
    public required string Status { get; init; }
    public string? ReplacedBy { get; init; }
    public string? ClientControlRef { get; init; }
    public ImmutableArray<string> Limitations { get; init; } = [];

    /// <summary>Whether tests see the union of all partitions (<c>across: engagement</c>) instead of one at a time.</summary>
    public bool AcrossEngagement { get; init; }

    /// <summary>The row of the sampling policy, where items are drawn for a person to examine.</summary>
    public string? SamplingPolicyRow { get; init; }
    public ImmutableArray<HumanQuestion> HumanAttributes { get; init; } = [];
    public string? Walkthrough { get; init; }

    /// <summary>Who carries the control out, or the component that does; null where the author does not state it.</summary>
    public string? Performer { get; init; }

    /// <summary>The systems in which the control operates; empty where the author does not state them.</summary>
    public ImmutableArray<string> Systems { get; init; } = [];

    /// <summary>The controls, reports and calculations that rely on the control; empty where the author does not state them.</summary>
    public ImmutableArray<string> ReliedOnBy { get; init; } = [];

    /// <summary>Why the control, if it works as described, meets its objective; null where the author does not state it.</summary>
    public DesignStatement? Design { get; init; }

    /// <summary>The file from which it was loaded, as printed in messages.</summary>
    public required string File { get; init; }

    /// <summary>The file's bytes, which go into the bundle.</summary>
    public required ReadOnlyMemory<byte> Source { get; init; }

    public Digest Sha256 => Digest.Of(Source.Span);

    /// <summary>Returns whether a test concerns a state or the period.</summary>
    public ControlMode ModeOf(TestProcedure test) => test.Mode ?? Mode;
}

/// <summary>The ITGC domains of the catalogue, in the order in which reports show them.</summary>
public enum ItgcDomain
{
    AccessToProgramsAndData,
    ProgramChangeManagement,
    ProgramDevelopment,
    ComputerOperations,
    InfrastructureSecurity,
    LoggingAndMonitoring,
    DataIntegrity,
    AiPlatform,
    CryptoCustody,
}

/// <summary>Whether the design or the operation of a control is tested.</summary>
public enum ControlKind
{
    OperatingEffectiveness,
    Design,
}

/// <summary>Whether a state at one moment or the events of the period are tested.</summary>
public enum ControlMode
{
    PointInTime,
    Period,
}

/// <summary>A value that SQL sees as <c>$name</c> and that an engagement may override, stating who and why.</summary>
/// <param name="Default">A value of the JSON kind of <paramref name="Type"/>; dates and timestamps are strings.</param>
public sealed record ControlParameter(string Name, ColumnType Type, JsonElement Default, string Why)
{
    /// <summary>Of a decimal whose control states it: how many digits there may be after the point; see <see cref="Column.Scale"/>.</summary>
    public int? Scale { get; init; }

    /// <summary>Its type, in the form in which columns have theirs.</summary>
    public Column Column => new(Name, Type) { Scale = Scale };

    /// <summary>The values of the type that it may have, so that no value silently empties or narrows a test.</summary>
    public ParameterForm Form { get; init; } = ParameterForm.Any;

    /// <summary>What the author should add to its form; null where nothing is missing.</summary>
    public string? FormMissing => Type switch
    {
        ColumnType.Integer or ColumnType.Decimal or ColumnType.Whole when Form.Min is null || Form.Max is null =>
            $"parameter '{Name}' may be any number {Unbounded(Form)}, "
            + "and one that is far off can make a test find nothing; give it 'min' and 'max'",
        ColumnType.Text when Form.SaysNothing && Default.GetString()!.Contains(',', StringComparison.Ordinal) =>
            $"parameter '{Name}' looks like a list, and an entry that means nothing can make a test find nothing; give it the form of its entries with 'list'",
        _ => null,
    };

    private static string Unbounded(ParameterForm form) => (form.Min, form.Max) switch
    {
        (null, null) => "at all",
        (null, _) => $"below {form.Max}",
        _ => $"above {form.Min}",
    };
}

/// <summary>One table on which a control works, and the origin of its rows.</summary>
/// <param name="Source">A source's name, or <c>file</c>.</param>
/// <param name="Operation">The operation's name, or the input's.</param>
/// <param name="ForEach">The evidence for whose rows this operation is called.</param>
/// <param name="With">The column of the parent's row, or a member inside it (<see cref="MemberPath"/>), by parameter.</param>
/// <param name="AllowErrors">Error codes that mean "there is none".</param>
/// <param name="Optional">Whether an input that was not supplied is an empty table with a note.</param>
/// <param name="IfTarget">
/// Whether an engagement without a target of this source gives an empty table with a note, instead of a control that cannot be
/// tested.
/// </param>
/// <param name="Keep">The rows that go into the table; null for all.</param>
/// <param name="Columns">For files the declared columns, otherwise the operation's.</param>
public sealed record EvidenceNeed(
    string Name,
    string Source,
    string Operation,
    ImmutableSortedDictionary<string, JsonElement> Params,
    string? ForEach,
    ImmutableSortedDictionary<string, string> With,
    ImmutableSortedSet<string> AllowErrors,
    bool Optional,
    bool IfTarget,
    RowFilter? Keep,
    ImmutableArray<Column> Columns)
{
    /// <summary>The rows of <see cref="ForEach"/> for which the operation is called; null for all.</summary>
    public RowFilter? Where { get; init; }

    /// <summary>
    /// For files, the text columns by which rows are matched with evidence, each with the words that are allowed in it (a file may
    /// write them in any case); empty for any text.
    /// </summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Keys { get; init; } =
        ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>For files, the text columns of which a keyed digest is kept instead of the value.</summary>
    public ImmutableSortedSet<string> Personal { get; init; } = [];

    /// <summary>
    /// For files, a SELECT of the rows that match nothing that was read, with the columns <c>row</c> and <c>why</c>; null where
    /// the author does not give one. The rows are listed for the reader and decide nothing: a register that names an object that
    /// does not exist is outdated, or has a typing error.
    /// </summary>
    public string? Unmatched { get; init; }

    /// <summary>The source word for files of management.</summary>
    public const string FileSource = "file";

    /// <summary>
    /// Whether this table alone holds the rows of every partition (<c>across: engagement</c>): facts that one account has about
    /// the others.
    /// </summary>
    public bool AcrossEngagement { get; init; }

    public bool IsFile => Source == FileSource;

    /// <summary>
    /// The columns that AuditCli adds before the source's own: <c>_target, _account, _region, _ref</c>, and for <c>for_each</c>
    /// <c>_parent</c> (the parent's <c>_ref</c>) and <c>_with_&lt;Param&gt;</c>.
    /// </summary>
    public ImmutableArray<Column> AddedColumns => EvidenceColumns.Added(ForEach is not null, With.Keys);

    /// <summary>The columns of the table of calls, <c>&lt;name&gt;__calls</c>.</summary>
    public ImmutableArray<Column> CallColumns => EvidenceColumns.Calls(With.Keys);
}

/// <summary>Two independent counts that must agree (IPE). Each side is SQL for one scalar.</summary>
public sealed record CompletenessCheck(string Name, string Sql, string EqualsSql)
{
    /// <summary>
    /// Whether, in a control that sees the whole engagement, the counts are of the engagement and mean nothing for one partition
    /// alone. Every other check of such a control must agree in each partition too; otherwise a surplus row in one could cancel
    /// out a missing row in another.
    /// </summary>
    public bool AcrossEngagement { get; init; }

    /// <summary>Where the number of each side comes from, two different sources; empty where the author does not state them.</summary>
    public ImmutableArray<string> Sources { get; init; } = [];
}

/// <summary>
/// One of the auditor's tests: a SELECT with a row per population item and the columns <c>item</c>, <c>pass</c>, <c>reason</c>.
/// </summary>
/// <param name="StandsWhenIncomplete">
/// Whether missing rows can only hide deviations, so that observed deviations remain a FAIL.
/// </param>
public sealed record TestProcedure(
    string Id,
    string Title,
    string Sql,
    string? Attribute,
    string? Severity,
    bool StandsWhenIncomplete)
{
    /// <summary>What the rows of the test are; null where the author does not state it.</summary>
    public PopulationStatement? Population { get; init; }

    /// <summary>One item of the population, in the singular, such as <c>access key</c>. Null where the author does not state it.</summary>
    public string? Unit => Population?.Unit;

    /// <summary>What is done, in an auditor's words; null where the author does not state it.</summary>
    public string? Procedure { get; init; }

    /// <summary>One of <see cref="ControlWords.Methods"/>; null where the author does not state it.</summary>
    public string? Method { get; init; }

    /// <summary>Some of <see cref="ControlWords.Assertions"/>; empty where the author does not state them.</summary>
    public ImmutableArray<string> Assertions { get; init; } = [];

    /// <summary>Whether the test concerns a state or the period; null uses the control's mode.</summary>
    public ControlMode? Mode { get; init; }
}

/// <summary>The evidence table that approves deviations, and the names of its columns.</summary>
public sealed record WaiverRule(string From, string Item, string Expires, string ApprovedBy, string ApprovedOn, string Reason)
{
    /// <summary>The columns that must have a value for a row to approve anything.</summary>
    public ImmutableArray<string> Columns => [Item, ApprovedBy, ApprovedOn, Reason, Expires];
}

/// <summary>A question that only a person can answer; while it is open, the control is NEEDS_REVIEW.</summary>
public sealed record HumanQuestion(string Id, string Question);
