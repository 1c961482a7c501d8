using System.Security.Cryptography;
using System.Text.Json.Nodes;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.People;

/// <summary>
/// The file of a person's statement: a DSSE envelope (JSON, one signature) in the canonical form of RFC 8785, so that the same statement has
/// only one file.
/// </summary>
internal static class PeopleEnvelope
{
    /// <summary>Signs a statement.</summary>
    public static byte[] Sign(PeopleStatement statement, SigningKey key)
    {
        var payload = statement.Write();
        return CanonicalJson.Encode(new JsonObject
        {
            ["payload"] = Convert.ToBase64String(payload),
            ["payloadType"] = Dsse.InTotoPayload,
            ["signatures"] = new JsonArray(new JsonObject
            {
                ["keyid"] = key.Fingerprint.Hex,
                ["sig"] = Convert.ToBase64String(key.Sign(Dsse.PreAuthentication(payload))),
            }),
        });
    }

    /// <summary>Reads an envelope and checks its signature with the key in the statement.</summary>
    /// <exception cref="CryptographicException">The signature is not by that key over these bytes.</exception>
    /// <exception cref="NotSupportedException">It is of another type.</exception>
    /// <exception cref="InvalidDataException">It is not such an envelope.</exception>
    public static PeopleStatement Open(ReadOnlySpan<byte> content)
    {
        const string what = "the envelope";
        var members = new StrictMembers(BundleStatement.CanonicalForm(content, what), what);
        if (members.Text("payloadType") is var type && type != Dsse.InTotoPayload)
            throw new NotSupportedException($"an envelope of {type}");
        var payload = Bytes(members.Text("payload"), "payload");
        var signatures = members.List("signatures", s => (Key: BundleStatement.Sha256(s, "keyid"), Signature: Bytes(s.Text("sig"), "sig")));
        members.End();
        var statement = PeopleStatement.Read(payload);
        if (signatures is not [var (signer, signature)] || signer != statement.Fingerprint)
            throw new InvalidDataException("the envelope must have one signature, by the key that the statement names");
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(statement.Key.Span, out _);
        var isSigned = EcdsaSignature.IsNormal(signature)
            && key.VerifyData(Dsse.PreAuthentication(payload), signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        return isSigned ? statement : throw new CryptographicException("the signature is not over this statement by the key that it names");
    }

    private static byte[] Bytes(string text, string member)
    {
        try
        {
            return Convert.FromBase64String(text) is var bytes && Convert.ToBase64String(bytes) == text
                ? bytes
                : throw new InvalidDataException($"'{member}' is not base64 in its one form");
        }
        catch (FormatException e)
        {
            throw new InvalidDataException($"'{member}' is not base64", e);
        }
    }
}
