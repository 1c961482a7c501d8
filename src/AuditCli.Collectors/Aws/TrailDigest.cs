using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Aws.Protocols;

namespace AuditCli.Collectors.Aws;

/// <summary>A file of events that a digest vouches for.</summary>
/// <param name="Sha256">Of the content without its compression, in lower-case hexadecimal.</param>
internal sealed record DigestedFile(string Bucket, string Key, string Sha256, DateTimeOffset? Oldest, DateTimeOffset? Newest);

/// <summary>
/// A digest file of CloudTrail, which lists an hour's files with their hashes and the digest before it
/// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html).
/// </summary>
internal sealed record TrailDigest(
    string Bucket, string Key, DateTimeOffset From, DateTimeOffset Until, string Fingerprint,
    string? PreviousKey, string? PreviousSha256, string? PreviousSignature, ImmutableArray<DigestedFile> Files, string Sha256, string? Signature)
{
    private const string Algorithm = "SHA-256";

    /// <summary>Reads one.</summary>
    /// <param name="content">Without its compression.</param>
    /// <param name="sha256">Of the content as it came, in lower-case hexadecimal.</param>
    /// <param name="signature">In hexadecimal, from the object's metadata; null when it has none.</param>
    /// <exception cref="CollectionException">It is no digest file, or uses other algorithms than are known.</exception>
    public static TrailDigest Read(string key, ReadOnlyMemory<byte> content, string sha256, string? signature)
    {
        try
        {
            using var document = JsonDocument.Parse(content);
            var root = document.RootElement;
            if (Text(root, "digestSignatureAlgorithm") is not "SHA256withRSA")
                throw new FormatException("its signature algorithm is not SHA256withRSA");
            return new(
                Needed(root, "digestS3Bucket"), Needed(root, "digestS3Object"), Moment(root, "digestStartTime")!.Value, Moment(root, "digestEndTime")!.Value,
                Needed(root, "digestPublicKeyFingerprint"),
                Text(root, "previousDigestS3Object"), Hash(root, "previousDigestHashValue", "previousDigestHashAlgorithm"), Text(root, "previousDigestSignature"),
                [
                    .. root.GetProperty("logFiles").EnumerateArray().Select(f => new DigestedFile(
                        Needed(f, "s3Bucket"), Needed(f, "s3Object"), Hash(f, "hashValue", "hashAlgorithm") ?? throw new FormatException("a file has no hash"),
                        Moment(f, "oldestEventTime"), Moment(f, "newestEventTime"))),
                ],
                sha256, signature);
        }
        catch (Exception e) when (e is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CollectionException(TypedJson.Malformed, $"{key} is no digest file of CloudTrail: {e.Message}", e);
        }
    }

    /// <summary>Whether CloudTrail's key signed it: end, place, hash and the signature before it, with RSA PKCS #1 v1.5 and SHA-256.</summary>
    /// <param name="keys">Public keys by fingerprint, DER of PKCS #1.</param>
    public bool IsSigned(IReadOnlyDictionary<string, byte[]> keys)
    {
        if (Signature is null || !keys.TryGetValue(Fingerprint, out var key))
            return false;
        try
        {
            using var rsa = RSA.Create();
            rsa.ImportRSAPublicKey(key, out _);
            var signed = $"{Until.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}\n{Bucket}/{Key}\n{Sha256}\n{PreviousSignature ?? "null"}";
            return rsa.VerifyData(Encoding.UTF8.GetBytes(signed), Convert.FromHexString(Signature), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            return false;
        }
    }

    /// <summary>Whether it names the other as the one before it, unaltered.</summary>
    public bool Follows(TrailDigest before) => PreviousKey == before.Key && PreviousSha256 == before.Sha256 && PreviousSignature == before.Signature;

    private static string? Text(JsonElement e, string name) => e.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Needed(JsonElement e, string name) => Text(e, name) is { Length: > 0 } text ? text : throw new FormatException($"it has no {name}");

    private static DateTimeOffset? Moment(JsonElement e, string name) => Text(e, name) is { } text
        ? DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
        : name.StartsWith("digest", StringComparison.Ordinal) ? throw new FormatException($"it has no {name}") : null;

    private static string? Hash(JsonElement e, string name, string algorithm) => Text(e, name) is not { } hash ? null
        : Text(e, algorithm) == Algorithm ? hash.ToLowerInvariant()
        : throw new FormatException($"{algorithm} is not {Algorithm}");
}
