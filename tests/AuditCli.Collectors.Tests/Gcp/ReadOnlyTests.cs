using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Gcp;
using AuditCli.Collectors.Gcp.Client;
using AuditCli.Collectors.Rest;
using AuditCli.Collectors.Tests.Exchanges;
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

        var e = await Assert.ThrowsAsync<CollectionException>(() =>
            session.Collector.CallAsync(Session.Target(), operation, Session.Parameters(), "p-one", CancellationToken.None));

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
        var api = new RestCatalogue(GcpSource.Catalogue).Api(name)!;
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
        using var client = Guarded(session, server, new RestCatalogue(GcpSource.Catalogue).Api("cloudresourcemanager")!);
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
        using var client = Guarded(session, server, new RestCatalogue(GcpSource.Catalogue).Api("cloudresourcemanager")!);

        await Assert.ThrowsAsync<ExchangeRefusedException>(() => client.GetAsync(new Uri($"http://127.0.0.1:{Loopback.FreePort()}/v3/projects/p")));
    }

    [Fact]
    public async Task A_refused_delete_is_neither_sent_nor_tried_again()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);
        var api = new RestCatalogue(GcpSource.Catalogue).Api("cloudresourcemanager")!;
        var clock = new ImpatientClock();
        using var client = new GoogleClient(
            session.Transport.Open(new("google", api.Name, "gcp-global"), new RequestCheck(api, server.Address).Refusal),
            Google.Apis.Auth.OAuth2.GoogleCredential.FromAccessToken("token"), new RetryWaits(clock, _ => { }));
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

    [Theory]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("projects/../x")]
    [InlineData("projects/p/..")]
    [InlineData("projects/%2e%2e/x")]
    [InlineData("projects/%2E./x")]
    [InlineData("%252e%252e")]
    [InlineData("projects\\..\\x")]
    public async Task A_part_of_a_path_leads_nowhere_else(string value)
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);
        foreach (var (operation, name) in new[]
        {
            ("iam:projects.serviceAccounts.list", "name"), ("storage:buckets.get", "bucket"),
            ("cloudresourcemanager:projects.getIamPolicy", "resource"),
        })
        {
            var e = await Assert.ThrowsAsync<CollectionException>(() =>
                session.Collector.CallAsync(
                    Session.Target(), operation, Session.Parameters((name, value)), "p-one", CancellationToken.None));
            Assert.Equal("InvalidParameter", e.Code);
            Assert.Contains(value.Length == 0 ? "must not be empty" : "must not have '.' or '..' as a part of a path", e.Message, StringComparison.Ordinal);
        }
        Assert.Empty(server.Seen);
    }

    /// <summary>
    /// Applies the same rule as for AWS's logs: an audit trail is evidence, but what programs wrote is data, which may not be read.
    /// </summary>
    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("timestamp >= \"2026-01-01T00:00:00Z\"", false)]
    [InlineData("severity=ERROR", false)]
    [InlineData("logName:\"cloudaudit.googleapis.com\"", true)]
    [InlineData("logName=\"projects/p/logs/cloudaudit.googleapis.com%2Factivity\" AND severity=ERROR", true)]
    [InlineData("timestamp>=\"2026-01-01T00:00:00Z\" AND log_id(\"cloudaudit.googleapis.com/activity\")", true)]
    [InlineData("protoPayload.methodName=\"SetIamPolicy\" AND timestamp>=\"2020-01-01T00:00:00Z\"", true)]
    [InlineData("protoPayload.serviceName=\"iam.googleapis.com\"", true)]
    [InlineData("protoPayload.@type=\"type.googleapis.com/google.cloud.audit.AuditLog\"", true)]
    [InlineData("protoPayload.methodName=\"A\" OR protoPayload.methodName=\"B\"", true)]
    [InlineData("(protoPayload.methodName=\"A\" OR protoPayload.methodName=\"B\") AND severity=ERROR", true)]
    [InlineData("severity=ERROR AND (resource.type=\"x\" AND protoPayload.methodName=\"B\")", true)]
    [InlineData("protoPayload.methodName=\"A\" OR severity=ERROR", false)]
    [InlineData("severity=ERROR OR logName:\"cloudaudit.googleapis.com\"", false)]
    [InlineData("(logName:\"cloudaudit.googleapis.com\" OR severity=ERROR) AND timestamp>\"2026\"", false)]
    [InlineData("logName:\"cloudaudit.googleapis.com\") OR (severity=ERROR", false)]
    [InlineData("NOT logName:\"cloudaudit.googleapis.com\"", false)]
    [InlineData("-logName:\"cloudaudit.googleapis.com\"", false)]
    [InlineData("logName!=\"projects/p/logs/cloudaudit.googleapis.com%2Factivity\"", false)]
    [InlineData("protoPayload.methodName!=\"A\"", false)]
    [InlineData("textPayload:\"logName=cloudaudit.googleapis.com AND\"", false)]
    [InlineData("textPayload=\"x AND logName:\\\"cloudaudit.googleapis.com\\\"\"", false)]
    [InlineData("logName:\"cloudaudit.googleapis.com\" -- AND\nOR severity=ERROR", false)]
    [InlineData("logName:\"cloudaudit.googleapis.com\"\nOR severity=ERROR", false)]
    [InlineData("logName:\"cloudaudit.googleapis.com", false)]
    [InlineData("logName:\"stdout\"", false)]
    public async Task Logs_are_read_where_nothing_but_audit_entries_can_match(string? filter, bool isRead)
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);
        var parameters = filter is null ? Session.Parameters() : Session.Parameters(("filter", filter));
        var call = () => session.Collector.CallAsync(Session.Target(), "logging:entries.list", parameters, "p-one", CancellationToken.None);

        if (isRead)
            _ = await call();
        else
        {
            var e = await Assert.ThrowsAsync<CollectionException>(call);
            Assert.Equal("RefusedReadOnly", e.Code);
            Assert.Contains("reads audit logs only", e.Message, StringComparison.Ordinal);
        }

        Assert.Equal(isRead, server.Seen.Any(s => s.ToString()!.Contains("entries:list", StringComparison.Ordinal)));
    }

    private static HttpClient Guarded(Session session, GoogleServer server, RestApi api) =>
        new(session.Transport.Open(new("google", api.Name, "gcp-global"), new RequestCheck(api, new Uri(server.Address, api.BasePath)).Refusal));
}
