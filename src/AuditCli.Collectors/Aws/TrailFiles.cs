using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Collectors.Http;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// The events of a trail in a period, from its files in S3: the one way to objects of S3. The chain of CloudTrail's digest files is walked
/// from its beginning in the period to its end: each is signed by CloudTrail, follows the one before it without a gap, and vouches for
/// every file of events by its hash. What is missing, altered or not covered is a failure after everything that could be read; an altered
/// file gives no rows. One file at a time is held in memory.
/// </summary>
internal sealed class TrailFiles(AwsCatalogue catalogue, AwsSession session)
{
    public const string NoDigests = "TrailHasNoDigests";
    public const string ChainBroken = "DigestChainBroken";
    public const string DigestNotSigned = "DigestNotSigned";
    public const string FileMissing = "TrailFileMissing";
    public const string FileAltered = "TrailFileAltered";
    public const string NotCovered = "PeriodNotCovered";

    private const string Trails = "cloudtrail:DescribeTrails";
    private const string Keys = "cloudtrail:ListPublicKeys";
    private const string Objects = "s3:ListObjectsV2";
    private const int RowsPerPage = 1000;

    /// <summary>Files are delivered some minutes after their events; the digests of this long after the period are read too.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromHours(2);

    /// <summary>As control authors name it: for a trail, in a region, with <c>{period_start}</c> and <c>{period_end}</c>.</summary>
    public static Operation Operation { get; } = new(
        AwsSource.Name, "cloudtrail:TrailFiles", OperationScope.Regional,
        [new("EndTime", ColumnType.Timestamp, true), new("StartTime", ColumnType.Timestamp, true), new("TrailARN", ColumnType.Text, true)],
        [
            .. new[] { "eventVersion", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent", "errorCode", "errorMessage", "requestID", "eventID",
                "eventType", "apiVersion", "recipientAccountId", "sharedEventID", "vpcEndpointId", "eventCategory", "sessionCredentialFromConsole" }.Select(n => new Column(n, ColumnType.Text)),
            new("eventTime", ColumnType.Timestamp), new("readOnly", ColumnType.Boolean), new("managementEvent", ColumnType.Boolean),
            .. new[] { "userIdentity", "requestParameters", "responseElements", "additionalEventData", "resources", "serviceEventDetails", "tlsDetails" }.Select(n => new Column(n, ColumnType.Json)),
            new("_file", ColumnType.Text),
        ])
    {
        Reads = ["cloudtrail:TrailFiles", Trails, Keys, Objects],
    };

