using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Controls;

/// <summary>
/// The origin of a control's file, by the SHA-256 of its bytes compared with the library embedded in the program.
/// </summary>
public enum ControlOrigin
{
    /// <summary>Byte for byte the embedded control with that ID.</summary>
    Shipped,

    /// <summary>The embedded library has that ID with other bytes.</summary>
    Modified,

    /// <summary>The embedded library does not have that ID.</summary>
    Local,
}

/// <summary>A control that a run evaluates, with the parameter values that its SQL sees.</summary>
/// <param name="Parameters">Every parameter of the control, in the control's order.</param>
public sealed record ControlInScope(Control Control, ControlOrigin Origin, ImmutableArray<EffectiveParameter> Parameters)
{
    /// <summary>
    /// The parts of the engagement that this run does not read; they limit the tests that concern the whole engagement.
    /// </summary>
    public ImmutableArray<LeftOutPlace> LeftOut { get; init; } = [];

    /// <summary>The engagement's decision that the control is not applicable, when it was refused.</summary>
    public RefusedDecision? RefusedDecision { get; init; }

    /// <summary>
    /// The person who prepares the engagement, whose approvals do not count. Null where nobody is named, as in fixtures.
    /// </summary>
    public string? Preparer { get; init; }
}

/// <summary>A refused decision to leave a control out, and why; the control was tested anyway.</summary>
public sealed record RefusedDecision(string Reason, string ApprovedBy, DateOnly ApprovedOn, string Why);

/// <summary>A target, or one account of it, that a run leaves out although it could be read.</summary>
/// <param name="Account">The account; empty for a whole target.</param>
/// <param name="Code">One of <see cref="LimitationCodes"/>.</param>
/// <param name="Message">Whose decision it was.</param>
public sealed record LeftOutPlace(string Source, string Target, string Account, string Code, string Message)
{
    /// <summary>Returns an account that the engagement excludes.</summary>
    public static LeftOutPlace Excluded(string source, string target, string account) =>
        new(source, target, account, LimitationCodes.AccountLeftOut, "left out by exclude_accounts, so none of it was read");
}

/// <summary>The value that SQL sees as <c>$name</c>.</summary>
/// <param name="Value">A value of the JSON kind of <paramref name="Type"/>; dates and timestamps are strings.</param>
/// <param name="By">Who overrode the control's default; null where the default is used.</param>
/// <param name="Why">Why it was overridden; null where the default is used.</param>
public sealed record EffectiveParameter(string Name, ColumnType Type, JsonElement Value, string? By, string? Why)
{
    /// <summary>Of a decimal whose control states it: how many digits there may be after the point; see <see cref="Column.Scale"/>.</summary>
    public int? Scale { get; init; }

    /// <summary>Its type, in the form in which columns have theirs.</summary>
    public Column Column => new(Name, Type) { Scale = Scale };

    /// <summary>Returns the parameter with the control's own value.</summary>
    public static EffectiveParameter Of(ControlParameter parameter) =>
        new(parameter.Name, parameter.Type, parameter.Default, null, null) { Scale = parameter.Scale };
}
