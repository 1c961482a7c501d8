using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Attestation;

/// <summary>
/// Tests the certificates of signers and time stamp authorities, which are checked at the time of the stamp and not today.
/// </summary>
public sealed class CertificateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(-30, -10, "SIG_CERT_TIME")]
    [InlineData(10, 30, "SIG_CERT_TIME")]
    [InlineData(-30, 30, null)]
    public async Task A_signers_certificate_must_be_valid_when_the_bundle_was_finished(int from, int until, string? code)
    {
        var signer = new SignerCertificate(SignedRow.Finished.AddDays(from), SignedRow.Finished.AddDays(until));
        using var key = SigningKey.FromPem(signer.Pem, () => null);
        var bundle = await SignedRow.SealAsync(_folder.Path, "acme", new(key, null, null, [], Nobody));
        await AnsweredAsync(bundle, code, new(AllowUnsigned: false) { Trust = SignerTrust.Nobody.With(signer.RootPem) });
    }

    [NeedsTheory("openssl")]
    [InlineData(-30, -10, "SIG_CERT_TIME")]
    [InlineData(10, 30, "SIG_CERT_TIME")]
    [InlineData(-30, 30, null)]
    public async Task With_a_time_stamp_it_must_be_valid_at_the_stamped_time(int from, int until, string? code)
    {
        var authority = new TimeStampAuthority(Path.Combine(_folder.Path, "tsa"));
        var now = DateTimeOffset.UtcNow;
        var signer = new SignerCertificate(now.AddDays(from), now.AddDays(until));
        using var key = SigningKey.FromPem(signer.Pem, () => null);
        var bundle = await SignedRow.SealAsync(
            _folder.Path, "acme", new(key, null, null, [new("http://127.0.0.1/")], (_, query, _) => Task.FromResult(authority.Answer(query))));
        await AnsweredAsync(
            bundle,
            code,
            new(AllowUnsigned: false) { Trust = SignerTrust.Nobody.With(signer.RootPem), TimeStampRoots = SignedRow.Certificates(authority.RootPem) });
    }

    [NeedsTheory("openssl")]
    [InlineData("keyUsage=critical,digitalSignature", null)]
    [InlineData("keyUsage=digitalSignature\nextendedKeyUsage=codeSigning", null)]
    [InlineData("extendedKeyUsage=critical,1.3.6.1.5.5.7.3.36", null)]
    [InlineData("extendedKeyUsage=clientAuth,anyExtendedKeyUsage", null)]
    [InlineData("subjectKeyIdentifier=hash", null)]
    [InlineData("keyUsage=critical,keyAgreement", "SIG_CERT_USAGE")]
    [InlineData("keyUsage=nonRepudiation", "SIG_CERT_USAGE")]
    [InlineData("keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth", "SIG_CERT_USAGE")]
    [InlineData("extendedKeyUsage=emailProtection", "SIG_CERT_USAGE")]
    [InlineData("extendedKeyUsage=timeStamping", "SIG_CERT_USAGE")]
    [InlineData("basicConstraints=critical,CA:true\nkeyUsage=critical,digitalSignature,keyCertSign", "SIG_CERT_USAGE")]
    public async Task Under_a_trusted_authority_only_a_certificate_for_signing_signs(string extensions, string? code)
    {
        var authority = new TimeStampAuthority(Path.Combine(_folder.Path, "tsa"));
        _folder.Write(
            "root.cnf",
            "[req]\ndistinguished_name=name\nx509_extensions=root\n[name]\n[root]\nbasicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n");
        _folder.Write("leaf.ext", extensions + "\n");
        OpenSsl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "root.key");
        OpenSsl("req", "-x509", "-config", "root.cnf", "-key", "root.key", "-subj", "/CN=Company root", "-days", "30", "-out", "root.crt");
        OpenSsl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "leaf.key");
        OpenSsl("req", "-new", "-config", "root.cnf", "-key", "leaf.key", "-subj", "/CN=Internal audit", "-out", "leaf.csr");
        OpenSsl(
            "x509", "-req", "-in", "leaf.csr", "-CA", "root.crt", "-CAkey", "root.key", "-CAcreateserial", "-days", "20",
            "-extfile", "leaf.ext", "-out", "leaf.crt");
        using var key = SigningKey.FromPem(Text("leaf.key") + Text("leaf.crt"), () => null);
        var bundle = await SignedRow.SealAsync(
            _folder.Path, "acme", new(key, null, null, [new("http://127.0.0.1/")], (_, query, _) => Task.FromResult(authority.Answer(query))));
        var options = new VerifyOptions(AllowUnsigned: false) { TimeStampRoots = SignedRow.Certificates(authority.RootPem) };
        await AnsweredAsync(bundle, code, options with { Trust = SignerTrust.Nobody.With(Text("root.crt")) });
        // A user who trusts the key itself has accepted its use, whatever the certificate allows.
        await AnsweredAsync(bundle, null, options with { Trust = SignerTrust.Nobody.With(key.Fingerprint.Hex) });
    }

    [Fact]
    public async Task A_revoked_key_anywhere_on_the_way_to_the_root_is_told()
    {
        var signer = new SignerCertificate(SignedRow.Finished.AddDays(-1), SignedRow.Finished.AddDays(1));
        using var key = SigningKey.FromPem(signer.Pem, () => null);
        var bundle = await SignedRow.SealAsync(_folder.Path, "acme", new(key, null, null, [], Nobody));
        var options = new VerifyOptions(AllowUnsigned: false) { Trust = SignerTrust.Nobody.With(signer.RootPem) };
        await AnsweredAsync(bundle, null, options);
        await AnsweredAsync(bundle, "SIG_KEY_REVOKED", options with { Revoked = SignerTrust.Fingerprints(key.Fingerprint.Hex) });
        await AnsweredAsync(bundle, "SIG_KEY_REVOKED", options with { Revoked = SignerTrust.Fingerprints(key.Certificates[1].ExportCertificatePem()) });
        await AnsweredAsync(bundle, "SIG_KEY_REVOKED", options with { Revoked = SignerTrust.Fingerprints(signer.RootPem) });
    }

    [Fact]
    public async Task A_certificate_under_another_root_is_untrusted_and_its_key_can_be_trusted_by_itself()
    {
        var signer = new SignerCertificate(SignedRow.Finished.AddDays(-1), SignedRow.Finished.AddDays(1));
        var other = new SignerCertificate(SignedRow.Finished.AddDays(-1), SignedRow.Finished.AddDays(1));
        using var key = SigningKey.FromPem(signer.Pem, () => null);
        var bundle = await SignedRow.SealAsync(_folder.Path, "acme", new(key, null, null, [], Nobody));
        await AnsweredAsync(bundle, "SIG_UNTRUSTED_KEY", new(AllowUnsigned: false) { Trust = SignerTrust.Nobody.With(other.RootPem) });
        await AnsweredAsync(bundle, null, new(AllowUnsigned: false) { Trust = SignerTrust.Nobody.With(key.Fingerprint.Hex) });
        await AnsweredAsync(bundle, null, new(AllowUnsigned: false) { Trust = SignerTrust.Nobody.With(key.Certificates[0].ExportCertificatePem()) });
    }

    [Fact]
    public async Task Any_changed_byte_of_the_certificates_fails_verification_even_when_the_key_is_trusted_by_itself()
    {
        var signer = new SignerCertificate(SignedRow.Finished.AddDays(-1), SignedRow.Finished.AddDays(1));
        using var key = SigningKey.FromPem(signer.Pem, () => null);
        Assert.Equal(2, key.Certificates.Length);
        var bundle = await SignedRow.SealAsync(_folder.Path, "acme", new(key, null, null, [], Nobody));
        var file = Forgery.At(bundle, "signer.pub.pem");
        var content = File.ReadAllBytes(file);
        for (var at = 0; at < content.Length; at += 17)
        {
            File.WriteAllBytes(file, [.. content[..at], (byte)(content[at] ^ 1), .. content[(at + 1)..]]);
            var report = await BundleVerifier.VerifyAsync(bundle, new(AllowUnsigned: false) { Trust = SignerTrust.Nobody.With(key.Fingerprint.Hex) }, default);
            Assert.True(report.Answer == VerifyAnswer.Fails, $"byte {at}");
        }
    }

    [NeedsFact("openssl")]
    public async Task An_authority_whose_certificate_was_not_valid_when_it_stamped_is_untrusted()
    {
        var now = DateTimeOffset.UtcNow;
        var expired = new TimeStampAuthority(Path.Combine(_folder.Path, "expired"), now.AddDays(-30), now.AddDays(-10));
        var early = new TimeStampAuthority(Path.Combine(_folder.Path, "early"), now.AddDays(10), now.AddDays(30));
        var valid = new TimeStampAuthority(Path.Combine(_folder.Path, "valid"));
        using var key = SigningKey.Create();
        foreach (var (id, authority) in new[] { ("acme-1", expired), ("acme-2", early) })
        {
            // The signer would refuse such a response, so the time stamp is replaced afterwards.
            var bundle = await SignedRow.SealAsync(
                _folder.Path, id, new(key, null, null, [new("http://127.0.0.1/")], (_, query, _) => Task.FromResult(valid.Answer(query))));
            Forgery.Stamp(bundle, authority.Stamp(File.ReadAllBytes(Forgery.At(bundle, "statement.sig"))));
            await AnsweredAsync(
                bundle,
                "TS_UNTRUSTED",
                new(AllowUnsigned: false) { Trust = SignerTrust.Nobody.With(key.PublicPem), TimeStampRoots = SignedRow.Certificates(authority.RootPem) });
        }
    }

    [NeedsFact("openssl")]
    public async Task An_authority_whose_certificate_expired_after_it_stamped_is_trusted()
    {
        using var key = SigningKey.Create();
        // On a busy machine the response can come after the certificate expired; then it is tried again with a longer validity.
        for (var seconds = 3; ; seconds *= 2)
        {
            var until = DateTimeOffset.UtcNow.AddSeconds(seconds);
            var authority = new TimeStampAuthority(Path.Combine(_folder.Path, $"tsa{seconds}"), until.AddDays(-1), until);
            var bundle = await SignedRow.SealAsync(
                _folder.Path,
                $"acme-{seconds}",
                new(key, null, null, [new("http://127.0.0.1/")], (_, query, _) => Task.FromResult(authority.Answer(query))));
            if (DateTimeOffset.UtcNow >= until.AddSeconds(-1))
                continue;
            await Task.Delay(until - DateTimeOffset.UtcNow + TimeSpan.FromSeconds(1));
            await AnsweredAsync(
                bundle,
                null,
                new(AllowUnsigned: false)
                {
                    Trust = SignerTrust.Nobody.With(key.PublicPem),
                    TimeStampRoots = SignedRow.Certificates(authority.RootPem),
                    Now = DateTimeOffset.UtcNow,
                });
            return;
        }
    }

    [NeedsFact("openssl")]
    public async Task When_no_authority_answers_rightly_the_signer_says_none_and_why()
    {
        var authority = new TimeStampAuthority(Path.Combine(_folder.Path, "tsa"));
        using var key = SigningKey.Create();
        var bundle = Path.Combine(_folder.Path, "acme");
        await SignedRow.SealAsync(_folder.Path, "acme", request: null);
        ImmutableArray<Uri> authorities = [new("http://one.example/"), new("http://two.example/"), new("http://three.example/")];
        var signed = await BundleSigner.SignAsync(bundle, new(key, null, null, authorities, (url, query, _) => url.Host switch
        {
            "one.example" => throw new IOException("no route"),
            "two.example" => Task.FromResult(authority.Answer(new TimeStampQuery("something else"u8).Content)),
            _ => Task.FromResult<byte[]>([.. authority.Answer(query), 0]),
        }), default);
        Assert.Null(signed.Stamped);
        Assert.Equal(3, signed.TimeStampFailures.Length);
        Assert.Contains("http://one.example/: no route", signed.TimeStampFailures);
        Assert.False(File.Exists(Forgery.At(bundle, "statement.tsr")));
        Assert.DoesNotContain("timestampVerificationData", File.ReadAllText(Forgery.At(bundle, "statement.sigstore.json")), StringComparison.Ordinal);
        await AnsweredAsync(bundle, null, new(AllowUnsigned: false) { Trust = SignerTrust.Nobody.With(key.PublicPem) });
        var report = await BundleVerifier.VerifyAsync(
            bundle,
            new(AllowUnsigned: false) { Trust = SignerTrust.Nobody.With(key.PublicPem), TimeStampRoots = SignedRow.Certificates(authority.RootPem) },
            default);
        var missing = Assert.Single(report.Problems);
        Assert.Equal("TS_MISSING", missing.Code);
        Assert.Contains("no route", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_of_other_kinds_neither_sign_nor_are_trusted()
    {
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var brainpool = ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1);
        using var rsa = RSA.Create(2048);
        foreach (var (own, shown) in new[]
        {
            (p384.ExportPkcs8PrivateKeyPem(), p384.ExportSubjectPublicKeyInfoPem()),
            (brainpool.ExportPkcs8PrivateKeyPem(), brainpool.ExportSubjectPublicKeyInfoPem()),
            (rsa.ExportPkcs8PrivateKeyPem(), rsa.ExportSubjectPublicKeyInfoPem()),
        })
        {
            Assert.Contains("P-256", Assert.Throws<InvalidDataException>(() => SigningKey.FromPem(own, () => null)).Message, StringComparison.Ordinal);
            Assert.Contains("P-256", Assert.Throws<InvalidDataException>(() => SignerTrust.Nobody.With(shown)).Message, StringComparison.Ordinal);
        }
    }

    private string Text(string file) => File.ReadAllText(Path.Combine(_folder.Path, file));

    private void OpenSsl(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { WorkingDirectory = _folder.Path, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error);
    }

    private static Task<byte[]> Nobody(Uri authority, byte[] query, CancellationToken cancellationToken) => throw new IOException("nobody is asked");

    private static async Task AnsweredAsync(string bundle, string? code, VerifyOptions options)
    {
        var report = await BundleVerifier.VerifyAsync(bundle, options, default);
        Assert.True((code is null ? [] : new[] { code }).SequenceEqual(report.Problems.Select(p => p.Code)), string.Join('\n', report.Problems));
        Assert.Equal(code is null ? VerifyAnswer.Holds : VerifyAnswer.Fails, report.Answer);
    }
}

