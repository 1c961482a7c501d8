using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Gcp;

[Collection("environment")]
public sealed class FaultTests
{
    private const string Accounts = "iam:projects.serviceAccounts.list";

    [Theory]
    [InlineData(503, "UNAVAILABLE")]
    [InlineData(429, "RESOURCE_EXHAUSTED")]
    public async Task An_overloaded_api_gets_the_wait_it_asks_for_and_every_attempt_is_recorded(int status, string word)
    {
        var clock = new ImpatientClock();
        using var server = new GoogleServer(fault: OnApi((_, n) => n < 2 ? GoogleFault.Error(status, word, "try later") with { RetryAfter = "17" } : null));
        await using var session = Session.Live(server, clock);

        var pages = await session.CollectAsync(Accounts);

        Assert.Equal(3, pages.Sum(p => p.Rows.Length));
        Assert.Equal(2, clock.Waits.Count(w => w == TimeSpan.FromSeconds(17)));
        Assert.Equal<int>(new[] { status, status, 200, 200 }, await StatusesAsync(session, "iam"));
    }

    [Fact]
    public async Task An_api_that_stays_unavailable_is_asked_six_times_and_its_words_are_kept()
    {
        using var server = new GoogleServer(fault: OnApi((_, _) => GoogleFault.Error(503, "UNAVAILABLE", "The service is currently unavailable.")));
        await using var session = Session.Live(server, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync(Accounts));

        Assert.Equal("UNAVAILABLE", e.Code);
        Assert.Equal("The service is currently unavailable.", e.Message);
        Assert.Equal(6, (await session.RecordedAsync("iam")).Count);
    }

    [Fact]
    public async Task A_denied_call_is_asked_once_and_names_the_permission()
    {
        using var server = new GoogleServer();
        server.Permissions["MARKERtokenOfServiceAccountMARKER"] = ["resourcemanager.projects.get"];
        await using var session = Session.Live(server, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync(Accounts));

        Assert.Equal("PERMISSION_DENIED", e.Code);
        Assert.Contains("iam.serviceAccounts.list", e.Message, StringComparison.Ordinal);
        Assert.Equal(403, Assert.Single(await StatusesAsync(session, "iam")));
    }

