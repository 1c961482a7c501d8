using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Reads every container that a cluster runs or would run: one row for each regular, init and ephemeral container of each pod, and of the
/// pod template of each object that creates pods.
/// </summary>
/// <remarks>
/// Values are the API's own; absent ones are null, and no default is inserted. Environment variables, commands and arguments are omitted,
/// because they may contain passwords, and so is kubectl's annotation that repeats the whole object. If a list cannot be read, the rows of
/// the others are still yielded.
/// </remarks>
internal static class PodTemplates
{
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";
    private static readonly ImmutableArray<string> ToTemplate = ["spec", "template"];
    private static readonly KubernetesResource Jobs = new("batch", "v1", "jobs");

    /// <summary>
    /// The path of the template in each kind; a pod is itself one. Before Kubernetes 1.21, cronjobs had another version, which is read only
    /// if discovery does not list the newer one; a cluster that has neither has no cronjobs.
    /// </summary>
    private static readonly ImmutableArray<(ImmutableArray<KubernetesResource> Versions, ImmutableArray<string> Template)> Lists =
    [
        ([new("", "v1", "pods")], []),
        ([new("", "v1", "replicationcontrollers")], ToTemplate),
        ([new("apps", "v1", "deployments")], ToTemplate),
        ([new("apps", "v1", "replicasets")], ToTemplate),
        ([new("apps", "v1", "statefulsets")], ToTemplate),
        ([new("apps", "v1", "daemonsets")], ToTemplate),
        ([Jobs], ToTemplate),
        ([new("batch", "v1", "cronjobs"), new("batch", "v1beta1", "cronjobs")], ["spec", "jobTemplate", .. ToTemplate]),
    ];

    private static readonly string[] Switches = ["privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "runAsNonRoot"];
    private static readonly string[] Ids = ["runAsUser", "runAsGroup"];

    /// <summary>The members below the first level that become columns or that tests look for in them.</summary>
    private static readonly string[] OfTemplate = ["metadata", "spec", "status"];
    private static readonly string[] OfSpec =
    [
        "containers", "initContainers", "ephemeralContainers", "securityContext", "hostNetwork", "hostPID", "hostIPC", "hostUsers", "os",
        "runtimeClassName", "nodeSelector", "volumes", "serviceAccountName", "automountServiceAccountToken",
    ];
    private static readonly string[] OfContainer = ["name", "image", "imagePullPolicy", "securityContext", "volumeMounts", "ports", "resources"];
    private static readonly string[] OfContext = [.. Switches, .. Ids, "capabilities", "seccompProfile", "procMount"];

    /// <summary>
    /// The members that hold containers, the container type of each, and the status member in which a pod reports on them.
    /// </summary>
    private static readonly ImmutableArray<(string Member, string Type, string Statuses)> ContainerLists =
    [
        ("containers", "container", "containerStatuses"),
        ("initContainers", "init", "initContainerStatuses"),
        ("ephemeralContainers", "ephemeral", "ephemeralContainerStatuses"),
    ];

    public static DerivedTable Table { get; } = new(
        "pod_templates",
        [
            .. Text("api_version", "kind", "namespace", "name", "uid"), new("created_at", ColumnType.Timestamp),
            .. Text("controlled_by", "phase"), new("replicas", ColumnType.Integer), new("finished", ColumnType.Boolean),
            .. Text("container", "container_type", "image", "image_id", "image_pull_policy"),
            new("security_context", ColumnType.Json), new("pod_security_context", ColumnType.Json),
            new("host_network", ColumnType.Boolean), new("host_pid", ColumnType.Boolean), new("host_ipc", ColumnType.Boolean),
            new("host_users", ColumnType.Boolean),
            .. Text("os", "runtime_class_name"), new("node_selector", ColumnType.Json),
            new("volumes", ColumnType.Json), new("volume_mounts", ColumnType.Json), new("ports", ColumnType.Json), new("resources", ColumnType.Json),
            .. Text("service_account_name"), new("automount_service_account_token", ColumnType.Boolean),
            new("labels", ColumnType.Json), new("annotations", ColumnType.Json),
        ],
        [.. Lists.Select(l => l.Versions[0])],
        ReadAsync);

    private static async IAsyncEnumerable<Page> ReadAsync(KubernetesSession session, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var (versions, template) in Lists)
        {
            foreach (var resource in versions)
            {
                // Discovery was read and does not list this version; the next one may be served.
                var served = true;
                await foreach (var (list, failure) in session.PartsOrFailureAsync(resource, share: 1, cancellationToken))
                {
                    if (failure is null)
                    {
                        foreach (var page in Pages(resource, list, template))
                            yield return page;
                    }
                    else if (versions.Length > 1 && failure.Code == KubernetesCodes.NotServed)
                    {
                        served = false;
                    }
                    else
                    {
                        yield return Page.Without(failure);
                    }
                }
                if (served)
                    break;
            }
        }
    }

