using System.Buffers;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;

namespace AuditCli.Collectors.Redaction;

/// <summary>
/// Recognises names of secret values by their words: <c>DB_PASSWORD_OLD</c>, <c>db-password-old</c> and <c>dbPasswordOld</c> have the same
/// ones. What follows the word for a secret decides: an addition names another secret (<c>PASSWORD2</c>), anything else a fact about one
/// (<c>password_policy</c>, <c>token_type</c>), which evidence needs. The rules apply to members of responses, settings in texts, command
/// options and columns of files.
/// </summary>
internal static class NameWords
{
    private const int LongestName = 80;
    private const int LongestNumber = 4;
    private const int Ends = 32;
    private const int LongestAddition = 12;

    /// <summary>The endings of secret names, in lower case and without word separators.</summary>
    private static readonly string[] Secrets =
    [
        "password", "passwd", "passphrase", "pwd", "passcode", "secretkey", "secretaccesskey", "secretaccesskeys", "clientsecret", "apikey",
        "privatekey", "authtoken", "accesstoken", "refreshtoken", "sessiontoken", "bearertoken", "identitytoken", "registrytoken", "sharedsecret",
        "presharedkey", "secretstring", "secretbinary", "webhookurl", "apisecret", "appsecret", "accountkey", "sharedaccesskey", "apitoken",
        "signingsecret", "passwort", "kennwort", "wachtwoord", "motdepasse", "contrasena", "senha", "storepass", "keypass", "requirepass", "masterauth",
        "rootpw", "adminpw", "dbpw", "userpw", "bindpw", "masterpw", "snmpcommunity", "subscriptionkey", "artapi", "communitystring", "parola", "sifre",
        "\u015fifre", "haslo",
        "has\u0142o", "\u043f\u0430\u0440\u043e\u043b\u044c", "losenord", "l\u00f6senord", "adgangskode", "passord", "salasana", "heslo", "jelszo",
        "jelsz\u00f3", "\u5bc6\u7801", "\u5bc6\u78bc", "\u30d1\u30b9\u30ef\u30fc\u30c9",
    ];

    /// <summary>The same by their last letter, since every name that has a stem is compared with them.</summary>
    private static readonly ImmutableArray<ImmutableArray<string>> SecretsByEnd =
        [.. Enumerable.Range(0, Ends).Select(end => Secrets.Where(s => s[^1] % Ends == end).ToImmutableArray())];

    /// <summary>The names of members that are secrets if nothing else stands before or behind: in a text they are words like others.</summary>
    private static readonly string[] Others = ["bearer", "jwt", "mnemonic", "basicauth"];

    /// <summary>The words before "token" in names of tokens that are not credentials, such as page tokens and request tokens.</summary>
    private static readonly string[] Harmless =
    [
        "next", "page", "continuation", "pagination", "client", "request", "starting", "idempotency", "creator", "caller", "resume", "sync",
        "skip", "csrf", "xsrf", "lock", "change", "update",
    ];

    /// <summary>The endings of names of keys, which may also be identifiers of keys.</summary>
    private static readonly string[] Keys =
    [
        "encryptionkey", "encryptkey", "enckey", "decryptionkey", "signingkey", "signkey", "signaturekey", "hmackey", "jwtkey", "accesskey", "clientkey",
        "appkey", "applicationkey", "masterkey", "sessionkey", "authkey", "aeskey", "cipherkey", "cryptokey", "adminkey", "symmetrickey",
    ];

    /// <summary>What a name contains if it says anything: a search that excludes nearly all of the very many names.</summary>
    private static readonly SearchValues<string> Stems = SearchValues.Create(
        [
            "pass", "pwd", "secret", "token", "key", "hook", "kennwort", "wachtwoord", "motdepasse", "mot_de_passe", "contrase", "senha", "mdp", "psw", "pw",
            "erauth", "communit", "parola", "ifre", "haslo", "senord", "art-api", "adgangskode", "salasana", "heslo", "jelszo",
        ],
        StringComparison.OrdinalIgnoreCase);

    /// <summary>The same for the words that count in names of members only.</summary>
    private static readonly SearchValues<string> MemberStems = SearchValues.Create(
        ["psk", "otp", "bearer", "jwt", "mnemonic", "basic"], StringComparison.OrdinalIgnoreCase);

