using System.Diagnostics;
using AuditCli.Collectors.Exchanges;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Exchanges;

/// <summary>Tests which requests use a configured proxy and which bypass it.</summary>
[Collection("environment")]
public sealed class StatedProxyTests : IDisposable
{
    private static readonly string[] Names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];
    private readonly Dictionary<string, string?> _before = Names.ToDictionary(n => n, Environment.GetEnvironmentVariable);

    public StatedProxyTests() => Clear();

    public void Dispose()
    {
        foreach (var (name, value) in _before)
            Environment.SetEnvironmentVariable(name, value);
    }

    [Theory]
    [InlineData("*", "https://sts.amazonaws.com/", true)]
    [InlineData("amazonaws.com", "https://sts.amazonaws.com/", true)]
    [InlineData("amazonaws.com", "https://amazonaws.com/", true)]
    [InlineData(".amazonaws.com", "https://sts.amazonaws.com/", true)]
    [InlineData("mazonaws.com", "https://sts.amazonaws.com/", false)]
    [InlineData("AmazonAWS.com", "https://STS.amazonaws.com/", true)]
    [InlineData(" other.example , .amazonaws.com ", "https://sts.amazonaws.com/", true)]
    [InlineData("other.example,,", "https://sts.amazonaws.com/", false)]
    [InlineData("sts.amazonaws.com:8443", "https://sts.amazonaws.com:8443/", true)]
    [InlineData("sts.amazonaws.com:8443", "https://sts.amazonaws.com/", false)]
    [InlineData("127.0.0.1", "https://127.0.0.1:6443/", true)]
    [InlineData("127.0.0.1:6443", "https://127.0.0.1:6443/", true)]
    [InlineData("127.0.0.1:6444", "https://127.0.0.1:6443/", false)]
    [InlineData("localhost", "https://127.0.0.1:6443/", false)]
    [InlineData("", "https://127.0.0.1:6443/", false)]
    public void Exceptions_are_read_as_the_aws_command_line_reads_them(string exceptions, string address, bool past)
    {
        Set("HTTPS_PROXY", "http://proxy.example:3128");
        Set("NO_PROXY", exceptions);

        Assert.Equal(past, StatedProxy.OfEnvironment(ProxyHabit.Python).IsBypassed(new(address)));
    }

    [NeedsTheory("python3")]
    [InlineData("https://sts.amazonaws.com")]
    [InlineData("https://amazonaws.com")]
    [InlineData("https://notamazonaws.com")]
    [InlineData("https://10.1.2.3:6443")]
    [InlineData("http://localhost:4566")]
    public async Task Python_agrees_about_every_form_that_it_knows(string address)
    {
        string[] forms =
        [
            "*", "amazonaws.com", ".amazonaws.com", "AMAZONAWS.COM", " amazonaws.com ,x", "aws.com", "10.1.2.3", "10.1.2.3:6443",
            "10.1.2.3:1", "localhost", "localhost:4566", ",", "",
        ];
        foreach (var form in forms)
        {
            Clear();
            Set("HTTPS_PROXY", "http://proxy.example:3128");
            Set("HTTP_PROXY", "http://proxy.example:3128");
            Set("NO_PROXY", form);
            var start = new ProcessStartInfo("python3")
            {
                ArgumentList = { "-c", "import sys, urllib.request as u\nprint(bool(u.proxy_bypass_environment(u.urlparse(sys.argv[1]).netloc)))", address },
                RedirectStandardOutput = true,
            };
            using var python = Process.Start(start)!;
            var said = (await python.StandardOutput.ReadToEndAsync()).Trim();
            await python.WaitForExitAsync();

            Assert.True(
                said == StatedProxy.OfEnvironment(ProxyHabit.Python).IsBypassed(new(address)).ToString(),
                $"NO_PROXY='{form}' {address}: python says {said}");
        }
    }

    [Theory]
    [InlineData("10.0.0.0/8", "https://10.200.1.1/", true)]
    [InlineData("10.1.2.3/8", "https://10.200.1.1/", true)]
    [InlineData("10.0.0.0/8", "https://11.0.0.1/", false)]
    [InlineData("10.0.0.0/8", "https://ten.example/", false)]
    [InlineData("fd00::/8", "https://[fd12::1]:6443/", true)]
    [InlineData("[::2]:6443", "https://[::2]:6443/", true)]
    [InlineData("::2", "https://[::2]:6443/", true)]
    [InlineData(".example.com", "https://example.com/", false)]
    [InlineData(".example.com", "https://api.example.com/", true)]
    [InlineData("*.example.com", "https://api.example.com/", true)]
    [InlineData("*.example.com", "https://example.com/", false)]
    [InlineData("example.com", "https://example.com/", true)]
    [InlineData("", "https://127.0.0.1:6443/", true)]
    [InlineData("", "https://localhost:6443/", true)]
    public void Networks_count_and_kubectls_own_habits_with_it(string exceptions, string address, bool past)
    {
        Set("HTTPS_PROXY", "http://proxy.example:3128");
        Set("NO_PROXY", exceptions);

        Assert.Equal(past, StatedProxy.OfEnvironment(ProxyHabit.Go).IsBypassed(new(address)));
    }

    [Theory]
    [InlineData("Python", "http://lower.example/")]
    [InlineData("Go", "http://upper.example/")]
    public void Of_two_spellings_of_a_variable_the_one_counts_that_the_providers_tool_takes(string habit, string expected)
    {
        Set("HTTPS_PROXY", "upper.example:80");
        Set("https_proxy", "lower.example:80");

        Assert.Equal(new(expected), StatedProxy.OfEnvironment(Enum.Parse<ProxyHabit>(habit)).GetProxy(new("https://sts.amazonaws.com/")));
    }

    [Fact]
    public void Each_scheme_has_its_proxy_and_what_has_none_takes_the_one_for_all()
    {
        Set("HTTP_PROXY", "http://plain.example:1");
        Set("ALL_PROXY", "socks5h://all.example:2");
        var proxy = StatedProxy.OfEnvironment(ProxyHabit.Python);

        Assert.Equal(new("http://plain.example:1"), proxy.GetProxy(new("http://a.example/")));
        Assert.Equal(new("socks5://all.example:2"), proxy.GetProxy(new("https://a.example/")));
    }

    [Theory]
    [InlineData("ftp://proxy.example", "HTTPS_PROXY names a proxy of type ftp")]
    [InlineData("http://", "HTTPS_PROXY does not contain the address")]
    public void A_proxy_that_nobody_can_use_is_named_and_nothing_goes_past_it(string text, string said)
    {
        Set("HTTPS_PROXY", text);

        var e = Assert.Throws<CollectionException>(() => StatedProxy.OfEnvironment(ProxyHabit.Go));

        Assert.Equal("InvalidProxy", e.Code);
        Assert.StartsWith(said, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_for_aws_goes_through_the_stated_proxy()
    {
        await using var proxy = new LoopbackServer((_, _) => Reaction.Xml(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn><UserId>A</UserId>"
            + "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"));
        Set("HTTP_PROXY", proxy.Address.AbsoluteUri);
        await using var session = Aws.Session.Live(new("http://aws.invalid/"), new ImpatientClock());

        var said = await session.CallAsync("sts:GetCallerIdentity");

        Assert.Equal("123456789012", said.GetProperty("Account").GetString());
        Assert.Equal("http://aws.invalid/", Assert.Single(proxy.Seen).Target);
    }

    [Fact]
    public async Task Everything_for_google_goes_through_the_stated_proxy_its_tokens_included()
    {
        await using var proxy = new LoopbackServer((request, _) => Reaction.Json(request.Target.EndsWith("/token", StringComparison.Ordinal)
            ? """{"access_token":"MARKERtoken","expires_in":3600,"token_type":"Bearer"}"""
            : """{"projectId":"p-one"}"""));
        using var google = new GoogleServer();
        await using var session = Gcp.Session.Live(
            google,
            credentials: google.ServiceAccountFile(Gcp.Session.Account)
                .Replace(google.Address.AbsoluteUri, "http://google.invalid/", StringComparison.Ordinal));
        Environment.SetEnvironmentVariable("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER", "http://google.invalid/");
        Set("HTTP_PROXY", proxy.Address.AbsoluteUri);

        await session.Collector.CallAsync(
            Gcp.Session.Target(), "cloudresourcemanager:projects.get", Gcp.Session.Parameters(("name", "projects/p-one")), "p-one",
            CancellationToken.None);

        Assert.Equal(["http://google.invalid/token", "http://google.invalid/v3/projects/p-one"], proxy.Seen.Select(s => s.Target));
        Assert.Empty(google.Seen);
        Assert.Empty(google.TokenRequests);
    }

    [Fact]
    public async Task A_tunnel_that_the_proxy_refuses_ends_the_read_and_is_named()
    {
        await using var proxy = new LoopbackServer((_, _) => Reaction.Json("", 502));
        Set("HTTPS_PROXY", proxy.Address.AbsoluteUri);
        await using var session = Aws.Session.Live(new("https://127.0.0.1:1/"), new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("sts:GetCallerIdentity"));

        Assert.Contains(proxy.Address.Authority, e.Message, StringComparison.Ordinal);
        Assert.All(proxy.Seen, s => Assert.Equal(("CONNECT", "127.0.0.1:1"), (s.Method, s.Target)));
    }

    [Fact]
    public void An_account_at_the_proxy_is_shown_to_it_alone()
    {
        Set("HTTPS_PROXY", "http://jane:p%40ss@proxy.example:3128");
        var proxy = StatedProxy.OfEnvironment(ProxyHabit.Python);
        var address = proxy.GetProxy(new("https://sts.amazonaws.com/"))!;

        Assert.Equal("", address.UserInfo);
        Assert.Equal("p@ss", proxy.Credentials!.GetCredential(address, "Basic")!.Password);
        Assert.Null(proxy.Credentials.GetCredential(new("https://sts.amazonaws.com/"), "Basic"));
    }

    private static void Clear()
    {
        foreach (var name in Names)
            Environment.SetEnvironmentVariable(name, null);
    }

    private static void Set(string name, string value) => Environment.SetEnvironmentVariable(name, value);
}
