using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Finds a target's cluster and credentials by kubectl's rules: the configured kubeconfig, else <c>KUBECONFIG</c>, else the file in the
/// home folder, else the service account of the current pod. A setting that kubectl supports and this class does not is refused by name.
/// </summary>
internal sealed class KubernetesCredentials(TimeProvider clock, Action<CredentialExchange> seen) : IDisposable
{
    private const string PodFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>One plugin for each program with its arguments, so that each runs once for all targets.</summary>
    private readonly ConcurrentDictionary<string, ExecPlugin> _plugins = new(StringComparer.Ordinal);

    /// <summary>Returns the cluster and its credentials; an exec plugin, if the kubeconfig names one, has already run.</summary>
    /// <exception cref="CollectionException">There is no cluster, or it cannot be used.</exception>
    public async Task<ClusterAccess> ResolveAsync(Target target, CancellationToken cancellationToken)
    {
        if (Load(target.Setting("kubeconfig")) is { } kubeconfig)
            return await OfContextAsync(kubeconfig, target.Setting("context"), cancellationToken);
        var (host, port) = (Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST"), Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT"));
        var (token, authority) = (Path.Combine(PodFolder, "token"), Path.Combine(PodFolder, "ca.crt"));
        if (string.IsNullOrEmpty(host) || string.IsNullOrEmpty(port) || !File.Exists(token) || !File.Exists(authority))
            throw Wrong("there is no kubeconfig: neither in KUBECONFIG nor at ~/.kube/config; name one with the target's setting kubeconfig");
        if (target.Setting("context") is { } context)
            throw Wrong($"the context {context} needs a kubeconfig, and there is none");
        var trust = ServerTrust.OnlyFile(authority, "the pod's service account", "the pod's cluster mounts it; look at the pod's volumes");
        var address = new Uri($"https://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}");
        return new(address, new(StatedProxy.OfEnvironment(ProxyHabit.Go), trust))
        {
            Authorization = new TokenFile(token, null, "the pod's service account", clock).AuthorizationAsync,
        };
    }

    public void Dispose()
    {
        foreach (var plugin in _plugins.Values)
            plugin.Dispose();
    }

    private static Kubeconfig? Load(string? named)
    {
        if (named is not null)
            return KubeconfigReader.Read(named);
        if (Environment.GetEnvironmentVariable("KUBECONFIG") is { Length: > 0 } list)
        {
            var files = list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Where(Path.Exists).ToArray();
            return files.Length > 0 ? Kubeconfig.Merged([.. files.Select(KubeconfigReader.Read)]) : throw Wrong("KUBECONFIG names no file that exists");
        }
        var usual = Path.Combine(HomePath.Folder, ".kube", "config");
        return File.Exists(usual) ? KubeconfigReader.Read(usual) : null;
    }

    private async Task<ClusterAccess> OfContextAsync(Kubeconfig kubeconfig, string? asked, CancellationToken cancellationToken)
    {
        var (context, cluster, named) = kubeconfig.Find(asked);
        var (server, stated) = Server(cluster);
        if (WhyNot(named) is { } reason)
            throw Wrong($"{named.Place}: the user {named.Name} of the context {context.Name}: {reason}");
        var user = stated ? named : named.WithoutProof();
        var encrypted = server.Scheme == Uri.UriSchemeHttps;
        var certificate = Certificate(user);
        var plugin = user is { Token: null, TokenFile: null, Username: null, Password: null, Exec: { } exec }
            ? Plugin(exec, user.Place, cluster, server)
            : null;
        if (plugin is not null)
            await plugin.AuthorizationAsync(cancellationToken);
        X509Certificate2? Shown() => certificate ?? plugin?.Certificate;
        return new(server, new(Proxy(cluster), encrypted ? Trust(cluster) : ServerTrust.Unchecked()) { ClientCertificate = Shown() is null ? null : Shown })
        {
            Context = context.Name,
            Cluster = cluster.Name,
            TlsServerName = cluster.TlsServerName,
            Impersonation = Impersonation(user),
            Certificate = Shown,
            Authorization = plugin is not null ? plugin.AuthorizationAsync : Authorization(user),
        };
    }

    /// <summary>
    /// Returns the server's address, and whether it has a scheme. kubectl treats an address without one as plain http, even if an authority
    /// or a certificate is configured, because it considers these only for https. It then sends no credentials, and neither does this
    /// class.
    /// </summary>
    private static (Uri Server, bool Stated) Server(KubeCluster cluster)
    {
        if (cluster.Server is not { } text)
            throw Wrong($"{cluster.Place}: the cluster {cluster.Name} has no server; give it the API server's address");
        if (cluster is { AuthorityData: not null, AuthorityFile: not null })
            throw Wrong($"{cluster.Place}: the cluster {cluster.Name} has both certificate-authority and certificate-authority-data; "
                + "kubectl refuses that, so keep one");
        var stated = text.Contains("://", StringComparison.Ordinal);
        if (!Uri.TryCreate((stated ? text : "http://" + text).TrimEnd('/'), UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https"))
            throw Wrong($"{cluster.Place}: the cluster {cluster.Name} has a server that is not an http or https address");
        return ReferenceEquals(server.WithoutCredentials(), server)
            ? (server, stated)
            : throw Wrong($"{cluster.Place}: the server of the cluster {cluster.Name} has more than a host and a path in its address; "
                + "a user and a password belong to users");
    }

    private static StatedProxy Proxy(KubeCluster cluster)
    {
        if (cluster.ProxyUrl is not { } url)
            return StatedProxy.OfEnvironment(ProxyHabit.Go);
        var place = $"{cluster.Place}: proxy-url of the cluster {cluster.Name}";
        return Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "socks5"
            ? StatedProxy.Always(url, place)
            : throw new CollectionException(Codes.InvalidProxy, $"{place} must begin with http://, https:// or socks5://, as for kubectl");
    }

    private static ServerTrust Trust(KubeCluster cluster)
    {
        var next = $"certificate-authority or certificate-authority-data of the cluster {cluster.Name} ({cluster.Place}) names the authorities to trust";
        return cluster switch
        {
            { Insecure: true, AuthorityData: null, AuthorityFile: null } => ServerTrust.Unchecked(),
            { Insecure: true } => throw Wrong(
                $"{cluster.Place}: the cluster {cluster.Name} has an authority and insecure-skip-tls-verify; kubectl refuses that, so remove the latter"),
            { AuthorityData: { } data } => ServerTrust.Only(
                Decoded(data, $"{cluster.Place}: certificate-authority-data"), $"the certificate-authority-data of the cluster {cluster.Name}", next),
            { AuthorityFile: { } file } => ServerTrust.OnlyFile(file, $"certificate-authority of the cluster {cluster.Name}", next),
            _ => ServerTrust.System(next),
        };
    }

    /// <summary>Returns why this user's authentication is not possible; null if it is. kubectl refuses most of these cases too.</summary>
    private static string? WhyNot(KubeUser user) => user switch
    {
        { AuthProvider: { } provider } =>
            $"it signs in with the auth-provider {provider}, which is not supported; "
                + "sign in with an exec plugin (gke-gcloud-auth-plugin, kubelogin, aws eks get-token) or with a token",
        { Token: not null, Username: not null } or { Token: not null, Password: not null } =>
            "it has a token and a password, but kubectl allows only one of them; remove the other",
        { CertificateFile: not null, CertificateData: not null } => "it has client-certificate and client-certificate-data; kubectl refuses that, so keep one",
        { KeyFile: not null, KeyData: not null } => "it has client-key and client-key-data; kubectl refuses that, so keep one",
        { CertificateFile: null, CertificateData: null } and ({ KeyFile: not null } or { KeyData: not null }) =>
            "it has a client key and no client certificate; give it both",
        { KeyFile: null, KeyData: null } and ({ CertificateFile: not null } or { CertificateData: not null }) =>
            "it has a client certificate and no client key; give it both",
        { As: null } when user.AsUid is not null || !user.AsGroups.IsEmpty || !user.AsExtra.IsEmpty =>
            "as-uid, as-groups and as-user-extra need as; add it, or remove them",
        _ when Impersonation(user).FirstOrDefault(f => !f.Value.All(c => c is >= ' ' and <= '~')) is { Key: { } field } =>
            $"{field} has characters that are not allowed in a request header",
        { Exec: { } exec, Token: null, TokenFile: null, Username: null, Password: null } => ExecPlugin.WhyNot(exec),
        _ => null,
    };

    /// <summary>
    /// Returns the impersonation headers as client-go writes them: in the key of an extra value, characters that a header name cannot have
    /// are percent-encoded.
    /// </summary>
    private static ImmutableArray<KeyValuePair<string, string>> Impersonation(KubeUser user)
    {
        if (user.As is not { } name)
            return [];
        var fields = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        fields.Add(new("Impersonate-User", name));
        if (user.AsUid is { } uid)
            fields.Add(new("Impersonate-Uid", uid));
        fields.AddRange(user.AsGroups.Select(g => KeyValuePair.Create("Impersonate-Group", g)));
        fields.AddRange(user.AsExtra.SelectMany(e => e.Value.Select(v => KeyValuePair.Create("Impersonate-Extra-" + Escaped(e.Key), v))));
        return fields.ToImmutable();
    }

    private static string Escaped(string key) => string.Concat(Encoding.UTF8.GetBytes(key).Select(b =>
        char.IsAsciiLetterOrDigit((char)b) || "!#$&'*+-.^_`|~".Contains((char)b, StringComparison.Ordinal) ? $"{(char)b}" : $"%{b:X2}"));

    private static X509Certificate2? Certificate(KubeUser user)
    {
        if (user.CertificateData is null && user.CertificateFile is null)
            return null;
        try
        {
            return ClientCertificates.Of(
                Pem(user.CertificateData, user.CertificateFile, "client-certificate", user.Place), Pem(user.KeyData, user.KeyFile, "client-key", user.Place));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw Wrong(
                $"{user.Place}: client certificate and key of the user {user.Name} do not belong together, "
                    + "or are not in PEM form without a passphrase",
                e);
        }
    }

    private static string Pem(string? data, string? file, string what, string place)
    {
        if (data is not null)
            return Decoded(data, $"{place}: {what}-data");
        try
        {
            return RegularFile.ReadAllText(file!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Wrong($"{place}: {what} cannot be read: {e.Message}", e);
        }
    }

    private static string Decoded(string data, string what)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(data));
        }
        catch (FormatException)
        {
            throw Wrong($"{what} is not Base64");
        }
    }

    private Func<CancellationToken, Task<AuthenticationHeaderValue?>> Authorization(KubeUser user)
    {
        if (user.TokenFile is { } file)
            return new TokenFile(file, user.Token, $"{user.Place}: the user {user.Name}", clock).AuthorizationAsync;
        var fixedOne = user.Token is { } token ? new AuthenticationHeaderValue("Bearer", token)
            : user.Username is not null || user.Password is not null
                ? new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user.Username}:{user.Password}")))
            : null;
        return _ => Task.FromResult(fixedOne);
    }

    private ExecPlugin Plugin(KubeExec exec, string place, KubeCluster cluster, Uri server)
    {
        var told = exec.ProvideClusterInfo ? Told(cluster, server) : null;
        var key = JsonSerializer.Serialize(
            new { exec.Command, exec.Arguments, exec.Environment, exec.ApiVersion, exec.InteractiveMode, Cluster = told?.ToJsonString() });
        return _plugins.GetOrAdd(key, _ => new(exec, place, told, clock, seen));
    }

    /// <summary>Returns the cluster as the plugin protocol describes it.</summary>
    private static JsonObject Told(KubeCluster cluster, Uri server)
    {
        var told = new JsonObject { ["server"] = cluster.Server ?? server.OriginalString };
        if (cluster.TlsServerName is { } name)
            told["tls-server-name"] = name;
        if (cluster.Insecure)
            told["insecure-skip-tls-verify"] = true;
        if (cluster.AuthorityData is not null || cluster.AuthorityFile is not null)
            told["certificate-authority-data"] = cluster.AuthorityData
                ?? Convert.ToBase64String(Encoding.UTF8.GetBytes(Pem(null, cluster.AuthorityFile, "certificate-authority", cluster.Place)));
        if (cluster.ProxyUrl is { } proxy)
            told["proxy-url"] = proxy;
        told["config"] = cluster.ExecConfig is { } config ? JsonNode.Parse(config.GetRawText()) : null;
        return told;
    }

    private static CollectionException Wrong(string message, Exception? cause = null) => new(Codes.NoCredentials, message, cause);
}

/// <summary>
/// Reads a token from a file that is renewed externally: it is read again each minute, and the last token that could be read is used.
/// </summary>
internal sealed class TokenFile(string file, string? first, string place, TimeProvider clock)
{
    private static readonly TimeSpan ReadAgain = TimeSpan.FromMinutes(1);
    private (string? Token, DateTimeOffset At) _last = (first, DateTimeOffset.MinValue);

    /// <exception cref="CollectionException">There is no token.</exception>
    public async Task<AuthenticationHeaderValue?> AuthorizationAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (now - _last.At >= ReadAgain)
        {
            try
            {
                var read = (await RegularFile.ReadAllTextAsync(file, cancellationToken)).Trim();
                if (read.Length > 0)
                    _last = (read, now);
                else if (_last.Token is null)
                    throw new CollectionException(Codes.NoCredentials, $"{place}: the token file {file} is empty");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (_last.Token is null)
                    throw new CollectionException(Codes.NoCredentials, $"{place}: the token file {file} cannot be read: {e.Message}", e);
            }
        }
        return new("Bearer", _last.Token);
    }
}
