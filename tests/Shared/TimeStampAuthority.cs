using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace AuditCli.Tests;

/// <summary>A time stamp authority (RFC 3161) with its own root, implemented with <c>openssl ts</c>.</summary>
public sealed class TimeStampAuthority
{
    private readonly string _folder;

    /// <param name="folder">The folder for its files; must not exist.</param>
    /// <param name="from">The start of its certificate's validity. The root is valid longer.</param>
    /// <param name="until">The end of its certificate's validity.</param>
    public TimeStampAuthority(string folder, DateTimeOffset from, DateTimeOffset until)
    {
        _folder = Directory.CreateDirectory(folder).FullName;
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var root = new CertificateRequest("CN=Root of time", rootKey, HashAlgorithmName.SHA256);
        root.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        root.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        using var issuer = root.CreateSelfSigned(from.AddYears(-5), until.AddYears(5));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Authority of time", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.8")], critical: true));
        using var certificate = request.Create(issuer, from, until, RandomNumberGenerator.GetBytes(8));
        RootPem = issuer.ExportCertificatePem();
        File.WriteAllText(RootFile, RootPem + "\n");
        File.WriteAllText(At("tsa.crt"), certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(At("tsa.key"), key.ExportPkcs8PrivateKeyPem() + "\n");
        File.WriteAllText(At("serial"), "01\n");
        File.WriteAllText(At("tsa.cnf"), """
            [tsa]
            default_tsa = here
            [here]
            serial = serial
            signer_cert = tsa.crt
            certs = root.pem
            signer_key = tsa.key
            signer_digest = sha256
            default_policy = 1.2.3.4.1
            digests = sha1, sha256
            ess_cert_id_alg = sha256
            """);
    }

    /// <summary>Creates an authority whose certificate is valid for a year around now.</summary>
    public TimeStampAuthority(string folder)
        : this(folder, DateTimeOffset.UtcNow.AddMonths(-6), DateTimeOffset.UtcNow.AddMonths(6))
    {
    }

    /// <summary>The root certificate to trust, in PEM.</summary>
    public string RootPem { get; }

    public string RootFile => At("root.pem");

    /// <summary>The certificate that signs the time stamps.</summary>
    public string CertificateFile => At("tsa.crt");

    public byte[] Answer(byte[] query)
    {
        File.WriteAllBytes(At("query.tsq"), query);
        return Reply();
    }

    /// <summary>Returns the response to a query that <c>openssl ts</c> makes with any digest, such as SHA-1.</summary>
    public byte[] AnswerByDigest(string digest, byte[] content)
    {
        File.WriteAllBytes(At("content"), content);
        Run("ts", "-query", "-data", "content", $"-{digest}", "-cert", "-out", "query.tsq");
        return Reply();
    }

    private byte[] Reply()
    {
        Run("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", "-out", "answer.tsr");
        return File.ReadAllBytes(At("answer.tsr"));
    }

    private string At(string name) => Path.Combine(_folder, name);

    private void Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { WorkingDirectory = _folder, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"openssl {string.Join(' ', arguments)}: {error}");
    }
}

/// <summary>Answers time stamp queries over HTTP on the loopback.</summary>
public sealed class TimeStampServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _serving;

    /// <param name="status">The status of the responses. Only a response with 200 has a body.</param>
    public TimeStampServer(Func<byte[], byte[]> answer, int status = 200)
    {
        Url = $"http://127.0.0.1:{Loopback.FreePort()}/tsr";
        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        _serving = Task.Run(async () =>
        {
            while (_listener.IsListening)
            {
                HttpListenerContext asked;
                try
                {
                    asked = await _listener.GetContextAsync();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }
                using var body = new MemoryStream();
                await asked.Request.InputStream.CopyToAsync(body);
                ContentTypes.Add(asked.Request.ContentType ?? "");
                asked.Response.StatusCode = status;
                if (status == 200)
                {
                    asked.Response.ContentType = "application/timestamp-reply";
                    await asked.Response.OutputStream.WriteAsync(answer(body.ToArray()));
                }
                asked.Response.Close();
            }
        });
    }

    public string Url { get; }

    /// <summary>The content type of each query.</summary>
    public List<string> ContentTypes { get; } = [];

    public void Dispose()
    {
        _listener.Stop();
        _listener.Close();
        _serving.GetAwaiter().GetResult();
    }
}
