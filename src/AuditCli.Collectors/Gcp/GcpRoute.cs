using AuditCli.Collectors.Http;

namespace AuditCli.Collectors.Gcp;

/// <summary>The way to Google Cloud as its command line takes it.</summary>
internal static class GcpRoute
{
    private const string Authorities = "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE";
    private const string Address = "CLOUDSDK_PROXY_ADDRESS";

    /// <summary>The proxy and the authorities that the environment names.</summary>
    /// <exception cref="CollectionException">They cannot be used.</exception>
    public static Route Usual()
    {
        const string Next = $"{Authorities} can name a PEM file with the authorities to trust, such as those of a proxy that opens TLS";
        var (file, from) = new[] { Authorities, "REQUESTS_CA_BUNDLE" }.Select(v => (Environment.GetEnvironmentVariable(v), v)).FirstOrDefault(v => !string.IsNullOrEmpty(v.Item1));
        var proxy = Own() ?? StatedProxy.OfEnvironment(ProxyHabit.Python);
        return new(proxy.Except(IsMetadata), file is null ? ServerTrust.System(Next) : ServerTrust.OnlyFile(file, from, Next));
    }

    /// <summary>The proxy of the command line's own properties, which counts before HTTPS_PROXY.</summary>
    private static StatedProxy? Own()
    {
        if (Environment.GetEnvironmentVariable(Address) is not { Length: > 0 } address)
            return null;
        var type = Environment.GetEnvironmentVariable("CLOUDSDK_PROXY_TYPE") is { Length: > 0 } given ? given : "http";
        if (type is not ("http" or "socks4" or "socks5"))
            throw new CollectionException(StatedProxy.Invalid, $"CLOUDSDK_PROXY_TYPE is {type}; http, socks4 and socks5 can be used");
        var port = Environment.GetEnvironmentVariable("CLOUDSDK_PROXY_PORT");
        var (user, password) = (Environment.GetEnvironmentVariable("CLOUDSDK_PROXY_USERNAME"), Environment.GetEnvironmentVariable("CLOUDSDK_PROXY_PASSWORD"));
        var account = string.IsNullOrEmpty(user) ? "" : $"{Uri.EscapeDataString(user)}:{Uri.EscapeDataString(password ?? "")}@";
        return StatedProxy.Always($"{type}://{account}{address}{(string.IsNullOrEmpty(port) ? "" : ":" + port)}", Address);
    }

    /// <summary>The machine's own metadata server is reached by no proxy, and gives tokens to whoever asks.</summary>
    private static bool IsMetadata(Uri uri) =>
        uri.Host is "metadata.google.internal" or "169.254.169.254"
        || Environment.GetEnvironmentVariable("GCE_METADATA_HOST") is { Length: > 0 } host && uri.Authority == host;
}
