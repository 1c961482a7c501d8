using System.Net;
using System.Text;

namespace AuditCli.Tests.Text;

/// <summary>Checks that text from a provider is shown, and cannot control a terminal or a report.</summary>
public sealed class StrangersWordsTests : IAsyncDisposable
{
    private const string Identity =
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/a</Arn><UserId>A</UserId>"
        + "<Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    private readonly TemporaryFolder _folder = new();
    private readonly HttpListener _listener = new();
    private readonly Task _serving;
    private readonly Uri _address = new($"http://127.0.0.1:{Loopback.FreePort()}/");

    public StrangersWordsTests()
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
    public async Task Escape_sequences_in_a_refusal_reach_neither_the_terminal_nor_a_report()
    {
        var engagement = _folder.Write("e.yaml", """
            schema: 1
            entity: E
            name: n
            period: { start: 2026-09-01, end: 2026-11-15 }
            preparer: A. Preparer
            reviewer: R. Reviewer
            controls: { include: [LOG-AWS-001] }
            targets:
              prod: { aws: { regions: [us-east-1] } }
            """);

        var run = await AuditCommand.ProcessAsync(_folder.Path, Environment(), [], "run", engagement, "--out", "out");
        var call = await AuditCommand.ProcessAsync(_folder.Path, Environment(), [], "call", "aws", "cloudtrail:DescribeTrails", "--region", "us-east-1");

        Assert.True(run.ExitCode == 3 && call.ExitCode == 3, $"{run}\n{call}");
        Assert.Contains("denied\\u001b[2J", call.Error, StringComparison.Ordinal);
        Assert.Contains("denied\\u001b[2J", run.Error, StringComparison.Ordinal);
        var reports = Path.Combine(AuditCommand.TheBundle(Path.Combine(_folder.Path, "out")), "data", "reports");
        var texts = Directory.EnumerateFiles(reports).Where(f => Path.GetExtension(f) is not ".xlsx").Select(File.ReadAllText);
        Assert.All([run.Output, run.Error, call.Output, call.Error, .. texts], Harmless);
    }

    private static void Harmless(string text) =>
        Assert.True(text.IndexOfAny(['\u001b', '\u0007', '\u202e']) < 0, text[Math.Max(0, text.IndexOfAny(['\u001b', '\u0007', '\u202e', ' ']) - 100)..]);

    private Dictionary<string, string> Environment() => new()
    {
        ["AWS_ENDPOINT_URL"] = _address.GetLeftPart(UriPartial.Authority),
        ["AWS_ACCESS_KEY_ID"] = "AKIAIOSFODNN7EXAMPLE",
        ["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ["AWS_REGION"] = "us-east-1",
        ["AWS_EC2_METADATA_DISABLED"] = "true",
    };

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream);
                var isIdentity = (await reader.ReadToEndAsync()).Contains("GetCallerIdentity", StringComparison.Ordinal);
                var answer = isIdentity ? Identity : """{"__type":"AccessDeniedException","message":"denied\u001b[2J\u001b]0;owned\u0007 \u202eevil"}""";
                context.Response.StatusCode = isIdentity ? 200 : 400;
                context.Response.Close(Encoding.UTF8.GetBytes(answer), willBlock: true);
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;  // the test is over
            }
        }
    }
}
