using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

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
            var path = new JsonPath(answer);
            var reader = new Utf8JsonReader(LooksLikeJson(body) ? body : "null"u8, Reading);
            while (found.Count < most && reader.Read())
            {
                path.Enter(ref reader);
                if (reader.TokenType == JsonTokenType.String && reader.ValueSpan.IndexOf("hmac-sha256:"u8) >= 0)
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
        var rule = path.Place()?.Rule;
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
        var path = new JsonPath(answer);
        var reader = new Utf8JsonReader(body, Reading);
        ArrayBufferWriter<byte>? clean = null;
        var copied = 0;
        try
        {
            while (reader.Read())
            {
                path.Enter(ref reader);
                if (reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length > 0 && Replacement(ref reader, path, inside) is { } instead)
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
        if (place is null && reader.ValueSpan.Length < ShortestCredential && !path.FollowsName)
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
        return Value(place, value, inside) ?? (path.IsNamedBefore(value) ? Mark(Encoding.UTF8.GetBytes(value)) : null);
    }

    /// <summary>Returns the replacement of a value; null if it is kept.</summary>
    /// <param name="inside">The number of nested documents, each in a text of the one before, that are still searched.</param>
    private string? Value(RedactedPlace? place, string value, int inside)
    {
        if (place?.Secret(value) is { Length: > 0 } secret)
        {
            var marked = value.AsSpan(secret.Start, secret.Length);
            if (IsMark(marked.ToString()))
                return null;
            return $"{value.AsSpan(0, secret.Start)}{Mark(Encoding.UTF8.GetBytes(marked.ToString()))}{value.AsSpan(secret.End)}";
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
            if (!Base58.IsKey(text) && (EncodedText.Decoded(text) is not { } decoded || Value(null, decoded, inside - 1) is null))
                continue;
            (clean ??= new(value.Length)).Append(value, copied, word.Start - copied).Append(Mark(Encoding.UTF8.GetBytes(text.ToString())));
            copied = word.End;
        }
        return clean is null ? value : clean.Append(value, copied, value.Length - copied).ToString();
    }

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

    private string? InLeaf(List<(string? Member, long Index)> path, ReadOnlySpan<char> value, AnswerPlaces? answer)
    {
        var place = RedactionRules.At(path, answer);
        if (ReferenceEquals(place, RedactedPlace.Stays))
            return PageToken(value.ToString());
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
        var leaves = XmlLeaves.Replace(text, (path, value) => InLeaf(path, value, answer));
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

    /// <summary>The position of a reader in a document.</summary>
    private sealed class JsonPath(AnswerPlaces? answer)
    {
        private const int LongestName = 128;
        private readonly List<(string? Member, long Index)> _at = [];

        /// <summary>The last command option or value name that announces a secret; a name has a negative index.</summary>
        private (string Name, int Depth, long Index)? _said;

        /// <summary>Updates the position before a token is examined.</summary>
        public void Enter(ref Utf8JsonReader reader)
        {
            if (reader.TokenType == JsonTokenType.PropertyName)
                _at[^1] = (Name(ref reader), -1);
            else if (_at.Count > 0 && _at[^1].Member is null && reader.TokenType is not (JsonTokenType.EndArray or JsonTokenType.EndObject))
                _at[^1] = (null, _at[^1].Index + 1);
        }

        /// <summary>Updates the position after a token was examined.</summary>
        public void Leave(ref Utf8JsonReader reader)
        {
            if (reader.TokenType == JsonTokenType.String && _at.Count > 0)
                Said(ref reader);
            else if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray && _said?.Depth >= _at.Count)
                _said = null;
            if (reader.TokenType == JsonTokenType.StartObject)
                _at.Add(("", -1));
            else if (reader.TokenType == JsonTokenType.StartArray)
                _at.Add((null, -1));
            else if (reader.TokenType is JsonTokenType.EndArray or JsonTokenType.EndObject)
                _at.RemoveAt(_at.Count - 1);
        }

        /// <summary>Whether the value is the array element after a command option, or the value that belongs to a sibling name.</summary>
        public bool FollowsName => _said is not null && _at.Count > 0 && _at.Count == _said.Value.Depth && (_at[^1].Member is { } member
            ? _said.Value.Index < 0 && member.EndsWith("value", StringComparison.OrdinalIgnoreCase)
            : _said.Value.Index >= 0 && _at[^1].Index == _said.Value.Index + 1);

        /// <summary>Whether that name makes the value a secret.</summary>
        public bool IsNamedBefore(string value) => FollowsName && (_said!.Value.Index < 0
            ? NamedForms.InMember(_said.Value.Name, value)
            : NamedForms.InOption(_said.Value.Name, value));

        public RedactedPlace? Place() => RedactionRules.At(_at, answer);

        /// <summary>Returns the position as a JSON Pointer (RFC 6901).</summary>
        public string Pointer() => string.Concat(_at.Select(s => "/" + (s.Member is { } name
            ? JsonPointer.Escape(name)
            : s.Index.ToString(CultureInfo.InvariantCulture))));

        private void Said(ref Utf8JsonReader reader)
        {
            var option = _at[^1].Member is null;
            if (reader.ValueSpan.Length is 0 or > LongestName || reader.ValueIsEscaped
                || (option
                    ? reader.ValueSpan[0] != '-'
                    : !_at[^1].Member!.EndsWith("name", StringComparison.OrdinalIgnoreCase)
                        && !_at[^1].Member!.EndsWith("key", StringComparison.OrdinalIgnoreCase)))
            {
                return;
            }
            Span<char> name = stackalloc char[LongestName];
            var said = name[..Encoding.UTF8.GetChars(reader.ValueSpan, name)];
            if (NamedForms.Says(said, option))
                _said = (said.ToString(), _at.Count, option ? _at[^1].Index : -1);
            else if (_said?.Depth == _at.Count)
                _said = null;
        }

        private static string Name(ref Utf8JsonReader reader)
        {
            try
            {
                return reader.GetString()!;
            }
            catch (InvalidOperationException)
            {
                // A lone surrogate; no place has such a name.
                return Encoding.UTF8.GetString(reader.ValueSpan);
            }
        }
    }
}
