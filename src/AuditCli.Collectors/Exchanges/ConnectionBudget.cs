using System.Net.Sockets;

namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// Limits the number of open connections of a handler over all hosts. A cloud has one host per service and region, and a handler keeps idle
/// connections to all of them; without the limit, two dozen regions would exhaust the process's open files. A connection above the limit
/// waits until an idle one is closed, which takes little more than <see cref="IdleFor"/>.
/// </summary>
internal sealed class ConnectionBudget(int most) : IDisposable
{
    /// <summary>How long an idle connection is kept for its next request.</summary>
    public static readonly TimeSpan IdleFor = TimeSpan.FromSeconds(4);

    private readonly SemaphoreSlim _free = new(most);

    /// <summary>Connects as the handler does by default, or to a Unix domain socket.</summary>
    /// <param name="local">The path of the socket; null to connect to the host.</param>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, string? local, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        var socket = local is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(local is null ? context.DnsEndPoint : new UnixDomainSocketEndPoint(local), cancellationToken);
            return new CountedStream(socket, this);
        }
        catch
        {
            socket.Dispose();
            _free.Release();
            throw;
        }
    }

    /// <summary>Must be called after the handler is disposed, whose connections release their slots.</summary>
    public void Dispose() => _free.Dispose();

    private sealed class CountedStream(Socket socket, ConnectionBudget budget) : NetworkStream(socket, ownsSocket: true)
    {
        private int _closed;

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (disposing && Interlocked.Exchange(ref _closed, 1) == 0)
                budget.Closed();
        }
    }

    private void Closed()
    {
        try
        {
            _free.Release();
        }
        catch (ObjectDisposedException)
        {
            // A connection that is closed after the handler has no slot to release.
        }
    }
}
