using System.Globalization;
using System.Net;
using System.Text;

namespace AuditCli.Tests;

/// <summary>A whole run against a cluster on the loopback whose answers are whole and say something besides, or never end.</summary>
public sealed class ClusterAnswersTests : IAsyncDisposable
{
    private const string Control = """
        schema: 1
        id: APD-K8S-901
        version: 1.0.0
        title: Namespaces are named
        objective: Every namespace has a name.
        risk: Nobody knows.
        domain: access-to-programs-and-data
        nature: { type: detective, execution: automated }
        frequency: continuous
        kind: operating-effectiveness
        mode: point-in-time
        key_control: false
        owner: Test
        references: { soc2-tsc: [CC6.1] }
        evidence:
          namespaces: { kubernetes: v1/namespaces }
        completeness: { none: a test }
        tests:
          - id: T1
            title: It has a name
            sql: SELECT n.uid AS item, n.name IS NOT NULL AS pass, 'no name' AS reason FROM namespaces n
        recommendation: Name them.
        """;

    private const string Whole = """{"kind":"NamespaceList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a","uid":"1"}}]}""";
    private readonly TemporaryFolder _folder = new();
    private readonly HttpListener _listener = new();
    private readonly Task _serving;
    private readonly Uri _address = new($"http://127.0.0.1:{Loopback.FreePort()}/");
    private Func<int, string> _answer = _ => Whole;
    private string? _warning;
    private int _lists;

    public ClusterAnswersTests()
    {
        _listener.Prefixes.Add(_address.AbsoluteUri);
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
        _folder.Dispose();
    }

    [Fact]
    public async Task Empty_pages_that_never_end_are_given_up_and_no_pass()
    {
        _answer = n => string.Create(CultureInfo.InvariantCulture, $$"""{"kind":"NamespaceList","apiVersion":"v1","metadata":{"continue":"t{{n}}"},"items":[]}""");

        var (result, report) = await RunAsync(new LeapingClock());

        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains("INCONCLUSIVE", result.Output, StringComparison.Ordinal);
        Assert.Contains("EndlessPages", report, StringComparison.Ordinal);
        Assert.Equal(1000, _lists);
    }

    [Theory]
    [InlineData("110 - \"Response is Stale\"")]
    [InlineData("199 - \"Miscellaneous Warning\"")]
    [InlineData("299 - \"deprecated\", 112")]
    public async Task An_answer_that_warns_of_its_age_is_no_pass(string warning)
    {
        _warning = warning;

        var (result, report) = await RunAsync(TimeProvider.System);

        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains("INCONCLUSIVE", result.Output, StringComparison.Ordinal);
        Assert.Contains("OldAnswer", report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_server_itself_warns_of_is_shown_and_takes_no_pass_away()
    {
        _warning = "299 - \"v1 Namespace is deprecated\"";

        var (result, report) = await RunAsync(TimeProvider.System);

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("the server warns: v1 Namespace is deprecated", report, StringComparison.Ordinal);
    }

    /// <summary>What was printed, and the page that was sealed.</summary>
    private async Task<(CommandResult Result, string Report)> RunAsync(TimeProvider clock)
    {
        _folder.Write("config", $$"""
            current-context: c
            contexts: [{ name: c, context: { cluster: a, user: u } }]
            clusters: [{ name: a, cluster: { server: "{{_address.GetLeftPart(UriPartial.Authority)}}" } }]
            users: [{ name: u, user: { token: a-token } }]
            """);
        _folder.Write(Path.Combine("controls", "access-to-programs-and-data", "APD-K8S-901.yaml"), Control);
        _folder.Write("engagement.yaml", $$"""
            schema: 1
            entity: E
            name: n
            period: { start: 2026-09-01, end: 2026-11-15 }
            as_of: {{DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}}
            preparer: A. Preparer
            reviewer: R. Reviewer
            library: controls
            targets:
              trading: { kubernetes: { kubeconfig: config } }
            """);
        var result = await AuditCommand.RunAsync(AuditCommand.Host(_folder.Path) with { Clock = clock }, CancellationToken.None, "run", "engagement.yaml", "--out", "out");
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        return (result, await File.ReadAllTextAsync(Path.Combine(bundle, "data", "reports", "report.html")));
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                var list = context.Request.HttpMethod == "GET";
                var answer = list ? _answer(Interlocked.Increment(ref _lists)) : """{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"auditor"}}}""";
                context.Response.StatusCode = list ? 200 : 201;
                if (list && _warning is not null)
                    context.Response.Headers["Warning"] = _warning;
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(answer));
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;  // the test is over
            }
        }
    }

    /// <summary>Tells the real time of day, and measures ten minutes between any two looks.</summary>
    private sealed class LeapingClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Interlocked.Add(ref _now, 600);
    }
}
