using System.Collections.Frozen;
using System.Collections.Immutable;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Exchanges;

/// <summary>Defines which parts of an exchange are not stored, and which parts identify equal requests.</summary>
public sealed record ExchangePolicy
{
    /// <summary>The policy used for every source.</summary>
    public static ExchangePolicy Default { get; } = new();

    /// <summary>The headers that carry credentials, or apply only to one connection. Content-Length is rewritten.</summary>
    public FrozenSet<string> DroppedFields { get; init; } = new[]
    {
        "Authorization", "Proxy-Authorization", "Proxy-Authenticate", "WWW-Authenticate", "Authentication-Info", "Cookie", "Set-Cookie",
        "Connection", "Keep-Alive", "Transfer-Encoding", "Content-Encoding", "Content-Length", "Content-MD5", "Trailer", "Upgrade",
    }.Concat(OfSources(f => f.Dropped)).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>The query parameters that carry credentials or signatures.</summary>
    public FrozenSet<string> DroppedParameters { get; init; } =
        OfSources(f => f.DroppedParameters).Append("access_token").ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>The headers that select the operation, the form of the response or the billed project.</summary>
    public ImmutableArray<string> KeyFields { get; init; } = ["Accept", .. OfSources(f => f.Key)];

    /// <summary>The response headers with the provider's id of the request.</summary>
    public static ImmutableArray<string> RequestIdFields { get; } = [.. OfSources(f => f.RequestIds)];

    /// <summary>
    /// Returns the URI without user information, fragment, dropped parameters and other credentials; the rest is unchanged.
    /// </summary>
    public Uri Clean(Uri uri)
    {
        var kept = uri.Query.Length == 0
            ? ""
            : string.Join('&', uri.Query[1..].Split('&').Where(p => !DroppedParameters.Contains(Uri.UnescapeDataString(p.Split('=')[0]))));
        var clean = CredentialText.InUrl(uri.AbsolutePath + (kept.Length == 0 ? "" : "?" + kept));
        return uri.UserInfo.Length == 0 && uri.Fragment.Length == 0 && clean == uri.PathAndQuery ? uri : new(uri.Origin() + clean);
    }

    /// <summary>Returns a key that is equal for equal requests: method, URI, key headers and body.</summary>
    public string Key(string method, Uri uri, IEnumerable<KeyValuePair<string, string>> fields, ReadOnlySpan<byte> body)
    {
        var known = fields.ToArray();
        var named = KeyFields.Select(k => string.Join(",", known.Where(f => f.Key.Equals(k, StringComparison.OrdinalIgnoreCase)).Select(f => f.Value)));
        return string.Join('\n', [method, Clean(uri).AbsoluteUri, .. named, Digest.Of(body).Hex]);
    }

    private static IEnumerable<string> OfSources(Func<ExchangeFields, ImmutableArray<string>> fields) => CollectorCatalog.All.SelectMany(c => fields(c.Fields));
}
