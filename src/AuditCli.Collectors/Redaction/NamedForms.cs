using System.Buffers;
using System.Buffers.Text;
using System.Collections.Immutable;

namespace AuditCli.Collectors.Redaction;

/// <summary>
/// Finds secrets by their names: settings (<c>password=x</c>, <c>"token": "x"</c>), command options (<c>--password x</c>), request headers
/// (<c>Authorization: Bearer x</c>) and URL parameters (<c>?token=x</c>).
/// </summary>
internal static class NamedForms
{
    private const int LongestName = 64;
    private const int ShortestInBase64 = 3;
    private const int LongestValue = 1024;
    private const int MostBlanks = 8;
    private const int LeastInUrl = 6;
    private const int LeastSignature = 20;

    /// <summary>The number of spaces in the shortest list of words from which a wallet is restored (BIP 39).</summary>
    private const int LeastBlanksOfMnemonic = 11;

    /// <summary>The characters that end an unquoted value.</summary>
    private static readonly SearchValues<char> Ends = SearchValues.Create(" \t\r\n\f\v\"'<>,;|()[]{}`\\");
    private static readonly SearchValues<char> EndsOfWords = SearchValues.Create("\r\n\"'<>;\\");
    private static readonly SearchValues<char> Words = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "._~+/=-");
    private static readonly SearchValues<char> Signature = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "+/=%_-~");

    public static ImmutableArray<CredentialForm> All { get; } =
    [
        .. from word in new[]
           {
               ("passw", 2), ("passphrase", 3), ("passcode", 3), ("pwd", 0), ("secret", 1), ("token", 1), ("api_key", 2), ("api-key", 2), ("apikey", 2),
               ("private_key", 6), ("private-key", 6), ("privatekey", 6), ("accountkey", 6), ("sharedaccesskey", 4), ("webhook_url", 6), ("webhookurl", 6),
               ("authorization", 5), ("pass=", 2), ("-pass ", 0), ("pass: ", 3), ("pass_", 2), ("storepass", 4), ("keypass", 2),
               ("_key", 0), ("-key", 0), ("encryptionkey", 9), ("signingkey", 5), ("hmackey", 0), ("accesskey", 4), ("clientkey", 4), ("masterkey", 4),
               ("kennwort", 3), ("wachtwoord", 3), ("contrase", 4), ("senha", 2), ("mdp", 0), ("psw", 0), ("pw=", 0), ("motdepasse", 2),
               ("mot_de_passe", 2), ("requirepass", 6), ("masterauth", 5), ("presharedkey", 7), ("art-api", 2), ("parola", 1), ("sifre", 1), ("\u015fifre", 0),
               ("haslo", 1), ("has\u0142o", 1), ("\u043f\u0430\u0440\u043e\u043b\u044c", 2), ("losenord", 0), ("l\u00f6senord", 0), ("adgangskode", 1),
               ("passord", 3), ("salasana", 3), ("heslo", 0), ("jelszo", 0), ("jelsz\u00f3", 0), ("\u5bc6\u7801:", 0), ("\u5bc6\u7801=", 0),
               ("\u5bc6\u78bc:", 0), ("\u5bc6\u78bc=", 0), ("\u30d1\u30b9\u30ef\u30fc\u30c9", 0),
           }
           .Concat(FormLetters.Digits.Select(d => ($"pass{d}", 2)))
           select new CredentialForm(word.Item1, (text, at) => Setting(text, at, word.Item1.TrimEnd(' ', '=', ':').Length), AnyCase: true, From: word.Item2),
        new("secret", Spelled("secret access key"), AnyCase: true, From: 1),
        new("api key", Spelled("api key"), AnyCase: true, From: 2),
        .. from name in new[] { "auth\"", "auth\\", "auth'" } select new CredentialForm(name, Registry, AnyCase: true, From: 2),
        new("bearer ", (text, at) => Scheme(text, at, "bearer ".Length, IsBearer), AnyCase: true, From: 3),
        new("basic ", (text, at) => Scheme(text, at, "basic ".Length, IsUserAndPassword), AnyCase: true, From: 2),
        new("signature=", (text, at) => Signed(text, at, "signature=".Length), AnyCase: true, From: 6),
        new("sig=", (text, at) => Signed(text, at, "sig=".Length), AnyCase: true),
        .. from command in new[] { ("mysql", 1), ("sshpass", 2), ("mariadb", 3) } select new CredentialForm(command.Item1, Attached, From: command.Item2),
        .. from option in new[] { "--user", "-u " } select new CredentialForm(option, (text, at) => UserAndPassword(text, at + option.TrimEnd().Length)),
        // Options whose value is the next element of a list.
        new("-u\"", (text, at) => UserAndPassword(text, at + 2)),
    ];

    /// <summary>Whether the value of a member, column or header of that name is a secret.</summary>
    public static bool InMember(ReadOnlySpan<char> name, ReadOnlySpan<char> value)
    {
        value = value.Trim(" \t\r\n");
        if (value.IsEmpty || value.Length > LongestValue)
            return false;
        if (FoldedText.May(name))
            name = FoldedText.Of(name.ToString()).Plain;
        if (IsNamed(name, "auth"))
            return IsUserAndPassword(value, true);
        if (IsAuthorization(name))
            return IsAuthorizing(value);
        var says = SecretNames.OfMember(name);
        return says != NameSays.Nothing && (!value.ContainsAny(" \t\r\n") || IsPassphrase(name)
            ? SecretNames.Holds(says, value, assigned: true)
            : IsMnemonic(name) && value.Count(' ') >= LeastBlanksOfMnemonic);
    }

    /// <summary>Whether a name announces that the value next to it is a secret, or an option that the next element is one.</summary>
    public static bool Says(ReadOnlySpan<char> name, bool option) => option
        ? name is "-u" or "--user" || !name.Contains('=') && SecretNames.Of(name) != NameSays.Nothing
        : SecretNames.OfMember(name) != NameSays.Nothing || IsAuthorization(name) || IsNamed(name, "auth");

    /// <summary>Whether the element after an option for which <see cref="Says"/> is true is a secret.</summary>
    public static bool InOption(ReadOnlySpan<char> option, ReadOnlySpan<char> value) => value is not ['-', ..] && (option is "-u" or "--user"
        ? value.IndexOf(':') is > 0 and var colon && value.ContainsAny(SecretNames.Letters)
            && SecretNames.Holds(NameSays.Secret, value[(colon + 1)..], assigned: true)
        : SecretNames.Holds(SecretNames.Of(option) == NameSays.Key ? NameSays.Key : NameSays.Secret, value, assigned: true));

    /// <summary>Returns a reader for a name of several words.</summary>
    private static CredentialForm.Reader Spelled(string name) =>
        (text, at) => text[at..].StartsWith(name, StringComparison.OrdinalIgnoreCase) ? Value(text, at, name, at + name.Length) : TextPart.None;

    private static TextPart Setting(ReadOnlySpan<char> text, int at, int length)
    {
        var start = at - FormLetters.RunBefore(text, at, FormLetters.Name, LongestName);
        var end = at + length;
        end += FormLetters.Run(text, end, FormLetters.Name, LongestName);
        // The one letter of the names that is not ASCII, and in no set, because a search for such sets is slower.
        if (end < text.Length && text[end] is '\u00f1' or '\u00d1')
            end += 1 + FormLetters.Run(text, end + 1, FormLetters.Name, LongestName);
        // In base64 such letters are before a padding by chance.
        if (end - start <= ShortestInBase64 && start > 0 && text[start - 1] is '/' or '+')
            return TextPart.None;
        return Value(text, start, text[start..end], end);
    }

    /// <param name="start">The place at which the name begins.</param>
    /// <param name="end">The place after the name.</param>
    private static TextPart Value(ReadOnlySpan<char> text, int start, ReadOnlySpan<char> name, int end)
    {
        // Fast exit: most finds are a word in a sentence or a part of another name.
        if (end >= text.Length || text[end] is not (' ' or '\t' or '=' or ':' or '"' or '\'' or '\\' or '>' or '`' or '&'))
            return end < text.Length && text[end] is '<' or '*' or '|' or '\r' or '\n' ? LayoutForms.Behind(text, start, name, end, end) : TextPart.None;
        var authorizes = IsAuthorization(name);
        var says = authorizes ? NameSays.Perhaps : SecretNames.Of(name);
        if (says == NameSays.Nothing)
            return TextPart.None;
        var isOption = name[0] == '-' && !name.StartsWith("--no-", StringComparison.OrdinalIgnoreCase);
        var inUrl = start > 0 && text[start - 1] is '?' or '&' || name[0] == '&';
        var at = SkipQuote(text, end, out var quotedName);
        // The name may be an index: environ['NAME'] = 'x'.
        if (quotedName != '\0' && at < text.Length && text[at] == ']')
            at++;
        var blanks = SkipBlanks(text, ref at);
        if (at >= text.Length)
            return TextPart.None;
        var assigned = false;
        switch (text[at])
        {
            case '=':
                assigned = blanks == 0;
                at += at + 1 < text.Length && text[at + 1] is '=' or '>' ? 2 : 1;
                assigned &= SkipBlanks(text, ref at) == 0;
                if (assigned && says == NameSays.Secret)
                    at = LayoutForms.OnNextLine(text, at);
                if (at + 1 < text.Length && text[at] == 'N' && text[at + 1] == '\'')
                    at++;
                break;
            case ':':
                at += at + 1 < text.Length && text[at + 1] is '=' ? 2 : 1;
                var behind = SkipBlanks(text, ref at);
                // Without a space the text may be a part of an identifier, such as a resource name.
                if (behind == 0 && quotedName == '\0' && !(at < text.Length && text[at] is '"' or '\'')
                    && (says != NameSays.Secret || authorizes || start > 0 && text[start - 1] is ':' or '/'))
                {
                    return TextPart.None;
                }
                assigned = quotedName != '\0';
                if (quotedName == '\0' && says == NameSays.Secret)
                    at = LayoutForms.OnIndentedLine(text, at);
                break;
            case ',' when quotedName != '\0' && (isOption || LayoutForms.IsArgument(text, start)):
                at++;
                SkipBlanks(text, ref at);
                if (at >= text.Length || text[at] is not ('"' or '\'' or '\\'))
                    return TextPart.None;
                break;
            case '>' when blanks == 0 && start > 0 && text[start - 1] == '<':
                at++;
                assigned = true;
                break;
            case var _ when isOption && blanks > 0 && quotedName == '\0' && text[at] != '-':
                break;
            case var _ when blanks > 0 && quotedName == '\0' && LayoutForms.IsDirective(text, start, name):
                assigned = true;
                break;
            default:
                return LayoutForms.Behind(text, start, name, end, at);
        }
        at = SkipQuote(text, at, out var quote);
        var rest = text.Slice(at, Math.Min(LongestValue, text.Length - at));
        if (IsPassphrase(name) && (!isOption || quote != '\0') && Sentence(rest, quote) is { Length: > 0 } words)
            return new(at, words.Length);
        var value = BeforeEnd(rest);
        if (inUrl && value.IndexOf('&') is >= 0 and var next)
            value = value[..next];
        if (authorizes)
            return Authorizing(text, at, value);
        if (value.IsEmpty || isOption && value[0] == '-' || at + value.Length < text.Length && text[at + value.Length] == '(')
            return TextPart.None;
        // A quoted value must be a whole one: a text with spaces is a description, not a secret.
        if (quote != '\0' && at + value.Length < text.Length && text[at + value.Length] is ' ' or '\t')
            return TextPart.None;
        var holds = SecretNames.Holds(isOption && says != NameSays.Key ? NameSays.Secret : says, value, assigned)
            || inUrl && says != NameSays.Key && value.Length >= LeastInUrl && value.ContainsAny(SecretNames.Digits)
                && SecretNames.Holds(NameSays.Secret, value, assigned);
        return holds ? new(at, value.TrimEnd('.').Length) : TextPart.None;
    }

    /// <summary>Returns a passphrase: the quoted text, or at least four words up to the end of the line.</summary>
    private static ReadOnlySpan<char> Sentence(ReadOnlySpan<char> rest, char quote)
    {
        var end = quote != '\0' ? rest.IndexOfAny(quote, '\\', '\n') : rest.IndexOfAny(EndsOfWords);
        var words = (end >= 0 ? rest[..end] : rest).TrimEnd(" \t.");
        return words.Count(' ') >= (quote == '\0' ? 3 : 1) && words.Length is > 12 and < 200 && words.IndexOf(BodyRedaction.Prefix) < 0 ? words : default;
    }

    /// <summary>
    /// Returns the value at the beginning of a text, after its opening quote. An HTML entity is part of the value, unless it encodes a
    /// character that ends a value.
    /// </summary>
    public static ReadOnlySpan<char> BeforeEnd(ReadOnlySpan<char> text)
    {
        for (var at = 0; text[at..].IndexOfAny(Ends) is >= 0 and var next; at += next + 1)
        {
            var end = at + next;
            if (text[end] != ';' || text[..end].LastIndexOf('&') is not (>= 0 and var begin)
                || EncodedText.Entity(text[begin..], out var letter) != end + 1 - begin)
                return text[..end];
            if (Ends.Contains(letter))
                return text[..begin];
        }
        return text;
    }

    /// <summary>Reads the credential of <c>Authorization: Scheme x</c>.</summary>
    private static TextPart Authorizing(ReadOnlySpan<char> text, int at, ReadOnlySpan<char> first)
    {
        if (first.IsEmpty)
            return TextPart.None;
        var start = at;
        if (!first.ContainsAnyExcept(SecretNames.Letters) && first.Length <= 12 && at + first.Length + 1 < text.Length && text[at + first.Length] == ' ')
        {
            start = at + first.Length + 1;
            var rest = text.Slice(start, Math.Min(LongestValue, text.Length - start));
            first = BeforeEnd(rest);
        }
        return first.Length >= 6 && first.ContainsAny(SecretNames.Digits) && SecretNames.Holds(NameSays.Secret, first, true)
            ? new(start, first.Length)
            : TextPart.None;
    }

    private static bool IsAuthorizing(ReadOnlySpan<char> value)
    {
        var last = value[(value.LastIndexOf(' ') + 1)..];
        return last.Length >= 6 && last.ContainsAny(SecretNames.Digits) && SecretNames.Holds(NameSays.Secret, last, true) || IsUserAndPassword(last, true);
    }

    /// <summary>Reads the credentials of an image registry: user and password in base64.</summary>
    private static TextPart Registry(ReadOnlySpan<char> text, int at)
    {
        if (at > 0 && FormLetters.Name.Contains(text[at - 1]))
            return TextPart.None;
        var start = SkipQuote(text, at + "auth".Length, out _);
        SkipBlanks(text, ref start);
        if (start >= text.Length || text[start] is not (':' or '='))
            return TextPart.None;
        start++;
        SkipBlanks(text, ref start);
        start = SkipQuote(text, start, out _);
        var length = FormLetters.Run(text, start, FormLetters.Base64, LongestValue);
        return IsUserAndPassword(text.Slice(start, length), true) ? new(start, length) : TextPart.None;
    }

    private delegate bool Judge(ReadOnlySpan<char> value, bool isField);

    private static TextPart Scheme(ReadOnlySpan<char> text, int at, int length, Judge judge)
    {
        if (at > 0 && FormLetters.Name.Contains(text[at - 1]))
            return TextPart.None;
        var start = at + length;
        SkipBlanks(text, ref start);
        var value = text.Slice(start, FormLetters.Run(text, start, Words, LongestValue * 4)).TrimEnd('.');
        var before = text[Math.Max(0, at - 40)..at].TrimEnd("\"'\\:= ,");
        return value.Length >= 6 && judge(value, before.EndsWith("authorization", StringComparison.OrdinalIgnoreCase))
            ? new(start, value.Length)
            : TextPart.None;
    }

    private static bool IsBearer(ReadOnlySpan<char> value, bool isField) =>
        value.ContainsAny(SecretNames.Digits) && !value.TrimEnd('=').Contains('=') && (isField || value.Length >= 12)
        && SecretNames.Holds(NameSays.Secret, value, true) && !(value.Contains('/') && value.Length < 20);

    /// <summary>Whether the value is a user and a password in base64.</summary>
    public static bool IsUserAndPassword(ReadOnlySpan<char> value, bool isField = true)
    {
        if (value.Length is < 8 or > LongestValue || value.Length % 4 != 0 || !Base64.IsValid(value))
            return false;
        Span<byte> decoded = stackalloc byte[LongestValue];
        return Convert.TryFromBase64Chars(value, decoded, out var length)
            && decoded[..length].IndexOf((byte)':') > 0
            && !decoded[..length].ContainsAnyExceptInRange((byte)' ', (byte)'~');
    }

    private static TextPart Signed(ReadOnlySpan<char> text, int at, int length)
    {
        var start = at + length;
        var run = FormLetters.Run(text, start, Signature, LongestValue);
        var value = text.Slice(start, run);
        var boundary = at == 0 || !char.IsAsciiLetterOrDigit(text[at - 1]);
        return boundary && run >= LeastSignature && SecretNames.LooksMade(value) ? new(start, run) : TextPart.None;
    }

    /// <summary>Reads a password attached to its option, as in <c>mysql -pX</c>; for sshpass also after a space.</summary>
    private static TextPart Attached(ReadOnlySpan<char> text, int at)
    {
        var line = text.Slice(at, Math.Min(160, text.Length - at));
        if (line.IndexOfAny('\n', '|', ';') is >= 0 and var end)
            line = line[..end];
        if (line.IndexOf(" -p") is not (>= 0 and var option))
            return TextPart.None;
        var start = option + 3;
        if (start < line.Length && line[start] == ' ')
        {
            if (!line.StartsWith("sshpass"))
                return TextPart.None;
            start++;
        }
        var value = line[start..];
        if (!value.IsEmpty && value[0] is '\'' or '"')
        {
            value = value[1..];
            start++;
        }
        value = BeforeEnd(value);
        return SecretNames.Holds(NameSays.Secret, value, assigned: true) ? new(at + start, value.Length) : TextPart.None;
    }

    /// <summary>Reads the password of <c>-u user:password</c>.</summary>
    private static TextPart UserAndPassword(ReadOnlySpan<char> text, int end)
    {
        var at = SkipQuote(text, end, out var quoted);
        var blanks = SkipBlanks(text, ref at);
        if (at < text.Length && (text[at] == ',' && quoted != '\0' || text[at] == '=' && blanks == 0))
        {
            at++;
            SkipBlanks(text, ref at);
        }
        else if (blanks == 0)
            return TextPart.None;
        at = SkipQuote(text, at, out _);
        var user = FormLetters.Run(text, at, FormLetters.Name, 128);
        at += user + 1;
        if (user == 0 || at >= text.Length || text[at - 1] != ':')
            return TextPart.None;
        var rest = text[at..];
        var value = rest[..(rest.IndexOfAny(Ends) is >= 0 and var stop ? stop : Math.Min(rest.Length, LongestValue))];
        return value.ContainsAny(SecretNames.Letters) && SecretNames.Holds(NameSays.Secret, value, assigned: true) ? new(at, value.Length) : TextPart.None;
    }

    private static bool IsNamed(ReadOnlySpan<char> name, ReadOnlySpan<char> wanted) => name.Trim("-_").Equals(wanted, StringComparison.OrdinalIgnoreCase);

    private static bool IsAuthorization(ReadOnlySpan<char> name) =>
        name.EndsWith("authorization", StringComparison.OrdinalIgnoreCase)
            && (name.Length == "authorization".Length || name[^("authorization".Length + 1)] is '-' or '_');

    private static bool IsMnemonic(ReadOnlySpan<char> name) => name.EndsWith("mnemonic", StringComparison.OrdinalIgnoreCase);

    private static bool IsPassphrase(ReadOnlySpan<char> name) => name.EndsWith("passphrase", StringComparison.OrdinalIgnoreCase);

    /// <summary>Moves a place behind spaces and tabs; returns their number.</summary>
    public static int SkipBlanks(ReadOnlySpan<char> text, ref int at)
    {
        var from = at;
        while (at < text.Length && at - from < MostBlanks && text[at] is ' ' or '\t')
            at++;
        return at - from;
    }

    /// <summary>Returns the place after a quote, which may be escaped; the given place if there is no quote.</summary>
    public static int SkipQuote(ReadOnlySpan<char> text, int at, out char quote)
    {
        var behind = at;
        while (behind < text.Length && behind - at < 4 && text[behind] == '\\')
            behind++;
        quote = behind < text.Length && text[behind] is '"' or '\'' or '`' ? text[behind] : '\0';
        if (quote != '\0')
            return behind + 1;
        if (behind < text.Length && text[behind] == '&' && EncodedText.Entity(text[behind..], out var letter) is > 0 and var length && letter is '"' or '\'')
        {
            quote = letter;
            return behind + length;
        }
        return at;
    }
}
