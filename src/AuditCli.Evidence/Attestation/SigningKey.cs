using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace AuditCli.Evidence.Attestation;

/// <summary>A private key on P-256 (FIPS 186-5), and the certificates that identify its owner, if there are any.</summary>
public sealed class SigningKey : IDisposable
{
    private const string PrimeField256 = "1.2.840.10045.3.1.7";
    private readonly ECDsa _key;

    private SigningKey(ECDsa key, ImmutableArray<X509Certificate2> certificates)
    {
        _key = key;
        Certificates = certificates;
        PublicKey = key.ExportSubjectPublicKeyInfo();
    }

    /// <summary>The certificates, the leaf first, then its issuers; empty for a bare key.</summary>
    public ImmutableArray<X509Certificate2> Certificates { get; }

    /// <summary>SubjectPublicKeyInfo in DER.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>The digest by which a trust list names the key.</summary>
    public Digest Fingerprint => Digest.Of(PublicKey.Span);

    /// <summary>Creates a new key in memory only.</summary>
    public static SigningKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256), []);

    /// <summary>
    /// Reads PEM: a PKCS#8 key, plain or encrypted, or an EC key (RFC 5915), and certificates in any order of which one is the key's own.
    /// </summary>
    /// <param name="passphrase">Called once, and only when the key is encrypted; null gives up.</param>
    /// <exception cref="InvalidDataException">There is no key, it cannot be decrypted, it is not on P-256, or no certificate is its own.</exception>
    public static SigningKey FromPem(string pem, Func<string?> passphrase)
    {
        var key = ECDsa.Create();
        try
        {
            if (pem.Contains("BEGIN ENCRYPTED PRIVATE KEY", StringComparison.Ordinal))
                key.ImportFromEncryptedPem(pem, passphrase() ?? throw new InvalidDataException("the key is encrypted, and no passphrase was given"));
            else
                key.ImportFromPem(pem);
            if (key.ExportParameters(includePrivateParameters: true).Curve.Oid.Value != PrimeField256)
                throw new InvalidDataException("the key is not on the curve P-256 (prime256v1), the only one used here");
            return new(key, Chain(pem, key));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            key.Dispose();
            throw new InvalidDataException("this is not a P-256 private key in PEM, or the passphrase is wrong", e);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Signs bytes with SHA-256; the signature is DER in its normal form.</summary>
    public byte[] Sign(ReadOnlySpan<byte> content) =>
        EcdsaSignature.Normal(_key.SignData(content, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));

    /// <summary>
    /// Exports the private key as encrypted PKCS#8 in PEM (PBES2, AES-256, PBKDF2 with SHA-256), or unencrypted without a
    /// passphrase.
    /// </summary>
    public string PrivatePem(string? passphrase) => passphrase is null
        ? _key.ExportPkcs8PrivateKeyPem()
        : _key.ExportEncryptedPkcs8PrivateKeyPem(passphrase, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 600_000));

    /// <summary>The public key, or the leaf and its issuers, in PEM with a final line feed.</summary>
    public string PublicPem => Certificates.IsEmpty
        ? _key.ExportSubjectPublicKeyInfoPem() + "\n"
        : string.Concat(Certificates.Select(c => c.ExportCertificatePem() + "\n"));

    public void Dispose()
    {
        _key.Dispose();
        foreach (var certificate in Certificates)
            certificate.Dispose();
    }

    private static ImmutableArray<X509Certificate2> Chain(string pem, ECDsa key)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPem(pem);
        if (all.Count == 0)
            return [];
        var own = key.ExportSubjectPublicKeyInfo();
        var leaf = all.SingleOrDefault(c => c.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(own))
            ?? throw new InvalidDataException("exactly one of the certificates must belong to the key, but none or several do");
        var chain = ImmutableArray.CreateBuilder<X509Certificate2>();
        for (var at = leaf; at is not null; at = all.FirstOrDefault(
            c => !chain.Contains(c) && c.SubjectName.RawData.AsSpan().SequenceEqual(chain[^1].IssuerName.RawData)))
        {
            chain.Add(at);
        }
        return chain.ToImmutable();
    }
}
