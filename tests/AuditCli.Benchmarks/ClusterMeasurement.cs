using System.Diagnostics;
using System.Globalization;
using AuditCli.Tests;

namespace AuditCli.Benchmarks;

/// <summary>
/// Fills a real API server with the given numbers of pods in turn, and a quarter as many bindings. Prints the cost of reading them:
/// kubectl's list, the same list by <c>auditcli call</c>, and a run of both controls that read pods and bindings.
/// </summary>
internal static class ClusterMeasurement
{
    private const int Writers = 32;

    public static async Task<int> RunAsync(string[] arguments)
    {
        await using var server = await KubeApiServer.StartAsync();
        using var folder = new TemporaryFolder();
        var kubeconfig = folder.Write("kubeconfig", server.Kubeconfig($"{{ token: {KubeApiServer.AdminToken} }}"));
        Console.WriteLine($"{"pods",8}{"bindings",10}  {"program",-34}{"wall s",8}{"cpu s",8}{"peak MiB",10}{"us/pod",8}{"to kubectl",12}");
        var made = 0;
        foreach (var pods in arguments.Select(a => int.Parse(a, CultureInfo.InvariantCulture)))
        {
            await FillAsync(server, made, pods);
            made = pods;
            var kubectl = await MeasuredProcess.RunAsync(new("kubectl", ["--kubeconfig", kubeconfig, "get", "pods", "-A", "--chunk-size=500", "-o", "json"]));
            Print(pods, "kubectl get --chunk-size=500", kubectl, kubectl);
            Print(
                pods,
                "auditcli call kubernetes v1/pods",
                await MeasuredProcess.RunAsync(MeasuredProcess.AuditCli("call", "kubernetes", "v1/pods", "--kubeconfig", kubeconfig)),
                kubectl);
            var run = await MeasuredProcess.RunAsync(
                $"{pods} pods",
                "APD-K8S-001, INF-K8S-002",
                "{ cluster: { kubernetes: {} } }",
                _ => new Dictionary<string, string> { ["KUBECONFIG"] = kubeconfig });
            Print(pods, "auditcli run, two controls", run, kubectl);
        }
        return 0;
    }

    private static void Print(int pods, string program, MeasuredProcess measured, MeasuredProcess kubectl)
    {
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{pods,8}{pods / 4,10}  {program,-34}{measured.Wall.TotalSeconds,8:F1}{measured.Cpu.TotalSeconds,8:F1}{measured.Peak >> 20,10}"
                + $"{measured.Wall.TotalMicroseconds / pods,8:F0}{measured.Wall / kubectl.Wall,12:F2}"));
        if (measured.ExitCode is not (0 or 2))
            Console.WriteLine(measured.Said);
    }

    private static async Task FillAsync(KubeApiServer server, int from, int to)
    {
        var watch = Stopwatch.StartNew();
        await Parallel.ForEachAsync(Enumerable.Range(from, to - from), new ParallelOptions { MaxDegreeOfParallelism = Writers }, async (n, _) =>
        {
            await server.CreateAsync("/api/v1/namespaces/default/pods", Pod(n));
            if (n % 4 == 0)
                await server.CreateAsync("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", Binding(n));
        });
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{to - from} pods made in {watch.Elapsed.TotalSeconds:F0} s"));
    }

    private static string Pod(int n) => $$"""
        { "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "worker-{{n}}", "labels": { "app": "worker", "shard": "{{n % 97}}" } },
          "spec": {
            "securityContext": { "runAsNonRoot": true, "runAsUser": 10001, "seccompProfile": { "type": "RuntimeDefault" } },
            "containers": [{
              "name": "worker", "image": "registry.example/worker@sha256:7d1f0a2c5d3f2b8a4a0a5f0f9e6f8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f10",
              "env": [{ "name": "SHARD", "value": "{{n % 97}}" }], "ports": [{ "containerPort": 8080 }],
              "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } } }] } }
        """;

    private static string Binding(int n) => $$"""
        { "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": "viewer-{{n}}" },
          "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view" },
          "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "person-{{n}}@example.com" }] }
        """;
}
