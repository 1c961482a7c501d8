using System.Text;

namespace AuditCli.Text;

/// <summary>
/// Shows a page of the manual, written in the Markdown subset that the pages use, on a terminal: headings, paragraphs, lists, indented code and
/// tables. A table becomes one entry per row, because its columns are wider than a terminal.
/// </summary>
internal static class ManualText
{
    private const int Indent = 4;

    /// <param name="page">A page of <c>Help/</c>.</param>
    /// <param name="width">Columns of the terminal.</param>
    /// <returns>Text that ends with a line break.</returns>
    public static string Of(string page, int width)
    {
        var text = new StringBuilder();
        var lines = page.TrimEnd('\n').Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (IsRow(lines[i]))
            {
                var headings = Cells(lines[i]);
                // The line after the headings only separates them from the rows.
                for (i += 2; i < lines.Length && IsRow(lines[i]); i++)
                    AppendRow(text, headings, Cells(lines[i]), width);
                i--;
            }
            else if (lines[i].StartsWith('#'))
            {
                text.Append(lines[i].TrimStart('#', ' ').ToUpperInvariant()).Append('\n');
            }
            else
            {
                text.Append(Plain(lines[i])).Append('\n');
            }
        }
        return text.ToString();
    }

    private static bool IsRow(string line) => line.StartsWith('|');

    /// <summary>The cells of a row; a vertical bar inside code has a backslash before it.</summary>
    private static string[] Cells(string line) =>
        [.. line.Trim('|').Replace("\\|", "\0", StringComparison.Ordinal).Split('|').Select(c => c.Trim().Replace('\0', '|'))];

    private static void AppendRow(StringBuilder text, string[] headings, string[] cells, int width)
    {
        text.Append("  ").Append(Plain(cells[0])).Append('\n');
        for (var c = 1; c < cells.Length; c++)
        {
            var label = cells.Length > 2 ? headings[c] + ": " : "";
            foreach (var line in Wrapped(label + Plain(cells[c]), width - Indent))
                text.Append(' ', Indent).Append(line).Append('\n');
        }
    }

    /// <summary>Without the marks of code; what is indented is code already and stays as it is.</summary>
    private static string Plain(string line) => line.StartsWith("    ", StringComparison.Ordinal) ? line : line.Replace("`", "", StringComparison.Ordinal);

    private static IEnumerable<string> Wrapped(string text, int width)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }
            line.Append(line.Length > 0 ? " " : "").Append(word);
        }
        yield return line.ToString();
    }
}
