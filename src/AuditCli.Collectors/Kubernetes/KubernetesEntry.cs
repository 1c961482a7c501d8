namespace AuditCli.Collectors.Kubernetes;

/// <summary>Kubernetes in the catalogue of sources.</summary>
internal static class KubernetesEntry
{
    public static CollectorEntry Create() => new()
    {
        Source = KubernetesSource.Create(),
        Title = "Kubernetes",
        Implementation = typeof(KubernetesCollector),
        Open = context => new KubernetesCollector(context.Transport, context.Clock, context.CredentialUsed),
        Permissions = (operations, _) => KubernetesPermissions.Document(operations),
        PermissionForm = "a ClusterRole (YAML)",
        Call = new(
            "List the objects of one resource of a cluster, with kubectl's own configuration or that of an engagement's target.",
            "As <group>/<version>/<resource>, or v1/<resource> for the core group, such as apps/v1/deployments.",
            """
            Prints the server's list with the objects of all pages, each with its apiVersion and kind, and every number as the server
            writes it. Secrets are refused before anything is sent; of configmaps only the metadata is requested.

            Examples:
              auditcli call kubernetes v1/namespaces
              auditcli call kubernetes apps/v1/deployments namespace=trading --context trading-prod
              auditcli call kubernetes v1/pods labelSelector=app=ledger fieldSelector=status.phase=Running
              auditcli call kubernetes rbac.authorization.k8s.io/v1/clusterroles --engagement engagement.yaml --target trading
            """,
            [
                new("--context", "C", "The context of the kubeconfig; default its current one.", "context"),
                new("--kubeconfig", "FILE", "The kubeconfig; default kubectl's own.", "kubeconfig"),
            ],
            null,
            _ => null),
        Starter = new("cluster", "{ }", "context: NAME chooses another than the kubeconfig's current one")
        {
            Variables = ["KUBECONFIG", "KUBERNETES_SERVICE_HOST"],
            HomeFiles = [".kube/config"],
        },
        NewControl = new("K8S", "v1/namespaces", "name"),
        Quick = new("Without an engagement: the cluster of the kubeconfig's current context."),
        Fields = new() { RequestIds = ["Audit-Id"] },
        Codes = KubernetesCodes.All,
        SecretPlaces = KubernetesSecretPlaces.All,
        UncheckedPlaces = ["cluster", "context"],
    };
}
