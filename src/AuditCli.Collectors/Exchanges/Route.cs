using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace AuditCli.Collectors.Exchanges;

/// <summary>The route to a target's servers: the proxy, the accepted certificate authorities, and the client certificate.</summary>
/// <remarks>A target has one route for all its requests, both recorded ones and those that obtain credentials.</remarks>
internal sealed class Route(StatedProxy proxy, ServerTrust trust)
{
    /// <summary>
    /// Returns the default route: proxies of the environment as the AWS and Google Cloud CLIs read them, and the operating system's
    /// authorities.
    /// </summary>
    public static Route Usual() => new(
        StatedProxy.OfEnvironment(ProxyHabit.Python), ServerTrust.System("SSL_CERT_FILE can name a PEM file with further authorities"));

    public StatedProxy Proxy => proxy;

    public ServerTrust Trust => trust;

    /// <summary>Returns the client certificate for each new connection; null if no client certificate is used.</summary>
    public Func<X509Certificate2?>? ClientCertificate { get; init; }

    /// <summary>The path of a Unix domain socket to which every connection is made, whatever the URL's host; null for the network.</summary>
    public string? Socket { get; init; }

    /// <summary>
    /// Returns a transport for this route. Redirects, cookies and decompression are off: the recorder above would not see them.
    /// </summary>
    /// <param name="connect">The longest time to establish a connection.</param>
    /// <param name="open">Opens a connection; null for the transport's default.</param>
    /// <param name="connected">Takes note of each new connection; null for nobody.</param>
    public SocketsHttpHandler Connect(
        TimeSpan connect, Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>>? open = null, ServerCertificates? connected = null)
    {
        var options = new SslClientAuthenticationOptions();
        trust.Apply(options, connected);
        if (ClientCertificate is { } certificate)
            options.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate()!;
        return new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = connect,
            ConnectCallback = open,
            PlaintextStreamFilter = connected is null ? null : (context, _) => ValueTask.FromResult(connected.Connected(context)),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = ConnectionBudget.IdleFor,
            Proxy = proxy,
            SslOptions = options,
        };
    }
}
