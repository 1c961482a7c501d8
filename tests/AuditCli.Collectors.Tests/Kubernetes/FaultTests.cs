using System.Text;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Tests.Exchanges;

namespace AuditCli.Collectors.Tests.Kubernetes;

public sealed class FaultTests
{
    private static readonly Reaction Review = Reaction.Json("""{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"auditor"}}}""", 201);
    private static readonly Reaction Nothing = Reaction.Json("404 page not found\n", 404);

    [Fact]
    public async Task A_denied_list_fails_with_the_servers_reason_and_words()
    {
        await using var server = Server((_, _) => Status(403, "Forbidden", "pods is forbidden: User \"auditor\" cannot list resource \"pods\""));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("v1/pods"));

        Assert.Equal("Forbidden", e.Code);
        Assert.Equal("pods is forbidden: User \"auditor\" cannot list resource \"pods\"", e.Message);
        Assert.Single(server.Seen, s => s.Target.StartsWith("/api/v1/pods", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_unknown_caller_is_not_let_in()
    {
        await using var server = new LoopbackServer((_, _) => Status(401, "Unauthorized", "Unauthorized"));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        Assert.Equal("Unauthorized", (await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync)).Code);
    }

    [Fact]
    public async Task A_denial_by_something_before_the_server_is_a_denial_too()
    {
        await using var server = Server((_, _) => new(403, "text/html", "<h1>no</h1>"u8.ToArray()));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        Assert.Equal("Forbidden", (await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("v1/pods"))).Code);
    }

    [Fact]
    public async Task A_group_that_the_cluster_does_not_serve_is_told_apart_from_a_denial()
    {
        await using var server = Server((_, _) => Nothing);
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("example.com/v1/gadgets"));