    /// <summary>The words, besides numbers, after which a name is still that of a secret: another one of several, or its form.</summary>
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Additions = new[]
    {
        "value", "val", "values", "old", "new", "base", "current", "previous", "prev", "backup", "bak", "primary", "secondary", "main", "root", "admin",
        "prod", "production", "dev", "staging", "stage", "test", "uat", "live", "tmp", "temp", "plain", "plaintext", "text", "clear", "cleartext",
        "raw", "string", "str", "encoded", "hex", "b", "v", "ro", "rw",
    }.ToFrozenSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The words that make even the name of a variable that of a fact about a secret.</summary>
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Facts = new[]
    {
        "policy", "type", "kind", "name", "names", "id", "ids", "last", "next", "first", "used", "use", "expires", "expire", "expiry", "expiration", "at",
        "date", "time", "timestamp", "age", "ttl", "length", "len", "size", "min", "max", "minimum", "maximum", "count", "limit", "enabled", "enable",
        "disabled", "disable", "required", "require", "optional", "allowed", "allow", "rotation", "rotated", "rotate", "interval", "days", "hours",
        "minutes", "seconds", "version", "versions", "file", "files", "path", "dir", "directory", "folder", "arn", "ref", "reference", "url", "uri",
        "endpoint", "host", "port", "issuer", "iss", "audience", "aud", "scope", "scopes", "algorithm", "alg", "encryption", "hash", "hashing", "digest",
        "fingerprint", "reset", "change", "changed", "changes", "manager", "store", "provider", "providers", "status", "state", "source", "namespace",
        "label", "labels", "engine", "mount", "location", "region", "header", "field", "format", "prefix", "suffix", "protection", "history", "reuse",
        "prevention", "complexity", "lifetime", "duration", "validity", "valid", "attempts", "attempt", "failures", "failure", "lockout", "mode", "method",
        "methods", "class", "owner", "group", "groups", "user", "username", "account", "project", "grant", "flow", "request", "response", "service", "api",
        "grace", "warning", "hint", "question", "recovery", "update", "updated", "created", "creation", "modified", "set", "by", "for", "in", "of", "is",
        "has", "not", "no", "env", "index", "backend", "command", "cmd", "script", "template", "config", "configmap", "volume", "cache", "check",
        "validation", "verification", "verify", "active", "spec", "usage", "origin", "schedule", "scheme", "exchange", "description", "tag", "tags", "resource",
    }.ToFrozenSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The words after the name of a secret that holds its values in an object.</summary>
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Holders = new[]
    {
        "obj", "object", "map", "array", "dict", "data", "entry", "entries",
    }.ToFrozenSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The words of members beside a secret in one object, besides <see cref="Facts"/>.</summary>
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Besides = new[]
    {
        "login", "email", "mail", "db", "database", "dbname", "schema", "server", "address", "domain", "realm", "tenant", "subject", "sub", "sha256", "sha",
        "sha1", "md5", "checksum", "thumbprint", "certificate", "cert", "ca", "public", "etag", "metadata", "annotations", "identifier", "uuid", "guid",
        "revision", "generation", "strength", "rule", "rules", "message", "title", "display", "notes", "note", "comment", "reason", "rotations",
        "permissions", "roles", "role", "stages", "replication", "topic", "topics", "aliases", "salt", "iterations", "team", "filename", "link",
    }.ToFrozenSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Returns what a name says about its value.</summary>
    /// <param name="use">Where the name stands: plurals are names of secrets for members only, since sentences use them.</param>
    public static NameSays Say(ReadOnlySpan<char> name, NameUse use = NameUse.Text)
    {
        // Stems of other alphabets would make the search slow for all names.
        if (Ascii.IsValid(name))
        {
            if (!name.ContainsAny(Stems) && (use == NameUse.Text || !name.ContainsAny(MemberStems)))
                return NameSays.Nothing;
        }
        else if (FoldedText.May(name))
            name = FoldedText.Of(name.ToString()).Plain;
        if (IsAbbreviation(name))
            return NameSays.Perhaps;
        name = name[Math.Max(0, name.Length - LongestName)..];
        Span<char> letters = stackalloc char[LongestName];
        Span<int> ends = stackalloc int[LongestName + 1];
        var last = Split(name, letters, ends[1..]);
        for (; last > 0; last--)
        {
            if (Said(letters[..ends[last]], letters[ends[last - 1]..ends[last]], use) is not NameSays.Nothing and var says)
                return says;
            var word = letters[ends[last - 1]..ends[last]];
            if (!IsAddition(word) && !(use == NameUse.Holder && Holders.Contains(word)))
                break;
        }
        // Names of variables have no common form: DB_PASSWORD_LEDGER is a password, and the value decides.
        if (name.ContainsAny(SecretNames.Small) || !name.Contains('_'))
            return NameSays.Nothing;
        for (; last > 1 && !Facts.Contains(letters[ends[last - 1]..ends[last]]); last--)
        {
            if (Said(letters[..ends[last - 1]], letters[ends[last - 2]..ends[last - 1]], use) is not NameSays.Nothing and var says)
                return says == NameSays.Secret ? NameSays.Perhaps : says;
        }
        return NameSays.Nothing;
    }

