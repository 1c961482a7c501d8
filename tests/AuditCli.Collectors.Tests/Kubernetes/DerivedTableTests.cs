using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>A real API server with roles, bindings and every kind that makes pods.</summary>
public sealed class RightsFixture : IAsyncLifetime
{
    private const string Rbac = "/apis/rbac.authorization.k8s.io/v1/";
    private KubeApiServer? _server;

    public KubeApiServer Server => _server ?? throw new InvalidOperationException(KubeApiServer.HowToInstall);

    public async Task InitializeAsync()
    {
        if (Tool.WhyNot("kube-apiserver") is not null)
            return;
        _server = await KubeApiServer.StartAsync();
        foreach (var ns in new[] { "team-a", "team-b" })
            await CreateAsync("/api/v1/namespaces", $$$"""{"metadata":{"name":"{{{ns}}}"}}""");

        await ClusterRoleAsync(
            "pod-reader",
            """[{"apiGroups":[""],"resources":["pods","pods/log"],"verbs":["get","list"]},{"nonResourceURLs":["/metrics"],"verbs":["get"]}]""");
        await ClusterRoleAsync("everything", """[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]""");
        await ClusterRoleAsync(
            "one-lease",
            """[{"apiGroups":["coordination.k8s.io"],"resources":["leases"],"resourceNames":["the-one"],"verbs":["update"]}]""");
        await ClusterRoleAsync("scaler", """[{"apiGroups":["apps"],"resources":["*/scale"],"verbs":["update"]}]""");
        await CreateAsync(
            Rbac + "namespaces/team-a/roles",
            """{"metadata":{"name":"editor"},"rules":[{"apiGroups":["apps"],"resources":["deployments"],"verbs":["create","delete"]}]}""");
        await BindAsync(null, "alice-reads", "ClusterRole", "pod-reader", User("alice"));
        await BindAsync(null, "ops-all", "ClusterRole", "everything", """{"kind":"Group","name":"ops","apiGroup":"rbac.authorization.k8s.io"}""");
        await BindAsync(null, "lease", "ClusterRole", "one-lease", User("leader"));
        await BindAsync(null, "scale", "ClusterRole", "scaler", User("scaler"));
        await BindAsync(null, "gone", "ClusterRole", "never-made", User("nobody"));
        await BindAsync("team-a", "bob-reads", "ClusterRole", "pod-reader", User("bob"));
        await BindAsync("team-a", "bob-edits", "Role", "editor", User("bob"));
        await BindAsync("team-b", "bob-edits", "Role", "editor", User("bob"));
        await BindAsync("team-a", "robot", "ClusterRole", "pod-reader", """{"kind":"ServiceAccount","name":"robot","namespace":"team-b"}""");

        const string Containers = "\"containers\":[{\"name\":\"a\",\"image\":\"i:1\"},{\"name\":\"b\",\"image\":\"i:2\"}],"
            + "\"initContainers\":[{\"name\":\"c\",\"image\":\"i:3\"}]";
        const string Forever = "{\"metadata\":{\"labels\":{\"app\":\"x\"}},\"spec\":{" + Containers + "}}";
        const string Ending = "{\"metadata\":{\"labels\":{\"app\":\"x\"}},\"spec\":{\"restartPolicy\":\"Never\"," + Containers + "}}";
        const string Selecting = "\"selector\":{\"matchLabels\":{\"app\":\"x\"}},\"template\":" + Forever;
        await SpecAsync("/api/v1/namespaces/team-a/pods", "pod", Containers + ",\"hostNetwork\":true");
        await SpecAsync("/api/v1/namespaces/team-b/replicationcontrollers", "rc", "\"selector\":{\"app\":\"x\"},\"template\":" + Forever);
        await SpecAsync("/apis/apps/v1/namespaces/team-a/deployments", "deploy", Selecting);
        await SpecAsync("/apis/apps/v1/namespaces/team-a/replicasets", "rs", Selecting);
        await SpecAsync("/apis/apps/v1/namespaces/team-b/statefulsets", "sts", "\"serviceName\":\"x\"," + Selecting);
        await SpecAsync("/apis/apps/v1/namespaces/team-b/daemonsets", "ds", Selecting);
        await SpecAsync("/apis/batch/v1/namespaces/team-a/jobs", "job", "\"template\":" + Ending);
        await SpecAsync(
            "/apis/batch/v1beta1/namespaces/team-a/cronjobs", "cron",
            "\"schedule\":\"0 0 * * *\",\"jobTemplate\":{\"spec\":{\"template\":" + Ending + "}}");
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    public Task ClusterRoleAsync(string name, string rules, string labels = "{}", string aggregation = "null") => CreateAsync(
        Rbac + "clusterroles", $$$"""{"metadata":{"name":"{{{name}}}","labels":{{{labels}}}},"rules":{{{rules}}},"aggregationRule":{{{aggregation}}}}""");

    public Task BindAsync(string? ns, string name, string kind, string role, string subject) => CreateAsync(
        Rbac + (ns is null ? "clusterrolebindings" : $"namespaces/{ns}/rolebindings"),
        $$$"""{"metadata":{"name":"{{{name}}}"},"subjects":[{{{subject}}}],"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"{{{kind}}}","name":"{{{role}}}"}}""");

    public static string User(string name) => $$"""{"kind":"User","name":"{{name}}","apiGroup":"rbac.authorization.k8s.io"}""";

    private Task CreateAsync(string path, string json) => Server.CreateAsync(path, json);

    private Task SpecAsync(string path, string name, string members) =>
        CreateAsync(path, "{\"metadata\":{\"name\":\"" + name + "\"},\"spec\":{" + members + "}}");
}

/// <summary>Compares the derived tables with a real API server and with kubectl.</summary>
public sealed class DerivedTableTests(RightsFixture cluster) : IClassFixture<RightsFixture>
{
    private string Admin => cluster.Server.Kubeconfig($"{{ token: {KubeApiServer.AdminToken} }}");

