using System.Formats.Asn1;
using System.Globalization;
using System.Numerics;

namespace AuditCli.Evidence.Attestation;

/// <summary>
/// ECDSA signatures on P-256 as <c>Ecdsa-Sig-Value</c> (RFC 3279, section 2.2.3) in DER, with the smaller of the two values that s can
/// have: so a signature has one form, and nobody makes a second one that is valid too.
/// </summary>
internal static class EcdsaSignature
{
    private static readonly BigInteger Order = BigInteger.Parse("0ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>The one form of a signature.</summary>
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

    /// <summary>Whether these bytes are the one form of a signature that could be.</summary>
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