    private static IEnumerable<Page> Pages(
        KubernetesResource resource, JsonElement list, ImmutableArray<string> toTemplate) => PageRows.Of(resource, list, (rows, i, item) =>
    {
        var template = toTemplate.Aggregate(item, Members.Of);
        Members.CheckNames(template, OfTemplate);
        var spec = Members.Of(template, "spec");
        var containers = Containers(spec);
        CheckForms(item, spec, [.. containers.Select(c => c.Container)]);
        foreach (var (container, type, statuses) in containers)
            rows.Add(i, writer => Write(writer, resource, list, item, template, container, type, statuses));
    });

    private static List<(JsonElement Container, string Type, string Statuses)> Containers(JsonElement podSpec)
    {
        var all = ContainerLists.SelectMany(l => Members.Objects(podSpec, l.Member).Select(c => (c, l.Type, l.Statuses))).ToList();
        // The API requires a container in every pod: an object without one is malformed, and must be reported instead of yielding no rows.
        return all.Count > 0 ? all : throw new FormatException("it has no containers");
    }

    /// <summary>
    /// Refuses values that the API never writes in members that tests use: a test would skip a pod without a namespace, and could not
    /// compare a privilege of another type.
    /// </summary>
    private static void CheckForms(JsonElement item, JsonElement podSpec, IReadOnlyList<JsonElement> containers)
    {
        if (JsonMember.Text(Members.Of(item, "metadata"), "namespace") is not { Length: > 0 })
            throw new FormatException("it has no namespace");
        Members.CheckNames(podSpec, OfSpec);
        _ = Members.Objects(podSpec, "volumes");
        foreach (var container in containers)
            Members.CheckNames(container, OfContainer);
        foreach (var context in containers.Prepend(podSpec).Select(c => Members.Of(c, "securityContext")))
        {
            CheckForm(context, "securityContext", v => v.ValueKind == JsonValueKind.Object);
            Members.CheckNames(context, OfContext);
            foreach (var name in Switches)
                CheckForm(Members.Of(context, name), name, v => v.ValueKind is JsonValueKind.True or JsonValueKind.False);
            foreach (var name in Ids)
                CheckForm(Members.Of(context, name), name, v => v.ValueKind == JsonValueKind.Number && v.TryGetInt64(out _));
            var capabilities = Members.Of(context, "capabilities");
            CheckForm(capabilities, "capabilities", v => v.ValueKind == JsonValueKind.Object);
            Members.CheckNames(capabilities, "add", "drop");
            _ = Members.Texts(capabilities, "add");
            _ = Members.Texts(capabilities, "drop");
        }
    }

