using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace AuditCli.Collectors.Http;

/// <summary>The way to a target's servers: through which proxy, whose certificates count, and with which certificate of the caller's.</summary>
/// <remarks>A target has one, and everything that is sent for it takes it: what is recorded, and what hands out credentials.</remarks>
internal sealed class Route(StatedProxy proxy, ServerTrust trust)
{
    /// <summary>Proxies of the environment as the AWS and Google command lines read them, and the operating system's authorities.</summary>
    public static Route Usual() => new(
        StatedProxy.OfEnvironment(ProxyHabit.Python), ServerTrust.System("SSL_CERT_FILE can name a PEM file with further authorities"));

    public StatedProxy Proxy => proxy;

    public ServerTrust Trust => trust;

    /// <summary>The caller's certificate for each new connection; null where callers show none.</summary>
    public Func<X509Certificate2?>? ClientCertificate { get; init; }

    /// <summary>A transport along this way, to which nothing happens that a recorder above it would not see: no redirects, no cookies, no decoding.</summary>
    /// <param name="connect">The longest that a connection may take.</param>
    /// <param name="open">Opens a connection; null for the transport's own way.</param>
    public SocketsHttpHandler Connect(TimeSpan connect, Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>>? open = null)
    {
        var options = new SslClientAuthenticationOptions();
        trust.Apply(options);
        if (ClientCertificate is { } certificate)
            options.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate()!;
        return new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = connect,
            ConnectCallback = open,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = ConnectionBudget.IdleFor,
            Proxy = proxy,
            SslOptions = options,
        };
    }
}
