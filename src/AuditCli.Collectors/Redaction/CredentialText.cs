using System.Text;

namespace AuditCli.Collectors.Redaction;

/// <summary>Removes credentials from texts that are shown or logged, and from URLs.</summary>
public static class CredentialText
{
    /// <summary>The replacement for a credential.</summary>
    public const string Mark = "(a credential)";

    /// <summary>The replacement in a URL, where a space or parenthesis would be escaped.</summary>
    private const string MarkInUrl = "credential-not-stored";

    private const int LeastWord = 4;
    private const int LeastMade = 12;

    /// <summary>Returns the text without credentials; the same text if there are none.</summary>
    public static string Clean(string text) => CredentialForms.Replace(text, _ => Mark);

    /// <summary>
    /// Cleans the output of a program that returns credentials: besides all forms of credentials, it replaces every word after the name of
    /// a secret that is not a plain word, and every word that looks machine-generated.
    /// </summary>
    public static string CleanOfProgram(string text)
    {
        var clean = new StringBuilder(text.Length);
        var named = false;
        foreach (var word in Clean(text).Split(' '))
        {
            var core = word.AsSpan().Trim("\"'`,;:.()[]{}<>");
            var secret = core.Length >= LeastWord && !core.Contains("credential", StringComparison.Ordinal)
                && (named
                    ? !IsPlain(core)
                    : core.Length >= LeastMade && !core.ContainsAny("/\\") && SecretNames.LooksMade(core)
                        && !core.StartsWith("arn:", StringComparison.Ordinal));
            var at = word.AsSpan().IndexOf(core);
            clean.Append(clean.Length == 0 ? "" : " ").Append(secret ? $"{word.AsSpan(0, at)}{Mark}{word.AsSpan(at + core.Length)}" : word);
            // "token is x" and "token: x" name a secret in the same way as "token x".
            named = core is "is" or "was" or "=" or ":" or "" ? named : SaysSecret(core);
        }
        return clean.ToString();
    }

    /// <summary>Returns the scheme, host and port.</summary>
    internal static string Origin(this Uri uri) => $"{uri.Scheme}://{uri.Authority}";

    /// <summary>
    /// Returns the URL for messages and the log: without user information and query, and with credentials in the path replaced.
    /// </summary>
    internal static string Shown(this Uri uri) => uri.Origin() + InUrl(uri.AbsolutePath);

    /// <summary>
    /// Reduces a configured endpoint to scheme, host, port and path. User, password and query are not used in any request, and what is
    /// removed here cannot be printed, recorded or replayed.
    /// </summary>
    internal static Uri WithoutCredentials(this Uri endpoint) =>
        endpoint.UserInfo.Length == 0 && endpoint.Query.Length == 0 && endpoint.Fragment.Length == 0
            ? endpoint
            : new(endpoint.Origin() + endpoint.AbsolutePath);

    /// <summary>Returns a part of the URL of a request without credentials; page tokens tell its pages apart, and stay.</summary>
    internal static string InUrl(string part) => CredentialForms.Replace(part, _ => MarkInUrl, exchange: true);

    private static bool SaysSecret(ReadOnlySpan<char> word) =>
        word.Equals("bearer", StringComparison.OrdinalIgnoreCase)
        || word.Equals("basic", StringComparison.OrdinalIgnoreCase)
        || word.Equals("key", StringComparison.OrdinalIgnoreCase)
        || SecretNames.Of(word) != NameSays.Nothing;

    private static bool IsPlain(ReadOnlySpan<char> word) =>
        !word.ContainsAnyExcept(SecretNames.Small) || word.Length < 8 && !word.ContainsAny(SecretNames.Digits);
}