    private static void CheckForm(JsonElement value, string name, Func<JsonElement, bool> fits)
    {
        if (value.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null) && !fits(value))
        {
            throw new FormatException(
                $"its {name} is {(value.ValueKind is JsonValueKind.Array or JsonValueKind.Object ? "an" : "a")} "
                    + $"{value.ValueKind.ToString().ToLowerInvariant()}");
        }
    }

    private static void Write(
        Utf8JsonWriter writer, KubernetesResource resource, JsonElement page, JsonElement item, JsonElement template, JsonElement container, string type,
        string statuses)
    {
        var (spec, status) = (Members.Of(template, "spec"), Members.Of(template, "status"));
        ObjectRows.WriteNames(writer, page, item);
        writer.WriteString("controlled_by", Controller(item));
        Members.Copy(writer, status, "phase", "phase");
        Members.Copy(writer, Members.Of(item, "spec"), "replicas", "replicas");
        if (Finished(resource, item) is { } finished)
            writer.WriteBoolean("finished", finished);
        Members.Copy(writer, container, "name", "container");
        writer.WriteString("container_type", type);
        Members.Copy(writer, container, "image", "image");
        Members.Copy(writer, Reported(status, statuses, container), "imageID", "image_id");
        Members.Copy(writer, container, "imagePullPolicy", "image_pull_policy");
        Members.Copy(writer, container, "securityContext", "security_context");
        Members.Copy(writer, spec, "securityContext", "pod_security_context");
        Members.Copy(writer, spec, "hostNetwork", "host_network");
        Members.Copy(writer, spec, "hostPID", "host_pid");
        Members.Copy(writer, spec, "hostIPC", "host_ipc");
        Members.Copy(writer, spec, "hostUsers", "host_users");
        Members.Copy(writer, Members.Of(spec, "os"), "name", "os");
        Members.Copy(writer, spec, "runtimeClassName", "runtime_class_name");
        Members.Copy(writer, spec, "nodeSelector", "node_selector");
        Members.Copy(writer, spec, "volumes", "volumes");
        Members.Copy(writer, container, "volumeMounts", "volume_mounts");
        Members.Copy(writer, container, "ports", "ports");
        Members.Copy(writer, container, "resources", "resources");
        Members.Copy(writer, spec, "serviceAccountName", "service_account_name");
        Members.Copy(writer, spec, "automountServiceAccountToken", "automount_service_account_token");
        var metadata = Members.Of(template, "metadata");
        Members.Copy(writer, metadata, "labels", "labels");
        WriteAnnotations(writer, Members.Of(metadata, "annotations"));
    }

    /// <summary>Whether a job has ended, successfully or not, so that it starts no further pod; null for every other kind.</summary>
    private static bool? Finished(KubernetesResource resource, JsonElement item) =>
        resource != Jobs ? null
        : Members.Objects(Members.Of(item, "status"), "conditions")
            .Any(c => JsonMember.Text(c, "type") is "Complete" or "Failed" && JsonMember.Text(c, "status") == "True");

    private static string? Controller(JsonElement item)
    {
        var owner = Members.Objects(Members.Of(item, "metadata"), "ownerReferences")
            .FirstOrDefault(o => Members.Of(o, "controller").ValueKind == JsonValueKind.True);
        return owner.ValueKind == JsonValueKind.Undefined ? null : $"{JsonMember.Text(owner, "kind")}/{JsonMember.Text(owner, "name")}";
    }

    private static JsonElement Reported(JsonElement status, string statuses, JsonElement container)
    {
        var name = JsonMember.Text(container, "name");
        return Members.Objects(status, statuses).FirstOrDefault(s => JsonMember.Text(s, "name") == name);
    }

    private static void WriteAnnotations(Utf8JsonWriter writer, JsonElement annotations)
    {
        if (annotations.ValueKind != JsonValueKind.Object)
            return;
        writer.WriteStartObject("annotations");
        foreach (var annotation in annotations.EnumerateObject().Where(a => a.Name != LastApplied))
            Members.Copy(writer, annotations, annotation.Name, annotation.Name);
        writer.WriteEndObject();
    }

    private static IEnumerable<Column> Text(params string[] names) => names.Select(n => new Column(n, ColumnType.Text));
}
