using System.Buffers;
using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Redaction;

/// <summary>
/// Replaces secrets in responses by <c>hmac-sha256:&lt;hex&gt;</c> (RFC 2104) before anything is written or interpreted. Equal secrets have
/// equal marks under one key, and guesses cannot be tested without the key. Every other byte is unchanged.
/// </summary>
/// <param name="key">The HMAC key, at least 32 bytes.</param>
internal sealed partial class BodyRedaction(ReadOnlyMemory<byte> key)
{
    /// <summary>The prefix of the mark that replaces a secret.</summary>
    public const string Prefix = KeyedDigest.Prefix;

    /// <summary>Whether a text holds what a secret was replaced by; it is no value of the provider's then.</summary>
    public static bool IsReplaced(ReadOnlySpan<char> text) => text.IndexOf(Prefix) >= 0 || text.IndexOf(EchoedSecrets.Mark) >= 0;

    private const int ShortestCredential = 8;
    private const int ShortestDocument = EncodedText.ShortestValue;
    private const int MostDocumentsInside = 4;
    private static readonly JsonReaderOptions Reading = new() { MaxDepth = 256 };
    private static readonly char[] Blanks = [' ', '\t', '\r', '\n'];
    private readonly MemberNames _names = new();

    /// <summary>
    /// Returns the body without secrets and the keyed digest of the original; the same memory and null if there are no secrets.
    /// </summary>
    /// <param name="answer">The places that the model of the response defines; null if there are none.</param>
    public (ReadOnlyMemory<byte> Body, string? Digest) Apply(ReadOnlyMemory<byte> body, AnswerPlaces? answer)
    {
        if (body.IsEmpty)
            return (body, null);
        var mark = MarkOf(body.Span);
        var after = body.Span[mark.Length..];
        var clean = LooksLikeJson(after) ? Json(after, answer, MostDocumentsInside) : Text(after, answer);
        return clean is null ? (body, null) : ((byte[])[.. mark, .. clean], Mark(body.Span));
    }

    /// <summary>Returns a text for messages, in which nothing is left of a secret in any encoding.</summary>
    public string Shown(string text) => Value(null, text, MostDocumentsInside) is { } clean ? Marks().Replace(clean, CredentialText.Mark) : text;

    /// <summary>Whether a text holds a secret, in any encoding.</summary>
    public bool Finds(string text) => Value(null, text, MostDocumentsInside) is not null;

    /// <summary>Returns the value of a response header without secrets.</summary>
    public string Field(string name, string value)
    {
        if (IsMark(value))
            return value;
        return SecretNames.Of(name) == NameSays.Secret || NamedForms.InMember(name, value)
            || IsOfSession(name) && (value.Contains('=', StringComparison.Ordinal) || ToolForms.IsSession(value))
            ? Mark(Encoding.UTF8.GetBytes(value))
            : Value(null, value, MostDocumentsInside) ?? value;
    }

    /// <summary>Whether a header carries a session: <c>Set-Cookie2</c>, <c>X-Session-Id</c>.</summary>
    private static bool IsOfSession(string name) =>
        name.Contains("cookie", StringComparison.OrdinalIgnoreCase) || name.Contains("session", StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns the replacements in a body that <see cref="Apply"/> returned: the place, the rule and the mark.</summary>
    /// <param name="answer">The same places that were passed to <see cref="Apply"/>.</param>
    public static ImmutableArray<RedactedValue> Find(ReadOnlySpan<byte> body, int most, AnswerPlaces? answer)
    {
        body = body[MarkOf(body).Length..];
        var found = ImmutableArray.CreateBuilder<RedactedValue>();
        try
        {
            var path = new JsonPath(answer, new());
            var reader = new Utf8JsonReader(LooksLikeJson(body) ? body : "null"u8, Reading);
            while (found.Count < most && reader.Read())
            {
                path.Enter(ref reader);
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueSpan.IndexOf("hmac-sha256:"u8) >= 0)
                    found.AddRange(Marked(ref reader, path, most - found.Count));
                path.Leave(ref reader);
            }
        }
        catch (JsonException)
        {
            // Not a valid document, so pointers into it would have no meaning.
            found.Clear();
        }
        if (found.Count == 0 && LooksLikeXml(body))
        {
            _ = XmlLeaves.Replace(Encoding.UTF8.GetString(body), (path, value) =>
            {
                var rule = RedactionRules.At(path, answer)?.Rule ?? RedactionRules.Credential;
                found.AddRange(Marks().Matches(value.ToString()).Take(most - found.Count)
                    .Select(mark => new RedactedValue(string.Concat(path.Select(p => $"/{p.Member}")), rule, mark.Value)));
                return null;
            });
        }
        if (found.Count == 0)
        {
            found.AddRange(Marks().Matches(Encoding.UTF8.GetString(body)).Take(most)
                .Select(mark => new RedactedValue("", RedactionRules.Credential, mark.Value)));
        }
        return found.ToImmutable();
    }