    [Fact]
    public async Task An_api_that_is_not_enabled_is_not_called_a_denial()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);

        var e = await Assert.ThrowsAsync<CollectionException>(() =>
            session.CollectAsync("cloudkms:projects.locations.keyRings.list", ("parent", "projects/{project}/locations/global")));

        Assert.Equal("ApiNotEnabled", e.Code);
        Assert.StartsWith("cloudkms.googleapis.com has not been used", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        """{"error":{"errors":[{"domain":"usageLimits","reason":"accessNotConfigured","message":"m"}],"code":403,"message":"m"}}""",
        "ApiNotEnabled", "m")]
    [InlineData("""{"error":{"errors":[{"domain":"global","reason":"forbidden","message":"m"}],"code":403,"message":"m"}}""", "forbidden", "m (forbidden)")]
    [InlineData("<html>proxy</html>", "HTTP403", null)]
    [InlineData("""{"error":"odd"}""", "HTTP403", null)]
    [InlineData("[]", "HTTP403", null)]
    public async Task Older_and_stranger_errors_are_named_too(string body, string code, string? message)
    {
        using var server = new GoogleServer(fault: OnApi((_, _) => new(403, body)));
        await using var session = Session.Live(server);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync(Accounts));

        Assert.Equal(code, e.Code);
        if (message is not null)
            Assert.Equal(message, e.Message);
    }

    [Fact]
    public async Task A_page_token_that_comes_again_ends_the_reading()
    {
        using var server = new GoogleServer(fault: OnApi((_, _) => new(200, """{"accounts":[{"name":"a"}],"nextPageToken":"again"}""")));
        await using var session = Session.Live(server);
        var pages = new List<Page>();

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync(pages, Accounts));

        Assert.Equal("RepeatedToken", e.Code);
        Assert.Equal(2, pages.Count);
    }

    [Theory]
    [InlineData("{\"accounts\":[{\"name\":")]
    [InlineData("[]")]
    [InlineData("")]
    [InlineData("""{"accounts":{"name":"a"}}""")]
    public async Task An_answer_of_another_form_is_malformed_and_not_empty(string body)
    {
        using var server = new GoogleServer(fault: OnApi((_, _) => new(200, body)));
        await using var session = Session.Live(server);

        Assert.Equal("MalformedResponse", (await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync(Accounts))).Code);
    }

    [Fact]
    public async Task What_an_answer_says_is_missing_is_reported_after_what_it_has()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);
        var pages = new List<Page>();

        var e = await Assert.ThrowsAsync<CollectionException>(() =>
            session.CollectAsync(pages, "container:projects.locations.clusters.list", ("parent", "projects/{project}/locations/-")));

        Assert.Equal("PartialAnswer", e.Code);
        Assert.Contains("""missingZones: ["us-east1-b"]""", e.Message, StringComparison.Ordinal);
        Assert.Equal("prod", pages.Single().Rows.Single().Value.GetProperty("name").GetString());
    }

    [Theory]
    [InlineData("storage:buckets.list", """{"items":[],"warning":{"code":"UNREACHABLE","message":"m"},"unreachable":["locations/eu"]}""")]
    [InlineData("compute:instances.aggregatedList", """{"items":{"zones/a":{"warning":{"code":"UNREACHABLE","message":"zone a is unreachable"}}}}""")]
    [InlineData("compute:firewalls.list", """{"items":[],"warning":{"code":"UNREACHABLE","message":"m"}}""")]
    [InlineData("sqladmin:instances.list", """{"items":[],"warnings":[{"code":"REGION_UNREACHABLE","message":"m"}]}""")]
    [InlineData("cloudasset:analyzeIamPolicy", """{"mainAnalysis":{"fullyExplored":true}}""")]
    [InlineData("cloudasset:analyzeIamPolicy", """{"fullyExplored":true,"mainAnalysis":{"analysisResults":[]}}""")]
    [InlineData("cloudasset:analyzeIamPolicy", """{"fullyExplored":false,"mainAnalysis":{"fullyExplored":true}}""")]
    [InlineData("cloudasset:analyzeIamPolicy", "{}")]
    public async Task Every_form_of_saying_so_is_understood(string operation, string body)
    {
        using var server = new GoogleServer(fault: OnApi((_, _) => new(200, body)));
        await using var session = Session.Live(server);

        Assert.Equal("PartialAnswer", (await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync(operation))).Code);
    }

    [Fact]
    public async Task An_analysis_is_whole_when_it_says_that_everything_was_explored()
    {
        using var server = new GoogleServer(fault: OnApi((_, _) => new(200, """{"fullyExplored":true,"mainAnalysis":{"fullyExplored":true}}""")));
        await using var session = Session.Live(server);
        var pages = new List<Page>();

        await session.CollectAsync(pages, "cloudasset:analyzeIamPolicy");

        Assert.True(pages.Single().Rows.Single().Value.GetProperty("fullyExplored").GetBoolean());
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        using var server = new GoogleServer(fault: OnApi((_, _) => new(302, "{}")));
        await using var session = Session.Live(server);

        Assert.Equal("Redirected", (await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync(Accounts))).Code);
    }

    [Fact]
    public async Task A_connection_that_fails_is_tried_again_and_then_named()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server, new ImpatientClock());
        Environment.SetEnvironmentVariable("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM", $"http://127.0.0.1:{Loopback.FreePort()}/");

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync(Accounts));

        Assert.Equal("ConnectionFailed", e.Code);
        Assert.Equal(6, (await session.RecordedAsync("iam")).Count);
    }

    /// <summary>Applies a fault only to the tested operation; the identity request is always answered.</summary>
    private static Func<GoogleRequest, int, GoogleFault?> OnApi(Func<GoogleRequest, int, GoogleFault?> fault)
    {
        var count = 0;
        return (request, _) => request.Path == "/v1/userinfo" ? null : fault(request, Interlocked.Increment(ref count) - 1);
    }

    private static async Task<int[]> StatusesAsync(Session session, string api) =>
        [
            .. (await session.RecordedAsync(api))
                .Select(r =>
                    r.Exchange.Response is { } response
                        ? int.Parse(response.StartLine.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture)
                        : 0),
        ];
}
