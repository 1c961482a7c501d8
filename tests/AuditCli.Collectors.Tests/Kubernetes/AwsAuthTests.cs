using System.Text.Json;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>Tests the only ConfigMap whose data is read.</summary>
public sealed class AwsAuthTests
{
    private const string Whole = """
        {"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"aws-auth"},"data":{
          "mapRoles":"- rolearn: arn:aws:iam::1:role/node\n  username: system:node:{{EC2PrivateDNSName}}\n  groups:\n  - system:bootstrappers\n  - system:nodes\n- {rolearn: 'arn:aws:iam::1:role/admin', username: admin, groups: ['system:masters']}\n",
          "mapUsers":"[{\"userarn\":\"arn:aws:iam::1:user/alice\",\"username\":\"alice\"}]",
          "mapAccounts":"- '012345678901'\n","other":"MARKERother"}}
        """;

    [Theory]
    [InlineData(403, """{"kind":"Status","reason":"Forbidden","message":"configmaps \"aws-auth\" is forbidden"}""", "Forbidden")]
    [InlineData(404, """{"kind":"Status","status":"Failure","reason":"NotFound","message":"the server could not find the requested resource"}""", "NotFound")]
    [InlineData(404, "404 page not found", "NotFound")]
    [InlineData(404, "<html>no such host</html>", "Http404")]
    [InlineData(404, "", "Http404")]
    [InlineData(200, "<html>", "MalformedResponse")]
    [InlineData(200, """{"kind":"Status"}""", "MalformedResponse")]
    [InlineData(200, """{"kind":"ConfigMap","data":{"mapRoles":"- rolearn: a\n username: [b"}}""", "MalformedResponse")]
    [InlineData(200, """{"kind":"ConfigMap","data":{"mapRoles":"all of them"}}""", "MalformedResponse")]
    [InlineData(200, """{"kind":"ConfigMap","data":{"mapRoles":"- username: b"}}""", "MalformedResponse")]
    [InlineData(200, """{"kind":"ConfigMap","data":{"mapRoles":"-"}}""", "MalformedResponse")]
    [InlineData(200, """{"kind":"ConfigMap","data":{"mapUsers":"- {userarn: a, username: b, groups: masters}"}}""", "MalformedResponse")]
    public async Task What_is_not_an_answer_is_never_an_empty_table(int status, string body, string code)
    {
        var (item, rows) = await RunAsync(Reaction.Json(body, status));

        Assert.Equal((CollectionOutcome.Failed, code, 0), (item.Outcome, item.Code, rows.Count));
    }

    [Theory]
    [InlineData(
        """{"mapRoles":"- username: b\n- {rolearn: r, username: b}","mapUsers":"- {userarn: u, username: b}"}""",
        "mapRoles has an entry without rolearn", "r", "u")]
    [InlineData("""{"mapRoles":"-\n- {rolearn: r, username: b}","mapAccounts":"-\n- '1'"}""", "mapRoles has an empty entry", "r", "1")]
    [InlineData("""{"mapRoles":"all of them","mapUsers":"- {userarn: u, username: b}"}""", "mapRoles is not a readable list", "u")]
    public async Task A_slip_in_one_entry_does_not_hide_the_others(string data, string said, params string[] read)
    {
        var (item, rows) = await RunAsync(Reaction.Json($$"""{"kind":"ConfigMap","data":{{data}}}"""));

        Assert.Equal((CollectionOutcome.Incomplete, "MalformedResponse"), (item.Outcome, item.Code));
        Assert.Contains(said, item.Message, StringComparison.Ordinal);
        Assert.Equal(read, rows.Select(r => Text(r, "arn") ?? Text(r, "account")));
    }

    [Fact]
    public async Task A_cluster_without_it_maps_nobody()
    {
        var (item, rows) = await RunAsync(Reaction.Json(
            """{"kind":"Status","reason":"NotFound","message":"configmaps \"aws-auth\" not found","code":404}""", 404));

        Assert.Equal((CollectionOutcome.Complete, 0), (item.Outcome, rows.Count));
        Assert.Single(item.Exchanges, e => e.Status == 404);
    }

    [Fact]
    public async Task Each_entry_is_a_row_and_nothing_else_reaches_the_table()
    {
        var (item, rows) = await RunAsync(Reaction.Json(Whole));

        Assert.Equal(CollectionOutcome.Complete, item.Outcome);
        Assert.Equal(
            [
                """mapRoles arn:aws:iam::1:role/node  system:node:{{EC2PrivateDNSName}} ["system:bootstrappers","system:nodes"]""",
                """mapRoles arn:aws:iam::1:role/admin  admin ["system:masters"]""",
                "mapUsers arn:aws:iam::1:user/alice  alice []",
                "mapAccounts  012345678901  []",
            ],
            rows.Select(r => $"{Text(r, "source")} {Text(r, "arn")} {Text(r, "account")} {Text(r, "username")} {r.GetProperty("groups").GetRawText()}"));
        Assert.All(rows, r => Assert.EndsWith("#/data/" + Text(r, "source"), Text(r, "_ref"), StringComparison.Ordinal));
        Assert.DoesNotContain(rows, r => r.GetRawText().Contains("MARKER", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(AwsAuth.Path, true)]
    [InlineData(AwsAuth.Path + "?watch=true", false)]
    [InlineData("/api/v1/namespaces/kube-system/configmaps/aws-auth/", false)]
    [InlineData("/api/v1/namespaces/kube-system/configmaps/other", false)]
    [InlineData("/api/v1/namespaces/default/configmaps/aws-auth", false)]
    [InlineData("/api/v1/namespaces/kube-system/secrets/aws-auth", false)]
    [InlineData("/api/v2/namespaces/kube-system/configmaps/aws-auth", false)]
    public void The_guard_lets_exactly_this_one_object_pass(string path, bool passes)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("https://cluster.example" + path));
        request.Headers.TryAddWithoutValidation("Accept", "application/json");

        Assert.Equal(passes, new RequestCheck("").Refusal(request) is null);
        request.Method = HttpMethod.Delete;
        Assert.NotNull(new RequestCheck("").Refusal(request));
    }

    [Fact]
    public void It_has_a_name_of_its_own_and_is_found_by_the_configmaps()
    {
        var source = KubernetesSource.Create();

        Assert.Equal(["aws_auth"], source.FindOperation("aws_auth")!.Reads.AsEnumerable());
        Assert.Contains(source.Suggest("aws-auth"), s => s.StartsWith("aws_auth: made from " + AwsAuth.Path, StringComparison.Ordinal));
    }

    private static async Task<(EvidenceItem Item, List<JsonElement> Rows)> RunAsync(Reaction answer)
    {
        await using var server = new LoopbackServer((request, _) => request.Method == "POST"
            ? Reaction.Json("""{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"auditor"}}}""", 201)
            : request.Target == AwsAuth.Path ? answer : throw new InvalidOperationException(request.Target));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));
        var (item, rows) = Assert.Single(await session.RunAsync("aws_auth"));
        return (item, [.. rows]);
    }

    private static string? Text(JsonElement row, string column) => row.TryGetProperty(column, out var value) ? value.GetString() : null;
}
