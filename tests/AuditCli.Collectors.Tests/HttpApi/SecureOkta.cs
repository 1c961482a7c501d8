using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace AuditCli.Collectors.Tests.HttpApi;

/// <summary>A server with TLS that asks for a client certificate and answers every request with one user.</summary>
internal sealed class SecureOkta : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 _certificate;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    public SecureOkta(X509Certificate2 certificate)
    {
        _certificate = certificate;
        _listener.Start();
        Address = new($"https://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _serving = Task.Run(ServeAsync);
    }

    public Uri Address { get; }

    /// <summary>The subject of the last client certificate; null if none was sent.</summary>
    public string? Client { get; private set; }

    /// <summary>Reads one request and answers it, closing the connection.</summary>
    public static async Task AnswerAsync(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        // A client that does not accept the certificate closes the connection without a request.
        if (await reader.ReadLineAsync() is not { } line)
            return;
        while (await reader.ReadLineAsync() is { Length: > 0 })
        {
        }
        const string User = """{"id":"u1","status":"ACTIVE","profile":{"login":"auditor@example.com"}}""";
        var body = line.Contains("/users/me ", StringComparison.Ordinal) ? User : $"[{User}]";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await using var secure = new SslStream(client.GetStream());
                await secure.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions
                    {
                        ServerCertificate = _certificate,
                        ClientCertificateRequired = true,
                        RemoteCertificateValidationCallback = (_, client, _, _) => client is not null,
                    },
                    _stop.Token);
                Client = secure.RemoteCertificate?.Subject;
                await AnswerAsync(secure);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or AuthenticationException)
            {
                // The client refused the certificate, or the test is over.
            }
        }
    }
}
