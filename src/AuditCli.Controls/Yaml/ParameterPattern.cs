using System.Globalization;
using System.Text.RegularExpressions;

namespace AuditCli.Controls.Yaml;

/// <summary>
/// Matches a whole text with an author's regular expression. Controls may come from untrusted authors, so only expressions that
/// match in one pass over the text are accepted, and even those time out after a second.
/// </summary>
internal static class ParameterPattern
{
    private const int MaximumLength = 500;
    private const int MaximumSize = 2000;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    /// <summary>Returns why the pattern cannot be used; null where it can.</summary>
    public static string? Fault(string pattern)
    {
        if (pattern.Length > MaximumLength)
            return $"has {pattern.Length} characters; at most {MaximumLength} are read";
        if (Size(pattern) is var size and > MaximumSize)
            return $"expands to {size:0} characters with its counts written out; at most {MaximumSize} are allowed, so use lower counts";
        try
        {
            // Compiled alone first: a pattern such as "a)(b" is valid only inside the group that Whole adds, where it would mean
            // something else.
            _ = new Regex(pattern, Options, Limit);
            _ = Whole(pattern);
            return null;
        }
        catch (NotSupportedException)
        {
            return "uses lookahead, lookbehind, a backreference or an atomic or conditional group, which could take forever; write it without these";
        }
        catch (ArgumentException e)
        {
            return $"is not a regular expression: {e.Message}";
        }
    }

    /// <summary>Returns the expression that matches only a whole text.</summary>
    public static Regex Whole(string pattern) => new($@"^(?:{pattern})\z", Options, Limit);

    private static RegexOptions Options => RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture;

    /// <summary>
    /// Counts the characters, classes and so on of the pattern with each repetition written out, <c>(ab{3}){2}</c> as
    /// <c>abbbabbb</c>. Nested repetitions would otherwise exhaust the memory during matching.
    /// </summary>
    private static double Size(string pattern)
    {
        var outer = new Stack<double>();
        var (all, last) = (0.0, 0.0);
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '(':
                    outer.Push(all);
                    (all, last) = (0, 0);
                    continue;
                case ')' when outer.TryPop(out var before):
                    (all, last) = (before + all, all);
                    continue;
                case '{' when Count(pattern, i) is (var most, var length):
                    all += last * (Math.Max(most, 1) - 1);
                    i += length - 1;
                    continue;
                case '\\':
                    i = pattern.AsSpan(i).StartsWith(@"\p{", StringComparison.OrdinalIgnoreCase) ? End(pattern, i, '}') : i + 1;
                    break;
                case '[':
                    i = End(pattern, pattern.AsSpan(i).StartsWith("[^", StringComparison.Ordinal) ? i + 2 : i + 1, ']');
                    break;
            }
            (all, last) = (all + 1, 1);
        }
        return all + outer.Sum();
    }

    /// <summary>
    /// Reads a repetition that begins here; returns its greatest number and its length, or null where the brace is a literal.
    /// </summary>
    private static (double Most, int Length)? Count(string pattern, int at)
    {
        var end = pattern.IndexOf('}', at);
        if (end < 0)
            return null;
        var numbers = pattern[(at + 1)..end].TrimEnd(',').Split(',');
        return numbers.Length <= 2 && numbers.All(n => n.Length > 0 && n.All(char.IsAsciiDigit))
            ? (double.Parse(numbers[^1], CultureInfo.InvariantCulture), end - at + 1) : null;
    }

    /// <summary>
    /// Returns the position of the next such character without a backslash before it; the pattern's end where there is none.
    /// </summary>
    private static int End(string pattern, int from, char closing)
    {
        for (var i = from + 1; i < pattern.Length; i++)
        {
            if (pattern[i] == closing)
                return i;
            if (pattern[i] == '\\')
                i++;
        }
        return pattern.Length;
    }
}
