using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace AuditCli.Tests;

/// <summary>
/// One etcd and one kube-apiserver of its own on free ports of the loopback, with two users: an administrator, and a reader who may
/// do what tests allow. Killed by their own process ids.
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

    /// <summary>What was asked of the server, one JSON object a line, without bodies.</summary>
    public string AuditLog => Path.Combine(_folder.Path, "audit.log");

    /// <summary>Starts one and waits until it is ready.</summary>
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

    /// <summary>TLS that trusts this server and no other.</summary>
    public SslClientAuthenticationOptions Trusting() => new() { CertificateChainPolicy = _authority.Policy() };

    /// <summary>Makes an object as the administrator; it may exist already.</summary>
    public async Task CreateAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await _admin.PostAsync(new Uri(path, UriKind.Relative), content);
        if (!answer.IsSuccessStatusCode && answer.StatusCode != HttpStatusCode.Conflict)
            throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    /// <summary>What the server answers to a question of the administrator's that leaves nothing behind, such as a review.</summary>
    public async Task<string> AskAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await _admin.PostAsync(new Uri(path, UriKind.Relative), content);
        return answer.IsSuccessStatusCode
            ? await answer.Content.ReadAsStringAsync()
            : throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    /// <summary>What the administrator reads at a path, as it comes.</summary>
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

    /// <summary>A user of a kubeconfig, authenticated by a client certificate made for the name.</summary>
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
                // Not yet.
            }
            await Task.Delay(100);
        }
        throw new InvalidOperationException($"kube-apiserver is not ready at {Address}");
    }
}

/// <summary>A certificate authority that lives as long as a test.</summary>
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

    /// <summary>Trusts what this authority issued and nothing else.</summary>
    public X509ChainPolicy Policy() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { _certificate },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    /// <summary>A certificate and its key, both as PEM; for a server it is good for 127.0.0.1 alone, or for the name given.</summary>
    /// <param name="expired">Its validity is over.</param>
    public (string Certificate, string Key) Issue(string subject, bool server, string? name = null, bool expired = false)
    {
        using var key = RSA.Create(2048);
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
