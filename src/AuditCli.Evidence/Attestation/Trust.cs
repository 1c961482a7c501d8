using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace AuditCli.Evidence.Attestation;

/// <summary>The signers that an auditor trusts: keys, given directly or by fingerprint, and certificate authorities.</summary>
/// <param name="Keys">The trusted fingerprints, with the SubjectPublicKeyInfo where it is known.</param>
/// <param name="Authorities">Root certificates: every holder of a certificate under one of them is trusted.</param>
public sealed record SignerTrust(ImmutableDictionary<Digest, ReadOnlyMemory<byte>?> Keys, ImmutableArray<X509Certificate2> Authorities)
{
    /// <summary>Trusts no key and no authority.</summary>
    public static SignerTrust Nobody { get; } = new(ImmutableDictionary<Digest, ReadOnlyMemory<byte>?>.Empty, []);

    public bool IsNobody => Keys.IsEmpty && Authorities.IsEmpty;

    /// <summary>
    /// Adds the contents of a text: a fingerprint (64 hexadecimal digits, as <c>keys show</c> prints it), a public key in PEM, an
    /// authority's certificate in PEM, or any other certificate in PEM, of which the key is added.
    /// </summary>
    /// <exception cref="InvalidDataException">It does not contain any of them.</exception>
    public SignerTrust With(string text)
    {
        if (Digest.TryParse(text.Trim().ToLowerInvariant(), out var fingerprint))
            return this with { Keys = Keys.SetItem(fingerprint, null) };
        try
        {
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPem(text);
            if (certificates.Count > 0)
            {
                var authorities = certificates.Where(IsAuthority).ToArray();
                return new(
                    Keys.SetItems(certificates.Except(authorities).Select(c => Known(c.PublicKey.ExportSubjectPublicKeyInfo()))),
                    [.. Authorities, .. authorities]);
            }
        }
        catch (CryptographicException e)
        {
            throw new InvalidDataException($"a certificate in it cannot be read: {e.Message}", e);
        }
        return EcdsaSignature.KeyFromPem(text) is { } key
            ? this with { Keys = Keys.SetItems([Known(key)]) }
            : throw new InvalidDataException("there is no fingerprint, public key or certificate in it");
    }

    /// <summary>
    /// Returns the fingerprints of the keys in a text, in any of the forms that <see cref="With"/> takes, authorities included.
    /// </summary>
    /// <exception cref="InvalidDataException">It contains no key.</exception>
    public static ImmutableHashSet<Digest> Fingerprints(string text)
    {
        var named = Nobody.With(text);
        return [.. named.Keys.Keys, .. named.Authorities.Select(Chains.KeyOf)];
    }

    private static KeyValuePair<Digest, ReadOnlyMemory<byte>?> Known(byte[] key) => EcdsaSignature.IsKey(key)
        ? KeyValuePair.Create(Digest.Of(key), (ReadOnlyMemory<byte>?)key)
        : throw new InvalidDataException("the key is not on the curve P-256 (prime256v1), so it signs no bundle");

    private static bool IsAuthority(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(c => c.CertificateAuthority);
}
