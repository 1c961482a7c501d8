using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>Checks that kubeconfig files lead to the same server and user as in kubectl itself.</summary>
[Collection("environment")]
public sealed class KubectlTests : IDisposable
{
    private readonly KubeconfigHome _home = new();

    public void Dispose() => _home.Dispose();

    [NeedsTheory("kubectl")]
    [InlineData(null, "one:two")]
    [InlineData(null, "two:one")]
    [InlineData("Shared", "one:two")]
    [InlineData("shared", "two:one")]
    [InlineData("shared", "one:missing:two")]
    [InlineData("second", "one:two")]
    public async Task Kubectl_merges_several_files_to_the_same_place_and_user(string? context, string list)
    {
        _home.Folder.Write("a/one", """
            current-context: first
            contexts: [{ name: first, context: { cluster: c, user: u } }, { name: Shared, context: { cluster: C, user: u } }, { name: shared, context: { cluster: c, user: U } }]
            clusters: [{ name: c, cluster: { server: "https://one.example:1", certificate-authority: certs/ca.pem } }, { name: C, cluster: { server: "https://one.example:2", tls-server-name: api.example } }]
            users: [{ name: u, user: { tokenFile: ../tokens/u } }, { name: U, user: { token: capital } }]
            """);
        _home.Folder.Write("b/two", """
            current-context: second
            contexts: [{ name: second, context: { cluster: c, user: only } }, { name: shared, context: { cluster: C, user: u } }]
            clusters: [{ name: c, cluster: { server: "https://two.example:1", insecure-skip-tls-verify: true } }, { name: C, cluster: { server: "https://two.example:2", proxy-url: "http://p.example:3" } }]
            users: [{ name: u, user: { client-certificate: u.crt, client-key: u.key } }, { name: only, user: { exec: { apiVersion: client.authentication.k8s.io/v1beta1, command: ./bin/login, args: [x] } } }]
            """);
        // Paths are relative to the kubeconfig that names them. The files next to the other kubeconfig are wrong, so that using them would
        // be noticed.
        _home.Folder.Write("a/certs/ca.pem", "authority of one");
        _home.Folder.Write("b/certs/ca.pem", "wrong");
        _home.Folder.Write("b/u.crt", "certificate of two");
        _home.Folder.Write("a/u.crt", "wrong");
        _home.Folder.Write("b/u.key", "key of two");
        _home.Folder.Write("a/u.key", "wrong");
        string[] files = [.. list.Split(':').Select(f => Path.Combine(_home.Folder.Path, f == "one" ? "a" : "b", f))];
        Environment.SetEnvironmentVariable("KUBECONFIG", string.Join(Path.PathSeparator, files));

        // kubectl prints paths as they are written; with --flatten it reads the files to which they lead.
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
        // Token files and plugins are never flattened. The next test checks with a server that kubectl looks for them in the folder of
        // their file.
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
        _home.Folder.Write("a/certs/ca.pem", authority.Pem);
        _home.Folder.Write("tokens/u", "fromfilefromfile\n");
        _home.Script("b/deep/bin/login", Plugin);
        var one = _home.Folder.Write("a/one", $$"""
            current-context: c
            contexts: [{ name: c, context: { cluster: c, user: u } }]
            clusters: [{ name: c, cluster: { server: "{{server.Address}}", certificate-authority: certs/ca.pem } }]
            """);
        var two = _home.Folder.Write("b/deep/two", $"users: [{{ name: u, user: {user} }}]");
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
        // Without TLS, kubectl sends no credentials.
        using var authority = new TestAuthority();
        await using var server = Secured(authority);
        var kubeconfig = WithAuthority(server.Address.AbsoluteUri.TrimEnd('/'), server, user, authority);
        await using var session = KubeconfigHome.Session(kubeconfig, TimeProvider.System);

        Assert.StartsWith("authorization: ", await ShownAlikeAsync(server, session, "--kubeconfig", kubeconfig), StringComparison.Ordinal);
    }

    [NeedsTheory("kubectl")]
    [MemberData(nameof(Users))]
    public async Task Kubectl_speaks_plain_http_to_an_address_without_a_scheme_and_shows_it_no_credentials(string user)
    {
        using var authority = new TestAuthority();
        await using var server = new LoopbackServer((_, _) => KubeconfigHome.Whoami("a"));
        var kubeconfig = WithAuthority(server.Address.Authority, server, user, authority);
        await using var session = KubeconfigHome.Session(kubeconfig, TimeProvider.System);

        Assert.DoesNotContain("authorization", await ShownAlikeAsync(server, session, "--kubeconfig", kubeconfig), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Users))]
    public async Task An_address_without_a_scheme_is_plain_http_and_is_shown_no_credentials(string user)
    {
        using var authority = new TestAuthority();
        await using var server = new LoopbackServer((_, _) => KubeconfigHome.Whoami("a"));
        await using var session = KubeconfigHome.Session(WithAuthority(server.Address.Authority, server, user, authority), TimeProvider.System);

        Assert.Equal("a", (await session.ConnectAsync()).Identity.Split(' ')[0]);

        Assert.NotEmpty(server.Seen);
        Assert.All(server.Seen, s => Assert.DoesNotContain("Authorization", s.Fields.Keys));
        Assert.All(server.Seen, s => Assert.Equal(user.Contains("as: auditor", StringComparison.Ordinal), s.Fields.ContainsKey("Impersonate-User")));
        Assert.False(File.Exists(Path.Combine(_home.Folder.Path, "ran")));
    }

    private static LoopbackServer Secured(TestAuthority authority)
    {
        var (certificate, key) = authority.Issue("CN=api", server: true);
        return new((_, _) => KubeconfigHome.Whoami("a"), X509Certificate2.CreateFromPem(certificate, key));
    }

    /// <summary>
    /// Writes a kubeconfig that names a certificate authority for the address, with the token file and the plugin of <see cref="Users"/>
    /// next to it.
    /// </summary>
    private string WithAuthority(string address, LoopbackServer server, string user, TestAuthority authority)
    {
        _home.Folder.Write("ca.pem", authority.Pem);
        _home.Folder.Write("token", "fromfilefromfile\n");
        _home.Script("plugin", $"touch '{_home.Folder.Path}/ran'\n{Plugin}");
        return _home.Folder.Write("config", ClusterSession.Kubeconfig(server.Address, user)
            .Replace(server.Address.AbsoluteUri.TrimEnd('/'), address, StringComparison.Ordinal)
            .Replace("server:", "certificate-authority: ca.pem, server:", StringComparison.Ordinal));
    }

    /// <summary>Returns the credentials that this program sends, after checking that kubectl sends the same.</summary>
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

    private static string Shown(IReadOnlyDictionary<string, string> fields) => string.Join('\n', fields
        .Where(f => f.Key == "Authorization" || f.Key.StartsWith("Impersonate-", StringComparison.OrdinalIgnoreCase))
        .Select(f => $"{f.Key.ToLowerInvariant()}: {f.Value}").Order(StringComparer.Ordinal));

    private static string? Text(JsonElement e, string name) => e.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static string? Data(JsonElement e, string name) => Text(e, name) is { } data ? Encoding.UTF8.GetString(Convert.FromBase64String(data)) : null;

    private static string? Content(string? file) => file is null ? null : File.ReadAllText(file);
}
