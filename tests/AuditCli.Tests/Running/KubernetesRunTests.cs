using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Tests.Secrets;

namespace AuditCli.Tests.Running;

/// <summary>A real API server with a service account that may list what the shipped controls read, and one privileged pod.</summary>
public sealed class AuditedCluster : IAsyncLifetime
{
    private const string Rbac = "/apis/rbac.authorization.k8s.io/v1/";
    private KubeApiServer? _server;

    public KubeApiServer Server => _server ?? throw new InvalidOperationException("there is no API server");

    public async Task InitializeAsync()
    {
        if (Tool.WhyNot("kube-apiserver") is not null)
            return;
        _server = await KubeApiServer.StartAsync();
        await Server.CreateAsync("/api/v1/namespaces", """{"metadata":{"name":"audit"}}""");
        await Server.CreateAsync("/api/v1/namespaces/audit/serviceaccounts", """{"metadata":{"name":"reader"}}""");
        await Server.CreateAsync(Rbac + "clusterroles", """
            {"metadata":{"name":"auditor"},"rules":[
              {"apiGroups":["rbac.authorization.k8s.io"],"resources":["clusterroles","roles","clusterrolebindings","rolebindings"],"verbs":["list"]},
              {"apiGroups":[""],"resources":["configmaps"],"resourceNames":["aws-auth"],"verbs":["get"]},
              {"apiGroups":["","apps","batch"],
               "resources":["pods","persistentvolumeclaims","persistentvolumes","replicationcontrollers","deployments","replicasets",
                 "statefulsets","daemonsets","jobs","cronjobs"],
               "verbs":["list"]}]}
            """);
        await Server.CreateAsync(Rbac + "clusterrolebindings", """
            {"metadata":{"name":"auditor"},"subjects":[{"kind":"ServiceAccount","name":"reader","namespace":"audit"}],
             "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"auditor"}}
            """);
        await Server.CreateAsync("/api/v1/namespaces", """{"metadata":{"name":"kube-system"}}""");
        await Server.CreateAsync(
            "/api/v1/namespaces/kube-system/configmaps",
            """{"metadata":{"name":"aws-auth"},"data":{"mapRoles":"- {rolearn: 'arn:aws:iam::1:role/node', username: node, groups: ['system:nodes']}"}}""");
        await Server.CreateAsync(
            "/api/v1/namespaces/audit/pods",
            """{"metadata":{"name":"agent"},"spec":{"containers":[{"name":"c","image":"i:1","securityContext":{"privileged":true}}]}}""");
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    /// <summary>Returns a token like the one that the kubelet mounts into a pod.</summary>
    public async Task<string> TokenAsync()
    {
        var answer = await Server.AskAsync(
            "/api/v1/namespaces/audit/serviceaccounts/reader/token",
            """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":3600}}""");
        return JsonNode.Parse(answer)!["status"]!["token"]!.GetValue<string>();
    }
}

/// <summary>Runs the shipped Kubernetes controls against a real API server, from outside and as from within a pod.</summary>
public sealed class KubernetesRunTests(AuditedCluster cluster) : IClassFixture<AuditedCluster>
{
    private static readonly Dictionary<string, string> Nothing = [];

    [NeedsFact("kube-apiserver")]
    public async Task A_caller_who_may_list_nothing_passes_nothing()
    {
        using var folder = new TemporaryFolder();
        var kubeconfig = folder.Write("kubeconfig", cluster.Server.Kubeconfig($"{{ token: {KubeApiServer.ReaderToken} }}"));

        var result = await AuditCommand.RunAsync(folder.Path, Run(folder, $"{{ kubeconfig: \"{kubeconfig}\" }}"));

        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.All(Conclusions(result), c => Assert.Equal("INCONCLUSIVE", c.Conclusion));
    }

