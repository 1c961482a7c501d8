using System.Collections.Immutable;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Evidence.Attestation;

/// <summary>The files of <c>attestation/</c>, byte for byte.</summary>
/// <param name="Statement">The signed bytes.</param>
/// <param name="Signature">The signature in DER.</param>
/// <param name="TimeStamp">The authority's response for the signature; null without a time stamp.</param>
/// <param name="Sigstore">The same parts as a Sigstore bundle.</param>
/// <param name="Signer">The public key, or the certificates, in PEM: for information only, never a reason to trust.</param>
internal sealed record AttestationFiles(byte[] Statement, byte[] Signature, byte[]? TimeStamp, byte[] Sigstore, byte[] Signer)
{
    public const string StatementName = "statement.json";
    public const string SignatureName = "statement.sig";
    public const string TimeStampName = "statement.tsr";
    public const string SigstoreName = "statement.sigstore.json";
    public const string SignerName = "signer.pub.pem";

    /// <summary>The size limit of each of these files when they are read, in bytes.</summary>
    public const long Limit = 16 * 1024 * 1024;

    public static ImmutableArray<string> Names { get; } = [StatementName, SignatureName, TimeStampName, SigstoreName, SignerName];

    /// <summary>Returns name and content of each existing file.</summary>
    public IEnumerable<(string Name, byte[] Content)> All
    {
        get
        {
            yield return (StatementName, Statement);
            yield return (SignatureName, Signature);
            if (TimeStamp is not null)
                yield return (TimeStampName, TimeStamp);
            yield return (SigstoreName, Sigstore);
            yield return (SignerName, Signer);
        }
    }

    /// <summary>Returns the path from the bundle's root.</summary>
    public static string PathOf(string name) => $"{BundleLayout.Attestation}/{name}";
}
