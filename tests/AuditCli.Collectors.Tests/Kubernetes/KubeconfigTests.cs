using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>Checks that kubeconfig files are interpreted as kubectl does. A setting that is not supported is refused by name.</summary>
[Collection("environment")]
public sealed class KubeconfigTests : IDisposable
{
    private readonly KubeconfigHome _home = new();

    public void Dispose() => _home.Dispose();

    [Theory]
    [InlineData("prod", "small")]
    [InlineData("Prod", "capital")]
    public async Task Names_that_differ_in_capitals_alone_are_different_places_and_users(string context, string expected)
    {
        await using var small = new LoopbackServer((_, _) => KubeconfigHome.Whoami("small"));
        await using var capital = new LoopbackServer((_, _) => KubeconfigHome.Whoami("capital"));
        await using var session = ClusterSession.Live(
            $$"""
            current-context: PROD
            contexts: [{ name: Prod, context: { cluster: Prod, user: Prod } }, { name: prod, context: { cluster: prod, user: prod } }]
            clusters: [{ name: Prod, cluster: { server: "{{capital.Address}}" } }, { name: prod, cluster: { server: "{{small.Address}}" } }]
            users: [{ name: Prod, user: { token: capitalcapitalcapital } }, { name: prod, user: { token: smallsmallsmallsmall } }]
            """, context: context);

        var connection = await session.ConnectAsync();

        Assert.Equal(expected, connection.Identity);
        var (asked, other) = context == "prod" ? (small, capital) : (capital, small);
        Assert.All(asked.Seen, s => Assert.StartsWith("Bearer " + expected, s.Fields["Authorization"], StringComparison.Ordinal));
        Assert.Empty(other.Seen);
        Assert.Equal($"read as {expected}, cluster {context}, context {context}, server {asked.Address.AbsoluteUri.TrimEnd('/')}", connection.ReadAs);
    }

