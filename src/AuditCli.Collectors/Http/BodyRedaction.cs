using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Http;

/// <summary>
/// Replaces secrets in answers by <c>hmac-sha256:&lt;hex&gt;</c> before anything is written or interpreted (RFC 2104). Equal secrets stay
/// equal under one key, and nobody without the key can try guesses. Every other byte stays as it came.
/// </summary>
/// <param name="key">At least 32 bytes.</param>
internal sealed partial class BodyRedaction(ReadOnlyMemory<byte> key)
{
    /// <summary>What stands in the place of a secret begins with this.</summary>
    public const string Prefix = "hmac-sha256:";

    private const int ShortestCredential = 8;
    private static readonly JsonReaderOptions Reading = new() { MaxDepth = 256 };

    /// <summary>The body without secrets, and the keyed digest of the one that came; the same memory and null where there are none.</summary>
    public (ReadOnlyMemory<byte> Body, string? Digest) Apply(ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty)
            return (body, null);
        var clean = LooksLikeJson(body.Span) ? Json(body.Span) : Text(body.Span);
        return clean is null ? (body, null) : (clean, Mark(body.Span));
    }

    /// <summary>What was replaced in a body that <see cref="Apply"/> gave: where, by which rule, and what stands there instead.</summary>
    public static ImmutableArray<Redaction> Find(ReadOnlySpan<byte> body, int most)
    {
        var found = ImmutableArray.CreateBuilder<Redaction>();
        try
        {
            var path = new JsonPath();
            var reader = new Utf8JsonReader(LooksLikeJson(body) ? body : "null"u8, Reading);
            while (found.Count < most && reader.Read())
            {
                path.Enter(ref reader);
                if (reader.TokenType == JsonTokenType.String && reader.ValueSpan.IndexOf("hmac-sha256:"u8) >= 0)
                {
                    var rule = path.Place()?.Name ?? RedactionRules.Credential;
                    foreach (Match mark in Marks().Matches(Encoding.UTF8.GetString(reader.ValueSpan)))
                        found.Add(new(path.Pointer(), rule, mark.Value));
                }
                path.Leave(ref reader);
            }
        }
        catch (JsonException)
        {
            found.Clear();  // pointers into what is no document would lead nowhere
        }
        if (found.Count == 0)
            found.AddRange(Marks().Matches(Encoding.UTF8.GetString(body)).Take(most).Select(mark => new Redaction("", RedactionRules.Credential, mark.Value)));
        return found.ToImmutable();
    }

    private byte[]? Json(ReadOnlySpan<byte> body)
    {
        var path = new JsonPath();
        var reader = new Utf8JsonReader(body, Reading);
        ArrayBufferWriter<byte>? clean = null;
        var copied = 0;
        try
        {
            while (reader.Read())
            {
                path.Enter(ref reader);
                if (reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length > 0 && Replacement(ref reader, path) is { } instead)
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
            // Whatever it is, no SDK will read it as JSON either; what is left of it is kept as a text.
            if (Text(body[copied..]) is { } rest)
                return [.. clean is null ? [] : clean.WrittenSpan, .. rest];
        }
        if (clean is null)
            return null;
        clean.Write(body[copied..]);
        return clean.WrittenSpan.ToArray();
    }

    private string? Replacement(ref Utf8JsonReader reader, JsonPath path)
    {
        var place = path.Place();
        if (place is null && (reader.ValueSpan.Length < ShortestCredential || path.IsPageToken))
            return null;
        string value;
        try
        {
            value = reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate: no SDK reads such a value, and in its place it is a secret all the same.
            return place is null ? null : Mark(reader.ValueSpan);
        }
        return place is null || place.Keeps?.Invoke(value) is true ? InText(value) : Mark(Encoding.UTF8.GetBytes(value));
    }

    private byte[]? Text(ReadOnlySpan<byte> body)
    {
        var text = Encoding.UTF8.GetString(body);
        var clean = !text.Contains("serData>", StringComparison.Ordinal) ? text : UserData().Replace(text, m => m.Value.Replace(m.Groups["secret"].Value, Mark(Encoding.UTF8.GetBytes(m.Groups["secret"].Value)), StringComparison.Ordinal));
        clean = InText(clean) ?? clean;
        return ReferenceEquals(clean, text) || clean == text ? null : Encoding.UTF8.GetBytes(clean);
    }

    /// <summary>The text without credentials; null where there are none.</summary>
    private string? InText(string text)
    {
        var clean = CredentialForms.Replace(text, secret => secret.StartsWith(Prefix, StringComparison.Ordinal) ? secret : Mark(Encoding.UTF8.GetBytes(secret)));
        return clean == text ? null : clean;
    }

    private string Mark(ReadOnlySpan<byte> secret) => Prefix + Convert.ToHexStringLower(HMACSHA256.HashData(key.Span, secret));

    private static bool LooksLikeJson(ReadOnlySpan<byte> body) => body.TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[' or (byte)'"', ..];

    [GeneratedRegex("hmac-sha256:[0-9a-f]{64}", RegexOptions.CultureInvariant)]
    private static partial Regex Marks();

    [GeneratedRegex("<(?:userData|UserData)>(?:\\s*<value>)?(?<secret>[^<]+)<", RegexOptions.CultureInvariant)]
    private static partial Regex UserData();

    /// <summary>Where a reader stands in a document.</summary>
    private sealed class JsonPath
    {
        private readonly List<(string? Member, long Index)> _at = [];

        /// <summary>Before a token is looked at.</summary>
        public void Enter(ref Utf8JsonReader reader)
        {
            if (reader.TokenType == JsonTokenType.PropertyName)
                _at[^1] = (Name(ref reader), -1);
            else if (_at.Count > 0 && _at[^1].Member is null && reader.TokenType is not (JsonTokenType.EndArray or JsonTokenType.EndObject))
                _at[^1] = (null, _at[^1].Index + 1);
        }

        /// <summary>After it was looked at.</summary>
        public void Leave(ref Utf8JsonReader reader)
        {
            if (reader.TokenType == JsonTokenType.StartObject)
                _at.Add(("", -1));
            else if (reader.TokenType == JsonTokenType.StartArray)
                _at.Add((null, -1));
            else if (reader.TokenType is JsonTokenType.EndArray or JsonTokenType.EndObject)
                _at.RemoveAt(_at.Count - 1);
        }

        public bool IsPageToken => _at.Count > 0 && _at[^1].Member is { } name && RedactionRules.PageTokens.Contains(name);

        public RedactedPlace? Place() => RedactionRules.Places.FirstOrDefault(IsAt);

        /// <summary>RFC 6901.</summary>
        public string Pointer() => string.Concat(_at.Select(s => "/" + (s.Member is { } name
            ? Escaped(name)
            : s.Index.ToString(CultureInfo.InvariantCulture))));

        private bool IsAt(RedactedPlace place)
        {
            if (place.Path.Length > _at.Count)
                return false;
            for (var i = 1; i <= place.Path.Length; i++)
            {
                var (wanted, (member, _)) = (place.Path[^i], _at[^i]);
                if (wanted == "[]" ? member is not null : member is null || wanted != "*" && Escaped(member) != wanted)
                    return false;
            }
            return true;
        }

        private static string Name(ref Utf8JsonReader reader)
        {
            try
            {
                return reader.GetString()!;
            }
            catch (InvalidOperationException)
            {
                return Encoding.UTF8.GetString(reader.ValueSpan);  // a lone surrogate; no place has such a name
            }
        }

        private static string Escaped(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
    }
}
