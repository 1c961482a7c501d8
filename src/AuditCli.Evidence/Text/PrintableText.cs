using System.Globalization;
using System.Text;

namespace AuditCli.Evidence.Text;

/// <summary>
/// Makes untrusted text, such as the names in a bundle, safe to show: it cannot steer the terminal or page on which it appears.
/// </summary>
public static class PrintableText
{
    /// <summary>
    /// Returns the text with control and format characters, line and paragraph separators, lone surrogates and invisible letters
    /// as <c>\uXXXX</c>: no escape sequence, no change of direction, nothing invisible.
    /// </summary>
    public static string Of(string text) => IsHarmless(text) ? text : Escaped(text);

    /// <summary>Returns the beginning of a text, followed by its full length where it is cut.</summary>
    /// <param name="most">How many characters are shown at most.</param>
    public static string Of(string text, int most)
    {
        if (text.Length <= most)
            return Of(text);
        var end = char.IsHighSurrogate(text[most - 1]) ? most - 1 : most;
        return string.Create(CultureInfo.InvariantCulture, $"{Of(text[..end])}… ({text.Length} characters)");
    }

    private static bool IsHarmless(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            // A lone surrogate is enumerated as the replacement character.
            if (rune == Rune.ReplacementChar || !IsHarmless(rune))
                return false;
        }
        return true;
    }

    private static string Escaped(string text)
    {
        var shown = new StringBuilder(text.Length + 16);
        for (var i = 0; i < text.Length;)
        {
            if (Rune.TryGetRuneAt(text, i, out var rune) && IsHarmless(rune))
            {
                shown.Append(rune.ToString());
                i += rune.Utf16SequenceLength;
                continue;
            }
            var length = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? 2 : 1;
            for (var unit = 0; unit < length; unit++)
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i + unit]:x4}");
            i += length;
        }
        return shown.ToString();
    }

    /// <summary>
    /// Whether a character is visible and safe to show anywhere: not a control or format character, line separator, surrogate,
    /// non-character or letter without a shape.
    /// </summary>
    public static bool IsHarmless(Rune rune) => rune.IsAscii
        ? rune.Value is >= ' ' and <= '~'
        : Rune.GetUnicodeCategory(rune) is not
            (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.Surrogate)
            && (rune.Value & 0xFFFE) != 0xFFFE && rune.Value is < 0xFDD0 or > 0xFDEF && !InvisibleText.IsIgnorable(rune);
}