    [NeedsFact("kube-apiserver")]
    public async Task A_caller_who_may_not_list_roles_gets_no_table()
    {
        await using var session = ClusterSession.Live(cluster.Server.Kubeconfig($"{{ token: {KubeApiServer.ReaderToken} }}"));

        var run = await session.RunAsync("rbac_effective", "pod_templates");

        Assert.All(run, r => Assert.Equal((CollectionOutcome.Failed, "Forbidden"), (r.Item.Outcome, r.Item.Code)));
    }

    [NeedsFact("kube-apiserver", "kubectl")]
    public async Task Rights_agree_with_what_the_servers_own_authorizer_says()
    {
        (string User, string Groups)[] callers =
        [
            ("alice", ""), ("bob", ""), ("carol", "ops"), ("leader", ""), ("scaler", ""), ("nobody", ""), ("system:anonymous", "system:unauthenticated"),
            ("system:serviceaccount:team-b:robot", "system:serviceaccounts,system:serviceaccounts:team-b,system:authenticated"),
            ("dora", "system:authenticated"),
            ("system:serviceaccount:kube-system:deployment-controller", "system:serviceaccounts,system:authenticated"), ("system:kube-scheduler", ""),
        ];
        (string Verb, string Resource, string? Namespace)[] questions =
        [
            ("get", "pods", null), ("list", "pods", "team-a"), ("get", "pods", "team-b"), ("get", "pods/log", "team-a"), ("delete", "pods", "team-a"),
            ("create", "deployments.apps", "team-a"), ("create", "deployments.apps", "team-b"), ("update", "deployments.apps", "team-a"),
            ("update", "deployments.apps/scale", "team-a"),
            ("update", "leases.coordination.k8s.io/the-one", null), ("update", "leases.coordination.k8s.io/another", null),
            ("update", "leases.coordination.k8s.io", "team-a"),
            ("list", "nodes", null), ("create", "selfsubjectaccessreviews.authorization.k8s.io", null), ("get", "/metrics", null),
            ("get", "/healthz", null), ("get", "/apis/apps", null), ("post", "/metrics", null),
        ];
        await using var session = ClusterSession.Live(Admin, pageSize: 20);
        var (item, rows) = Assert.Single(await session.RunAsync("rbac_effective"));
        Assert.Equal(CollectionOutcome.Complete, item.Outcome);
        var rights = rows.Where(r => Text(r, "verb") is not null).ToLookup(r => $"{Text(r, "subject_kind")} {Text(r, "subject")}");
        var yes = 0;
        foreach (var (user, groups) in callers)
        {
            var names = groups.Split(',', StringSplitOptions.RemoveEmptyEntries);
            string[] keys = [$"User {user}", $"ServiceAccount {user}", .. names.Select(g => $"Group {g}")];
            foreach (var (verb, what, ns) in questions)
            {
                var theirs = await AllowedAsync(user, names, verb, what, ns);
                var ours = keys.SelectMany(k => rights[k]).Any(r => Grants(r, verb, what, ns));
                Assert.True(theirs == ours, $"{user} {groups}: {verb} {what} in {ns ?? "the cluster"}: the server says {theirs}");
                yes += ours ? 1 : 0;
            }
        }
        Assert.InRange(yes, 30, (callers.Length * questions.Length) - 30);

        // Asks some of the same through kubectl, which builds the reviews itself.
        using var folder = new TemporaryFolder();
        var kubeconfig = folder.Write("kubeconfig", Admin);
        Assert.Equal("yes", await Kubectl.CanIAsync(kubeconfig, "get", "pods", "--as=bob", "-n", "team-a"));
        Assert.Equal("no", await Kubectl.CanIAsync(kubeconfig, "get", "pods", "--as=bob", "-n", "team-b"));
        Assert.Equal("yes", await Kubectl.CanIAsync(kubeconfig, "delete", "nodes", "--as=x", "--as-group=ops"));
        Assert.Equal("no", await Kubectl.CanIAsync(kubeconfig, "get", "/metrics", "--as=bob"));
    }

