using System.Buffers;

namespace AuditCli.Collectors.Redaction;

/// <summary>What stands next to a text and says what it is: a name in the same object or list, or a command with its options.</summary>
internal readonly record struct ValueName
{
    private static readonly SearchValues<char> TicketNumber = SearchValues.Create(FormLetters.Digits + "-");

    private enum Kind
    {
        Nothing,
        Member,
        Option,
        First,
        Argument,
        Key,
    }

    private Kind Of { get; init; }

    private string Name { get; init; }

    private TextPart Part { get; init; }

    /// <summary>Whether there is such a name.</summary>
    public bool IsAny => Of != Kind.Nothing;

    /// <summary>Returns a name in the same object.</summary>
    public static ValueName OfMember(string name) => new() { Of = Kind.Member, Name = name };

    /// <summary>Returns a command option, which is the element before.</summary>
    public static ValueName OfOption(string name) => new() { Of = Kind.Option, Name = name };

    /// <summary>Returns the first element of a list of two.</summary>
    public static ValueName OfFirst(string name) => new() { Of = Kind.First, Name = name };

    /// <summary>Returns the part of an argument that is secret by the command before it.</summary>
    public static ValueName OfArgument(TextPart part) => new() { Of = Kind.Argument, Name = "", Part = part };

    /// <summary>Returns that the text is a number of a private key as a JSON Web Key (RFC 7517).</summary>
    public static ValueName OfKey() => new() { Of = Kind.Key, Name = "" };

    /// <summary>Returns the part of the text that this makes a secret; of length 0 if there is none.</summary>
    public TextPart SecretIn(string value) => Of switch
    {
        Kind.Member when NamedForms.InMember(Name, value) => new(0, value.Length),
        Kind.Option when NamedForms.InOption(Name, value) => new(0, value.Length),
        Kind.First when IsPair(Name, value) => new(0, value.Length),
        Kind.Key when SecretNames.LooksMade(value) && !value.AsSpan().ContainsAnyExcept(FormLetters.Url) => new(0, value.Length),
        Kind.Argument when Part.End <= value.Length && !BodyRedaction.IsReplaced(value) => Part,
        _ => TextPart.None,
    };

    /// <summary>
    /// Whether the first of two texts names a secret and the second is one, and not a word like the first: lists of two words are more
    /// common than pairs in a list.
    /// </summary>
    public static bool IsPair(ReadOnlySpan<char> name, ReadOnlySpan<char> value) =>
        value.ContainsAny(SecretNames.Digits) && value.ContainsAny(SecretNames.Letters) && !value.ContainsAny(" \t\r\n")
        && !(value.Contains('@') && value.Contains('.')) && !IsTicketOrDate(value) && SecretNames.OfMember(value) == NameSays.Nothing
        && SecretNames.Of(name) == NameSays.Secret && !name.Contains(' ') && SecretNames.Holds(NameSays.Perhaps, value, assigned: true);

    /// <summary>Whether a text is a number of a ticket, such as <c>CHG-2026-114</c>, or begins with a date.</summary>
    public static bool IsTicketOrDate(ReadOnlySpan<char> value) =>
        value is [_, _, _, _, '-', _, _, '-', ..] && !value[..4].ContainsAnyExcept(SecretNames.Digits)
        || value.IndexOf('-') is > 0 and var dash && !value[..dash].ContainsAnyExcept(SecretNames.Capitals) && !value[dash..].ContainsAnyExcept(TicketNumber);
}
