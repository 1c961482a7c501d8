using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>A real API server with a few objects of every kind that the tests read.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    public const string ConfigData = "MARKERconfigDataMARKER";
    public const string SecretData = "TUFSS0VSc2VjcmV0";
    private KubeApiServer? _server;

    public KubeApiServer Server => _server ?? throw new InvalidOperationException(KubeApiServer.HowToInstall);

    public async Task InitializeAsync()
    {
        if (Tool.WhyNot("kube-apiserver") is not null)
            return;
        _server = await KubeApiServer.StartAsync();
        // The server creates this namespace itself, shortly after it is ready.
        await CreateAsync("/api/v1/namespaces", """{"metadata":{"name":"default"}}""");
        await CreateAsync("/api/v1/namespaces", """{"metadata":{"name":"team-a","labels":{"tier":"gold"}}}""");
        await CreateAsync("/api/v1/namespaces/default/secrets", $$$"""{"metadata":{"name":"password"},"data":{"p":"{{{SecretData}}}"}}""");
        for (var i = 0; i < 8; i++)
        {
            var ns = i % 2 == 0 ? "default" : "team-a";
            await CreateAsync(
                $"/api/v1/namespaces/{ns}/pods",
                $$$"""{"metadata":{"name":"web-{{{i}}}","labels":{"app":"web","n":"{{{i}}}"}},"spec":{"containers":[{"name":"c","image":"registry.example/web:{{{i}}}"}]}}""");
            await CreateAsync($"/api/v1/namespaces/{ns}/serviceaccounts", $$$"""{"metadata":{"name":"robot-{{{i}}}"},"automountServiceAccountToken":false}""");
            await CreateAsync($"/api/v1/namespaces/{ns}/configmaps", $$$"""{"metadata":{"name":"settings-{{{i}}}"},"data":{"value":"{{{ConfigData}}}"}}""");
        }
        await CreateAsync(
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            """{"metadata":{"name":"pod-reader"},"rules":[{"apiGroups":[""],"resources":["pods","configmaps"],"verbs":["list"]}]}""");
        foreach (var user in new[] { "reader", "alice" })
            await CreateAsync(
                "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
                $$$"""{"metadata":{"name":"{{{user}}}-reads-pods"},"subjects":[{"kind":"User","name":"{{{user}}}","apiGroup":"rbac.authorization.k8s.io"}],"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"pod-reader"}}""");
        await CreateAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", """
            {"metadata":{"name":"gadgets.example.com"},"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"gadgets","singular":"gadget","kind":"Gadget"},
            "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}
            """);
        await ServedAsync("/apis/example.com/v1/gadgets");
        await CreateAsync("/apis/example.com/v1/namespaces/default/gadgets", """
            {"apiVersion":"example.com/v1","kind":"Gadget","metadata":{"name":"odd"},"amount":9007199254740993,
            "spec":{"smallest":-9223372036854775808,"tenth":0.1,"huge":1e300,"tiny":5e-324,"third":0.3333333333333333,"none":null,"nested":[[1,[2.5]]]}}
            """);
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private Task CreateAsync(string path, string json) => Server.CreateAsync(path, json);

    /// <summary>Waits until a custom resource is served, which takes a moment after its definition.</summary>
    private async Task ServedAsync(string path)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await Server.ReadAsync(path);
                return;
            }
            catch (HttpRequestException) when (watch.Elapsed < TimeSpan.FromSeconds(30))
            {
                await Task.Delay(100);
            }
        }
    }
}

public sealed class ApiServerTests(ClusterFixture cluster) : IClassFixture<ClusterFixture>
{
    private static readonly string[] Kinds =
    [
        "v1/namespaces", "v1/pods", "v1/serviceaccounts", "rbac.authorization.k8s.io/v1/clusterroles", "rbac.authorization.k8s.io/v1/clusterrolebindings",
    ];

    private string Admin => cluster.Server.Kubeconfig($"{{ token: {KubeApiServer.AdminToken} }}");
    private string Reader => cluster.Server.Kubeconfig($"{{ token: {KubeApiServer.ReaderToken} }}");

    [NeedsFact("kube-apiserver")]
    public async Task A_read_that_rbac_denies_fails_with_the_servers_words()
    {
        await using var session = ClusterSession.Live(Reader);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("v1/services"));

        Assert.Equal("Forbidden", e.Code);
        Assert.Equal("services is forbidden: User \"reader\" cannot list resource \"services\" in API group \"\" at the cluster scope", e.Message);
    }

    [NeedsFact("kube-apiserver")]
    public async Task What_the_cluster_does_not_serve_is_told_apart()
    {
        await using var session = ClusterSession.Live(Admin);

        Assert.Equal("NotServed", (await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("example.org/v1/gadgets"))).Code);
        Assert.Equal(
            ("NotServed", "the cluster serves apps/v1, but no gadgets in it"),
            Told(await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("apps/v1/gadgets"))));
        Assert.Equal(
            ("InvalidParameter", "rbac.authorization.k8s.io/v1/clusterroles is not namespaced"),
            Told(await Assert.ThrowsAsync<CollectionException>(() =>
                session.CollectAsync("rbac.authorization.k8s.io/v1/clusterroles", ("namespace", "default")))));
    }

    [NeedsFact("kube-apiserver")]
    public async Task A_secret_is_refused_before_anything_is_sent()
    {
        await using var session = ClusterSession.Live(Admin);
        await session.ConnectAsync();
        var forged = KubernetesSource.Create().FindOperation("v1/pods")! with { Name = "v1/secrets" };

        var e = await Assert.ThrowsAsync<CollectionException>(async () =>
        {
            var none = System.Collections.Immutable.ImmutableSortedDictionary<string, JsonElement>.Empty;
            await foreach (var _ in session.Collector.CollectAsync(new("trading", "trading", "cluster", forged, none), default))
            {
            }
        });

        Assert.Equal("RefusedReadOnly", e.Code);
        Assert.DoesNotContain(OurRequests(), r => r.Resource == "secrets");
    }

    [NeedsFact("kube-apiserver")]
    public async Task A_write_stops_at_the_guard_and_reads_are_all_that_the_server_saw()
    {
        await using var session = ClusterSession.Live(Admin);
        await session.CollectAsync("v1/pods");
        using var guard = session.Transport.Open(new("trading", "api", "cluster"), new RequestCheck("").Refusal);
        using var client = new HttpClient(guard);
        using var request = new HttpRequestMessage(HttpMethod.Delete, new Uri(cluster.Server.Address, "/api/v1/namespaces/default/pods/web-0"));
        request.Headers.Authorization = new("Bearer", KubeApiServer.AdminToken);

        await Assert.ThrowsAsync<ExchangeRefusedException>(() => client.SendAsync(request));

        Assert.NotEmpty(OurRequests());
        Assert.All(OurRequests(), r => Assert.True(r.Verb is "list" or "get" || r is { Verb: "create", Resource: "selfsubjectreviews" }, r.ToString()));
        Assert.Contains("\"web-0\"", await cluster.Server.ReadAsync("/api/v1/namespaces/default/pods"), StringComparison.Ordinal);
    }

    [NeedsFact("kube-apiserver")]
    public async Task Five_kinds_are_read_page_by_page_and_a_replay_gives_the_same_rows_and_records()
    {
        await using var live = ClusterSession.Live(Admin, pageSize: 3);
        var read = new List<string>();
        foreach (var kind in Kinds)
        {
            var pages = await live.CollectAsync(kind);
            Assert.True(pages.Count > 1, $"{kind} has one page");
            Assert.All(pages, p => Assert.True(p.Rows.Length <= 3));
            Assert.Equal(
                Metadata(await cluster.Server.ReadAsync(Path(kind))),
                pages.SelectMany(p => p.Rows).Select(r => r.Value.GetProperty("metadata").GetRawText()));
            read.Add(Raw(pages));
        }
        var recorded = await live.RecordedAsync();

        await using var replay = ClusterSession.Replay(live, pageSize: 3);
        foreach (var (kind, rows) in Kinds.Zip(read))
            Assert.Equal(rows, Raw(await replay.CollectAsync(kind)));

        Assert.Empty(((ReplayTransport)replay.Transport).Unused);
        Assert.Equal(recorded.Select(r => r.Answer.Id), (await replay.RecordedAsync()).Select(r => r.Answer.Id));
        Assert.False(await live.HoldsAsync(KubeApiServer.AdminToken));
        Assert.False(await live.HoldsAsync("uthorization: Bearer"));
    }

    [NeedsFact("kube-apiserver")]
    public async Task Namespace_and_selectors_narrow_a_list()
    {
        await using var session = ClusterSession.Live(Admin);

        Assert.Equal(["web-1", "web-3", "web-5", "web-7"], Names(await session.CollectAsync("v1/pods", ("namespace", "team-a"))));
        Assert.Equal(["web-2"], Names(await session.CollectAsync("v1/pods", ("labelSelector", "app=web,n in (2)"))));
        Assert.Equal(["web-4"], Names(await session.CollectAsync("v1/pods", ("fieldSelector", "metadata.name=web-4"))));
        Assert.Equal([false], (await session.CollectAsync("v1/serviceaccounts", ("fieldSelector", "metadata.name=robot-1")))
            .SelectMany(p => p.Rows).Select(r => r.Value.GetProperty("automountServiceAccountToken").GetBoolean()));
    }

    [NeedsFact("kube-apiserver")]
    public async Task A_custom_resources_numbers_stay_as_the_server_writes_them()
    {
        await using var session = ClusterSession.Live(Admin);

        var row = (await session.CollectAsync("example.com/v1/gadgets"))[0].Rows[0].Value;

        var body = await cluster.Server.ReadAsync("/apis/example.com/v1/gadgets");
        Assert.Contains($"\"spec\":{row.GetProperty("spec").GetRawText()}", body, StringComparison.Ordinal);
        Assert.Equal("""{"amount":9007199254740993}""", row.GetProperty("other").GetRawText());
        Assert.Equal(("example.com/v1", "Gadget"), (row.GetProperty("api_version").GetString(), row.GetProperty("kind").GetString()));
    }

    [NeedsFact("kube-apiserver")]
    public async Task Of_config_maps_only_the_metadata_is_ever_sent()
    {
        await using var session = ClusterSession.Live(Reader, pageSize: 3);

        var rows = (await session.CollectAsync("v1/configmaps")).SelectMany(p => p.Rows).ToList();

        Assert.Contains(rows, r => r.Value.GetProperty("name").GetString() == "settings-7");
        Assert.False(await session.HoldsAsync(ClusterFixture.ConfigData));
    }

    [NeedsFact("kube-apiserver")]
    public async Task The_servers_refusal_names_whom_it_took_the_caller_for_live_and_replayed()
    {
        await using var session = ClusterSession.Live(cluster.Server.Kubeconfig(cluster.Server.CertificateUser("alice")));
        var connection = await session.ConnectAsync();
        Assert.Equal(8, Names(await session.PagesAsync("v1/pods")).Count());
        await session.Transport.DisposeAsync();

        await using var replay = ClusterSession.Replay(session);

        Assert.Equal("alice (named by the API server's refusal)", connection.Identity);
        Assert.Equal(connection.Identity, (await replay.ConnectAsync()).Identity);
    }

    [NeedsFact("kube-apiserver")]
    public async Task A_plugins_token_reads_a_cluster_from_end_to_end()
    {
        using var folder = new TemporaryFolder();
        await using var session = ClusterSession.Live(cluster.Server.Kubeconfig(ConfigurationTests.TokenPlugin(folder, KubeApiServer.ReaderToken)));

        Assert.Equal(8, Names(await session.CollectAsync("v1/pods")).Count());
        Assert.Empty(session.Collector.UnusualEndpoints);
        Assert.False(await session.HoldsAsync(KubeApiServer.ReaderToken));
    }

    [NeedsFact("kube-apiserver")]
    public async Task A_server_of_another_authority_is_not_trusted_even_if_it_has_the_same_name()
    {
        using var other = new TestAuthority();
        var ours = Admin.Split("certificate-authority-data: ")[1].Split(' ')[0];
        var theirs = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(other.Pem));
        await using var session = ClusterSession.Live(Admin.Replace(ours, theirs, StringComparison.Ordinal));

        Assert.Equal("UntrustedServer", (await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync)).Code);
    }

    [NeedsFact("kube-apiserver")]
    public async Task A_server_of_another_name_is_not_trusted()
    {
        await using var session = ClusterSession.Live(cluster.Server.Kubeconfig(
            $"{{ token: {KubeApiServer.AdminToken} }}", ", tls-server-name: another.example"));

        Assert.Equal("UntrustedServer", (await Assert.ThrowsAsync<CollectionException>(session.ConnectAsync)).Code);
    }

    [NeedsFact("kube-apiserver")]
    public async Task A_server_whose_certificate_nobody_checks_is_named()
    {
        var kubeconfig = Admin.Replace(
            "certificate-authority-data: " + Admin.Split("certificate-authority-data: ")[1].Split(' ')[0], "insecure-skip-tls-verify: true",
            StringComparison.Ordinal);
        await using var session = ClusterSession.Live(kubeconfig);

        await session.CollectAsync("v1/namespaces");

        Assert.Equal(
            cluster.Server.Address.GetLeftPart(UriPartial.Authority) + " (certificate not checked)",
            Assert.Single(session.Collector.UnusualEndpoints));
    }

    [NeedsFact("kube-apiserver", "kubectl")]
    public async Task A_call_prints_the_items_that_kubectl_prints()
    {
        using var folder = new TemporaryFolder();
        var kubeconfig = folder.Write("kubeconfig", Admin);
        await using var session = ClusterSession.Live(Admin, pageSize: 3);
        foreach (var operation in Kinds.Append("example.com/v1/gadgets").Append("v1/services").Append("apiregistration.k8s.io/v1/apiservices"))
        {
            var ours = await session.CallAsync(operation);
            var resource = operation.Split('/') is [var group, var version, var name] ? $"{name}.{version}.{group}" : operation.Split('/')[1];
            var theirs = JsonNode.Parse(await Kubectl.RunAsync(
                "--kubeconfig", kubeconfig, "get", resource, "-A", "-o", "json", "--show-managed-fields"))!["items"];

            Assert.True(JsonNode.DeepEquals(theirs, JsonNode.Parse(ours.GetProperty("items").GetRawText())), operation);
        }
    }

    /// <summary>Returns the requests of AuditCli in the server's audit log.</summary>
    private List<(string Verb, string? Resource)> OurRequests()
    {
        using var file = new StreamReader(new FileStream(cluster.Server.AuditLog, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return
        [
            .. file.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)
                .Where(e => e["userAgent"]?.GetValue<string>().StartsWith("auditcli/", StringComparison.Ordinal) == true)
                .Select(e => (e["verb"]!.GetValue<string>(), e["objectRef"]?["resource"]?.GetValue<string>())),
        ];
    }

    private static string Path(string kind) => kind.Split('/') is [var version, var core] ? $"/api/{version}/{core}" : "/apis/" + kind;

    private static IEnumerable<string> Metadata(string list) =>
        JsonElement.Parse(list).GetProperty("items").EnumerateArray().Select(i => i.GetProperty("metadata").GetRawText());

    private static string Raw(List<Page> pages) => string.Join('\n', pages.SelectMany(p => p.Rows).Select(r => r.Pointer + r.Value.GetRawText()));

    private static IEnumerable<string?> Names(List<Page> pages) => pages.SelectMany(p => p.Rows).Select(r => r.Value.GetProperty("name").GetString());

    private static (string, string) Told(CollectionException e) => (e.Code, e.Message);
}
