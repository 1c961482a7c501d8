using System.Collections.Immutable;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Gcp;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Collectors.Rest;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests;

/// <summary>
/// Tests values that escape from their place in a request, in all ways to write them: as account, region, part of a path, project, table,
/// namespace or name, given by the user or by a response, for each source and each guard.
/// </summary>
[Collection("environment")]
public sealed class WayOutTests
{
    public static TheoryData<string> Spellings =>
    [
        "..", ".", "../../etc", "..%2f", "..%2F..%2Fetc", "%2e%2e", "%2E%2e", ".%2e", "%2e.", "%2e%2e%2f%2e%2e%2fetc", "%252e%252e",
        "..%5c..%5cetc", "..\\..\\etc", "%2e",
        "a/../../b", "a/..%2f..%2fb",
    ];

    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task AWS_is_asked_for_no_such_part_of_a_path_or_host(string value)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("<a/>"));
        await using var session = Aws.Session.Live(server.Address);
        (string Operation, (string, object)[] Parameters)[] calls =
        [
            ("lambda:GetPolicy", [("FunctionName", value)]),
            ("s3:GetBucketAcl", [("Bucket", value)]),
            ("eks:DescribeCluster", [("name", value)]),
            ("route53:GetHostedZone", [("Id", value)]),
            ("s3control:GetPublicAccessBlock", [("AccountId", value)]),
        ];
        foreach (var (operation, parameters) in calls)
            Assert.Equal("InvalidParameter", (await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync(operation, parameters))).Code);
        Assert.Empty(server.Seen);
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    [InlineData("evil.example/")]
    [InlineData("evil.example#")]
    [InlineData("eu-west-1.evil.example/?")]
    [InlineData("eu-west-1\n")]
    [InlineData("")]
    public async Task AWS_is_asked_in_no_such_region(string value)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("<a/>"));
        await using var session = Aws.Session.Live(server.Address, keep: false);

        var e = await Assert.ThrowsAsync<CollectionException>(() =>
            session.Collector.CallAsync(Aws.Session.Target(), "kms:ListKeys", Aws.Session.Parameters(), value, CancellationToken.None));

        Assert.Equal("InvalidParameter", e.Code);
        Assert.Empty(server.Seen);
        var target = new Target("prod", "aws", ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty.Add("regions", ["us-east-1", value]));
        Assert.Contains($"'{value}' cannot be a region", AwsSource.Create().WhyNotTarget(target), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task An_answer_of_AWS_names_no_such_account_or_region(string value)
    {
        var account = value;
        await using var server = new LoopbackServer((request, _) => Reaction.Xml(request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal)
            ? $"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/a</Arn>"
                + $"<Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
            : $"<DescribeRegionsResponse><regionInfo><item><regionName>{value}</regionName>"
                + "<optInStatus>opted-in</optInStatus></item></regionInfo></DescribeRegionsResponse>"));
        await using var session = Aws.Session.Live(server.Address);
        var everywhere = new Target("prod", "aws", ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty);

        var first = await Assert.ThrowsAsync<CollectionException>(() => session.Collector.ConnectAsync(everywhere, CancellationToken.None));
        account = "123456789012";
        var second = await Assert.ThrowsAsync<CollectionException>(() => session.Collector.ConnectAsync(everywhere, CancellationToken.None));

        Assert.Equal(("MalformedResponse", "MalformedResponse"), (first.Code, second.Code));
        Assert.Contains("is not an account", first.Message, StringComparison.Ordinal);
        Assert.Contains("is not a region", second.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    public void The_guard_of_AWS_lets_no_such_path_pass(string value)
    {
        foreach (var (service, path) in new[]
        {
            ("lambda", "/2015-03-31/functions/{0}/policy"), ("s3", "/{0}?acl"), ("s3", "/bucket/{0}?tagging"), ("eks", "/clusters/{0}"),
            ("route53", "/2013-04-01/hostedzone/{0}"),
        })
        {
            var check = new AuditCli.Collectors.Aws.Client.RequestCheck(new AwsCatalogue().Service(service)!);
            Assert.Null(check.Refusal(Get("http://127.0.0.1" + path.Replace("{0}", "name", StringComparison.Ordinal))));
            Assert.NotNull(check.Refusal(Get("http://127.0.0.1" + path.Replace("{0}", value, StringComparison.Ordinal))));
        }
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task Google_is_asked_for_no_such_part_of_a_path(string value)
    {
        using var server = new GoogleServer();
        await using var session = Gcp.Session.Live(server);
        (string Operation, (string, object)[] Parameters)[] calls =
        [
            ("iam:projects.serviceAccounts.list", [("name", $"projects/{value}")]),
            ("cloudresourcemanager:projects.getIamPolicy", [("resource", $"projects/{value}")]),
            ("storage:buckets.get", [("bucket", value)]),
            ("compute:firewalls.list", [("project", value)]),
            ("bigquery:tables.get", [("projectId", value), ("datasetId", "d"), ("tableId", "t")]),
            ("bigquery:tables.get", [("projectId", "p-one"), ("datasetId", value), ("tableId", "t")]),
            ("bigquery:tables.get", [("projectId", "p-one"), ("datasetId", "d"), ("tableId", value)]),
        ];
        foreach (var (operation, parameters) in calls)
        {
            var e = await Assert.ThrowsAsync<CollectionException>(
                () => session.Collector.CallAsync(Gcp.Session.Target(), operation, Gcp.Session.Parameters(parameters), "p-one", CancellationToken.None));
            Assert.Equal("InvalidParameter", e.Code);
        }
        Assert.Empty(server.Seen);
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task Google_is_asked_about_no_such_project(string value)
    {
        using var server = new GoogleServer();
        await using var session = Gcp.Session.Live(server);
        (string Operation, (string, object)[] Parameters)[] calls =
        [
            ("iam:projects.serviceAccounts.list", []),
            ("compute:firewalls.list", []),
            ("cloudkms:projects.locations.keyRings.list", [("parent", "projects/{project}/locations/global")]),
        ];
        foreach (var (operation, parameters) in calls)
        {
            var e = await Assert.ThrowsAsync<CollectionException>(
                () => session.Collector.CallAsync(Gcp.Session.Target(), operation, Gcp.Session.Parameters(parameters), value, CancellationToken.None));
            Assert.Equal("InvalidParameter", e.Code);
        }
        Assert.Empty(server.Seen);
        Assert.NotNull(GcpSource.Create().WhyNotTarget(Gcp.Session.Target(("projects", [value]))));
        Assert.NotNull(GcpSource.Create().WhyNotTarget(Gcp.Session.Target(("folder", [$"folders/{value}"]))));
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    public void The_guard_of_Google_lets_no_such_path_pass(string value)
    {
        foreach (var (name, path) in new[]
        {
            ("iam", "v1/projects/{0}/serviceAccounts"), ("iam", "v1/projects/p-one/serviceAccounts/{0}/keys"), ("compute", "projects/{0}/global/firewalls"),
            ("storage", "b/{0}"), ("bigquery", "projects/p-one/datasets/d/tables/{0}"),
        })
        {
            var api = new RestCatalogue(GcpSource.Catalogue).Api(name)!;
            var address = new Uri(new Uri("http://127.0.0.1/"), api.BasePath);
            var check = new AuditCli.Collectors.Gcp.Client.RequestCheck(api, address);
            Assert.Null(check.Refusal(Get(address.AbsoluteUri + path.Replace("{0}", "name", StringComparison.Ordinal))));
            Assert.NotNull(check.Refusal(Get(address.AbsoluteUri + path.Replace("{0}", value, StringComparison.Ordinal))));
        }
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task A_cluster_is_asked_for_no_such_namespace_group_or_name(string value)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Json("""{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}"""));
        await using var session = Kubernetes.ClusterSession.Live(Kubernetes.ClusterSession.Kubeconfig(server.Address));

        Assert.Equal("InvalidParameter", (await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("v1/pods", ("namespace", value)))).Code);
        foreach (var name in new[] { $"v1/{value}", $"{value}/pods", $"{value}/v1/pods", $"apps/{value}/deployments", $"example.com/v1/{value}" })
        {
            Assert.Null(KubernetesSource.Create().FindOperation(name));
            Assert.Equal("RefusedReadOnly", (await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync(name))).Code);
        }
        Assert.Empty(server.Seen);
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    public void The_guard_of_a_cluster_lets_no_such_path_pass(string value)
    {
        foreach (var basePath in new[] { "", "/k8s/clusters/c-1" })
        {
            var check = new RequestCheck(basePath);
            foreach (var path in new[]
            {
                "/api/v1/namespaces/{0}/pods", "/api/v1/{0}", "/apis/example.com/v1/{0}", "/apis/{0}/v1/gadgets",
                "/apis/example.com/v1/namespaces/{0}/gadgets",
            })
            {
                Assert.Null(check.Refusal(Get("https://cluster.example" + basePath + path.Replace("{0}", "name", StringComparison.Ordinal))));
                Assert.NotNull(check.Refusal(Get("https://cluster.example" + basePath + path.Replace("{0}", value, StringComparison.Ordinal))));
            }
        }
    }

    /// <summary>
    /// Creates a request whose path is sent unchanged. Otherwise .NET itself would resolve the dots before the guard sees them.
    /// </summary>
    private static HttpRequestMessage Get(string address)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        return request;
    }
}
