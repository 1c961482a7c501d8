using System.Collections.Frozen;
using System.Text;
using System.Text.RegularExpressions;

namespace AuditCli.Evidence.Text;

/// <summary>
/// Recognizes what people write where a name or a reason is asked and they have none: "n/a", "TBD", "see ticket". Only a text that consists of
/// it is refused, because parts of it are in real names and reasons.
/// </summary>
public static partial class Filler
{
    /// <summary>What says nothing at all, without case, punctuation and spaces: "na" is "n/a", "N.A." and "#N/A" too.</summary>
    private static readonly string[] Nothing =
    [
        "na", "nil", "null", "nan", "none", "nothing", "void", "empty", "blank", "missing", "unknown", "notknown", "dontknow", "idk", "unspecified",
        "notspecified", "notstated", "notgiven", "notset", "undefined", "notapplicable", "notavailable", "notassigned", "unassigned", "notyet", "nonegiven",
        "tbd", "tba", "tbc", "tobedetermined", "tobedefined", "tobedecided", "tobeadded", "tobeannounced", "tobeassigned", "tobeconfirmed", "todo", "fixme",
        "wip", "pending", "pendingapproval", "awaitingapproval", "yes", "no", "ok", "okay", "true", "false", "test", "placeholder", "dummy", "ditto",
        "same", "sameasabove", "asabove", "seeabove", "seebelow", "seeticket", "seecomment", "seenote", "seeattached", "ref", "value", "error",
        // German, Dutch, French, Italian and Spanish.
        "ka", "keine", "keiner", "keineangabe", "entfallt", "unbekannt", "nvt", "geen", "onbekend", "neant", "aucun", "aucune", "inconnu", "nessuno",
        "sconosciuto", "ninguno", "ninguna", "desconocido",
    ];

    private static readonly FrozenSet<string> Nobody = Nothing.Concat(
    [
        "nobody", "noone", "noname", "noapprover", "nobodyyet", "anyone", "anybody", "someone", "somebody", "everyone", "everybody", "whoever",
        "name", "yourname", "fullname", "firstnamelastname", "namehere", "person", "preparer", "thepreparer", "reviewer", "thereviewer", "approver",
        "theapprover", "auditor", "theauditor", "i", "me", "myself", "self", "himself", "herself", "themselves", "ourselves", "us", "we",
        "niemand", "nn", "personne",
    ]).ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> NoReason = Nothing.Concat(
    [
        "noreason", "noreasongiven", "noneneeded", "notneeded", "nocomment", "noremark", "reason", "thereason", "yourreason",
    ]).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>What separates the parts of a text that may be a filler each, and then also what is within "n/a".</summary>
    private static readonly char[][] Separators = [[.. " \t\r\n()[]{}<>\"',;:|&+"], [.. " \t\r\n()[]{}<>\"',;:|&+/\\-_."]];

    /// <summary>Whether a text stands where a person should be named, and names none.</summary>
    public static bool NamesNobody(string text) => !InitialAndSurname.IsMatch(text) && Says(text, Nobody, alike: 3);

    /// <summary>Whether a text stands where a reason or a reference should be, and is none.</summary>
    public static bool GivesNoReason(string text) => Says(text, NoReason, alike: 2);

    /// <param name="alike">The least number of characters that are no word if they are all the same.</param>
    private static bool Says(string text, FrozenSet<string> fillers, int alike)
    {
        var all = LetterFold.Joined(text);
        if (all.EnumerateRunes().Count() < 2 || all == "xx" || fillers.Contains(all))
            return true;
        // A reference may be the number 11.
        if (all.Length >= alike && all[0] is (< '1' or > '9') && all.AsSpan().Trim(all[0]).IsEmpty)
            return true;
        return Separators.Any(s => Parts(text, s) is { Length: > 1 } parts && parts.All(p => IsFiller(p, fillers)));
    }

    private static string[] Parts(string text, char[] separators)
    {
        var spaced = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            spaced.Append(Rune.IsWhiteSpace(rune) ? " " : LetterFold.Narrow(rune).ToString());
        return [.. spaced.ToString().Split(separators, StringSplitOptions.RemoveEmptyEntries).Where(p => LetterFold.Joined(p).Length > 0)];
    }

    /// <summary>Whether a part of a text is a filler. "Na" and "Ka" are names beside another word, and "n/a" is none.</summary>
    private static bool IsFiller(string part, FrozenSet<string> fillers)
    {
        var joined = LetterFold.Joined(part);
        return fillers.Contains(joined) && (joined.Length > 2 || LetterFold.Words(part).Length > 1);
    }

    /// <summary>Matches "T. Ba", which is a name although "T.B.A." is none.</summary>
    [GeneratedRegex(@"^\s*(\p{Lu}\.\s*)+\p{Lu}\p{Ll}+\s*$", RegexOptions.CultureInvariant)]
    private static partial Regex InitialAndSurname { get; }
}
