using System.Collections.Immutable;
using System.Text.Json;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>A cluster as defined in a kubeconfig.</summary>
/// <param name="Place">The file and line, for messages.</param>
/// <param name="AuthorityFile">An absolute path.</param>
/// <param name="ExecConfig">The configuration for exec plugins: the extension <c>client.authentication.k8s.io/exec</c>.</param>
internal sealed record KubeCluster(
    string Name, string Place, string? Server, string? TlsServerName, bool Insecure, string? AuthorityFile, string? AuthorityData, string? ProxyUrl,
    JsonElement? ExecConfig);

/// <summary>A pair of cluster and user.</summary>
internal sealed record KubeContext(string Name, string Place, string? Cluster, string? User);

/// <summary>The authentication of a user. File paths are absolute.</summary>
internal sealed record KubeUser(string Name, string Place)
{
    public string? Token { get; init; }
    public string? TokenFile { get; init; }
    public string? Username { get; init; }
    public string? Password { get; init; }
    public string? CertificateFile { get; init; }
    public string? CertificateData { get; init; }
    public string? KeyFile { get; init; }
    public string? KeyData { get; init; }
    public string? AuthProvider { get; init; }
    public KubeExec? Exec { get; init; }
    public string? As { get; init; }
    public string? AsUid { get; init; }
    public ImmutableArray<string> AsGroups { get; init; } = [];
    public ImmutableArray<KeyValuePair<string, ImmutableArray<string>>> AsExtra { get; init; } = [];

    /// <summary>Returns the user with impersonation only, without any credentials.</summary>
    public KubeUser WithoutProof() => new(Name, Place) { As = As, AsUid = AsUid, AsGroups = AsGroups, AsExtra = AsExtra };
}

/// <summary>A program that prints credentials.</summary>
/// <param name="Command">A name in the search path, or an absolute path.</param>
/// <param name="InteractiveMode">Null if the file does not specify it.</param>
internal sealed record KubeExec(
    string? Command, ImmutableArray<string> Arguments, ImmutableArray<KeyValuePair<string, string>> Environment, string? ApiVersion, string? InteractiveMode,
    bool ProvideClusterInfo, string? InstallHint);

/// <summary>
/// Kubeconfig files as kubectl reads them: names are case-sensitive, the first of several files that defines a name takes precedence, and a
/// relative path is relative to the folder of its own file.
/// </summary>
/// <param name="Places">The files that were read, in order.</param>
internal sealed record Kubeconfig(
    ImmutableArray<string> Places, string? CurrentContext, ImmutableDictionary<string, KubeContext> Contexts,
    ImmutableDictionary<string, KubeCluster> Clusters, ImmutableDictionary<string, KubeUser> Users)
{
    /// <summary>Merges several files.</summary>
    public static Kubeconfig Merged(ImmutableArray<Kubeconfig> files) => new(
        [.. files.SelectMany(f => f.Places)],
        files.Select(f => f.CurrentContext).FirstOrDefault(c => c is not null),
        First(files.SelectMany(f => f.Contexts)), First(files.SelectMany(f => f.Clusters)), First(files.SelectMany(f => f.Users)));

    /// <summary>Returns the named context, or the current one, with its cluster and user.</summary>
    /// <exception cref="CollectionException">One of them does not exist.</exception>
    public (KubeContext Context, KubeCluster Cluster, KubeUser User) Find(string? named)
    {
        var name = named ?? CurrentContext
            ?? throw Wrong($"the kubeconfig has no current context; name one with the target's setting context ({Known(Contexts.Keys)})");
        var context = Contexts.GetValueOrDefault(name)
            ?? throw Wrong($"the kubeconfig {string.Join(", ", Places)} has no context {name}; {Known(Contexts.Keys, name)}");
        var cluster = context.Cluster is { } c
            ? Clusters.GetValueOrDefault(c)
                ?? throw Wrong($"{context.Place}: the context {name} names the cluster {c}, which does not exist; {Known(Clusters.Keys, c)}")
            : throw Wrong($"{context.Place}: the context {name} names no cluster; give it one");
        var user = context.User is { } u
            ? Users.GetValueOrDefault(u) ?? throw Wrong($"{context.Place}: the context {name} names the user {u}, which does not exist; {Known(Users.Keys, u)}")
            : new KubeUser("", context.Place);
        return (context, cluster, user);
    }

    private static CollectionException Wrong(string message) => new(Codes.NoCredentials, message);

    private static string Known(IEnumerable<string> names, string? asked = null)
    {
        string[] all = [.. names.Order(StringComparer.Ordinal)];
        var twin = all.FirstOrDefault(n => n.Equals(asked, StringComparison.OrdinalIgnoreCase));
        return twin is not null ? $"there is {twin}; names are case-sensitive"
            : all.Length == 0 ? "it has none"
            : $"it has {string.Join(", ", all.Take(10))}{(all.Length > 10 ? " and others" : "")}";
    }

    private static ImmutableDictionary<string, T> First<T>(IEnumerable<KeyValuePair<string, T>> all) =>
        all.DistinctBy(e => e.Key, StringComparer.Ordinal).ToImmutableDictionary(StringComparer.Ordinal);
}
