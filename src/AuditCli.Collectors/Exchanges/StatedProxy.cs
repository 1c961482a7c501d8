using System.Collections.Immutable;
using System.Globalization;
using System.Net;

namespace AuditCli.Collectors.Exchanges;

/// <summary>Selects how the proxy variables are read, since the providers' own tools differ.</summary>
internal enum ProxyHabit
{
    /// <summary>
    /// The AWS and Google Cloud CLIs: a lower-case variable takes precedence, and <c>.example.com</c> includes the domain itself.
    /// </summary>
    Python,

    /// <summary>
    /// kubectl: an upper-case variable takes precedence, <c>.example.com</c> means subdomains only, and the loopback is never proxied.
    /// </summary>
    Go,
}

/// <summary>
/// Determines the proxy of a request. The variables are read and checked once, before any request: the runtime would ignore a proxy that it
/// cannot parse and connect directly.
/// </summary>
internal sealed class StatedProxy : IWebProxy
{
    private static readonly ImmutableArray<string> Schemes = ["http", "https", "socks4", "socks4a", "socks5"];
    private readonly Func<Uri, Uri?> _find;

    private StatedProxy(Func<Uri, Uri?> find, IEnumerable<Stated> all)
    {
        _find = find;
        var accounts = new CredentialCache();
        foreach (var proxy in all.Where(p => p.Account is not null).DistinctBy(p => p.Address))
        {
            foreach (var scheme in new[] { "Basic", "Digest" })
                accounts.Add(proxy.Address, scheme, proxy.Account!);
        }
        Credentials = accounts;
    }

    /// <summary>No proxy for any request.</summary>
    public static StatedProxy None { get; } = new(_ => null, []);

    /// <inheritdoc/>
    public ICredentials? Credentials { get; set; }

    /// <summary>
    /// Returns the proxies of <c>HTTPS_PROXY</c>, <c>HTTP_PROXY</c> and <c>ALL_PROXY</c>, with the exceptions in <c>NO_PROXY</c>.
    /// </summary>
    /// <exception cref="CollectionException">One of them is not valid (<see cref="Codes.InvalidProxy"/>).</exception>
    public static StatedProxy OfEnvironment(ProxyHabit habit)
    {
        var (https, http, all) = (Named("HTTPS_PROXY", habit), Named("HTTP_PROXY", habit), Named("ALL_PROXY", habit));
        if (https is null && http is null && all is null)
            return None;
        var bypasses = Bypass.List(Variable("NO_PROXY", habit).Value, habit);
        return new(
            uri => bypasses.Any(b => b.Covers(uri)) || habit == ProxyHabit.Go && uri.IsLoopback
                ? null
                : ((uri.Scheme == Uri.UriSchemeHttps ? https : http) ?? all)?.Address,
            new[] { https, http, all }.OfType<Stated>());
    }

    /// <summary>Returns one proxy for every request.</summary>
    /// <param name="place">The setting that names the proxy, for messages.</param>
    /// <exception cref="CollectionException">It is not valid (<see cref="Codes.InvalidProxy"/>).</exception>
    public static StatedProxy Always(string text, string place)
    {
        var stated = Read(text, place);
        return new(_ => stated.Address, [stated]);
    }

