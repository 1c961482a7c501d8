using System.Text;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats;

/// <summary>Text of a stranger inside Markdown (CommonMark and GitHub's).</summary>
internal static class MarkdownText
{
    /// <summary>One line that no Markdown reader takes for markup, an address or a mention.</summary>
    /// <param name="longest">Characters that are shown.</param>
    public static string Escape(string value, int longest)
    {
        var shown = ShownText.Line(value, longest);
        var text = new StringBuilder(shown.Length + 8);
        for (var i = 0; i < shown.Length; i++)
        {
            // Not every reader that shows HTML knows that a backslash takes its meaning away.
            if (shown[i] == '<')
            {
                text.Append("&lt;");
                continue;
            }
            if (IsMarkup(shown, i))
                text.Append('\\');
            text.Append(shown[i]);
        }
        return text.ToString();
    }

    private static bool IsMarkup(string text, int i)
    {
        bool InWord() => i > 0 && i + 1 < text.Length && char.IsAsciiLetterOrDigit(text[i - 1]) && char.IsAsciiLetterOrDigit(text[i + 1]);
        return text[i] switch
        {
            '\\' or '`' or '*' or '[' or ']' or '>' or '|' or '~' or '&' or '!' or '$' or '@' => true,
            '_' => !InWord(),
            ':' => i + 1 < text.Length && text[i + 1] == '/',
            '#' or '+' or '-' or '=' => i == 0,
            '.' => i > 2 && text.AsSpan(i - 3, 3).Equals("www", StringComparison.OrdinalIgnoreCase),
            _ => false,
        };
    }
}
