using System.Buffers;
using System.Collections.Immutable;

namespace AuditCli.Collectors.Http;

/// <summary>Credentials that are recognised by themselves: private keys, signed tokens, digests of passwords, keys of known services.</summary>
internal static class KeyForms
{
    private const int LongestKey = 65536;
    private const string End = "-----END ";
    private static readonly SearchValues<char> Words = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "_");
    private static readonly SearchValues<char> Dashed = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "-");
    private static readonly SearchValues<char> Crypt = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "./$,=+");
    private static readonly SearchValues<char> Path = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "/_-.@");

    public static ImmutableArray<CredentialForm> All { get; } =
    [
        new("-----BEGIN ", PrivateKey),
        new("PuTTY-User-Key-File-", (text, at) => new(at, Math.Min(LongestKey, text.Length - at)), From: 4),
        new("secret", (text, at) => at >= 4 ? Age(text, at - 4) : TextPart.None, AnyCase: true, From: 1),
        new("eyJ", SignedToken),
        .. from kind in new[] { "ghp_", "gho_", "ghu_", "ghs_", "ghr_" } select Token(kind, FormLetters.Alphanumeric, 20, 255),
        Token("github_pat_", Words, 22, 255),
        Token("glpat-", FormLetters.Url, 20, 255),
        Token("hvs.", FormLetters.Url, 20, 255),
        Token("xox", Dashed, 12, 255, made: true),
        Token("xapp-", Dashed, 10, 255),
        new("AIza", GoogleKey),
        .. from kind in new[] { "k_live_", "k_test_" } select new CredentialForm(kind, (text, at) => at > 0 && text[at - 1] is 's' or 'r' && Token(kind, FormLetters.Alphanumeric, 16, 255).Read(text, at) is { Length: > 0 } rest
            ? new(rest.Start - 1, rest.Length + 1) : TextPart.None),
        Token("whsec_", FormLetters.Alphanumeric, 16, 255),
        Token("sk-", FormLetters.Url, 32, 255, alone: true, made: true),
        Token("npm_", FormLetters.Alphanumeric, 30, 255),
        Token("hf_", FormLetters.Alphanumeric, 20, 255, alone: true),
        Token("pypi-", FormLetters.Url, 16, 1024, made: true),
        Token("shp", Words, 23, 255, alone: true, made: true),
        Token("ya29.", FormLetters.Url, 20, 2048),
        new("SG.", SendGrid),
        Token("dop_v1_", FormLetters.Alphanumeric, 32, 128),
        .. from path in new[] { "hooks.slack.com/", "/api/webhooks/", "office.com/webhook" }
           select new CredentialForm(path, (text, at) => Webhook(text, at + path.Length), AnyCase: true, From: path.IndexOf("oks", StringComparison.Ordinal) is >= 0 and var rare ? rare : Math.Max(0, path.IndexOf("m/w", StringComparison.Ordinal))),
        .. from kind in new[] { "$apr1$", "$2a$", "$2b$", "$2y$", "$argon2", "$y$", "$6$", "$5$" } select Token(kind, Crypt, 20, 255),
        Token("{SHA}", FormLetters.Base64, 27, 64),
        Token("{SSHA}", FormLetters.Base64, 27, 128),
    ];

    /// <summary>What begins with the anchor, and after it has so many of the given letters.</summary>
    /// <param name="alone">Not behind a letter or digit; else base64 would take such a form by chance.</param>
    /// <param name="made">With letters and digits as no name has them.</param>
    private static CredentialForm Token(string anchor, SearchValues<char> letters, int least, int most, bool alone = false, bool made = false) => new(anchor, (text, at) =>
    {
        var start = at + anchor.Length;
        var length = FormLetters.Run(text, start, letters, most);
        return length < least || alone && at > 0 && char.IsAsciiLetterOrDigit(text[at - 1]) || made && !SecretNames.LooksMade(text.Slice(start, length))
            ? TextPart.None
            : new(at, anchor.Length + length);
    });

    private static TextPart Age(ReadOnlySpan<char> text, int at)
    {
        const string Name = "AGE-SECRET-KEY-";
        return text[at..].StartsWith(Name, StringComparison.OrdinalIgnoreCase) && FormLetters.Run(text, at + Name.Length, FormLetters.Alphanumeric, 255) is >= 20 and var length
            ? new(at, Name.Length + length) : TextPart.None;
    }

    /// <summary>The path of a URL under which anybody may write into a chat.</summary>
    private static TextPart Webhook(ReadOnlySpan<char> text, int start)
    {
        var path = text.Slice(start, FormLetters.Run(text, start, Path, 512));
        if (path.IndexOf('/') is >= 0 and < 12 and var first && !path[..first].ContainsAny(SecretNames.Digits))
        {
            start += first + 1;
            path = path[(first + 1)..];
        }
        return path.Length >= 16 && SecretNames.LooksMade(path) ? new(start, path.Length) : TextPart.None;
    }

    /// <summary>With its last line where it has one; one that is cut off is searched to where it can be no key any more.</summary>
    private static TextPart PrivateKey(ReadOnlySpan<char> text, int at)
    {
        var rest = text.Slice(at, Math.Min(LongestKey, text.Length - at));
        var title = rest[..Math.Min(60, rest.Length)];
        if (title["-----BEGIN ".Length..].IndexOf("-----") is not (>= 0 and var dashes) || title.IndexOf("PRIVATE KEY") is not (>= 0 and var named) || named > dashes + "-----BEGIN ".Length)
            return TextPart.None;
        var body = "-----BEGIN ".Length + dashes + "-----".Length;
        if (rest[body..].IndexOf(End) is >= 0 and var end && rest[(body + end + End.Length)..].IndexOf("-----") is >= 0 and var last and < 40)
            return new(at, body + end + End.Length + last + "-----".Length);
        return new(at, body + (rest[body..].IndexOf('-') is >= 0 and var dash ? dash : rest.Length - body));
    }

    private static TextPart SignedToken(ReadOnlySpan<char> text, int at)
    {
        var head = FormLetters.Run(text, at, FormLetters.Url, LongestKey);
        var dot = at + head;
        if (head < 11 || dot + 4 >= text.Length || text[dot] != '.' || !text[(dot + 1)..].StartsWith("eyJ", StringComparison.Ordinal))
            return TextPart.None;
        var body = FormLetters.Run(text, dot + 1, FormLetters.Url, LongestKey);
        var end = dot + 1 + body;
        return body < 11 || end >= text.Length || text[end] != '.' || IsPageToken(text, at) ? TextPart.None : new(at, end + 1 + FormLetters.Run(text, end + 1, FormLetters.Url, 4096) - at);
    }

    private static TextPart GoogleKey(ReadOnlySpan<char> text, int at)
    {
        const int Length = 39;
        var run = FormLetters.Run(text, at, FormLetters.Url, Length + 1);
        return run == Length && (at + Length == text.Length || text[at + Length] is not ('+' or '/' or '=')) && (at == 0 || !FormLetters.Base64.Contains(text[at - 1]))
            ? new(at, Length) : TextPart.None;
    }

    private static TextPart SendGrid(ReadOnlySpan<char> text, int at)
    {
        var first = FormLetters.Run(text, at + 3, FormLetters.Url, 65);
        var dot = at + 3 + first;
        if (first is < 16 or > 64 || dot >= text.Length || text[dot] != '.')
            return TextPart.None;
        var second = FormLetters.Run(text, dot + 1, FormLetters.Url, 128);
        return second < 16 ? TextPart.None : new(at, dot + 1 + second - at);
    }

    /// <summary>Whether it stands where an answer or a request says which page comes next: nothing reads on without it.</summary>
    public static bool IsPageToken(ReadOnlySpan<char> text, int at)
    {
        var before = text[Math.Max(0, at - 60)..at].TrimEnd("\"'\\=:> ");
        var name = before[^FormLetters.RunBefore(before, before.Length, FormLetters.Name, 40)..];
        return before.Length < at && RedactionRules.IsPageToken(name);
    }
}
