using System.Buffers;
using System.Globalization;
using System.Text;
using AuditCli.Evidence;

namespace AuditCli.Text;

/// <summary>
/// Text of a stranger as a report shows it: nothing in it steers the reader's program or eye. Control and format characters
/// (directions, joiners, tags), halves of surrogate pairs and non-characters become <c>\uXXXX</c>, and what is cut off says so.
/// </summary>
internal static class Terminal
{
    /// <summary>Below the 32,767 characters that a cell of a spreadsheet holds.</summary>
    public const int Longest = 32_000;

    private static readonly SearchValues<char> Printable = SearchValues.Create(string.Concat(Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c)));

    /// <summary>The text; line ends and tabs stay.</summary>
    /// <param name="longest">Characters of the text that are shown.</param>
    public static string Of(string text, int longest = Longest)
    {
        if (text.Length <= longest && !text.AsSpan().ContainsAnyExcept(Printable))
            return text;
        var kept = text.Length <= longest ? text.Length : char.IsHighSurrogate(text[longest - 1]) ? longest - 1 : longest;
        var shown = new StringBuilder(kept);
        // Escapes are longer than what they stand for, and the limit holds for what is shown.
        var position = 0;
        while (position < kept && shown.Length < longest)
        {
            var status = Rune.DecodeFromUtf16(text.AsSpan(position, kept - position), out var rune, out var length);
            if (status == OperationStatus.Done && IsHarmless(rune))
                shown.Append(text, position, length);
            else if (status == OperationStatus.Done)
                shown.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
            else
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[position]:x4}");
            position += length;
        }
        if (position < text.Length)
            shown.Append(CultureInfo.InvariantCulture, $"… (cut off: {position} of {text.Length} characters are shown; data/results/ has them all)");
        return shown.ToString();
    }

    /// <summary>The text on one line.</summary>
    public static string Line(string text, int longest = Longest) => Of(text, longest).ReplaceLineEndings(" ").Replace('\t', ' ');

    private static bool IsHarmless(Rune rune) => rune.Value is '\n' or '\t' || PrintableText.IsHarmless(rune);
}
