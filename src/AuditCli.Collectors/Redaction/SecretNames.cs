using System.Buffers;
using System.Collections.Frozen;

namespace AuditCli.Collectors.Redaction;

/// <summary>What the name of a value says about it.</summary>
internal enum NameSays
{
    /// <summary>The name says nothing.</summary>
    Nothing,

    /// <summary>The value is a secret, or the identifier of a secret.</summary>
    Perhaps,

    /// <summary>The value is a key for a cipher or an interface, or the identifier of one, which often looks alike.</summary>
    Key,

    /// <summary>The value is a secret.</summary>
    Secret,
}

/// <summary>Where a name stands.</summary>
internal enum NameUse
{
    /// <summary>In a text.</summary>
    Text,

    /// <summary>As a member, a column or the field of a header, of a text.</summary>
    Member,

    /// <summary>As a member of an object or array.</summary>
    Holder,
}

/// <summary>
/// Recognises which values under the name of a secret are secret; for the names see <see cref="NameWords"/>. The same rules apply to
/// members of responses, settings in texts, command options and columns of files.
/// </summary>
internal static class SecretNames
{
    private const int Short = 4;
    private const int Usual = 6;
    private const int Long = 12;
    private const int LeastKey = 16;

    /// <summary>Words that describe a secret and may be in its place.</summary>
    private static readonly FrozenSet<string> Words = new[]
    {
        "required", "enabled", "disabled", "optional", "expired", "rotated", "changed", "unknown", "mandatory", "forbidden", "encrypted", "redacted",
        "hidden", "masked", "default", "missing", "strong", "complex", "external", "internal", "inherited", "provided", "generated", "automatic",
        "managed", "sensitive", "protected", "restricted", "configured", "unchanged", "invalid", "incorrect", "rejected", "accepted", "monitored",
        "reviewed", "confidential", "undefined", "authentication", "authorization", "administrator", "notapplicable", "not-applicable", "credentials",
        "credential", "password", "passwords", "secret", "secrets", "secretname", "string", "boolean", "number", "integer", "true", "false", "null",
        "none", "temporary", "permanent", "deprecated", "supported", "unsupported", "available", "unavailable", "quarterly", "annually", "monthly",
        "weekly", "according", "following", "through", "whenever", "therefore", "production", "development", "sha256", "sha512", "sha-256", "sha-512",
        "bcrypt", "argon2", "argon2id", "pbkdf2", "scrypt", "md5", "aes256", "aes-256", "aes128", "rsa2048", "rsa4096", "rs256", "es256", "hs256",
        "scram-sha-256", "hmac-sha256", "base64", "utf8", "utf-8", "oauth2", "x509", "saml2", "tls1.2", "tls1.3",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> IsWord = Words.GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly string[] References =
    [
        "arn:", "projects/", "${", "$(", "$\\{", "{{", "<", "%(", "vault:", "ssm:", "secretsmanager:", "resolve:", "op://", "file:", "env:",
        "https://", "http://", "gs://", "s3://", "sha256:", "var.", "data.", "local.", "module.", "os.", "process.", "self.", "this.", "config.",
        "settings.", "secrets.", "steps.", "github.", "ref+",
        .. CollectorCatalog.All.SelectMany(c => c.SecretReferences),
    ];

    /// <summary>The beginnings of identifiers of keys, and of public keys.</summary>
    private static readonly string[] Identifiers = ["AKIA", "ASIA", "alias/", "key/", "mrk-", "ssh-", "ecdsa-", "MII", "-----"];

    public static readonly SearchValues<char> Digits = SearchValues.Create(FormLetters.Digits);
    public static readonly SearchValues<char> Letters = SearchValues.Create(FormLetters.Upper + FormLetters.Lower);
    public static readonly SearchValues<char> Capitals = SearchValues.Create(FormLetters.Upper);
    public static readonly SearchValues<char> Small = SearchValues.Create(FormLetters.Lower);
    private static readonly SearchValues<char> Signs = SearchValues.Create("!@#$%^&*~+?=");
    public static readonly SearchValues<char> Variable = SearchValues.Create(FormLetters.Upper + FormLetters.Digits + "_");
    private static readonly SearchValues<char> Numbers = SearchValues.Create(FormLetters.Digits + ".");
    private static readonly SearchValues<char> Joined = SearchValues.Create(FormLetters.Lower + FormLetters.Digits + "-_./:");

    /// <summary>Classifies a name by its words, independent of case and of how they are separated.</summary>
    public static NameSays Of(ReadOnlySpan<char> name) => NameWords.Say(name);

    /// <summary>Classifies the name of a member, which may be a plural.</summary>
    public static NameSays OfMember(ReadOnlySpan<char> name) => NameWords.Say(name, NameUse.Member);

    /// <summary>Whether a value under a name that says something is a secret, and not a reference to one or a word about one.</summary>
    /// <param name="assigned">Whether the value is assigned as in program code, without spaces, which does not occur in sentences.</param>
    public static bool Holds(NameSays name, ReadOnlySpan<char> value, bool assigned)
    {
        value = value.TrimEnd('.');
        if (name == NameSays.Nothing || value.Length < Short || BodyRedaction.IsReplaced(value)
            || IsReference(value) || IsWord.Contains(value))
        {
            return false;
        }
        if (name == NameSays.Key)
            return IsKey(value);
        var (digit, letter, sign) = (value.ContainsAny(Digits), value.ContainsAny(Letters), value.ContainsAny(Signs));
        if (!digit && !letter)
            return value.Length >= Long && value.IndexOfAnyExcept(value[0]) >= 0 && value.ContainsAnyExcept(Signs);
        if (!letter && !sign)
            return value.Length >= Usual && name == NameSays.Secret && !value.ContainsAnyExcept(Digits);
        if (name == NameSays.Perhaps)
        {
            return value.Length >= 8 && (Guid.TryParse(value, out _)
                || !IsJoinedWords(value) && (digit || sign || value.Length >= Long && value.ContainsAny(Capitals) && value.ContainsAny(Small)));
        }
        if (digit && letter || sign)
            return !IsVersion(value);
        return assigned ? value.Length >= 8 : value.Length >= Long && !value.Contains('-') && !value.Contains('/') && !value.Contains('.');
    }

    /// <summary>Whether the value is a key itself and not the name, number or path of one, an access key's id or a public key.</summary>
    private static bool IsKey(ReadOnlySpan<char> value)
    {
        if (value.Length < LeastKey || value.Contains(':') || !LooksMade(value))
            return false;
        foreach (var identifier in Identifiers)
        {
            if (value.StartsWith(identifier, StringComparison.Ordinal))
                return false;
        }
        if (Guid.TryParse(value[(value.LastIndexOf('/') + 1)..], out _))
            return false;
        foreach (var part in value.SplitAny("-_./"))
        {
            if (value[part] is { Length: >= Long } made && made.ContainsAny(Digits) && made.ContainsAny(Letters))
                return true;
        }
        return false;
    }

    /// <summary>Whether the value looks machine-generated: capitals, small letters and digits, or a long hexadecimal number.</summary>
    public static bool LooksMade(ReadOnlySpan<char> value) =>
        value.ContainsAny(Digits) && value.ContainsAny(Letters)
        && (value.ContainsAny(Capitals) && value.ContainsAny(Small) || value.Length >= 20 && !IsJoinedWords(value));

    /// <summary>
    /// Whether the value is an identifier made of words, such as <c>ledger-db-credentials-v2</c>, which is not a secret itself.
    /// </summary>
    private static bool IsJoinedWords(ReadOnlySpan<char> value)
    {
        if (value.ContainsAnyExcept(Joined))
            return false;
        if (value.IndexOfAny("-_./:") < 0)
            return value.TrimEnd(FormLetters.Digits) is var word && value.Length - word.Length <= 4 && !word.ContainsAny(Digits) && word.Length is > 0 and < 20;
        foreach (var part in value.SplitAny("-_./:"))
        {
            if (value[part] is { Length: > 10 } made && made.ContainsAny(Digits))
                return false;
        }
        return true;
    }

    /// <summary>Whether the value is a number with points, possibly with a "v" before it.</summary>
    private static bool IsVersion(ReadOnlySpan<char> value) =>
        value.TrimStart("vV") is var number && number.Contains('.') && !number.ContainsAnyExcept(Numbers);

    private static bool IsReference(ReadOnlySpan<char> value)
    {
        // A path; base64 content may begin with a slash too.
        if (value[0] == '/' && (value.Length < 20 || value[1..].Contains('/')) && !(value.Length == 40 && LooksMade(value)))
            return true;
        if (value[0] == '$' && !value[1..].ContainsAnyExcept(Variable))
            return true;
        foreach (var reference in References)
        {
            if (value.StartsWith(reference, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }
}
