using System.Collections.Immutable;
using AuditCli.Controls;

namespace AuditCli.Bundles;

/// <summary>
/// The words of a test's SQL: the tables it names, and the columns it reads of them. The SQL may come from an untrusted bundle, so it is
/// only split into words in one pass, never parsed or executed here. An extra word does no harm: one more row is examined.
/// </summary>
internal sealed class TestWords
{
    private static readonly ImmutableHashSet<string> NoAlias = ImmutableHashSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "ON", "USING", "WHERE", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "GROUP", "ORDER", "UNION", "HAVING", "AS");

    private readonly ImmutableHashSet<string> _words;
    private readonly ILookup<string, string> _columnsByQualifier;
    private readonly ILookup<string, string> _aliases;

    private TestWords(string sql)
    {
        var words = new HashSet<string>(StringComparer.Ordinal);
        var code = new List<string>();
        Split(sql, words, code);
        _words = [.. words];
        _columnsByQualifier = Qualified(code).ToLookup(q => q.Qualifier, q => q.Column, StringComparer.OrdinalIgnoreCase);
        _aliases = Aliases(code).ToLookup(a => a.Table, a => a.Alias, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Returns the words of a test; null if the control's file cannot be read or has no such test.</summary>
    public static TestWords? Of(Control? control, string test) =>
        control?.Tests.FirstOrDefault(t => t.Id == test) is { } found ? new(found.Sql) : null;

    /// <summary>Whether the SQL has the word anywhere, including in a JSON path.</summary>
    public bool Has(string word) => _words.Contains(word);

    /// <summary>Whether the SQL reads this column of this table.</summary>
    public bool Reads(string table, string column) =>
        _aliases[table].Append(table).Any(alias => _columnsByQualifier[alias].Contains(column, StringComparer.OrdinalIgnoreCase))
        || (!_aliases.Contains(table) && !_columnsByQualifier.Contains(table) && Has(column));

    /// <summary>
    /// Splits SQL into tokens. Drops comments; adds the words of a literal and replaces it by one token; everything else is a word or a
    /// character.
    /// </summary>
    /// <param name="code">Receives the tokens in order, without quotation marks around names.</param>
    private static void Split(string sql, HashSet<string> words, List<string> code)
    {
        for (var at = 0; at < sql.Length;)
        {
            var rest = sql.AsSpan(at);
            if (rest.StartsWith("--") || rest.StartsWith("/*"))
            {
                var end = rest[0] == '-' ? rest.IndexOf('\n') : rest[2..].IndexOf("*/") is var close and >= 0 ? close + 4 : -1;
                at = end < 0 ? sql.Length : at + end;
            }
            else if (rest[0] == '\'')
            {
                var end = rest[1..].IndexOf('\'');
                var literal = end < 0 ? rest[1..] : rest.Slice(1, end);
                for (var word = 0; word < literal.Length;)
                    word += Math.Max(1, Word(literal[word..], words).Length);
                code.Add("'");
                at += literal.Length + (end < 0 ? 1 : 2);
            }
            else if (Word(rest, words) is { Length: > 0 } word)
            {
                code.Add(word);
                at += word.Length;
            }
            else
            {
                if (rest[0] != '"' && !char.IsWhiteSpace(rest[0]))
                    code.Add(rest[..1].ToString());
                at++;
            }
        }
    }

    /// <summary>
    /// Returns the word that a text begins with and adds it to <paramref name="words"/>; empty if the text does not begin with a word.
    /// </summary>
    private static string Word(ReadOnlySpan<char> text, HashSet<string> words)
    {
        var length = text.Length > 0 && (char.IsAsciiLetter(text[0]) || text[0] == '_') ? 1 : 0;
        while (length > 0 && length < text.Length && IsOfWord(text[length]))
            length++;
        var word = text[..length].ToString();
        if (length > 0)
            words.Add(word);
        return word;
    }

    private static bool IsOfWord(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    private static bool IsWord(string token) => char.IsAsciiLetter(token[0]) || token[0] == '_';

    /// <summary>Yields the names on both sides of each dot.</summary>
    private static IEnumerable<(string Qualifier, string Column)> Qualified(List<string> code)
    {
        for (var at = 0; at + 2 < code.Count; at++)
        {
            if (IsWord(code[at]) && code[at + 1] == "." && IsWord(code[at + 2]))
                yield return (code[at], code[at + 2]);
        }
    }

    /// <summary>Yields the tables after FROM, JOIN or a comma that have an alias.</summary>
    private static IEnumerable<(string Table, string Alias)> Aliases(List<string> code)
    {
        for (var at = 0; at + 2 < code.Count; at++)
        {
            if (code[at] != "," && !code[at].Equals("FROM", StringComparison.OrdinalIgnoreCase)
                && !code[at].Equals("JOIN", StringComparison.OrdinalIgnoreCase) || !IsWord(code[at + 1]))
                continue;
            var alias = code[at + 2].Equals("AS", StringComparison.OrdinalIgnoreCase) && at + 3 < code.Count ? code[at + 3] : code[at + 2];
            if (IsWord(alias) && !NoAlias.Contains(alias))
                yield return (code[at + 1], alias);
        }
    }
}
