using System.Text;
using System.Text.RegularExpressions;
using AuditCli.Collectors.Tests.Exchanges;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>
/// A loopback server that answers list requests with given objects, in pages of the requested size. A list without objects is empty; a
/// group version that it does not serve is not found.
/// </summary>
internal sealed partial class RecordedCluster : IAsyncDisposable
{
    private readonly LoopbackServer _server;
    private readonly Dictionary<string, string[]> _objects = new(StringComparer.Ordinal);
    private readonly HashSet<string> _denied = new(StringComparer.Ordinal);
    private readonly HashSet<string> _missing = new(StringComparer.Ordinal);

    public RecordedCluster() => _server = new((request, _) => Answer(request));

    public IReadOnlyList<SeenRequest> Seen => _server.Seen;

    public ClusterSession Session(int pageSize = 500) => ClusterSession.Live(ClusterSession.Kubeconfig(_server.Address), pageSize: pageSize);

    /// <summary>Adds objects to the list of an operation.</summary>
    public RecordedCluster With(string operation, params string[] objects)
    {
        _objects[Path(operation)] = objects;
        return this;
    }

    public RecordedCluster Denying(string operation)
    {
        _denied.Add(Path(operation));
        return this;
    }

    /// <summary>Stops serving one list, or a whole group version.</summary>
    public RecordedCluster NotServing(string path)
    {
        _missing.Add(path);
        return this;
    }

    public RecordedCluster DenyingPath(string path)
    {
        _denied.Add(path);
        return this;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static string Path(string operation) => operation.Split('/').Length == 2 ? "/api/" + operation : "/apis/" + operation;

    private Reaction Answer(SeenRequest request)
    {
        var path = request.Target.Split('?')[0];
        if (request.Method == "POST")
            return Reaction.Json("""{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"auditor"}}}""", 201);
        if (_denied.Contains(path))
            return new(
                403, "application/json",
                Encoding.UTF8.GetBytes($$"""{"kind":"Status","message":"{{path}} is forbidden","reason":"Forbidden","code":403}"""));
        if (_missing.Contains(path))
            return Reaction.Json("404 page not found\n", 404);
        if (path.Split('/').Length == (path.StartsWith("/apis/", StringComparison.Ordinal) ? 4 : 3))
        {
            var group = string.Join('/', path.Split('/')[2..]);
            return Reaction.Json($$"""{"kind":"APIResourceList","groupVersion":"{{group}}","resources":[]}""");
        }
        var objects = _objects.GetValueOrDefault(path, []);
        var limit = int.Parse(Limit().Match(request.Target).Groups[1].Value, null);
        var start = Continue().Match(request.Target) is { Success: true } token ? int.Parse(token.Groups[1].Value, null) : 0;
        var next = start + limit < objects.Length ? $"{start + limit}" : "";
        var kind = Kinds.Single(k => path.EndsWith("/" + k.ToLowerInvariant() + "s", StringComparison.Ordinal));
        var version = path.Split('/') is ["", "api", var core, ..] ? core : string.Join('/', path.Split('/')[2..4]);
        var items = string.Join(',', objects.Select(WithUid).Skip(start).Take(limit));
        return Reaction.Json($$"""{"kind":"{{kind}}List","apiVersion":"{{version}}","metadata":{"continue":"{{next}}"},"items":[{{items}}]}""");
    }

    /// <summary>Gives an object that names none a uid, as the API server does.</summary>
    private static string WithUid(string content, int number) => content.Contains("\"uid\":", StringComparison.Ordinal)
        ? content
        : Metadata().Replace(content, $$"""$0"uid":"00000000-0000-0000-0000-{{number:d12}}",""", 1);

    private static readonly string[] Kinds =
    [
        "ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding", "Pod", "ReplicationController", "Deployment", "ReplicaSet",
        "StatefulSet", "DaemonSet", "Job", "CronJob",
    ];

    [GeneratedRegex("\"metadata\":\\{(?=\")")]
    private static partial Regex Metadata();

    [GeneratedRegex("[?&]limit=([0-9]+)")]
    private static partial Regex Limit();

    [GeneratedRegex("[?&]continue=([0-9]+)")]
    private static partial Regex Continue();
}