    [NeedsFact("kube-apiserver")]
    public async Task Every_binding_of_the_cluster_is_there_and_a_replay_makes_the_same_table()
    {
        await using var live = ClusterSession.Live(Admin, pageSize: 20);
        var run = await live.RunAsync(
            "rbac_effective", "pod_templates", "rbac.authorization.k8s.io/v1/rolebindings",
            "rbac.authorization.k8s.io/v1/clusterrolebindings", "v1/pods");
        await live.Transport.DisposeAsync();
        var via = run[0].Rows.Select(r => Text(r, "via")).ToHashSet();

        Assert.Equal(run[2].Rows.Length + run[3].Rows.Length, via.Count);
        Assert.Contains("RoleBinding/team-b/bob-edits", via);
        Assert.Equal(
            ["ClusterRoleBinding/gone", "RoleBinding/team-b/bob-edits"],
            run[0].Rows.Where(r => r.GetProperty("role_missing").GetBoolean()).Select(r => Text(r, "via")));
        await using var replay = ClusterSession.Replay(live, pageSize: 20);
        Assert.Equal(run.Select(r => r.Item.TableSha256), (await replay.RunAsync([.. run.Select(r => r.Item.Operation)])).Select(r => r.Item.TableSha256));
        Assert.Empty(((ReplayTransport)replay.Transport).Unused);
    }

    /// <summary>
    /// Tests aggregated roles without the controller that fills in their rules, so that the table's rules come from the selectors alone.
    /// </summary>
    [NeedsFact("kube-apiserver")]
    public async Task An_aggregated_role_has_what_its_selectors_choose()
    {
        await cluster.ClusterRoleAsync("agg-part", """[{"apiGroups":["example.com"],"resources":["gadgets"],"verbs":["watch"]}]""", """{"agg":"yes"}""");
        await cluster.ClusterRoleAsync("agg-whole", "null", aggregation: """{"clusterRoleSelectors":[{"matchLabels":{"agg":"yes"}}]}""");
        await cluster.BindAsync(null, "agg", "ClusterRole", "agg-whole", RightsFixture.User("erin"));
        await cluster.BindAsync(null, "views", "ClusterRole", "view", RightsFixture.User("frank"));
        await using var session = ClusterSession.Live(Admin);

        var rows = Assert.Single(await session.RunAsync("rbac_effective")).Rows;

        Assert.Equal(
            ["watch example.com gadgets"],
            rows.Where(r => Text(r, "subject") == "erin").Select(r => $"{Text(r, "verb")} {Text(r, "api_group")} {Text(r, "resource")}"));
        // The built-in role view aggregates another built-in role, so frank must have the rules of that role.
        var reading = await cluster.Server.ReadAsync("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:aggregate-to-view");
        var view = JsonNode.Parse(reading)!["rules"]!.AsArray().SelectMany(rule => rule!["verbs"]!.AsArray().SelectMany(v =>
            rule["apiGroups"]!.AsArray().SelectMany(g => rule["resources"]!.AsArray().Select(r => $"{v} {g} {r}"))));
        Assert.Equal(
            view.Order(StringComparer.Ordinal),
            rows.Where(r => Text(r, "subject") == "frank")
                .Select(r => $"{Text(r, "verb")} {Text(r, "api_group")} {Text(r, "resource")}")
                .Order(StringComparer.Ordinal));
    }

