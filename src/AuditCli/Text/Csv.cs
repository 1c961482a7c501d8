using System.Globalization;

namespace AuditCli.Text;

/// <summary>Formats cells of a comma-separated table (RFC 4180) so that spreadsheets do not evaluate them.</summary>
internal static class Csv
{
    /// <summary>
    /// Returns a cell with untrusted text. A text that a spreadsheet would evaluate as a formula gets a leading apostrophe.
    /// </summary>
    public static string Cell(string text) => Quoted(IsTakenForFormula(text) ? "'" + text : text);

    /// <summary>Returns a cell with a number, a Boolean or JSON, unchanged.</summary>
    public static string Quoted(string value) => value.AsSpan().ContainsAny("\",\r\n") || value is [' ', ..] or [.., ' ']
        ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
        : value;

    /// <summary>
    /// Whether the text begins, after white space and invisible characters, with a character that begins a formula; includes full-width
    /// forms.
    /// </summary>
    private static bool IsTakenForFormula(string text)
    {
        var start = 0;
        while (start < text.Length && IsUnseen(text[start]))
            start++;
        return text is ['\t' or '\r' or '\n', ..]
            || (start < text.Length && text[start] is '=' or '+' or '-' or '@' or '\uff1d' or '\uff0b' or '\uff0d' or '\uff20');
    }

    private static bool IsUnseen(char c) => char.IsWhiteSpace(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format;
}
