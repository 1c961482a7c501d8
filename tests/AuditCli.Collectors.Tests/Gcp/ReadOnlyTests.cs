using AuditCli.Collectors.Gcp.Catalogue;
using AuditCli.Collectors.Gcp.Client;
using AuditCli.Collectors.Http;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Gcp;

[Collection("environment")]
public sealed class ReadOnlyTests
{
    [Theory]
    [InlineData("iam:projects.serviceAccounts.create")]
    [InlineData("cloudresourcemanager:projects.setIamPolicy")]
    [InlineData("storage:objects.get")]
    [InlineData("nonsense")]
    public async Task What_the_catalogue_does_not_list_is_refused_before_anything_is_sent(string operation)
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.Collector.CallAsync(Session.Target(), operation, Session.Parameters(), "p-one", CancellationToken.None));

        Assert.Equal("RefusedReadOnly", e.Code);
        Assert.Empty(server.Seen);
        Assert.Empty(server.TokenRequests);
    }

    [Theory]
    [InlineData("cloudresourcemanager", "POST", "v3/projects/p:setIamPolicy")]
    [InlineData("cloudresourcemanager", "GET", "v3/projects/p:setIamPolicy")]
    [InlineData("cloudresourcemanager", "DELETE", "v3/projects/p")]
    [InlineData("cloudresourcemanager", "POST", "v3/projects/p/x:getIamPolicy")]
    [InlineData("cloudresourcemanager", "PATCH", "v3/projects/p")]
    [InlineData("logging", "GET", "v2/projects/p/locations/l/operations/o:approveRedaction")]
    [InlineData("logging", "GET", "v2/projects/p/locations/l/operations/o%3AapproveRedaction")]
    [InlineData("logging", "GET", "v2/projects/p/locations/l/operations/o.x%3Aundelete")]
    [InlineData("cloudresourcemanager", "GET", "v3/projects/p%3Aundelete")]
    [InlineData("cloudresourcemanager", "GET", "v3/projects/example.com%3AsetIamPolicy")]
    [InlineData("cloudresourcemanager", "GET", "v3/projects/example.com:undelete")]
    [InlineData("cloudresourcemanager", "POST", "v3/projects/example.com%3Alegacy:undelete")]
    [InlineData("storage", "GET", "storage/v1/b/bucket/o/object")]
    [InlineData("storage", "GET", "storage/v1/b?project=p&alt=media")]
    [InlineData("storage", "GET", "download/storage/v1/b/bucket/o/object")]
    [InlineData("compute", "POST", "compute/v1/projects/p/zones/z/instances/i/reset")]
    [InlineData("compute", "GET", "compute/v1/projects/p/zones/z/instances/i/serialPort")]
    [InlineData("iam", "POST", "v1/projects/p/serviceAccounts/a:signBlob")]
    [InlineData("iam", "GET", "v1/projects/p/serviceAccounts?$httpMethod=DELETE")]
    public async Task The_guard_refuses_by_what_is_sent_and_not_by_what_was_asked(string name, string method, string path)
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);
        var api = new GcpCatalogue().Api(name)!;
        using var client = Guarded(session, server, api);
        using var request = new HttpRequestMessage(new(method), new Uri(server.Address, path));

        await Assert.ThrowsAsync<ExchangeRefusedException>(() => client.SendAsync(request));

        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task A_field_that_turns_a_read_into_another_verb_is_refused()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);
        using var client = Guarded(session, server, new GcpCatalogue().Api("cloudresourcemanager")!);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Address, "v3/projects/p"));
        request.Headers.Add("X-HTTP-Method-Override", "DELETE");

        await Assert.ThrowsAsync<ExchangeRefusedException>(() => client.SendAsync(request));

        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task Another_host_is_refused()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);
        using var client = Guarded(session, server, new GcpCatalogue().Api("cloudresourcemanager")!);

        await Assert.ThrowsAsync<ExchangeRefusedException>(() => client.GetAsync(new Uri($"http://127.0.0.1:{Loopback.FreePort()}/v3/projects/p")));
    }

    [Fact]
    public async Task A_refused_delete_is_neither_sent_nor_tried_again()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);
        var api = new GcpCatalogue().Api("cloudresourcemanager")!;
        var clock = new Http.ImpatientClock();
        using var client = new GoogleClient(
            session.Transport.Open(new("google", api.Name, "gcp-global"), new RequestCheck(api, server.Address).Refusal),
            Google.Apis.Auth.OAuth2.GoogleCredential.FromAccessToken("token"), clock);
        using var request = new HttpRequestMessage(HttpMethod.Delete, new Uri(server.Address, "v3/projects/p"));

        var e = await Assert.ThrowsAsync<CollectionException>(() => client.SendAsync("a delete", request, CancellationToken.None));

        Assert.Equal("RefusedReadOnly", e.Code);
        Assert.Empty(clock.Waits);
        Assert.Empty(server.Seen);
        Assert.Empty(await session.RecordedAsync("cloudresourcemanager"));
    }

    [Theory]
    [InlineData("iam:projects.serviceAccounts.keys.list", "needs the parameter name")]
    [InlineData("iam:projects.serviceAccounts.list", "has no parameter", "Nonsense")]
    [InlineData("iam:projects.serviceAccounts.list", "which reads every page", "pageToken")]
    [InlineData("iam:projects.serviceAccounts.list", "is not of type integer", "pageSize")]
    public async Task Wrong_parameters_are_named_before_anything_is_sent(string operation, string said, string? parameter = null)
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.Collector.CallAsync(
            Session.Target(), operation, parameter is null ? Session.Parameters() : Session.Parameters((parameter, "x")), "p-one", CancellationToken.None));

        Assert.Equal("InvalidParameter", e.Code);
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
        Assert.Empty(server.Seen);
    }

    private static HttpClient Guarded(Session session, GoogleServer server, ApiModel api) =>
        new(session.Transport.Open(new("google", api.Name, "gcp-global"), new RequestCheck(api, new Uri(server.Address, api.BasePath)).Refusal));
}
