using System.Collections.Immutable;
using System.Text.Json;
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
public sealed record ControlInScope(Control Control, ControlOrigin Origin, ImmutableArray<EffectiveParameter> Parameters);

/// <summary>The value that SQL sees as <c>$name</c>.</summary>
/// <param name="Value">Of the JSON kind that <paramref name="Type"/> has; dates and timestamps are strings.</param>
/// <param name="By">Who overrode the control's default; null where the default stands.</param>
/// <param name="Why">Why it was overridden; null where the default stands.</param>
public sealed record EffectiveParameter(string Name, ColumnType Type, JsonElement Value, string? By, string? Why);
