using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace AuditCli.Evidence.Text;

/// <summary>
/// Returns characters as texts are compared whose writers may want them to look different: without case, width and accents, and without what
/// cannot be seen. The tables are constants because the program runs without those of a culture, and so does not know what an accent is.
/// </summary>
internal static class LetterFold
{
    /// <summary>Letters in lower case, each line after the letter that they become.</summary>
    private static readonly string[] Alike =
    [
        "aàáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặªẚаα", "bḃḅḇƀƃɓв", "cçćĉċčḉƈȼс", "dďḋḍḏḑḓđðƌẟɖɗȡԁ", "eèéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệɇǝəɛеε", "fḟƒ", "gĝğġģǧǵḡǥɠɣ",
        "hĥȟḣḥḧḩḫẖħнһη", "iìíîïĩīĭįǐȉȋḭḯỉịıіι", "jĵǰȷɉј", "kķǩḱḳḵƙĸкκ", "lĺļľḷḹḻḽłƚŀȴӏ", "mḿṁṃм", "nñńņňǹṅṇṉṋƞŋɲŉȵν",
        "oòóôõöōŏőơǒǫǭȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợøǿºɔοо",
        "pṕṗƥрρ", "qԛ", "rŕŗřȑȓṙṛṝṟɍ", "sśŝşšșṡṣṥṧṩſẛẜẝȿѕ", "tţťțṫṭṯṱẗŧƭȶтτ", "uùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữựʊ", "vṽṿʋ", "wŵẁẃẅẇẉẘԝ", "xẋẍхχ",
        "yýÿŷȳẏẙỳỵỷỹƴɏуυ", "zźżžẑẓẕƶȥɀʒ",
    ];

    private static readonly FrozenDictionary<int, string> Plain = Alike
        .SelectMany(a => a.EnumerateRunes().Skip(1).Select(r => KeyValuePair.Create(r.Value, a[..1])))
        .Concat([new('æ', "ae"), new('ǽ', "ae"), new('ǣ', "ae"), new('œ', "oe"), new('ß', "ss"), new('ẞ', "ss"), new('þ', "th"), new('ĳ', "ij")])
        .ToFrozenDictionary();

    /// <summary>Returns the usual form of a full-width character.</summary>
    public static Rune Narrow(Rune rune) => rune.Value is >= 0xFF01 and <= 0xFF5E ? new(rune.Value - 0xFEE0) : rune;

    /// <summary>
    /// Returns what a character adds to a word: a letter or digit in its plain form, or nothing for a mark, an apostrophe or an invisible
    /// character. Null means that it ends the word.
    /// </summary>
    public static string? Of(Rune rune)
    {
        var lower = Rune.ToLowerInvariant(Narrow(rune));
        if (Plain.GetValueOrDefault(lower.Value) is { } plain)
            return plain;
        // These are also said to be letters.
        if (InvisibleText.IsIgnorable(rune) || IsApostrophe(rune))
            return "";
        if (Rune.IsLetterOrDigit(lower))
            return lower.ToString();
        return Rune.GetUnicodeCategory(lower) switch
        {
            UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format => "",
            UnicodeCategory.SpacingCombiningMark => lower.ToString(),
            _ => null,
        };
    }

    /// <summary>Returns the letters and digits of a text, joined, in their plain form.</summary>
    public static string Joined(string text)
    {
        var joined = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            joined.Append(Of(rune));
        return joined.ToString();
    }

    /// <summary>Returns the words of a text, in order and in their plain form.</summary>
    public static string[] Words(string text)
    {
        var words = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            words.Append(Of(rune) ?? " ");
        return words.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Whether a character is an apostrophe, or a letter that is written as one (as in Ka'iulani).</summary>
    private static bool IsApostrophe(Rune rune) => rune.Value is '\'' or '`' or '\u00B4' or (>= 0x02B9 and <= 0x02BF) or '\u2018' or '\u2019';
}
