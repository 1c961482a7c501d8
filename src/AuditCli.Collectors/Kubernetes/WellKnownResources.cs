using System.Collections.Frozen;
using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// The columns of every resource, known without a cluster. Built-in kinds have a column for each top-level field besides metadata, spec and
/// status; all fields without a column, such as those of a custom resource, are in the column <see cref="Other"/>.
/// </summary>
internal static class WellKnownResources
{
    /// <summary>An object with the top-level fields that have no column of their own; null if there are none.</summary>
    public const string Other = "other";

    /// <summary>The columns of every resource, except <c>spec</c> and <c>status</c>.</summary>
    private static readonly ImmutableArray<Column> Common =
    [
        new("api_version", ColumnType.Text), new("kind", ColumnType.Text), new("namespace", ColumnType.Text), new("name", ColumnType.Text),
        new("uid", ColumnType.Text), new("created_at", ColumnType.Timestamp), new("labels", ColumnType.Json),
        new("annotations", ColumnType.Json), new("metadata", ColumnType.Json),
    ];

    /// <summary>
    /// By group and resource, independent of the version: the latest version, and the fields other than metadata, spec and status.
    /// </summary>
    private static readonly FrozenDictionary<(string Group, string Name), (string Version, ImmutableArray<string> Fields)> Known =
        new (string Operation, string Fields)[]
        {
            ("v1/bindings", "target"),
            ("v1/componentstatuses", "conditions"),
            ("v1/configmaps", ""),
            ("v1/endpoints", "subsets"),
            ("v1/events", "involvedObject reason message source firstTimestamp lastTimestamp "
                + "count type eventTime series action related reportingComponent reportingInstance"),
            ("v1/limitranges", ""),
            ("v1/namespaces", ""),
            ("v1/nodes", ""),
            ("v1/persistentvolumeclaims", ""),
            ("v1/persistentvolumes", ""),
            ("v1/pods", ""),
            ("v1/podtemplates", "template"),
            ("v1/replicationcontrollers", ""),
            ("v1/resourcequotas", ""),
            ("v1/serviceaccounts", "secrets imagePullSecrets automountServiceAccountToken"),
            ("v1/services", ""),
            ("admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", "webhooks"),
            ("admissionregistration.k8s.io/v1/validatingadmissionpolicies", ""),
            ("admissionregistration.k8s.io/v1/validatingadmissionpolicybindings", ""),
            ("admissionregistration.k8s.io/v1/validatingwebhookconfigurations", "webhooks"),
            ("apiextensions.k8s.io/v1/customresourcedefinitions", ""),
            ("apiregistration.k8s.io/v1/apiservices", ""),
            ("apps/v1/controllerrevisions", "data revision"),
            ("apps/v1/daemonsets", ""),
            ("apps/v1/deployments", ""),
            ("apps/v1/replicasets", ""),
            ("apps/v1/statefulsets", ""),
            ("autoscaling/v2/horizontalpodautoscalers", ""),
            ("batch/v1/cronjobs", ""),
            ("batch/v1/jobs", ""),
            ("certificates.k8s.io/v1/certificatesigningrequests", ""),
            ("coordination.k8s.io/v1/leases", ""),
            ("discovery.k8s.io/v1/endpointslices", "addressType endpoints ports"),
            ("events.k8s.io/v1/events", "eventTime series reportingController reportingInstance action reason "
                + "regarding related note type deprecatedSource deprecatedFirstTimestamp "
                + "deprecatedLastTimestamp deprecatedCount"),
            ("flowcontrol.apiserver.k8s.io/v1/flowschemas", ""),
            ("flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations", ""),
            ("networking.k8s.io/v1/ingressclasses", ""),
            ("networking.k8s.io/v1/ingresses", ""),
            ("networking.k8s.io/v1/networkpolicies", ""),
            ("node.k8s.io/v1/runtimeclasses", "handler overhead scheduling"),
            ("policy/v1/poddisruptionbudgets", ""),
            ("policy/v1beta1/podsecuritypolicies", ""),
            ("rbac.authorization.k8s.io/v1/clusterrolebindings", "subjects roleRef"),
            ("rbac.authorization.k8s.io/v1/clusterroles", "rules aggregationRule"),
            ("rbac.authorization.k8s.io/v1/rolebindings", "subjects roleRef"),
            ("rbac.authorization.k8s.io/v1/roles", "rules"),
            ("scheduling.k8s.io/v1/priorityclasses", "value globalDefault description preemptionPolicy"),
            ("storage.k8s.io/v1/csidrivers", ""),
            ("storage.k8s.io/v1/csinodes", ""),
            ("storage.k8s.io/v1/csistoragecapacities", "nodeTopology storageClassName capacity maximumVolumeSize"),
            ("storage.k8s.io/v1/storageclasses", "provisioner parameters reclaimPolicy mountOptions allowVolumeExpansion volumeBindingMode allowedTopologies"),
            ("storage.k8s.io/v1/volumeattachments", ""),
        }.ToFrozenDictionary(
            k => k.Operation.Split('/') is [var group, _, var name] ? (group, name) : ("", k.Operation.Split('/')[1]),
            k => (k.Operation.Split('/')[^2], k.Fields.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToImmutableArray()));

