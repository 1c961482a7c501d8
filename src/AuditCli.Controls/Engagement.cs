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

    /// <summary>The first words of a name that <c>init</c> writes where nobody was named.</summary>
    public const string Nobody = "Nobody yet";

    /// <summary>Whether a name says that nobody was named: a bundle with it would be signed off by no one.</summary>
    public static bool IsNobody(string name) =>
        name.StartsWith(Nobody, StringComparison.OrdinalIgnoreCase) || name.Contains("TODO", StringComparison.Ordinal)
        || name.Trim('.', '-', '?', ' ').Length == 0;

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
public sealed record TeamMember(string Name, TeamRole Role);

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

    /// <summary>The totals according to the person who provided the file, by column, as plain decimals.</summary>
    public ImmutableSortedDictionary<string, string> StatedTotals { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}
