using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Aws;

/// <summary>A log file that a digest lists with its hash.</summary>
/// <param name="Sha256">The SHA-256 of the uncompressed content, in lower-case hexadecimal.</param>
internal sealed record DigestedFile(string Bucket, string Key, string Sha256, DateTimeOffset? Oldest, DateTimeOffset? Newest);

/// <summary>
/// A digest file of CloudTrail, which lists an hour's log files with their hashes, and the preceding digest
/// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html).
/// </summary>
internal sealed record TrailDigest(
    string Bucket, string Key, DateTimeOffset From, DateTimeOffset Until, string Fingerprint,
    string? PreviousKey, string? PreviousSha256, string? PreviousSignature, ImmutableArray<DigestedFile> Files, string Sha256, string? Signature)
{
    private const string Algorithm = "SHA-256";

    /// <summary>Parses a digest file.</summary>
    /// <param name="content">The uncompressed content.</param>
    /// <param name="sha256">The SHA-256 of the uncompressed content before redaction, in lower-case hexadecimal.</param>
    /// <param name="signature">The signature in hexadecimal, from the object's metadata; null if it has none.</param>
    /// <exception cref="CollectionException">The content is not a digest file, or uses unknown algorithms.</exception>
    public static TrailDigest Read(string key, ReadOnlyMemory<byte> content, string sha256, string? signature)
    {
        try
        {
            using var document = JsonDocument.Parse(content);
            var root = document.RootElement;
            if (JsonMember.Text(root, "digestSignatureAlgorithm") is not "SHA256withRSA")
                throw new FormatException("its signature algorithm is not SHA256withRSA");
            return new(
                Needed(root, "digestS3Bucket"), Needed(root, "digestS3Object"), Moment(root, "digestStartTime")!.Value, Moment(root, "digestEndTime")!.Value,
                Needed(root, "digestPublicKeyFingerprint"),
                JsonMember.Text(root, "previousDigestS3Object"),
                Hash(root, "previousDigestHashValue", "previousDigestHashAlgorithm"),
                JsonMember.Text(root, "previousDigestSignature"),
                [
                    .. root.GetProperty("logFiles").EnumerateArray().Select(f => new DigestedFile(
                        Needed(f, "s3Bucket"), Needed(f, "s3Object"), Hash(f, "hashValue", "hashAlgorithm") ?? throw new FormatException("a file has no hash"),
                        Moment(f, "oldestEventTime"), Moment(f, "newestEventTime"))),
                ],
                sha256, signature);
        }
        catch (Exception e) when (e is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CollectionException(Codes.MalformedResponse, $"{key} is not a digest file of CloudTrail: {e.Message}", e);
        }
    }

    /// <summary>
    /// Whether the digest is signed by CloudTrail's key: end time, place, hash and previous signature, with RSA PKCS #1 v1.5 and SHA-256.
    /// </summary>
    /// <param name="keys">The public keys by fingerprint, as PKCS #1 in DER.</param>
    public bool IsSigned(IReadOnlyDictionary<string, byte[]> keys)
    {
        if (Signature is null || !keys.TryGetValue(Fingerprint, out var key))
            return false;
        try
        {
            using var rsa = RSA.Create();
            rsa.ImportRSAPublicKey(key, out _);
            var signed = $"{Until.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}"
                + $"\n{Bucket}/{Key}\n{Sha256}\n{PreviousSignature ?? "null"}";
            return rsa.VerifyData(Encoding.UTF8.GetBytes(signed), Convert.FromHexString(Signature), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            return false;
        }
    }

    /// <summary>Whether this digest names the other as its predecessor, unaltered.</summary>
    public bool Follows(TrailDigest before) => PreviousKey == before.Key && PreviousSha256 == before.Sha256 && PreviousSignature == before.Signature;

    private static string Needed(JsonElement e, string name) =>
        JsonMember.Text(e, name) is { Length: > 0 } text ? text : throw new FormatException($"it has no {name}");

    private static DateTimeOffset? Moment(JsonElement e, string name) => JsonMember.Text(e, name) is { } text
        ? DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
        : name.StartsWith("digest", StringComparison.Ordinal) ? throw new FormatException($"it has no {name}") : null;

    private static string? Hash(JsonElement e, string name, string algorithm) => JsonMember.Text(e, name) is not { } hash ? null
        : JsonMember.Text(e, algorithm) == Algorithm ? hash.ToLowerInvariant()
        : throw new FormatException($"{algorithm} is not {Algorithm}");
}
