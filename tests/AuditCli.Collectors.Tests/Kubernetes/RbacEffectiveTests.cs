using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>Tests which rows result from which roles and bindings, without a cluster.</summary>
public sealed class RbacEffectiveTests
{
    private const string Rbac = "rbac.authorization.k8s.io/v1/";
    private const string Reading = """[{"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]}]""";

    [Theory]
    [InlineData("clusterroles", "alice - null", "bob - null")]
    [InlineData("roles", "alice get False", "alice list False", "bob get False", "bob list False")]
    [InlineData("clusterrolebindings", "bob get False", "bob list False")]
    [InlineData("rolebindings", "alice get False", "alice list False")]
    public async Task One_denied_list_of_the_four_is_named_and_leaves_what_the_others_show(string denied, params string[] shown)
    {
        await using var cluster = new RecordedCluster()
            .With(Rbac + "clusterroles", ClusterRole("reader", Reading))
            .With(Rbac + "clusterrolebindings", Binding("b", "reader", User("alice")))
            .With(Rbac + "rolebindings", InNamespace("team-a", Binding("c", "reader", User("bob")))).Denying(Rbac + denied);
        await using var session = cluster.Session();

        var (item, rows) = Assert.Single(await session.RunAsync("rbac_effective"));

        Assert.Equal((CollectionOutcome.Incomplete, "Forbidden", $"/apis/{Rbac}{denied} is forbidden"), (item.Outcome, item.Code, item.Message));
        // If the list of roles could not be read, a role must not be reported as missing.
        Assert.Equal(
            shown,
            rows.Select(r =>
                $"{Text(r, "subject")} {Text(r, "verb") ?? "-"} "
                + $"{(r.TryGetProperty("role_missing", out var missing) ? missing.ToString() : "null")}"));
    }

