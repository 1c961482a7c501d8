using System.Formats.Asn1;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace AuditCli.Evidence.Attestation;

/// <summary>
/// Checks keys and signatures of ECDSA on P-256. A signature is <c>Ecdsa-Sig-Value</c> (RFC 3279, section 2.2.3) in DER, with the
/// smaller of the two possible values of s. So each signature has exactly one form, and nobody can derive a second valid one from
/// it.
/// </summary>
internal static class EcdsaSignature
{
    private static readonly BigInteger Order = BigInteger.Parse(
        "0ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>
    /// The bytes before the point in each SubjectPublicKeyInfo of a P-256 key with an uncompressed point (RFC 5480).
    /// </summary>
    private static readonly byte[] KeyPrefix = Convert.FromHexString("3059301306072a8648ce3d020106082a8648ce3d03010703420004");
    private const int KeyLength = 91;

    /// <summary>Whether this is a SubjectPublicKeyInfo of a P-256 key in its one accepted form.</summary>
    public static bool IsKey(ReadOnlySpan<byte> subjectPublicKeyInfo) =>
        subjectPublicKeyInfo.Length == KeyLength && subjectPublicKeyInfo.StartsWith(KeyPrefix);

    /// <summary>Returns the SubjectPublicKeyInfo in a PEM text, of any algorithm; null when there is none.</summary>
    public static byte[]? KeyFromPem(string pem) => PemEncoding.TryFind(pem, out var found) && pem[found.Label] == "PUBLIC KEY"
        ? Convert.FromBase64String(pem[found.Base64Data])
        : null;

    /// <summary>Returns the normal form of a signature, with the smaller s.</summary>
    public static byte[] Normal(ReadOnlyMemory<byte> der)
    {
        var (r, s) = Read(der);
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(r);
            writer.WriteInteger(s > Order / 2 ? Order - s : s);
        }
        return writer.Encode();
    }

    /// <summary>Whether these bytes are a signature in its normal form.</summary>
    public static bool IsNormal(ReadOnlyMemory<byte> der)
    {
        try
        {
            var (r, s) = Read(der);
            return r > 0 && r < Order && s > 0 && s <= Order / 2;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    private static (BigInteger R, BigInteger S) Read(ReadOnlyMemory<byte> der)
    {
        var reader = new AsnReader(der, AsnEncodingRules.DER);
        var sequence = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        var (r, s) = (sequence.ReadInteger(), sequence.ReadInteger());
        sequence.ThrowIfNotEmpty();
        return (r, s);
    }
}
