using System.Text.RegularExpressions;

namespace AuditCli.Tests.Libraries;

/// <summary>A control's SQL with one place inverted.</summary>
/// <param name="Place">The line and the words around the change, for people.</param>
internal sealed record SqlMutant(string Sql, string Place);

/// <summary>
/// Produces every mutant of an SQL text: one comparison, boolean, join or NULL test inverted, or a limit moved by one. Texts, quoted names
/// and comments are not changed. An error that the fixtures do not detect here would go unnoticed in the control.
/// </summary>
internal static partial class SqlMutants
{
    private const int Around = 28;

    public static IEnumerable<SqlMutant> Of(string sql)
    {
        var between = false;
        foreach (Match token in Tokens.Matches(sql))
        {
            var word = Regex.Replace(token.Value.ToUpperInvariant(), @"\s+", " ");
            if (word == "BETWEEN")
                between = true;
            else if (word == "AND" && between)
                between = false;
            else
            {
                foreach (var change in Changes(word))
                    yield return new(string.Concat(sql.AsSpan(0, token.Index), change, sql.AsSpan(token.Index + token.Length)), Place(sql, token, change));
            }
        }
    }

    private static string[] Changes(string word) => word switch
    {
        "=" or "==" => ["<>"],
        "<>" or "!=" => ["="],
        "<" => [">=", "<="],
        "<=" => [">", "<"],
        ">" => ["<=", ">="],
        ">=" => ["<", ">"],
        "AND" => ["OR"],
        "OR" => ["AND"],
        "TRUE" => ["FALSE"],
        "FALSE" => ["TRUE"],
        "IS NULL" => ["IS NOT NULL"],
        "IS NOT NULL" => ["IS NULL"],
        "IS TRUE" => ["IS NOT TRUE"],
        "IS NOT TRUE" => ["IS TRUE"],
        "IS FALSE" => ["IS NOT FALSE"],
        "IS NOT FALSE" => ["IS FALSE"],
        "IS DISTINCT FROM" => ["IS NOT DISTINCT FROM"],
        "IS NOT DISTINCT FROM" => ["IS DISTINCT FROM"],
        "NOT IN" => ["IN"],
        "IN" => ["NOT IN"],
        "NOT LIKE" => ["LIKE"],
        "LIKE" => ["NOT LIKE"],
        "NOT EXISTS" => ["EXISTS"],
        "EXISTS" => ["NOT EXISTS"],
        "NOT" => [""],
        "LEFT JOIN" => ["JOIN"],
        "JOIN" => ["LEFT JOIN"],
        _ => [],
    };

    private static string Place(string sql, Match token, string change)
    {
        var line = sql.AsSpan(0, token.Index).Count('\n') + 1;
        var (from, to) = (Math.Max(0, token.Index - Around), Math.Min(sql.Length, token.Index + token.Length + Around));
        var words = $"{sql[from..token.Index]}[{token.Value} -> {change}]{sql[(token.Index + token.Length)..to]}";
        return $"line {line}: {Regex.Replace(words, @"\s+", " ").Trim()}";
    }

    /// <summary>Matches skipped text first, then tokens of several words before their parts, so that each is changed as a whole.</summary>
    [GeneratedRegex(
        """
        '(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|->>|->|=>
        |\bIS\s+(?:NOT\s+)?(?:NULL|TRUE|FALSE|DISTINCT\s+FROM)\b|\bNOT\s+(?:IN|LIKE|EXISTS)\b|\b(?:LEFT|CROSS)\s+JOIN\b
        |\b(?:AND|OR|NOT|IN|LIKE|EXISTS|JOIN|BETWEEN|TRUE|FALSE)\b|<>|!=|<=|>=|==|=|<|>
        """,
        RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.IgnorePatternWhitespace | RegexOptions.CultureInvariant)]
    private static partial Regex Tokens { get; }
}
