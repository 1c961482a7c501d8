using System.Buffers;
using System.Collections.Immutable;

namespace AuditCli.Collectors.Redaction;

/// <summary>
/// Finds secrets as protocols and tools write them without the name of a secret directly before: cookies, digest authentication, SAML
/// messages, password fields of forms, arguments of databases and key stores, lines of password files, and pairs of access keys.
/// </summary>
internal static class ToolForms
{
    private const int LongestLine = 4096;
    private const int LongestTag = 512;
    private const int LeastMessage = 40;
    private const int MostSeparators = 8;
    private static readonly SearchValues<char> Hex = SearchValues.Create(FormLetters.Digits + "abcdefABCDEF");
    private static readonly SearchValues<char> Ids = SearchValues.Create(FormLetters.Upper + FormLetters.Digits);
    private static readonly SearchValues<char> Message = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "+/=%_-");
    private static readonly SearchValues<char> SecretKey = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "+/");
    private static readonly SearchValues<char> EndsOfFields = SearchValues.Create("\r\n\"'\\<");
    private static readonly SearchValues<char> Separators = SearchValues.Create(" :,\t|;\"'/=\r\n\\");

    public static ImmutableArray<CredentialForm> All { get; } =
    [
        new("cookie", Cookie, AnyCase: true, From: 2),
        new("response=", Digest, AnyCase: true, From: 6),
        new("ConvertTo-SecureString", SecureString, AnyCase: true, From: 6),
        new("redis-cli", (text, at) => Behind(text, at, " -a "), From: 4),
        new("pass:", Source, From: 2),
        .. from tool in new[] { ("sqlplus", 3), ("oracle:thin:", 5), ("impdp", 1), ("expdp", 1), ("sqlldr", 2) }
           select new CredentialForm(tool.Item1, (text, at) => UserAndPassword(text, at, tool.Item1.Length), From: tool.Item2),
        .. from port in new[] { ":5432:", ":5433:", ":6432:" } select new CredentialForm(port, (text, at) => PasswordFile(text, at + port.Length)),
        new("AKIA", AccessKey, From: 1),
        new("ASIA", AccessKey, From: 1),
        new("SAMLRe", Saml, From: 2),
        new("type=", PasswordField, AnyCase: true, From: 2),
    ];

    /// <summary>Reads the values of <c>Cookie: a=x; b=y</c> from the first that looks secret on, and the first of <c>Set-Cookie</c>.</summary>
    private static TextPart Cookie(ReadOnlySpan<char> text, int at)
    {
        var isSet = text[..at].EndsWith("set-", StringComparison.OrdinalIgnoreCase);
        var isOption = !isSet && text[..at].EndsWith("--", StringComparison.Ordinal);
        var start = at + "cookie".Length;
        if (start < text.Length && text[start] == '2')
            start++;
        start = NamedForms.SkipQuote(text, start, out _);
        var blanks = NamedForms.SkipBlanks(text, ref start);
        if (start < text.Length && (text[start] == ':' || isOption && text[start] == '='))
            start++;
        else if (!isOption || blanks == 0)
            return TextPart.None;
        NamedForms.SkipBlanks(text, ref start);
        start = NamedForms.SkipQuote(text, start, out _);
        var line = text.Slice(start, Math.Min(LongestLine, text.Length - start));
        line = line[..(line.IndexOfAny(EndsOfFields) is >= 0 and var stop ? stop : line.Length)].TrimEnd();
        foreach (var pair in line.Split(';'))
        {
            var (from, to) = (pair.Start.Value, pair.End.Value);
            if (line[from..to].IndexOf('=') is > 0 and var sign && IsSession(line[(from + sign + 1)..to].TrimEnd()))
                return new(start + from + sign + 1, isSet ? line[(from + sign + 1)..to].TrimEnd().Length : line.Length - from - sign - 1);
            if (isSet)
                break;
        }
        return TextPart.None;
    }

    /// <summary>Whether the value of a cookie or of a field of a session is one that lets others in.</summary>
    public static bool IsSession(ReadOnlySpan<char> value) =>
        value.Length >= 8 && !value.Contains(' ') && value.ContainsAny(SecretNames.Digits) && SecretNames.Holds(NameSays.Perhaps, value, assigned: true);

    /// <summary>Reads the response of digest authentication (RFC 7616), from which the password can be guessed.</summary>
    private static TextPart Digest(ReadOnlySpan<char> text, int at)
    {
        var start = NamedForms.SkipQuote(text, at + "response=".Length, out _);
        var length = FormLetters.Run(text, start, Hex, 129);
        return length is 32 or 64 or 128 && text[Math.Max(0, at - LongestTag)..at].IndexOf("digest", StringComparison.OrdinalIgnoreCase) >= 0
            ? new(start, length) : TextPart.None;
    }

    private static TextPart SecureString(ReadOnlySpan<char> text, int at)
    {
        var start = at + "ConvertTo-SecureString".Length;
        if (NamedForms.SkipBlanks(text, ref start) > 0 && text[start..].StartsWith("-String", StringComparison.OrdinalIgnoreCase))
        {
            start += "-String".Length;
            NamedForms.SkipBlanks(text, ref start);
        }
        start = NamedForms.SkipQuote(text, start, out var quote);
        if (quote == '\0')
            return TextPart.None;
        var rest = text.Slice(start, Math.Min(LongestTag, text.Length - start));
        var end = rest.IndexOfAny(quote, '\\', '\n');
        return Judged(start, end < 0 ? rest : rest[..end]);
    }

    /// <summary>Reads the value of an option of a command, on the same line.</summary>
    public static TextPart Behind(ReadOnlySpan<char> text, int at, string option)
    {
        var line = Line(text, at);
        if (line.IndexOf(option) is not (>= 0 and var found))
            return TextPart.None;
        var start = NamedForms.SkipQuote(text, at + found + option.Length, out _);
        return Judged(start, NamedForms.BeforeEnd(text.Slice(start, Math.Min(LongestTag, text.Length - start))));
    }

    /// <summary>Reads the password of <c>-passin pass:x</c>, as openssl takes it.</summary>
    private static TextPart Source(ReadOnlySpan<char> text, int at)
    {
        var before = text[Math.Max(0, at - 16)..at].TrimEnd(" \"',=\\");
        if (before.Length == at || !before.EndsWith("-passin") && !before.EndsWith("-passout") && !before.EndsWith("-pass"))
            return TextPart.None;
        var start = at + "pass:".Length;
        return Judged(start, NamedForms.BeforeEnd(text.Slice(start, Math.Min(LongestTag, text.Length - start))));
    }

    /// <summary>Reads the password of <c>sqlplus user/password@database</c> and of Oracle's addresses.</summary>
    private static TextPart UserAndPassword(ReadOnlySpan<char> text, int at, int length)
    {
        var line = Line(text, at);
        for (var slash = length; slash < line.Length && line[slash..].IndexOf('/') is >= 0 and var next; slash++)
        {
            slash += next;
            var user = FormLetters.RunBefore(line, slash, FormLetters.Name, 64);
            if (user == 0 || slash - user < length || line[slash - user - 1] is not (' ' or ':' or '"' or '\''))
                continue;
            var rest = line[(slash + 1)..];
            var end = rest.IndexOf('@') is >= 0 and var sign && !rest[..sign].ContainsAny(" \t\"'") ? sign : NamedForms.BeforeEnd(rest).Length;
            return Judged(at + slash + 1, rest[..end]);
        }
        return TextPart.None;
    }

    /// <summary>Reads the password of a line <c>host:port:database:user:password</c>.</summary>
    private static TextPart PasswordFile(ReadOnlySpan<char> text, int at)
    {
        for (var field = 0; field < 2; field++)
        {
            var length = at < text.Length && text[at] == '*' ? 1 : FormLetters.Run(text, at, FormLetters.Name, 64);
            at += length + 1;
            if (length == 0 || at > text.Length || text[at - 1] != ':')
                return TextPart.None;
        }
        return Judged(at, NamedForms.BeforeEnd(text.Slice(at, Math.Min(LongestTag, text.Length - at))));
    }

    /// <summary>Reads the secret next to the id of an AWS access key: forty letters of base64.</summary>
    private static TextPart AccessKey(ReadOnlySpan<char> text, int at)
    {
        const int Id = 20;
        const int Secret = 40;
        var id = FormLetters.Run(text, at, Ids, Id + 1);
        var start = at + Id;
        if (id != Id || at > 0 && char.IsAsciiLetterOrDigit(text[at - 1]))
            return TextPart.None;
        var between = FormLetters.Run(text, start, Separators, MostSeparators);
        start += between;
        var secret = text.Slice(start, FormLetters.Run(text, start, SecretKey, Secret + 1));
        return between > 0 && secret.Length == Secret && SecretNames.LooksMade(secret) && secret.ContainsAnyExcept(Hex) ? new(start, Secret) : TextPart.None;
    }

    /// <summary>Reads a message of SAML, which may be an assertion that lets its bearer in.</summary>
    private static TextPart Saml(ReadOnlySpan<char> text, int at)
    {
        var start = at + "SAMLRe".Length;
        if (text[start..].StartsWith("quest"))
            start += "quest".Length;
        else if (text[start..].StartsWith("sponse"))
            start += "sponse".Length;
        else
            return TextPart.None;
        start = NamedForms.SkipQuote(text, start, out _);
        NamedForms.SkipBlanks(text, ref start);
        // In a form the value is an attribute of its own.
        if (text[start..].StartsWith("value", StringComparison.OrdinalIgnoreCase))
            start += "value".Length;
        if (start >= text.Length || text[start] is not ('=' or ':'))
            return TextPart.None;
        start++;
        NamedForms.SkipBlanks(text, ref start);
        start = NamedForms.SkipQuote(text, start, out _);
        var length = FormLetters.Run(text, start, Message, 1 << 16);
        return length >= LeastMessage && text.Slice(start, length).ContainsAny(SecretNames.Digits) ? new(start, length) : TextPart.None;
    }

    /// <summary>Reads the value of a password field of an HTML form.</summary>
    private static TextPart PasswordField(ReadOnlySpan<char> text, int at)
    {
        var kind = NamedForms.SkipQuote(text, at + "type=".Length, out _);
        if (!text[kind..].StartsWith("password", StringComparison.OrdinalIgnoreCase))
            return TextPart.None;
        var first = Math.Max(0, at - LongestTag);
        var open = text[first..at].LastIndexOf('<');
        var close = text.Slice(at, Math.Min(LongestTag, text.Length - at)).IndexOf('>');
        if (open < 0 || close < 0)
            return TextPart.None;
        var tag = text[(first + open)..(at + close)];
        if (tag.IndexOf(" value=", StringComparison.OrdinalIgnoreCase) is not (>= 0 and var named))
            return TextPart.None;
        var start = NamedForms.SkipQuote(text, first + open + named + " value=".Length, out _);
        var value = NamedForms.BeforeEnd(text[start..(at + close)]);
        return value.IsEmpty || BodyRedaction.IsReplaced(value) ? TextPart.None : new(start, value.Length);
    }

    /// <summary>Returns the rest of a command line.</summary>
    public static ReadOnlySpan<char> Line(ReadOnlySpan<char> text, int at)
    {
        var line = text.Slice(at, Math.Min(256, text.Length - at));
        return line.IndexOfAny('\n', '|', ';') is >= 0 and var end ? line[..end] : line;
    }

    /// <summary>Returns the place of a value if it may be the value of a secret.</summary>
    public static TextPart Judged(int start, ReadOnlySpan<char> value) =>
        SecretNames.Holds(NameSays.Secret, value, assigned: true) ? new(start, value.Length) : TextPart.None;
}