    /// <summary>Returns the marks in one text; those in a document inside the text have the rule of their place in that document.</summary>
    private static ImmutableArray<RedactedValue> Marked(ref Utf8JsonReader reader, JsonPath path, int most)
    {
        var rule = reader.TokenType == JsonTokenType.PropertyName ? RedactionRules.Credential : path.Place()?.Rule;
        if (rule is null && reader.ValueSpan.Length >= ShortestDocument && LooksLikeJson(reader.ValueSpan))
        {
            var inside = new byte[reader.ValueSpan.Length];
            try
            {
                return [.. Find(inside.AsSpan(0, reader.CopyString(inside)), most, null).Select(r => r with { Pointer = path.Pointer() })];
            }
            catch (InvalidOperationException)
            {
                // A lone surrogate: the text is not a document, and its marks were already in the original.
            }
        }
        return
        [
            .. Marks().Matches(Encoding.UTF8.GetString(reader.ValueSpan)).Take(most)
                .Select(mark => new RedactedValue(path.Pointer(), rule ?? RedactionRules.Credential, mark.Value)),
        ];
    }

    private byte[]? Json(ReadOnlySpan<byte> body, AnswerPlaces? answer, int inside)
    {
        var path = new JsonPath(answer, _names);
        var reader = new Utf8JsonReader(body, Reading);
        ArrayBufferWriter<byte>? clean = null;
        var copied = 0;
        try
        {
            while (reader.Read())
            {
                path.Enter(ref reader);
                if (reader.ValueSpan.Length > 0 && reader.TokenType switch
                {
                    JsonTokenType.String => Replacement(ref reader, path, inside),
                    JsonTokenType.PropertyName => OfName(ref reader, path, inside),
                    _ => null,
                } is { } instead)
                {
                    clean ??= new(body.Length);
                    var start = (int)reader.TokenStartIndex;
                    clean.Write(body[copied..start]);
                    clean.Write("\""u8);
                    clean.Write(JsonEncodedText.Encode(instead, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
                    clean.Write("\""u8);
                    copied = start + reader.ValueSpan.Length + 2;
                }
                path.Leave(ref reader);
            }
        }
        catch (JsonException)
        {
            // No SDK can read it as JSON either; the rest is cleaned as text.
            if (Text(body[copied..], answer) is { } rest)
                return [.. clean is null ? [] : clean.WrittenSpan, .. rest];
        }
        if (clean is null)
            return null;
        clean.Write(body[copied..]);
        return clean.WrittenSpan.ToArray();
    }

    private string? Replacement(ref Utf8JsonReader reader, JsonPath path, int inside)
    {
        var place = path.Place();
        var named = path.NameOf(ref reader);
        if (place is null && reader.ValueSpan.Length < ShortestCredential && !named.IsAny)
            return null;
        string value;
        try
        {
            value = reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate: no SDK reads such a value, but at the place of a secret it is still redacted.
            return place is null || ReferenceEquals(place, RedactedPlace.Stays) ? null : Mark(reader.ValueSpan);
        }
        if (ReferenceEquals(place, RedactedPlace.Stays))
            return PageToken(value);
        return Value(place, value, inside) ?? (named.SecretIn(value) is { Length: > 0 } secret ? Marked(value, secret) : null);
    }

    /// <summary>Returns the name of a member without secrets, such as those that are keys of a map; null if it is kept.</summary>
    private string? OfName(ref Utf8JsonReader reader, JsonPath path, int inside)
    {
        if (path.NameIsClean)
            return null;
        if (reader.ValueSpan.Length >= ShortestCredential && Value(null, path.Name, inside) is { } clean)
            return clean;
        _names.Keep(reader.ValueSpan, path.Name, reader.ValueIsEscaped);
        return null;
    }

    private string Marked(string value, TextPart secret) =>
        $"{value.AsSpan(0, secret.Start)}{Mark(Encoding.UTF8.GetBytes(value.Substring(secret.Start, secret.Length)))}{value.AsSpan(secret.End)}";

    /// <summary>Returns the replacement of a value; null if it is kept.</summary>
    /// <param name="inside">The number of nested documents, each in a text of the one before, that are still searched.</param>
    private string? Value(RedactedPlace? place, string value, int inside)
    {
        if (place?.Secret(value) is { Length: > 0 } secret)
        {
            return IsMark(value.Substring(secret.Start, secret.Length)) ? null : Marked(value, secret);
        }
        var clean = InWords(InText(Inside(value, inside) ?? value), inside);
        // A plain secret does not rule out another one in an escaped form, so both are searched.
        return InOtherForm(clean, inside) ?? (clean != value ? clean : null);
    }

    /// <summary>
    /// Returns the text of a JSON document without secrets, such as AWS Config's or CloudTrail's; null if the text is not a document or has
    /// no secrets.
    /// </summary>
    private string? Inside(string value, int inside)
    {
        if (inside == 0 || value.Length < ShortestDocument || !StartsLikeJson(value))
            return null;
        var text = Encoding.UTF8.GetBytes(value);
        return Json(text, null, inside - 1) is { } clean ? Encoding.UTF8.GetString(clean) : null;
    }

    /// <summary>Returns the text with every word replaced that contains a secret after it is decoded, possibly repeatedly.</summary>
    private string InWords(string value, int inside)
    {
        if (inside == 0)
            return value;
        StringBuilder? clean = null;
        var copied = 0;
        for (var at = 0; EncodedText.Next(value, at) is { Length: > 0 } word; at = word.End)
        {
            var text = value.AsSpan(word.Start, word.Length);
            if (!Base58.IsKey(text) && !IsEncoded(text, inside))
            {
                var lines = EncodedText.WithLines(value, word);
                if (lines.Length == word.Length || !IsEncoded(string.Concat(value.Substring(lines.Start, lines.Length).Split(Blanks)), inside))
                    continue;
                word = lines;
                text = value.AsSpan(lines.Start, lines.Length);
            }
            (clean ??= new(value.Length)).Append(value, copied, word.Start - copied).Append(Mark(Encoding.UTF8.GetBytes(text.ToString())));
            copied = word.End;
        }
        return clean is null ? value : clean.Append(value, copied, value.Length - copied).ToString();
    }

    private bool IsEncoded(ReadOnlySpan<char> word, int inside) => EncodedText.Decoded(word) is { } decoded && Value(null, decoded, inside - 1) is not null;

    /// <summary>
    /// Cleans a text that holds a secret only after its escapes are decoded. With percent-encoding or HTML entities only the secret is
    /// replaced; with JSON escapes the whole text. Null if there is no secret.
    /// </summary>
    private string? InOtherForm(string value, int inside)
    {
        if (inside == 0)
            return null;
        if (value.Contains('%', StringComparison.Ordinal) && Uri.UnescapeDataString(value) is var plain && plain != value)
        {
            // Restore the colon of the marks: it needs no escape, and marks are found by it.
            return Value(null, plain, inside - 1) is { } clean
                ? Uri.EscapeDataString(clean).Replace("hmac-sha256%3A", Prefix, StringComparison.Ordinal)
                : null;
        }
        var unescaped = EncodedText.Unescaped(value);
        return unescaped != value && Value(null, unescaped, inside - 1) is { } without
            ? value.Contains('\\', StringComparison.Ordinal) ? Mark(Encoding.UTF8.GetBytes(value)) : WebUtility.HtmlEncode(without)
            : null;
    }

    /// <summary>Returns the mark of a page token that has the form of a credential; null if it is kept.</summary>
    private string? PageToken(string value) => !IsReplaced(value) && KeyForms.IsIn(value) ? Mark(Encoding.UTF8.GetBytes(value)) : null;

    private string? InLeaf(List<(string? Member, long Index)> path, ReadOnlySpan<char> value, AnswerPlaces? answer, ElementsAround around)
    {
        var place = RedactionRules.At(path, answer);
        if (ReferenceEquals(place, RedactedPlace.Stays))
            return PageToken(value.ToString());
        place ??= RedactionRules.Under(around.Of(path));
        return place is null && !MayHoldSecret(value) ? null : Value(place, value.ToString(), MostDocumentsInside);
    }

    /// <summary>
    /// Whether a value to which no rule applies may hold a secret. This cheap check excludes nearly all of the very many values.
    /// </summary>
    private static bool MayHoldSecret(ReadOnlySpan<char> value) =>
        CredentialForms.MayBegin(value) || value.ContainsAny('%', '&', '\\')
        || (value.Length >= ShortestDocument && (StartsLikeJson(value) || EncodedText.Next(value, 0).Length > 0));

    private byte[]? Text(ReadOnlySpan<byte> body, AnswerPlaces? answer)
    {
        var text = Encoding.UTF8.GetString(body);
        if (!LooksLikeXml(body))
            return InWords(InText(text), MostDocumentsInside) is var plain && plain == text ? null : Encoding.UTF8.GetBytes(plain);
        var around = new ElementsAround();
        var leaves = XmlLeaves.Replace(text, (path, value) => InLeaf(path, value, answer, around));
        var clean = new StringBuilder(leaves.Length);
        var from = 0;
        // What is between the leaves, such as an attribute, is searched too; page tokens were judged at their place.
        foreach (var token in answer is null ? [] : XmlLeaves.Where(leaves, path => ReferenceEquals(answer(path), RedactedPlace.Stays)))
        {
            clean.Append(InWords(InText(leaves[from..token.Start]), MostDocumentsInside)).Append(leaves, token.Start, token.Length);
            from = token.End;
        }
        clean.Append(InWords(InText(leaves[from..]), MostDocumentsInside));
        return clean.Equals(text) ? null : Encoding.UTF8.GetBytes(clean.ToString());
    }

    /// <summary>Returns the text without credentials.</summary>
    private string InText(string text) => CredentialForms.Replace(text, secret => IsMark(secret) ? secret : Mark(Encoding.UTF8.GetBytes(secret)));

    private static bool IsMark(string text) => Marks().Match(text) is { Success: true } mark && mark.Length == text.Length;

    private string Mark(ReadOnlySpan<byte> secret) => Prefix + Convert.ToHexStringLower(HMACSHA256.HashData(key.Span, secret));

    /// <summary>Returns the byte order mark of a body, which readers of JSON and XML skip; empty if there is none.</summary>
    private static ReadOnlySpan<byte> MarkOf(ReadOnlySpan<byte> body) => body.StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble : default;

    private static bool LooksLikeXml(ReadOnlySpan<byte> body) => body.TrimStart(" \t\r\n"u8) is [(byte)'<', ..];

    private static bool StartsLikeJson(ReadOnlySpan<char> value) => value.TrimStart(" \t\r\n") is ['{' or '[' or '"', ..];

    private static bool LooksLikeJson(ReadOnlySpan<byte> body) => body.TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[' or (byte)'"', ..];

    [GeneratedRegex("hmac-sha256:[0-9a-f]{64}", RegexOptions.CultureInvariant)]
    private static partial Regex Marks();
}
