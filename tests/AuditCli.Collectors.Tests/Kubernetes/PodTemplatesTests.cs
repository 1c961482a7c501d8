using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>Tests which rows result from which pods and templates, without a cluster.</summary>
public sealed class PodTemplatesTests
{
    private const string OldCronJobs = "/apis/batch/v1beta1/cronjobs";
    private const string CronJobs = "/apis/batch/v1/cronjobs";

    [Theory]
    [InlineData("v1/pods")]
    [InlineData("v1/replicationcontrollers")]
    [InlineData("apps/v1/deployments")]
    [InlineData("apps/v1/replicasets")]
    [InlineData("apps/v1/statefulsets")]
    [InlineData("apps/v1/daemonsets")]
    [InlineData("batch/v1/jobs")]
    [InlineData("batch/v1/cronjobs")]
    public async Task One_denied_list_of_the_eight_is_named_and_leaves_the_rows_of_the_others(string denied)
    {
        string[] lists =
        [
            "v1/replicationcontrollers", "apps/v1/deployments", "apps/v1/replicasets", "apps/v1/statefulsets", "apps/v1/daemonsets",
            "batch/v1/jobs",
        ];
        await using var cluster = new RecordedCluster().With("v1/pods", Pod("pods", Container("c"))).With("batch/v1/cronjobs", CronJob("cronjobs"));
        foreach (var list in lists)
            cluster.With(list, Template(list.Split('/')[^1]));
        cluster.Denying(denied);

        var (item, rows) = await RunAsync(cluster);

        Assert.Equal((CollectionOutcome.Incomplete, "Forbidden"), (item.Outcome, item.Code));
        Assert.EndsWith($"/{denied} is forbidden", item.Message, StringComparison.Ordinal);
        Assert.Equal(
            [
                .. lists.Append("v1/pods")
                    .Append("batch/v1/cronjobs")
                    .Where(l => l != denied)
                    .Select(l => l.Split('/')[^1])
                    .Order(StringComparer.Ordinal),
            ],
            rows.Select(r => Text(r, "name")!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_cluster_that_denies_every_list_has_failed()
    {
        await using var cluster = new RecordedCluster();
        foreach (var list in new[]
        {
            "v1/pods", "v1/replicationcontrollers", "apps/v1/deployments", "apps/v1/replicasets", "apps/v1/statefulsets",
            "apps/v1/daemonsets", "batch/v1/jobs", "batch/v1/cronjobs",
        })
            cluster.Denying(list);

        var (item, rows) = await RunAsync(cluster);

        Assert.Equal((CollectionOutcome.Failed, "Forbidden", 8, 0), (item.Outcome, item.Code, item.Failures.Single().Count, rows.Count));
    }

    [Fact]
    public async Task A_list_that_every_cluster_has_may_not_be_missing()
    {
        await using var cluster = new RecordedCluster().NotServing("/apis/apps/v1/statefulsets");

        var (item, _) = await RunAsync(cluster);

        Assert.Equal((CollectionOutcome.Incomplete, "NotServed"), (item.Outcome, item.Code));
    }

    [Fact]
    public async Task Scheduled_jobs_of_an_older_cluster_are_read_in_its_version()
    {
        await using var cluster = new RecordedCluster().NotServing(CronJobs).With("batch/v1beta1/cronjobs", CronJob("nightly"));

        var (item, rows) = await RunAsync(cluster);

        Assert.Equal((CollectionOutcome.Complete, "CronJob", "batch/v1beta1"), (item.Outcome, Text(rows.Single(), "kind"), Text(rows.Single(), "api_version")));
    }

    [Fact]
    public async Task Scheduled_jobs_of_both_versions_are_read_once()
    {
        await using var cluster = new RecordedCluster().With("batch/v1/cronjobs", CronJob("nightly")).With("batch/v1beta1/cronjobs", CronJob("nightly"));

        Assert.Equal("batch/v1", Text((await RunAsync(cluster)).Rows.Single(), "api_version"));
    }

    [Fact]
    public async Task A_cluster_whose_discovery_names_no_scheduled_jobs_has_none()
    {
        await using var cluster = new RecordedCluster()
            .With("v1/pods", Pod("web", Container("c")))
            .NotServing(CronJobs)
            .NotServing(OldCronJobs)
            .NotServing("/apis/batch/v1beta1");

        var (item, rows) = await RunAsync(cluster);

        Assert.Equal((CollectionOutcome.Complete, "web"), (item.Outcome, Text(rows.Single(), "name")));
    }

    [Theory]
    [InlineData("/apis/batch/v1")]
    [InlineData("/apis/batch/v1beta1")]
    [InlineData(OldCronJobs)]
    public async Task Scheduled_jobs_that_are_missing_without_discovery_saying_so_are_a_failure(string denied)
    {
        await using var cluster = new RecordedCluster().NotServing(CronJobs).DenyingPath(denied);
        if (denied != OldCronJobs)
            cluster.NotServing(OldCronJobs);

        Assert.Equal(CollectionOutcome.Incomplete, (await RunAsync(cluster)).Item.Outcome);
    }

    [Theory]
    [InlineData("""{"metadata":{"name":"odd"}}""", "it has no containers")]
    [InlineData("""{"metadata":{"name":"odd"},"spec":{"containers":[]}}""", "it has no containers")]
    [InlineData("""{"metadata":{"name":"odd"},"spec":{"containers":["c"]}}""", "containers is not a list of objects")]
    [InlineData("""{"metadata":{"name":"odd"},"spec":{"containers":[{"name":"c"}]}}""", "it has no namespace")]
    [InlineData(
        """{"metadata":{"name":"odd","namespace":"n"},"spec":{"hostnetwork":true,"containers":[{"name":"c"}]}}""",
        "it has hostnetwork where the API has hostNetwork")]
    [InlineData(
        """{"metadata":{"name":"odd","namespace":"n"},"spec":{"InitContainers":[{"name":"i"}],"containers":[{"name":"c"}]}}""",
        "it has InitContainers where the API has initContainers")]
    [InlineData(
        """{"metadata":{"name":"odd","namespace":"n"},"spec":{"containers":[{"name":"c","SecurityContext":{"privileged":true}}]}}""",
        "it has SecurityContext where the API has securityContext")]
    [InlineData(
        """{"metadata":{"name":"odd","namespace":"n"},"spec":{"containers":[{"name":"c","securityContext":{"Privileged":true}}]}}""",
        "it has Privileged where the API has privileged")]
    [InlineData(
        """{"metadata":{"name":"odd","namespace":"n"},"spec":{"containers":[{"name":"c","securityContext":{"capabilities":{"Add":["ALL"]}}}]}}""",
        "it has Add where the API has add")]
    [InlineData("""{"metadata":{"name":"odd","namespace":""},"spec":{"containers":[{"name":"c"}]}}""", "it has no namespace")]
    [InlineData(
        """{"metadata":{"name":"odd","namespace":"n"},"spec":{"containers":[{"name":"c","securityContext":{"privileged":1}}]}}""",
        "its privileged is a number")]
    [InlineData(
        """{"metadata":{"name":"odd","namespace":"n"},"spec":{"containers":[{"name":"c","securityContext":{"privileged":"true"}}]}}""",
        "its privileged is a string")]
    [InlineData(
        """{"metadata":{"name":"odd","namespace":"n"},"spec":{"containers":[{"name":"c","securityContext":{"runAsUser":0.0}}]}}""",
        "its runAsUser is a number")]
    [InlineData(
        """{"metadata":{"name":"odd","namespace":"n"},"spec":{"containers":[{"name":"c"}],"securityContext":{"runAsNonRoot":"yes"}}}""",
        "its runAsNonRoot is a string")]
    [InlineData("""{"metadata":{"name":"odd","namespace":"n"},"spec":{"containers":[{"name":"c"}],"securityContext":[]}}""", "its securityContext is an array")]
    [InlineData(
        """{"metadata":{"name":"odd","namespace":"n"},"spec":{"containers":[{"name":"c","securityContext":{"capabilities":["SYS_ADMIN"]}}]}}""",
        "its capabilities is an array")]
    [InlineData(
        """{"metadata":{"name":"odd","namespace":"n"},"spec":{"containers":[{"name":"c","securityContext":{"capabilities":{"add":"SYS_ADMIN"}}}]}}""",
        "add is not a list of texts")]
    [InlineData("""{"metadata":{"name":"odd","namespace":"n"},"spec":{"containers":[{"name":"c"}],"volumes":[null]}}""", "volumes is not a list of objects")]
    public async Task An_object_that_is_not_understood_fails_by_name(string odd, string said)
    {
        await using var cluster = new RecordedCluster().With("v1/pods", Pod("before", Container("c")), odd, Pod("after", Container("c")));

        var (item, rows) = await RunAsync(cluster);

        Assert.Equal(["before", "after"], rows.Select(r => Text(r, "name")));
        Assert.Equal((CollectionOutcome.Incomplete, "MalformedResponse"), (item.Outcome, item.Code));
        Assert.EndsWith("odd: " + said, item.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_container_of_every_kind_has_its_row_with_a_reference_to_its_object()
    {
        const string Three = "\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}],\"initContainers\":[{\"name\":\"i\"}],"
            + "\"ephemeralContainers\":[{\"name\":\"e\"}]";
        await using var cluster = new RecordedCluster()
            .With("v1/pods", Pod("one", Container("c")), Of("two", "{" + Three + "}"))
            .With("v1/replicationcontrollers", Template("rc")).With("apps/v1/deployments", Template("deploy")).With("apps/v1/replicasets", Template("rs"))
            .With("apps/v1/statefulsets", Template("sts"))
            .With("apps/v1/daemonsets", Template("ds"))
            .With("batch/v1/jobs", Template("job"))
            .With("batch/v1/cronjobs", CronJob("cron"));
        await using var live = cluster.Session(pageSize: 1);
        var (item, rows) = Assert.Single(await live.RunAsync("pod_templates"));
        var answers = (await live.RecordedAsync()).ToDictionary(r => r.Answer.Id, r => r.Exchange);

        Assert.Equal(CollectionOutcome.Complete, item.Outcome);
        Assert.Equal(
            [
                "Pod one c container", "Pod two a container", "Pod two b container", "Pod two i init", "Pod two e ephemeral",
                "ReplicationController rc c container",
                "Deployment deploy c container", "ReplicaSet rs c container", "StatefulSet sts c container", "DaemonSet ds c container",
                "Job job c container", "CronJob cron c container",
            ],
            rows.Select(r => $"{Text(r, "kind")} {Text(r, "name")} {Text(r, "container")} {Text(r, "container_type")}"));
        Assert.All(rows, row =>
        {
            Assert.EndsWith("#/items/0", Text(row, "_ref"), StringComparison.Ordinal);
            var list = JsonElement.Parse(answers[Text(row, "_ref")!.Split('#')[0]].Response!.Body.Span);
            Assert.Equal(Text(row, "name"), list.GetProperty("items")[0].GetProperty("metadata").GetProperty("name").GetString());
        });
        await using var replay = ClusterSession.Replay(live, pageSize: 1);
        Assert.Equal(item.TableSha256, Assert.Single(await replay.RunAsync("pod_templates")).Item.TableSha256);
        Assert.Empty(((ReplayTransport)replay.Transport).Unused);
    }

    [Fact]
    public async Task A_row_has_what_the_object_gives_and_nothing_that_it_does_not()
    {
        const string Full = """
            {"metadata":{"name":"web-1","namespace":"prod","uid":"u1","creationTimestamp":"2026-01-02T03:04:05Z","labels":{"app":"web"},
              "annotations":{"a":"b","kubectl.kubernetes.io/last-applied-configuration":"{MARKERenvMARKER}"},
              "ownerReferences":[{"kind":"Other","name":"o"},{"kind":"ReplicaSet","name":"web","controller":true}]},
             "spec":{"hostNetwork":true,"hostPID":false,"os":{"name":"linux"},"securityContext":{"runAsNonRoot":true},"serviceAccountName":"robot","automountServiceAccountToken":false,
              "volumes":[{"name":"v","hostPath":{"path":"/"}}],
              "containers":[{"name":"c","image":"web:1","command":["MARKERenvMARKER"],"args":["MARKERenvMARKER"],"env":[{"name":"PASSWORD","value":"MARKERenvMARKER"}],"ports":[{"containerPort":80,"hostPort":80}],
                "securityContext":{"privileged":true},"volumeMounts":[{"name":"v","mountPath":"/host"}],"imagePullPolicy":"Always"}]},
             "status":{"phase":"Running","containerStatuses":[{"name":"other","imageID":"no"},{"name":"c","imageID":"web@sha256:1"}]}}
            """;
        await using var cluster = new RecordedCluster().With("v1/pods", Full);

        var row = (await RunAsync(cluster)).Rows.Single();

        Assert.DoesNotContain("MARKER", row.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(
            """
            {"api_version":"v1","kind":"Pod","namespace":"prod","name":"web-1","uid":"u1","created_at":"2026-01-02T03:04:05Z","controlled_by":"ReplicaSet/web","phase":"Running",
            "container":"c","container_type":"container","image":"web:1","image_id":"web@sha256:1","image_pull_policy":"Always","security_context":{"privileged":true},
            "pod_security_context":{"runAsNonRoot":true},"host_network":true,"host_pid":false,"os":"linux",
            "volumes":[{"name":"v","hostPath":{"path":"/"}}],"volume_mounts":[{"name":"v","mountPath":"/host"}],"ports":[{"containerPort":80,"hostPort":80}],
            "service_account_name":"robot","automount_service_account_token":false,"labels":{"app":"web"},"annotations":{"a":"b"}}
            """.ReplaceLineEndings(""),
            "{" + row.GetRawText()[row.GetRawText().IndexOf("\"api_version\"", StringComparison.Ordinal)..]);
    }

    [Fact]
    public async Task A_template_gives_its_own_labels_and_annotations_and_has_no_phase()
    {
        await using var cluster = new RecordedCluster().With("apps/v1/deployments", """
            {"metadata":{"name":"d","namespace":"n","labels":{"of":"object"},"annotations":{"of":"object"}},"status":{"phase":"x"},
             "spec":{"template":{"metadata":{"labels":{"of":"template"},"annotations":{"of":"template"}},"spec":{"containers":[{"name":"c"}]}}}}
            """);

        var row = (await RunAsync(cluster)).Rows.Single();

        Assert.Equal("""{"of":"template"}""", row.GetProperty("labels").GetRawText());
        Assert.Equal("""{"of":"template"}""", row.GetProperty("annotations").GetRawText());
        Assert.Null(Text(row, "phase"));
    }

    [Fact]
    public async Task How_many_pods_a_template_asks_for_is_its_objects_word()
    {
        await using var cluster = new RecordedCluster()
            .With("apps/v1/replicasets", Asking("old", "\"replicas\":0,"), Asking("new", "\"replicas\":3,"), Asking("unsaid", ""))
            .With("v1/replicationcontrollers", Asking("rc", "\"replicas\":1,"));

        var rows = (await RunAsync(cluster)).Rows;

        Assert.Equal(
            ["new 3", "old 0", "rc 1", "unsaid "],
            rows.Select(r => $"{Text(r, "name")} {(r.TryGetProperty("replicas", out var n) ? n.GetRawText() : "")}")
                .Order(StringComparer.Ordinal));
        Assert.All(rows, r => Assert.False(r.TryGetProperty("finished", out _)));

        static string Asking(string name, string replicas) =>
            """{"metadata":{"name":"NAME","namespace":"n"},"spec":{REPLICAS"template":{"spec":{"containers":[{"name":"c"}]}}}}"""
                .Replace("NAME", name, StringComparison.Ordinal).Replace("REPLICAS", replicas, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"conditions":[{"type":"Complete","status":"True"}]}""", true)]
    [InlineData("""{"conditions":[{"type":"Suspended","status":"False"},{"type":"Failed","status":"True"}]}""", true)]
    [InlineData("""{"conditions":[{"type":"Complete","status":"False"}]}""", false)]
    [InlineData("""{"conditions":[{"type":"Suspended","status":"True"}]}""", false)]
    [InlineData("""{"conditions":[{"type":"FailureTarget","status":"True"}]}""", false)]
    [InlineData("""{"active":1}""", false)]
    [InlineData("{}", false)]
    public async Task A_job_has_finished_when_it_says_so(string status, bool finished)
    {
        await using var cluster = new RecordedCluster()
            .With("batch/v1/jobs", """{"metadata":{"name":"j","namespace":"n"},"status":STATUS,"spec":{"template":{"spec":{"containers":[{"name":"c"}]}}}}"""
                .Replace("STATUS", status, StringComparison.Ordinal));

        Assert.Equal(finished, (await RunAsync(cluster)).Rows.Single().GetProperty("finished").GetBoolean());
    }

    [Fact]
    public void The_table_has_no_column_for_what_carries_passwords()
    {
        var columns = KubernetesSource.Create().FindOperation("pod_templates")!.Columns.Select(c => c.Name).ToList();

        Assert.Equal(columns.Distinct(), columns);
        Assert.Empty(columns.Intersect(["env", "env_from", "command", "args", "spec"]));
    }

    private static async Task<(EvidenceItem Item, List<JsonElement> Rows)> RunAsync(RecordedCluster cluster)
    {
        await using var session = cluster.Session();
        var (item, rows) = Assert.Single(await session.RunAsync("pod_templates"));
        return (item, [.. rows]);
    }

    private static string? Text(JsonElement row, string column) => row.TryGetProperty(column, out var value) ? value.GetString() : null;

    private static string Container(string name) => $$"""{"name":"{{name}}"}""";

    private static string Pod(string name, string container) => Of(name, $$"""{"containers":[{{container}}]}""");

    private static string Template(string name) => Of(name, """{"template":{"spec":{"containers":[{"name":"c"}]}}}""");

    private static string CronJob(string name) => Of(name, """{"jobTemplate":{"spec":{"template":{"spec":{"containers":[{"name":"c"}]}}}}}""");

    private static string Of(string name, string spec) => $$$"""{"metadata":{"name":"{{{name}}}","namespace":"n"},"spec":{{{spec}}}}""";
}
