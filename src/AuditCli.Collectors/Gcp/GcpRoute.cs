using AuditCli.Collectors.Exchanges;

namespace AuditCli.Collectors.Gcp;

/// <summary>Builds the route to Google Cloud by the rules of the Google Cloud CLI.</summary>
internal static class GcpRoute
{
    private const string Authorities = "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE";
    private const string Address = "CLOUDSDK_PROXY_ADDRESS";

    /// <summary>Returns the route with the proxy and the certificate authorities that the environment names.</summary>
    /// <exception cref="CollectionException">The proxy or the authorities cannot be used.</exception>
    public static Route Usual()
    {
        const string Next = $"{Authorities} can name a PEM file with the authorities to trust, such as those of a proxy that inspects TLS";
        var (file, from) = new[] { Authorities, "REQUESTS_CA_BUNDLE" }
            .Select(v => (Environment.GetEnvironmentVariable(v), v))
            .FirstOrDefault(v => !string.IsNullOrEmpty(v.Item1));
        var proxy = Own() ?? StatedProxy.OfEnvironment(ProxyHabit.Python);
        return new(proxy.Except(IsMetadata), file is null ? ServerTrust.System(Next) : ServerTrust.OnlyFile(file, from, Next));
    }

    /// <summary>Returns the proxy of the CLI's own properties, which take precedence over HTTPS_PROXY.</summary>
    private static StatedProxy? Own()
    {
        if (Environment.GetEnvironmentVariable(Address) is not { Length: > 0 } address)
            return null;
        var type = Environment.GetEnvironmentVariable("CLOUDSDK_PROXY_TYPE") is { Length: > 0 } given ? given : "http";
        if (type is not ("http" or "socks4" or "socks5"))
            throw new CollectionException(Codes.InvalidProxy, $"CLOUDSDK_PROXY_TYPE is {type}; http, socks4 and socks5 can be used");
        var port = Environment.GetEnvironmentVariable("CLOUDSDK_PROXY_PORT");
        var (user, password) = (Environment.GetEnvironmentVariable("CLOUDSDK_PROXY_USERNAME"), Environment.GetEnvironmentVariable("CLOUDSDK_PROXY_PASSWORD"));
        var account = string.IsNullOrEmpty(user) ? "" : $"{Uri.EscapeDataString(user)}:{Uri.EscapeDataString(password ?? "")}@";
        return StatedProxy.Always($"{type}://{account}{address}{(string.IsNullOrEmpty(port) ? "" : ":" + port)}", Address);
    }

    /// <summary>
    /// Whether the URL is that of the machine's metadata server. It is never reached through a proxy, which could obtain tokens from the
    /// response.
    /// </summary>
    private static bool IsMetadata(Uri uri) =>
        uri.Host is "metadata.google.internal" or "169.254.169.254"
        || Environment.GetEnvironmentVariable("GCE_METADATA_HOST") is { Length: > 0 } host && uri.Authority == host;
}
