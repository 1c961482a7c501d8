using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace AuditCli.Benchmarks;

/// <summary>Gives every request on the loopback the same response after a delay. Ends with its standard input.</summary>
internal static class StaticServerProcess
{
    /// <param name="arguments">The delay in milliseconds.</param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var delay = int.Parse(arguments[0], CultureInfo.InvariantCulture);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(512);
        Console.WriteLine($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        var answer = Answer();
        _ = Task.Run(async () =>
        {
            while (true)
                _ = ServeAsync(await listener.AcceptTcpClientAsync(), answer, delay);
        });
        await Console.In.ReadToEndAsync();
        return 0;
    }

    private static byte[] Answer()
    {
        var users = string.Concat(Enumerable.Range(0, 50).Select(i => string.Create(CultureInfo.InvariantCulture,
            $"<member><Path>/staff/</Path><UserName>user{i:d6}</UserName><UserId>AIDA{i:d16}</UserId>"
                + $"<Arn>arn:aws:iam::111122223333:user/staff/user{i:d6}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></member>\n")));
        var body = "<ListUsersResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ListUsersResult><IsTruncated>false</IsTruncated>"
            + $"<Users>{users}</Users></ListUsersResult>"
            + "<ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata></ListUsersResponse>";
        return Encoding.ASCII.GetBytes(
            "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nx-amzn-RequestId: 00000000-0000-0000-0000-000000000000\r\n"
                + $"Content-Length: {body.Length}\r\n\r\n{body}");
    }

    private static async Task ServeAsync(TcpClient client, byte[] answer, int delay)
    {
        using var _ = client;
        client.NoDelay = true;
        var stream = client.GetStream();
        var buffer = new byte[64 * 1024];
        var held = 0;
        try
        {
            while (true)
            {
                int end;
                while ((end = Whole(buffer.AsSpan(0, held))) < 0)
                {
                    var read = await stream.ReadAsync(buffer.AsMemory(held));
                    if (read == 0)
                        return;
                    held += read;
                }
                buffer.AsSpan(end, held - end).CopyTo(buffer);
                held -= end;
                if (delay > 0)
                    await Task.Delay(delay);
                await stream.WriteAsync(answer);
            }
        }
        catch (IOException)
        {
            // The client disconnected.
        }
    }

    /// <summary>Returns the end of the first request; -1 if it is still incomplete.</summary>
    private static int Whole(ReadOnlySpan<byte> held)
    {
        var head = held.IndexOf("\r\n\r\n"u8);
        if (head < 0)
            return -1;
        var length = 0;
        foreach (var line in Encoding.ASCII.GetString(held[..head]).Split("\r\n"))
        {
            if (line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
                length = int.Parse(line["Content-Length:".Length..], CultureInfo.InvariantCulture);
        }
        return held.Length >= head + 4 + length ? head + 4 + length : -1;
    }
}
