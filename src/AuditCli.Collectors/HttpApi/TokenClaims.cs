using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.HttpApi;

/// <summary>What a JSON Web Token says of itself (RFC 7519). Signatures are the business of the server that takes it.</summary>
internal sealed record TokenClaims(JsonElement Claims)
{
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(30);

    /// <summary>Returns the claims of a token; null if it is not a JSON Web Token but an opaque text.</summary>
    public static TokenClaims? Of(string token)
    {
        if (token.Split('.') is not [var header, var payload, _] || Decoded(header) is null || Decoded(payload) is not { } claims)
            return null;
        return new(claims);
    }

    /// <summary>Who the token is for, in the claims that providers use; null if it does not say.</summary>
    public string? Name => new[] { "preferred_username", "upn", "app_displayname", "appid", "azp", "client_id", "cid", "sub" }
        .Select(n => JsonMember.Text(Claims, n)).FirstOrDefault(v => !string.IsNullOrEmpty(v));

    /// <summary>Requires that the token is valid at a time.</summary>
    /// <param name="place">Where the token comes from, for the message.</param>
    /// <exception cref="CollectionException">It has expired, or has no claim <c>exp</c> (<see cref="HttpApiCodes.TokenExpired"/>).</exception>
    public void RequireValid(DateTimeOffset now, string place)
    {
        if (!Claims.TryGetProperty("exp", out var exp) || exp.ValueKind != JsonValueKind.Number || !exp.TryGetDouble(out var seconds)
            || seconds is not (> 0 and < 253_402_300_799))
        {
            throw new CollectionException(
                HttpApiCodes.TokenExpired, $"the token of {place} does not say when it expires (exp); use one that does, since it could be of any age");
        }
        var end = DateTimeOffset.FromUnixTimeSeconds((long)seconds);
        if (end <= now + Margin)
            throw new CollectionException(HttpApiCodes.TokenExpired, $"the token of {place} expired at {Rfc3339.Format(end)}; obtain another one");
    }

    private static JsonElement? Decoded(string part)
    {
        try
        {
            return JsonElement.Parse(Base64Url.DecodeFromChars(part)) is { ValueKind: JsonValueKind.Object } claims ? claims : null;
        }
        catch (Exception e) when (e is FormatException or JsonException or DecoderFallbackException)
        {
            return null;
        }
    }
}
