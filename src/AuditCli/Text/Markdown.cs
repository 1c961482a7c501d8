using System.Text;

namespace AuditCli.Text;

/// <summary>Escapes untrusted text for Markdown (CommonMark and GitHub-flavoured).</summary>
internal static class Markdown
{
    /// <summary>Returns one line that no Markdown reader interprets as markup, a link, a formula or a mention.</summary>
    /// <param name="longest">The maximum number of characters shown.</param>
    public static string Escape(string value, int longest)
    {
        var shown = Terminal.Line(value, longest);
        var text = new StringBuilder(shown.Length + 8);
        for (var i = 0; i < shown.Length; i++)
        {
            // Use entities for these: some readers pass HTML through although a backslash precedes it.
            var entity = shown[i] switch { '<' => "&lt;", '>' => "&gt;", '&' => "&amp;", _ => null };
            if (entity is not null)
            {
                text.Append(entity);
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
            '\\' or '`' or '*' or '[' or ']' or '|' or '~' or '!' or '$' or '@' or '#' => true,
            '_' => !InWord(),
            ':' => i + 1 < text.Length && text[i + 1] == '/',
            '+' or '-' or '=' => text.AsSpan(0, i).IsWhiteSpace(),
            '.' => IsListNumber(text, i) || (i > 2 && text.AsSpan(i - 3, 3).Equals("www", StringComparison.OrdinalIgnoreCase)),
            ')' => IsListNumber(text, i),
            _ => false,
        };
    }

    /// <summary>Whether a full stop or closing bracket would begin a numbered list.</summary>
    private static bool IsListNumber(string text, int i) => (i + 1 == text.Length || char.IsWhiteSpace(text[i + 1]))
        && text.AsSpan(0, i).TrimStart() is { Length: > 0 } digits && !digits.ContainsAnyExceptInRange('0', '9');
}
