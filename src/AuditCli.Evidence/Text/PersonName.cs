using System.Globalization;
using System.Text;

namespace AuditCli.Evidence.Text;

/// <summary>
/// Compares names that people typed. They prove nothing about who typed them, but the reviewer must not answer, nor the preparer approve, by
/// writing the own name in another way.
/// </summary>
public static class PersonName
{
    private const int Longest = 200;

    /// <summary>Alphabets with letters that look like those of another one.</summary>
    private static readonly (int First, int Last, string Name)[] Alphabets =
        [(0x0041, 0x024F, "Latin"), (0x0370, 0x03FF, "Greek"), (0x0400, 0x052F, "Cyrillic")];

    /// <summary>Returns why a text is not the name of a person; null if it can be one.</summary>
    public static string? WhyNot(string name)
    {
        if (name.Length > Longest)
            return $"has more than {Longest} characters";
        if (name.Any(char.IsControl))
            return "has a control character";
        var letters = name.EnumerateRunes().Select(Narrow).Where(r => Rune.IsLetter(r) || IsStyled(r)).ToArray();
        if (letters.Length == 0)
            return "has no letter";
        if (letters.Any(IsStyled))
            return "has letters of a special form";
        return Alphabets.Where(a => letters.Any(l => l.Value >= a.First && l.Value <= a.Last)).Select(a => a.Name).ToArray() is [var one, var other, ..]
            ? $"mixes {one} and {other} letters"
            : null;
    }

    /// <summary>Whether two names have the same words, in any order and however they are written.</summary>
    public static bool IsSame(string one, string other) => Words(one).SetEquals(Words(other));

    /// <summary>Whether a text names a person, alone or with more words.</summary>
    public static bool Names(string text, string person) =>
        IsSame(text, person) || (Words(person) is { Count: > 1 } words && words.IsSubsetOf(Words(text)));

    /// <summary>
    /// Whether a character is a letter in a mathematical, circled or similar form. The program runs without the tables of a culture, so it
    /// does not know which letter that is.
    /// </summary>
    private static bool IsStyled(Rune rune) => rune.Value is (>= 0x2100 and <= 0x214F) or (>= 0x2460 and <= 0x24FF) or (>= 0x1D400 and <= 0x1D7FF);

    /// <summary>Returns the usual form of a full-width character.</summary>
    private static Rune Narrow(Rune rune) => rune.Value is >= 0xFF01 and <= 0xFF5E ? new(rune.Value - 0xFEE0) : rune;

    /// <summary>Returns the words of a name, without case and punctuation.</summary>
    private static HashSet<string> Words(string name)
    {
        var plain = new StringBuilder();
        foreach (var rune in name.EnumerateRunes().Select(Narrow))
        {
            if (Rune.IsLetterOrDigit(rune))
                plain.Append(rune.Value == 'ı' ? "i" : Rune.ToLowerInvariant(rune).ToString());
            else if (Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.Format))
                plain.Append(' ');
        }
        return [.. plain.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries)];
    }
}
