using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace AuditCli.Controls.Evaluation;

/// <summary>Rules about SQL texts that evaluation and validation share.</summary>
internal static partial class SqlText
{
    /// <summary>
    /// The column in which a test marks an item without a verdict as a deviation according to the evidence read so far.
    /// </summary>
    public const string Indicated = "indicated";

    /// <summary>
    /// Returns the text in a form that can be put in parentheses, on separate lines, since it may end with a comment. Parameters
    /// that are bound as another type than their own are cast to it; see <see cref="SqlParameters.CastOf"/>.
    /// </summary>
    public static string Inner(string sql, SqlParameters parameters) => Parameter.Replace(
        sql.TrimEnd().TrimEnd(';'), found => parameters.CastOf(found.Groups["name"].Value) is { } type ? $"CAST({found.Value} AS {type})" : found.Value);

    /// <summary>Returns null when a test's columns are as required, else the first fault.</summary>
    public static string? ColumnFault(ImmutableArray<(string Name, string Type)> columns) =>
        Fault(columns, "item", "VARCHAR") ?? Fault(columns, "pass", "BOOLEAN") ?? Fault(columns, "reason", "VARCHAR")
        ?? (HasIndicated(columns) ? Fault(columns, Indicated, "BOOLEAN") : null);

    /// <summary>Returns null when the columns of a register's unmatched rows are as required, else the first fault.</summary>
    public static string? RegisterFault(ImmutableArray<(string Name, string Type)> columns) =>
        Fault(columns, "row", "VARCHAR") ?? Fault(columns, "why", "VARCHAR");

    /// <summary>
    /// Whether the test itself marks items that fail by one source while another was not read; see <see cref="Indicated"/>.
    /// </summary>
    public static bool HasIndicated(ImmutableArray<(string Name, string Type)> columns) =>
        columns.Any(c => string.Equals(c.Name, Indicated, StringComparison.OrdinalIgnoreCase));

    private static string? Fault(ImmutableArray<(string Name, string Type)> columns, string name, string type)
    {
        var found = columns.Where(c => string.Equals(c.Name, name, StringComparison.OrdinalIgnoreCase)).ToImmutableArray();
        return found.IsEmpty ? $"column {name} is missing"
            : found[0].Type != type ? $"column {name} is {found[0].Type} and must be {type}"
            : null;
    }

    /// <summary>Matches texts, quoted names and comments, which are skipped, and the parameters between them.</summary>
    [GeneratedRegex(
        """
        [eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|(?<tag>\$\w*\$).*?\k<tag>|\$(?<name>[A-Za-z_]\w*)
        """,
        RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    public static partial Regex Parameter { get; }
}
