using System.Collections.Immutable;
using System.Text.RegularExpressions;
using AuditCli.Controls;

namespace AuditCli.Bundles;

/// <summary>
/// The words of a test's SQL: which tables it names, and which of their columns. The text may be a stranger's, so it is split into words
/// and never parsed or run here; a word too many only means that a row more is looked at.
/// </summary>
internal sealed partial class TestWords
{
    private readonly ImmutableHashSet<string> _words;
    private readonly ILookup<string, string> _columnsByQualifier;
    private readonly ILookup<string, string> _aliases;

    private TestWords(string sql)
    {
        var text = Comments.Replace(sql, " ");
        _words = [.. Words.Matches(text).Select(m => m.Value)];
        var code = Literals.Replace(text, "''");
        _columnsByQualifier = Qualified.Matches(code).ToLookup(m => m.Groups[1].Value, m => m.Groups[2].Value, StringComparer.OrdinalIgnoreCase);
        _aliases = Tables.Matches(code).Where(m => m.Groups[2].Success).ToLookup(m => m.Groups[1].Value, m => m.Groups[2].Value, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Of a test; null where the control's file cannot be read, or has no such test.</summary>
    public static TestWords? Of(Control? control, string test) => control?.Tests.FirstOrDefault(t => t.Id == test) is { } found ? new(found.Sql) : null;

    /// <summary>Whether the SQL has the word anywhere, a path into JSON included.</summary>
    public bool Has(string word) => _words.Contains(word);

    /// <summary>Whether the SQL reads this column of this table.</summary>
    public bool Reads(string table, string column) =>
        _aliases[table].Append(table).Any(alias => _columnsByQualifier[alias].Contains(column, StringComparer.OrdinalIgnoreCase))
        || (!_aliases.Contains(table) && !_columnsByQualifier.Contains(table) && Has(column));

    [GeneratedRegex("--[^\\n]*|/\\*.*?\\*/", RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Comments { get; }

    [GeneratedRegex("'(?:[^']|'')*'", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Literals { get; }

    [GeneratedRegex("[A-Za-z_][A-Za-z0-9_]*", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Words { get; }

    [GeneratedRegex("\\b([A-Za-z_][A-Za-z0-9_]*)\\s*\\.\\s*\"?([A-Za-z_][A-Za-z0-9_]*)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Qualified { get; }

    [GeneratedRegex("(?:\\b(?:FROM|JOIN)|,)\\s+([A-Za-z_][A-Za-z0-9_]*)(?:\\s+(?:AS\\s+)?(?!(?:ON|USING|WHERE|JOIN|LEFT|RIGHT|FULL|INNER|CROSS|GROUP|ORDER|UNION|HAVING|AS)\\b)([A-Za-z_][A-Za-z0-9_]*))?", RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Tables { get; }
}
