using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace AuditCli.Collectors.Tests.Exchanges;

internal sealed record SeenRequest(string Method, string Target, IReadOnlyDictionary<string, string> Fields, string Body);

/// <summary>What a scripted server does with one request.</summary>
internal sealed record Reaction(int Status, string ContentType, byte[] Body)
{
    public (string Name, string Value)[] Fields { get; init; } = [];

    /// <summary>Closes the connection after this many bytes of the body.</summary>
    public int? BreakAfter { get; init; }

    /// <summary>Sends the header fields and then nothing.</summary>
    public bool Stall { get; init; }

    /// <summary>Sends the body byte by byte, with this pause in between.</summary>
    public TimeSpan? Drip { get; init; }

    public static Reaction Xml(string body, int status = 200) => new(status, "text/xml", Encoding.UTF8.GetBytes(body));

    public static Reaction Json(string body, int status = 200) => new(status, "application/x-amz-json-1.1", Encoding.UTF8.GetBytes(body));
}

/// <summary>A scripted HTTP/1.1 server on the loopback, faults included, that records its requests.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentQueue<SeenRequest> _seen = new();
    private readonly Func<SeenRequest, int, Reaction> _react;
    private readonly Task _accepting;
    private readonly X509Certificate2? _certificate;
    private int _count;

    /// <param name="react">Returns the reaction to a request and its number, counted from 0.</param>
    /// <param name="certificate">A certificate with its key for TLS; null for plain HTTP.</param>
    public LoopbackServer(Func<SeenRequest, int, Reaction> react, X509Certificate2? certificate = null)
    {
        _react = react;
        _certificate = certificate;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"{(_certificate is null ? "http" : "https")}://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    public IReadOnlyList<SeenRequest> Seen => [.. _seen];

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                // On another thread: a reaction that waits for another client's request would keep that client from being accepted.
                open.Add(Task.Run(() => ServeAsync(client)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // The test is over.
        }
        await Task.WhenAll(open);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        client.NoDelay = true;
        try
        {
            await using var stream = await OpenAsync(client.GetStream());
            while (await ReadAsync(stream) is { } request)
            {
                _seen.Enqueue(request);
                if (!await AnswerAsync(client, stream, _react(request, Interlocked.Increment(ref _count) - 1)))
                    return;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or AuthenticationException)
        {
            // The client disconnected, or the test is over.
        }
    }

    private async Task<Stream> OpenAsync(NetworkStream stream)
    {
        if (_certificate is null)
            return stream;
        var secured = new SslStream(stream);
        await secured.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _end.Token);
        return secured;
    }

    private async Task<bool> AnswerAsync(TcpClient client, Stream stream, Reaction reaction)
    {
        var head = new StringBuilder()
            .Append(
                CultureInfo.InvariantCulture,
                $"HTTP/1.1 {reaction.Status} Said\r\nContent-Type: {reaction.ContentType}\r\nContent-Length: {reaction.Body.Length}\r\n");
        foreach (var (name, value) in reaction.Fields)
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), _end.Token);
        if (reaction.Stall)
        {
            await Task.Delay(Timeout.Infinite, _end.Token);
        }
        else if (reaction.BreakAfter is { } bytes)
        {
            await stream.WriteAsync(reaction.Body.AsMemory(0, bytes), _end.Token);
            await stream.FlushAsync(_end.Token);
            client.Client.LingerState = new LingerOption(true, 0);
            return false;
        }
        if (reaction.Drip is { } pause)
        {
            foreach (var one in reaction.Body)
            {
                await stream.WriteAsync(new[] { one }, _end.Token);
                await Task.Delay(pause, _end.Token);
            }
            return true;
        }
        await stream.WriteAsync(reaction.Body, _end.Token);
        return true;
    }

    private async Task<SeenRequest?> ReadAsync(Stream stream)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (!head.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await stream.ReadAsync(one, _end.Token) == 0)
                return null;
            head.Add(one[0]);
        }
        var lines = Encoding.ASCII.GetString([.. head]).TrimEnd().Split("\r\n");
        var fields = lines.Skip(1).Select(l => l.Split(':', 2)).ToDictionary(f => f[0], f => f[1].Trim(), StringComparer.OrdinalIgnoreCase);
        var body = new byte[fields.TryGetValue("Content-Length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0];
        await stream.ReadExactlyAsync(body, _end.Token);
        return new(lines[0].Split(' ')[0], lines[0].Split(' ')[1], fields, Encoding.UTF8.GetString(body));
    }
}
