using System.Text;
using AuditCli.Collectors.Exchanges;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Exchanges;

/// <summary>Tests that people are told of every wait that a server asks for, whatever the source.</summary>
[Collection("environment")]
public sealed class RetryWaitsTests
{
    private const string After = "7";
    private readonly List<string> _told = [];

    /// <summary>Asks for a wait twice, then answers; a source without a fixed number of tries does not name one.</summary>
    [Theory]
    [InlineData("aws", "")]
    [InlineData("gcp", " of 6")]
    [InlineData("http", " of 6")]
    [InlineData("kubernetes", " of 3")]
    public async Task Each_wait_that_a_server_asks_for_is_told_once_as_it_begins(string source, string of)
    {
        await ReadAsync(source);
        Assert.Equal(
            new[] { 2, 3 }.Select(next => $"waiting 7 s, as 127.0.0.1 asked (429), try {next}{of}"),
            _told);
    }

    [Fact]
    public async Task What_is_waited_is_told_and_nothing_where_nobody_asks_or_waits()
    {
        RequestedWait asked = new(TimeSpan.FromSeconds(2), "api.example", 503, 2, 6), nothing = asked with { Wait = TimeSpan.Zero };
        var live = new RetryWaits(new ImpatientClock(), Note);
        await live.WaitAsync(TimeSpan.FromSeconds(1), asked, CancellationToken.None);
        await live.WaitAsync(TimeSpan.FromSeconds(3.2), asked, CancellationToken.None);
        await live.WaitAsync(TimeSpan.FromSeconds(1), null, CancellationToken.None);
        await live.WaitAsync(TimeSpan.Zero, nothing, CancellationToken.None);
        await new RetryWaits(null, Note).WaitAsync(TimeSpan.FromSeconds(1), asked, CancellationToken.None);
        Assert.Equal(["waiting 2 s, as api.example asked (503), try 2 of 6", "waiting 4 s, as api.example asked (503), try 2 of 6"], _told);
    }

    [Fact]
    public void A_secret_in_the_name_of_a_host_is_not_told()
    {
        var told = RequestedWait.From(TimeSpan.FromSeconds(1), new Uri("https://ghp-host.ghp_abcdefghijklmnopqrstuvwxyz0123456789.example/"), 429, 2, 6);
        Assert.DoesNotContain("abcdefghijklmnop", told!.ToString(), StringComparison.Ordinal);
    }

    private void Note(RequestedWait wait) => _told.Add(wait.ToString());

    private async Task ReadAsync(string source)
    {
        var (clock, busy) = (new ImpatientClock(), 2);
        switch (source)
        {
            case "aws":
                await using (var server = new LoopbackServer((_, _) => busy-- > 0
                    ? Reaction.Json("""{"__type":"ThrottlingException","message":"slow down"}""", 429) with { Fields = [("Retry-After", After)] }
                    : Reaction.Json("""{"trailList":[]}""")))
                {
                    await using var session = Aws.Session.Live(server.Address, clock, told: Note);
                    await session.CallAsync("cloudtrail:DescribeTrails");
                }
                break;
            case "gcp":
                using (var server = new GoogleServer(fault: (request, _) => request.Path != "/v1/userinfo" && busy-- > 0
                    ? new(429, """{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}""") { RetryAfter = After }
                    : null))
                {
                    await using var session = Gcp.Session.Live(server, clock, told: Note);
                    await session.CollectAsync("iam:projects.serviceAccounts.list");
                }
                break;
            case "http":
                using (var server = new ProductServer("okta", (_, _) => busy-- > 0 ? new(429, """{"errorCode":"E0000047"}""", ("Retry-After", After)) : null))
                {
                    await using var session = HttpApi.Session.Live("okta", server.Address, clock, Note, ("token_env", HttpApi.Session.Variable));
                    await session.RowsAsync("okta:users.list");
                }
                break;
            default:
                await using (var server = new LoopbackServer((request, _) => request.Method == "POST"
                    ? Reaction.Json("""{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"auditor"}}}""", 201)
                    : busy-- > 0
                        ? new Reaction(429, "text/plain", Encoding.UTF8.GetBytes("slow down")) { Fields = [("Retry-After", After)] }
                        : Reaction.Json("""{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}""")))
                {
                    await using var session = Kubernetes.ClusterSession.Live(Kubernetes.ClusterSession.Kubeconfig(server.Address), clock, told: Note);
                    await session.CollectAsync("v1/pods");
                }
                break;
        }
    }
}
