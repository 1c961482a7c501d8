using System.Text.RegularExpressions;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Recognises completeness checks whose two sides are equal by construction. Such a check agrees whatever was read, and an
/// auditor would wrongly rely on it.
/// </summary>
internal static partial class CompletenessForm
{
    /// <summary>Returns why the check can never disagree; null where that cannot be shown.</summary>
    public static string? CannotFail(Control control, CompletenessCheck check)
    {
        var (left, right) = (Plain(check.Sql), Plain(check.EqualsSql));
        if (left == right)
            return "is the same SQL as 'sql', so the check can never disagree";
        if (Counted(left) is not { } one || Counted(right) is not { } other)
            return null;
        if (one == other)
            return $"counts the rows of {one} as 'sql' does, so the check can never disagree";
        // There is a call for each row of the parent, unless 'where' leaves it out, whether it succeeds or fails.
        return control.Evidence.FirstOrDefault(n => n is { ForEach: not null, Where: null }
            && (CompiledControl.CallsName(n.Name), n.ForEach) is var (calls, parent)
            && ((one, other) == (calls, parent) || (one, other) == (parent, calls))) is { } need
            ? $"compares {need.ForEach} with the calls made for each of its rows, so the check can never disagree"
            : null;
    }

    /// <summary>Returns the table when the SQL only counts all rows of one table; null for any other SQL.</summary>
    private static string? Counted(string sql) => CountOfTable.Match(sql) is { Success: true } found ? found.Groups["table"].Value : null;

    /// <summary>
    /// Normalises the SQL: its words and signs separated by one blank, without comments, and in lower case outside of quotes.
    /// </summary>
    private static string Plain(string sql) => string.Join(' ', Parts.Matches(sql.TrimEnd().TrimEnd(';'))
        .Where(m => !m.Groups["comment"].Success).Select(m => m.Groups["text"].Success ? m.Value : m.Value.ToLowerInvariant()));

    [GeneratedRegex(
        """(?<text>'(?:[^']|'')*'|"(?:[^"]|"")*")|(?<comment>--[^\n]*|/\*.*?\*/)|\w+|[^\s\w]""",
        RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Parts { get; }

    [GeneratedRegex("""^select count \( \* \)(?: as \w+)? from (?<table>\w+)(?: (?:as )?(?!where|join|left|group)\w+)?$""", RegexOptions.CultureInvariant)]
    private static partial Regex CountOfTable { get; }
}
