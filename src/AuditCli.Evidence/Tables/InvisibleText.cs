using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace AuditCli.Evidence.Tables;

/// <summary>
/// Names the characters that nobody sees, and takes them out of cells that people typed or pasted. Without this a key that ends with
/// a no-break space matches nothing, and the approval or leaver that it names is silently not there.
/// </summary>
/// <remarks>
/// The ranges are written down instead of asked of the runtime, whose Unicode tables change with its version: the same file has to
/// give the same table years later. They are Unicode's default ignorable code points, the braille blank and the annotation marks.
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

    /// <summary>Every space, control and invisible character as ranges of an RE2 character class, without its brackets.</summary>
    public static string CharacterClass { get; } = string.Concat(
        new[] { Controls, Spaces, Ignorable }.SelectMany(r => r).Select(r => string.Create(CultureInfo.InvariantCulture, $@"\x{{{r.First:X}}}-\x{{{r.Last:X}}}")));

    /// <summary>
    /// The text without invisible characters, every kind of space as a blank, and without white space at its ends. Tabs and line ends
    /// inside stay. Text that has none of these is returned as it is.
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

    /// <summary>Whether nobody sees the character, although it is no space: it is ignorable, the braille blank or an annotation mark.</summary>
    internal static bool IsIgnorable(Rune rune) => IsIn(Ignorable, rune);

    /// <summary>What of the text anybody sees: without invisible and control characters, and without any space. Empty says that nothing does.</summary>
    public static string OnlySeen(string text)
    {
        var seen = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (!IsIn(Controls, rune) && !IsIn(Spaces, rune) && !IsIgnorable(rune))
                seen.Append(rune);
        }
        return seen.ToString();
    }

    /// <summary>The first control character other than a tab or a line end, as <c>U+0000</c> is written; null where there is none.</summary>
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
