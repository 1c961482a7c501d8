using System.Text;

namespace AuditCli.Evidence.Text;

/// <summary>
/// Says whether the letters of a name are those that people write names with. The ranges are constants, so that they do not change with the
/// version of the runtime.
/// </summary>
internal static class NameLetters
{
    /// <summary>Letters in a styled, small, raised, phonetic or joined form, which look like those that names are written with.</summary>
    private static readonly (int First, int Last)[] Special =
    [
        (0x00B5, 0x00B5), (0x0184, 0x0185), (0x018D, 0x018D), (0x0195, 0x0195), (0x019B, 0x019B), (0x01A2, 0x01A3), (0x01A7, 0x01A8), (0x01AA, 0x01AA),
        (0x01B8, 0x01CC), (0x01F1, 0x01F3), (0x021C, 0x021D), (0x0222, 0x0223), (0x0238, 0x0239), (0x0241, 0x0242), (0x024A, 0x024B),
        (0x0250, 0x02B8), (0x02C0, 0x02C1), (0x02E0, 0x02E4), (0x1D00, 0x1DBF), (0x1EFA, 0x1EFF), (0x2071, 0x207F),
        (0x2090, 0x209C), (0x2100, 0x214F), (0x2460, 0x24FF), (0x2C60, 0x2C7F), (0xA4D0, 0xA4FF), (0xA69C, 0xA69D), (0xA720, 0xA7FF),
        (0xAB30, 0xAB6F), (0xFB00, 0xFB17),
        (0xFB1D, 0xFDFF), (0xFE70, 0xFEFC), (0x10780, 0x107BF), (0x11FB0, 0x11FBF), (0x1D400, 0x1D7FF), (0x1DF00, 0x1DFFF), (0x1F100, 0x1F1FF),
    ];

    /// <summary>Letters of the block of the phonetic alphabet that African languages write names with, such as in Akosua Kyɛremɛ.</summary>
    private const string African = "ɓɔɖɗəɛɠɣɲʊʋʒ";

    /// <summary>The alphabets of names, in the order of their letters. Whatever is in none of them is an alphabet of its own.</summary>
    private static readonly (int First, int Last, string Name)[] Alphabets =
    [
        (0x0041, 0x02AF, "Latin"), (0x0370, 0x03FF, "Greek"), (0x0400, 0x052F, "Cyrillic"), (0x0531, 0x058F, "Armenian"), (0x0590, 0x05FF, Hebrew),
        (0x0600, 0x08FF, Arabic), (0x0900, 0x0DFF, Indic), (0x0E00, 0x109F, SoutheastAsian), (0x10A0, 0x10FF, "Georgian"), (0x1100, 0x11FF, EastAsian),
        (0x13A0, 0x13FF, "Cherokee"), (0x1C80, 0x1C8F, "Cyrillic"), (0x1C90, 0x1CBF, "Georgian"), (0x1E00, 0x1EFF, "Latin"), (0x1F00, 0x1FFF, "Greek"),
        (0x2C80, 0x2CFF, "Coptic"), (0x2D00, 0x2D2F, "Georgian"), (0x2DE0, 0x2DFF, "Cyrillic"), (0x3005, 0x31FF, EastAsian), (0x3400, 0x9FFF, EastAsian),
        (0xA640, 0xA69F, "Cyrillic"), (0xAB70, 0xABBF, "Cherokee"), (0xAC00, 0xD7FF, EastAsian), (0xF900, 0xFAFF, EastAsian), (0xFF66, 0xFFDC, EastAsian),
        (0x20000, 0x3FFFF, EastAsian),
    ];

    private const string Hebrew = "Hebrew";
    private const string Arabic = "Arabic";
    private const string Indic = "Indic";
    private const string SoutheastAsian = "Southeast Asian";
    private const string EastAsian = "East Asian";
    private const string Other = "other";

    /// <summary>Whether a character is a letter in a form in which nobody writes a name.</summary>
    public static bool IsSpecial(Rune rune) =>
        !African.Contains(rune.ToString(), StringComparison.Ordinal) && Special.Any(s => rune.Value >= s.First && rune.Value <= s.Last);

    /// <summary>Returns why letters of a name may be there to look like others; null if they are not.</summary>
    public static string? WhyNot(string name)
    {
        var runes = name.EnumerateRunes().Select(LetterFold.Narrow).ToArray();
        // Small letters stand for capitals: U+0196 is the capital of a phonetic letter.
        if (runes.Any(r => IsSpecial(r) || IsSpecial(Rune.ToLowerInvariant(r))))
            return "has letters of a special form";
        var all = new List<string>();
        var word = new List<string>();
        foreach (var rune in runes)
        {
            if (!Rune.IsLetter(rune) || InvisibleText.IsIgnorable(rune) || rune.Value is (>= 0x02B9 and <= 0x02BF))
            {
                // A mark, an invisible character or a digit does not end a word.
                if (LetterFold.Of(rune) is null)
                    word.Clear();
                continue;
            }
            var alphabet = AlphabetOf(rune);
            if (word.Find(a => a != alphabet) is { } within)
                return $"mixes {within} and {alphabet} letters";
            word.Add(alphabet);
            all.Add(alphabet);
        }
        // A name may be repeated in the writing of another country, but not in one whose letters look the same.
        return all.Where(a => a is not (EastAsian or Hebrew or Arabic or Indic or SoutheastAsian)).Distinct().ToArray() is [var one, var other, ..]
            ? $"mixes {one} and {other} letters"
            : null;
    }

    private static string AlphabetOf(Rune rune)
    {
        foreach (var (first, last, name) in Alphabets)
        {
            if (rune.Value >= first && rune.Value <= last)
                return name;
        }
        return Other;
    }
}