    /// <summary>The events of the period, a page for each file or thousand of them.</summary>
    /// <exception cref="CollectionException">Something is missing, altered or not covered: after the last page; or it cannot be read at all.</exception>
    public async IAsyncEnumerable<Page> ReadAsync(EvidenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (arn, from, until) = (Text(request, "TrailARN"), Moment(request, "StartTime"), Moment(request, "EndTime"));
        var trail = await OneAsync(Trails, request.Region, new { trailNameList = new[] { arn } }, "trailList", cancellationToken)
            ?? throw new CollectionException("TrailNotFoundException", $"{arn} is no trail in {request.Region}");
        if (!(trail.TryGetProperty("LogFileValidationEnabled", out var enabled) && enabled.ValueKind == JsonValueKind.True))
            throw new CollectionException(NoDigests, $"{arn} makes no digest files, so nobody can tell whether its files are all there and unaltered");
        var bucket = Needed(trail, "S3BucketName");
        var logs = (trail.TryGetProperty("S3KeyPrefix", out var prefix) && prefix.GetString() is { Length: > 0 } given ? given.TrimEnd('/') + "/" : "") + "AWSLogs/";
        if (trail.TryGetProperty("IsOrganizationTrail", out var whole) && whole.ValueKind == JsonValueKind.True)
            logs += await OrganizationAsync(bucket, logs, request.Region, cancellationToken);
        var place = new ObjectsOfTrail(bucket, $"{logs}{request.Account}/");
        var keys = await KeysAsync(request.Region, from, until, cancellationToken);
        var name = $"{request.Account}_CloudTrail-Digest_{request.Region}_{Needed(trail, "Name")}_{Needed(trail, "HomeRegion")}_";
        var faults = new FailureTally();
        TrailDigest? before = null;
        await foreach (var key in DigestsAsync(place, request.Region, name, from, until, cancellationToken))
        {
            if (await ObjectAsync(place, key, request.Region, faults, cancellationToken) is not { } found)
                continue;
            if (Digest(key, found, faults) is not { } digest)
                continue;
            if (digest.Key != key || digest.Bucket != bucket || !digest.IsSigned(keys))
                faults.Add(DigestNotSigned, $"{key} is not signed by CloudTrail for this place");
            if (before is null ? digest.From > from : !digest.Follows(before))
                faults.Add(before is null ? NotCovered : ChainBroken, before is null
                    ? $"the first digest file begins at {Rfc3339.Format(digest.From)}, after {Rfc3339.Format(from)}"
                    : $"{key} does not follow {before.Key}");
            before = digest;
            foreach (var file in digest.Files.Where(f => (f.Newest ?? until) >= from && (f.Oldest ?? from) < until))
            {
                await foreach (var page in FileAsync(place, file, request.Region, from, until, faults, cancellationToken))
                    yield return page;
            }
        }
        if (before is null || before.Until < until)
            faults.Add(NotCovered, before is null ? $"there is no digest file for {Rfc3339.Format(from)} to {Rfc3339.Format(until)}" : $"the last digest file ends at {Rfc3339.Format(before.Until)}, before {Rfc3339.Format(until)}");
        if (!faults.IsEmpty)
            throw new CollectionException(faults.Failures[0].Code, string.Join("; ", faults.Failures.Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Code}, {f.Count}: {f.Message}"))));
    }

    /// <summary>The digest in an object; null, and a fault, when it is none.</summary>
    private static TrailDigest? Digest(string key, TrailObject found, FailureTally faults)
    {
        try
        {
            return TrailDigest.Read(key, found.Content, found.Sha256, found.Signature);
        }
        catch (CollectionException e)
        {
            faults.Add(DigestNotSigned, e.Message);
            return null;
        }
    }

    private async IAsyncEnumerable<Page> FileAsync(
        ObjectsOfTrail place, DigestedFile file, string region, DateTimeOffset from, DateTimeOffset until, FailureTally faults, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (file.Bucket != place.Bucket || !place.Has(file.Key))
        {
            faults.Add(FileMissing, $"s3://{file.Bucket}/{file.Key} is not a place of this trail, and was not read");
            yield break;
        }
        if (await ObjectAsync(place, file.Key, region, faults, cancellationToken) is not { } found)
            yield break;
        if (found.Sha256 != file.Sha256)
        {
            faults.Add(FileAltered, $"{file.Key} is not what its digest vouches for");
            yield break;
        }
        var rows = ImmutableArray.CreateBuilder<PageRow>();
        foreach (var (row, at) in Records(file.Key, found.Content))
        {
            if (row.TryGetProperty("eventTime", out var time) && time.TryGetDateTimeOffset(out var happened) && (happened < from || happened >= until))
                continue;
            rows.Add(new(row, string.Create(CultureInfo.InvariantCulture, $"/Records/{at}")));
            if (rows.Count == RowsPerPage)
            {
                yield return new(rows.ToImmutable());
                rows.Clear();
            }
        }
        if (rows.Count > 0)
            yield return new(rows.ToImmutable());
    }

    private static IEnumerable<(JsonElement Row, int At)> Records(string key, ReadOnlyMemory<byte> content)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(content);
        }
        catch (JsonException e)
        {
            throw new CollectionException(TypedJson.Malformed, $"{key} holds no events: {e.Message}", e);
        }
        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("Records", out var records) || records.ValueKind != JsonValueKind.Array)
                throw new CollectionException(TypedJson.Malformed, $"{key} has no Records");
            foreach (var (at, record) in records.EnumerateArray().Index())
            {
                var row = JsonObject.Create(record)!;
                row["_file"] = key;
                yield return (JsonSerializer.SerializeToElement(row), at);
            }
        }
    }

    /// <summary>Keys of the trail's digest files that may concern the period, in the order of their ends.</summary>
    private async IAsyncEnumerable<string> DigestsAsync(
        ObjectsOfTrail place, string region, string name, DateTimeOffset from, DateTimeOffset until, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var folder = $"{place.Prefix}CloudTrail-Digest/{region}/";
        var last = until + Late;
        var parameters = new { place.Bucket, Prefix = folder, StartAfter = folder + from.UtcDateTime.ToString("yyyy/MM/dd", CultureInfo.InvariantCulture) };
        var (service, operation) = catalogue.Find(Objects)!.Value;
        // A page has two lists, keys and folders, and so it is one row.
        await foreach (var listed in session.PagesAsync(service, operation, Parameters(parameters), region, cancellationToken)
            .SelectMany(page => page.TryGetProperty("Contents", out var contents) ? contents.EnumerateArray().ToArray() : []))
        {
            var key = Needed(listed, "Key");
            var parts = key[folder.Length..].Split('/');
            if (parts is not [_, _, _, var file] || string.CompareOrdinal(string.Join('/', parts[..3]), last.UtcDateTime.ToString("yyyy/MM/dd", CultureInfo.InvariantCulture)) > 0)
                yield break;
            if (file.StartsWith(name, StringComparison.Ordinal)
                && DateTimeOffset.TryParseExact(file[name.Length..], "yyyyMMdd'T'HHmmss'Z.json.gz'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end)
                && end > from && end <= last)
                yield return key;
        }
    }

    /// <summary>An object without its compression, which the recorder takes off; null, and a fault, when it cannot be had.</summary>
    private async Task<TrailObject?> ObjectAsync(
        ObjectsOfTrail place, string key, string region, FailureTally faults, CancellationToken cancellationToken)
    {
        var service = catalogue.Service("s3")!;
        // The catalogue refuses to read objects. This reads those of a trail, through a guard of its own.
        var operation = service.Operation("HeadObject")! with { Name = "GetObject", Method = "GET", Output = null };
        try
        {
            var answer = await session.CallAsync(service, operation, new() { ["Bucket"] = place.Bucket, ["Key"] = key }, region, place, cancellationToken);
            return new(answer.Body, OriginalSha256(answer) ?? Convert.ToHexStringLower(SHA256.HashData(answer.Body.Span)), answer.Headers.GetValueOrDefault("x-amz-meta-signature"));
        }
        catch (CollectionException e)
        {
            var missing = e.Code is "NoSuchKey" or "404";
            faults.Add(missing ? FileMissing : e.Code, missing ? $"{key} is not there" : $"{key}: {e.Message}");
            return null;
        }
    }

    /// <summary>Secrets are replaced before anything is kept or read; the recorder says which hash the body had before. Null where nothing was replaced.</summary>
    private static string? OriginalSha256(AwsAnswer answer) => answer.Headers.GetValueOrDefault(RecordedResponse.OriginalDigestField)?.Split(':')[^1];

    private async Task<Dictionary<string, byte[]>> KeysAsync(string region, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var keys = new Dictionary<string, byte[]>(StringComparer.OrdinalIgnoreCase);
        var period = new { StartTime = Rfc3339.Format(from), EndTime = Rfc3339.Format(until + Late) };
        await foreach (var key in RowsAsync(Keys, region, period, cancellationToken))
            keys[Needed(key, "Fingerprint")] = Convert.FromBase64String(Needed(key, "Value"));
        return keys;
    }

    /// <summary>The folder of an organization's id, which a trail of an organization puts before the accounts.</summary>
    private async Task<string> OrganizationAsync(string bucket, string logs, string region, CancellationToken cancellationToken)
    {
        var (service, operation) = catalogue.Find(Objects)!.Value;
        var folders = new List<string>();
        await foreach (var page in session.PagesAsync(service, operation, Parameters(new { Bucket = bucket, Prefix = logs + "o-", Delimiter = "/" }), region, cancellationToken))
        {
            if (page.TryGetProperty("CommonPrefixes", out var common))
                folders.AddRange(common.EnumerateArray().Select(p => Needed(p, "Prefix")));
        }
        return folders is [var only] ? only[logs.Length..]
            : throw new CollectionException(NotCovered, $"s3://{bucket}/{logs} has {folders.Count} folders of an organization, not one");
    }

    private async Task<JsonElement?> OneAsync(string name, string region, object parameters, string list, CancellationToken cancellationToken)
    {
        var (service, operation) = catalogue.Find(name)!.Value;
        await foreach (var page in session.PagesAsync(service, operation, Parameters(parameters), region, cancellationToken))
            return page.TryGetProperty(list, out var found) && found.GetArrayLength() > 0 ? found[0] : null;
        return null;
    }

    private async IAsyncEnumerable<JsonElement> RowsAsync(string name, string region, object parameters, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (service, operation) = catalogue.Find(name)!.Value;
        await foreach (var page in session.PagesAsync(service, operation, Parameters(parameters), region, cancellationToken))
        {
            foreach (var row in AnswerRows.Read(service, operation, page))
                yield return row.Value;
        }
    }

    private static Dictionary<string, JsonElement> Parameters(object given) =>
        JsonSerializer.SerializeToElement(given).EnumerateObject().ToDictionary(p => p.Name, p => p.Value);

    private static string Text(EvidenceRequest request, string name) => request.Parameters.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw new CollectionException(CollectionException.InvalidParameter, $"{Operation.Name} needs {name}");

    private static DateTimeOffset Moment(EvidenceRequest request, string name) => Rfc3339.TryParse(Text(request, name), out var moment)
        ? moment
        : throw new CollectionException(CollectionException.InvalidParameter, $"{Operation.Name}: {name} must be a time as in RFC 3339, or {{period_start}} or {{period_end}}");

    private static string Needed(JsonElement e, string name) => e.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 } text
        ? text
        : throw new CollectionException(TypedJson.Malformed, $"the answer has no {name}");

    /// <param name="Content">Without its compression.</param>
    /// <param name="Sha256">Of the content as it came, in lower-case hexadecimal.</param>
    /// <param name="Signature">The object's metadata of that name; null when it has none.</param>
    private sealed record TrailObject(ReadOnlyMemory<byte> Content, string Sha256, string? Signature);
}
