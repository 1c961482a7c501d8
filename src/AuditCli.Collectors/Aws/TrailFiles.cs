using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Reads the events of a trail in a period from its files in S3; no other code reads objects from S3. It follows the chain of CloudTrail's
/// hourly digest files over the period: each digest is signed by CloudTrail, continues its predecessor without a gap, and lists every log
/// file with its hash. Backfill digests, in a chain of their own, add files that arrived late. Anything missing, altered, not understood or
/// not covered is a failure, thrown after everything that could be read; an altered file yields no rows. An event that was delivered twice
/// is yielded once. Memory holds one file at a time, and 16 bytes for each event id.
/// </summary>
internal sealed class TrailFiles(AwsCatalogue catalogue, AwsSession session)
{
    private const string Trails = "cloudtrail:DescribeTrails";
    private const string Keys = "cloudtrail:ListPublicKeys";
    private const string Objects = "s3:ListObjectsV2";
    private const string RecordsMember = "Records";
    private const int RowsPerPage = 1000;

    /// <summary>How long after the period digests are still read, since files are delivered some minutes after their events.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromHours(2);

    /// <summary>
    /// The margin around the generation time of a backfill digest in which its public key is looked up, as in the AWS CLI.
    /// </summary>
    private static readonly TimeSpan AroundMaking = TimeSpan.FromHours(1);

    /// <summary>
    /// The operation as controls name it: for a trail, in a region, usually with <c>{period_start}</c> and <c>{period_end}</c>.
    /// </summary>
    public static Operation Operation { get; } = new(
        AwsSource.Name, "cloudtrail:TrailFiles", OperationScope.Regional,
        [new("EndTime", ColumnType.Timestamp, true), new("StartTime", ColumnType.Timestamp, true), new("TrailARN", ColumnType.Text, true)],
        [
            .. new[]
            {
                "eventVersion", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent", "errorCode", "errorMessage", "requestID",
                "eventID", "eventType", "apiVersion", "recipientAccountId", "sharedEventID", "vpcEndpointId", "eventCategory",
                "sessionCredentialFromConsole",
            }.Select(n => new Column(n, ColumnType.Text)),
            new("eventTime", ColumnType.Timestamp), new("readOnly", ColumnType.Boolean), new("managementEvent", ColumnType.Boolean),
            .. new[]
            {
                "userIdentity", "requestParameters", "responseElements", "additionalEventData", "resources", "serviceEventDetails", "tlsDetails",
            }.Select(n => new Column(n, ColumnType.Json)),
            new("_file", ColumnType.Text),
        ])
    {
        Reads = ["cloudtrail:TrailFiles", Trails, Keys, Objects],
    };

