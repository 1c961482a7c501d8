using System.Formats.Asn1;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Tests.Attestation;

/// <summary>Produces the files of <c>attestation/</c> as a forger with or without a key would.</summary>
internal static class Forgery
{
    public static readonly BigInteger Order = BigInteger.Parse(
        "0ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    public static string At(string bundle, string name) => Path.Combine(bundle, "attestation", name);

    public static void Edit(string bundle, string name, Func<byte[], byte[]> edit) =>
        File.WriteAllBytes(At(bundle, name), edit(File.ReadAllBytes(At(bundle, name))));

    public static void Text(string bundle, string name, string old, string now) => Edit(bundle, name, content =>
    {
        var text = Encoding.UTF8.GetString(content);
        Assert.Contains(old, text, StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(text.Replace(old, now, StringComparison.Ordinal));
    });

    /// <summary>Changes the Sigstore bundle and writes it in its canonical form.</summary>
    public static void Sigstore(string bundle, Action<JsonNode> edit) => Edit(bundle, "statement.sigstore.json", content =>
    {
        var node = JsonNode.Parse(content)!;
        edit(node);
        return CanonicalJson.Encode(node);
    });

    /// <summary>Changes the statement and signs it again.</summary>
    public static void Resign(string bundle, SigningKey key, Action<JsonNode> edit, Func<byte[], byte[]>? stamp = null) => Resign(bundle, key, content =>
    {
        var node = JsonNode.Parse(content)!;
        edit(node);
        return CanonicalJson.Encode(node);
    }, stamp);

    /// <summary>Changes the bytes of the statement and signs it again.</summary>
    public static void Resign(string bundle, SigningKey key, Func<byte[], byte[]> edit, Func<byte[], byte[]>? stamp = null)
    {
        var statement = edit(File.ReadAllBytes(At(bundle, "statement.json")));
        Write(bundle, statement, key.Sign(Dsse.PreAuthentication(statement)), stamp);
    }

    /// <summary>Writes statement and signature into every file that contains them.</summary>
    public static void Write(string bundle, byte[] statement, byte[] signature, Func<byte[], byte[]>? stamp = null)
    {
        File.WriteAllBytes(At(bundle, "statement.json"), statement);
        File.WriteAllBytes(At(bundle, "statement.sig"), signature);
        Sigstore(bundle, s =>
        {
            s["dsseEnvelope"]!["payload"] = Convert.ToBase64String(statement);
            s["dsseEnvelope"]!["signatures"]![0]!["sig"] = Convert.ToBase64String(signature);
        });
        Stamp(bundle, stamp?.Invoke(signature));
    }

    /// <summary>Writes a time stamp into both files that contain one, or removes it from both.</summary>
    public static void Stamp(string bundle, byte[]? stamp)
    {
        if (stamp is null)
            File.Delete(At(bundle, "statement.tsr"));
        else
            File.WriteAllBytes(At(bundle, "statement.tsr"), stamp);
        Sigstore(bundle, s =>
        {
            s["verificationMaterial"]!.AsObject().Remove("timestampVerificationData");
            if (stamp is not null)
                s["verificationMaterial"]!["timestampVerificationData"] = JsonNode.Parse(
                    $$"""{"rfc3161Timestamps":[{"signedTimestamp":"{{Convert.ToBase64String(stamp)}}"}]}""");
        });
    }

    /// <summary>Replaces the public key in every file that shows it, but not in the signed statement.</summary>
    public static void ShowKey(string bundle, ECDsa key)
    {
        File.WriteAllText(At(bundle, "signer.pub.pem"), key.ExportSubjectPublicKeyInfoPem() + "\n");
        Sigstore(bundle, s => s["verificationMaterial"]!["publicKey"]!["hint"] = Digest.Of(key.ExportSubjectPublicKeyInfo()).Hex);
    }

    public static (BigInteger R, BigInteger S) Split(byte[] signature)
    {
        var sequence = new AsnReader(signature, AsnEncodingRules.DER).ReadSequence();
        return (sequence.ReadInteger(), sequence.ReadInteger());
    }

    public static byte[] Join(BigInteger r, BigInteger s)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(r);
            writer.WriteInteger(s);
        }
        return writer.Encode();
    }

    /// <summary>
    /// Returns a new key for which an existing signature, made with a key that the forger also holds, is valid for another statement
    /// (duplicate-signature key selection): with k = (e + r d) / s known, d' = (s k - e') / r.
    /// </summary>
    public static ECDsa KeyThatFits(SigningKey old, byte[] signature, byte[] oldStatement, byte[] newStatement)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(old.PrivatePem(null));
        var d = Number(key.ExportParameters(true).D!);
        var (r, s) = Split(signature);
        var k = (Hash(oldStatement) + r * d) * Inverse(s) % Order;
        var fitting = ((s * k - Hash(newStatement)) * Inverse(r) % Order + Order) % Order;
        return ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = Bytes(fitting) });
    }

    private static BigInteger Hash(byte[] statement) => Number(SHA256.HashData(Dsse.PreAuthentication(statement)));

    private static BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    private static byte[] Bytes(BigInteger number)
    {
        var bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[32 - bytes.Length], .. bytes];
    }

    private static BigInteger Inverse(BigInteger number) => BigInteger.ModPow(number, Order - 2, Order);
}