    [NeedsFact("kube-apiserver")]
    public async Task A_new_cluster_is_not_accused_of_what_it_is_born_with_and_a_replay_agrees()
    {
        using var folder = new TemporaryFolder();
        var kubeconfig = folder.Write("kubeconfig", cluster.Server.Kubeconfig($"{{ token: {await cluster.TokenAsync()} }}"));

        var live = await AuditCommand.ProcessAsync(folder.Path, Nothing, [], Run(folder, $"{{ kubeconfig: \"{kubeconfig}\" }}"));

        Assert.True(live.ExitCode == 2, live.ToString());
        Assert.Equal([("APD-K8S-001", "PASS", 0), ("APD-K8S-004", "PASS", 0), ("INF-K8S-002", "FAIL", 1)], Conclusions(live));
        var first = AuditCommand.TheBundle(Path.Combine(folder.Path, "out"));
        var moment = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(first, "data", "run.json")))!["as_of"]!.GetValue<string>();
        var replayed = await AuditCommand.RunAsync(
            folder.Path,
            Run(folder, "{}", "replayed", $"replay: {Path.Combine("out", Path.GetFileName(first), "data", "exchanges")}\nas_of: {moment}\n"));
        Assert.True(replayed.ExitCode == 2, replayed.ToString());
        SampleTests.SameContents(first, AuditCommand.TheBundle(Path.Combine(folder.Path, "replayed")), "data/tables");
        SampleTests.SameContents(first, AuditCommand.TheBundle(Path.Combine(folder.Path, "replayed")), "data/results");
    }

    [NeedsFact("kube-apiserver")]
    public async Task What_pods_carry_in_their_environment_reaches_no_file_and_the_index_says_so()
    {
        using var folder = new TemporaryFolder();
        await cluster.Server.CreateAsync("/api/v1/namespaces/audit/pods", """
            {"metadata":{"name":"ledger","annotations":{
               "deploy":"by https://robot:MARKERurlMARKER@git.internal/ledger",
               "kubectl.kubernetes.io/last-applied-configuration":"MARKERappliedMARKER"}},
             "spec":{"securityContext":{"runAsNonRoot":true,"runAsUser":1,"seccompProfile":{"type":"RuntimeDefault"}},
               "containers":[{"name":"c","image":"i:1","args":["--db-password=MARKERargumentMARKER"],
                 "env":[{"name":"DATABASE","value":"MARKERenvironmentMARKER"},{"name":"AGAIN","value":"MARKERenvironmentMARKER"}],
                 "securityContext":{"allowPrivilegeEscalation":false}}]}}
            """);
        var kubeconfig = folder.Write("kubeconfig", cluster.Server.Kubeconfig($"{{ token: {await cluster.TokenAsync()} }}"));
        var key = new Dictionary<string, string> { ["AUDITCLI_REDACTION_KEY"] = string.Concat(Enumerable.Repeat("5a", 32)) };

        var live = await AuditCommand.ProcessAsync(folder.Path, key, [], [.. Run(folder, $"{{ kubeconfig: \"{kubeconfig}\" }}"), "-v"]);

        Assert.True(live.ExitCode == 2, live.ToString());
        Assert.DoesNotContain("MARKER", live + await CredentialTests.EverythingAsync(Path.Combine(folder.Path, "out")), StringComparison.Ordinal);
        var first = AuditCommand.TheBundle(Path.Combine(folder.Path, "out"));
        var redactions = Redactions(first);
        Assert.Equal(["credential", "environment", "last-applied"], redactions.Select(r => r.Rule).Distinct().Order());
        var environment = redactions.Where(r => r.Rule == "environment").ToArray();
        var digest = System.Security.Cryptography.HMACSHA256.HashData(
            Convert.FromHexString(key["AUDITCLI_REDACTION_KEY"]), "MARKERenvironmentMARKER"u8);
        Assert.Equal("hmac-sha256:" + Convert.ToHexStringLower(digest), Assert.Single(environment.Select(r => r.Digest).Distinct()));
        Assert.Contains(environment, r => r.Pointer.EndsWith("/env/0/value", StringComparison.Ordinal));

        var moment = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(first, "data", "run.json")))!["as_of"]!.GetValue<string>();
        var replayed = await AuditCommand.RunAsync(
            folder.Path,
            Run(folder, "{}", "replayed", $"replay: {Path.Combine("out", Path.GetFileName(first), "data", "exchanges")}\nas_of: {moment}\n"));
        Assert.True(replayed.ExitCode == 2, replayed.ToString());
        var second = AuditCommand.TheBundle(Path.Combine(folder.Path, "replayed"));
        foreach (var part in new[] { "data/tables", "data/results" })
            SampleTests.SameContents(first, second, part);
        Assert.Equal(redactions, Redactions(second));
    }

    [Theory]
    [InlineData("no key")]
    [InlineData("5a5a")]
    public async Task A_redaction_key_that_is_none_is_said_before_anything_is_asked(string key)
    {
        using var folder = new TemporaryFolder();
        var host = AuditCommand.Host(folder.Path) with { Environment = name => name == "AUDITCLI_REDACTION_KEY" ? key : null };
        var result = await AuditCommand.RunAsync(host, CancellationToken.None, Run(folder, "{}"));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("AUDITCLI_REDACTION_KEY", result.Error, StringComparison.Ordinal);
        Assert.Contains("openssl rand -hex 32", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(key, result.Error, StringComparison.Ordinal);
    }

    /// <summary>Puts the token and the cluster's CA where a kubelet does, on a /run that only the program sees.</summary>
    [NeedsFact("root", "kube-apiserver", "unshare", "mount", "sh")]
    public async Task A_pods_own_service_account_reads_its_cluster()
    {
        using var folder = new TemporaryFolder();
        var token = await cluster.TokenAsync();
        folder.Write("mounted/token", token);
        folder.Write("mounted/ca.crt", cluster.Server.AuthorityPem);
        folder.Write("mounted/namespace", "audit");
        var pod = new Dictionary<string, string>
        {
            ["KUBERNETES_SERVICE_HOST"] = cluster.Server.Address.Host,
            ["KUBERNETES_SERVICE_PORT"] = $"{cluster.Server.Address.Port}",
        };
        const string Mount = "mount -t tmpfs none /run && mkdir -p /var/run/secrets/kubernetes.io/serviceaccount "
            + "&& cp \"$0\"/* /var/run/secrets/kubernetes.io/serviceaccount/ && exec \"$@\"";

        var result = await AuditCommand.ProcessAsync(
            folder.Path, pod, ["unshare", "--mount", "sh", "-c", Mount, Path.Combine(folder.Path, "mounted")], Run(folder, "{}"));

        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Equal([("APD-K8S-001", "PASS", 0), ("APD-K8S-004", "PASS", 0), ("INF-K8S-002", "FAIL", 1)], Conclusions(result));
        var bundle = Path.Combine(folder.Path, "out");
        var text = result + await CredentialTests.EverythingAsync(bundle);
        Assert.Contains("system:serviceaccount:audit:reader", text, StringComparison.Ordinal);
        Assert.DoesNotContain(token, text, StringComparison.Ordinal);
        Assert.False(Directory.Exists("/var/run/secrets/kubernetes.io/serviceaccount"), "the mount was seen outside");
    }

    private static string[] Run(TemporaryFolder folder, string target, string output = "out", string more = "")
    {
        var engagement = folder.Write($"{output}.yaml", $$"""
            schema: 1
            entity: Acme
            name: Cluster
            period: { start: 2026-01-01, end: 2026-09-30, time_zone: UTC }
            preparer: A. Preparer
            reviewer: R. Reviewer
            library: {{Repository.Path("controls")}}
            controls: { include: [APD-K8S-001, APD-K8S-004, INF-K8S-002] }
            targets: { trading: { kubernetes: {{target}} } }
            {{more}}
            """);
        return ["run", engagement, "--out", Path.Combine(folder.Path, output), "--output", "json"];
    }

    private static List<(string Pointer, string Rule, string Digest)> Redactions(string bundle) =>
    [
        .. File.ReadLines(Path.Combine(bundle, "data", "evidence", "index.jsonl")).Select(l => JsonElement.Parse(l))
            .Where(i => i.TryGetProperty("redactions", out _))
            .SelectMany(i => i.GetProperty("redactions").EnumerateArray())
            .Select(r => (r.GetProperty("pointer").GetString()!, r.GetProperty("rule").GetString()!, r.GetProperty("digest").GetString()!)),
    ];

    private static List<(string Id, string Conclusion, int Deviations)> Conclusions(CommandResult result) =>
    [
        .. JsonElement.Parse(result.Output).GetProperty("controls").EnumerateArray()
            .Select(c => (c.GetProperty("id").GetString()!, c.GetProperty("conclusion").GetString()!, c.GetProperty("deviations").GetInt32())),
    ];
}
