using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Controls;

/// <summary>Where a control came from, judged by the digests embedded in the binary.</summary>
public enum ControlOrigin
{
    /// <summary>Byte for byte as shipped.</summary>
    Shipped,

    /// <summary>A shipped id with other bytes.</summary>
    Modified,

    /// <summary>An id that is not shipped.</summary>
    Local,
}

/// <summary>The value a parameter has in this engagement; by whom and why when it is not the control's default.</summary>
public sealed record EffectiveParameter(string Name, ColumnType Type, JsonElement Value, string? By, string? Why);

/// <summary>A control that the engagement tests, with the parameters it is tested with.</summary>
public sealed record ControlInScope(Control Control, ControlOrigin Origin, ImmutableArray<EffectiveParameter> Parameters);
