using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>A bucket with four hours of a trail's files, and CloudTrail's own signing key.</summary>
internal sealed class TrailArchive : IDisposable
{
    public const string Bucket = "northquay-trail";
    public const string Account = "123456789012";

    /// <summary>A session token as CloudTrail records it; every trail contains some.</summary>
    public const string SessionToken = "IQoJb3JpZ2luX2VjEMARKERMARKERMARKERMARKERMARKERMARKERMARKERMARKERMARKERMARKERMARKERMARKERMARKER"
        + "MARKERMARKERMARKERMARKERMARKERMARKER";
    private const string Base = $"audit/AWSLogs/{Account}/";
    private const string Fingerprint = "12790d47a0f6c9e1";
    private static readonly DateTimeOffset First = new(2026, 10, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly RSA _key = RsaKeys.Numbered(0);

    /// <summary>
    /// CloudTrail signs files that it delivers late with another key, which it lists only for the time of their delivery.
    /// </summary>
    private readonly RSA _laterKey = RsaKeys.Numbered(1);

    public TrailArchive(int hours = 4, Action<int, Dictionary<string, object?>>? digest = null, RSA? signer = null)
    {
        string? previousKey = null, previousHash = null, previousSignature = null;
        for (var hour = 0; hour < hours; hour++)
        {
            var (from, until) = (First.AddHours(hour), First.AddHours(hour + 1));
            var log = $"{Base}CloudTrail/us-east-1/2026/10/01/{Account}_CloudTrail_us-east-1_20261001T{hour:d2}05Z_abc.json.gz";
            var events = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new
            {
                Records = Enumerable.Range(0, 2).Select(n => new
                {
                    eventID = $"{hour}-{n}",
                    eventName = "AssumeRole",
                    eventTime = Text(from.AddMinutes(30 * n)),
                    userIdentity = new { type = "Root" },
                    readOnly = false,
                    responseElements = new { credentials = new { accessKeyId = "ASIAIOSFODNN7EXAMPLE", sessionToken = SessionToken } },
                }),
            }));
            Objects[log] = (Gzip(events), null);
            var key = $"{Base}CloudTrail-Digest/us-east-1/{until:yyyy/MM/dd}/{Account}_CloudTrail-Digest_us-east-1_all_us-east-1_"
                + $"{until:yyyyMMdd'T'HHmmss'Z'}.json.gz";
            var content = Content(from, until, key, Fingerprint, previousKey, previousHash, previousSignature, LogFile(Bucket, log, events, from));
            digest?.Invoke(hour, content);
            var bytes = JsonSerializer.SerializeToUtf8Bytes(content);
            (previousKey, previousHash) = (key, Hash(bytes));
            // The same text as in the AWS CLI (awscli/customizations/cloudtrail/validation.py).
            var signed = $"{content["digestEndTime"]}\n{Bucket}/{key}\n{previousHash}\n{content["previousDigestSignature"] ?? "null"}";
            previousSignature = Convert.ToHexStringLower(
                (signer ?? _key).SignData(Encoding.UTF8.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
            Objects[key] = (Gzip(bytes), previousSignature);
        }
    }

    /// <summary>
    /// Adds a backfill digest for each of the hours, in a separate chain. Each has one file with events of that hour that arrived late: the
    /// event <c>late-</c>hour, and one that was already delivered.
    /// </summary>
    /// <param name="change">Changes the digest before it is signed.</param>
    public void AddBackfill(int[] hours, Action<int, Dictionary<string, object?>>? change = null, RSA? signer = null)
    {
        string? previousKey = null, previousHash = null, previousSignature = null;
        foreach (var hour in hours)
        {
            var (from, until) = (First.AddHours(hour), First.AddHours(hour + 1));
            var log = $"{Base}CloudTrail/us-east-1/2026/10/01/{Account}_CloudTrail_us-east-1_20261001T{hour:d2}10Z_late.json.gz";
            var events = JsonSerializer.SerializeToUtf8Bytes(new
            {
                Records = new[] { $"late-{hour}", $"{hour}-1" }
                    .Select(id => new { eventID = id, eventName = "AssumeRole", eventTime = Text(from.AddMinutes(30)) }),
            });
            Objects[log] = (Gzip(events), null);
            var key = $"{Base}CloudTrail-Digest/us-east-1/{until:yyyy/MM/dd}/{Account}_CloudTrail-Digest_us-east-1_all_us-east-1_"
                + $"{until:yyyyMMdd'T'HHmmss'Z'}_backfill.json.gz";
            var content = Content(from, until, key, "late0000a1b2c3d4", previousKey, previousHash, previousSignature, LogFile(Bucket, log, events, from));
            change?.Invoke(hour, content);
            var bytes = JsonSerializer.SerializeToUtf8Bytes(content);
            (previousKey, previousHash) = (key, Hash(bytes));
            var signed = $"{content["digestEndTime"]}\n{Bucket}/{key}\n{previousHash}\n{content["previousDigestSignature"] ?? "null"}";
            previousSignature = Convert.ToHexStringLower(
                (signer ?? _laterKey).SignData(Encoding.UTF8.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
            Objects[key] = (Gzip(bytes), previousSignature);
        }
    }

    /// <summary>Replaces the events of an hour's file, and updates the digest to match.</summary>
    public static Action<int, Dictionary<string, object?>> Vouched(int hour, byte[] content, Action<string, byte[]> put) => (at, digest) =>
    {
        if (at != hour)
            return;
        var from = First.AddHours(hour);
        var log = $"{Base}CloudTrail/us-east-1/2026/10/01/{Account}_CloudTrail_us-east-1_20261001T{hour:d2}05Z_abc.json.gz";
        digest["logFiles"] = new[] { LogFile(Bucket, log, content, from) };
        put(log, Gzip(content));
    };

    public SortedDictionary<string, (byte[] Body, string? Signature)> Objects { get; } = new(StringComparer.Ordinal);
    public bool Validated { get; init; } = true;

    /// <summary>Whether S3 declares its objects as gzip, as it does for those that CloudTrail itself wrote.</summary>
    public bool SaysGzip { get; init; } = true;

    public string Key(string part) => Objects.Keys.Single(k => k.Contains(part, StringComparison.Ordinal));

    public static object LogFile(string bucket, string key, byte[] content, DateTimeOffset from) => new Dictionary<string, string>
    {
        ["s3Bucket"] = bucket,
        ["s3Object"] = key,
        ["hashValue"] = Hash(content),
        ["hashAlgorithm"] = "SHA-256",
        ["oldestEventTime"] = Text(from),
        ["newestEventTime"] = Text(from.AddMinutes(30)),
    };

    public static byte[] Gzip(byte[] content)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(content);
        return compressed.ToArray();
    }

    public Reaction Answer(SeenRequest request)
    {
        if (request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal))
            return Reaction.Xml(
                $"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::{Account}:user/a</Arn>"
                + $"<Account>{Account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>");
        if (request.Fields.TryGetValue("X-Amz-Target", out var target))
            return Reaction.Json(target.EndsWith("ListPublicKeys", StringComparison.Ordinal)
                ? JsonSerializer.Serialize(new
                {
                    PublicKeyList = new[] { Asked(request) > First.AddDays(1)
                    ? new { Value = Convert.ToBase64String(_laterKey.ExportRSAPublicKey()), Fingerprint = "late0000a1b2c3d4" }
                    : new { Value = Convert.ToBase64String(_key.ExportRSAPublicKey()), Fingerprint } }
                })
                : JsonSerializer.Serialize(new
                {
                    trailList = new[]
                    {
                        new
                        {
                            Name = "all",
                            S3BucketName = Bucket,
                            S3KeyPrefix = "audit",
                            HomeRegion = "us-east-1",
                            LogFileValidationEnabled = Validated,
                        },
                    },
                }));
        var path = Uri.UnescapeDataString(request.Target.Split('?')[0]);
        if (path.TrimEnd('/') == "/" + Bucket)
        {
            var query = request.Target.Split('?')[1].Split('&').Select(p => p.Split('=')).ToDictionary(p => p[0], p => Uri.UnescapeDataString(p[^1]));
            var keys = Objects.Keys.Where(k => k.StartsWith(query["prefix"], StringComparison.Ordinal) && string.CompareOrdinal(k, query["start-after"]) > 0);
            var contents = keys.Select(k => $"<Contents><Key>{k}</Key><Size>{Objects[k].Body.Length}</Size></Contents>");
            return Reaction.Xml($"<ListBucketResult><IsTruncated>false</IsTruncated>{string.Concat(contents)}</ListBucketResult>");
        }
        return path.StartsWith($"/{Bucket}/", StringComparison.Ordinal) && Objects.TryGetValue(path[(Bucket.Length + 2)..], out var found)
            ? new Reaction(200, "application/json", found.Body)
            {
                Fields =
                [
                    .. SaysGzip ? [("Content-Encoding", "gzip")] : Array.Empty<(string, string)>(), ("x-amz-meta-signature", found.Signature ?? "none"),
                    .. path.EndsWith("_backfill.json.gz", StringComparison.Ordinal)
                        ? [("x-amz-meta-backfill-generation-timestamp", "2026-10-09T07:00:00Z")]
                        : Array.Empty<(string, string)>(),
                ],
            }
            : Reaction.Xml("<Error><Code>NoSuchKey</Code><Message>no</Message></Error>", 404);
    }

    public void Dispose()
    {
        _key.Dispose();
        _laterKey.Dispose();
    }

    /// <summary>Returns the start of the period for which keys are requested.</summary>
    private static DateTimeOffset Asked(SeenRequest request) =>
        DateTimeOffset.FromUnixTimeSeconds((long)JsonElement.Parse(request.Body).GetProperty("StartTime").GetDouble());

    private static Dictionary<string, object?> Content(
        DateTimeOffset from, DateTimeOffset until, string key, string fingerprint, string? previousKey, string? previousHash,
        string? previousSignature, object file) => new()
        {
            ["awsAccountId"] = Account,
            ["digestStartTime"] = Text(from),
            ["digestEndTime"] = Text(until),
            ["digestS3Bucket"] = Bucket,
            ["digestS3Object"] = key,
            ["digestPublicKeyFingerprint"] = fingerprint,
            ["digestSignatureAlgorithm"] = "SHA256withRSA",
            ["previousDigestS3Object"] = previousKey,
            ["previousDigestHashValue"] = previousHash,
            ["previousDigestHashAlgorithm"] = "SHA-256",
            ["previousDigestSignature"] = previousSignature,
            ["logFiles"] = new[] { file },
        };

    private static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static string Text(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
