using System.Globalization;

namespace AuditCli.Text;

/// <summary>Cells of a comma-separated table (RFC 4180) that stay text in every spreadsheet.</summary>
internal static class Csv
{
    /// <summary>A stranger's text. What a spreadsheet would take for a formula gets an apostrophe before it.</summary>
    public static string Cell(string text) => Quoted(IsTakenForFormula(text) ? "'" + text : text);

    /// <summary>A value that is a number, a truth value or JSON, as it is.</summary>
    public static string Quoted(string value) => value.AsSpan().ContainsAny("\",\r\n") || value is [' ', ..] or [.., ' ']
        ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
        : value;

    /// <summary>Whether it begins, after blanks and what cannot be seen, with what begins a formula somewhere; full-width forms do.</summary>
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
