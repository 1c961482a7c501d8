using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace AuditCli.Evidence.Text;

/// <summary>
/// Removes invisible characters from cells that people typed or pasted. Otherwise a key that ends with a no-break space matches
/// nothing, and the approval or leaver that it names is silently ignored.
/// </summary>
/// <remarks>
/// The ranges are constants and not taken from the runtime, whose Unicode tables change with its version: the same file must give
/// the same table years later. They are Unicode's default ignorable code points, the braille blank and the annotation marks.
/// </remarks>
public static class InvisibleText
{
    private static readonly ImmutableArray<(int First, int Last)> Ignorable =
    [
        (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F),
        (0x202A, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
    ];

    private static readonly ImmutableArray<(int First, int Last)> Spaces =
    [
        (0x0020, 0x0020), (0x00A0, 0x00A0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
    ];

    private static readonly ImmutableArray<(int First, int Last)> Controls = [(0x0000, 0x001F), (0x007F, 0x009F)];

    /// <summary>The RE2 character class of every space, control and invisible character, as ranges without brackets.</summary>
    public static string CharacterClass { get; } = string.Concat(
        new[] { Controls, Spaces, Ignorable }.SelectMany(r => r)
            .Select(r => string.Create(CultureInfo.InvariantCulture, $@"\x{{{r.First:X}}}-\x{{{r.Last:X}}}")));

    /// <summary>
    /// Returns the text without invisible characters, with every kind of space as a blank, and without white space at its ends.
    /// Tabs and line ends inside stay. Text that needs no change is returned unchanged.
    /// </summary>
    public static string Without(string text)
    {
        if (text.Length == 0 || (!text.AsSpan().ContainsAnyExceptInRange(' ', '~') && text[0] != ' ' && text[^1] != ' '))
            return text;
        var seen = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsIn(Spaces, rune))
                seen.Append(' ');
            else if (!IsIgnorable(rune))
                seen.Append(rune);
        }
        return seen.ToString().Trim(' ', '\t', '\r', '\n');
    }

    /// <summary>
    /// Whether the character is invisible and not a space: default ignorable, the braille blank or an annotation mark.
    /// </summary>
    internal static bool IsIgnorable(Rune rune) => IsIn(Ignorable, rune);

    /// <summary>
    /// Returns the first control character other than a tab or a line end, written like <c>U+0000</c>; null when there is none.
    /// </summary>
    public static string? ControlIn(string text)
    {
        foreach (var c in text)
        {
            if (c is not ('\t' or '\r' or '\n') && IsIn(Controls, new(c < 0xD800 ? c : 'x')))
                return string.Create(CultureInfo.InvariantCulture, $"U+{(int)c:X4}");
        }
        return null;
    }

    private static bool IsIn(ImmutableArray<(int First, int Last)> ranges, Rune rune)
    {
        foreach (var (first, last) in ranges)
        {
            if (rune.Value <= last)
                return rune.Value >= first;
        }
        return false;
    }
}