/// <summary>A key with a certificate, an intermediate certificate authority and a root.</summary>
internal sealed class SignerCertificate
{
    public SignerCertificate(DateTimeOffset from, DateTimeOffset until)
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var root = Authority("CN=Company root", rootKey).CreateSelfSigned(from.AddYears(-5), until.AddYears(5));
        using var middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var issued = Authority("CN=Company signers", middleKey).Create(root, from.AddYears(-1), until.AddYears(1), [1]);
        using var middle = issued.CopyWithPrivateKey(middleKey);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Internal audit", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        using var leaf = request.Create(middle, from, until, [2]);
        RootPem = root.ExportCertificatePem() + "\n";
        Pem = string.Join('\n', key.ExportPkcs8PrivateKeyPem(), issued.ExportCertificatePem(), leaf.ExportCertificatePem()) + "\n";
        ChainPem = string.Join('\n', issued.ExportCertificatePem(), root.ExportCertificatePem()) + "\n";
    }

    public string RootPem { get; }

    /// <summary>The private key and its certificates, in arbitrary order.</summary>
    public string Pem { get; }

    /// <summary>The certificates of the authorities, the issuer of the signer's certificate first.</summary>
    public string ChainPem { get; }

    private static CertificateRequest Authority(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        return request;
    }
}
