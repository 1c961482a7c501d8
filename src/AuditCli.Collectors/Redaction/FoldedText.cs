using System.Collections.Immutable;
using System.Globalization;

namespace AuditCli.Collectors.Redaction;

/// <summary>
/// A text as a reader sees it, for the search only: without invisible characters, and with full-width letters and signs as ordinary ones.
/// </summary>
/// <param name="Plain">The text that is searched.</param>
/// <param name="At">The place of each of its characters in the original; default if the text is the original.</param>
internal readonly record struct FoldedText(string Plain, ImmutableArray<int> At)
{
    private const int WideToAscii = '\uff01' - '!';

    /// <summary>The first half of the tags and the selectors of variants, which are all invisible (U+E0000 to U+E03FF).</summary>
    private const char InvisiblePair = '\udb40';

    /// <summary>Whether a text may have characters that are folded.</summary>
    public static bool May(ReadOnlySpan<char> text)
    {
        while (text.IndexOfAnyExceptInRange('\0', '\x7f') is >= 0 and var next)
        {
            if (Fold(text[next]) != text[next])
                return true;
            text = text[(next + 1)..];
        }
        return false;
    }

    /// <summary>Folds a text.</summary>
    public static FoldedText Of(string text)
    {
        if (!May(text))
            return new(text, default);
        var (plain, at, length) = (new char[text.Length], new int[text.Length], 0);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == InvisiblePair)
                i += i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? 1 : 0;
            else if (Fold(text[i]) is { } letter)
                (plain[length], at[length++]) = (letter, i);
        }
        return new(new(plain, 0, length), [.. at.AsSpan(0, length)]);
    }

    /// <summary>Returns the part of the original for a part that was found.</summary>
    public TextPart Original(TextPart found) =>
        At.IsDefault || found.Length == 0 ? found : new(At[found.Start], At[found.End - 1] + 1 - At[found.Start]);

    /// <summary>Returns what a character is searched as; null for none.</summary>
    private static char? Fold(char letter) => letter switch
    {
        <= '\x7f' => letter,
        >= '\uff01' and <= '\uff5e' => (char)(letter - WideToAscii),
        '\u00a0' or '\u3000' => ' ',
        _ => char.GetUnicodeCategory(letter) == UnicodeCategory.Format || letter is '\u034f' or '\u115f' or '\u1160' or '\u2800'
            or '\u3164' or '\uffa0' or InvisiblePair or (>= '\u180b' and <= '\u180f') or (>= '\ufe00' and <= '\ufe0f') ? null : letter,
    };
}
