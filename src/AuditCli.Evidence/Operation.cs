using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace AuditCli.Evidence;

/// <summary>Whether an operation is called once per account or once per region.</summary>
public enum OperationScope
{
    Global,
    Regional,
}

/// <summary>A parameter that an operation takes.</summary>
public sealed record OperationParameter(string Name, ColumnType Type, bool Required)
{
    /// <summary>Returns why a text cannot be its value, as the end of a sentence; null if it can.</summary>
    public Func<string, string?> WhyNot { get; init; } = _ => null;
}

/// <summary>One read-only call that a source offers. Data without an operation cannot be read from it.</summary>
/// <param name="Source">The source's name, such as <c>aws</c>.</param>
/// <param name="Name">The name control authors write, such as <c>iam:ListUsers</c>.</param>
/// <param name="Scope">Once per account, or once per region.</param>
/// <param name="Parameters">Everything it accepts.</param>
/// <param name="Columns">The columns of one row of its table, without those that begin with an underscore.</param>
/// <param name="SideEffect">What the call changes at the provider although it only reads; null for nearly all operations.</param>
public sealed record Operation(
    string Source,
    string Name,
    OperationScope Scope,
    ImmutableArray<OperationParameter> Parameters,
    ImmutableArray<Column> Columns,
    string? SideEffect = null)
{
    /// <summary>
    /// The provider operations called for one table, in the source's names: this operation alone, unless the table is built from
    /// several.
    /// </summary>
    public ImmutableArray<string> Reads { get; init; } = [Name];

    /// <summary>
    /// What one row of its table is, such as <c>one for each element of Users</c>; null where the source's guide says it.
    /// </summary>
    public string? Row { get; init; }

    /// <summary>
    /// Returns the kind of whole of which the operation is asked once, such as <c>organization</c>, when it is called with the given
    /// parameters; null if it is asked of each account.
    /// </summary>
    public Func<ImmutableSortedDictionary<string, JsonElement>, string?> AskedOnceOf { get; init; } = _ => null;

    /// <summary>
    /// Returns the columns that the provider fills in when it is called with the given parameters; null if it fills in all. A condition on
    /// another column would hold for no row.
    /// </summary>
    public Func<ImmutableSortedDictionary<string, JsonElement>, ImmutableHashSet<string>?> Selected { get; init; } = _ => null;

    /// <summary>Codes by which the provider reports that the requested configuration does not exist.</summary>
    public ImmutableArray<string> NotConfigured { get; init; } = [];

    /// <summary>
    /// A regular expression for further codes, matched against the whole code, by which the source reports that the requested
    /// object does not exist; null for none.
    /// </summary>
    public string? NotFound { get; init; }

    /// <summary>
    /// Whether a code means "there is none". A failure of any other kind (denied, throttled, expired, unreachable, malformed) is
    /// never an empty response, whatever a control declares: the control's test would pass without the data.
    /// </summary>
    public bool SaysNone(string code) =>
        NotConfigured.Contains(code)
        || (NotFound is { } pattern
            && Regex.IsMatch(code, $@"\A(?:{pattern})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));
}
