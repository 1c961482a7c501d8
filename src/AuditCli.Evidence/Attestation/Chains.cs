using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace AuditCli.Evidence.Attestation;

/// <summary>Why a chain of certificates is not trusted.</summary>
/// <param name="IsRevoked">Whether the chain is otherwise valid, and one of its keys is revoked.</param>
internal sealed record ChainFault(string Message, bool IsRevoked);

/// <summary>Validates certificate chains (RFC 5280) as of a moment in the past.</summary>
internal static class Chains
{
    private const string AnyPurpose = "2.5.29.37.0";
    private const string CodeSigning = "1.3.6.1.5.5.7.3.3";
    private const string DocumentSigning = "1.3.6.1.5.5.7.3.36";

    /// <summary>
    /// Returns null when the certificate leads to one of the roots, every certificate was valid at that moment, and no key among
    /// them is revoked; else what is wrong.
    /// </summary>
    /// <remarks>
    /// Revocation is not requested from any authority, because verification has no network. The caller passes the revoked keys.
    /// </remarks>
    public static ChainFault? WhyNot(
        X509Certificate2 leaf, X509Certificate2Collection others, ImmutableArray<X509Certificate2> roots, DateTimeOffset moment,
        string? purpose, ImmutableHashSet<Digest> revoked)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots.ToArray());
        chain.ChainPolicy.ExtraStore.AddRange(others);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.ChainPolicy.VerificationTime = moment.UtcDateTime;
        if (purpose is not null)
            chain.ChainPolicy.ApplicationPolicy.Add(new Oid(purpose));
        if (!chain.Build(leaf))
        {
            var faults = chain.ChainStatus.Select(s => s.StatusInformation.TrimEnd('.', ' ', '\n')).Distinct(StringComparer.Ordinal);
            return new(string.Join("; ", faults.DefaultIfEmpty("the chain cannot be built")), IsRevoked: false);
        }
        return chain.ChainElements.Select(e => e.Certificate).FirstOrDefault(c => revoked.Contains(KeyOf(c))) is { } withdrawn
            ? new($"{withdrawn.Subject} has the key {KeyOf(withdrawn)}", IsRevoked: true)
            : null;
    }

    /// <summary>
    /// Returns null when a certificate is for signing evidence; else what it is for instead. An authority issues certificates for
    /// many purposes, and trusting it to identify signers of evidence does not mean trusting each of its web servers.
    /// </summary>
    /// <remarks>
    /// RFC 5280, sections 4.2.1.3 and 4.2.1.12: a stated usage is binding, and without one every usage is allowed. Sigstore's
    /// authorities state code signing; document signing is RFC 9336.
    /// </remarks>
    public static string? WhyNotASigner(X509Certificate2 certificate)
    {
        if (certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(c => c.CertificateAuthority))
            return "belongs to a certificate authority, which signs certificates but no evidence";
        if (certificate.Extensions.OfType<X509KeyUsageExtension>().Any(u => (u.KeyUsages & X509KeyUsageFlags.DigitalSignature) == 0))
            return "states a key usage without digitalSignature";
        var purposes = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>()
            .SelectMany(u => u.EnhancedKeyUsages.Cast<Oid>().Select(o => o.Value))
            .ToArray();
        return certificate.Extensions.Any(e => e is X509EnhancedKeyUsageExtension) && !purposes.Any(p => p is AnyPurpose or CodeSigning or DocumentSigning)
            ? $"is for other purposes ({string.Join(", ", purposes)}) than signing code ({CodeSigning}) or documents ({DocumentSigning})"
            : null;
    }

    public static Digest KeyOf(X509Certificate2 certificate) => Digest.Of(certificate.PublicKey.ExportSubjectPublicKeyInfo());
}
