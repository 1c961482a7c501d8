using System.Collections.Immutable;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;

namespace AuditCli.Controls;

/// <summary>The words that control files use, each with its value. The JSON Schemas list the same words.</summary>
public static class ControlWords
{
    public static ImmutableArray<(string Word, ItgcDomain Value)> Domains { get; } =
    [
        ("access-to-programs-and-data", ItgcDomain.AccessToProgramsAndData),
        ("program-change-management", ItgcDomain.ProgramChangeManagement),
        ("program-development", ItgcDomain.ProgramDevelopment),
        ("computer-operations", ItgcDomain.ComputerOperations),
        ("infrastructure-security", ItgcDomain.InfrastructureSecurity),
        ("logging-and-monitoring", ItgcDomain.LoggingAndMonitoring),
        ("data-integrity", ItgcDomain.DataIntegrity),
        ("ai-platform", ItgcDomain.AiPlatform),
        ("crypto-custody", ItgcDomain.CryptoCustody),
    ];

    /// <summary>The first parts of the IDs of shipped controls, one for each domain. A library of one's own may have others.</summary>
    public static ImmutableArray<(string Code, ItgcDomain Value)> DomainCodes { get; } =
    [
        ("APD", ItgcDomain.AccessToProgramsAndData),
        ("PCM", ItgcDomain.ProgramChangeManagement),
        ("SDL", ItgcDomain.ProgramDevelopment),
        ("OPS", ItgcDomain.ComputerOperations),
        ("INF", ItgcDomain.InfrastructureSecurity),
        ("LOG", ItgcDomain.LoggingAndMonitoring),
        ("DAT", ItgcDomain.DataIntegrity),
        ("AIP", ItgcDomain.AiPlatform),
        ("CRY", ItgcDomain.CryptoCustody),
    ];

    public static ImmutableArray<(string Word, ControlKind Value)> Kinds { get; } =
        [("operating-effectiveness", ControlKind.OperatingEffectiveness), ("design", ControlKind.Design)];

    public static ImmutableArray<(string Word, ControlMode Value)> Modes { get; } =
        [("point-in-time", ControlMode.PointInTime), ("period", ControlMode.Period)];

    /// <summary>How a test obtains its evidence. A program cannot inquire or observe; those are for people.</summary>
    public static ImmutableArray<string> Methods { get; } = ["inspection", "reperformance"];

    /// <summary>What a test is evidence of: assertions about information, and its objectives in processing (COSO's and the PCAOB's words).</summary>
    public static ImmutableArray<string> Assertions { get; } =
        ["existence", "completeness", "accuracy", "validity", "restricted-access", "cutoff", "valuation", "rights", "presentation"];

    /// <summary>What a file that somebody handed over is.</summary>
    public static ImmutableArray<string> SourceKinds { get; } =
        ["system-export", "database-query", "spreadsheet", "document", ExternalConfirmation];

    /// <summary>The kind of a file that a third party gave.</summary>
    public const string ExternalConfirmation = "external-confirmation";

    /// <summary>Whose credentials read a target.</summary>
    public static ImmutableArray<string> CredentialsOf { get; } = [Auditor, "management"];
    public const string Auditor = "auditor";

    public static ImmutableArray<string> DesignResults { get; } = ["effective", "ineffective"];

    public static ImmutableArray<string> NatureTypes { get; } = ["preventive", "detective"];

    public static ImmutableArray<string> NatureExecutions { get; } = ["automated", "manual", "hybrid"];

    public static ImmutableArray<string> Frequencies { get; } =
        ["continuous", "hourly", "daily", "weekly", "monthly", "quarterly", "semi-annual", "annual", "per-event"];

    public static ImmutableArray<string> Statuses { get; } = ["active", "retired"];

    /// <summary>The types of parameters and of the columns of files, but for <c>whole</c> and <c>decimal(18)</c>: see <see cref="ValueTypeReader"/>.</summary>
    public static ImmutableArray<(string Word, ColumnType Value)> ValueTypes { get; } =
    [
        .. new[] { ColumnType.Text, ColumnType.Integer, ColumnType.Decimal, ColumnType.Boolean, ColumnType.Date, ColumnType.Timestamp }
            .Select(t => (TypedValue.Word(t), t)),
    ];

    /// <summary>The words with which a person answers a question, in sheets and in fixtures.</summary>
    public static ImmutableArray<(string Word, PersonWord Value)> Answers { get; } =
        [("yes", PersonWord.Yes), ("no", PersonWord.No), ("na", PersonWord.Na), ("not_found", PersonWord.NotFound)];

    /// <summary>The conclusions as reports and exit codes print them.</summary>
    public static ImmutableArray<(string Word, Conclusion Value)> Conclusions { get; } =
    [
        ("FAIL", Conclusion.Fail), ("ERROR", Conclusion.Error), ("INCONCLUSIVE", Conclusion.Inconclusive),
        ("NEEDS_REVIEW", Conclusion.NeedsReview), ("PASS", Conclusion.Pass), ("NO_OCCURRENCE", Conclusion.NoOccurrence),
        ("NOT_APPLICABLE", Conclusion.NotApplicable),
    ];

    /// <summary>Returns the word for a value of one of these lists.</summary>
    public static string Of<T>(ImmutableArray<(string Word, T Value)> words, T value) where T : struct =>
        words.Single(w => EqualityComparer<T>.Default.Equals(w.Value, value)).Word;
}
