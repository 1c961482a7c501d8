using AuditCli.Evidence;
using k8s;
using k8s.KubeConfigModels;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Where a target's cluster is and how to be let in, by the official client's own rules: the kubeconfig named, else
/// <c>KUBECONFIG</c>, else the one in the home folder, else the service account of the pod we run in.
/// </summary>
internal sealed class KubernetesCredentials(TimeProvider clock, Action<CredentialExchange> seen)
{
    private const string ExecCredential = "client.authentication.k8s.io:ExecCredential";
    private const int LongestReason = 300;

    /// <summary>The client's configuration, with the output of an exec plugin where the kubeconfig names one.</summary>
    /// <exception cref="CollectionException">There is none, or it cannot be used.</exception>
    public async Task<KubernetesClientConfiguration> ResolveAsync(Target target, CancellationToken cancellationToken)
    {
        try
        {
            var kubeconfig = Load(target.Setting("kubeconfig"));
            if (kubeconfig is not null)
                return await BuildAsync(kubeconfig, target.Setting("context"), cancellationToken);
            // The client's own default would be a server at localhost:8080 that nobody named.
            if (!KubernetesClientConfiguration.IsInCluster())
                throw new CollectionException(KubernetesFailures.NoCredentials, "there is no kubeconfig: neither in KUBECONFIG nor at ~/.kube/config; name one with the target's setting kubeconfig");
            if (target.Setting("context") is { } context)
                throw new CollectionException(KubernetesFailures.NoCredentials, $"the context {context} needs a kubeconfig, and there is none");
            return KubernetesClientConfiguration.InClusterConfig();
        }
        catch (Exception e) when (e is not (CollectionException or OperationCanceledException))
        {
            throw Failed(e);
        }
    }

    /// <summary>
    /// What the client says about a configuration it cannot use: one line of it, since more may be the output of a program whose work
    /// is to print credentials.
    /// </summary>
    public static CollectionException Failed(Exception e)
    {
        var line = e.Message.ReplaceLineEndings("\n").Split('\n')[0];
        return new(KubernetesFailures.NoCredentials, line.Length <= LongestReason ? line : line[..LongestReason], e);
    }

    private static K8SConfiguration? Load(string? named)
    {
        if (named is not null)
            return KubernetesClientConfiguration.LoadKubeConfig(new FileInfo(named));
        if (Environment.GetEnvironmentVariable("KUBECONFIG") is { Length: > 0 } list)
        {
            var files = list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Where(File.Exists).ToArray();
            return files.Length > 0 ? Merged(files) : throw new CollectionException(KubernetesFailures.NoCredentials, "KUBECONFIG names no file that exists");
        }
        var usual = new FileInfo(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".kube", "config"));
        return usual.Exists ? KubernetesClientConfiguration.LoadKubeConfig(usual) : null;
    }

    /// <summary>
    /// Several files as one, as kubectl reads them: of equal names the first counts, and a relative path belongs to its own file.
    /// </summary>
    private static K8SConfiguration Merged(string[] files)
    {
        var all = files.Select(f => (Folder: Path.GetDirectoryName(Path.GetFullPath(f))!, Config: KubernetesClientConfiguration.LoadKubeConfig(new FileInfo(f)))).ToArray();
        foreach (var (folder, config) in all)
        {
            foreach (var cluster in (config.Clusters ?? []).Select(c => c.ClusterEndpoint).OfType<ClusterEndpoint>())
                cluster.CertificateAuthority = Rooted(folder, cluster.CertificateAuthority);
            foreach (var user in (config.Users ?? []).Select(u => u.UserCredentials).OfType<UserCredentials>())
                (user.ClientCertificate, user.ClientKey) = (Rooted(folder, user.ClientCertificate), Rooted(folder, user.ClientKey));
        }
        return new()
        {
            CurrentContext = all.Select(a => a.Config.CurrentContext).FirstOrDefault(c => !string.IsNullOrEmpty(c)),
            Contexts = [.. all.SelectMany(a => a.Config.Contexts ?? [])],
            Clusters = [.. all.SelectMany(a => a.Config.Clusters ?? [])],
            Users = [.. all.SelectMany(a => a.Config.Users ?? [])],
        };
    }

    private static string? Rooted(string folder, string? path) => string.IsNullOrEmpty(path) ? path : Path.Combine(folder, path);

    private async Task<KubernetesClientConfiguration> BuildAsync(K8SConfiguration kubeconfig, string? named, CancellationToken cancellationToken)
    {
        var name = named ?? kubeconfig.CurrentContext;
        if (string.IsNullOrEmpty(name))
            throw new CollectionException(KubernetesFailures.NoCredentials, "the kubeconfig has no current context; name one with the target's setting context");
        var user = User(kubeconfig, name);
        // The client would read as the user itself, and nobody would notice.
        if (user?.Impersonate is { Length: > 0 } impersonated)
            throw new CollectionException(KubernetesFailures.NoCredentials, $"the context {name} impersonates {impersonated}, which is not supported");
        var date = clock.GetUtcNow();
        try
        {
            // An exec plugin may wait for a person in front of a browser; the client has no way to stop waiting for it.
            return await Task.Run(() => KubernetesClientConfiguration.BuildConfigFromConfigObject(kubeconfig, name), cancellationToken).WaitAsync(cancellationToken);
        }
        finally
        {
            if (user?.ExternalExecution?.Command is { } command)
                seen(new(date, new("exec:" + Uri.EscapeDataString(Path.GetFileName(command))), ExecCredential, 0));
        }
    }

    private static UserCredentials? User(K8SConfiguration kubeconfig, string context)
    {
        var user = kubeconfig.Contexts?.FirstOrDefault(c => string.Equals(c.Name, context, StringComparison.OrdinalIgnoreCase))?.ContextDetails?.User;
        return kubeconfig.Users?.FirstOrDefault(u => string.Equals(u.Name, user, StringComparison.OrdinalIgnoreCase))?.UserCredentials;
    }
}
