using System.Text.Json.Nodes;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Attestation;

/// <summary>
/// Statement, signature and time stamp once more, as a Sigstore bundle v0.3, which cosign and Sigstore's libraries read. It adds
/// no information: every part also has its own file, and must be equal to it.
/// </summary>
/// <param name="KeyHint">
/// The key's fingerprint, where there is no certificate. It helps to find the key and proves nothing.
/// </param>
internal sealed record SigstoreBundle(
    ReadOnlyMemory<byte> Statement, ReadOnlyMemory<byte> Signature, ReadOnlyMemory<byte>? Certificate, ReadOnlyMemory<byte>? TimeStamp, string? KeyHint)
{
    private const string MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

    /// <summary>Returns the file's content in the canonical form of RFC 8785.</summary>
    public byte[] Write()
    {
        var material = new JsonObject { ["tlogEntries"] = new JsonArray() };
        if (Certificate is { } certificate)
            material["certificate"] = new JsonObject { ["rawBytes"] = Base64(certificate) };
        else
            material["publicKey"] = new JsonObject { ["hint"] = KeyHint };
        if (TimeStamp is { } stamp)
        {
            material["timestampVerificationData"] = new JsonObject
            {
                ["rfc3161Timestamps"] = new JsonArray(new JsonObject { ["signedTimestamp"] = Base64(stamp) }),
            };
        }
        return CanonicalJson.Encode(new JsonObject
        {
            ["mediaType"] = MediaType,
            ["verificationMaterial"] = material,
            ["dsseEnvelope"] = new JsonObject
            {
                ["payload"] = Base64(Statement),
                ["payloadType"] = Dsse.InTotoPayload,
                ["signatures"] = new JsonArray(new JsonObject { ["sig"] = Base64(Signature), ["keyid"] = "" }),
            },
        });
    }

    /// <summary>Reads the output of <see cref="Write"/>, and nothing else.</summary>
    /// <exception cref="NotSupportedException">It is a bundle or payload of another type.</exception>
    /// <exception cref="InvalidDataException">It is not such a bundle, or not in RFC 8785's form.</exception>
    public static SigstoreBundle Read(ReadOnlySpan<byte> content)
    {
        var members = new StrictMembers(BundleStatement.CanonicalForm(content, "the Sigstore bundle"), "the Sigstore bundle");
        if (members.Text("mediaType") is var type && type != MediaType)
            throw new NotSupportedException($"a Sigstore bundle of type {type}");
        var (certificate, hint, stamp) = members.Members("verificationMaterial", m =>
        {
            m.Nothing("tlogEntries");
            var certificate = m.OptionalMembers("certificate", c => Bytes(c, "rawBytes"));
            var hint = certificate is null ? m.Members("publicKey", k => k.Text("hint")) : null;
            var stamp = m.OptionalMembers(
                "timestampVerificationData", t => One(t.List("rfc3161Timestamps", s => Bytes(s, "signedTimestamp")), "time stamp"));
            return (certificate, hint, stamp);
        });
        var (payload, signature) = members.Members("dsseEnvelope", e => e.Text("payloadType") is var kind && kind != Dsse.InTotoPayload
            ? throw new NotSupportedException($"an envelope with a payload of type {kind}")
            : (Bytes(e, "payload"), One(
                e.List("signatures", s => s.Text("keyid").Length == 0
                    ? Bytes(s, "sig")
                    : throw new InvalidDataException("'keyid' must be empty")),
                "signature")));
        members.End();
        return new(payload, signature, certificate is null ? null : new(certificate), stamp is null ? null : new(stamp), hint);
    }

    private static string Base64(ReadOnlyMemory<byte> bytes) => Convert.ToBase64String(bytes.Span);

    private static byte[] One(IReadOnlyList<byte[]> all, string what) => all is [var only]
        ? only
        : throw new InconsistentAttestationException($"the Sigstore bundle must have one {what}, but has {all.Count}");

    private static byte[] Bytes(StrictMembers members, string name)
    {
        var text = members.Text(name);
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var count) && Convert.ToBase64String(bytes, 0, count) == text
            ? bytes[..count]
            : throw new InvalidDataException($"'{name}' is not canonical base64");
    }
}

/// <summary>Parts of an attestation that contradict each other.</summary>
internal sealed class InconsistentAttestationException(string message) : Exception(message);
