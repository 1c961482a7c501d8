using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Tests.Attestation;
using AuditCli.Evidence.Tests.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Verification;

/// <summary>Ways to tamper with a signed bundle, numbered as in the project's tamper list, and the result of verification.</summary>
/// <remarks>
/// Other files have Z01 to Z10 (ForgedArchives), N01 to N03 and N07 of certificates (CertificateTests), N08 (BundleTests), N09
/// (VerifyTests) and N11 (LockerTests).
/// </remarks>
internal static class SignedTampering
{
    /// <summary>
    /// A change to the chain's second bundle, the options for verifying it, and the expected code; null if verification succeeds.
    /// </summary>
    internal sealed record Case(
        string? Code, Action<string, SignedRow> Tamper, Func<VerifyOptions, SignedRow, VerifyOptions>? Ask = null, bool TrustWhatIsShown = false);

    internal static readonly Dictionary<string, Case> Cases = new(StringComparer.Ordinal)
    {
        ["P01 untouched"] = new(null, (_, _) => { }),
        ["P02 untouched, everything asked"] = new(null, (_, _) => { }, (o, r) => o with
        {
            Challenge = SignedRow.Challenge,
            Previous = SealedAttestation.Head(r.First),
            ExpectHead = SealedAttestation.Head(r.Second).Bundle.Statement,
        }),
        ["S01 attestation removed"] = new("UNSIGNED", (b, _) => Directory.Delete(Path.Combine(b, "attestation"), recursive: true)),
        ["S02 no signature"] = new("UNSIGNED", (b, _) => File.Delete(Forgery.At(b, "statement.sig"))),
        ["S03 bit flip in the signature"] = new("SIG_INVALID", (b, _) => Forgery.Edit(b, "statement.sig", s => [.. s[..^1], (byte)(s[^1] ^ 1)])),
        ["S04 statement edited"] = new("SIG_INVALID", (b, _) => Forgery.Text(b, "statement.json", "\"FAIL\":1", "\"FAIL\":0")),
        ["S04 statement edited in both places"] = new(
            "SIG_INVALID",
            (b, _) => Forgery.Write(b, Replaced(b, "\"FAIL\":1", "\"FAIL\":0"), Read(b, "statement.sig"), _ => Read(b, "statement.tsr"))),
        ["S05 white space behind the statement"] = new("SIG_INVALID", (b, _) => Forgery.Edit(b, "statement.json", s => [.. s, (byte)'\n'])),
        ["S06 signed again by another key, with its own time stamp"] = new("SIG_UNTRUSTED_KEY", (b, r) =>
        {
            Directory.Delete(Path.Combine(b, "attestation"), recursive: true);
            Sign(b, r.Request(r.First) with { Key = r.Stranger });
        }),
        ["S06 the same, trusting a fingerprint"] = new("SIG_UNTRUSTED_KEY", (b, r) =>
        {
            Directory.Delete(Path.Combine(b, "attestation"), recursive: true);
            Sign(b, r.Request(r.First) with { Key = r.Stranger });
        }, (o, r) => o with { Trust = SignerTrust.Nobody.With(r.Key.Fingerprint.Hex) }),
        ["S06 signed again by another key that names the trusted one"] = new("SIG_UNTRUSTED_KEY", (b, r) =>
        {
            Forgery.Resign(b, r.Stranger, s => { }, r.Authority.Stamp);
            using var stranger = Public(r.Stranger);
            Forgery.ShowKey(b, stranger);
        }),
        ["S07 another public key shown"] = new("ATTESTATION_INCONSISTENT", (b, r) => File.WriteAllText(Forgery.At(b, "signer.pub.pem"), r.Stranger.PublicPem)),
        ["S07 another public key shown, trusting a fingerprint"] = new(
            "SIG_INVALID",
            (b, r) => File.WriteAllText(Forgery.At(b, "signer.pub.pem"), r.Stranger.PublicPem),
            (o, r) => o with { Trust = SignerTrust.Nobody.With(r.Key.Fingerprint.Hex) }),
        ["S07 words beside the public key"] = new(
            "ATTESTATION_INCONSISTENT", (b, _) => Forgery.Edit(b, "signer.pub.pem", s => [.. "The auditor's own key\n"u8, .. s])),
        ["S08 the other value of s"] = new(
            "SIG_MALFORMED", (b, _) => Forgery.Edit(b, "statement.sig", s => Forgery.Join(Forgery.Split(s).R, Forgery.Order - Forgery.Split(s).S))),
        ["S08 bytes behind the signature"] = new("SIG_MALFORMED", (b, _) => Forgery.Edit(b, "statement.sig", s => [.. s, 0])),
        ["S08 length in a longer form"] = new("SIG_MALFORMED", (b, _) => Forgery.Edit(b, "statement.sig", s => [s[0], 0x81, .. s[1..]])),
        ["S09 signed without the envelope's encoding"] = new(
            "SIG_INVALID", (b, r) => Forgery.Write(b, Read(b, "statement.json"), r.Key.Sign(Read(b, "statement.json")), r.Authority.Stamp)),
        ["S10 signed as another payload type"] = new("SIG_INVALID", (b, r) => Forgery.Write(b, Read(b, "statement.json"),
            r.Key.Sign([.. Encoding.ASCII.GetBytes($"DSSEv1 16 application/json {Read(b, "statement.json").Length} "), .. Read(b, "statement.json")]),
            r.Authority.Stamp)),
        ["S10 envelope says another payload type"] = new(
            "TYPE_UNSUPPORTED", (b, _) => Forgery.Sigstore(b, s => s["dsseEnvelope"]!["payloadType"] = "application/json")),
        ["S11 predicate of another version"] = Resigned("TYPE_UNSUPPORTED", s => s["predicateType"] = "urn:auditcli:attestation:evidence-bundle:v0"),
        ["S12 statement of another version"] = Resigned("TYPE_UNSUPPORTED", s => s["_type"] = "https://in-toto.io/Statement/v0.1"),
        ["S13 subject by SHA-1"] = Resigned(
            "JSON_MALFORMED", s => s["subject"]![0]!["digest"] = JsonNode.Parse("""{"sha1":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}""")),
        ["S13 two subjects"] = Resigned("JSON_MALFORMED", s => s["subject"]!.AsArray().Add(s["subject"]![0]!.DeepClone())),
        ["S13 another subject"] = Resigned("JSON_MALFORMED", s => s["subject"]![0]!["name"] = "manifest-sha256.txt"),
        ["S14 duplicate key"] = ResignedBytes("JSON_MALFORMED", "\"timestamp\":\"rfc3161\"", "\"timestamp\":\"none\",\"timestamp\":\"rfc3161\""),
        ["S15 unknown member"] = Resigned("JSON_MALFORMED", s => s["predicate"]!["note"] = "all good"),
        ["S15 member missing"] = Resigned("JSON_MALFORMED", s => s["predicate"]!.AsObject().Remove("chain")),
        ["S15 white space, signed"] = ResignedBytes("JSON_MALFORMED", "\"timestamp\":", "\"timestamp\": "),
        ["S15 escaped twin of a key"] = ResignedBytes("JSON_MALFORMED", "\"timestamp\":", "\"\\u0074imestamp\":"),
        ["S15 number beyond a double"] = ResignedBytes("JSON_MALFORMED", "\"FAIL\":1", "\"FAIL\":9007199254740993"),
        ["S15 number that is no count"] = ResignedBytes("JSON_MALFORMED", "\"FAIL\":1", "\"FAIL\":-1"),
        ["S16 no algorithm"] = Resigned("TYPE_UNSUPPORTED", s => s["predicate"]!["signer"]!["algorithm"] = "none"),
        ["S17 second signature"] = new(
            "ATTESTATION_INCONSISTENT",
            (b, _) => Forgery.Sigstore(b, s => s["dsseEnvelope"]!["signatures"]!.AsArray().Add(s["dsseEnvelope"]!["signatures"]![0]!.DeepClone()))),
        ["S18 envelope is not the statement"] = new(
            "ATTESTATION_INCONSISTENT", (b, _) => Forgery.Sigstore(b, s => s["dsseEnvelope"]!["payload"] = Convert.ToBase64String("{}"u8))),
        ["S18 envelope's signature is another"] = new(
            "ATTESTATION_INCONSISTENT",
            (b, r) => Forgery.Sigstore(b, s => s["dsseEnvelope"]!["signatures"]![0]!["sig"] = Convert.ToBase64String(Read(r.First, "statement.sig")))),
        ["S18 another key's hint"] = new(
            "ATTESTATION_INCONSISTENT",
            (b, r) => Forgery.Sigstore(b, s => s["verificationMaterial"]!["publicKey"]!["hint"] = r.Stranger.Fingerprint.Hex)),
        ["S18 key id in the envelope"] = new("JSON_MALFORMED", (b, _) => Forgery.Sigstore(b, s => s["dsseEnvelope"]!["signatures"]![0]!["keyid"] = "a")),
        ["S19 Sigstore bundle of another version"] = new(
            "TYPE_UNSUPPORTED", (b, _) => Forgery.Sigstore(b, s => s["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1")),
        ["S19 unknown member in the Sigstore bundle"] = new("JSON_MALFORMED", (b, _) => Forgery.Sigstore(b, s => s["note"] = "")),
        ["S19 base64 in another form"] = new("JSON_MALFORMED", (b, _) => Forgery.Text(b, "statement.sigstore.json", "\"payload\":\"", "\"payload\":\"\\n")),
        ["S19 no Sigstore bundle"] = new("MISSING_FILE", (b, _) => File.Delete(Forgery.At(b, "statement.sigstore.json"))),
        ["S20 attestation of an older bundle, as newest"] = new(
            "CHAIN_ROLLBACK", Transplanted(r => r.First), (o, r) => o with { Previous = SealedAttestation.Head(r.First) }),
        ["S21 attestation of another bundle"] = new("CONTENT_MODIFIED", Transplanted(r => r.Third)),
        ["S22 empty signature"] = new("SIG_MALFORMED", (b, _) => Forgery.Edit(b, "statement.sig", _ => [])),
        ["S23 r and s are 0"] = new("SIG_MALFORMED", (b, _) => Forgery.Edit(b, "statement.sig", _ => Forgery.Join(0, 0))),
        ["S23 r is the order"] = new("SIG_MALFORMED", (b, _) => Forgery.Edit(b, "statement.sig", s => Forgery.Join(Forgery.Order, Forgery.Split(s).S))),
        ["S24 a file that is none of the attestation"] = new("UNEXPECTED_FILE", (b, _) => File.WriteAllText(Forgery.At(b, "notes.txt"), "x")),
        ["N06 a new key under which the old signature is that of another statement"] = new("SIG_UNTRUSTED_KEY", FittedKey),
        ["N06 the same, and the new key is trusted"] = new("SIG_UNTRUSTED_KEY", FittedKey, TrustWhatIsShown: true),
        ["N12 key on P-384"] = new("TYPE_UNSUPPORTED", (b, _) => ShowOther(b, ECDsa.Create(ECCurve.NamedCurves.nistP384))),
        ["N12 key on another curve of 256 bits"] = new("TYPE_UNSUPPORTED", (b, _) => ShowOther(b, ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1))),
        ["N12 RSA key"] = new("TYPE_UNSUPPORTED", (b, _) =>
        {
            using var rsa = RSA.Create(2048);
            File.WriteAllText(Forgery.At(b, "signer.pub.pem"), rsa.ExportSubjectPublicKeyInfoPem() + "\n");
        }),
        ["N07 revoked key"] = new("SIG_KEY_REVOKED", (_, _) => { }, (o, r) => o with { Revoked = SignerTrust.Fingerprints(r.Key.PublicPem) }),
        ["N07 revoked key, by its fingerprint, and nobody trusted"] = new(
            "SIG_KEY_REVOKED",
            (_, _) => { },
            (o, r) => o with { Trust = SignerTrust.Nobody, Revoked = SignerTrust.Fingerprints(r.Key.Fingerprint.Hex) }),
        ["N07 another key revoked"] = new(null, (_, _) => { }, (o, r) => o with { Revoked = SignerTrust.Fingerprints(r.Stranger.PublicPem) }),
        ["N07 revoked key of the time stamp authority"] = new(
            "TS_UNTRUSTED", (_, _) => { }, (o, r) => o with { Revoked = SignerTrust.Fingerprints(File.ReadAllText(r.Authority.CertificateFile)) }),
        ["N10 results larger than are read"] = new("LIMIT_EXCEEDED", (b, r) =>
        {
            using (var file = File.OpenWrite(Path.Combine(b, "data", "results", "results.json")))
                file.SetLength(64 * 1024 * 1024 + 1);
            Samples.Reseal(b);
            SignWhatIsThere(b, r);
        }),
        ["N10 attestation larger than is read"] = new("LIMIT_EXCEEDED", (b, _) =>
        {
            using var file = File.OpenWrite(Forgery.At(b, "statement.json"));
            file.SetLength(16 * 1024 * 1024 + 1);
        }),
        ["N10 more entries than are looked at"] = new("LIMIT_EXCEEDED", (_, _) => { }, (o, _) => o with { MaxEntries = 5 }),
        ["N13 hard link"] = new(null, (b, _) =>
        {
            var file = Path.Combine(b, "data", "inputs", "hr", "hr.csv");
            File.Delete(file);
            PosixFiles.MakeHardLink(Path.Combine(b, "..", "copy.csv"), file);
        }),
        ["T01 time stamp stripped"] = new("TS_STRIPPED", (b, _) => File.Delete(Forgery.At(b, "statement.tsr"))),
        ["T02 time stamp stripped in both places"] = new("TS_STRIPPED", (b, _) => Forgery.Stamp(b, null)),
        ["T02 the same, and no time asked"] = new("TS_STRIPPED", (b, _) => Forgery.Stamp(b, null), (o, _) => o with { TimeStampRoots = null }),
        ["T03 signed again without a time stamp"] = new("TS_MISSING", (b, r) => Forgery.Resign(b, r.Key, Unstamped)),
        ["T04 time stamp of another signature"] = new("TS_MISMATCH", (b, r) => Forgery.Stamp(b, Read(r.First, "statement.tsr"))),
        ["T05 another authority"] = new("TS_UNTRUSTED", (b, r) => Forgery.Stamp(b, r.OtherAuthority.Stamp(Read(b, "statement.sig")))),
        ["T06 time edited"] = new("TS_INVALID", (b, _) => Forgery.Stamp(b, TimeEdited(Read(b, "statement.tsr")))),
        ["T06 bit flip in the authority's signature"] = new(
            "TS_INVALID", (b, _) => Forgery.Stamp(b, [.. Read(b, "statement.tsr")[..^1], (byte)(Read(b, "statement.tsr")[^1] ^ 1)])),
        ["T07 bytes behind the time stamp"] = new("TS_INVALID", (b, _) => Forgery.Stamp(b, [.. Read(b, "statement.tsr"), 0])),
        ["T07 empty time stamp"] = new("TS_INVALID", (b, _) => Forgery.Stamp(b, [])),
        ["T07 the authority refused"] = new("TS_INVALID", (b, _) => Forgery.Stamp(b, [0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02])),
        ["T08 two different time stamps"] = new(
            "ATTESTATION_INCONSISTENT", (b, r) => File.WriteAllBytes(Forgery.At(b, "statement.tsr"), r.Authority.Stamp(Read(b, "statement.sig")))),
        ["T08 two time stamps in the Sigstore bundle"] = new("ATTESTATION_INCONSISTENT", (b, _) => Forgery.Sigstore(b, s =>
        {
            var stamps = s["verificationMaterial"]!["timestampVerificationData"]!["rfc3161Timestamps"]!.AsArray();
            stamps.Add(stamps[0]!.DeepClone());
        })),
        ["T09 no time stamp, said and not asked"] = new(null, (b, r) => Forgery.Resign(b, r.Key, Unstamped), (o, _) => o with { TimeStampRoots = null }),
        ["T10 time stamp although the signer says none"] = new("ATTESTATION_INCONSISTENT", (b, r) => Forgery.Resign(b, r.Key, Unstamped, r.Authority.Stamp)),
        ["T11 imprint by SHA-1"] = new("TS_INVALID", (b, r) => Forgery.Stamp(b, r.Authority.AnswerByDigest("sha1", Read(b, "statement.sig")))),
        ["N04 time yet to come"] = new("TS_INVALID", (_, _) => { }, (o, _) => o with { Now = o.Now!.Value.AddDays(-1) }),
        ["C01 another bundle before"] = Resigned(
            "CHAIN_BROKEN",
            s => s["predicate"]!["chain"]!["previous"]!["statementSha256"] = new string('0', 64),
            (o, r) => o with { Previous = SealedAttestation.Head(r.First) }),
        ["C01 the time stamp before is another"] = Resigned(
            "CHAIN_BROKEN",
            s => s["predicate"]!["chain"]!["previous"]!["timestampSha256"] = null,
            (o, r) => o with { Previous = SealedAttestation.Head(r.First) }),
        ["C01 second of a row without a bundle before"] = Resigned("JSON_MALFORMED", s => s["predicate"]!["chain"]!["previous"] = null),
        ["C02 one left out"] = Resigned(
            "CHAIN_GAP", s => s["predicate"]!["chain"]!["sequence"] = 3, (o, r) => o with { Previous = SealedAttestation.Head(r.First) }),
        ["C03 an old bundle as the newest"] = new("CHAIN_ROLLBACK", (_, _) => { }, (o, r) => o with { Previous = SealedAttestation.Head(r.Third) }),
        ["C04 fork by the trusted key, and the head was kept"] = new(
            "CHAIN_HEAD_MISMATCH", Forked, (o, r) => o with { ExpectHead = SealedAttestation.Head(r.Second).Bundle.Statement }),
        ["C05 fork by the trusted key, and nobody kept the head"] = new(null, Forked, (o, r) => o with { Previous = SealedAttestation.Head(r.First) }),
        ["C06 another challenge"] = new("CHALLENGE_MISMATCH", (_, _) => { }, (o, _) => o with { Challenge = "engagement 2026-18" }),
        ["C06 no challenge"] = Resigned("CHALLENGE_MISMATCH", s => s["predicate"]!["challenge"] = null, (o, _) => o with { Challenge = SignedRow.Challenge }),
        ["C07 a row begun again"] = new("CHAIN_BROKEN", (b, r) =>
        {
            Directory.Delete(Path.Combine(b, "attestation"), recursive: true);
            Sign(b, r.Request(null));
        }, (o, r) => o with { Previous = SealedAttestation.Head(r.First) }),
        ["C08 chain asked of a bundle that nobody signed"] = new(
            "UNSIGNED",
            (b, _) => Directory.Delete(Path.Combine(b, "attestation"), recursive: true),
            (_, r) => new(AllowUnsigned: true) { Previous = SealedAttestation.Head(r.First) }),
        ["G27 other conclusions signed than are in the bundle"] = Resigned("STATEMENT_INCONSISTENT", s => s["predicate"]!["results"]!["FAIL"] = 0),
        ["G27 other period"] = Resigned("STATEMENT_INCONSISTENT", s => s["predicate"]!["period"]!["to"] = "2026-12-31"),
        ["G27 other totals"] = Resigned("STATEMENT_INCONSISTENT", s => s["predicate"]!["payload"]!["files"] = 1),
        ["G27 other controls"] = Resigned("STATEMENT_INCONSISTENT", s => s["predicate"]!["controls"]!["sha256"] = new string('0', 64)),
    };

