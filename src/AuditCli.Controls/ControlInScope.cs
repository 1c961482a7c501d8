using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Controls;

/// <summary>Where a control's file comes from, by the SHA-256 of its bytes against the library embedded in the program.</summary>
public enum ControlOrigin
{
    /// <summary>Byte for byte the embedded control of that id.</summary>
    Shipped,

    /// <summary>The embedded library has that id with other bytes.</summary>
    Modified,

    /// <summary>The embedded library has no such id.</summary>
    Local,
}

/// <summary>A control that a run evaluates, with the parameter values its SQL sees.</summary>
/// <param name="Parameters">Every parameter of the control, in the control's order.</param>
public sealed record ControlInScope(Control Control, ControlOrigin Origin, ImmutableArray<EffectiveParameter> Parameters)
{
    /// <summary>What the engagement holds and this run does not read; it limits the tests that speak of the whole engagement.</summary>
    public ImmutableArray<LeftOutPlace> LeftOut { get; init; } = [];

    /// <summary>The engagement's decision that the control is not applicable, where it decides nothing.</summary>
    public RefusedDecision? RefusedDecision { get; init; }

    /// <summary>Who prepares the engagement: what this person approved is approved by nobody. Null where nobody is named, as in fixtures.</summary>
    public string? Preparer { get; init; }
}

/// <summary>A target, or one account of it, that a run leaves out although it could be read.</summary>
/// <param name="Account">Empty for a whole target.</param>
/// <param name="Code">One of <see cref="Evaluation.LimitationCodes"/>.</param>
/// <param name="Message">By whose decision.</param>
public sealed record LeftOutPlace(string Source, string Target, string Account, string Code, string Message);

/// <summary>The value that SQL sees as <c>$name</c>.</summary>
/// <param name="Value">Of the JSON kind that <paramref name="Type"/> has; dates and timestamps are strings.</param>
/// <param name="By">Who overrode the control's default; null where the default stands.</param>
/// <param name="Why">Why it was overridden; null where the default stands.</param>
public sealed record EffectiveParameter(string Name, ColumnType Type, JsonElement Value, string? By, string? Why);
