using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Controls;

/// <summary>
/// An audit engagement: the entity, the period, the controls and the targets. One YAML file, schema 1, as loaded.
/// </summary>
public sealed record Engagement
{
    public required string Entity { get; init; }
    public required string Name { get; init; }
    public required AuditPeriod Period { get; init; }

    /// <summary>
    /// The moment that point-in-time tests concern; null uses the start of collection, or in a replay the latest recorded date.
    /// </summary>
    public DateTimeOffset? AsOf { get; init; }

    /// <summary>How far from <c>as_of</c> a point-in-time state may have been read.</summary>
    public required TimeSpan AsOfTolerance { get; init; }
    public required string Preparer { get; init; }
    public required string Reviewer { get; init; }

    /// <summary>The people who work on the audit or answer for the entity; empty if the engagement does not list them.</summary>
    public ImmutableArray<TeamMember> Team { get; init; } = [];

    /// <summary>The day from which bundles are retained for <see cref="RetainedYears"/> years, usually the report's; null if it is not stated.</summary>
    public DateOnly? RetainFrom { get; init; }

    /// <summary>For how many years work papers are kept (PCAOB AS 1215.14).</summary>
    public const int RetainedYears = 7;

    /// <summary>The last day of retention; null if it is not stated.</summary>
    public DateOnly? RetainUntil => RetainFrom?.AddYears(RetainedYears);

    public LegalHold? LegalHold { get; init; }

    /// <summary>The targets that are read with the auditor's own credentials; management gave those of all others.</summary>
    public ImmutableSortedSet<string> ReadByAuditor { get; init; } = [];

    /// <summary>Returns who obtained the evidence of a target.</summary>
    public string ObtainedByOf(string target) => ReadByAuditor.Contains(target) ? ObtainedBy.Auditor : ObtainedBy.Management;

    /// <summary>The first words of a name that <c>init</c> writes where nobody was named.</summary>
    public const string Nobody = "Nobody yet";

    /// <summary>Whether a name says that nobody was named: a bundle with it would be signed off by no one.</summary>
    public static bool IsNobody(string name) =>
        IsNobodyYet(name) || name.Contains("TODO", StringComparison.Ordinal)
        || name.Trim('.', '-', '?', ' ').Length == 0;

    /// <summary>Whether <c>init</c> wrote the name because nobody was named.</summary>
    internal static bool IsNobodyYet(string name) => name.StartsWith(Nobody, StringComparison.OrdinalIgnoreCase);

    /// <summary>The full path of the folder of controls; null for the library embedded at build.</summary>
    public string? Library { get; init; }

    /// <summary>IDs and globs; empty for every control that has a target.</summary>
    public required ImmutableArray<string> Include { get; init; }
    public required ImmutableArray<NotApplicable> NotApplicable { get; init; }
    public required ImmutableArray<ParameterOverride> ParameterOverrides { get; init; }
    public required ImmutableArray<EngagementInput> Inputs { get; init; }
    public required ImmutableArray<Target> Targets { get; init; }

    /// <summary>The full path of the folder of recorded exchanges; null reads from the network.</summary>
    public string? Replay { get; init; }

    /// <summary>Whether the file itself says <c>replay</c>; an engagement read from a bundle replays the bundle's exchanges in any case.</summary>
    public bool StatesReplay { get; init; }

    /// <summary>The full path of the file.</summary>
    public required string File { get; init; }

    /// <summary>The file's bytes, which go into the bundle.</summary>
    public required ReadOnlyMemory<byte> Source { get; init; }

    /// <summary>The parsed file, for faults that are found only beside the controls; null if the engagement was not read from a file.</summary>
    internal YamlMap? Tree { get; init; }
}

/// <summary>
/// The receipt of a file that somebody handed over: external information in electronic form, of which the auditor must know where it came
/// from and whether it was changed (PCAOB AS 1105.10A).
/// </summary>
/// <param name="ReceivedSha256">The digest at receipt.</param>
/// <param name="SourceSystem">The system that produced it.</param>
/// <param name="SourceKind">One of <see cref="ControlWords.SourceKinds"/>.</param>
/// <param name="Transformations">What was done to it between receipt and use; null for nothing, so that the digest is the file's.</param>
/// <param name="ComparedToSource">How a part of it was compared with its source; null if it was not.</param>
public sealed record InputReceipt(
    string GivenBy, string ReceivedBy, DateTimeOffset ReceivedAt, Digest ReceivedSha256, string SourceSystem, string SourceKind,
    string? Transformations, string? ComparedToSource);

/// <summary>Who obtained evidence, which decides how far it can be relied on (PCAOB AS 1105.08).</summary>
public static class ObtainedBy
{
    /// <summary>The auditor's own identity read it from the system.</summary>
    public const string Auditor = "auditor_direct";

    /// <summary>Management read it, or handed it over.</summary>
    public const string Management = "management_provided";

    /// <summary>A third party confirmed it.</summary>
    public const string External = "external";
}

/// <summary>A decision that the bundle is kept beyond its retention, for example during litigation.</summary>
public sealed record LegalHold(DateOnly Since, string By, string Why);

/// <summary>What a person of the engagement's team does.</summary>
public enum TeamRole
{
    /// <summary>Prepares the work, and may answer questions.</summary>
    Preparer,

    /// <summary>Reviews the work, and so answers no question of it.</summary>
    Reviewer,

    /// <summary>Answers questions, for the entity or as a specialist.</summary>
    Respondent,
}

/// <summary>A person of the engagement's team.</summary>
/// <param name="Key">The fingerprint of the person's key, with which statements about the bundle are signed; null if none is stated.</param>
public sealed record TeamMember(string Name, TeamRole Role, Digest? Key = null);

/// <summary>A period of whole days, both ends included, in the engagement's time zone.</summary>
/// <param name="StartsAt">Midnight at the start of the first day, UTC.</param>
/// <param name="EndsBefore">Midnight after the last day, UTC.</param>
public sealed record AuditPeriod(DateOnly Start, DateOnly End, string TimeZone, DateTimeOffset StartsAt, DateTimeOffset EndsBefore);

/// <summary>A control that the engagement leaves out, with the reason and the approver.</summary>
public sealed record NotApplicable(string Control, string Reason, string ApprovedBy, DateOnly ApprovedOn);

/// <summary>A parameter value that the engagement sets, with the person who set it and the reason.</summary>
public sealed record ParameterOverride(string Control, string Parameter, JsonElement Value, string By, string Why);

/// <summary>A file provided by management, and how it was obtained.</summary>
/// <param name="File">The full path, inside the engagement's folder.</param>
/// <param name="StatedRows">The number of rows according to the person who provided it.</param>
/// <param name="Written">The path as the engagement states it.</param>
public sealed record EngagementInput(
    string Name,
    string File,
    string ObtainedFrom,
    DateOnly ObtainedOn,
    string How,
    long? StatedRows,
    string? ReportParameters,
    string Written)
{
    /// <summary>Where the rows are in the file.</summary>
    public InputLayout Layout { get; init; } = InputLayout.Whole;

    /// <summary>How the file came from its source to here; null where nobody recorded it.</summary>
    public InputReceipt? Receipt { get; init; }

    /// <summary>Who obtained the file from its source: management, unless the receipt says that a third party confirmed it.</summary>
    public string ObtainedBy => Receipt?.SourceKind == ControlWords.ExternalConfirmation ? Controls.ObtainedBy.External : Controls.ObtainedBy.Management;

    /// <summary>The totals according to the person who provided the file, by column, as plain decimals.</summary>
    public ImmutableSortedDictionary<string, string> StatedTotals { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}