    private static Case Resigned(string code, Action<JsonNode> edit, Func<VerifyOptions, SignedRow, VerifyOptions>? ask = null) =>
        new(code, (b, r) => Forgery.Resign(b, r.Key, edit, r.Authority.Stamp), ask);

    private static Case ResignedBytes(string code, string old, string now) =>
        new(code, (b, r) => Forgery.Resign(b, r.Key, _ => Replaced(b, old, now), r.Authority.Stamp));

    internal static void SignWhatIsThere(string bundle, SignedRow row) =>
        Forgery.Resign(bundle, row.Key, s =>
        {
            s["subject"]![0]!["digest"]!["sha256"] = Digest.Of(File.ReadAllBytes(Path.Combine(bundle, "tagmanifest-sha256.txt"))).Hex;
            Unstamped(s);
        });

    private static void Unstamped(JsonNode statement) => statement["predicate"]!["timestamp"] = "none";

    private static byte[] Replaced(string bundle, string old, string now)
    {
        var text = Encoding.UTF8.GetString(Read(bundle, "statement.json"));
        Assert.Contains(old, text, StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(text.Replace(old, now, StringComparison.Ordinal));
    }

    private static Action<string, SignedRow> Transplanted(Func<SignedRow, string> from) => (b, r) =>
    {
        Directory.Delete(Path.Combine(b, "attestation"), recursive: true);
        Samples.Copy(Path.Combine(from(r), "attestation"), Path.Combine(b, "attestation"));
    };

    private static void Forked(string bundle, SignedRow row)
    {
        Directory.Delete(Path.Combine(bundle, "attestation"), recursive: true);
        File.WriteAllText(Path.Combine(bundle, "data", "inputs", "hr", "hr.csv"), "id\n9\n");
        Samples.Reseal(bundle);
        Sign(bundle, row.Request(row.First));
    }

    private static void FittedKey(string bundle, SignedRow row)
    {
        var old = Read(bundle, "statement.json");
        var now = Replaced(bundle, "\"FAIL\":1", "\"FAIL\":0");
        var signature = Read(bundle, "statement.sig");
        using var key = Forgery.KeyThatFits(row.Key, signature, old, now);
        Assert.True(key.VerifyData(Dsse.PreAuthentication(now), signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        Forgery.Write(bundle, now, signature, _ => Read(bundle, "statement.tsr"));
        Forgery.ShowKey(bundle, key);
    }

    private static void ShowOther(string bundle, ECDsa key)
    {
        using (key)
            Forgery.ShowKey(bundle, key);
    }

    private static ECDsa Public(SigningKey key)
    {
        var shown = ECDsa.Create();
        shown.ImportSubjectPublicKeyInfo(key.PublicKey.Span, out _);
        return shown;
    }

    /// <summary>Moves the year in the token's GeneralizedTime back by one.</summary>
    private static byte[] TimeEdited(byte[] stamp)
    {
        var text = Encoding.Latin1.GetString(stamp);
        var year = DateTime.UtcNow.Year;
        var at = text.IndexOf($"\u0018\u000f{year}", StringComparison.Ordinal);
        Assert.True(at > 0, "there is a time in the token");
        return Encoding.Latin1.GetBytes($"{text[..(at + 2)]}{year - 1}{text[(at + 6)..]}");
    }

    private static byte[] Read(string bundle, string name) => File.ReadAllBytes(Forgery.At(bundle, name));

    private static void Sign(string bundle, SigningRequest request) => BundleSigner.SignAsync(bundle, request, default).GetAwaiter().GetResult();
}