    [Fact]
    public async Task A_context_in_other_letters_is_not_there_and_its_twin_is_named()
    {
        await using var server = new LoopbackServer((_, _) => KubeconfigHome.Whoami("a"));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address), context: "Test");

        var e = await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync);

        Assert.Contains("has no context Test; there is test; names are case-sensitive", e.Message, StringComparison.Ordinal);
        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task A_kubeconfig_that_is_a_pipe_is_refused_at_once()
    {
        using var home = new KubeconfigHome();
        var pipe = Path.Combine(home.Folder.Path, "pipe");
        PosixFiles.MakePipe(pipe);
        await using var session = ClusterSession.Live(ClusterSession.Target(("kubeconfig", pipe)), TimeProvider.System);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.ConnectAsync().WaitAsync(TimeSpan.FromMinutes(1)));

        Assert.Equal("NoCredentials", e.Code);
        Assert.Contains($"the kubeconfig {pipe} cannot be read: {pipe} is a pipe, socket or device", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "{ name: a, cluster: { server: http://127.0.0.1:1, proxy-url: ftp://p } }", "{}", "InvalidProxy",
        "proxy-url of the cluster a must begin with http://, https:// or socks5://")]
    [InlineData("{ name: a, cluster: { server: http://127.0.0.1:1, proxy-url: 'p:3128' } }", "{}", "InvalidProxy", "proxy-url of the cluster a")]
    [InlineData(
        "{ name: a, cluster: { server: https://127.0.0.1:1, insecure-skip-tls-verify: true, certificate-authority-data: YQ== } }", "{}",
        "NoCredentials", "has an authority and insecure-skip-tls-verify")]
    [InlineData(
        "{ name: a, cluster: { server: https://127.0.0.1:1, certificate-authority: ca, certificate-authority-data: YQ== } }", "{}",
        "NoCredentials", "has both certificate-authority and")]
    [InlineData(
        "{ name: a, cluster: { server: https://127.0.0.1:1, certificate-authority: ca.pem } }", "{}", "UntrustedServer",
        "ca.pem, which cannot be read")]
    [InlineData("{ name: a, cluster: { server: https://127.0.0.1:1, certificate-authority-data: bm9uZQ== } }", "{}", "UntrustedServer", "no certificate")]
    [InlineData(
        "{ name: a, cluster: { server: https://127.0.0.1:1, insecure-skip-tls-verify: maybe } }", "{}", "NoCredentials",
        "insecure-skip-tls-verify must be true or false")]
    [InlineData("{ name: a, cluster: { } }", "{}", "NoCredentials", "the cluster a has no server")]
    [InlineData("{ name: a, cluster: { server: 'unix:///run/k' } }", "{}", "NoCredentials", "a server that is not an http or https address")]
    [InlineData("{ name: b, cluster: { server: http://127.0.0.1:1 } }", "{}", "NoCredentials", "names the cluster a, which does not exist; it has b")]
    [InlineData(
        "{ name: a, cluster: { server: http://127.0.0.1:1 } }, { name: a, cluster: { server: http://127.0.0.1:2 } }", "{}", "NoCredentials",
        "clusters has the name a twice")]
    [InlineData(Fine, "{ auth-provider: { name: gcp } }", "NoCredentials", "the auth-provider gcp, which is not supported; sign in with an exec plugin")]
    [InlineData(Fine, "{ token: MARKER, username: u, password: p }", "NoCredentials", "a token and a password, but kubectl allows only one of them")]
    [InlineData(Fine, "{ client-certificate-data: YQ== }", "NoCredentials", "a client certificate and no client key")]
    [InlineData(Fine, "{ client-key-data: YQ== }", "NoCredentials", "a client key and no client certificate")]
    [InlineData(Fine, "{ client-certificate-data: YQ==, client-key-data: YQ== }", "NoCredentials", "not in PEM form")]
    [InlineData(Fine, "{ client-certificate-data: '?', client-key-data: YQ== }", "NoCredentials", "client-certificate-data is not Base64")]
    [InlineData(Fine, "{ as-groups: [g] }", "NoCredentials", "need as; add it")]
    [InlineData(Fine, "{ as: 'a\u00e9' }", "NoCredentials", "Impersonate-User has characters")]
    [InlineData(Fine, "{ tokenFile: missing }", "NoCredentials", "missing cannot be read")]
    [InlineData(Fine, "{ tokenFile: /dev/zero }", "NoCredentials", "/dev/zero is a pipe, socket or device, not a regular file")]
    [InlineData(
        Fine, "{ client-certificate: /dev/zero, client-key: /dev/zero }", "NoCredentials", "/dev/zero is a pipe, socket or device, not a regular file")]
    [InlineData(
        "{ name: a, cluster: { server: https://127.0.0.1:1, certificate-authority: /dev/zero } }", "{}", "UntrustedServer",
        "/dev/zero is a pipe, socket or device, not a regular file")]
    [InlineData(
        Fine, "{ exec: { command: p, apiVersion: client.authentication.k8s.io/v1alpha1 } }", "NoCredentials",
        "exec has the apiVersion client.authentication.k8s.io/v1alpha1")]
    [InlineData(Fine, "{ exec: { command: p, apiVersion: client.authentication.k8s.io/v1 } }", "NoCredentials", "exec has no interactiveMode")]
    [InlineData(
        Fine, "{ exec: { command: p, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always } }", "NoCredentials",
        "interactiveMode Always")]
    [InlineData(Fine, "{ exec: { apiVersion: client.authentication.k8s.io/v1 } }", "NoCredentials", "exec names no command")]
    [InlineData(
        Fine, "{ exec: { command: ./nowhere, apiVersion: client.authentication.k8s.io/v1beta1, installHint: get it at example.com } }",
        "NoCredentials", "nowhere could not be run")]
    public async Task What_cannot_be_honoured_is_refused_by_name_before_anything_is_sent(string clusters, string user, string code, string said)
    {
        await using var session = ClusterSession.Live(
            $"current-context: c\ncontexts: [{{ name: c, context: {{ cluster: a, user: u }} }}]\nclusters: [{clusters}]\n"
            + $"users: [{{ name: u, user: {user} }}]\n");

        var e = await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync);

        Assert.True(e.Code == code && e.Message.Contains(said, StringComparison.Ordinal), $"{e.Code}: {e.Message}");
        Assert.DoesNotContain("MARKER", e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(session.Folder));
    }

    [Theory]
    [InlineData("a: [", "is not valid YAML")]
    [InlineData("- a\n", "it is not a kubeconfig")]
    [InlineData("contexts: {a: b}\n", "contexts must be a list")]
    [InlineData("clusters: [a]\n", "an entry of clusters must have a name and a cluster")]
    [InlineData("", "has no current context")]
    public async Task A_file_in_another_form_is_named_with_its_place(string content, string said)
    {
        await using var session = ClusterSession.Live(content);

        var e = await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync);

        Assert.Contains(said, e.Message, StringComparison.Ordinal);
        Assert.Contains("kubeconfig", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_in_a_file_is_read_beside_its_kubeconfig_and_again_when_it_changes()
    {
        await using var server = new LoopbackServer((_, _) => KubeconfigHome.Whoami("a"));
        var clock = new LaterClock();
        _home.Folder.Write("sub/token", "firstfirstfirstfirst\n");
        var kubeconfig = _home.Folder.Write("sub/config", ClusterSession.Kubeconfig(server.Address, "{ tokenFile: ./token, token: fallbackfallback }"));
        await using var session = KubeconfigHome.Session(kubeconfig, clock);

        await session.ConnectAsync();
        _home.Folder.Write("sub/token", "secondsecondsecond");
        clock.Later = TimeSpan.FromMinutes(2);
        await Assert.ThrowsAsync<CollectionException>(() => session.PagesAsync("v1/pods"));

        Assert.Equal(["Bearer firstfirstfirstfirst", "Bearer secondsecondsecond"], server.Seen.Select(s => s.Fields["Authorization"]).Distinct());
    }

    [Fact]
    public async Task A_relative_plugin_belongs_to_its_kubeconfig_and_runs_once_for_all_targets()
    {
        await using var server = new LoopbackServer((_, _) => KubeconfigHome.Whoami("a"));
        _home.Script(
            "bin/plugin",
            "echo run >> \"$(dirname \"$0\")/runs\"; echo \"$KUBERNETES_EXEC_INFO\" > \"$(dirname \"$0\")/info\"; "
            + "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"'$PREFIX$1'\","
            + "\"expirationTimestamp\":\"2100-01-01T00:00:00Z\"}}'");
        var user = "{ exec: { apiVersion: client.authentication.k8s.io/v1, command: bin/plugin, args: [tokentokentoken], "
            + "env: [{ name: PREFIX, value: my }], interactiveMode: IfAvailable, provideClusterInfo: true } }";
        var kubeconfig = _home.Folder.Write("config", ClusterSession.Kubeconfig(server.Address, user));
        await using var transport = new LiveTransport(null, "test", TimeProvider.System);
        await using var collector = new KubernetesCollector(transport, TimeProvider.System, _ => { });

        foreach (var name in new[] { "one", "two" })
            await collector.ConnectAsync(ClusterSession.Target(("kubeconfig", kubeconfig)) with { Name = name }, CancellationToken.None);

        Assert.Equal(2, server.Seen.Count);
        Assert.All(server.Seen, s => Assert.Equal("Bearer mytokentokentoken", s.Fields["Authorization"]));
        Assert.Single(File.ReadAllLines(Path.Combine(_home.Folder.Path, "bin", "runs")));
        var info = JsonElement.Parse(File.ReadAllText(Path.Combine(_home.Folder.Path, "bin", "info")));
        Assert.False(info.GetProperty("spec").GetProperty("interactive").GetBoolean());
        Assert.Equal(server.Address.AbsoluteUri.TrimEnd('/'), info.GetProperty("spec").GetProperty("cluster").GetProperty("server").GetString());
    }

    [Fact]
    public async Task A_plugin_runs_again_when_its_credential_has_expired()
    {
        await using var server = new LoopbackServer((_, _) => KubeconfigHome.Whoami("a"));
        _home.Script(
            "plugin",
            "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"kind\":\"ExecCredential\","
            + "\"status\":{\"token\":\"tokentokentoken\",\"expirationTimestamp\":\"2001-01-01T00:00:00Z\"}}'");
        var kubeconfig = _home.Folder.Write("config", ClusterSession.Kubeconfig(server.Address, PluginUser));
        await using var session = KubeconfigHome.Session(kubeconfig, TimeProvider.System);

        await session.ConnectAsync();

        Assert.Equal(2, session.CredentialExchanges.Count);
    }

    [Fact]
    public async Task What_a_plugin_prints_is_in_no_message()
    {
        _home.Script("plugin", "echo '{\"token\":\"MARKERMARKERMARKER\"'");
        var kubeconfig = _home.Folder.Write("config", ClusterSession.Kubeconfig(new("http://127.0.0.1:1/"), PluginUser));
        await using var session = KubeconfigHome.Session(kubeconfig, TimeProvider.System);

        var e = await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync);

        Assert.EndsWith("the credential plugin plugin printed no JSON", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", e.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("error: token MARKER12 was rejected", "was rejected")]
    [InlineData("the token is MARKER-abc-1", "the token is")]
    [InlineData("password: MARKER1!", "password:")]
    [InlineData("login failed for MARKERb3dE5fGaB3dE5fG", "login failed for")]
    [InlineData("Authorization: Bearer MARKER1234ab is not valid", "is not valid")]
    [InlineData("GET https://sso.example/token?token=MARKER12 failed", "failed")]
    [InlineData("token expired, sign in with prod-profile-1 again", "token expired, sign in with prod-profile-1 again")]
    public async Task What_a_plugin_says_is_told_without_the_credentials_in_it(string said, string told)
    {
        _home.Script("plugin", $"echo '{said}' >&2; exit 1");
        var kubeconfig = _home.Folder.Write("config", ClusterSession.Kubeconfig(new("http://127.0.0.1:1/"), PluginUser));
        await using var session = KubeconfigHome.Session(kubeconfig, TimeProvider.System);

        var e = await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync);

        Assert.Contains(told, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_of_the_cluster_is_used_even_for_the_loopback_and_nothing_goes_past_it()
    {
        await using var server = new LoopbackServer((_, _) => KubeconfigHome.Whoami("past it"));
        await using var proxy = new LoopbackServer((_, _) => KubeconfigHome.Whoami("through it"));
        Environment.SetEnvironmentVariable("NO_PROXY", "*");
        var kubeconfig = ClusterSession.Kubeconfig(server.Address).Replace("server:", $"proxy-url: \"{proxy.Address}\", server:", StringComparison.Ordinal);
        await using var session = ClusterSession.Live(kubeconfig);

        Assert.Equal("through it", (await session.ConnectAsync()).Identity);

        Assert.Empty(server.Seen);
        Assert.StartsWith(server.Address.AbsoluteUri, Assert.Single(proxy.Seen).Target, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_that_lets_no_tunnel_through_ends_the_read_and_is_named()
    {
        using var authority = new TestAuthority();
        await using var proxy = new LoopbackServer((_, _) => Reaction.Json("", 502));
        var kubeconfig = ClusterSession.Kubeconfig(new("https://api.example:6443/"))
            .Replace("server:", $"proxy-url: \"{proxy.Address}\", server:", StringComparison.Ordinal);
        await using var session = ClusterSession.Live(kubeconfig, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync);

        Assert.Equal("ConnectionFailed", e.Code);
        Assert.Contains(proxy.Address.Authority, e.Message, StringComparison.Ordinal);
        Assert.All(proxy.Seen, s => Assert.Equal(("CONNECT", "api.example:6443"), (s.Method, s.Target)));
        Assert.NotEmpty(proxy.Seen);
    }

    private const string PluginUser = "{ exec: { apiVersion: client.authentication.k8s.io/v1beta1, command: ./plugin } }";

    private const string Fine = "{ name: a, cluster: { server: http://127.0.0.1:1 } }";

    /// <summary>The real time plus the offset that a test sets.</summary>
    private sealed class LaterClock : TimeProvider
    {
        public TimeSpan Later { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Later;
    }
}
