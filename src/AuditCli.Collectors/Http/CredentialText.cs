using System.Text;

namespace AuditCli.Collectors.Http;

/// <summary>Takes credentials out of texts that are shown or logged, and out of addresses.</summary>
public static class CredentialText
{
    /// <summary>Stands where a credential stood.</summary>
    public const string Mark = "(a credential)";

    /// <summary>In a URL a blank or a bracket would be escaped.</summary>
    private const string MarkInUrl = "credential-not-stored";

    private const int LeastWord = 4;
    private const int LeastMade = 12;

    /// <summary>The text without credentials; the same text where there are none.</summary>
    public static string Clean(string text) => CredentialForms.Replace(text, _ => Mark);

    /// <summary>
    /// What a program that hands out credentials said: besides all forms of credentials, whatever stands behind the word for one and is no plain
    /// word goes, and whatever looks made by a machine.
    /// </summary>
    public static string CleanOfProgram(string text)
    {
        var clean = new StringBuilder(text.Length);
        var named = false;
        foreach (var word in Clean(text).Split(' '))
        {
            var core = word.AsSpan().Trim("\"'`,;:.()[]{}<>");
            var secret = core.Length >= LeastWord && !core.Contains("credential", StringComparison.Ordinal)
                && (named ? !IsPlain(core) : core.Length >= LeastMade && !core.ContainsAny("/\\") && SecretNames.LooksMade(core) && !core.StartsWith("arn:", StringComparison.Ordinal));
            var at = word.AsSpan().IndexOf(core);
            clean.Append(clean.Length == 0 ? "" : " ").Append(secret ? $"{word.AsSpan(0, at)}{Mark}{word.AsSpan(at + core.Length)}" : word);
            // "token is x" and "token: x" name it as much as "token x" does.
            named = core is "is" or "was" or "=" or ":" or "" ? named : SaysSecret(core);
        }
        return clean.ToString();
    }

    /// <summary>Scheme, host and port.</summary>
    internal static string Origin(this Uri uri) => $"{uri.Scheme}://{uri.Authority}";

    /// <summary>The address as messages and the log have it: without its user, its query and whatever is a credential in its path.</summary>
    internal static string Shown(this Uri uri) => uri.Origin() + InUrl(uri.AbsolutePath);

    /// <summary>
    /// Leaves of a stated endpoint what says where it is: scheme, host, port and path. A user, a password and a query in it are no part of any
    /// request, and what is not there is printed, recorded and replayed nowhere.
    /// </summary>
    internal static Uri WithoutCredentials(this Uri endpoint) =>
        endpoint.UserInfo.Length == 0 && endpoint.Query.Length == 0 && endpoint.Fragment.Length == 0
            ? endpoint
            : new(endpoint.Origin() + endpoint.AbsolutePath);

    /// <summary>A part of a URL without credentials.</summary>
    internal static string InUrl(string part) => CredentialForms.Replace(part, _ => MarkInUrl);

    private static bool SaysSecret(ReadOnlySpan<char> word) =>
        word.Equals("bearer", StringComparison.OrdinalIgnoreCase) || word.Equals("basic", StringComparison.OrdinalIgnoreCase) || word.Equals("key", StringComparison.OrdinalIgnoreCase)
        || SecretNames.Of(word) != NameSays.Nothing;

    private static bool IsPlain(ReadOnlySpan<char> word) => !word.ContainsAnyExcept(SecretNames.Small) || word.Length < 8 && !word.ContainsAny(SecretNames.Digits);
}
