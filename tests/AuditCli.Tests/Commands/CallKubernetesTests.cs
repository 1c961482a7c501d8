using System.Text.Json;
using System.Text.Json.Nodes;

namespace AuditCli.Tests.Commands;

/// <summary>
/// A real API server with the objects of <c>cluster.yaml</c>, applied by kubectl, and more service accounts than fit on one page.
/// </summary>
public sealed class ClusterOfObjects : IAsyncLifetime, IDisposable
{
    private const int MoreThanAPage = 501;
    private readonly TemporaryFolder _folder = new();
    private KubeApiServer? _server;

    public KubeApiServer Server => _server ?? throw new InvalidOperationException(KubeApiServer.HowToInstall);

    public string Folder => _folder.Path;

    public string Admin => Path.Combine(Folder, "admin");

    /// <summary>The kubeconfig of a user who may list pods.</summary>
    public string Reader => Path.Combine(Folder, "reader");

    public async Task InitializeAsync()
    {
        if (Tool.WhyNot("kube-apiserver", "kubectl") is not null)
            return;
        _server = await KubeApiServer.StartAsync();
        _folder.Write("admin", Server.Kubeconfig($"{{ token: {KubeApiServer.AdminToken} }}"));
        _folder.Write("reader", Server.Kubeconfig($"{{ token: {KubeApiServer.ReaderToken} }}"));
        // The server creates this namespace itself, shortly after it is ready.
        await Server.CreateAsync("/api/v1/namespaces", """{"metadata":{"name":"default"}}""");
        await KubectlAsync("apply", "--validate=false", "-f", Repository.Path("tests", "AuditCli.Tests", "cluster.yaml"));
        await KubectlAsync("wait", "--for=condition=Established", "crd", "--all");
        await KubectlAsync("apply", "--validate=false", "-f", Repository.Path("tests", "AuditCli.Tests", "cluster-custom.yaml"));
        await KubectlAsync("wait", "--for=condition=Available", "apiservice", "--all");
        await Parallel.ForAsync(0, MoreThanAPage, async (i, _) => await Server.CreateAsync(
            "/api/v1/namespaces/trading/serviceaccounts", $$$"""{"metadata":{"name":"many-{{{i}}}"}}"""));
        await Server.CreateAsync("/api/v1/namespaces/trading/secrets", """{"metadata":{"name":"password"},"stringData":{"p":"MARKERsecretMARKER"}}""");
        await Server.CreateAsync("/api/v1/namespaces/trading/configmaps", """{"metadata":{"name":"settings"},"data":{"p":"MARKERconfigMARKER"}}""");
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Returns what kubectl prints when run as the administrator.</summary>
    public async Task<string> KubectlAsync(params string[] arguments)
    {
        var result = await AuditCommand.OtherAsync(Folder, "kubectl", ["--kubeconfig", Admin, .. arguments]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    /// <summary>Returns verb, resource and program of every request in the server's audit log.</summary>
    public IReadOnlyList<(string Verb, string? Resource, string Program)> Requests()
    {
        using var file = new StreamReader(new FileStream(Server.AuditLog, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return
        [
            .. file.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)
                .Select(e => (
                    e["verb"]!.GetValue<string>(),
                    e["objectRef"]?["resource"]?.GetValue<string>(),
                    e["userAgent"]?.GetValue<string>().Split('/')[0] ?? "")),
        ];
    }
}

/// <summary>Checks that <c>call kubernetes</c> prints what kubectl prints, or nothing.</summary>
public sealed class CallKubernetesTests(ClusterOfObjects cluster) : IClassFixture<ClusterOfObjects>
{
    private static readonly string[] Resources =
    [
        "v1/namespaces", "v1/pods", "v1/services", "v1/serviceaccounts", "v1/persistentvolumes", "v1/persistentvolumeclaims", "v1/resourcequotas",
        "v1/limitranges", "v1/endpoints", "v1/nodes", "v1/podtemplates", "apps/v1/deployments", "apps/v1/statefulsets", "apps/v1/daemonsets",
        "apps/v1/controllerrevisions", "batch/v1/jobs", "batch/v1beta1/cronjobs", "networking.k8s.io/v1/networkpolicies", "networking.k8s.io/v1/ingresses",
        "policy/v1beta1/poddisruptionbudgets", "policy/v1beta1/podsecuritypolicies", "rbac.authorization.k8s.io/v1/clusterroles",
        "rbac.authorization.k8s.io/v1/clusterrolebindings", "rbac.authorization.k8s.io/v1/roles", "rbac.authorization.k8s.io/v1/rolebindings",
        "storage.k8s.io/v1/storageclasses", "scheduling.k8s.io/v1/priorityclasses", "admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
        "autoscaling/v1/horizontalpodautoscalers", "coordination.k8s.io/v1/leases", "apiextensions.k8s.io/v1/customresourcedefinitions",
        "apiregistration.k8s.io/v1/apiservices", "example.com/v1/gadgets", "measures.example.org/v1alpha1/readings",
    ];

    [NeedsFact("kube-apiserver", "kubectl")]
    public async Task A_denied_list_prints_nothing_on_stdout_and_the_servers_own_words_on_stderr()
    {
        var denied = await CallAsync("v1/services", "--kubeconfig", cluster.Reader);

        Assert.Equal((3, ""), (denied.ExitCode, denied.Output));
        Assert.Equal(
            "Forbidden: services is forbidden: User \"reader\" cannot list resource \"services\" in API group \"\" at the cluster scope",
            denied.Error.TrimEnd());
        Assert.Equal(0, (await CallAsync("v1/pods", "--kubeconfig", cluster.Reader)).ExitCode);
    }

    [NeedsFact("kube-apiserver", "kubectl")]
    public async Task What_a_cluster_does_not_serve_or_understand_is_a_failure_and_not_an_empty_list()
    {
        await FailsAsync(3, "NotServed: the cluster does not serve example.org/v9", "example.org/v9/gadgets");
        await FailsAsync(3, "NotServed: the cluster serves apps/v1, but no gadgets in it", "apps/v1/gadgets");
        await FailsAsync(3, "BadRequest: unable to parse requirement", "v1/pods", "labelSelector=a in (");
        await FailsAsync(3, "BadRequest: ", "v1/pods", "fieldSelector=spec.nonsense=a");
    }

    [NeedsFact("kube-apiserver", "kubectl")]
    public async Task Secrets_are_refused_before_anything_is_sent()
    {
        await cluster.KubectlAsync("get", "secrets", "-A");
        var before = cluster.Requests().Count(r => r.Program == "auditcli");
        foreach (var secrets in new[] { "v1/secrets", "example.com/v1/secrets" })
            await FailsAsync(1, $"{secrets} is refused: secrets are never requested", secrets, "namespace=trading");

        Assert.Contains(cluster.Requests(), r => r is { Program: "kubectl", Resource: "secrets" });
        Assert.DoesNotContain(cluster.Requests(), r => r is { Program: "auditcli", Resource: "secrets" });
        Assert.Equal(before, cluster.Requests().Count(r => r.Program == "auditcli"));
    }

    [NeedsFact("kube-apiserver", "kubectl")]
    public async Task Of_config_maps_only_the_metadata_is_printed()
    {
        var printed = await CallAsync("v1/configmaps", "namespace=trading");

        Assert.Equal(0, printed.ExitCode);
        Assert.Contains("\"settings\"", printed.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", printed.ToString(), StringComparison.Ordinal);
    }

    [NeedsFact("kube-apiserver", "kubectl")]
    public async Task A_wrong_question_is_a_usage_error()
    {
        await FailsAsync(1, "did you mean v1/pods: write <group>/<version>/<resource>, or v1/<resource> for the core group", "pods");
        await FailsAsync(1, "did you mean apps/v1/deployments", "deployment");
        await FailsAsync(1, "'Gadgets' is not a resource", "example.com/v1/Gadgets");
        await FailsAsync(1, "v1/pods takes no parameter limit; it takes namespace, labelSelector, fieldSelector", "v1/pods", "limit=5");
        await FailsAsync(1, "InvalidParameter: 'a/../b' is not a namespace", "v1/pods", "namespace=a/../b");
        await FailsAsync(1, "InvalidParameter: v1/nodes is not namespaced", "v1/nodes", "namespace=trading");
    }

    [NeedsFact("kube-apiserver", "kubectl")]
    public async Task A_kubeconfig_or_context_that_is_not_there_is_a_failure_that_names_it()
    {
        await FailsAsync(3, "nowhere", "v1/pods", "--kubeconfig", Path.Combine(cluster.Folder, "nowhere"));
        await FailsAsync(3, "nobody", "v1/pods", "--context", "nobody");
    }

    [NeedsFact("kube-apiserver", "kubectl")]
    public async Task The_engagements_target_gives_the_cluster_and_an_option_stands_before_it()
    {
        using var folder = new TemporaryFolder();
        var engagement = folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004").Replace(
            "prod: { aws: { regions: [us-east-1] } }",
            $"trading: {{ kubernetes: {{ context: nobody, kubeconfig: {cluster.Admin} }} }}",
            StringComparison.Ordinal));

        var wrong = await AuditCommand.RunAsync(folder.Path, "call", "kubernetes", "v1/pods", "--engagement", engagement);
        var right = await AuditCommand.RunAsync(
            folder.Path, "call", "kubernetes", "v1/pods", "--engagement", engagement, "--target", "trading", "--context", "test");

        Assert.Equal((3, 0), (wrong.ExitCode, right.ExitCode));
        Assert.Contains("web.0-a", right.Output, StringComparison.Ordinal);
    }

    /// <summary>
    /// Compares all members of every object, and every literal character by character. The head of the list is ignored: kubectl prints a
    /// List of its own there, and this program the server's.
    /// </summary>
    [NeedsFact("kube-apiserver", "kubectl")]
    public async Task Every_list_has_the_objects_that_kubectl_prints_and_the_head_that_the_server_sends()
    {
        foreach (var resource in Resources)
        {
            var (name, path) = resource.Split('/') is [var group, var version, var plural]
                ? ($"{plural}.{version}.{group}", "/apis/" + resource)
                : (resource.Split('/')[1], "/api/" + resource);
            var theirs = SortedJson.Parse(await cluster.KubectlAsync("get", name, "-A", "-o", "json", "--show-managed-fields")).GetProperty("items");

            var result = await CallAsync(resource);

            Assert.True(result.ExitCode == 0, $"{resource}: {result}");
            var ours = SortedJson.Parse(result.Output);
            var served = SortedJson.Parse(await cluster.Server.ReadAsync(path));
            Assert.NotEqual(0, theirs.GetArrayLength());
            Assert.Equal(["apiVersion", "kind", "metadata", "items"], ours.EnumerateObject().Select(m => m.Name));
            Assert.Equal(Head(served), Head(ours));
            Assert.Equal(SortedJson.Of(theirs), SortedJson.Of(ours.GetProperty("items")));
            Assert.Equal(Numbers(served), Numbers(ours));
        }
    }

    [NeedsFact("kube-apiserver", "kubectl")]
    public async Task Numbers_that_a_double_would_change_are_printed_as_the_server_writes_them()
    {
        var printed = Numbers(SortedJson.Parse((await CallAsync("example.com/v1/gadgets")).Output)).ToArray();

        Assert.All(
            new[] { "9007199254740993", "-9223372036854775808", "9223372036854775807", "0.1", "1.5", "1e+21", "1e+300", "5e-324", "1e-7" },
            literal => Assert.Contains(literal, printed));
    }

    private static (string?, string?) Head(JsonElement list) => (list.GetProperty("apiVersion").GetString(), list.GetProperty("kind").GetString());

    /// <summary>Returns every number literal of the objects in document order.</summary>
    private static IEnumerable<string> Numbers(JsonElement e) => e.ValueKind switch
    {
        JsonValueKind.Object => e.EnumerateObject().SelectMany(m => Numbers(m.Value)),
        JsonValueKind.Array => e.EnumerateArray().SelectMany(Numbers),
        JsonValueKind.Number => [e.GetRawText()],
        _ => [],
    };

    private async Task FailsAsync(int exitCode, string words, params string[] question)
    {
        var result = await CallAsync(question);
        Assert.Equal((exitCode, ""), (result.ExitCode, result.Output));
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", result.Error, StringComparison.Ordinal);
    }

    private Task<CommandResult> CallAsync(params string[] question) => AuditCommand.RunAsync(
        cluster.Folder, ["call", "kubernetes", .. question, .. question.Contains("--kubeconfig") ? Array.Empty<string>() : ["--kubeconfig", cluster.Admin]]);
}