    /// <summary>Returns the same proxy, with direct connections to some hosts.</summary>
    public StatedProxy Except(Func<Uri, bool> direct) => new(uri => direct(uri) ? null : _find(uri), []) { Credentials = Credentials };

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) => _find(destination);

    /// <inheritdoc/>
    public bool IsBypassed(Uri host) => _find(host) is null;

    private static Stated? Named(string name, ProxyHabit habit)
    {
        var (found, value) = Variable(name, habit);
        return string.IsNullOrWhiteSpace(value) ? null : Read(value.Trim(), found);
    }

    private static (string Name, string? Value) Variable(string upper, ProxyHabit habit)
    {
        var lower = upper.ToLowerInvariant();
        var (first, second) = habit == ProxyHabit.Go ? (upper, lower) : (lower, upper);
        var value = Environment.GetEnvironmentVariable(first);
        // In Python, an empty lower-case variable disables the upper-case one.
        return value is { Length: > 0 } || value is not null && habit == ProxyHabit.Python
            ? (first, value)
            : (second, Environment.GetEnvironmentVariable(second));
    }

    private static Stated Read(string text, string place)
    {
        if (!Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            throw new CollectionException(Codes.InvalidProxy, $"{place} does not contain the address of a proxy; write it as http://host:port, or unset it");
        // The h means that the proxy resolves names, which the runtime does for SOCKS 5 anyway.
        var scheme = uri.Scheme == "socks5h" ? "socks5" : uri.Scheme;
        if (!Schemes.Contains(scheme))
        {
            throw new CollectionException(
                Codes.InvalidProxy, $"{place} names a proxy of type {uri.Scheme}; http, https, socks4, socks4a, socks5 and socks5h are supported");
        }
        var parts = uri.UserInfo.Split(':', 2);
        var account = uri.UserInfo.Length == 0
            ? null
            : new NetworkCredential(Uri.UnescapeDataString(parts[0]), parts.Length == 2 ? Uri.UnescapeDataString(parts[1]) : "");
        var port = uri.Port < 0 ? 1080 : uri.Port;
        return new(new UriBuilder(scheme, uri.Host, port).Uri, account);
    }

    /// <param name="Address">The address without the account, which runtime error messages would print.</param>
    private sealed record Stated(Uri Address, NetworkCredential? Account);

    /// <summary>One entry of <c>NO_PROXY</c>.</summary>
    /// <param name="Name">A domain in lower case; null for addresses and for <c>*</c>.</param>
    /// <param name="SubdomainsOnly">Whether the domain itself is excluded.</param>
    /// <param name="Network">A range of addresses; the prefix counts bits of the address's own family.</param>
    private sealed record Bypass(string? Name, bool SubdomainsOnly, (IPAddress Base, int Prefix)? Network, int? Port)
    {
        private static readonly Bypass Everything = new(null, false, null, null);

        public static ImmutableArray<Bypass> List(string? text, ProxyHabit habit) =>
            [
                .. (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    .Select(e => Parse(e.ToLowerInvariant(), habit)),
            ];

        public bool Covers(Uri uri)
        {
            if (Port is { } port && port != uri.Port)
                return false;
            var host = uri.IdnHost.Trim('[', ']').TrimEnd('.').ToLowerInvariant();
            if (Network is var (address, prefix))
                return IPAddress.TryParse(host, out var asked) && Contains(address, prefix, asked);
            return Name is null || host == Name && !SubdomainsOnly || host.EndsWith("." + Name, StringComparison.Ordinal);
        }

        private static Bypass Parse(string entry, ProxyHabit habit)
        {
            if (entry == "*")
                return Everything;
            if (entry.Split('/') is [var start, var bits] && IPAddress.TryParse(start, out var network)
                && int.TryParse(bits, NumberStyles.None, CultureInfo.InvariantCulture, out var prefix)
                && prefix <= network.GetAddressBytes().Length * 8)
            {
                return new(null, false, (network, prefix), null);
            }
            var (host, port) = Divided(entry);
            if (IPAddress.TryParse(host, out var address))
                return new(null, false, (address, address.GetAddressBytes().Length * 8), port);
            var star = host.StartsWith("*.", StringComparison.Ordinal);
            return new(host.TrimStart('*').TrimStart('.').TrimEnd('.'), star || habit == ProxyHabit.Go && host.StartsWith('.'), null, port);
        }

        private static (string Host, int? Port) Divided(string entry)
        {
            if (IPAddress.TryParse(entry.Trim('[', ']'), out _) && entry.Count(c => c == ':') != 1)
                return (entry.Trim('[', ']'), null);
            var colon = entry.LastIndexOf(':');
            return colon > 0 && int.TryParse(entry.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                ? (entry[..colon].Trim('[', ']'), port)
                : (entry, null);
        }

        private static bool Contains(IPAddress network, int prefix, IPAddress asked)
        {
            if (asked.IsIPv4MappedToIPv6)
                asked = asked.MapToIPv4();
            var (a, b) = (network.GetAddressBytes(), asked.GetAddressBytes());
            if (a.Length != b.Length)
                return false;
            for (var bit = 0; bit < prefix; bit++)
            {
                if (((a[bit / 8] ^ b[bit / 8]) >> (7 - bit % 8) & 1) != 0)
                    return false;
            }
            return true;
        }
    }
}
