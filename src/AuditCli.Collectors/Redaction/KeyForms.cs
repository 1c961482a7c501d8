using System.Buffers;
using System.Collections.Immutable;

namespace AuditCli.Collectors.Redaction;

/// <summary>
/// The credentials that are recognised by their own form: private keys, signed tokens, password hashes, keys of known services.
/// </summary>
internal static class KeyForms
{
    private const int LongestKey = 65536;
    private const int LongestName = 60;
    private const string End = "-----END ";

    /// <summary>The beginning of signed tokens (RFC 7515): of <c>{"</c> in base64.</summary>
    private const string SignedTokenBegin = "eyJ";
    private const string OldVaultBegin = "s.";
    private static readonly SearchValues<char> Words = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "_");
    private static readonly SearchValues<char> Dashed = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "-");
    private static readonly SearchValues<char> Crypt = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "./$,=+");
    private static readonly SearchValues<char> Padded = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "_-+/=");
    private static readonly SearchValues<char> Opaque = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "+/_-");
    private static readonly SearchValues<char> Hex = SearchValues.Create(FormLetters.Digits + "abcdef");
    private static readonly SearchValues<char> Marks = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "_-.~");
    private static readonly SearchValues<char> Path = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "/_-.@");

    public static ImmutableArray<CredentialForm> All { get; } =
    [
        new("-----BEGIN ", PrivateKey),
        new("PuTTY-User-Key-File-", (text, at) => new(at, Math.Min(LongestKey, text.Length - at)), From: 4),
        new("secret", (text, at) => at >= 4 ? Age(text, at - 4) : TextPart.None, AnyCase: true, From: 1),
        new(SignedTokenBegin, SignedToken),
        .. from kind in new[] { "ghp_", "gho_", "ghu_", "ghs_", "ghr_" } select Token(kind, FormLetters.Alphanumeric, 20, 255),
        Token("github_pat_", Words, 22, 255),
        Token("glpat-", FormLetters.Url, 20, 255),
        // Other GitLab tokens that grant access: deployments, runners, jobs, triggers, feeds, mail, agents and applications.
        .. from kind in new[] { "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glsoat-" }
           select Token(kind, FormLetters.Url, 20, 255, alone: true, made: true),
        Token("gloas-", FormLetters.Url, 40, 255, alone: true, made: true, rare: 2),
        .. from kind in new[] { "hvs.", "hvb.", "hvr." } select Token(kind, FormLetters.Url, 20, 512),
        // With the dash, because public keys in base64 contain the three letters by chance.
        .. from kind in "abcdeoprs" select Token($"xox{kind}-", Dashed, 10, 255, made: true),
        Token("xapp-", Dashed, 10, 255),
        new("AIza", GoogleKey),
        .. from kind in new[] { "k_live_", "k_test_" }
           select new CredentialForm(kind, (text, at) => at > 0 && text[at - 1] is 's' or 'r'
               && Token(kind, FormLetters.Alphanumeric, 16, 255).Read(text, at) is { Length: > 0 } rest
                   ? new(rest.Start - 1, rest.Length + 1)
                   : TextPart.None),
        Token("whsec_", FormLetters.Alphanumeric, 16, 255),
        Token("sk-", FormLetters.Url, 32, 255, alone: true, made: true),
        Token("npm_", FormLetters.Alphanumeric, 30, 255),
        Token("hf_", FormLetters.Alphanumeric, 20, 255, alone: true),
        Token("pypi-", FormLetters.Url, 16, 1024, made: true),
        Token("shp", Words, 23, 255, alone: true, made: true),
        Token("ya29.", FormLetters.Url, 20, 2048),
        new("SG.", SendGrid),
        .. from kind in new[] { "dop_v1_", "doo_v1_", "dor_v1_" } select Token(kind, FormLetters.Alphanumeric, 32, 128, rare: 2),
        // Google: the secret of an OAuth client, a refresh token, the key of a messaging server.
        Token("GOCSPX-", FormLetters.Url, 20, 64, alone: true),
        Token("1//0", FormLetters.Url, 40, 255, alone: true, made: true),
        new(":APA91b", Messaging),
        Token("dapi", Hex, 32, 64, alone: true),
        .. from digit in FormLetters.Digits + "abcdef" select new CredentialForm($"SK{digit}", Twilio),
        new(":AA", Telegram),
        .. from version in new[] { "7Q~", "8Q~" } select new CredentialForm(version, EntraSecret),
        Token("dckr_pat_", FormLetters.Url, 20, 64, alone: true),
        Token("glsa_", Words, 32, 64, alone: true, made: true),
        Token("ATATT3", Padded, 40, 255, alone: true, made: true, rare: 3),
        Token("ATBB", FormLetters.Alphanumeric, 24, 64, alone: true, made: true, rare: 1),
        Token("PMAK-", Dashed, 40, 96, alone: true),
        Token("NRAK-", FormLetters.Alphanumeric, 24, 64, alone: true),
        .. from kind in new[] { "sntrys_", "sntryu_" } select Token(kind, Padded, 30, 512, alone: true),
        Token("tskey-", Dashed, 20, 128, alone: true, made: true),
        Token("rubygems_", FormLetters.Alphanumeric, 32, 64, alone: true, rare: 3),
        .. from kind in new[] { "sqa_", "sqp_", "squ_" } select Token(kind, FormLetters.Alphanumeric, 40, 64, alone: true, rare: 1),
        .. from kind in new[] { "sq0atp-", "sq0csp-" } select Token(kind, FormLetters.Url, 22, 64, alone: true),
        new(".atlasv1.", Terraform, From: 5),
        .. from kind in new[] { "pscale_tkn_", "pscale_pw_", "pscale_oauth_" } select Token(kind, FormLetters.Url, 30, 96, alone: true),
        Token("CCIPAT_", Words, 40, 128, alone: true),
        Token("lin_api_", FormLetters.Alphanumeric, 32, 64, alone: true, rare: 2),
        .. from kind in new[] { "nfp_", "ntn_", "gsk_", "sbp_", "xai-" } select Token(kind, FormLetters.Alphanumeric, 36, 128, alone: true, made: true),
        Token("figd_", FormLetters.Url, 36, 64, alone: true),
        Token("HRKU-", FormLetters.Url, 32, 96, alone: true, made: true),
        Token("xkeysib-", Dashed, 40, 128, alone: true),
        Token("dp.pt.", FormLetters.Alphanumeric, 36, 64, alone: true, rare: 1),
        .. from path in new[] { "hooks.slack.com/", "/api/webhooks/", "office.com/webhook" }
           select new CredentialForm(
               path,
               (text, at) => Webhook(text, at + path.Length),
               AnyCase: true,
               From: path.IndexOf("oks", StringComparison.Ordinal) is >= 0 and var rare
                   ? rare
                   : Math.Max(0, path.IndexOf("m/w", StringComparison.Ordinal))),
        .. from kind in new[] { "$apr1$", "$2a$", "$2b$", "$2y$", "$argon2", "$y$", "$6$", "$5$" } select Token(kind, Crypt, 20, 255),
        Token("fm2_", Padded, 40, 4096, alone: true, made: true),
        Token("glc_", Padded, 32, 1024, alone: true, made: true),
        Token("secret_", FormLetters.Alphanumeric, 43, 64, alone: true, made: true, rare: 1),
        Token("CLOJARS_", FormLetters.Alphanumeric, 48, 96, alone: true, rare: 3),
        Token("bkua_", FormLetters.Alphanumeric, 40, 64, alone: true, rare: 1),
        Token("pul-", Hex, 40, 64, alone: true),
        new("cio", (text, at) => Exact(text, at, 3, FormLetters.Alphanumeric, 32)),
        new("key-", (text, at) => Exact(text, at, 4, Hex, 32), From: 1),
        new("-us", Mailchimp),
        .. from network in "xtyz" select Token($"{network}prv", FormLetters.Alphanumeric, 100, 112, alone: true, made: true),
        // With what stands before, because two letters are in most names of hosts.
        .. from before in "\" =:'>/\n(,[;\t|+@`{<&" select new CredentialForm($"{before}{OldVaultBegin}", (text, at) => OldVault(text, at + 1)),
        .. ServiceKeyForms.All,
        Token("{SHA}", FormLetters.Base64, 27, 64),
        Token("{SSHA}", FormLetters.Base64, 27, 128),
    ];

    /// <summary>Returns a form that begins with the anchor, followed by a number of the given letters.</summary>
    /// <param name="alone">Not directly after a letter or digit, because base64 would match such a form by chance.</param>
    /// <param name="made">Only with a mixture of letters and digits that names do not have.</param>
    /// <param name="rare">See <see cref="CredentialForm.From"/>.</param>
    public static CredentialForm Token(
        string anchor, SearchValues<char> letters, int least, int most, bool alone = false, bool made = false, int rare = 0) => new(anchor, (text, at) =>
    {
        var start = at + anchor.Length;
        var length = FormLetters.Run(text, start, letters, most);
        return length < least || alone && !IsAlone(text, at) || made && !SecretNames.LooksMade(text.Slice(start, length))
            ? TextPart.None
            : new(at, anchor.Length + length);
    }, From: rare);

    /// <summary>Reads a token of an old version of Vault, which has no sign of its own but two letters; at the beginning of a text too.</summary>
    public static TextPart OldVault(ReadOnlySpan<char> text, int at)
    {
        const int Length = 24;
        return text[at..].StartsWith(OldVaultBegin, StringComparison.Ordinal)
            && Exact(text, at, OldVaultBegin.Length, FormLetters.Alphanumeric, Length) is { Length: > 0 } found
            && text.Slice(found.End - Length, Length) is var made && made.ContainsAny(SecretNames.Capitals) && made.ContainsAny(SecretNames.Small)
            ? found : TextPart.None;
    }

    /// <summary>Reads a form whose length is fixed and which stands alone.</summary>
    public static TextPart Exact(ReadOnlySpan<char> text, int at, int anchor, SearchValues<char> letters, int length)
    {
        var end = at + anchor + length;
        return FormLetters.Run(text, at + anchor, letters, length) == length && IsAlone(text, at)
            && (end == text.Length || !FormLetters.Url.Contains(text[end])) && SecretNames.LooksMade(text.Slice(at + anchor, length))
            ? new(at, anchor + length) : TextPart.None;
    }

    /// <summary>Reads a key of Mailchimp: 32 hexadecimal digits and the number of its data centre.</summary>
    private static TextPart Mailchimp(ReadOnlySpan<char> text, int at)
    {
        var digits = FormLetters.Run(text, at + 3, SecretNames.Digits, 3);
        var end = at + 3 + digits;
        return digits is 1 or 2 && FormLetters.RunBefore(text, at, FormLetters.Alphanumeric, 33) == 32 && FormLetters.RunBefore(text, at, Hex, 33) == 32
            && (end == text.Length || !FormLetters.Url.Contains(text[end]))
            ? new(at - 32, end - at + 32) : TextPart.None;
    }

    private static TextPart Age(ReadOnlySpan<char> text, int at)
    {
        const string Name = "AGE-SECRET-KEY-";
        return text[at..].StartsWith(Name, StringComparison.OrdinalIgnoreCase)
            && FormLetters.Run(text, at + Name.Length, FormLetters.Alphanumeric, 255) is >= 20 and var length
            ? new(at, Name.Length + length) : TextPart.None;
    }

    /// <summary>Reads the path of a webhook URL, which allows anyone to post into a chat.</summary>
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

    /// <summary>
    /// Reads a private key including its last line, if there is one; a truncated key ends at the first character that cannot be part of a
    /// key.
    /// </summary>
    private static TextPart PrivateKey(ReadOnlySpan<char> text, int at)
    {
        var rest = text.Slice(at, Math.Min(LongestKey, text.Length - at));
        var title = rest[..Math.Min(60, rest.Length)];
        if (title["-----BEGIN ".Length..].IndexOf("-----") is not (>= 0 and var dashes)
            || title.IndexOf("PRIVATE KEY") is not (>= 0 and var named) || named > dashes + "-----BEGIN ".Length)
        {
            return TextPart.None;
        }
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
        return body < 11 || end >= text.Length || text[end] != '.'
            ? TextPart.None
            : new(at, end + 1 + FormLetters.Run(text, end + 1, FormLetters.Url, 4096) - at);
    }

    private static TextPart GoogleKey(ReadOnlySpan<char> text, int at)
    {
        const int Length = 39;
        return FormLetters.Run(text, at, FormLetters.Url, Length) == Length && IsAlone(text, at)
            && (at + Length == text.Length || !char.IsAsciiLetterOrDigit(text[at + Length]))
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

    /// <summary>Reads an API key of Twilio: two capital letters and exactly 32 hexadecimal digits.</summary>
    private static TextPart Twilio(ReadOnlySpan<char> text, int at)
    {
        const int Length = 34;
        return FormLetters.Run(text, at, FormLetters.Alphanumeric, Length + 1) == Length && FormLetters.Run(text, at + 2, Hex, Length) == Length - 2
            && IsAlone(text, at) ? new(at, Length) : TextPart.None;
    }

    /// <summary>Reads a Telegram bot token: the bot's number, a colon and 35 letters.</summary>
    private static TextPart Telegram(ReadOnlySpan<char> text, int at)
    {
        const int Length = 35;
        var number = FormLetters.RunBefore(text, at, SecretNames.Digits, 11);
        return number is >= 8 and <= 10
            && FormLetters.Run(text, at + 1, FormLetters.Url, Length + 1) == Length && SecretNames.LooksMade(text.Slice(at + 1, Length))
            ? new(at - number, number + 1 + Length) : TextPart.None;
    }

    /// <summary>Reads a client secret of a Microsoft Entra application: three letters, its version, and about 31 more.</summary>
    private static TextPart EntraSecret(ReadOnlySpan<char> text, int at)
    {
        var before = FormLetters.RunBefore(text, at, Marks, 4);
        var after = FormLetters.Run(text, at + 3, Marks, 64);
        return before == 3 && after is >= 28 and <= 37 && SecretNames.LooksMade(text.Slice(at, 3 + after)) ? new(at - 3, 6 + after) : TextPart.None;
    }

    /// <summary>Reads a Terraform Cloud token: its id, a fixed word, and the secret.</summary>
    private static TextPart Terraform(ReadOnlySpan<char> text, int at)
    {
        const int Word = 9;
        var id = FormLetters.RunBefore(text, at, FormLetters.Alphanumeric, 14);
        var secret = FormLetters.Run(text, at + Word, FormLetters.Url, 128);
        return id == 14 && secret >= 40 ? new(at - id, id + Word + secret) : TextPart.None;
    }

    /// <summary>Reads a server key of Firebase Cloud Messaging.</summary>
    private static TextPart Messaging(ReadOnlySpan<char> text, int at)
    {
        var id = FormLetters.RunBefore(text, at, FormLetters.Url, 11);
        var secret = FormLetters.Run(text, at + 1, FormLetters.Url, 255);
        return id == 11 && secret >= 100 ? new(at - id, id + 1 + secret) : TextPart.None;
    }

    /// <summary>Whether no letter or digit stands directly before a place.</summary>
    public static bool IsAlone(ReadOnlySpan<char> text, int at) => at == 0 || !char.IsAsciiLetterOrDigit(text[at - 1]);

    /// <summary>
    /// Whether a page token has the form of a credential, alone or as a parameter of a URL. Providers sign page tokens, so the form of a
    /// signed token makes it none; and what is opaque contains the letters of other forms by chance.
    /// </summary>
    public static bool IsIn(ReadOnlySpan<char> token)
    {
        foreach (var form in All)
        {
            if (form.Anchor == SignedTokenBegin)
                continue;
            var compare = form.AnyCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
            for (var at = 0; token[at..].IndexOf(form.Anchor, compare) is >= 0 and var next; at++)
            {
                at += next;
                if (form.Read(token, at) is { Length: > 0 } found && (found.Start == 0 || !Opaque.Contains(token[found.Start - 1])))
                    return true;
            }
        }
        return false;
    }

    /// <summary>
    /// Whether the text of an exchange has a signed page token at this place: a member, an element or a parameter with the name of one.
    /// Everything else of that name was replaced when the response was received, when its structure was known.
    /// </summary>
    public static bool IsPageToken(ReadOnlySpan<char> exchange, int at)
    {
        if (!exchange[at..].StartsWith(SignedTokenBegin, StringComparison.Ordinal) || at == 0)
            return false;
        var before = exchange[Math.Max(0, at - LongestName)..at];
        ReadOnlySpan<char> open;
        switch (before[^1])
        {
            case '"':
                before = before[..^1].TrimEnd(" \t\r\n");
                if (before is not [.., ':'])
                    return false;
                before = before[..^1].TrimEnd(" \t\r\n");
                if (before is not [.., '"'])
                    return false;
                open = "\"";
                break;
            case '>':
                open = "<";
                break;
            case '=':
                open = "?&";
                break;
            default:
                return false;
        }
        before = before[..^1];
        var name = before[^FormLetters.RunBefore(before, before.Length, FormLetters.Name, LongestName)..];
        return name.Length < before.Length && open.Contains(before[^(name.Length + 1)]) && RedactionRules.IsPageToken(name);
    }
}
