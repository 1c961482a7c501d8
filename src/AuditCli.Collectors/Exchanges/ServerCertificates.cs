using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// Remembers which certificates a server presented, so that each exchange says who responded. The transport reuses connections and does not
/// say which one carried a response; if a server presented several chains, an exchange names them all.
/// </summary>
internal sealed class ServerCertificates
{
    private const int MostChains = 8;
    private readonly ConditionalWeakTable<object, string> _verified = [];
    private readonly ConcurrentDictionary<string, ImmutableSortedSet<string>> _chains = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes note of the chain that was built to verify a connection; called during its handshake.</summary>
    /// <param name="connection">The stream of the connection.</param>
    public void Note(object connection, X509Certificate? certificate, X509Chain? chain)
    {
        if (certificate is not X509Certificate2 leaf)
            return;
        var all = (chain?.ChainElements.Select(e => e.Certificate.RawData) ?? []).Prepend(leaf.RawData).Select(raw => $"sha256:{Digest.Of(raw).Hex}");
        _verified.AddOrUpdate(connection, string.Join(' ', all.Distinct(StringComparer.Ordinal)));
    }

    /// <summary>Notes a new connection to a server, and returns its stream as it is.</summary>
    public Stream Connected(SocketsHttpPlaintextStreamFilterContext context)
    {
        if (context.PlaintextStream is SslStream stream && context.InitialRequestMessage.RequestUri is { } uri && _verified.TryGetValue(stream, out var chain))
        {
            _chains.AddOrUpdate(
                uri.Authority,
                static (_, one) => ImmutableSortedSet.Create(StringComparer.Ordinal, one),
                static (_, known, one) => known.Count < MostChains ? known.Add(one) : known,
                chain);
        }
        return context.PlaintextStream;
    }

    /// <summary>
    /// Returns the SHA-256 digests of a server's certificates in DER, its own first and then its issuers', separated by spaces; several chains by
    /// commas. Null for a server without TLS.
    /// </summary>
    public string? Of(Uri uri) => _chains.TryGetValue(uri.Authority, out var chains) ? string.Join(", ", chains) : null;
}