        Assert.Equal("NotServed", e.Code);
        Assert.Equal("the cluster does not serve example.com/v1", e.Message);
    }

    [Fact]
    public async Task A_missing_list_whose_discovery_is_denied_stays_just_missing()
    {
        await using var server = Server((request, _) => request.Target.StartsWith("/apis/example.com/v1/gadgets", StringComparison.Ordinal)
            ? Nothing
            : Status(403, "Forbidden", "no discovery"));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        Assert.Equal("NotFound", (await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("example.com/v1/gadgets"))).Code);
    }

    [Fact]
    public async Task A_list_that_the_server_forgets_is_not_whole_and_says_so()
    {
        await using var server = Server((request, _) => request.Target.Contains("continue=", StringComparison.Ordinal)
            ? Status(410, "Expired", "The provided continue parameter is too old")
            : List("PodList", "next", """{"metadata":{"name":"a"}}"""));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("v1/pods"));

        Assert.Equal("ListExpired", e.Code);
        Assert.Contains("after 1 pages (The provided continue parameter is too old)", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_token_that_comes_again_ends_the_list()
    {
        await using var server = Server((_, _) => List("PodList", "again", """{"metadata":{"name":"a"}}"""));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        Assert.Equal("RepeatedToken", (await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("v1/pods"))).Code);
    }

    [Theory]
    [InlineData("7")]
    [InlineData("Wed, 25 Nov 2026 10:00:07 GMT")]
    public async Task A_throttled_list_is_asked_again_after_the_wait_the_server_names(string after)
    {
        var clock = new ImpatientClock();
        await using var server = Server((_, n) => n == 0
            ? Status(429, "TooManyRequests", "too many") with { Fields = [("Retry-After", after), ("Date", "Wed, 25 Nov 2026 10:00:00 GMT")] }
            : List("PodList", "", """{"metadata":{"name":"a"}}"""));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address), clock);

        var page = Assert.Single(await session.CollectAsync("v1/pods"));

        Assert.Single(page.Rows);
        Assert.Contains(TimeSpan.FromSeconds(7), clock.Waits);
        Assert.Equal([201, 429, 200], (await session.RecordedAsync()).Select(r => int.Parse(r.Exchange.Response!.StartLine.Split(' ')[1], null)));
    }

    [Fact]
    public async Task A_server_that_stays_unavailable_is_asked_three_times()
    {
        await using var server = Server((_, _) => Status(503, "ServiceUnavailable", "etcd is gone"));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address), new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("v1/pods"));

        Assert.Equal(("ServiceUnavailable", "etcd is gone"), (e.Code, e.Message));
        Assert.Equal(3, server.Seen.Count(s => s.Method == "GET"));
    }

    [Fact]
    public async Task A_stalled_answer_is_given_up_in_time()
    {
        await using var server = Server((_, _) => List("PodList", "") with { Stall = true });
        await using var session = ClusterSession.Live(
            ClusterSession.Kubeconfig(server.Address), limits: ExchangeLimits.Default with { Attempt = TimeSpan.FromMilliseconds(500) });

        Assert.Equal("TimedOut", (await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("v1/pods"))).Code);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var elsewhere = Server((_, _) => List("PodList", ""));
        await using var server = Server((_, _) => Reaction.Json("", 302) with { Fields = [("Location", elsewhere.Address + "api/v1/pods")] });
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        Assert.Equal("Redirected", (await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("v1/pods"))).Code);
        Assert.Empty(elsewhere.Seen);
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("""{"kind":"PodList","items":[{"metadata":{}}""")]
    [InlineData("""{"kind":"Pod","metadata":{}}""")]
    [InlineData("""{"kind":"PodList","items":{}}""")]
    [InlineData("""{"kind":"PodList","items":["a"]}""")]
    [InlineData("""{"kind":"PodList","items":[],"items":[]}""")]
    public async Task An_answer_that_is_no_list_is_malformed(string body)
    {
        await using var server = Server((_, _) => Reaction.Json(body));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        Assert.Equal("MalformedResponse", (await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("v1/pods"))).Code);
    }

    [Fact]
    public async Task Whole_config_maps_are_not_taken_from_a_server_that_sends_them()
    {
        await using var server = Server((_, _) => List("ConfigMapList", "", """{"metadata":{"name":"a"},"data":{"password":"x"}}"""));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        Assert.Equal("MalformedResponse", (await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("v1/configmaps"))).Code);
    }

    [Theory]
    [InlineData("limit", "1")]
    [InlineData("watch", "true")]
    [InlineData("namespace", "a/../b")]
    [InlineData("namespace", "")]
    public async Task A_parameter_that_a_list_does_not_take_is_refused_before_anything_is_sent(string name, string value)
    {
        await using var server = Server((_, _) => List("PodList", ""));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        Assert.Equal("InvalidParameter", (await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("v1/pods", (name, value)))).Code);
        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task A_token_that_the_server_echoes_is_not_kept()
    {
        await using var server = Server((request, _) => List("PodList", "", $$"""{"metadata":{"name":"a"},"spec":"{{request.Fields["Authorization"]}}"}"""));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        await session.CollectAsync("v1/pods");

        Assert.False(await session.HoldsAsync(ClusterSession.Token));
        Assert.All(server.Seen, s => Assert.Equal("Bearer " + ClusterSession.Token, s.Fields["Authorization"]));
    }

    [Fact]
    public async Task Numbers_and_unknown_fields_reach_the_row_as_they_were_written()
    {
        const string Item =
            """{"metadata":{"name":"a","creationTimestamp":null},"big":123456789012345678901234567890,"spec":{"x":1.50,"y":1E+2,"z":-0.0},"extra":{"name":"n"}}""";
        await using var server = Server((_, _) => List("GadgetList", "", Item));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        var row = (await session.CollectAsync("example.com/v1/gadgets"))[0].Rows[0];

        Assert.Equal("/items/0", row.Pointer);
        Assert.Equal("Gadget", row.Value.GetProperty("kind").GetString());
        Assert.Equal("""{"x":1.50,"y":1E+2,"z":-0.0}""", row.Value.GetProperty("spec").GetRawText());
        Assert.Equal("""{"big":123456789012345678901234567890,"extra":{"name":"n"}}""", row.Value.GetProperty("other").GetRawText());
    }

    [Fact]
    public async Task A_call_joins_pages_and_changes_no_literal()
    {
        await using var server = Server((request, _) => request.Target.Contains("continue=", StringComparison.Ordinal)
            ? List("GadgetList", "", """{"metadata":{"name":"b"},"spec":[1e3,1.50,-0,-0.0,1E+2,9007199254740993,"\u00e9"]}""")
            : List("GadgetList", "next", """{"kind":"Own","metadata":{"name":"a"}}"""));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        var answer = await session.CallAsync("example.com/v1/gadgets");

        Assert.Equal(
            """{"apiVersion":"example.com/v1","kind":"GadgetList","metadata":{"resourceVersion":"1"},"items":["""
            + """{"apiVersion":"example.com/v1","kind":"Own","metadata":{"name":"a"}},"""
            + """{"apiVersion":"example.com/v1","kind":"Gadget","metadata":{"name":"b"},"spec":[1e3,1.50,-0,-0.0,1E+2,9007199254740993,"\u00e9"]}]}""",
            answer.GetRawText());
    }

    [Fact]
    public async Task A_cluster_behind_a_gateways_path_is_read_and_replayed()
    {
        await using var server = new LoopbackServer((request, _) => request.Target.StartsWith("/k8s/c-1/apis/authentication", StringComparison.Ordinal) ? Review
            : request.Target.StartsWith("/k8s/c-1/api/v1/pods", StringComparison.Ordinal) ? List("PodList", "", """{"metadata":{"name":"a"}}""")
            : Nothing);
        await using var live = ClusterSession.Live(ClusterSession.Kubeconfig(new(server.Address, "k8s/c-1")));
        var pages = await live.CollectAsync("v1/pods");
        await live.Transport.DisposeAsync();

        await using var replay = ClusterSession.Replay(live);

        Assert.Equal(Raw(pages), Raw(await replay.CollectAsync("v1/pods")));
        Assert.Equal(server.Address.GetLeftPart(UriPartial.Authority), Assert.Single(replay.Collector.UnusualEndpoints));
    }

    private static string Raw(List<Page> pages) => string.Join('\n', pages.SelectMany(p => p.Rows).Select(r => r.Pointer + r.Value.GetRawText()));

    /// <summary>Returns a server that tells the caller who it is, and numbers the other requests from 0.</summary>
    private static LoopbackServer Server(Func<SeenRequest, int, Reaction> react) =>
        new((request, n) => request.Method == "POST" ? Review : react(request, n - 1));

    private static Reaction List(string kind, string next, params string[] items)
    {
        var version = kind == "GadgetList" ? "example.com/v1" : "v1";
        // A custom resource is as its own server wrote it.
        var all = string.Join(',', kind == "GadgetList"
            ? items
            : items.Select(i => i.Replace("""{"metadata":{""", $$"""{"metadata":{"uid":"{{Guid.NewGuid()}}",""", StringComparison.Ordinal)));
        return Reaction.Json(
            $$"""{"kind":"{{kind}}","apiVersion":"{{version}}","metadata":{"resourceVersion":"1","continue":"{{next}}"},"items":[{{all}}]}""");
    }

    private static Reaction Status(int code, string reason, string message)
    {
        var said = System.Text.Json.JsonSerializer.Serialize(message);
        return new(code, "application/json", Encoding.UTF8.GetBytes(
            $$"""{"kind":"Status","apiVersion":"v1","status":"Failure","message":{{said}},"reason":"{{reason}}","code":{{code}}}"""));
    }
}
