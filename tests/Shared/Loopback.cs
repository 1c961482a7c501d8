using System.Net;
using System.Net.Sockets;

namespace AuditCli.Tests;

/// <summary>The address to which test servers bind.</summary>
public static class Loopback
{
    /// <summary>Returns a port that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
