using System.Buffers;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace AuditCli.Collectors.Redaction;

/// <summary>
/// Removes a request's credentials from its response. Providers quote a request they refuse, credentials included (AWS does in
/// SignatureDoesNotMatch). The value of a header that is not stored must not be stored with the response either, in plain form or as
/// written in JSON, URLs, base64 (RFC 4648) or hexadecimal digits. Host names and names of headers have no case and are often written in
/// small or capital letters, so these forms are searched for too, and headers in any case.
/// </summary>
internal sealed class EchoedSecrets
{
    /// <summary>The replacement for a credential.</summary>
    public const string Mark = "[credential not stored]";

    /// <summary>The replacement in the name of a header, which cannot have spaces or brackets.</summary>
    private const string MarkInName = "credential-not-stored";

    /// <summary>Secrets that a request does not carry but was obtained with, such as the secret of a client: the server knows them too.</summary>
    public static HttpRequestOptionsKey<ImmutableArray<string>> Also { get; } = new("auditcli.secrets");

    // Shorter words ("close", "Bearer") are not secrets and occur in every text.
    private const int ShortestSecret = 16;
    private const int ShortestPassword = 8;

    /// <summary>The shortest form searched for: base64 of four bytes or fewer matches by chance.</summary>
    private const int ShortestForm = 8;

    /// <summary>The shortest beginning of a secret that is searched for, and of the signed part of a token (RFC 7515).</summary>
    private const int ShortestBeginning = 16;

    private static readonly JsonReaderOptions Reading = new() { MaxDepth = 256 };
    private readonly ImmutableArray<string> _forms;

    /// <summary>The secrets of which a beginning is a secret too, with the length of the shortest one.</summary>
    private readonly ImmutableArray<(string Secret, int Least)> _begun;

    /// <summary>Computes every form of the secrets of one request.</summary>
    /// <param name="dropped">The header fields that are not stored.</param>
    public EchoedSecrets(HttpRequestMessage request, FrozenSet<string> dropped)
    {
        ImmutableArray<string> secrets = [.. Secrets(request, dropped).Distinct(StringComparer.Ordinal)];
        _forms = [.. secrets.SelectMany(Forms).Where(f => f.Length >= ShortestForm).Distinct(StringComparer.Ordinal).OrderByDescending(f => f.Length)];
        // What begins with the name of a user is none.
        _begun =
        [
            .. secrets.Where(s => !s.Contains(':', StringComparison.Ordinal) && !Passwords(s).Any())
                .Select(s => (Secret: s, Least: Beginning(s))).Where(s => s.Least > 0),
        ];
    }

    /// <summary>Returns the body without the values of the request's dropped headers; the same memory if it has none.</summary>
    public ReadOnlyMemory<byte> Remove(ReadOnlyMemory<byte> body)
    {
        foreach (var form in _forms)
            body = Replace(body, Encoding.UTF8.GetBytes(form));
        foreach (var (secret, least) in _begun)
            body = Replace(body, Encoding.UTF8.GetBytes(secret), least);
        return _forms.IsEmpty || body.Span.IndexOf((byte)'\\') < 0 ? body : WithoutEscaped(body);
    }

    /// <summary>Returns a text, such as a header of the response, without these values, in any case.</summary>
    public string Remove(string text) => Remove(text, Mark);

    /// <summary>Returns the name of a header without these values, still as a name.</summary>
    public string RemoveFromName(string name) => Remove(name, MarkInName);

    private string Remove(string text, string mark)
    {
        foreach (var form in _forms)
            text = text.Replace(form, mark, StringComparison.OrdinalIgnoreCase);
        foreach (var (secret, least) in _begun)
        {
            for (int at; (at = text.IndexOf(secret[..least], StringComparison.OrdinalIgnoreCase)) >= 0;)
            {
                var length = least;
                while (length < secret.Length && at + length < text.Length && char.ToLowerInvariant(text[at + length]) == char.ToLowerInvariant(secret[length]))
                    length++;
                text = $"{text.AsSpan(0, at)}{mark}{text.AsSpan(at + length)}";
            }
        }
        return text;
    }

    /// <summary>
    /// Returns the length of the shortest beginning that says something about the secret alone: the first part of a signed token is the same
    /// in all, and words at the beginning may be those of a name. 0 if there is none.
    /// </summary>
    private static int Beginning(string secret)
    {
        var head = secret.StartsWith("eyJ", StringComparison.Ordinal) ? secret.IndexOf('.', StringComparison.Ordinal) + 1 : 0;
        for (var length = head + ShortestBeginning; length < secret.Length; length++)
        {
            if (SecretNames.LooksMade(secret.AsSpan(head, length - head)))
                return length;
        }
        return 0;
    }

