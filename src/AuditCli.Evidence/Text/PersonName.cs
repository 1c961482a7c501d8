using System.Collections.Frozen;
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
    private const int LongEnough = 4;

    /// <summary>What stands between the names of several people, or between a name and what is said about the person.</summary>
    private static readonly char[] Between = [.. "/\\;&+()[]{}<>|\t\r\n"];

    /// <summary>Forms of address. Nobody is another person with one.</summary>
    private static readonly FrozenSet<string> Titles = new[] { "mr", "mrs", "ms", "miss", "dr", "prof", "sir", "herr", "frau", "med" }
        .ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Returns why a text is not the name of a person; null if it can be one.</summary>
    public static string? WhyNot(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length > Longest)
            return $"has more than {Longest} characters";
        if (name.Any(char.IsControl))
            return "has a control character";
        if (Letters(name) == 0)
            return "has no letter";
        return NameLetters.WhyNot(name) ?? (Filler.NamesNobody(name) || Letters(name) < 2 ? "names nobody" : null);
    }

    /// <summary>
    /// Whether two names have the same words, in any order. What must be a certain person is compared so; what must not be is compared by
    /// <see cref="MayBe"/>.
    /// </summary>
    public static bool IsSame(string one, string other) => Words(one).SetEquals(Words(other));

    /// <summary>
    /// Whether a text may name a person, alone or among others: by initials, by the surname alone, with more names, joined, or with letters and
    /// digits that look alike. It is also true of some other people, who are then asked for their whole name.
    /// </summary>
    public static bool MayBe(string text, string person)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(person);
        // Digits in a word stand for letters, and 1 for two of them.
        var blurs = HasDigitsInWords(text) || HasDigitsInWords(person);
        if (Plain(person, blurs) is { Length: > 1 } whole && whole.All(Plain(text, blurs).Contains))
            return true;
        var people = Parts(person, blurs);
        return Parts(text, blurs).Any(t => people.Any(p => AreAlike(t, p)));
    }

    private static bool AreAlike(string[] one, string[] other) =>
        string.Concat(one) == string.Concat(other)
        || IsOneWordOf(one, other) || IsOneWordOf(other, one)
        || one.Any(w => w.Length >= LongEnough && IsJoined(w, other)) || other.Any(w => w.Length >= LongEnough && IsJoined(w, one))
        || (one.Length == other.Length && one.Zip(other).All(w => Agree(w.First, w.Second)))
        || IsWithin(one, other) || IsWithin(other, one);

    /// <summary>Whether a name, read as one word, is the surname or first name of another one, its initials, or its words joined.</summary>
    private static bool IsOneWordOf(string[] one, string[] words)
    {
        var word = string.Concat(one);
        if (words.Length < 2 || word.Length < 2)
            return false;
        var (first, last) = (words[0], words[^1]);
        return word == last || word == first || IsJoined(word, words)
            || (one.Length == 1 && word == string.Concat(words.Select(w => w[0])))
            || (one.Length <= 3 && last.Length >= LongEnough && word.EndsWith(last, StringComparison.Ordinal) && Agree(word[..^last.Length], first));
    }

    private static bool IsJoined(string word, string[] words) => words.Length > 1
        && (word == string.Concat(words) || word == words[0][..1] + words[^1] || word == words[0] + words[^1] || word == words[^1] + words[0]
            || word == words[^1] + words[0][..1]);

    /// <summary>Whether one of two words begins with the other, which is an initial, or they are the same.</summary>
    private static bool Agree(string one, string other) =>
        one == other
        || (one.Length == 1 && other.StartsWith(one, StringComparison.Ordinal))
        || (other.Length == 1 && one.StartsWith(other, StringComparison.Ordinal));

    /// <summary>Whether each word of a name agrees with a word of its own in a longer one, and at least one is in both.</summary>
    private static bool IsWithin(string[] name, string[] longer)
    {
        if (name.Length < 2 || name.Length > longer.Length)
            return false;
        var taken = new bool[longer.Length];
        var surname = -1;
        int Find(Func<string, int, bool> agrees)
        {
            for (var i = 0; i < longer.Length; i++)
            {
                if (!taken[i] && agrees(longer[i], i))
                    return i;
            }
            return -1;
        }
        foreach (var word in name.Where(w => w.Length > 1))
        {
            if (Find((w, _) => w == word) is >= 0 and var at)
                (taken[at], surname) = (true, at);
        }
        if (surname < 0)
            return false;
        foreach (var word in name.Where(w => w.Length == 1 || !longer.Contains(w)))
        {
            var at = Find((w, _) => w == word);
            // An initial is that of a word before the surname, or right after one that comes first; further on stands what the person does.
            if (at < 0)
                at = Find((w, i) => Agree(word, w) && (i == 0 || i == surname - 1 || (surname == 0 && i == 1)));
            if (at < 0)
                return false;
            taken[at] = true;
        }
        return true;
    }

    /// <summary>Returns the names in a text, each as its words without forms of address.</summary>
    private static string[][] Parts(string text, bool blurs) =>
    [
        .. string.Concat(text.EnumerateRunes().Select(r => LetterFold.Narrow(r).ToString())).Split(Between)
            .SelectMany(p => p.Split(" and ", StringSplitOptions.RemoveEmptyEntries))
            .Select(p => Plain(p, blurs))
            .Select(w => w.Any(x => !Titles.Contains(x)) ? [.. w.Where(x => !Titles.Contains(x))] : w)
            .Where(w => w.Length > 0),
    ];

    private static bool HasDigitsInWords(string text) => LetterFold.Words(text).Any(HasDigits);

    private static bool HasDigits(string word) => word.Any(char.IsAsciiDigit) && word.Any(char.IsLetter);

    /// <param name="blurs">Whether digits become the letters that they look like, and i the same as l.</param>
    private static string[] Plain(string text, bool blurs) =>
        blurs ? [.. LetterFold.Words(text).Select(w => (HasDigits(w) ? Lettered(w) : w).Replace('i', 'l'))] : LetterFold.Words(text);

    private static string Lettered(string word) =>
        word.Replace('0', 'o').Replace('1', 'l').Replace('3', 'e').Replace('4', 'a').Replace('5', 's').Replace('7', 't');

    private static int Letters(string name) => name.EnumerateRunes().Count(IsLetter);

    private static bool IsLetter(Rune rune) => (Rune.IsLetter(rune) && !InvisibleText.IsIgnorable(rune)) || NameLetters.IsSpecial(rune);

    /// <summary>Returns the words of a name, without case and punctuation.</summary>
    private static HashSet<string> Words(string name)
    {
        var plain = new StringBuilder();
        foreach (var rune in name.EnumerateRunes().Select(LetterFold.Narrow))
        {
            if (Rune.IsLetterOrDigit(rune))
                plain.Append(rune.Value == 'ı' ? "i" : Rune.ToLowerInvariant(rune).ToString());
            else if (Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.Format))
                plain.Append(' ');
        }
        return [.. plain.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries)];
    }
}
