using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>Reads the events of a trail from its files in the bucket, which are authenticated by signed digests.</summary>
[Collection("environment")]
public sealed class TrailFilesTests
{
    private static readonly (string, object)[] Period =
        [("TrailARN", "arn:aws:cloudtrail:us-east-1:123456789012:trail/all"), ("StartTime", "2026-10-01T00:15:00Z"), ("EndTime", "2026-10-01T03:15:00Z")];

    private static readonly string[] All = ["0-1", "1-0", "1-1", "2-0", "2-1", "3-0"];

    [Fact]
    public async Task The_events_of_the_period_are_read_from_files_that_digests_vouch_for_live_and_replayed()
    {
        using var archive = new TrailArchive();
        await using var server = new LoopbackServer((request, _) => archive.Answer(request));
        await using var session = await ConnectedAsync(server);
        var pages = await session.CollectAsync("cloudtrail:TrailFiles", Period);
        await session.Transport.DisposeAsync();

        Assert.Equal(All, Events(pages));
        var row = pages[0].Rows[0];
        Assert.Equal("/Records/1", row.Pointer);
        Assert.EndsWith("T0005Z_abc.json.gz", row.Value.GetProperty("_file").GetString(), StringComparison.Ordinal);
        Assert.Distinct(session.Operation("cloudtrail:TrailFiles").Columns.Select(c => c.Name), StringComparer.OrdinalIgnoreCase);
        Assert.NotEmpty(Directory.GetFiles(session.Folder, "s3.trail-files-us-east-1.warc.gz", SearchOption.AllDirectories));

        await using var replay = Session.Replay(session);
        await replay.Collector.CallAsync(Session.Target(), "sts:GetCallerIdentity", Session.Parameters(), null, CancellationToken.None);
        Assert.Equal(All, Events(await replay.CollectAsync("cloudtrail:TrailFiles", Period)));
        Assert.Empty(((ReplayTransport)replay.Transport).Unused);
    }

