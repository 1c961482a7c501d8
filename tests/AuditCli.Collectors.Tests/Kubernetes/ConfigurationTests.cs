using System.Text;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>
/// Tests how a caller authenticates, and which identity the evidence states. The tests do not run in parallel, because the environment
/// belongs to the process.
/// </summary>
[Collection("environment")]
public sealed class ConfigurationTests
{
    private static readonly Reaction Nothing = Reaction.Json("404 page not found\n", 404);
    private static readonly string[] Variables = ["KUBECONFIG", "HOME", "KUBERNETES_SERVICE_HOST"];

    [Fact]
    public async Task Without_any_kubeconfig_nothing_is_asked_anywhere()
    {
        using var home = new TemporaryFolder();
        var e = await WithEnvironmentAsync(home, null, () => Assert.ThrowsAsync<CollectionException>(() => ConnectAsync(ClusterSession.Target())));

        Assert.Equal("NoCredentials", e.Code);
        Assert.StartsWith("there is no kubeconfig", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_named_by_the_environment_are_read_as_one_and_the_first_counts()
    {
        await using var server = Server(Whoami("auditor"));
        using var home = new TemporaryFolder();
        var first = home.Write(
            "first",
            "apiVersion: v1\nkind: Config\ncurrent-context: test\nusers: [{ name: test, user: { token: firstfirstfirstfirst } }]\n");
        var second = home.Write("second", ClusterSession.Kubeconfig(server.Address));

        await WithEnvironmentAsync(home, $"{first}:{second}:{home.Path}/missing", () => ConnectAsync(ClusterSession.Target()));

        Assert.All(server.Seen, s => Assert.Equal("Bearer firstfirstfirstfirst", s.Fields["Authorization"]));
    }

    [Fact]
    public async Task A_context_that_is_not_there_is_named()
    {
        await using var server = Server(Nothing);
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address), context: "trading-prod");

        var e = await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync);

        Assert.Equal("NoCredentials", e.Code);
        Assert.Contains("trading-prod", e.Message, StringComparison.Ordinal);
        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task A_kubeconfig_that_impersonates_reads_as_whom_it_says_in_every_request()
    {
        await using var server = Server(Whoami("auditor"));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(
            server.Address, "{ token: tokentokentokentoken, as: auditor, as-uid: u1, as-groups: [readers], as-user-extra: { example.com/scope: [all] } }"));

        Assert.Equal("auditor", (await session.ConnectAsync()).Identity);

        var fields = Assert.Single(server.Seen).Fields;
        Assert.Equal(
            ("auditor", "u1", "readers", "all"),
            (fields["Impersonate-User"], fields["Impersonate-Uid"], fields["Impersonate-Group"],
                fields["Impersonate-Extra-example.com%2Fscope"]));
    }

    [Fact]
    public async Task A_plugin_that_fails_is_a_lack_of_credentials()
    {
        using var folder = new TemporaryFolder();
        await using var server = Server(Nothing);
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address, Plugin(folder, "echo 'sign in first' >&2; exit 1")));

        var e = await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync);

        Assert.Equal("NoCredentials", e.Code);
        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task A_plugins_token_is_used_and_only_that_it_ran_is_told()
    {
        using var folder = new TemporaryFolder();
        await using var server = Server(Whoami("auditor"));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address, TokenPlugin(folder, ClusterSession.Token)));

        var connection = await session.ConnectAsync();

        Assert.Equal("auditor", connection.Identity);
        Assert.Equal("Bearer " + ClusterSession.Token, server.Seen[0].Fields["Authorization"]);
        Assert.Equal(new Uri("exec:plugin.sh"), Assert.Single(session.CredentialExchanges).Endpoint);
        Assert.False(await session.HoldsAsync(ClusterSession.Token));
    }

    [Fact]
    public async Task The_server_is_asked_who_the_caller_is_in_every_version_of_the_question()
    {
        await using var server = new LoopbackServer((request, _) =>
            request.Target.Contains("/v1alpha1/", StringComparison.Ordinal) ? Whoami("auditor") : Nothing);
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        var connection = await session.ConnectAsync();

        Assert.Equal(("auditor", "trading", "cluster"), (connection.Identity, connection.Account, connection.GlobalRegion));
        Assert.Equal(["v1", "v1beta1", "v1alpha1"], server.Seen.Select(s => s.Target.Split('/')[3]));
    }

    [Fact]
    public async Task A_server_that_cannot_be_asked_leaves_what_the_token_claims_and_never_its_payload()
    {
        var payload = Convert.ToBase64String(Encoding.UTF8.GetBytes("""{"sub":"system:serviceaccount:audit:reader","email":"a@example.com"}""")).TrimEnd('=');
        await using var server = Server(Nothing);
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address, $"{{ token: eyJhbGciOiJSUzI1NiJ9.{payload}.c2lnbmF0dXJl }}"));

        var connection = await session.ConnectAsync();

        Assert.Equal("claimed:system:serviceaccount:audit:reader", connection.Identity);
        Assert.False(await session.HoldsAsync(payload));
    }

    [Fact]
    public async Task An_opaque_token_claims_nothing()
    {
        await using var server = Server(Nothing);
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        Assert.Equal("claimed:unknown", (await session.ConnectAsync()).Identity);
    }

    [Fact]
    public async Task A_client_certificate_claims_its_common_name()
    {
        using var authority = new TestAuthority();
        var (certificate, key) = authority.Issue("CN=alice,O=auditors", server: false);
        await using var server = Server(Nothing);
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(
            server.Address, $"{{ client-certificate-data: {Base64(certificate)}, client-key-data: {Base64(key)} }}"));

        Assert.Equal("claimed:alice", (await session.ConnectAsync()).Identity);
    }

    /// <summary>Returns a kubeconfig user whose credentials a plugin prints.</summary>
    internal static string TokenPlugin(TemporaryFolder folder, string token) => Plugin(
        folder, $$$"""echo '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"{{{token}}}"}}'""");

    private static string Plugin(TemporaryFolder folder, string script)
    {
        var path = folder.Write("plugin.sh", "#!/bin/sh\n" + script + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return $"{{ exec: {{ apiVersion: client.authentication.k8s.io/v1beta1, command: \"{path}\" }} }}";
    }

    private static async Task<Connection> ConnectAsync(AuditCli.Evidence.Target target)
    {
        using var folder = new TemporaryFolder();
        await using var transport = new LiveTransport(folder.Path, "test-bundle", TimeProvider.System);
        await using var collector = new Collectors.Kubernetes.KubernetesCollector(transport, TimeProvider.System, _ => { });
        return Assert.Single(await collector.ConnectAsync(target, CancellationToken.None));
    }

    private static async Task<T> WithEnvironmentAsync<T>(TemporaryFolder home, string? kubeconfig, Func<Task<T>> act)
    {
        var before = Variables.ToDictionary(v => v, Environment.GetEnvironmentVariable);
        try
        {
            Environment.SetEnvironmentVariable("HOME", home.Path);
            Environment.SetEnvironmentVariable("KUBECONFIG", kubeconfig);
            Environment.SetEnvironmentVariable("KUBERNETES_SERVICE_HOST", null);
            return await act();
        }
        finally
        {
            foreach (var (name, value) in before)
                Environment.SetEnvironmentVariable(name, value);
        }
    }

    private static LoopbackServer Server(Reaction always) => new((_, _) => always);

    private static Reaction Whoami(string name) => Reaction.Json($$$$"""{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"{{{{name}}}}"}}}""", 201);

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
