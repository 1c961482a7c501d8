using AuditCli.Collectors.Kubernetes;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Tests.Kubernetes;

public sealed class ReadOnlyTests
{
    private readonly EvidenceSource _source = KubernetesSource.Create();

    [Theory]
    [InlineData("v1/secrets")]
    [InlineData("example.com/v1/secrets")]
    [InlineData("v1/secrets/status")]
    [InlineData("v2/pods")]
    [InlineData("pods")]
    [InlineData("v1/Pods")]
    [InlineData("v1/pods/log")]
    [InlineData("v1/pods/exec")]
    [InlineData("apps/v1/deployments/scale")]
    [InlineData("v1/watch")]
    [InlineData("v1/%73ecrets")]
    [InlineData("v1/pods?watch=true")]
    [InlineData("../v1/pods")]
    [InlineData("/v1/pods")]
    [InlineData("")]
    public void What_is_no_list_or_may_not_be_read_is_no_operation(string name) => Assert.Null(_source.FindOperation(name));

    [Theory]
    [InlineData("v1/pods")]
    [InlineData("apps/v1/deployments")]
    [InlineData("rbac.authorization.k8s.io/v1/clusterrolebindings")]
    [InlineData("argoproj.io/v1alpha1/applications")]
    public void A_list_of_any_group_and_version_is_an_operation_once_for_the_cluster(string name)
    {
        var operation = _source.FindOperation(name)!;

        Assert.Equal(name, operation.Name);
        Assert.Equal(OperationScope.Global, operation.Scope);
        Assert.Equal(["namespace", "labelSelector", "fieldSelector"], operation.Parameters.Select(p => p.Name));
    }

    [Theory]
    [InlineData("v1/secrets", "secrets are never requested")]
    [InlineData("example.com/v1/Gadgets", "'Gadgets' is not a resource: its plural in lower case, without subresource")]
    [InlineData("gadgets", "write <group>/<version>/<resource>, or v1/<resource> for the core group")]
    public void A_name_that_resembles_nothing_is_refused_with_the_reason(string written, string reason) =>
        Assert.Equal($"{written} is refused: {reason}", Assert.Single(_source.Suggest(written)));

    [Theory]
    [InlineData("pods", "v1/pods")]
    [InlineData("rbac/clusterrole", "rbac.authorization.k8s.io/v1/clusterroles")]
    [InlineData("networkpolicy", "networking.k8s.io/v1/networkpolicies")]
    public void A_name_without_its_group_is_answered_with_the_whole_name(string written, string meant) =>
        Assert.Contains(_source.Suggest(written), s => s.StartsWith(meant, StringComparison.Ordinal));

    [Fact]
    public void Every_well_known_resource_is_an_operation_with_columns_of_different_names() => Assert.All(WellKnownResources.Names, name =>
    {
        var columns = _source.FindOperation(name)!.Columns.Select(c => c.Name).ToList();
        Assert.Equal(columns.Distinct(), columns);
    });

    [Fact]
    public void Columns_are_the_common_ones_the_kinds_own_and_the_rest()
    {
        string[] common = ["api_version", "kind", "namespace", "name", "uid", "created_at", "labels", "annotations", "metadata"];

        Assert.Equal([.. common, "spec", "status", "other"], Columns("v1/pods"));
        Assert.Equal([.. common, "spec", "status", "subjects", "roleRef", "other"], Columns("rbac.authorization.k8s.io/v1/rolebindings"));
        Assert.Equal([.. common, "spec", "status", "webhooks", "other"], Columns("admissionregistration.k8s.io/v1beta1/validatingwebhookconfigurations"));
        Assert.Equal([.. common, "spec", "status", "other"], Columns("example.com/v1/gadgets"));
        Assert.Equal(common, Columns("v1/configmaps"));

        IEnumerable<string> Columns(string name) => _source.FindOperation(name)!.Columns.Select(c => c.Name);
    }

    [Theory]
    [InlineData("GET", "/api/v1/secrets")]
    [InlineData("GET", "/api/v1/secrets?limit=500")]
    [InlineData("GET", "/api/v1/namespaces/default/secrets")]
    [InlineData("GET", "/apis/example.com/v1/secrets")]
    [InlineData("GET", "/api/v1/namespaces/default/%73ecrets")]
    [InlineData("GET", "/api/v1/namespaces/default/secrets/token")]
    [InlineData("GET", "/api/v1/namespaces/default/pods/web")]
    [InlineData("GET", "/api/v1/namespaces/default/pods/web/exec?command=sh")]
    [InlineData("GET", "/api/v1/namespaces/default/pods/web/log")]
    [InlineData("GET", "/api/v1/nodes/n1/proxy/pods")]
    [InlineData("GET", "/api/v1/watch/pods")]
    [InlineData("GET", "/api/v1/pods?watch=true")]
    [InlineData("GET", "/api/v1/pods?limit=500&%77atch=1")]
    [InlineData("GET", "/api/v1/pods?follow=true")]
    [InlineData("GET", "/api/v1/configmaps?limit=500")]
    [InlineData("GET", "/api/v1//secrets")]
    [InlineData("GET", "/api/v1/pods/")]
    [InlineData("GET", "/logs/kube-apiserver.log")]
    [InlineData("GET", "/metrics")]
    [InlineData("HEAD", "/api/v1/pods")]
    [InlineData("DELETE", "/api/v1/namespaces/default/pods")]
    [InlineData("PUT", "/api/v1/pods")]
    [InlineData("PATCH", "/api/v1/pods")]
    [InlineData("POST", "/api/v1/namespaces/default/pods")]
    [InlineData("POST", "/api/v1/namespaces/default/serviceaccounts/robot/token")]
    [InlineData("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews")]
    [InlineData("POST", "/apis/authentication.k8s.io/v1/tokenreviews")]
    [InlineData("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews?dryRun=All")]
    public void The_guard_refuses_what_writes_streams_or_reveals(string method, string path) => Assert.NotNull(Refusal(method, path));

    [Theory]
    [InlineData("GET", "/api/v1/pods?limit=500")]
    [InlineData("GET", "/api/v1/namespaces")]
    [InlineData("GET", "/api/v1/namespaces/default/pods?limit=2&continue=abc&labelSelector=a%3Db&fieldSelector=c")]
    [InlineData("GET", "/apis/apps/v1/namespaces/default/deployments")]
    [InlineData("GET", "/api/v1")]
    [InlineData("GET", "/apis/apps/v1")]
    [InlineData("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews")]
    [InlineData("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews")]
    public void The_guard_lets_lists_discovery_and_questions_about_the_caller_pass(string method, string path) => Assert.Null(Refusal(method, path));

    [Fact]
    public void The_guard_keeps_to_the_clusters_own_path_on_a_gateway()
    {
        Assert.Null(Refusal("GET", "/k8s/clusters/c-1/api/v1/pods", "/k8s/clusters/c-1"));
        Assert.NotNull(Refusal("GET", "/k8s/clusters/c-2/api/v1/pods", "/k8s/clusters/c-1"));
        Assert.NotNull(Refusal("GET", "/k8s/clusters/c-1/../c-2/api/v1/pods", "/k8s/clusters/c-1"));
    }

    private static string? Refusal(string method, string path, string basePath = "")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri("https://cluster.example" + path));
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        if (method == "POST")
            request.Content = new StringContent("{}");
        return new RequestCheck(basePath).Refusal(request);
    }
}
