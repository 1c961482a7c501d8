using System.Buffers;
using System.Globalization;
using System.Text;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Text;

/// <summary>
/// Makes untrusted text safe to show in a report. Control and format characters (directions, joiners, tags), unpaired surrogates and
/// non-characters are written as <c>\uXXXX</c>; a text that is cut off says so.
/// </summary>
internal static class Terminal
{
    /// <summary>The default limit; below the 32,767 characters that a spreadsheet cell holds.</summary>
    public const int Longest = 32_000;

    private static readonly SearchValues<char> Printable =
        SearchValues.Create(string.Concat(Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c)));

    /// <summary>Returns the text; line ends and tabs are kept.</summary>
    /// <param name="longest">The maximum number of characters shown.</param>
    public static string Of(string text, int longest = Longest)
    {
        if (text.Length <= longest && !text.AsSpan().ContainsAnyExcept(Printable))
            return text;
        var kept = text.Length <= longest ? text.Length : char.IsHighSurrogate(text[longest - 1]) ? longest - 1 : longest;
        var shown = new StringBuilder(kept);
        // Limit the shown length too, because escapes are longer than the characters they replace.
        var position = 0;
        while (position < kept && shown.Length < longest)
        {
            var status = Rune.DecodeFromUtf16(text.AsSpan(position, kept - position), out var rune, out var length);
            if (status == OperationStatus.Done && IsHarmless(rune))
                shown.Append(text, position, length);
            else
            {
                for (var unit = position; unit < position + length; unit++)
                    shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[unit]:x4}");
            }
            position += length;
        }
        if (position < text.Length)
        {
            shown.Append(
                CultureInfo.InvariantCulture,
                $"… (cut off: {position} of {text.Length} characters are shown; {BundleLayout.ResultsFolder} has them all)");
        }
        return shown.ToString();
    }

    /// <summary>Returns the text on one line.</summary>
    public static string Line(string text, int longest = Longest) => Of(text, longest).ReplaceLineEndings(" ").Replace('\t', ' ');

    private static bool IsHarmless(Rune rune) => rune.Value is '\n' or '\t' || PrintableText.IsHarmless(rune);
}
