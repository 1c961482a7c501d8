using System.Text.RegularExpressions;

namespace AuditCli.Collectors.Gcp.Client;

/// <summary>
/// Enforces the rule of <c>log_contents.json</c>, which is the same for every provider: audit trail records are evidence and may be read,
/// while entries written by applications and machines are data and are not read. Others have separate operations for these, of which the
/// catalogue has one and not the other. Google has one operation for all logs, so the filter must restrict it to audit logs.
/// </summary>
internal static partial class AuditLogFilter
{
    private const int Deepest = 8;

    /// <summary>Returns why a filter may not be sent; null if only audit entries can match it.</summary>
    public static string? WhyNot(string? filter) => filter is not null && IsOfAudit(filter, Deepest)
        ? null
        : "logging:entries.list reads audit logs only, because other logs are data. Add to the filter, joined with AND, "
            + "logName:\"cloudaudit.googleapis.com\", or a condition on protoPayload.methodName or protoPayload.serviceName, which only audit entries have";

    /// <summary>Whether at least one of the AND-joined conditions can be true only for audit entries.</summary>
    private static bool IsOfAudit(string filter, int deepest) =>

            deepest > 0 && Parts(filter, "AND") is { } all
            && all.Any(one => Parts(one, "OR") is { } ways && ways.All(way => IsOfAuditAlone(way.Trim(), deepest)));

    private static bool IsOfAuditAlone(string condition, int deepest) =>
        Comparison().IsMatch(condition) || condition is ['(', .., ')'] && IsOfAudit(condition[1..^1], deepest - 1);

    /// <summary>Splits at a word outside of quotes and parentheses; null if these are unbalanced, or if there is a comment.</summary>
    private static List<string>? Parts(string filter, string word)
    {
        var parts = new List<string>();
        var (begin, depth) = (0, 0);
        for (var at = 0; at < filter.Length; at++)
        {
            switch (filter[at])
            {
                case '"' or '\'':
                    if (EndOfQuote(filter, at) is not (>= 0 and var end))
                        return null;
                    at = end;
                    break;
                case '(':
                    depth++;
                    break;
                case ')':
                    if (--depth < 0)
                        return null;
                    break;
                case '-' when at + 1 < filter.Length && filter[at + 1] == '-':
                    return null;
                default:
                    if (depth == 0 && IsWord(filter, at, word))
                    {
                        parts.Add(filter[begin..at]);
                        begin = at + word.Length;
                        at = begin - 1;
                    }
                    break;
            }
        }
        parts.Add(filter[begin..]);
        return depth == 0 ? parts : null;
    }

    private static int EndOfQuote(string filter, int at)
    {
        for (var end = at + 1; end < filter.Length; end++)
        {
            if (filter[end] == '\\')
                end++;
            else if (filter[end] == filter[at])
                return end;
        }
        return -1;
    }

    private static bool IsWord(string filter, int at, string word) =>
        string.CompareOrdinal(filter, at, word, 0, word.Length) == 0 && IsBoundary(filter, at - 1) && IsBoundary(filter, at + word.Length);

    private static bool IsBoundary(string filter, int at) =>
        at < 0 || at >= filter.Length || char.IsWhiteSpace(filter[at]) || filter[at] is '(' or ')' or '"' or '\'';

    /// <summary>Matches one comparison that only audit entries can satisfy: without NOT, and with a quoted value.</summary>
    [GeneratedRegex(
        """\A(logName\s*[:=]\s*"[^"\\]*cloudaudit\.googleapis\.com[^"\\]*"|"""
            + """log_id\(\s*"cloudaudit\.googleapis\.com/[^"\\]*"\s*\)|"""
            + """protoPayload\.(methodName|serviceName)\s*(:|=|=~)\s*"[^"\\]+"|"""
            + """protoPayload\."?@type"?\s*=\s*"type\.googleapis\.com/google\.cloud\.audit\.AuditLog")\z""",
        RegexOptions.CultureInvariant)]
    private static partial Regex Comparison();
}