    [NeedsFact("kube-apiserver", "kubectl")]
    public async Task Every_container_that_kubectl_shows_has_its_row()
    {
        using var folder = new TemporaryFolder();
        var kubeconfig = folder.Write("kubeconfig", Admin);
        await using var session = ClusterSession.Live(Admin, pageSize: 1);
        var (item, rows) = Assert.Single(await session.RunAsync("pod_templates"));
        Assert.Equal(CollectionOutcome.Complete, item.Outcome);

        foreach (var (kind, path) in new[]
        {
            ("Pod", "spec"), ("ReplicationController", "spec.template.spec"), ("Deployment", "spec.template.spec"),
            ("ReplicaSet", "spec.template.spec"), ("StatefulSet", "spec.template.spec"), ("DaemonSet", "spec.template.spec"),
            ("Job", "spec.template.spec"), ("CronJob", "spec.jobTemplate.spec.template.spec"),
        })
        {
            var shown = await Kubectl.RunAsync(
                "--kubeconfig", kubeconfig, "get", kind.ToLowerInvariant(), "-A", "-o",
                $"jsonpath={{range .items[*]}}{{range .{path}.containers[*]}}{{.name}}={{.image}} {{end}}"
                + $"{{range .{path}.initContainers[*]}}{{.name}}={{.image}} {{end}}{{end}}");
            Assert.Equal("a=i:1 b=i:2 c=i:3", shown.Trim());
            Assert.Equal(shown.Trim(), string.Join(' ', rows.Where(r => Text(r, "kind") == kind).Select(r => $"{Text(r, "container")}={Text(r, "image")}")));
        }
        Assert.Equal(24, rows.Length);
        Assert.Equal(3, rows.Count(r => r.TryGetProperty("host_network", out var shares) && shares.GetBoolean()));
        Assert.All(rows.Where(r => Text(r, "kind") == "CronJob"), r => Assert.Equal("batch/v1beta1", Text(r, "api_version")));
    }

    /// <summary>Returns whether a row grants the request, as the RBAC authorizer interprets a rule.</summary>
    private static bool Grants(JsonElement row, string verb, string what, string? ns)
    {
        if (Text(row, "verb") != "*" && Text(row, "verb") != verb)
            return false;
        if (what.StartsWith('/'))
            return Text(row, "non_resource_url") is { } url && (url == what || url.EndsWith('*') && what.StartsWith(url[..^1], StringComparison.Ordinal));
        var (resource, group, name) = Asked(what);
        return Text(row, "resource") is { } r
            && (r == "*" || r == resource || r.StartsWith("*/", StringComparison.Ordinal) && resource.EndsWith(r[1..], StringComparison.Ordinal))
            && (Text(row, "api_group") == "*" || Text(row, "api_group") == group)
            && (Text(row, "resource_name") is not { } named || named == name)
            && (Text(row, "namespace") is not { } within || within == ns);
    }

    /// <summary>Parses <c>resource[.group][/name or /subresource]</c>. Only the lease in these tests has a name.</summary>
    private static (string Resource, string Group, string? Name) Asked(string what)
    {
        var (whole, rest) = what.Split('/', 2) is [var w, var p] ? (w, p) : (what, null);
        var (resource, group) = whole.Split('.', 2) is [var plain, var g] ? (plain, g) : (whole, "");
        return rest is null ? (resource, group, null) : resource == "leases" ? (resource, group, rest) : ($"{resource}/{rest}", group, null);
    }

    private async Task<bool> AllowedAsync(string user, string[] groups, string verb, string what, string? ns)
    {
        var spec = new JsonObject { ["user"] = user, ["groups"] = new JsonArray([.. groups.Select(g => (JsonNode?)JsonValue.Create(g))]) };
        if (what.StartsWith('/'))
        {
            spec["nonResourceAttributes"] = new JsonObject { ["verb"] = verb, ["path"] = what };
        }
        else
        {
            var (resource, group, name) = Asked(what);
            spec["resourceAttributes"] = new JsonObject
            {
                ["verb"] = verb,
                ["group"] = group,
                ["resource"] = resource.Split('/')[0],
                ["subresource"] = resource.Split('/') is [_, var sub] ? sub : "",
                ["name"] = name ?? "",
                ["namespace"] = ns ?? "",
            };
        }
        var review = new JsonObject { ["apiVersion"] = "authorization.k8s.io/v1", ["kind"] = "SubjectAccessReview", ["spec"] = spec };
        var answer = await cluster.Server.AskAsync("/apis/authorization.k8s.io/v1/subjectaccessreviews", review.ToJsonString());
        return JsonNode.Parse(answer)!["status"]!["allowed"]!.GetValue<bool>();
    }

    private static string? Text(JsonElement row, string column) => row.TryGetProperty(column, out var value) ? value.GetString() : null;
}