    /// <summary>Writes the letters of a name in lower case and the ends of its words; returns the number of words.</summary>
    private static int Split(ReadOnlySpan<char> name, Span<char> letters, Span<int> ends)
    {
        var (words, length) = (0, 0);
        for (var i = 0; i < name.Length; i++)
        {
            if (!char.IsLetterOrDigit(name[i]))
                continue;
            if (length > 0 && Begins(name, i))
                ends[words++] = length;
            letters[length++] = char.ToLowerInvariant(name[i]) is var letter && letter == '\u00f1' ? 'n' : letter;
        }
        if (length > 0)
            ends[words++] = length;
        return words;
    }

    /// <summary>Whether a word begins at a letter that is not the first one of a name.</summary>
    private static bool Begins(ReadOnlySpan<char> name, int at)
    {
        var (before, letter) = (name[at - 1], name[at]);
        return !char.IsLetterOrDigit(before) || char.IsDigit(before) != char.IsDigit(letter)
            || char.IsUpper(letter) && (char.IsLower(before) || at + 1 < name.Length && char.IsLower(name[at + 1]));
    }

    /// <summary>Whether the last word is an abbreviation of "password"; between signs, because such letters are in other words and in base64.</summary>
    private static bool IsAbbreviation(ReadOnlySpan<char> name)
    {
        name = name.TrimEnd(FormLetters.Digits);
        var word = name[(name.LastIndexOfAny("-_. /") + 1)..];
        return word.Length is 2 or 3 && (word.Equals("pw", StringComparison.OrdinalIgnoreCase)
            || word.Equals("psw", StringComparison.OrdinalIgnoreCase) || word.Equals("mdp", StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsAddition(ReadOnlySpan<char> word) =>
        Additions.Contains(word) || word.Length <= LongestNumber && !word.ContainsAnyExcept(SecretNames.Digits);

    /// <summary>Whether the name of a member says that its text is a fact about a secret, or stands beside one: its last word does.</summary>
    public static bool IsFact(ReadOnlySpan<char> name)
    {
        name = name[Math.Max(0, name.Length - LongestName)..];
        Span<char> letters = stackalloc char[LongestName];
        Span<int> ends = stackalloc int[LongestName + 1];
        var last = Split(name, letters, ends[1..]);
        while (last > 1 && !letters[ends[last - 1]..ends[last]].ContainsAnyExcept(SecretNames.Digits))
            last--;
        return last > 0 && letters[ends[last - 1]..ends[last]] is var word && (Facts.Contains(word) || Besides.Contains(word));
    }

    /// <summary>Whether the name of a member says only that it is a value, such as <c>value</c> and <c>current</c>.</summary>
    public static bool IsOfValue(ReadOnlySpan<char> name)
    {
        Span<char> lower = stackalloc char[LongestAddition];
        return name.ToLowerInvariant(lower) is > 0 and var length && IsAddition(lower[..length]);
    }

    /// <param name="said">The letters of a name up to a word.</param>
    /// <param name="word">That word.</param>
    private static NameSays Said(ReadOnlySpan<char> said, ReadOnlySpan<char> word, NameUse use)
    {
        if (use != NameUse.Text)
        {
            if (word is "psk" or "otp")
                return NameSays.Secret;
            foreach (var other in Others)
            {
                if (said.EndsWith(other, StringComparison.Ordinal))
                    return NameSays.Perhaps;
            }
            if (word is [.., 's'] && word is not "pass" && Said(said[..^1], word[..^1], NameUse.Text) is var one && one is NameSays.Secret or NameSays.Perhaps)
                return one;
        }
        foreach (var secret in SecretsByEnd[said[^1] % Ends])
        {
            if (said.EndsWith(secret, StringComparison.Ordinal))
                return NameSays.Secret;
        }
        // Match "pass" only as a whole word, not as in "compass".
        if (word is "pass")
            return NameSays.Secret;
        foreach (var key in Keys)
        {
            if (said.EndsWith(key, StringComparison.Ordinal))
                return NameSays.Key;
        }
        if (said.EndsWith("secret", StringComparison.Ordinal))
            return NameSays.Perhaps;
        if (!said.EndsWith("token", StringComparison.Ordinal))
            return NameSays.Nothing;
        foreach (var harmless in Harmless)
        {
            if (said[..^5].EndsWith(harmless, StringComparison.Ordinal))
                return NameSays.Nothing;
        }
        return NameSays.Perhaps;
    }
}