    [Theory]
    [InlineData("clusterroles", """{"metadata":{"name":"odd"},"rules":{"verbs":["get"]}}""", "rules is not a list of objects")]
    [InlineData("clusterroles", """{"metadata":{"name":"odd"},"rules":[{"verbs":[1]}]}""", "verbs is not a list of texts")]
    [InlineData(
        "clusterroles",
        """{"metadata":{"name":"odd"},"aggregationRule":{"clusterRoleSelectors":[{"matchExpressions":[{"key":"a","operator":"Near"}]}]}}""",
        "unknown operator Near")]
    [InlineData("roles", """{"metadata":{"name":"odd","namespace":"a"},"rules":"all"}""", "rules is not a list of objects")]
    [InlineData("clusterroles", """{"metadata":{"name":"odd"},"rules":[{"Verbs":["*"],"resources":["*"]}]}""", "has Verbs where the API has verbs")]
    [InlineData("clusterroles", """{"metadata":{"name":"odd"},"rules":[{"verbs":["*"],"apigroups":[""]}]}""", "has apigroups where the API has apiGroups")]
    [InlineData(
        "clusterroles", """{"metadata":{"name":"odd"},"aggregationRule":{"ClusterRoleSelectors":[]}}""",
        "has ClusterRoleSelectors where the API has clusterRoleSelectors")]
    [InlineData(
        "clusterroles", """{"metadata":{"name":"odd"},"aggregationRule":{"clusterRoleSelectors":[{"matchlabels":{"a":"b"}}]}}""",
        "has matchlabels where the API has matchLabels")]
    [InlineData(
        "clusterrolebindings",
        """{"metadata":{"name":"odd"},"subjects":[{"kind":"ServiceAccount","name":"s","Namespace":"n"}],"roleRef":{"kind":"ClusterRole","name":"x"}}""",
        "has Namespace where the API has namespace")]
    [InlineData(
        "clusterrolebindings", """{"metadata":{"name":"odd"},"subjects":[{"kind":"User"}],"roleRef":{"kind":"ClusterRole","name":"x"}}""",
        "a subject has no kind or no name")]
    [InlineData("clusterrolebindings", """{"metadata":{"name":"odd"},"subjects":[]}""", "its roleRef names no role")]
    [InlineData("rolebindings", """{"metadata":{"name":"odd"},"roleRef":{"kind":"Role","name":"x"}}""", "it has no namespace")]
    public async Task An_object_that_is_not_understood_fails_by_name(string list, string odd, string said)
    {
        await using var cluster = new RecordedCluster().With(Rbac + list, odd);
        await using var session = cluster.Session();

        var (item, _) = Assert.Single(await session.RunAsync("rbac_effective"));

        Assert.Equal((CollectionOutcome.Incomplete, "MalformedResponse"), (item.Outcome, item.Code));
        Assert.Contains("odd", item.Message, StringComparison.Ordinal);
        Assert.Contains(said, item.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_binding_that_grants_nothing_keeps_a_row_and_says_whether_its_role_is_missing()
    {
        await using var cluster = new RecordedCluster()
            .With(Rbac + "clusterroles", ClusterRole("empty", "null"), ClusterRole("urls", """[{"verbs":["get"],"nonResourceURLs":["/healthz"]}]"""))
            .With(
                Rbac + "clusterrolebindings", Binding("to-empty", "empty", User("alice")), Binding("to-nobody", "empty"),
                Binding("to-missing", "gone", User("alice"), User("bob")))
            .With(Rbac + "rolebindings", InNamespace("team-a", Binding("urls", "urls", User("alice"))));

        Assert.Equal(
            [
                "alice - ClusterRoleBinding/to-empty ClusterRole/empty False",
                " - ClusterRoleBinding/to-nobody ClusterRole/empty False",
                "alice - ClusterRoleBinding/to-missing ClusterRole/gone True",
                "bob - ClusterRoleBinding/to-missing ClusterRole/gone True",
                "alice - RoleBinding/team-a/urls ClusterRole/urls False",
            ],
            (await RowsAsync(cluster))
                .Select(r =>
                    $"{Text(r, "subject")} {Text(r, "verb") ?? "-"} {Text(r, "via")} {Text(r, "role")} {r.GetProperty("role_missing")}"));
    }

    [Fact]
    public async Task Each_subject_is_named_as_the_server_names_a_caller()
    {
        await using var cluster = new RecordedCluster()
            .With(Rbac + "clusterroles", ClusterRole("one", """[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]"""))
            .With(
                Rbac + "clusterrolebindings",
                Binding(
                    "b", "one", User("alice"), """{"kind":"Group","name":"system:masters"}""", Account("robot", "ops"),
                    Account("nowhere", null), User("alice")))
            .With(Rbac + "rolebindings", InNamespace("team-a", Binding("b", "one", Account("robot", null), Account("robot", "ops"))));

        Assert.Equal(
            [
                "User alice get  ClusterRoleBinding/b",
                "Group system:masters get  ClusterRoleBinding/b",
                "ServiceAccount system:serviceaccount:ops:robot get  ClusterRoleBinding/b",
                "ServiceAccount    ClusterRoleBinding/b",
                "ServiceAccount system:serviceaccount:team-a:robot get team-a RoleBinding/team-a/b",
                "ServiceAccount system:serviceaccount:ops:robot get team-a RoleBinding/team-a/b",
            ],
            (await RowsAsync(cluster))
                .Select(r => $"{Text(r, "subject_kind")} {Text(r, "subject")} {Text(r, "verb")} {Text(r, "namespace")} {Text(r, "via")}"));
    }

    [Fact]
    public async Task A_rule_is_spread_out_and_nothing_is_said_twice()
    {
        const string Rules = """
            [{"verbs":["get","list"],"apiGroups":["","apps"],"resources":["pods","pods/log"]},
             {"verbs":["get"],"apiGroups":[""],"resources":["pods"]},
             {"verbs":["delete"],"apiGroups":[""],"resources":["pods"],"resourceNames":["a","b"]},
             {"verbs":["get"],"nonResourceURLs":["/metrics","/logs/*"]}]
            """;
        await using var cluster = new RecordedCluster()
            .With(Rbac + "clusterroles", ClusterRole("r", Rules))
            .With(Rbac + "clusterrolebindings", Binding("b", "r", User("alice")));

        Assert.Equal(
            [
                "get/ pods  ", "get/ pods/log  ", "get/apps pods  ", "get/apps pods/log  ", "list/ pods  ", "list/ pods/log  ",
                "list/apps pods  ", "list/apps pods/log  ",
                "delete/ pods a ", "delete/ pods b ", "get/   /metrics", "get/   /logs/*",
            ],
            (await RowsAsync(cluster))
                .Select(r =>
                    $"{Text(r, "verb")}/{Text(r, "api_group")} {Text(r, "resource")} {Text(r, "resource_name")} "
                    + $"{Text(r, "non_resource_url")}"));
    }

    [Fact]
    public async Task A_binding_in_a_namespace_means_the_role_of_that_namespace()
    {
        await using var cluster = new RecordedCluster()
            .With(
                Rbac + "roles", Role("team-a", "r", """[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]"""),
                Role("team-b", "r", """[{"verbs":["delete"],"apiGroups":[""],"resources":["pods"]}]"""))
            .With(
                Rbac + "rolebindings",
                InNamespace("team-b", Binding("b", "r", User("alice"))).Replace("\"ClusterRole\"", "\"Role\"", StringComparison.Ordinal));

        var row = Assert.Single(await RowsAsync(cluster));

        Assert.Equal(("delete", "team-b", "Role/team-b/r"), (Text(row, "verb"), Text(row, "namespace"), Text(row, "role")));
    }

    [Fact]
    public async Task An_aggregated_role_gathers_what_its_selectors_choose_through_other_aggregated_roles_and_round_circles()
    {
        await using var cluster = new RecordedCluster()
            .With(
                Rbac + "clusterroles",
                ClusterRole(
                    "top", """[{"verbs":["own"],"apiGroups":["x"],"resources":["y"]}]""", """{"for":"bottom"}""",
                    """[{"matchLabels":{"for":"top"}},{"matchExpressions":[{"key":"also","operator":"Exists"}]}]"""),
                ClusterRole("middle", "null", """{"for":"top"}""", """[{"matchLabels":{"for":"middle"}}]"""),
                ClusterRole("bottom", Rule("deep"), """{"for":"middle"}""", """[{"matchLabels":{"for":"bottom"}}]"""),
                ClusterRole("also", Rule("also"), """{"also":""}"""),
                ClusterRole("again", Rule("own"), """{"also":"yes"}"""),
                ClusterRole("other", Rule("never"), """{"for":"others"}"""))
            .With(Rbac + "clusterrolebindings", Binding("b", "top", User("alice")));

        Assert.Equal(["own", "also", "deep"], (await RowsAsync(cluster)).Select(r => Text(r, "verb")));
    }

    [Theory]
    [InlineData("{}", true)]
    [InlineData("""{"matchLabels":{"tier":"gold"}}""", true)]
    [InlineData("""{"matchLabels":{"tier":"gold","app":"b"}}""", false)]
    [InlineData("""{"matchLabels":{"other":""}}""", false)]
    [InlineData("""{"matchExpressions":[{"key":"tier","operator":"In","values":["silver","gold"]}]}""", true)]
    [InlineData("""{"matchExpressions":[{"key":"other","operator":"In","values":["gold"]}]}""", false)]
    [InlineData("""{"matchExpressions":[{"key":"tier","operator":"NotIn","values":["gold"]}]}""", false)]
    [InlineData("""{"matchExpressions":[{"key":"tier","operator":"NotIn","values":["silver"]}]}""", true)]
    [InlineData("""{"matchExpressions":[{"key":"other","operator":"NotIn","values":["gold"]}]}""", true)]
    [InlineData("""{"matchExpressions":[{"key":"tier","operator":"Exists"}]}""", true)]
    [InlineData("""{"matchExpressions":[{"key":"other","operator":"Exists"}]}""", false)]
    [InlineData("""{"matchExpressions":[{"key":"tier","operator":"DoesNotExist"}]}""", false)]
    [InlineData("""{"matchExpressions":[{"key":"other","operator":"DoesNotExist"}]}""", true)]
    [InlineData("""{"matchLabels":{"tier":"gold"},"matchExpressions":[{"key":"app","operator":"DoesNotExist"}]}""", false)]
    public void A_selector_means_labels_as_the_server_reads_it(string selector, bool meant) => Assert.Equal(
        meant, LabelSelector.Read(JsonElement.Parse(selector)).Matches(LabelSelector.Labels(JsonElement.Parse("""{"tier":"gold","app":"a"}"""))));

    [Fact]
    public async Task A_row_refers_to_its_binding_in_the_page_that_brought_it_and_a_replay_makes_the_same_table_beside_the_plain_list()
    {
        await using var cluster = new RecordedCluster().With(Rbac + "clusterroles", ClusterRole("r", Reading), ClusterRole("s", Reading))
            .With(Rbac + "clusterrolebindings", [.. Enumerable.Range(0, 5).Select(i => Binding($"b{i}", "r", User("alice")))])
            .With(Rbac + "rolebindings", InNamespace("team-a", Binding("own", "s", User("bob"))));
        await using var live = cluster.Session(pageSize: 20);
        var collected = await live.RunAsync("rbac_effective", Rbac + "clusterrolebindings");
        var (item, rows) = collected[0];
        var answers = (await live.RecordedAsync()).ToDictionary(r => r.Answer.Id, r => r.Exchange);

        Assert.Equal((CollectionOutcome.Complete, 12, 4L), (item.Outcome, rows.Length, item.Pages));
        Assert.All(rows, row =>
        {
            var (id, pointer) = Text(row, "_ref")!.Split('#') is [var i, var p] ? (i, p) : default;
            var list = JsonElement.Parse(answers[id].Response!.Body.Span);
            Assert.Equal(
                Text(row, "via")!.Split('/')[^1],
                list.GetProperty("items")[int.Parse(pointer.Split('/')[2], null)].GetProperty("metadata").GetProperty("name").GetString());
        });
        await using var replay = ClusterSession.Replay(live, pageSize: 20);
        Assert.Equal(
            collected.Select(c => (c.Item.TableSha256, string.Join(' ', c.Item.Exchanges.Select(e => e.RecordId)))),
            (await replay.RunAsync("rbac_effective", Rbac + "clusterrolebindings"))
                .Select(c => (c.Item.TableSha256, string.Join(' ', c.Item.Exchanges.Select(e => e.RecordId)))));
        Assert.Empty(((ReplayTransport)replay.Transport).Unused);
    }

    [Fact]
    public void The_table_names_the_lists_that_it_is_made_from()
    {
        var operation = KubernetesSource.Create().FindOperation("rbac_effective")!;

        Assert.Equal([Rbac + "clusterroles", Rbac + "roles", Rbac + "clusterrolebindings", Rbac + "rolebindings"], operation.Reads.AsEnumerable());
        Assert.Empty(operation.Parameters);
    }

    [Theory]
    [InlineData("rbac")]
    [InlineData("rbac-effective")]
    [InlineData("rolebindings")]
    public void A_slip_in_its_name_is_answered_with_it(string written) =>
        Assert.Contains(KubernetesSource.Create().Suggest(written), s =>
            s.StartsWith("rbac_effective: made from " + Rbac + "clusterroles", StringComparison.Ordinal));

    [Fact]
    public async Task It_is_collected_and_not_called()
    {
        await using var cluster = new RecordedCluster();
        await using var session = cluster.Session();

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("rbac_effective"));

        Assert.Equal(
            $"rbac_effective is a table made from several lists; call one of those: "
            + $"{Rbac}clusterroles, {Rbac}roles, {Rbac}clusterrolebindings, {Rbac}rolebindings",
            e.Message);
        Assert.Empty(cluster.Seen);
    }

    private static async Task<List<JsonElement>> RowsAsync(RecordedCluster cluster)
    {
        await using var session = cluster.Session();
        var (item, rows) = Assert.Single(await session.RunAsync("rbac_effective"));
        Assert.Equal(CollectionOutcome.Complete, item.Outcome);
        return [.. rows];
    }

    private static string? Text(JsonElement row, string column) => row.TryGetProperty(column, out var value) ? value.GetString() : null;

    private static string Rule(string verb) => $$"""[{"verbs":["{{verb}}"],"apiGroups":["x"],"resources":["y"]}]""";

    private static string ClusterRole(string name, string rules, string labels = "{}", string selectors = "[]") =>
        $$$"""{"metadata":{"name":"{{{name}}}","labels":{{{labels}}}},"rules":{{{rules}}},"aggregationRule":{"clusterRoleSelectors":{{{selectors}}}}}""";

    private static string Role(string ns, string name, string rules) => InNamespace(ns, ClusterRole(name, rules));

    private static string Binding(string name, string role, params string[] subjects) =>
        $$$"""{"metadata":{"name":"{{{name}}}"},"subjects":[{{{string.Join(',', subjects)}}}],"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"{{{role}}}"}}""";

    private static string InNamespace(string ns, string binding) =>
        binding.Replace("\"metadata\":{", $"\"metadata\":{{\"namespace\":\"{ns}\",", StringComparison.Ordinal);

    private static string User(string name) => $$"""{"kind":"User","name":"{{name}}"}""";

    private static string Account(string name, string? ns) =>
        $$"""{"kind":"ServiceAccount","name":"{{name}}"{{(ns is null ? "" : $",\"namespace\":\"{ns}\"")}}}""";
}