    /// <summary>Yields the events of the period, one page per file or per thousand events.</summary>
    /// <exception cref="CollectionException">
    /// Something is missing, altered or not covered (thrown after the last page), or the trail cannot be read at all.
    /// </exception>
    public async IAsyncEnumerable<Page> ReadAsync(EvidenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (arn, from, until) = (Text(request, "TrailARN"), Moment(request, "StartTime"), Moment(request, "EndTime"));
        var trail = await OneAsync(Trails, request.Region, new { trailNameList = new[] { arn } }, "trailList", cancellationToken)
            ?? throw new CollectionException(AwsCodes.TrailNotFoundException, $"{arn} is not a trail in {request.Region}");
        if (!(trail.TryGetProperty("LogFileValidationEnabled", out var enabled) && enabled.ValueKind == JsonValueKind.True))
        {
            throw new CollectionException(
                AwsCodes.TrailHasNoDigests, $"{arn} creates no digest files, so it cannot be shown that its files are complete and unaltered");
        }
        var bucket = Needed(trail, "S3BucketName");
        var logs = (trail.TryGetProperty("S3KeyPrefix", out var prefix) && prefix.GetString() is { Length: > 0 } given
            ? given.TrimEnd('/') + "/"
            : "") + "AWSLogs/";
        if (trail.TryGetProperty("IsOrganizationTrail", out var whole) && whole.ValueKind == JsonValueKind.True)
            logs += await OrganizationAsync(bucket, logs, request.Region, cancellationToken);
        var place = new ObjectsOfTrail(bucket, $"{logs}{request.Account}/");
        var folder = $"{place.Prefix}CloudTrail-Digest/{request.Region}/";
        var keys = new Dictionary<string, byte[]>(StringComparer.OrdinalIgnoreCase);
        await AddKeysAsync(keys, request.Region, from, until + Late, cancellationToken);
        var (name, home) = (Needed(trail, "Name"), Needed(trail, "HomeRegion"));
        var faults = new FailureTally();
        var chains = new DigestChains(from, until, key => Name(key) is { IsBackfill: true } earlier && earlier.Until <= from, faults);
        var events = new HashSet<UInt128>();
        await foreach (var key in DigestsAsync(place, folder, request.Region, from, until, cancellationToken))
        {
            if (DigestName.Read(key, folder, request.Account, request.Region) is null)
                faults.Add(AwsCodes.TrailObjectNotUnderstood, $"{key} is stored among the digest files, but does not have the name of a digest file");
            if (Name(key) is not { } digestName || digestName.Until <= from || digestName.Until > until + Late)
                continue;
            if (await ObjectAsync(place, key, request.Region, faults, cancellationToken) is not { } found || Digest(key, found, faults) is not { } digest)
                continue;
            // A backfill digest is signed when it is generated, with the key of that time, which may be long after the hours that it names.
            if (digestName.IsBackfill && !keys.ContainsKey(digest.Fingerprint)
                && found.Generated is { } made && made >= digestName.Until && made < DateTimeOffset.MaxValue - AroundMaking)
            {
                await TryAddKeysAsync(keys, request.Region, made - AroundMaking, made + AroundMaking, faults, cancellationToken);
            }
            if (digest.Key != key || digest.Bucket != bucket || !digest.IsSigned(keys))
                faults.Add(AwsCodes.DigestNotSigned, $"{key} is not signed by CloudTrail for this location");
            if (digestName.IsBackfill)
                chains.AddBackfill(digest);
            else
                chains.AddHourly(digest);
            foreach (var file in digest.Files.Where(f => (f.Newest ?? until) >= from && (f.Oldest ?? from) < until))
            {
                await foreach (var page in FileAsync(place, file, request.Region, from, until, events, faults, cancellationToken))
                    yield return page;
            }
        }
        chains.End();
        if (!faults.IsEmpty)
        {
            throw new CollectionException(
                faults.Failures[0].Code,
                string.Join("; ", faults.Failures.Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Code}, {f.Count}: {f.Message}"))));
        }

        // Returns null for the digests of other trails, which may share the bucket.
        DigestName? Name(string key) =>
            DigestName.Read(key, folder, request.Account, request.Region) is { } n && n.Trail == name && n.HomeRegion == home ? n : null;
    }

    /// <summary>Parses the digest in an object; if it is not a digest file, adds a fault and returns null.</summary>
    private static TrailDigest? Digest(string key, TrailObject found, FailureTally faults)
    {
        try
        {
            return TrailDigest.Read(key, found.Content, found.Sha256, found.Signature);
        }
        catch (CollectionException e)
        {
            faults.Add(AwsCodes.DigestNotSigned, e.Message);
            return null;
        }
    }

    /// <param name="events">
    /// Halves of the SHA-256 digests of the event ids read so far: CloudTrail may deliver an event again in another file.
    /// </param>
    private async IAsyncEnumerable<Page> FileAsync(
        ObjectsOfTrail place, DigestedFile file, string region, DateTimeOffset from, DateTimeOffset until, HashSet<UInt128> events, FailureTally faults,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (file.Bucket != place.Bucket || !place.Has(file.Key))
        {
            faults.Add(AwsCodes.TrailFileMissing, $"s3://{file.Bucket}/{file.Key} is outside the location of this trail, and was not read");
            yield break;
        }
        if (await ObjectAsync(place, file.Key, region, faults, cancellationToken) is not { } found)
            yield break;
        if (found.Sha256 != file.Sha256)
        {
            faults.Add(AwsCodes.TrailFileAltered, $"{file.Key} does not match its digest");
            yield break;
        }
        using var document = Records(file.Key, found.Content, faults);
        if (document is null)
            yield break;
        var rows = ImmutableArray.CreateBuilder<PageRow>();
        foreach (var (at, record) in document.RootElement.GetProperty(RecordsMember).EnumerateArray().Index())
        {
            var pointer = string.Create(CultureInfo.InvariantCulture, $"/{RecordsMember}/{at}");
            if (record.ValueKind != JsonValueKind.Object)
            {
                faults.Add(Codes.MalformedResponse, $"{file.Key}: {pointer} is a JSON {record.ValueKind}, not an event");
                continue;
            }
            if (Value(record, "eventTime") is { } time && Rfc3339.TryParse(time, out var happened) && (happened < from || happened >= until))
                continue;
            if (Value(record, "eventID") is { Length: > 0 } id
                && !events.Add(BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(id)))))
            {
                continue;
            }
            rows.Add(new(Row(record, file.Key), pointer));
            if (rows.Count == RowsPerPage)
            {
                yield return new(rows.ToImmutable());
                rows.Clear();
            }
        }
        if (rows.Count > 0)
            yield return new(rows.ToImmutable());
    }

    /// <summary>Parses a log file; if it does not hold events, adds a fault and returns null.</summary>
    private static JsonDocument? Records(string key, ReadOnlyMemory<byte> content, FailureTally faults)
    {
        try
        {
            var document = JsonDocument.Parse(content);
            if (document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty(RecordsMember, out var records) && records.ValueKind == JsonValueKind.Array)
            {
                return document;
            }
            document.Dispose();
            faults.Add(Codes.MalformedResponse, $"{key} has no {RecordsMember}");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            faults.Add(Codes.MalformedResponse, $"{key} holds no events: {e.Message}");
        }
        return null;
    }

    /// <summary>Returns an event with the key of its file added; the bytes of every value are unchanged.</summary>
    private static JsonElement Row(JsonElement record, string key)
    {
        var content = new ArrayBufferWriter<byte>();
        content.Write(JsonMarshal.GetRawUtf8Value(record)[..^1]);
        content.Write(record.EnumerateObject().Any() ? ",\"_file\":"u8 : "\"_file\":"u8);
        content.Write(JsonSerializer.SerializeToUtf8Bytes(key));
        content.Write("}"u8);
        return JsonElement.Parse(content.WrittenSpan);
    }

    /// <summary>Returns a text member of an event; null if there is none, or if it is not well-formed Unicode.</summary>
    private static string? Value(JsonElement record, string name)
    {
        try
        {
            return JsonMember.Text(record, name);
        }
        catch (InvalidOperationException)
        {
            // The table reports the value as a misfit; here it is only not used for filtering.
            return null;
        }
    }

    /// <summary>Yields the keys below the trail's digest folder for the days of the period, in order.</summary>
    private async IAsyncEnumerable<string> DigestsAsync(
        ObjectsOfTrail place, string folder, string region, DateTimeOffset from, DateTimeOffset until,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = folder + Day(until + Late);
        var parameters = new { place.Bucket, Prefix = folder, StartAfter = folder + Day(from) };
        var (service, operation) = catalogue.Find(Objects)!.Value;
        // A page has two lists, keys and folders, so the catalogue defines the whole page as one row.
        await foreach (var listed in session.PagesAsync(service, operation, Parameters(parameters), region, cancellationToken)
            .SelectMany(page => page.Content.TryGetProperty("Contents", out var contents) ? contents.EnumerateArray().ToArray() : []))
        {
            var key = Needed(listed, "Key");
            // Keys are sorted: the first key of a day after the last relevant one ends the listing. Keys that do not begin with a date are
            // yielded too.
            if (string.CompareOrdinal(key, last + "0") >= 0 && string.CompareOrdinal(key, folder + ":") < 0)
                yield break;
            // The console creates an empty object for a folder; it is skipped.
            if (!(key.EndsWith('/') && listed.TryGetProperty("Size", out var size) && size.ValueKind == JsonValueKind.Number && size.GetInt64() == 0))
                yield return key;
        }

        static string Day(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy/MM/dd", CultureInfo.InvariantCulture);
    }

    /// <summary>Reads an object, decompressed by the recorder; if it cannot be read, adds a fault and returns null.</summary>
    private async Task<TrailObject?> ObjectAsync(
        ObjectsOfTrail place, string key, string region, FailureTally faults, CancellationToken cancellationToken)
    {
        var service = catalogue.Service("s3")!;
        // The catalogue does not contain the reading of objects. This call reads those of a trail, through its own guard.
        var operation = service.Operation("HeadObject")! with { Name = "GetObject", Method = "GET", Output = null };
        try
        {
            var answer = await session.CallAsync(service, operation, new() { ["Bucket"] = place.Bucket, ["Key"] = key }, region, place, cancellationToken);
            return new(
                answer.Body,
                OriginalSha256(answer) ?? Convert.ToHexStringLower(SHA256.HashData(answer.Body.Span)),
                answer.Headers.GetValueOrDefault("x-amz-meta-signature"),
                Rfc3339.TryParse(answer.Headers.GetValueOrDefault("x-amz-meta-backfill-generation-timestamp"), out var generated) ? generated : null);
        }
        catch (CollectionException e)
        {
            var missing = e.Code == "NoSuchKey" || e.Code == AwsCodes.OfStatus(404);
            faults.Add(missing ? AwsCodes.TrailFileMissing : e.Code, missing ? $"{key} is missing" : $"{key}: {e.Message}");
            return null;
        }
    }

    /// <summary>
    /// Returns the hash that the body had before redaction, as stated by the recorder: secrets are replaced before anything is stored or
    /// read. Null if nothing was replaced.
    /// </summary>
    private static string? OriginalSha256(AwsAnswer answer) =>
        answer.Headers.GetValueOrDefault(RecordedResponse.OriginalDigestField)?.Split(':')[^1];

    /// <summary>
    /// Adds keys as <see cref="AddKeysAsync"/> does, but turns a failure into a fault, because other digests can be read without these
    /// keys.
    /// </summary>
    private async Task TryAddKeysAsync(
        Dictionary<string, byte[]> keys, string region, DateTimeOffset from, DateTimeOffset until, FailureTally faults, CancellationToken cancellationToken)
    {
        try
        {
            await AddKeysAsync(keys, region, from, until, cancellationToken);
        }
        catch (CollectionException e)
        {
            faults.Add(e.Code, $"{Keys}: {e.Message}");
        }
    }

    /// <summary>Adds CloudTrail's public keys of a time range, by fingerprint.</summary>
    private async Task AddKeysAsync(
        Dictionary<string, byte[]> keys, string region, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        await foreach (var key in RowsAsync(Keys, region, new { StartTime = Rfc3339.Format(from), EndTime = Rfc3339.Format(until) }, cancellationToken))
        {
            try
            {
                keys[Needed(key, "Fingerprint")] = Convert.FromBase64String(Needed(key, "Value"));
            }
            catch (FormatException e)
            {
                throw new CollectionException(Codes.MalformedResponse, $"{Keys}: a public key is not in base64", e);
            }
        }
    }

    /// <summary>Returns the folder named by the organization id, which an organization trail has above the accounts.</summary>
    private async Task<string> OrganizationAsync(string bucket, string logs, string region, CancellationToken cancellationToken)
    {
        var (service, operation) = catalogue.Find(Objects)!.Value;
        var folders = new List<string>();
        var parameters = Parameters(new { Bucket = bucket, Prefix = logs + "o-", Delimiter = "/" });
        await foreach (var page in session.PagesAsync(service, operation, parameters, region, cancellationToken))
        {
            if (page.Content.TryGetProperty("CommonPrefixes", out var common))
                folders.AddRange(common.EnumerateArray().Select(p => Needed(p, "Prefix")));
        }
        return folders is [var only] ? only[logs.Length..]
            : throw new CollectionException(AwsCodes.PeriodNotCovered, $"s3://{bucket}/{logs} has {folders.Count} folders of an organization, not one");
    }

    private async Task<JsonElement?> OneAsync(string name, string region, object parameters, string list, CancellationToken cancellationToken)
    {
        var (service, operation) = catalogue.Find(name)!.Value;
        await foreach (var page in session.PagesAsync(service, operation, Parameters(parameters), region, cancellationToken))
            return page.Content.TryGetProperty(list, out var found) && found.GetArrayLength() > 0 ? found[0] : null;
        return null;
    }

    private async IAsyncEnumerable<JsonElement> RowsAsync(
        string name, string region, object parameters, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (service, operation) = catalogue.Find(name)!.Value;
        await foreach (var page in session.PagesAsync(service, operation, Parameters(parameters), region, cancellationToken))
        {
            foreach (var row in AnswerRows.Whole(service, operation, page.Content))
                yield return row.Value;
        }
    }

    private static Dictionary<string, JsonElement> Parameters(object given) =>
        JsonSerializer.SerializeToElement(given).EnumerateObject().ToDictionary(p => p.Name, p => p.Value);

    private static string Text(EvidenceRequest request, string name) =>
        request.Parameters.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw new CollectionException(Codes.InvalidParameter, $"{Operation.Name} needs {name}");

    private static DateTimeOffset Moment(EvidenceRequest request, string name) => Rfc3339.TryParse(Text(request, name), out var moment)
        ? moment
        : throw new CollectionException(Codes.InvalidParameter, $"{Operation.Name}: {name} must be a time as in RFC 3339");

    private static string Needed(JsonElement e, string name) => JsonAnswer.Text(e, name, Codes.MalformedResponse);

    /// <param name="Content">The uncompressed content, redacted.</param>
    /// <param name="Sha256">The SHA-256 of the uncompressed content before redaction, in lower-case hexadecimal.</param>
    /// <param name="Signature">The object's metadata of that name; null if it does not have any.</param>
    /// <param name="Generated">The time at which a backfill digest was generated; null for every other object.</param>
    private sealed record TrailObject(ReadOnlyMemory<byte> Content, string Sha256, string? Signature, DateTimeOffset? Generated);
}
