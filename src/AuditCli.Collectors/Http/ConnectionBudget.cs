using System.Net.Sockets;

namespace AuditCli.Collectors.Http;

/// <summary>
/// Lets a handler have so many connections open at once, over all hosts. A cloud has a host for each service and region, and a handler
/// keeps connections to all of them for the next request: without a bound, two dozen regions use up what a process may open. A connection
/// beyond the bound waits until one that nobody uses is closed, at most <see cref="IdleFor"/> and a moment.
/// </summary>
internal sealed class ConnectionBudget(int most) : IDisposable
{
    /// <summary>How long a connection waits for its next request.</summary>
    public static readonly TimeSpan IdleFor = TimeSpan.FromSeconds(4);

    private readonly SemaphoreSlim _free = new(most);

    /// <summary>Connects as the handler would by itself.</summary>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new CountedStream(socket, this);
        }
        catch
        {
            socket.Dispose();
            _free.Release();
            throw;
        }
    }

    /// <summary>After the handler, whose connections give back their places.</summary>
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
            // A connection that outlives the handler for a moment gives its place back to nobody.
        }
    }
}
