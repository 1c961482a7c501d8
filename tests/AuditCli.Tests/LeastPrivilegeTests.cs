using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace AuditCli.Tests;

/// <summary>
/// For the shipped controls the printed role is enough, and every line of it is needed: without any one of them a control lacks
/// evidence and is INCONCLUSIVE, or stays the FAIL that it was. Proved on a real API server and on the loopback Google server, through the whole program.
/// </summary>
public sealed partial class LeastPrivilegeTests
{
    private const string GoogleToken = "MARKERtokenOfServiceAccountMARKER";

    [KubeFact(Kubectl = true)]
    public async Task A_cluster_is_read_with_exactly_the_ClusterRole_and_with_no_rule_less()
    {
        using var folder = new TemporaryFolder();
        await using var server = await KubeApiServer.StartAsync();
        await SeedAsync(server);
        var admin = folder.Write("admin.kubeconfig", server.Kubeconfig($"{{ token: {KubeApiServer.AdminToken} }}"));
        var reader = folder.Write("reader.kubeconfig", server.Kubeconfig($"{{ token: {KubeApiServer.ReaderToken} }}"));
        folder.Write("engagement.yaml", Engagement("*-K8S-*", $"kubernetes: {{ kubeconfig: {reader} }}"));

        var printed = await AuditCommand.RunAsync(folder.Path, "permissions", "engagement.yaml", "--source", "kubernetes");
        Assert.True(printed.ExitCode == 0, printed.ToString());
        var granted = Resources(printed.Output).ToImmutableArray();
        Assert.True(granted.Length >= 5, printed.Output);
        await KubectlAsync(folder, admin, "create", "clusterrolebinding", "auditcli-reader", "--clusterrole=auditcli-reader", "--user=reader");
        await ApplyAsync(printed.Output, added: granted, removed: []);
        var whole = await ConcludeAsync(folder, () => AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml"));
        Whole(whole);

        for (var i = 0; i < granted.Length; i++)
        {
            var (group, resource) = granted[i];
            await ApplyAsync(Without(printed.Output, group, resource), added: i == 0 ? [] : [granted[i - 1]], removed: [granted[i]]);
            Weaker(whole, await ConcludeAsync(folder, () => AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml")), $"{group}/{resource}");
        }

        async Task ApplyAsync(string role, ImmutableArray<(string Group, string Resource)> added, ImmutableArray<(string Group, string Resource)> removed)
        {
            await KubectlAsync(folder, admin, "apply", "-f", folder.Write("role.yaml", role));
            // The server looks at roles through a cache, which is behind by a moment.
            foreach (var (group, resource, wanted) in added.Select(a => (a.Group, a.Resource, "yes")).Concat(removed.Select(r => (r.Group, r.Resource, "no"))))
            {
                for (var attempt = 0; await CanListAsync(group, resource) != wanted; attempt++)
                {
                    Assert.True(attempt < 50, $"whether the reader may list {group}/{resource} is still not {wanted}");
                    await Task.Delay(100);
                }
            }
        }

        async Task<string> CanListAsync(string group, string resource) =>
            (await AuditCommand.OtherAsync(folder.Path, "kubectl", "--kubeconfig", admin, "auth", "can-i", "list", group.Length == 0 ? resource : $"{resource}.{group}", "--as=reader", "--all-namespaces")).Output.Trim();
    }

    [Fact]
    public async Task An_organization_is_read_with_exactly_the_custom_role_and_with_no_permission_less()
    {
        using var folder = new TemporaryFolder();
        using var server = GoogleEnvironment.Server();
        folder.Write("engagement.yaml", Engagement("*-GCP-*", """gcp: { organization: "123456789012" }"""));
        var environment = GoogleEnvironment.At(server);
        environment["GOOGLE_APPLICATION_CREDENTIALS"] = folder.Write("credentials.json", server.ServiceAccountFile(GoogleEnvironment.Auditor));

        var printed = await AuditCommand.RunAsync(folder.Path, "permissions", "engagement.yaml", "--source", "gcp");
        Assert.True(printed.ExitCode == 0, printed.ToString());
        var granted = OwnControls.GooglePermissions(printed.Output).ToImmutableHashSet();
        Assert.ProperSuperset(new HashSet<string> { "resourcemanager.projects.list", "resourcemanager.folders.list" }, granted.ToHashSet());
        var whole = await ConcludeWithAsync(granted);
        Whole(whole);

        foreach (var permission in granted.Order(StringComparer.Ordinal))
            Weaker(whole, await ConcludeWithAsync(granted.Remove(permission)), permission);

        Task<Dictionary<string, Concluded>> ConcludeWithAsync(ImmutableHashSet<string> permissions)
        {
            server.Permissions[GoogleToken] = permissions;
            return ConcludeAsync(folder, () => AuditCommand.ProcessAsync(folder.Path, environment, [], "run", "engagement.yaml"));
        }
    }

    /// <summary>Some control lost evidence and none of those that did passes; the others conclude as before.</summary>
    private static void Weaker(Dictionary<string, Concluded> before, Dictionary<string, Concluded> after, string without)
    {
        Assert.Equal(before.Keys.Order(), after.Keys.Order());
        Assert.True(after.Values.Any(c => c.IsLimited), $"without {without} nothing is missing: it is not needed");
        Assert.All(after, c => Assert.True(
            c.Value.IsLimited ? c.Value.Conclusion is "INCONCLUSIVE" || c.Value.Conclusion is "FAIL" && before[c.Key].Conclusion is "FAIL" : c.Value == before[c.Key],
            $"without {without}, {c.Key} is {c.Value} and was {before[c.Key]}"));
    }

    private static void Whole(Dictionary<string, Concluded> all) =>
        Assert.All(all, c => Assert.False(c.Value.IsLimited || c.Value.Conclusion is "INCONCLUSIVE" or "ERROR", $"with all that is granted, {c.Key} is {c.Value}"));

    /// <summary>How every control of a run concludes.</summary>
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

    private static string Engagement(string controls, string target) => $$"""
        schema: 1
        entity: Example Exchange
        name: Least privilege
        period: { start: 2026-09-01, end: 2026-11-15 }
        preparer: A. Preparer
        reviewer: R. Reviewer
        controls: { include: ["{{controls}}"] }
        targets:
          audited: { {{target}} }
        """;

    private static async Task SeedAsync(KubeApiServer server)
    {
        await server.CreateAsync("/api/v1/namespaces", """{"metadata":{"name":"default"}}""");
        await server.CreateAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"robot"}}""");
        await server.CreateAsync("/api/v1/namespaces/default/pods", """{"metadata":{"name":"web"},"spec":{"containers":[{"name":"c","image":"registry.example/web:1"}]}}""");
    }

    /// <summary>Group and resource of every list that a ClusterRole allows.</summary>
    private static IEnumerable<(string Group, string Resource)> Resources(string role) => Rule().Matches(role)
        .SelectMany(r => r.Groups[2].Value.Split(", ").Select(n => (r.Groups[1].Value, n.Trim('"'))));

    /// <summary>The role without one resource; a rule that is left without any goes as a whole.</summary>
    private static string Without(string role, string group, string resource) => Rule().Replace(role, rule =>
    {
        if (rule.Groups[1].Value != group)
            return rule.Value;
        var others = rule.Groups[2].Value.Split(", ").Where(n => n != $"\"{resource}\"").ToArray();
        return others.Length == 0 ? "" : rule.Value.Replace(rule.Groups[2].Value, string.Join(", ", others), StringComparison.Ordinal);
    });

    private static async Task KubectlAsync(TemporaryFolder folder, string kubeconfig, params string[] arguments)
    {
        var result = await AuditCommand.OtherAsync(folder.Path, "kubectl", ["--kubeconfig", kubeconfig, .. arguments]);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    [GeneratedRegex("""- apiGroups: \["([^"]*)"\]\n  resources: \[([^\]]*)\]\n  verbs: \["list"\]\n""")]
    private static partial Regex Rule();

    /// <param name="IsLimited">Whether some of its evidence could not be read.</param>
    private sealed record Concluded(string Conclusion, bool IsLimited);
}
