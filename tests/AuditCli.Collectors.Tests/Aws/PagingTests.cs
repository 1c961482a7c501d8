using AuditCli.Collectors.Tests.Exchanges;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>Tests lists for which botocore has no paginator. They must not end early unnoticed.</summary>
[Collection("environment")]
public sealed class PagingTests
{
    [Fact]
    public async Task A_token_that_the_operation_cannot_be_given_is_never_a_whole_list()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Json("""{"RepositorySyncDefinitions":[{"Branch":"main"}],"NextToken":"more"}"""));
        await using var session = Session.Live(server.Address);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync(
            "codeconnections:ListRepositorySyncDefinitions", ("RepositoryLinkId", "l"), ("SyncType", "CFN_STACK_SYNC")));

        Assert.Equal(Codes.NextPageUnreadable, e.Code);
        Assert.Single(server.Seen);
    }

    [Fact]
    public async Task A_marker_under_the_same_name_is_read_on()
    {
        await using var server = new LoopbackServer((_, n) =>
            Reaction.Json(n == 0 ? """{"WebACLs":[{"Name":"a"}],"NextMarker":"m1"}""" : """{"WebACLs":[{"Name":"b"}]}"""));
        await using var session = Session.Live(server.Address);

        var acls = await session.CallAsync("wafv2:ListWebACLs", ("Scope", "REGIONAL"));

        Assert.Equal(["a", "b"], acls.GetProperty("WebACLs").EnumerateArray().Select(a => a.GetProperty("Name").GetString()!));
        Assert.Contains("\"NextMarker\":\"m1\"", server.Seen[1].Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_that_begins_where_several_members_say_is_asked_with_all_of_them()
    {
        await using var server = new LoopbackServer((_, n) => Reaction.Xml(n == 0
            ? "<R><HostedZones><HostedZone><Id>/hostedzone/Z1</Id></HostedZone></HostedZones><IsTruncated>true</IsTruncated>"
                + "<NextDNSName>b.example.</NextDNSName><NextHostedZoneId>Z2</NextHostedZoneId></R>"
            : "<R><HostedZones><HostedZone><Id>/hostedzone/Z2</Id></HostedZone></HostedZones><IsTruncated>false</IsTruncated></R>"));
        await using var session = Session.Live(server.Address);

        var zones = await session.CallAsync("route53:ListHostedZonesByName");

        Assert.Equal(2, zones.GetProperty("HostedZones").GetArrayLength());
        Assert.EndsWith("dnsname=b.example.&hostedzoneid=Z2", server.Seen[1].Target, StringComparison.Ordinal);
    }
}
