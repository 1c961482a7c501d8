using System.Buffers;
using System.Collections.Immutable;

namespace AuditCli.Collectors.Redaction;

/// <summary>The keys of further services, by their beginning, and the bodies of private keys without their first line.</summary>
internal static class ServiceKeyForms
{
    private const int LeastBody = 40;
    private const int LongestBody = 16384;
    private static readonly SearchValues<char> Words = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "_");
    private static readonly SearchValues<char> Dashed = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "-");
    private static readonly SearchValues<char> Small = SearchValues.Create(FormLetters.Lower + FormLetters.Digits);

    public static ImmutableArray<CredentialForm> All { get; } =
    [
        KeyForms.Token("dckr_oat_", FormLetters.Url, 20, 64, alone: true, rare: 4),
        KeyForms.Token("nvapi-", FormLetters.Url, 40, 128, alone: true, made: true, rare: 1),
        KeyForms.Token("pplx-", FormLetters.Alphanumeric, 40, 96, alone: true, made: true, rare: 1),
        KeyForms.Token("r8_", FormLetters.Alphanumeric, 36, 64, alone: true, made: true),
        KeyForms.Token("rdme_", FormLetters.Alphanumeric, 40, 128, alone: true, made: true, rare: 2),
        KeyForms.Token("phx_", FormLetters.Alphanumeric, 40, 64, alone: true, made: true),
        .. from region in new[] { "na1", "eu1" } select KeyForms.Token($"pat-{region}-", Dashed, 36, 64, alone: true, made: true, rare: 4),
        KeyForms.Token("AKCp", FormLetters.Alphanumeric, 60, 96, alone: true, made: true),
        KeyForms.Token("cmVmdGtu", FormLetters.Alphanumeric, 40, 96, alone: true, made: true),
        KeyForms.Token("dp.st.", FormLetters.Name, 40, 128, alone: true, made: true),
        KeyForms.Token("ops_eyJ", FormLetters.Url, 80, 4096, alone: true, made: true, rare: 3),
        new("oy2", (text, at) => KeyForms.Exact(text, at, 3, Small, 43)),
        KeyForms.Token("lin_oauth_", FormLetters.Alphanumeric, 40, 96, alone: true, made: true, rare: 2),
        KeyForms.Token("vercel_blob_rw_", Words, 30, 96, alone: true, made: true, rare: 11),
        KeyForms.Token("sb_secret_", FormLetters.Url, 22, 96, alone: true, made: true),
        KeyForms.Token("CCIPRJ_", Words, 40, 128, alone: true, made: true, rare: 4),
        KeyForms.Token("EZAK", FormLetters.Alphanumeric, 54, 64, alone: true, made: true),
        KeyForms.Token("sgp_", Words, 40, 96, alone: true, made: true),
        KeyForms.Token("sk.eyJ1", FormLetters.Name, 60, 1024, alone: true, made: true),
        KeyForms.Token("pnu_", FormLetters.Alphanumeric, 36, 64, alone: true, made: true),
        KeyForms.Token("CFPAT-", FormLetters.Url, 40, 64, alone: true, made: true),
        KeyForms.Token("dt0c01.", FormLetters.Name, 80, 128, alone: true),
        new("AZDO", DevOps),
        // Encoded in base64: the version of a key (RFC 5208, RFC 8017), of a key of a curve (RFC 5915), and the first word of OpenSSH's format.
        new("IBADANBg", (text, at) => BodyBehindLength(text, at), From: 4),
        new("IBAAKC", (text, at) => BodyBehindLength(text, at), From: 3),
        new("IBAAKB", (text, at) => BodyBehindLength(text, at), From: 3),
        new("MHcCAQEE", Body),
        new("MIGkAgEBBD", Body, From: 2),
        new("MIHcAgEBBE", Body, From: 2),
        new("MIGHAgEAMBMG", Body, From: 3),
        new("MC4CAQAwBQYDK2Vw", Body),
        new("b3BlbnNzaC1rZXktdj", Body),
        .. from before in "?&" from name in new[] { ("code=", 3), ("key=", 2) }
           select new CredentialForm($"{before}{name.Item1}", (text, at) => Parameter(text, at + 1 + name.Item1.Length), From: name.Item2),
    ];

    /// <summary>Reads a personal token of Azure DevOps: its signature stands near its end.</summary>
    private static TextPart DevOps(ReadOnlySpan<char> text, int at)
    {
        const int Before = 76;
        const int After = 8;
        return FormLetters.RunBefore(text, at, FormLetters.Alphanumeric, Before + 1) == Before
            && FormLetters.Run(text, at, FormLetters.Alphanumeric, After + 1) == After ? new(at - Before, Before + After) : TextPart.None;
    }

    private static TextPart BodyBehindLength(ReadOnlySpan<char> text, int at)
    {
        const int Head = 6;
        return at >= Head && text[(at - Head)..].StartsWith("MII", StringComparison.Ordinal) ? Body(text, at - Head) : TextPart.None;
    }

    /// <summary>Reads the body of a private key, which may be wrapped over lines.</summary>
    private static TextPart Body(ReadOnlySpan<char> text, int at)
    {
        if (at > 0 && FormLetters.Base64.Contains(text[at - 1]))
            return TextPart.None;
        var end = at + FormLetters.Run(text, at, FormLetters.Base64, LongestBody);
        if (end - at < LeastBody)
            return TextPart.None;
        for (var line = end - at; end < text.Length && end - at < LongestBody;)
        {
            var next = end;
            while (next < text.Length && next - end < 32 && text[next] is '\r' or '\n' or ' ' or '\t')
                next++;
            var length = FormLetters.Run(text, next, FormLetters.Base64, line);
            if (length == 0 || next == end
                || length < line && (length % 4 != 0 || next + length < text.Length && FormLetters.Name.Contains(text[next + length])))
                break;
            end = next + length;
            if (length < line)
                break;
        }
        return new(at, end - at);
    }

    /// <summary>Reads a parameter of a URL whose name is also that of ordinary values; only a long mixture of letters and digits is a key.</summary>
    private static TextPart Parameter(ReadOnlySpan<char> text, int at)
    {
        const int Least = 24;
        var value = text.Slice(at, FormLetters.Run(text, at, FormLetters.Url, 512));
        return value.Length >= Least && value.ContainsAny(SecretNames.Digits) && value.ContainsAny(SecretNames.Capitals) && value.ContainsAny(SecretNames.Small)
            ? new(at, value.Length) : TextPart.None;
    }
}
