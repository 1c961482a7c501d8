using System.Net;
using System.Numerics;
using AuditCli.Controls.Evaluation;

namespace AuditCli.Controls.Tests.Evaluation;

/// <summary>Tests where networks start and end within the address space of their family, compared with .NET's own network parser.</summary>
public sealed class InternetFunctionTests : IDisposable
{
    private readonly LockedDatabase _database = LockedDatabase.Open("1GB");

    public InternetFunctionTests() => _database.Define(SqlFunctions.Own);

    public void Dispose() => _database.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("pl-0123")]
    [InlineData("300.0.0.0/8")]
    [InlineData("10.0.0/8")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("2001:db8/32")]
    [InlineData("2001:db8::/129")]
    [InlineData("20g1::/16")]
    [InlineData("any")]
    public async Task What_is_no_network_has_no_place(string text) => Assert.Equal((null, null), await PlaceAsync(text));

    [Theory]
    [InlineData("0.0.0.0/0")]
    [InlineData("0.0.0.0/1")]
    [InlineData("128.0.0.0/1")]
    [InlineData("10.0.0.0/8")]
    [InlineData("203.0.113.7/32")]
    [InlineData("203.0.113.7")]
    [InlineData("255.255.255.255/32")]
    [InlineData("::/0")]
    [InlineData("2000::/3")]
    [InlineData("2000::/4")]
    [InlineData("3000::/4")]
    [InlineData("2001:db8::/32")]
    [InlineData("2001:DB8:0:a000::/52")]
    [InlineData("2a02:26f0:1:2:3:4:5:6")]
    [InlineData("2001:0:0:0:0:0:0:0/16")]
    [InlineData("2001::1:2:3:4:5:6/48")]
    [InlineData("fd00::/8")]
    [InlineData("::ffff:10.0.0.0/104")]
    [InlineData("::1/128")]
    public async Task A_network_has_the_place_that_its_addresses_have(string text)
    {
        var v6 = text.Contains(':', StringComparison.Ordinal);
        var network = IPNetwork.Parse(text.Contains('/', StringComparison.Ordinal) ? text : text + (v6 ? "/128" : "/32"));
        var bits = v6 ? 128 : 32;
        var first = new BigInteger(network.BaseAddress.GetAddressBytes(), isUnsigned: true, isBigEndian: true);
        var end = first + (BigInteger.One << (bits - network.PrefixLength));
        var (internet, size) = v6 ? (BigInteger.One << 125, BigInteger.One << 125) : (BigInteger.Zero, BigInteger.One << 32);

        var (from, to) = await PlaceAsync(text);
        Assert.Equal(Place(first), from!.Value, 15);
        Assert.Equal(Place(end), to!.Value, 15);

        double Place(BigInteger address) => Math.Clamp((double)(address - internet) / (double)size, 0, 1);
    }

    private async Task<(double? From, double? To)> PlaceAsync(string network) => (await _database.QueryAsync(
        $"SELECT internet_from('{network}'), internet_to('{network}')", [],
        r => (From: r.IsDBNull(0) ? (double?)null : r.GetDouble(0), To: r.IsDBNull(1) ? (double?)null : r.GetDouble(1)), CancellationToken.None)).Single();
}
