using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace AuditCli.Tests;

/// <summary>
/// An etcd and a kube-apiserver on free loopback ports, with two users: an administrator, and a reader with only the rights that a test
/// grants. Both are stopped by their own process ids.
/// </summary>
public sealed class KubeApiServer : IAsyncDisposable
{
    public const string AdminToken = "MARKERadminTokenMARKER0123456789";
    public const string ReaderToken = "MARKERreaderTokenMARKER012345678";
    internal const string HowToInstall = "kube-apiserver and etcd are not installed: tests/tools/install-kube-apiserver.sh";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(120);
    private readonly TemporaryFolder _folder = new();
    private readonly List<Process> _processes = [];
    private readonly TestAuthority _authority = new();
    private readonly HttpClient _admin;

    private KubeApiServer(int port)
    {
        Address = new($"https://127.0.0.1:{port}/");
        _admin = new HttpClient(new SocketsHttpHandler { SslOptions = Trusting() })
        {
            BaseAddress = Address,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", AdminToken) },
            Timeout = TimeSpan.FromSeconds(30),
        };
    }

    public static bool IsInstalled => File.Exists(Program("kube-apiserver")) && File.Exists(Program("etcd"));

    public Uri Address { get; }

    /// <summary>The requests to the server, one JSON object per line, without bodies.</summary>
    public string AuditLog => Path.Combine(_folder.Path, "audit.log");

    /// <summary>Starts a server and waits until it is ready.</summary>
    /// <exception cref="InvalidOperationException">It is not installed, ends at once, or is not ready in time.</exception>
    public static async Task<KubeApiServer> StartAsync()
    {
        if (!IsInstalled)
            throw new InvalidOperationException(HowToInstall);
        var server = new KubeApiServer(Loopback.FreePort());
        try
        {
            server.StartProcesses();
            await server.WaitUntilReadyAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>TLS options that trust only this server.</summary>
    public SslClientAuthenticationOptions Trusting() => new() { CertificateChainPolicy = _authority.Policy() };

    /// <summary>Creates an object as the administrator, unless it already exists.</summary>
    public async Task CreateAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await _admin.PostAsync(new Uri(path, UriKind.Relative), content);
        if (!answer.IsSuccessStatusCode && answer.StatusCode != HttpStatusCode.Conflict)
            throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    /// <summary>Sends a request that stores no object, such as a review, as the administrator, and returns the response.</summary>
    public async Task<string> AskAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await _admin.PostAsync(new Uri(path, UriKind.Relative), content);
        return answer.IsSuccessStatusCode
            ? await answer.Content.ReadAsStringAsync()
            : throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    /// <summary>Returns what the administrator reads at a path, unchanged.</summary>
    public Task<string> ReadAsync(string path) => _admin.GetStringAsync(new Uri(path, UriKind.Relative));

    /// <summary>A kubeconfig with one context.</summary>
    /// <param name="user">The user's members as YAML in flow style, such as <c>{ token: x }</c>.</param>
    /// <param name="cluster">Further members of the cluster.</param>
    /// <param name="context">The context's name.</param>
    public string Kubeconfig(string user, string cluster = "", string context = "test") => $$"""
        apiVersion: v1
        kind: Config
        current-context: {{context}}
        contexts: [{ name: {{context}}, context: { cluster: test, user: test } }]
        clusters: [{ name: test, cluster: { server: "{{Address.GetLeftPart(UriPartial.Authority)}}", certificate-authority-data: {{Base64(_authority.Pem)}}{{cluster}} } }]
        users: [{ name: test, user: {{user}} }]
        """;

    /// <summary>The authority that signed the server's certificate, as PEM.</summary>
    public string AuthorityPem => _authority.Pem;

    /// <summary>Returns a kubeconfig user that authenticates with a client certificate issued for the name.</summary>
    public string CertificateUser(string name)
    {
        var (certificate, key) = _authority.Issue($"CN={name}", server: false);
        return $"{{ client-certificate-data: {Base64(certificate)}, client-key-data: {Base64(key)} }}";
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Enumerable.Reverse(_processes))
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync();
            }
            process.Dispose();
        }
        _admin.Dispose();
        _authority.Dispose();
        _folder.Dispose();
    }

    private static string Program(string name) => Path.Combine(Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS") ?? "/opt/kubebuilder/bin", name);

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private void StartProcesses()
    {
        var store = $"http://127.0.0.1:{Loopback.FreePort()}";
        var peers = $"http://127.0.0.1:{Loopback.FreePort()}";
        Start(
            "etcd",
            $"--data-dir={Path.Combine(_folder.Path, "etcd")}",
            $"--listen-client-urls={store}",
            $"--advertise-client-urls={store}",
            $"--listen-peer-urls={peers}");

        var (certificate, key) = _authority.Issue("CN=kube-apiserver", server: true);
        using var rsa = RSA.Create(2048);
        var accountKey = _folder.Write("sa.key", rsa.ExportRSAPrivateKeyPem());
        Start(
            "kube-apiserver",
            $"--etcd-servers={store}", "--bind-address=127.0.0.1", $"--secure-port={Address.Port}", $"--cert-dir={_folder.Path}",
            $"--tls-cert-file={_folder.Write("server.pem", certificate)}", $"--tls-private-key-file={_folder.Write("server.key", key)}",
            $"--client-ca-file={_folder.Write("ca.pem", _authority.Pem)}",
            $"--token-auth-file={_folder.Write("tokens.csv", $"{AdminToken},admin,admin,\"system:masters\"\n{ReaderToken},reader,reader\n")}",
            "--service-account-issuer=https://kubernetes.default.svc",
            $"--service-account-signing-key-file={accountKey}",
            $"--service-account-key-file={accountKey}",
            "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/24", "--disable-admission-plugins=ServiceAccount", "--allow-privileged=true",
            $"--audit-policy-file={_folder.Write("audit.yaml", "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: Metadata }]\n")}",
            $"--audit-log-path={AuditLog}");
    }

    private void Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(Program(program)) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder.Path };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        _processes.Add(process);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private async Task WaitUntilReadyAsync()
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < StartLimit)
        {
            if (_processes.FirstOrDefault(p => p.HasExited) is { } ended)
                throw new InvalidOperationException($"{ended.StartInfo.FileName} ended at once with code {ended.ExitCode}");
            try
            {
                using var answer = await _admin.GetAsync(new Uri("/readyz", UriKind.Relative));
                if (answer.StatusCode == HttpStatusCode.OK)
                    return;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                // The server is not ready yet.
            }
            await Task.Delay(100);
        }
        throw new InvalidOperationException($"kube-apiserver is not ready at {Address}");
    }
}

