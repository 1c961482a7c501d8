using System.Buffers;
using System.Collections.Frozen;

namespace AuditCli.Collectors.Redaction;

/// <summary>
/// Finds passwords and tokens before the <c>@</c> of a URL or address: <c>scheme://user:password@host</c>, <c>https://token@host</c> and
/// <c>user:password@host</c>. The search is for the <c>@</c>, which is rarer than addresses.
/// </summary>
internal static class UserInfo
{
    private const int LongestUser = 256;
    private const int LongestPassword = 512;
    private const int LeastToken = 10;
    private const int LeastPassword = 6;

    /// <summary>The characters that end the part before the <c>@</c>.</summary>
    private static readonly SearchValues<char> Ends = SearchValues.Create(" \t\r\n\f\v/@\"'<>\\`");
    private static readonly SearchValues<char> Signs = SearchValues.Create("!#$%^&*~=");

    /// <summary>Words that occur before a colon and a mail address.</summary>
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Members = new[]
    {
        "user", "serviceaccount", "group", "domain", "deleted", "mailto", "mail", "email", "owner", "contact", "from", "to", "by", "principal",
        "member", "subject", "sip", "acct", "cc", "bcc", "team", "approver", "reviewer", "requester", "author", "git",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Returns the next secret; of length 0 if there is none.</summary>
    public static TextPart Next(ReadOnlySpan<char> text, int from)
    {
        for (var at = from; text[at..].IndexOf('@') is >= 0 and var next; at++)
        {
            at += next;
            if (At(text, at) is { Length: > 0 } found && found.Start >= from)
                return found;
        }
        return TextPart.None;
    }

    private static TextPart At(ReadOnlySpan<char> text, int sign)
    {
        var first = Math.Max(0, sign - LongestUser - LongestPassword - 1);
        var start = first + text[first..sign].LastIndexOfAny(Ends) + 1;
        var user = text[start..sign];
        if (user.IsEmpty || user.IndexOf(BodyRedaction.Prefix) >= 0 || IsDigest(text[(sign + 1)..]))
            return TextPart.None;
        var colon = user.IndexOf(':');
        var password = colon < 0 ? user : user[(colon + 1)..];
        if (start >= 3 && text[start - 1] == '/' && text[start - 2] == '/' && text[start - 3] == ':')
        {
            return colon < 0
                ? IsToken(user, Scheme(text, start - 3)) ? new(start, user.Length) : TextPart.None
                : password.Length is > 0 and <= LongestPassword && !IsReference(password) ? new(start + colon + 1, password.Length) : TextPart.None;
        }
        if (start > 0 && text[start - 1] is '/' or '@')
            return TextPart.None;
        // Without a scheme, the user is the word directly before the colon.
        colon = user.LastIndexOf(':');
        if (colon <= 0)
            return TextPart.None;
        var name = user[(colon - FormLetters.RunBefore(user, colon, FormLetters.Name, LongestUser))..colon];
        password = user[(colon + 1)..];
        return name.IsEmpty || password.Length is < LeastPassword or > LongestPassword || IsReference(password)
            || !LooksSecret(password, text[(sign + 1)..], Members.Contains(name.Trim("-_.")))
            ? TextPart.None : new(start + colon + 1, password.Length);
    }

    private static bool IsDigest(ReadOnlySpan<char> host) =>
        host.StartsWith("sha256:", StringComparison.Ordinal) || host.StartsWith("sha512:", StringComparison.Ordinal);

    private static bool IsReference(ReadOnlySpan<char> password) =>
        password[0] is '{' || password.StartsWith("${", StringComparison.Ordinal) || password.StartsWith("$(", StringComparison.Ordinal)
        || !password.ContainsAnyExcept('*') || password[0] == '$' && !password[1..].ContainsAnyExcept(SecretNames.Variable);

    private static ReadOnlySpan<char> Scheme(ReadOnlySpan<char> text, int colon) =>
        text[(colon - FormLetters.RunBefore(text, colon, FormLetters.Alphanumeric, 12))..colon];

    private static bool IsToken(ReadOnlySpan<char> user, ReadOnlySpan<char> scheme) =>
        user.Length >= LeastToken && !user.ContainsAnyExcept(FormLetters.Url)
        && (scheme.StartsWith("http", StringComparison.OrdinalIgnoreCase) || scheme.Equals("git", StringComparison.OrdinalIgnoreCase))
            && SecretNames.LooksMade(user);

    /// <summary>Whether the text between a name and a host is a secret and not the name of a mailbox.</summary>
    /// <param name="ofMember">Whether the word before the colon says that a mailbox follows.</param>
    private static bool LooksSecret(ReadOnlySpan<char> password, ReadOnlySpan<char> host, bool ofMember)
    {
        if (host.IsEmpty || !char.IsAsciiLetterOrDigit(host[0]))
            return false;
        var port = FormLetters.Run(host, 0, FormLetters.Name, 255) + 1;
        if (password.ContainsAny(Signs) || port < host.Length && host[port - 1] == ':' && char.IsAsciiDigit(host[port]))
            return true;
        return !password.ContainsAny("._+") && SecretNames.LooksMade(password)
            && (password.ContainsAny(SecretNames.Capitals) || !ofMember && !password.Contains('-'));
    }
}
