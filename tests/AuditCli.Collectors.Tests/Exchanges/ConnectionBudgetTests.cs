using System.Net.NetworkInformation;
using AuditCli.Collectors.Exchanges;

namespace AuditCli.Collectors.Tests.Exchanges;

/// <summary>
/// Checks that the connections of a run are limited across all hosts, because a cloud has one host for each service and region.
/// </summary>
public sealed class ConnectionBudgetTests
{
    private const int Allowed = 2;

    [Fact]
    public async Task More_hosts_than_connections_are_asked_one_after_the_other()
    {
        LoopbackServer[] hosts = [.. Enumerable.Range(0, 4).Select(_ => new LoopbackServer((_, _) => Reaction.Json("{}")))];
        var ports = hosts.Select(h => h.Address.Port).ToHashSet();
        await using (var transport = new LiveTransport(null, "budget", TimeProvider.System, connections: Allowed))
        {
            using var client = new HttpClient(transport.Open(new("prod", "iam", "aws-global"), _ => null), disposeHandler: false);
            await Task.WhenAll(hosts.Select(async h =>
            {
                Assert.Equal("{}", await client.GetStringAsync(h.Address));
                Assert.InRange(Open(ports), 0, Allowed);
            })).WaitAsync(TimeSpan.FromSeconds(60));
            Assert.All(hosts, h => Assert.Single(h.Seen));
        }
        foreach (var host in hosts)
            await host.DisposeAsync();
    }

    [Fact]
    public async Task A_host_that_refuses_gives_its_place_back()
    {
        await using var host = new LoopbackServer((_, _) => Reaction.Json("{}"));
        await using var transport = new LiveTransport(null, "budget", TimeProvider.System, connections: 1);
        using var client = new HttpClient(transport.Open(new("prod", "iam", "aws-global"), _ => null), disposeHandler: false);
        for (var n = 0; n < 3; n++)
            await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync(new Uri($"http://127.0.0.1:{AuditCli.Tests.Loopback.FreePort()}/")));
        Assert.Equal("{}", await client.GetStringAsync(host.Address).WaitAsync(TimeSpan.FromSeconds(60)));
    }

    private static int Open(HashSet<int> ports) => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections()
        .Count(c => c.State == TcpState.Established && ports.Contains(c.RemoteEndPoint.Port));
}