/// <summary>A certificate authority that exists only during a test.</summary>
public sealed class TestAuthority : IDisposable
{
    private readonly RSA _key = RSA.Create(2048);
    private readonly X509Certificate2 _certificate;
    private readonly DateTimeOffset _from = TimeProvider.System.GetUtcNow().AddHours(-1);

    public TestAuthority()
    {
        var request = new CertificateRequest("CN=test authority", _key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        _certificate = request.CreateSelfSigned(_from, _from.AddDays(2));
    }

    public string Pem => _certificate.ExportCertificatePem();

    /// <summary>Returns a policy that trusts only certificates of this authority.</summary>
    public X509ChainPolicy Policy() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { _certificate },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    /// <summary>
    /// Returns a certificate and its key, both as PEM. A server certificate is valid only for 127.0.0.1, or for the name if one is given.
    /// </summary>
    /// <param name="expired">Whether it has already expired.</param>
    public (string Certificate, string Key) Issue(string subject, bool server, string? name = null, bool expired = false)
    {
        using var key = RsaKeys.Numbered(0);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(server ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2")], critical: false));
        if (server)
        {
            var names = new SubjectAlternativeNameBuilder();
            if (name is null)
                names.AddIpAddress(IPAddress.Loopback);
            else
                names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
        }
        using var certificate = request.Create(_certificate, _from, expired ? _from.AddMinutes(30) : _from.AddDays(1), RandomNumberGenerator.GetBytes(8));
        return (certificate.ExportCertificatePem(), key.ExportRSAPrivateKeyPem());
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }
}
