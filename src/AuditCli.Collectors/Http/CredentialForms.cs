using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace AuditCli.Collectors.Http;

/// <summary>
/// Finds credentials in text by their form: private keys, signed tokens, passwords in URLs, keys of known services, and whatever is
/// called a password and has a value. The work per letter is bounded, whatever the text.
/// </summary>
internal static partial class CredentialForms
{
    /// <summary>How each begins; most texts hold none of these.</summary>
    private static readonly SearchValues<string> Beginnings = SearchValues.Create(
        [
            "-----BEGIN ", "eyJ", "://", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "AIza", "sk_live_", "rk_live_", "sk-", "npm_",
            "ya29.", "SG.", "dop_v1_", "hvs.", "AccountKey=", "password", "passwd", "aws_secret_access_key", "secret", "api_key", "api-key", "apikey",
            "access_token", "access-token", "accesstoken", "auth_token", "auth-token", "authtoken",
        ],
        StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether anything in the text begins like one.</summary>
    public static bool MayBegin(ReadOnlySpan<char> text) => text.ContainsAny(Beginnings);

    /// <summary>Where the first one begins that was not replaced; -1 where there is none.</summary>
    public static int First(ReadOnlySpan<char> text)
    {
        for (var at = 0; text[at..].IndexOfAny(Beginnings) is >= 0 and var next; at++)
        {
            at += next;
            foreach (var match in Form().EnumerateMatches(text, at))
            {
                if (text.Slice(match.Index, match.Length).IndexOf(BodyRedaction.Prefix) < 0)
                    return match.Index;
            }
        }
        return -1;
    }

    /// <summary>The text with each replaced; the same text where there is none.</summary>
    public static string Replace(string text, Func<string, string> instead)
    {
        StringBuilder? clean = null;
        var copied = 0;
        for (var at = 0; text.AsSpan(at).IndexOfAny(Beginnings) is >= 0 and var next;)
        {
            at += next;
            var match = Form().Match(text, at);
            if (!match.Success)
            {
                at++;
                continue;
            }
            var secret = match.Groups["secret"] is { Success: true } part ? part : (Capture)match;
            clean ??= new(text.Length);
            clean.Append(text, copied, secret.Index - copied).Append(instead(secret.Value));
            copied = secret.Index + secret.Length;
            at = Math.Max(copied, at + 1);
        }
        return clean is null ? text : clean.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>Anchored where it is tried, and without a repetition inside a repetition. A form that base64 could take by chance, as in
    /// a credential report of many users, must stand alone. The group <c>secret</c> is the credential where it is a part.</summary>
    [GeneratedRegex("""
        \G(?:
          -----BEGIN[A-Z ]{0,20}PRIVATE\ KEY-----[^-]{0,65536}(?:-----END[A-Z ]{0,20}PRIVATE\ KEY-----)?
        | eyJ[A-Za-z0-9_-]{8,65536}\.eyJ[A-Za-z0-9_-]{8,65536}\.[A-Za-z0-9_-]{0,4096}
        | ://[^\s/:@"'<>]{0,256}:(?<secret>[^\s/@"'<>]{1,512})@
        | gh[pousr]_[A-Za-z0-9]{20,255} | github_pat_[A-Za-z0-9_]{22,255} | glpat-[A-Za-z0-9_-]{20,255} | xox[abposr]-[A-Za-z0-9-]{10,255}
        | (?<![A-Za-z0-9+/=])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9+/=_-]) | [rs]k_live_[A-Za-z0-9]{16,255} | sk-[A-Za-z0-9_-]{32,255} | npm_[A-Za-z0-9]{30,255} | ya29\.[A-Za-z0-9_-]{20,2048}
        | SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,128} | dop_v1_[a-f0-9]{32,128} | hvs\.[A-Za-z0-9_-]{20,255}
        | AccountKey=(?<secret>[A-Za-z0-9+/=]{40,255})
        | (?i:password|passwd|aws_secret_access_key|secret|api[_-]?key|access[_-]?token|auth[_-]?token)
          (?:\s{0,8}=\s{0,8}["']? | \s{0,8}:\s{1,8}["']? | ["']\s{0,8}[:=]\s{0,8}["'])(?<secret>[A-Za-z0-9+/_.~!@\#$%^&*-]{12,1024})
        )
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
