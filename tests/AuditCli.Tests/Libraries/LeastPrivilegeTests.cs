using System.Collections.Immutable;
using System.Text.RegularExpressions;
using AuditCli.Tests.Commands;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Libraries;

/// <summary>
/// Checks that the printed role is enough for every shipped control to pass, and that each of its lines is needed: without it, a control is
/// INCONCLUSIVE. Uses a real API server and the loopback Google server, and runs the whole program.
/// </summary>
public sealed partial class LeastPrivilegeTests
{
    /// <summary>The suite removes one of this many lines of a role; <c>.ci/long</c> removes each.</summary>
    private const int Sampled = 12;

    private const string GoogleToken = "MARKERtokenOfServiceAccountMARKER";

    [NeedsFact("kube-apiserver", "kubectl")]
    public async Task A_cluster_is_read_with_exactly_the_ClusterRole_and_with_no_rule_less()
    {
        using var folder = new TemporaryFolder();
        await using var server = await KubeApiServer.StartAsync();
        await SeedAsync(server);
        var admin = folder.Write("admin.kubeconfig", server.Kubeconfig($"{{ token: {KubeApiServer.AdminToken} }}"));
        var reader = folder.Write("reader.kubeconfig", server.Kubeconfig($"{{ token: {KubeApiServer.ReaderToken} }}"));
        folder.Write("engagement.yaml", $$"""
            schema: 1
            entity: Example Exchange
            name: Least privilege
            period: { start: 2026-09-01, end: 2026-11-15 }
            preparer: A. Preparer
            reviewer: R. Reviewer
            controls: { include: ["*-K8S-*"] }
            targets:
              audited: { kubernetes: { kubeconfig: {{reader}} } }
            """);

        var printed = await AuditCommand.RunAsync(folder.Path, "permissions", "engagement.yaml", "--source", "kubernetes");
        Assert.True(printed.ExitCode == 0, printed.ToString());
        var granted = Rights(printed.Output).ToImmutableArray();
        Assert.Equal(printed.Output.Split("- apiGroups:").Length - 1, Rule().Count(printed.Output));
        Assert.Contains(granted, r => r is { Verb: "get", Name: "aws-auth" });
        await KubectlAsync(folder, admin, "create", "clusterrolebinding", "auditcli-reader", "--clusterrole=auditcli-reader", "--user=reader");
        await ApplyAsync(printed.Output, added: granted, removed: []);
        var whole = await ConcludeAsync(folder, () => AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml"));
        AllPass(whole);

        ImmutableArray<Right> before = [];
        foreach (var right in LongRun.Sample(granted, Sampled))
        {
            await ApplyAsync(Without(printed.Output, right), added: before, removed: [right]);
            Weaker(whole, await ConcludeAsync(folder, () => AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml")), $"{right}");
            before = [right];
        }

        async Task ApplyAsync(string role, ImmutableArray<Right> added, ImmutableArray<Right> removed)
        {
            await KubectlAsync(folder, admin, "apply", "-f", folder.Write("role.yaml", role));
            // The server caches roles, so a change takes effect after a moment.
            foreach (var (right, wanted) in added.Select(a => (a, "yes")).Concat(removed.Select(r => (r, "no"))))
            {
                for (var attempt = 0; await MayAsync(right) != wanted; attempt++)
                {
                    Assert.True(attempt < 50, $"whether the reader has the right to {right} is still not {wanted}");
                    await Task.Delay(100);
                }
            }
        }

        async Task<string> MayAsync(Right right)
        {
            var resource = right.Group.Length == 0 ? right.Resource : $"{right.Resource}.{right.Group}";
            string[] question = right.Name is { } name ? [$"{resource}/{name}", "--namespace=kube-system"] : [resource, "--all-namespaces"];
            var answer = await AuditCommand.OtherAsync(
                folder.Path, "kubectl", ["--kubeconfig", admin, "auth", "can-i", right.Verb, .. question, "--as=reader"]);
            return answer.Output.Trim();
        }
    }

    [Fact]
    public async Task An_organization_is_read_with_exactly_the_custom_role_and_with_no_permission_less()
    {
        using var folder = new TemporaryFolder();
        using var server = GoogleEnvironment.Server();
        folder.Write("engagement.yaml", GoogleEnvironment.Engagement("\"*-GCP-*\"", "organization: \"123456789012\"") + Registers(folder));
        var environment = GoogleEnvironment.At(server);
        environment["GOOGLE_APPLICATION_CREDENTIALS"] = folder.Write("credentials.json", server.ServiceAccountFile(GoogleEnvironment.Auditor));

        var printed = await AuditCommand.RunAsync(folder.Path, "permissions", "engagement.yaml", "--source", "gcp");
        Assert.True(printed.ExitCode == 0, printed.ToString());
        var granted = OwnControls.GooglePermissions(printed.Output).ToImmutableHashSet();
        Assert.ProperSuperset(new HashSet<string> { "resourcemanager.projects.list", "resourcemanager.folders.list" }, granted.ToHashSet());
        var whole = await ConcludeWithAsync(granted);
        AllPass(whole);

        foreach (var permission in LongRun.Sample(granted.Order(StringComparer.Ordinal), Sampled))
            Weaker(whole, await ConcludeWithAsync(granted.Remove(permission)), permission);

        Task<Dictionary<string, Concluded>> ConcludeWithAsync(ImmutableHashSet<string> permissions)
        {
            server.Permissions[GoogleToken] = permissions;
            return ConcludeAsync(folder, () => AuditCommand.ProcessAsync(folder.Path, environment, [], "run", "engagement.yaml"));
        }
    }

    /// <summary>
    /// Checks that at least one control lost evidence, that those that did are inconclusive, and that the others pass as before.
    /// </summary>
    private static void Weaker(Dictionary<string, Concluded> before, Dictionary<string, Concluded> after, string without)
    {
        Assert.Equal(before.Keys.Order(), after.Keys.Order());
        Assert.True(after.Values.Any(c => c.IsLimited), $"without {without} nothing is missing: it is not needed");
        Assert.All(after, c => Assert.True(
            c.Value.IsLimited ? c.Value.Conclusion == "INCONCLUSIVE" : c.Value == before[c.Key],
            $"without {without}, {c.Key} is {c.Value} and was {before[c.Key]}"));
    }

    private static void AllPass(Dictionary<string, Concluded> all) =>
        Assert.All(all, c => Assert.True(c.Value == new Concluded("PASS", false), $"with all that is granted, {c.Key} is {c.Value}"));

    /// <summary>Returns the conclusion of every control of a run.</summary>
    private static async Task<Dictionary<string, Concluded>> ConcludeAsync(TemporaryFolder folder, Func<Task<CommandResult>> run)
    {
        var bundles = Path.Combine(folder.Path, "bundles");
        if (Directory.Exists(bundles))
            Directory.Delete(bundles, recursive: true);
        var result = await run();
        Assert.True(result.ExitCode is 0 or 2 or 3, result.ToString());
        return SampleTests.Results(AuditCommand.TheBundle(bundles)).GetProperty("controls").EnumerateArray().ToDictionary(
            c => c.GetProperty("id").GetString()!,
            c => new Concluded(c.GetProperty("conclusion").GetString()!, c.GetProperty("limitations").GetArrayLength() > 0));
    }

    /// <summary>
    /// Writes registers that approve every fault planted in samples/google.json, and returns the lines that add them to an engagement.
    /// </summary>
    private static string Registers(TemporaryFolder folder)
    {
        const string Inputs = """

            inputs:
              google-basic-roles-register: { file: roles.csv, obtained_from: Security operations, obtained_on: 2026-11-16, how: export watched by the preparer }
              service-account-keys-register: { file: keys.csv, obtained_from: Security operations, obtained_on: 2026-11-16, how: export watched by the preparer }
              google-network-register: { file: network.csv, obtained_from: Network operations, obtained_on: 2026-11-16, how: export watched by the preparer }

            """;
        Write("roles.csv", "binding", "APD-GCP-001");
        Write("keys.csv", "key", "APD-GCP-002", "ledger-writer@nq-ledger-prod.iam.gserviceaccount.com/4d1e6c0a9b");
        Write("network.csv", "item", "INF-GCP-001", "zones/europe-west2-a/instances/gateway-1");
        return Inputs;

        void Write(string file, string column, string control, params string[] more)
        {
            var items = GoogleTests.Planted.Select(p => p.Split(' ', 3)).Where(p => p[0] == control).Select(p => p[2]).Concat(more).Distinct();
            var rows = string.Concat(items.Select(i => $"{i},R. Adeleke,2026-10-02,accepted,2026-12-31\n"));
            folder.Write(file, $"{column},approved_by,approved_on,reason,expires\n" + rows);
        }
    }

    /// <summary>Creates one correct object of every kind that the shipped controls read.</summary>
    private static async Task SeedAsync(KubeApiServer server)
    {
        const string Pod = """
            "securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},
            "containers":[{"name":"c","image":"registry.example/web:1","securityContext":{"allowPrivilegeEscalation":false}}]
            """;
        const string Template = """{"metadata":{"labels":{"app":"web"}},"spec":{""" + Pod + "}}";
        const string Once = """{"template":{"spec":{"restartPolicy":"Never",""" + Pod + "}}}";
        const string Selected = "\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":" + Template + "}";
        await server.CreateAsync("/api/v1/namespaces", """{"metadata":{"name":"kube-system"}}""");
        await server.CreateAsync(
            "/api/v1/namespaces/kube-system/configmaps",
            """{"metadata":{"name":"aws-auth"},"data":{"mapRoles":"- {rolearn: 'arn:aws:iam::1:role/node', username: node, groups: ['system:nodes']}"}}""");
        await server.CreateAsync("/api/v1/namespaces", """{"metadata":{"name":"default"}}""");
        await MakeAsync("/api/v1", "pods", "{" + Pod + "}");
        await MakeAsync("/api/v1", "replicationcontrollers", """{"selector":{"app":"web"},"template":""" + Template + "}");
        foreach (var kind in new[] { "deployments", "replicasets", "daemonsets" })
            await MakeAsync("/apis/apps/v1", kind, "{" + Selected);
        await MakeAsync("/apis/apps/v1", "statefulsets", """{"serviceName":"web",""" + Selected);
        await MakeAsync("/apis/batch/v1", "jobs", Once);
        var version = (await server.ReadAsync("/apis/batch/v1")).Contains("\"cronjobs\"", StringComparison.Ordinal) ? "v1" : "v1beta1";
        await MakeAsync($"/apis/batch/{version}", "cronjobs", """{"schedule":"0 3 * * *","jobTemplate":{"spec":""" + Once + "}}");

        Task MakeAsync(string group, string kind, string spec) =>
            server.CreateAsync($"{group}/namespaces/default/{kind}", """{"metadata":{"name":"web"},"spec":""" + spec + "}");
    }

    /// <summary>Returns every right that a ClusterRole grants.</summary>
    private static IEnumerable<Right> Rights(string role) => Rule().Matches(role)
        .SelectMany(r => Resources(r).Select(n => Of(r, n)));

    /// <summary>Returns the role without one right. A rule left without rights is removed.</summary>
    private static string Without(string role, Right right) => Rule().Replace(role, rule =>
    {
        var others = Resources(rule).Where(n => Of(rule, n) != right).ToArray();
        var names = string.Join(", ", others.Select(n => $"\"{n}\""));
        return others.Length == 0 ? "" : rule.Value.Replace(rule.Groups["resources"].Value, names, StringComparison.Ordinal);
    });

    private static IEnumerable<string> Resources(Match rule) => rule.Groups["resources"].Value.Split(", ").Select(n => n.Trim('"'));

    private static Right Of(Match rule, string resource) =>
        new(rule.Groups["verb"].Value, rule.Groups["group"].Value, resource, rule.Groups["name"] is { Success: true } name ? name.Value : null);

    private static async Task KubectlAsync(TemporaryFolder folder, string kubeconfig, params string[] arguments)
    {
        var result = await AuditCommand.OtherAsync(folder.Path, "kubectl", ["--kubeconfig", kubeconfig, .. arguments]);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    [GeneratedRegex(
        """- apiGroups: \["(?<group>[^"]*)"\]\n  resources: \[(?<resources>[^\]]*)\]\n"""
        + """(?:  resourceNames: \["(?<name>[^"]*)"\]\n)?  verbs: \["(?<verb>list|get)"\]\n""")]
    private static partial Regex Rule();

    private sealed record Right(string Verb, string Group, string Resource, string? Name);

    /// <param name="IsLimited">Whether some of its evidence could not be read.</param>
    private sealed record Concluded(string Conclusion, bool IsLimited);
}