    /// <summary>The kinds of the table's resources, in the API's spelling.</summary>
    private static readonly FrozenSet<string> Kinds = (
        "Binding ComponentStatus ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolumeClaim PersistentVolume Pod PodTemplate "
        + "ReplicationController "
        + "ResourceQuota ServiceAccount Service MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding "
        + "ValidatingWebhookConfiguration "
        + "CustomResourceDefinition APIService ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet HorizontalPodAutoscaler CronJob Job "
        + "CertificateSigningRequest Lease EndpointSlice FlowSchema PriorityLevelConfiguration IngressClass Ingress NetworkPolicy RuntimeClass "
        + "PodDisruptionBudget "
        + "PodSecurityPolicy ClusterRoleBinding ClusterRole RoleBinding Role PriorityClass CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment")
        .Split(' ').ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Every resource of the table, in the form used by controls.</summary>
    public static IEnumerable<string> Names => Known.Select(k => new KubernetesResource(k.Key.Group, k.Value.Version, k.Key.Name).ToString());

    /// <summary>Returns the columns of one row.</summary>
    public static ImmutableArray<Column> Columns(KubernetesResource resource) => resource.IsMetadataOnly
        ? Common
        :
        [
            .. Common, new("spec", ColumnType.Json), new("status", ColumnType.Json),
            .. Fields(resource).Select(f => new Column(f, ColumnType.Json)), new(Other, ColumnType.Json),
        ];

    /// <summary>Returns the top-level fields that have their own column, besides metadata, spec and status.</summary>
    public static ImmutableArray<string> Fields(KubernetesResource resource) =>
        Known.TryGetValue((resource.Group, resource.Name), out var known) ? known.Fields : [];

    /// <summary>Returns the kind of a built-in resource's objects; null for any other resource.</summary>
    public static string? KindOf(KubernetesResource resource) => Kinds.FirstOrDefault(k => Knows(resource) && MayBe(resource, k));

    /// <summary>Whether the resource is a built-in one.</summary>
    public static bool Knows(KubernetesResource resource) => Known.ContainsKey((resource.Group, resource.Name));

    /// <summary>Whether the API server computes the objects and does not store them, so that they have no uid.</summary>
    public static bool IsComputed(KubernetesResource resource) => resource is { Group: "", Name: "componentstatuses" or "bindings" };

    /// <summary>Returns the names of all top-level fields that have a column.</summary>
    public static string[] TopLevel(KubernetesResource resource) => ["apiVersion", "kind", "metadata", "spec", "status", .. Fields(resource)];

    /// <summary>
    /// Whether the resource's objects may be of that kind. The name of a built-in resource is the plural of its kind in lower case; custom
    /// resources define both names independently.
    /// </summary>
    public static bool MayBe(KubernetesResource resource, string kind)
    {
        if (!Knows(resource))
            return true;
        var name = kind.ToLowerInvariant();
        return Kinds.Contains(kind) && resource.Name == (
            name.EndsWith('y') ? name[..^1] + "ies"
            : name == "endpoints" ? name
            : name.EndsWith('s') ? name + "es"
            : name + "s");
    }
}