    [Theory]
    [InlineData("a file is missing", "TrailFileMissing", new[] { "0-1", "2-0", "2-1", "3-0" })]
    [InlineData("a file is altered", "TrailFileAltered", new[] { "0-1", "2-0", "2-1", "3-0" })]
    [InlineData("a file is cut off", "TrailFileAltered", new[] { "0-1", "2-0", "2-1", "3-0" })]
    [InlineData("a file is no gzip", "ConnectionFailed", new[] { "0-1", "2-0", "2-1", "3-0" })]
    [InlineData("a digest is none", "DigestNotSigned", new[] { "0-1", "2-0", "2-1", "3-0" })]
    [InlineData("a digest is missing", "DigestChainBroken", new[] { "0-1", "2-0", "2-1", "3-0" })]
    [InlineData("a digest is altered", "DigestNotSigned", new[] { "0-1", "2-0", "2-1", "3-0" })]
    [InlineData("somebody else signed", "DigestNotSigned", new[] { "0-1", "1-0", "1-1", "2-0", "2-1", "3-0" })]
    [InlineData("the chain begins again", "DigestChainBroken", new[] { "0-1", "1-0", "1-1", "2-0", "2-1", "3-0" })]
    [InlineData("the digests end early", "PeriodNotCovered", new[] { "0-1", "1-0", "1-1", "2-0", "2-1" })]
    [InlineData("the digests begin late", "PeriodNotCovered", new[] { "1-0", "1-1", "2-0", "2-1", "3-0" })]
    [InlineData("there are no digests", "PeriodNotCovered", new string[0])]
    [InlineData("the trail makes none", "TrailHasNoDigests", new string[0])]
    [InlineData("a digest leads elsewhere", "TrailFileMissing", new[] { "0-1", "2-0", "2-1", "3-0" })]
    public async Task What_is_missing_or_altered_is_a_failure_after_everything_that_could_be_read(string befallen, string code, string[] events)
    {
        using var stranger = RsaKeys.Numbered(2);
        using var archive = new TrailArchive(
            befallen == "the digests end early" ? 3 : 4,
            (hour, digest) =>
            {
                if (hour == 1 && befallen == "a digest leads elsewhere")
                    digest["logFiles"] = new[]
                    {
                        TrailArchive.LogFile(
                            TrailArchive.Bucket, "payroll/AWSLogs/123456789012/secret.json.gz", [],
                            DateTimeOffset.Parse("2026-10-01T01:00:00Z", CultureInfo.InvariantCulture)),
                    };
                if (hour == 1 && befallen == "the chain begins again")
                    digest["previousDigestS3Object"] = digest["previousDigestHashValue"] = digest["previousDigestSignature"] = null;
            },
            befallen == "somebody else signed" ? stranger : null)
        {
            Validated = befallen != "the trail makes none",
        };
        var (log, digest) = (archive.Key("_20261001T0105Z_"), archive.Key("_20261001T020000Z"));
        switch (befallen)
        {
            case "a file is missing":
                archive.Objects.Remove(log);
                break;
            case "a file is altered":
                archive.Objects[log] = (TrailArchive.Gzip("""{"Records":[]}"""u8.ToArray()), null);
                break;
            case "a file is no gzip":
                archive.Objects[log] = ("not what it says"u8.ToArray(), null);
                break;
            case "a digest is none":
                archive.Objects[digest] = (TrailArchive.Gzip("[]"u8.ToArray()), archive.Objects[digest].Signature);
                break;
            case "a file is cut off":
                archive.Objects[log] = (TrailArchive.Gzip("""{"Records":[{"ev"""u8.ToArray()), null);
                break;
            case "a digest is missing":
                archive.Objects.Remove(digest);
                break;
            case "a digest is altered":
                using (var inflated = new GZipStream(new MemoryStream(archive.Objects[digest].Body), CompressionMode.Decompress))
                using (var reader = new StreamReader(inflated))
                {
                    var text = await reader.ReadToEndAsync();
                    var altered = text[..text.IndexOf("\"logFiles\"", StringComparison.Ordinal)] + "\"logFiles\":[]}";
                    archive.Objects[digest] = (TrailArchive.Gzip(Encoding.UTF8.GetBytes(altered)), archive.Objects[digest].Signature);
                }
                break;
            case "the digests begin late":
                archive.Objects.Remove(archive.Key("_20261001T010000Z"));
                break;
            case "there are no digests":
                foreach (var key in archive.Objects.Keys.Where(k => k.Contains("Digest", StringComparison.Ordinal)).ToArray())
                    archive.Objects.Remove(key);
                break;
        }
        await using var server = new LoopbackServer((request, _) => archive.Answer(request));
        await using var session = await ConnectedAsync(server);
        var pages = new List<Page>();

        var e = await Assert.ThrowsAsync<CollectionException>(async () =>
        {
            var collected = session.Collector.CollectAsync(
                new("prod", TrailArchive.Account, "us-east-1", session.Operation("cloudtrail:TrailFiles"), Session.Parameters(Period)),
                CancellationToken.None);
            await foreach (var page in collected)
                pages.Add(page);
        });

        Assert.Contains(code, e.Code + e.Message, StringComparison.Ordinal);
        Assert.Equal(events, Events(pages));
        Assert.DoesNotContain(server.Seen, r => r.Target.Contains("payroll", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Files_that_came_late_are_read_from_backfill_digests_and_an_event_delivered_again_is_one_event_live_and_replayed()
    {
        using var archive = new TrailArchive();
        archive.AddBackfill([1, 2]);
        await using var server = new LoopbackServer((request, _) => archive.Answer(request));
        await using var session = await ConnectedAsync(server);

        var read = Events(await session.CollectAsync("cloudtrail:TrailFiles", Period));
        await session.Transport.DisposeAsync();

        Assert.Equal(["0-1", "1-0", "1-1", "late-1", "2-0", "2-1", "late-2", "3-0"], read);
        await using var replay = Session.Replay(session);
        await replay.Collector.CallAsync(Session.Target(), "sts:GetCallerIdentity", Session.Parameters(), null, CancellationToken.None);
        Assert.Equal(read, Events(await replay.CollectAsync("cloudtrail:TrailFiles", Period)));
        Assert.Empty(((ReplayTransport)replay.Transport).Unused);
    }

    [Theory]
    [InlineData("a backfill digest is missing", "DigestChainBroken")]
    [InlineData("a backfill digest is altered", "DigestNotSigned")]
    [InlineData("somebody else signed the backfill", "DigestNotSigned")]
    [InlineData("the backfill chain begins again", "DigestChainBroken")]
    [InlineData("a backfill digest names another signature before it", "DigestChainBroken")]
    [InlineData("a late file is altered", "TrailFileAltered")]
    [InlineData("a late file is missing", "TrailFileMissing")]
    [InlineData("a name with another ending", "TrailObjectNotUnderstood")]
    [InlineData("a name with another account", "TrailObjectNotUnderstood")]
    [InlineData("an object at the top of the folder", "TrailObjectNotUnderstood")]
    public async Task What_is_wrong_with_backfill_digests_or_not_understood_is_a_failure(string befallen, string code)
    {
        using var stranger = RsaKeys.Numbered(2);
        using var archive = new TrailArchive();
        archive.AddBackfill(
            [0, 1, 2],
            (hour, digest) =>
            {
                if (hour == 2 && befallen == "the backfill chain begins again")
                    digest["previousDigestS3Object"] = digest["previousDigestHashValue"] = digest["previousDigestSignature"] = null;
                if (hour == 2 && befallen == "a backfill digest names another signature before it")
                    digest["previousDigestSignature"] = "00";
            },
            befallen == "somebody else signed the backfill" ? stranger : null);
        var (digest, hourly, late) = (archive.Key("20261001T020000Z_backfill"), archive.Key("20261001T020000Z.json"), archive.Key("T0110Z_late"));
        switch (befallen)
        {
            case "a backfill digest is missing":
                archive.Objects.Remove(digest);
                break;
            case "a backfill digest is altered":
                archive.Objects[digest] = (archive.Objects[archive.Key("20261001T030000Z_backfill")].Body, archive.Objects[digest].Signature);
                break;
            case "a late file is altered":
                archive.Objects[late] = (TrailArchive.Gzip("""{"Records":[]}"""u8.ToArray()), null);
                break;
            case "a late file is missing":
                archive.Objects.Remove(late);
                break;
            case "a name with another ending":
                archive.Objects[hourly.Replace("Z.json.gz", "Z_correction.json.gz", StringComparison.Ordinal)] = archive.Objects[hourly];
                break;
            case "a name with another account":
                archive.Objects[hourly.Replace("/123456789012_", "/210987654321_", StringComparison.Ordinal)] = archive.Objects[hourly];
                break;
            case "an object at the top of the folder":
                archive.Objects["audit/AWSLogs/123456789012/CloudTrail-Digest/us-east-1/README"] = ("hello"u8.ToArray(), null);
                break;
        }
        await using var server = new LoopbackServer((request, _) => archive.Answer(request));
        await using var session = await ConnectedAsync(server);

        var (events, failure) = await ReadAsync(session);

        Assert.Contains(code, failure?.Code + failure?.Message, StringComparison.Ordinal);
        Assert.Superset(All.ToHashSet(), events.ToHashSet());
    }

    [Fact]
    public async Task Digests_of_other_trails_and_folders_made_by_hand_are_passed_over()
    {
        using var archive = new TrailArchive();
        var digest = archive.Key("20261001T020000Z");
        foreach (var trail in new[] { "_all_us-east-1_x_eu-west-1_", "_other_us-east-1_", "_all_eu-west-1_" })
            archive.Objects[digest.Replace("_all_us-east-1_", trail, StringComparison.Ordinal)] = ("not ours"u8.ToArray(), null);
        archive.Objects["audit/AWSLogs/123456789012/CloudTrail-Digest/us-east-1/2026/10/01/mine/"] = ([], null);
        await using var server = new LoopbackServer((request, _) => archive.Answer(request));
        await using var session = await ConnectedAsync(server);

        Assert.Equal(All, Events(await session.CollectAsync("cloudtrail:TrailFiles", Period)));
    }

    [Theory]
    [InlineData("no JSON at all", "not what it says", new string[0])]
    [InlineData("cut off", "{\"Records\":[{\"eventID\":\"1-0\",\"ev", new string[0])]
    [InlineData("no Records", "{\"Recs\":[]}", new string[0])]
    [InlineData("Records that are no list", "{\"Records\":{}}", new string[0])]
    [InlineData("a list", "[]", new string[0])]
    [InlineData("an event that is none", "{\"Records\":[{\"eventID\":\"1-0\"},null,7,{\"eventID\":\"1-1\",\"eventTime\":17}]}", new[] { "1-0", "1-1" })]
    public async Task A_vouched_file_that_holds_no_events_does_not_end_the_reading_of_the_others(string what, string content, string[] events)
    {
        (string Key, byte[] Body)? put = null;
        using var archive = new TrailArchive(digest: TrailArchive.Vouched(1, Encoding.UTF8.GetBytes(content), (key, body) => put = (key, body)));
        archive.Objects[put!.Value.Key] = (put.Value.Body, null);
        await using var server = new LoopbackServer((request, _) => archive.Answer(request));
        await using var session = await ConnectedAsync(server);

        var (read, failure) = await ReadAsync(session);

        Assert.True(failure?.Code == "MalformedResponse", $"{what}: {failure?.Code} {failure?.Message}");
        Assert.Equal(["0-1", .. events, "2-0", "2-1", "3-0"], read);
    }

    [Fact]
    public async Task Events_keep_their_values_as_they_came()
    {
        const string content =
            """{"Records":[{"eventID":"1-0","eventName":"a\ud83dz"},{},{"eventID":"1-1","requestParameters":{"n":1.50,"n2":12345678901234567890}}]}""";
        (string Key, byte[] Body)? put = null;
        using var archive = new TrailArchive(digest: TrailArchive.Vouched(1, Encoding.UTF8.GetBytes(content), (key, body) => put = (key, body)));
        archive.Objects[put!.Value.Key] = (put.Value.Body, null);
        await using var server = new LoopbackServer((request, _) => archive.Answer(request));
        await using var session = await ConnectedAsync(server);

        var rows = (await session.CollectAsync("cloudtrail:TrailFiles", Period))
            .SelectMany(p => p.Rows)
            .Where(r => r.Value.GetProperty("_file").GetString() == put.Value.Key)
            .ToArray();

        Assert.Equal(["/Records/0", "/Records/1", "/Records/2"], rows.Select(r => r.Pointer));
        Assert.Contains("""{"eventID":"1-0","eventName":"a\ud83dz","_file":""", rows[0].Value.GetRawText(), StringComparison.Ordinal);
        Assert.Contains("""{"n":1.50,"n2":12345678901234567890}""", rows[2].Value.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_secret_in_a_file_is_replaced_and_the_digest_vouches_for_what_came(bool saysGzip)
    {
        using var archive = new TrailArchive { SaysGzip = saysGzip };
        await using var server = new LoopbackServer((request, _) => archive.Answer(request));
        await using var session = await ConnectedAsync(server);

        var rows = (await session.CollectAsync("cloudtrail:TrailFiles", Period)).SelectMany(p => p.Rows).ToArray();
        await session.Transport.DisposeAsync();

        Assert.All(rows, r =>
            Assert.StartsWith(
                "hmac-sha256:", r.Value.GetProperty("responseElements").GetProperty("credentials").GetProperty("sessionToken").GetString(),
                StringComparison.Ordinal));
        var stored = MotoTests.Stored(session.Folder);
        Assert.DoesNotContain(TrailArchive.SessionToken, stored, StringComparison.Ordinal);
        Assert.Equal(4, stored.Split("WARC-Original-Payload-Digest: sha256:").Length - 1);
        await using var replay = Session.Replay(session);
        await replay.Collector.CallAsync(Session.Target(), "sts:GetCallerIdentity", Session.Parameters(), null, CancellationToken.None);
        Assert.Equal(All, Events(await replay.CollectAsync("cloudtrail:TrailFiles", Period)));
    }

    [Fact]
    public async Task A_bucket_cannot_say_itself_what_came()
    {
        using var archive = new TrailArchive();
        var log = archive.Key("_20261001T0105Z_");
        using var inflated = new GZipStream(new MemoryStream(archive.Objects[log].Body), CompressionMode.Decompress);
        var claimed = Convert.ToHexStringLower(await SHA256.HashDataAsync(inflated));
        archive.Objects[log] = (TrailArchive.Gzip("""{"Records":[]}"""u8.ToArray()), null);
        await using var server = new LoopbackServer((request, _) =>
        {
            var answer = archive.Answer(request);
            return answer with { Fields = [.. answer.Fields, (RecordedResponse.OriginalDigestField, "sha256:" + claimed)] };
        });
        await using var session = await ConnectedAsync(server);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("cloudtrail:TrailFiles", Period));

        Assert.Equal(AwsCodes.TrailFileAltered, e.Code);
    }

    [Fact]
    public async Task A_call_prints_the_events_as_a_file_holds_them()
    {
        using var archive = new TrailArchive();
        await using var server = new LoopbackServer((request, _) => archive.Answer(request));
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var answer = await session.CallAsync("cloudtrail:TrailFiles", Period);

        Assert.Equal(All, answer.GetProperty("Records").EnumerateArray().Select(r => r.GetProperty("eventID").GetString()!));
    }

    [Theory]
    [InlineData("GET", "/northquay-trail/audit/AWSLogs/123456789012/CloudTrail/x.json.gz", true)]
    [InlineData("GET", "/northquay-trail/audit/AWSLogs/210987654321/CloudTrail/x.json.gz", false)]
    [InlineData("GET", "/northquay-trail/audit/AWSLogs/123456789012/../../../payroll.json.gz", false)]
    [InlineData("GET", "/northquay-trail/audit/AWSLogs/123456789012/%2e%2e/%2e%2e/payroll.json.gz", false)]
    [InlineData("GET", "/northquay-trail/audit/AWSLogs/123456789012/x.csv", false)]
    [InlineData("GET", "/payroll/audit/AWSLogs/123456789012/x.json.gz", false)]
    [InlineData("GET", "/northquay-trail/audit/AWSLogs/123456789012/x.json.gz?acl", false)]
    [InlineData("PUT", "/northquay-trail/audit/AWSLogs/123456789012/x.json.gz", false)]
    [InlineData("DELETE", "/northquay-trail/audit/AWSLogs/123456789012/x.json.gz", false)]
    public void Nothing_but_files_of_the_trail_is_ever_asked_for(string method, string target, bool allowed)
    {
        using var request = new HttpRequestMessage(new(method), "https://s3.us-east-1.amazonaws.com" + target);
        Assert.Equal(allowed, new ObjectsOfTrail("northquay-trail", "audit/AWSLogs/123456789012/").Refusal(request) is null);
    }

    /// <summary>Returns the events that were read, and the failure that ended the reading; null if there was none.</summary>
    private static async Task<(string[] Events, CollectionException? Failure)> ReadAsync(Session session)
    {
        var pages = new List<Page>();
        try
        {
            var collected = session.Collector.CollectAsync(
                new("prod", TrailArchive.Account, "us-east-1", session.Operation("cloudtrail:TrailFiles"), Session.Parameters(Period)),
                CancellationToken.None);
            await foreach (var page in collected)
                pages.Add(page);
            return (Events(pages), null);
        }
        catch (CollectionException e)
        {
            return (Events(pages), e);
        }
    }

    private static async Task<Session> ConnectedAsync(LoopbackServer server)
    {
        var session = Session.Live(server.Address, new ImpatientClock());
        await session.CallAsync("sts:GetCallerIdentity");
        return session;
    }

    private static string[] Events(IEnumerable<Page> pages) => [.. pages.SelectMany(p => p.Rows).Select(r => r.Value.GetProperty("eventID").GetString()!)];
}
