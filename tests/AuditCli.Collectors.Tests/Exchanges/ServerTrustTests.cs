using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Tests.Kubernetes;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Exchanges;

/// <summary>Tests, for every source, how an untrusted server is reported, and which certificate authorities are trusted.</summary>
[Collection("environment")]
public sealed class ServerTrustTests : IDisposable
{
    private const string Identity = """
        <GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a</Arn><UserId>A</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>
        """;
    private static readonly string[] Variables =
    [
        "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    ];
    private readonly Dictionary<string, string?> _before = Variables.ToDictionary(n => n, Environment.GetEnvironmentVariable);
    private readonly TestAuthority _authority = new();
    private readonly TemporaryFolder _folder = new();

    public ServerTrustTests()
    {
        foreach (var name in Variables)
            Environment.SetEnvironmentVariable(name, null);
    }

    public void Dispose()
    {
        foreach (var (name, value) in _before)
            Environment.SetEnvironmentVariable(name, value);
        File.WriteAllText(Aws.Session.Profiles, "");
        _authority.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("unknown", "issuer CN=test authority", "its issuer is unknown: CN=test authority is not among the operating system's trusted authorities")]
    [InlineData("expired", "issuer CN=test authority", "it has expired (")]
    [InlineData("another name", "issuer CN=test authority", "it is for api.example and not for 127.0.0.1")]
    [InlineData("self-signed", "issuer CN=api", "it is self-signed")]
    public async Task Aws_says_which_certificate_it_is_and_why(string fault, string issuer, string reason)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(Identity), Certificate(fault));
        if (fault is not ("unknown" or "self-signed"))
            Environment.SetEnvironmentVariable("AWS_CA_BUNDLE", _folder.Write("ca.pem", _authority.Pem));
        await using var session = Aws.Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("sts:GetCallerIdentity"));

        Says(e, issuer, reason, "AWS_CA_BUNDLE");
        Assert.Empty(server.Seen);
        // A retry would change nothing.
        Assert.Equal(["failed"], await session.StatusesAsync("sts"));
    }

    [Theory]
    [InlineData("unknown", "issuer CN=test authority", "it is not signed by the CN=test authority among the certificate-authority-data of the cluster test")]
    [InlineData("expired", "issuer CN=test authority", "it has expired (")]
    [InlineData("another name", "issuer CN=test authority", "it is for api.example and not for 127.0.0.1")]
    [InlineData("self-signed", "issuer CN=api", "it is self-signed")]
    public async Task A_cluster_says_which_certificate_it_is_and_why_and_a_replay_says_the_same(string fault, string issuer, string reason)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Json("{}"), Certificate(fault));
        using var other = new TestAuthority();
        var pem = fault == "unknown" ? other.Pem : _authority.Pem;
        var kubeconfig = ClusterSession.Kubeconfig(server.Address)
            .Replace("server:", $"certificate-authority-data: {Base64(pem)}, server:", StringComparison.Ordinal);
        await using var session = ClusterSession.Live(kubeconfig);

        var e = await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync);

        Says(e, issuer, reason, "certificate-authority");
        Assert.Empty(server.Seen);
        await session.Transport.DisposeAsync();
        await using var replay = ClusterSession.Replay(session);
        var again = await Assert.ThrowsAsync<CollectionException>(replay.ConnectAsync);
        Assert.Equal((e.Code, e.Message), (again.Code, again.Message));
    }

    [Fact]
    public async Task Google_says_which_certificate_it_is_and_why_and_takes_the_authorities_that_gcloud_takes()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Json("""{"projectId":"p-one"}"""), Certificate("fine"));
        using var google = new GoogleServer();
        await using var session = Gcp.Session.Live(google);
        Environment.SetEnvironmentVariable("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER", server.Address.AbsoluteUri);

        var e = await Assert.ThrowsAsync<CollectionException>(() => AskAsync(session));

        Says(e, "issuer CN=test authority", "its issuer is unknown", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE");
        Assert.Single(await session.RecordedAsync("cloudresourcemanager"));
        await using var trusting = Gcp.Session.Live(google);
        Environment.SetEnvironmentVariable("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER", server.Address.AbsoluteUri);
        Environment.SetEnvironmentVariable("CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", _folder.Write("ca.pem", _authority.Pem));
        Assert.Equal("p-one", (await AskAsync(trusting)).GetProperty("projectId").GetString());
    }

    [Theory]
    [InlineData("AWS_CA_BUNDLE")]
    [InlineData("profile")]
    [InlineData("default profile")]
    [InlineData("AWS_DEFAULT_PROFILE")]
    [InlineData("REQUESTS_CA_BUNDLE")]
    public async Task A_bundle_of_authorities_counts_wherever_the_aws_command_line_looks_for_it(string where)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(Identity), Certificate("fine"));
        var bundle = _folder.Write("ca.pem", _authority.Pem);
        await using var session = Aws.Session.Live(server.Address, new ImpatientClock());
        var target = where == "profile" ? Aws.Session.Target(("profile", "audit")) : Aws.Session.Target();
        File.WriteAllText(Aws.Session.Profiles, where switch
        {
            "profile" or "AWS_DEFAULT_PROFILE" =>
                "[default]\nca_bundle = /nowhere\n[profile audit]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
                + $"aws_secret_access_key = s\nca_bundle = {bundle}\n",
            "default profile" => $"[default]\nregion = us-east-1\nca_bundle = {bundle}\n[profile audit]\nca_bundle = /nowhere\n",
            _ => "",
        });
        if (where is "AWS_CA_BUNDLE" or "REQUESTS_CA_BUNDLE")
            Environment.SetEnvironmentVariable(where, bundle);
        if (where == "AWS_DEFAULT_PROFILE")
        {
            Environment.SetEnvironmentVariable("AWS_PROFILE", "nobody");
            Environment.SetEnvironmentVariable(where, "audit");
        }
        await using var live = new LiveTransport(null, "test", TimeProvider.System);
        await using var collector = new Collectors.Aws.AwsCollector(live, TimeProvider.System, _ => { });

        var connection = Assert.Single(await collector.ConnectAsync(target, CancellationToken.None));

        Assert.Equal("123456789012", connection.Account);
    }

    [Fact]
    public async Task Every_response_over_tls_names_the_certificates_of_the_server()
    {
        using var certificate = Certificate("fine");
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(Identity), certificate);
        Environment.SetEnvironmentVariable("AWS_CA_BUNDLE", _folder.Write("ca.pem", _authority.Pem));
        await using var session = Aws.Session.Live(server.Address, new ImpatientClock());

        await session.CallAsync("sts:GetCallerIdentity");
        await session.CallAsync("sts:GetCallerIdentity");

        var authority = X509Certificate2.CreateFromPem(_authority.Pem);
        var chain = string.Join(' ', new[] { certificate, authority }.Select(c => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(c.RawData))}"));
        Assert.Equal([chain, chain], (await session.RecordedAsync("sts")).Select(e => e.Exchange.ServerCertificates));
    }

    [Fact]
    public async Task A_response_without_tls_names_no_certificate()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(Identity));
        await using var session = Aws.Session.Live(server.Address, new ImpatientClock());

        await session.CallAsync("sts:GetCallerIdentity");

        Assert.Null(Assert.Single(await session.RecordedAsync("sts")).Exchange.ServerCertificates);
    }

    [Fact]
    public async Task A_bundle_that_is_not_there_is_named_before_anything_is_sent()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(Identity), Certificate("fine"));
        Environment.SetEnvironmentVariable("AWS_CA_BUNDLE", Path.Combine(_folder.Path, "missing.pem"));
        await using var session = Aws.Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("sts:GetCallerIdentity"));

        Assert.Contains("AWS_CA_BUNDLE names ", e.Message, StringComparison.Ordinal);
        Assert.Contains("missing.pem", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_tls_is_said_to_be_that()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answering = AnswerAsync(listener);
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(new Uri($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}")));

        var e = await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync);

        await answering;
        Assert.Equal("ConnectionFailed", e.Code);
        Assert.Contains("the connection could not be secured (TLS): ", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("see inner", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_takes_no_handshake_up_has_timed_out()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Json("{}"));
        var address = new Uri(server.Address.AbsoluteUri.Replace("http:", "https:", StringComparison.Ordinal));
        await using var session = ClusterSession.Live(
            ClusterSession.Kubeconfig(address), new ImpatientClock(), ExchangeLimits.Default with { Connect = TimeSpan.FromMilliseconds(200) });

        Assert.Equal("TimedOut", (await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync)).Code);
    }

    private static async Task AnswerAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync();
        var stream = client.GetStream();
        await stream.ReadAtLeastAsync(new byte[1], 1);
        await stream.WriteAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
    }

    private static void Says(CollectionException e, string issuer, string reason, string next)
    {
        Assert.True(e.Code == "UntrustedServer", $"{e.Code}: {e.Message}");
        foreach (var part in new[] { "subject CN=api", issuer, "valid 20", reason, next })
            Assert.Contains(part, e.Message, StringComparison.Ordinal);
    }

    private static Task<System.Text.Json.JsonElement> AskAsync(Gcp.Session session) =>
        session.Collector.CallAsync(
            Gcp.Session.Target(), "cloudresourcemanager:projects.get", Gcp.Session.Parameters(("name", "projects/p-one")), "p-one",
            CancellationToken.None);

    private X509Certificate2 Certificate(string fault)
    {
        if (fault == "self-signed")
        {
            using var key = RSA.Create(2048);
            var request = new CertificateRequest("CN=api", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
            var now = TimeProvider.System.GetUtcNow();
            return request.CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
        }
        var (certificate, privateKey) = _authority.Issue(
            "CN=api", server: true, name: fault == "another name" ? "api.example" : null, expired: fault == "expired");
        return X509Certificate2.CreateFromPem(certificate, privateKey);
    }

    private static string Base64(string text) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));
}