    private static IEnumerable<string> Secrets(HttpRequestMessage request, FrozenSet<string> dropped)
    {
        if (request.Options.TryGetValue(Also, out var also))
        {
            foreach (var secret in also.Where(s => s.Length >= ShortestPassword))
                yield return secret;
        }
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            if (!dropped.Contains(name))
                continue;
            foreach (var word in values.SelectMany(v => v.Split(' ', ',').Select(w => w.Trim())))
            {
                foreach (var password in Passwords(word))
                    yield return password;
                // The scope and header list of a signature are part of the recorded request; only the signature itself is secret.
                if (word.Length >= ShortestSecret && !word.StartsWith("SignedHeaders=", StringComparison.Ordinal)
                    && !word.StartsWith("Credential=", StringComparison.Ordinal) && word != "AWS4-HMAC-SHA256")
                    yield return word.StartsWith("Signature=", StringComparison.Ordinal) ? word["Signature=".Length..] : word;
            }
        }
    }

    /// <summary>Decodes Basic authentication (RFC 7617) and returns user and password together, and the password.</summary>
    private static IEnumerable<string> Passwords(string word)
    {
        var bytes = new byte[word.Length];
        if (!Convert.TryFromBase64String(word, bytes, out var length))
            yield break;
        var both = Encoding.UTF8.GetString(bytes, 0, length);
        var at = both.IndexOf(':', StringComparison.Ordinal);
        if (at < 0 || both.Length - at - 1 < ShortestPassword || both.Contains('\ufffd', StringComparison.Ordinal))
            yield break;
        yield return both;
        yield return both[(at + 1)..];
    }

    private static IEnumerable<string> Forms(string secret)
    {
        var bytes = Encoding.UTF8.GetBytes(secret);
        foreach (var plain in new[] { secret, Uri.EscapeDataString(secret) })
        {
            yield return plain;
            yield return plain.ToLowerInvariant();
            yield return plain.ToUpperInvariant();
        }
        yield return string.Concat(secret.Reverse());
        foreach (var digits in new[] { Convert.ToHexString(bytes), Convert.ToHexStringLower(bytes) })
        {
            yield return digits;
            yield return Percent(digits);
        }
        // At every alignment in a longer base64 text, all digits except the first and last ones are the same.
        for (var before = 0; before < 3; before++)
        {
            var digits = Convert.ToBase64String([.. new byte[before], .. bytes]);
            var inside = digits[(before == 0 ? 0 : 4)..((before + bytes.Length) / 3 * 4)];
            yield return inside;
            yield return inside.Replace('+', '-').Replace('/', '_');
        }
    }

    /// <summary>
    /// Returns the percent-encoded form of every byte, from its hexadecimal digits. It makes one allocation only, because tokens are long
    /// and every request has one.
    /// </summary>
    private static string Percent(string digits) => string.Create(digits.Length / 2 * 3, digits, (text, from) =>
    {
        for (var i = 0; i < from.Length / 2; i++)
        {
            text[3 * i] = '%';
            from.AsSpan(2 * i, 2).CopyTo(text[(3 * i + 1)..]);
        }
    });

    /// <summary>Rewrites texts in JSON that contain a secret after unescaping; returns the body itself if it is not JSON.</summary>
    private ReadOnlyMemory<byte> WithoutEscaped(ReadOnlyMemory<byte> body)
    {
        var clean = new ArrayBufferWriter<byte>(body.Length);
        var copied = 0;
        try
        {
            var reader = new Utf8JsonReader(body.Span, Reading);
            while (reader.Read())
            {
                if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || !reader.ValueIsEscaped)
                    continue;
                var buffer = new byte[reader.ValueSpan.Length];
                var text = Encoding.UTF8.GetString(buffer, 0, reader.CopyString(buffer));
                if (Remove(text) is var without && without == text)
                    continue;
                var start = (int)reader.TokenStartIndex;
                clean.Write(body.Span[copied..start]);
                clean.Write("\""u8);
                clean.Write(JsonEncodedText.Encode(without, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
                clean.Write("\""u8);
                copied = start + reader.ValueSpan.Length + 2;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // A body that is not JSON, or has an unpaired surrogate, is refused when it is parsed; what was found before is replaced.
        }
        if (copied == 0)
            return body;
        clean.Write(body.Span[copied..]);
        return clean.WrittenMemory;
    }

    /// <param name="least">The length of the shortest beginning that is replaced, as far as it goes; null for the whole only.</param>
    private static ReadOnlyMemory<byte> Replace(ReadOnlyMemory<byte> body, ReadOnlySpan<byte> secret, int? least = null)
    {
        var begin = secret[..(least ?? secret.Length)];
        if (body.Span.IndexOf(begin) < 0)
            return body;
        using var clean = new MemoryStream(body.Length);
        var rest = body.Span;
        for (int at; (at = rest.IndexOf(begin)) >= 0; rest = rest[(at + rest[at..].CommonPrefixLength(secret))..])
        {
            clean.Write(rest[..at]);
            clean.Write(Encoding.UTF8.GetBytes(Mark));
        }
        clean.Write(rest);
        return clean.ToArray();
    }
}
