using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Collectors.Tests.Http;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>Kubeconfig files are read as kubectl reads them; what cannot be honoured is refused by name.</summary>
[Collection("environment")]
public sealed class KubeconfigTests : IDisposable
{
    private static readonly string[] Variables = ["KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];
    private readonly Dictionary<string, string?> _before = Variables.ToDictionary(n => n, Environment.GetEnvironmentVariable);
    private readonly TemporaryFolder _folder = new();

    public KubeconfigTests()
    {
        foreach (var name in Variables)
            Environment.SetEnvironmentVariable(name, null);
    }

    public void Dispose()
    {
        foreach (var (name, value) in _before)
            Environment.SetEnvironmentVariable(name, value);
        _folder.Dispose();
    }

    [Theory]
    [InlineData("prod", "small")]
    [InlineData("Prod", "capital")]
    public async Task Names_that_differ_in_capitals_alone_are_different_places_and_users(string context, string expected)
    {
        await using var small = new LoopbackServer((_, _) => Whoami("small"));
        await using var capital = new LoopbackServer((_, _) => Whoami("capital"));
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
        await using var server = new LoopbackServer((_, _) => Whoami("a"));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address), context: "Test");

        var e = await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync);

        Assert.Contains("has no context Test; there is test, and capital letters count", e.Message, StringComparison.Ordinal);
        Assert.Empty(server.Seen);
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
    [InlineData("{ name: a, cluster: { server: https://127.0.0.1:1, certificate-authority-data: bm9uZQ== } }", "{}", "UntrustedServer", "holds no certificate")]
    [InlineData(
        "{ name: a, cluster: { server: https://127.0.0.1:1, insecure-skip-tls-verify: maybe } }", "{}", "NoCredentials",
        "insecure-skip-tls-verify must be true or false")]
    [InlineData("{ name: a, cluster: { } }", "{}", "NoCredentials", "the cluster a has no server")]
    [InlineData("{ name: a, cluster: { server: 'unix:///run/k' } }", "{}", "NoCredentials", "a server that is no http or https address")]
    [InlineData("{ name: b, cluster: { server: http://127.0.0.1:1 } }", "{}", "NoCredentials", "names the cluster a, which is not there; it has b")]
    [InlineData(
        "{ name: a, cluster: { server: http://127.0.0.1:1 } }, { name: a, cluster: { server: http://127.0.0.1:2 } }", "{}", "NoCredentials",
        "clusters has the name a twice")]
    [InlineData(Fine, "{ auth-provider: { name: gcp } }", "NoCredentials", "the auth-provider gcp, which is not supported; sign in with an exec plugin")]
    [InlineData(Fine, "{ token: MARKER, username: u, password: p }", "NoCredentials", "a token and a password, of which kubectl allows one")]
    [InlineData(Fine, "{ client-certificate-data: YQ== }", "NoCredentials", "a client certificate and no client key")]
    [InlineData(Fine, "{ client-key-data: YQ== }", "NoCredentials", "a client key and no client certificate")]
    [InlineData(Fine, "{ client-certificate-data: YQ==, client-key-data: YQ== }", "NoCredentials", "in another form than PEM")]
    [InlineData(Fine, "{ client-certificate-data: '?', client-key-data: YQ== }", "NoCredentials", "client-certificate-data is not Base64")]
    [InlineData(Fine, "{ as-groups: [g] }", "NoCredentials", "need as; give it")]
    [InlineData(Fine, "{ as: 'a\u00e9' }", "NoCredentials", "Impersonate-User has characters")]
    [InlineData(Fine, "{ tokenFile: missing }", "NoCredentials", "missing cannot be read")]
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
    [InlineData("a: [", "is not YAML that can be read")]
    [InlineData("- a\n", "it is no kubeconfig")]
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
        await using var server = new LoopbackServer((_, _) => Whoami("a"));
        var clock = new LaterClock();
        _folder.Write("sub/token", "firstfirstfirstfirst\n");
        var kubeconfig = _folder.Write("sub/config", ClusterSession.Kubeconfig(server.Address, "{ tokenFile: ./token, token: fallbackfallback }"));
        await using var session = Session(kubeconfig, clock);

        await session.ConnectAsync();
        _folder.Write("sub/token", "secondsecondsecond");
        clock.Later = TimeSpan.FromMinutes(2);
        await Assert.ThrowsAsync<CollectionException>(() => session.PagesAsync("v1/pods"));

        Assert.Equal(["Bearer firstfirstfirstfirst", "Bearer secondsecondsecond"], server.Seen.Select(s => s.Fields["Authorization"]).Distinct());
    }

    [Fact]
    public async Task A_relative_plugin_belongs_to_its_kubeconfig_and_runs_once_for_all_targets()
    {
        await using var server = new LoopbackServer((_, _) => Whoami("a"));
        Script(
            "bin/plugin",
            "echo run >> \"$(dirname \"$0\")/runs\"; echo \"$KUBERNETES_EXEC_INFO\" > \"$(dirname \"$0\")/info\"; "
            + "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"'$PREFIX$1'\","
            + "\"expirationTimestamp\":\"2100-01-01T00:00:00Z\"}}'");
        var user = "{ exec: { apiVersion: client.authentication.k8s.io/v1, command: bin/plugin, args: [tokentokentoken], "
            + "env: [{ name: PREFIX, value: my }], interactiveMode: IfAvailable, provideClusterInfo: true } }";
        var kubeconfig = _folder.Write("config", ClusterSession.Kubeconfig(server.Address, user));
        await using var transport = new LiveTransport(null, "test", TimeProvider.System);
        await using var collector = new KubernetesCollector(transport, TimeProvider.System, _ => { });

        foreach (var name in new[] { "one", "two" })
            await collector.ConnectAsync(ClusterSession.Target(("kubeconfig", kubeconfig)) with { Name = name }, CancellationToken.None);

        Assert.Equal(2, server.Seen.Count);
        Assert.All(server.Seen, s => Assert.Equal("Bearer mytokentokentoken", s.Fields["Authorization"]));
        Assert.Single(File.ReadAllLines(Path.Combine(_folder.Path, "bin", "runs")));
        var info = JsonElement.Parse(File.ReadAllText(Path.Combine(_folder.Path, "bin", "info")));
        Assert.False(info.GetProperty("spec").GetProperty("interactive").GetBoolean());
        Assert.Equal(server.Address.AbsoluteUri.TrimEnd('/'), info.GetProperty("spec").GetProperty("cluster").GetProperty("server").GetString());
    }

    [Fact]
    public async Task A_plugin_runs_again_when_its_credential_has_expired()
    {
        await using var server = new LoopbackServer((_, _) => Whoami("a"));
        Script(
            "plugin",
            "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"kind\":\"ExecCredential\","
            + "\"status\":{\"token\":\"tokentokentoken\",\"expirationTimestamp\":\"2001-01-01T00:00:00Z\"}}'");
        await using var session = Session(
            _folder.Write(
                "config",
                ClusterSession.Kubeconfig(
                    server.Address, "{ exec: { apiVersion: client.authentication.k8s.io/v1beta1, command: ./plugin } }")),
            TimeProvider.System);

        await session.ConnectAsync();

        Assert.Equal(2, session.CredentialExchanges.Count);
    }

    [Fact]
    public async Task What_a_plugin_prints_is_in_no_message()
    {
        Script("plugin", "echo '{\"token\":\"MARKERMARKERMARKER\"'");
        await using var session = Session(
            _folder.Write(
                "config",
                ClusterSession.Kubeconfig(
                    new("http://127.0.0.1:1/"), "{ exec: { apiVersion: client.authentication.k8s.io/v1beta1, command: ./plugin } }")),
            TimeProvider.System);

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
        Script("plugin", $"echo '{said}' >&2; exit 1");
        await using var session = Session(
            _folder.Write(
                "config",
                ClusterSession.Kubeconfig(
                    new("http://127.0.0.1:1/"), "{ exec: { apiVersion: client.authentication.k8s.io/v1beta1, command: ./plugin } }")),
            TimeProvider.System);

        var e = await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync);

        Assert.Contains(told, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_of_the_cluster_is_used_even_for_the_loopback_and_nothing_goes_past_it()
    {
        await using var server = new LoopbackServer((_, _) => Whoami("past it"));
        await using var proxy = new LoopbackServer((_, _) => Whoami("through it"));
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

    [NeedsTheory("kubectl")]
    [InlineData(null, "one:two")]
    [InlineData(null, "two:one")]
    [InlineData("Shared", "one:two")]
    [InlineData("shared", "two:one")]
    [InlineData("shared", "one:missing:two")]
    [InlineData("second", "one:two")]
    public async Task Kubectl_merges_several_files_to_the_same_place_and_user(string? context, string list)
    {
        _folder.Write("a/one", """
            current-context: first
            contexts: [{ name: first, context: { cluster: c, user: u } }, { name: Shared, context: { cluster: C, user: u } }, { name: shared, context: { cluster: c, user: U } }]
            clusters: [{ name: c, cluster: { server: "https://one.example:1", certificate-authority: certs/ca.pem } }, { name: C, cluster: { server: "https://one.example:2", tls-server-name: api.example } }]
            users: [{ name: u, user: { tokenFile: ../tokens/u } }, { name: U, user: { token: capital } }]
            """);
        _folder.Write("b/two", """
            current-context: second
            contexts: [{ name: second, context: { cluster: c, user: only } }, { name: shared, context: { cluster: C, user: u } }]
            clusters: [{ name: c, cluster: { server: "https://two.example:1", insecure-skip-tls-verify: true } }, { name: C, cluster: { server: "https://two.example:2", proxy-url: "http://p.example:3" } }]
            users: [{ name: u, user: { client-certificate: u.crt, client-key: u.key } }, { name: only, user: { exec: { apiVersion: client.authentication.k8s.io/v1beta1, command: ./bin/login, args: [x] } } }]
            """);
        // What lies beside the other file, or where the command runs, is not what is meant.
        _folder.Write("a/certs/ca.pem", "authority of one");
        _folder.Write("b/certs/ca.pem", "wrong");
        _folder.Write("b/u.crt", "certificate of two");
        _folder.Write("a/u.crt", "wrong");
        _folder.Write("b/u.key", "key of two");
        _folder.Write("a/u.key", "wrong");
        string[] files = [.. list.Split(':').Select(f => Path.Combine(_folder.Path, f == "one" ? "a" : "b", f))];
        Environment.SetEnvironmentVariable("KUBECONFIG", string.Join(Path.PathSeparator, files));

        // It prints paths as the files state them; flattened, it reads what they lead to.
        string[] arguments = ["config", "view", "--minify", "--raw", "--flatten", "-o", "json",
            .. context is null ? Array.Empty<string>() : ["--context", context]];
        var said = JsonElement.Parse(await Kubectl.RunAsync(arguments));
        var (found, cluster, user) = Kubeconfig.Merged([.. files.Where(File.Exists).Select(KubeconfigReader.Read)]).Find(context);

        var theirCluster = said.GetProperty("clusters")[0].GetProperty("cluster");
        var theirUser = said.GetProperty("users")[0].GetProperty("user");
        Assert.Equal(said.GetProperty("current-context").GetString(), found.Name);
        Assert.Equal(Text(said.GetProperty("clusters")[0], "name"), cluster.Name);
        Assert.Equal(Text(said.GetProperty("users")[0], "name"), user.Name);
        Assert.Equal(
            (Text(theirCluster, "server"), Data(theirCluster, "certificate-authority-data"),
                Text(theirCluster, "tls-server-name"), Text(theirCluster, "proxy-url")),
            (cluster.Server, Content(cluster.AuthorityFile), cluster.TlsServerName, cluster.ProxyUrl));
        Assert.Equal(theirCluster.TryGetProperty("insecure-skip-tls-verify", out var insecure) && insecure.GetBoolean(), cluster.Insecure);
        Assert.Equal(
            (Text(theirUser, "token"), Data(theirUser, "client-certificate-data"), Data(theirUser, "client-key-data")),
            (user.Token, Content(user.CertificateFile), Content(user.KeyFile)));
        // Token files and plugins are never flattened; that kubectl takes these from the folder of their file is asked of a server below.
        Assert.Equal(Beside(Text(theirUser, "tokenFile")), user.TokenFile);
        Assert.Equal(Beside(theirUser.TryGetProperty("exec", out var exec) ? Text(exec, "command") : null), user.Exec?.Command);

        string? Beside(string? path) => path is null ? null : Path.GetFullPath(path, Path.GetDirectoryName(Stating(path))!);
        string Stating(string path) => Assert.Single(files, f => File.Exists(f) && File.ReadAllText(f).Contains(path, StringComparison.Ordinal));
    }

    [NeedsTheory("kubectl")]
    [InlineData("{ tokenFile: ../../tokens/u }", "Bearer fromfilefromfile")]
    [InlineData("{ exec: { apiVersion: client.authentication.k8s.io/v1beta1, command: ./bin/login } }", "Bearer pluginpluginplugin")]
    public async Task Kubectl_finds_what_each_of_several_files_names_beside_that_file(string user, string shown)
    {
        using var authority = new TestAuthority();
        await using var server = Secured(authority);
        _folder.Write("a/certs/ca.pem", authority.Pem);
        _folder.Write("tokens/u", "fromfilefromfile\n");
        Script("b/deep/bin/login", Plugin);
        var one = _folder.Write("a/one", $$"""
            current-context: c
            contexts: [{ name: c, context: { cluster: c, user: u } }]
            clusters: [{ name: c, cluster: { server: "{{server.Address}}", certificate-authority: certs/ca.pem } }]
            """);
        var two = _folder.Write("b/deep/two", $"users: [{{ name: u, user: {user} }}]");
        Environment.SetEnvironmentVariable("KUBECONFIG", one + Path.PathSeparator + two);
        await using var session = ClusterSession.Live(ClusterSession.Target(), TimeProvider.System);

        Assert.Equal("authorization: " + shown, await ShownAlikeAsync(server, session));
    }

    public static TheoryData<string> Users => new(
        "{ token: tokentokentokentoken }",
        "{ username: jane, password: 'p: w' }",
        "{ tokenFile: token, token: otherotherother }",
        "{ token: tokentokentokentoken, as: auditor, as-groups: [readers], as-user-extra: { example.com/x: [scope] } }",
        "{ exec: { apiVersion: client.authentication.k8s.io/v1beta1, command: ./plugin } }");

    [NeedsTheory("kubectl")]
    [MemberData(nameof(Users))]
    public async Task Kubectl_shows_the_same_credentials_to_the_same_server(string user)
    {
        // Without TLS kubectl shows no credentials to anybody.
        using var authority = new TestAuthority();
        await using var server = Secured(authority);
        var kubeconfig = WithAuthority(server.Address.AbsoluteUri.TrimEnd('/'), server, user, authority);
        await using var session = Session(kubeconfig, TimeProvider.System);

        Assert.StartsWith("authorization: ", await ShownAlikeAsync(server, session, "--kubeconfig", kubeconfig), StringComparison.Ordinal);
    }

    [NeedsTheory("kubectl")]
    [MemberData(nameof(Users))]
    public async Task Kubectl_speaks_plain_http_to_an_address_without_a_scheme_and_shows_it_no_credentials(string user)
    {
        using var authority = new TestAuthority();
        await using var server = new LoopbackServer((_, _) => Whoami("a"));
        var kubeconfig = WithAuthority(server.Address.Authority, server, user, authority);
        await using var session = Session(kubeconfig, TimeProvider.System);

        Assert.DoesNotContain("authorization", await ShownAlikeAsync(server, session, "--kubeconfig", kubeconfig), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Users))]
    public async Task An_address_without_a_scheme_is_plain_http_and_is_shown_no_credentials(string user)
    {
        using var authority = new TestAuthority();
        await using var server = new LoopbackServer((_, _) => Whoami("a"));
        await using var session = Session(WithAuthority(server.Address.Authority, server, user, authority), TimeProvider.System);

        Assert.Equal("a", (await session.ConnectAsync()).Identity.Split(' ')[0]);

        Assert.NotEmpty(server.Seen);
        Assert.All(server.Seen, s => Assert.DoesNotContain("Authorization", s.Fields.Keys));
        Assert.All(server.Seen, s => Assert.Equal(user.Contains("as: auditor", StringComparison.Ordinal), s.Fields.ContainsKey("Impersonate-User")));
        Assert.False(File.Exists(Path.Combine(_folder.Path, "ran")));
    }

    private static LoopbackServer Secured(TestAuthority authority)
    {
        var (certificate, key) = authority.Issue("CN=api", server: true);
        return new((_, _) => Whoami("a"), X509Certificate2.CreateFromPem(certificate, key));
    }

    /// <summary>A kubeconfig that names an authority for the address, with the token file and the plugin of <see cref="Users"/> beside it.</summary>
    private string WithAuthority(string address, LoopbackServer server, string user, TestAuthority authority)
    {
        _folder.Write("ca.pem", authority.Pem);
        _folder.Write("token", "fromfilefromfile\n");
        Script("plugin", $"touch '{_folder.Path}/ran'\n{Plugin}");
        return _folder.Write("config", ClusterSession.Kubeconfig(server.Address, user)
            .Replace(server.Address.AbsoluteUri.TrimEnd('/'), address, StringComparison.Ordinal)
            .Replace("server:", "certificate-authority: ca.pem, server:", StringComparison.Ordinal));
    }

    /// <summary>What we show the server, which must be what kubectl shows it.</summary>
    private static async Task<string> ShownAlikeAsync(LoopbackServer server, ClusterSession session, params string[] where)
    {
        await session.ConnectAsync();
        var ours = Shown(server.Seen[0].Fields);
        await Kubectl.RunAsync([.. where, "get", "--raw", "/version"]);
        var theirs = server.Seen[^1];
        Assert.StartsWith("kubectl", theirs.Fields["User-Agent"], StringComparison.Ordinal);
        Assert.Equal(Shown(theirs.Fields), ours);
        return ours;
    }

    private const string Plugin =
        "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"pluginpluginplugin\"}}'";

    private const string Fine = "{ name: a, cluster: { server: http://127.0.0.1:1 } }";

    private static string Shown(IReadOnlyDictionary<string, string> fields) => string.Join('\n', fields
        .Where(f => f.Key == "Authorization" || f.Key.StartsWith("Impersonate-", StringComparison.OrdinalIgnoreCase))
        .Select(f => $"{f.Key.ToLowerInvariant()}: {f.Value}").Order(StringComparer.Ordinal));

    private static ClusterSession Session(string kubeconfig, TimeProvider clock) =>
        ClusterSession.Live(ClusterSession.Target(("kubeconfig", kubeconfig)), clock);

    private void Script(string name, string script)
    {
        var path = _folder.Write(name, "#!/bin/sh\n" + script + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>The real time, and as much later as a test says.</summary>
    private sealed class LaterClock : TimeProvider
    {
        public TimeSpan Later { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Later;
    }

    private static string? Text(JsonElement e, string name) => e.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static string? Data(JsonElement e, string name) => Text(e, name) is { } data ? Encoding.UTF8.GetString(Convert.FromBase64String(data)) : null;

    private static string? Content(string? file) => file is null ? null : File.ReadAllText(file);

    private static Reaction Whoami(string name) => Reaction.Json($$$$"""{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"{{{{name}}}}"}}}""", 201);
}
