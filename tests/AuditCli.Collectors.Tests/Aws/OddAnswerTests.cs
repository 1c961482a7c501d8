using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Running;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>
/// Tests responses with status 200 that deviate slightly from their protocol. Such a response is a complete table only if its rows are what
/// the provider meant.
/// </summary>
[Collection("environment")]
public sealed class OddAnswerTests
{
    private const string Two = """{"Keys":[{"KeyId":"a"},{"KeyId":"b"}],"Truncated":false}""";

    [Theory]
    [InlineData(
        "half of a surrogate pair",
        """{"Keys":[{"KeyId":"a\ud83dz","KeyArn":"arn:aws:kms:us-east-1:123456789012:key/1"},{"KeyId":"b"}],"Truncated":false}""",
        "ValueDoesNotFit", "{\"KeyArn\":\"arn:aws:kms:us-east-1:123456789012:key/1\"} {\"KeyId\":\"b\"}")]
    [InlineData(
        "half of a surrogate pair in the name of its owner", """{"Keys":[{"KeyId":"b","KeyArn":"arn:\ud83d"}],"Truncated":false}""",
        "ValueDoesNotFit", "{\"KeyId\":\"b\"}")]
    [InlineData("a byte order mark", "\uFEFF" + Two, null, "{\"KeyId\":\"a\"} {\"KeyId\":\"b\"}")]
    [InlineData("two members of one name", """{"Keys":[],"Keys":[{"KeyId":"a"}],"Truncated":false}""", "MalformedResponse", "")]
    [InlineData("two members of one name, the second empty", """{"Keys":[{"KeyId":"a"}],"Truncated":false,"Keys":[]}""", "MalformedResponse", "")]
    [InlineData("two members of one name in a row", """{"Keys":[{"KeyId":"a","KeyId":"b"}],"Truncated":false}""", "MalformedResponse", "")]
    [InlineData("nulls alone", """{"Keys":null,"Truncated":null}""", "MalformedResponse", "")]
    [InlineData("an object for the list", """{"Keys":{"KeyId":"a"},"Truncated":false}""", "MalformedResponse", "")]
    [InlineData("nothing", "", "MalformedResponse", "")]
    [InlineData("a page of HTML", "<html>login to the corporate portal</html>", "MalformedResponse", "")]
    [InlineData(
        "a flag that is a text", """{"Keys":[{"KeyId":"a"}],"Truncated":"true","NextMarker":"m"}""", "RepeatedToken",
        "{\"KeyId\":\"a\"} {\"KeyId\":\"a\"}")]
    [InlineData("a token without the flag", """{"Keys":[{"KeyId":"a"}],"NextMarker":"m"}""", "RepeatedToken", "{\"KeyId\":\"a\"} {\"KeyId\":\"a\"}")]
    [InlineData("no member", "{}", "MalformedResponse", "")]
    [InlineData("no list", """{"Truncated":false}""", null, "")]
    [InlineData("a null in the list", """{"Keys":[null,{"KeyId":"a"}],"Truncated":false}""", "MalformedResponse", "{\"KeyId\":\"a\"}")]
    [InlineData("a text in the list", """{"Keys":["a",{"KeyId":"b"}],"Truncated":false}""", "MalformedResponse", "{\"KeyId\":\"b\"}")]
    [InlineData("a number for a text", """{"Keys":[{"KeyId":17}],"Truncated":false}""", "ValueDoesNotFit", "{}")]
    [InlineData("a null for a text", """{"Keys":[{"KeyId":"a","KeyArn":null}],"Truncated":false}""", null, "{\"KeyId\":\"a\"}")]
    [InlineData("two documents", """{"Keys":[{"KeyId":"a"}],"Truncated":false}{"Keys":[{"KeyId":"b"}]}""", "MalformedResponse", "")]
    [InlineData("one document cut off", """{"Keys":[{"KeyId":"a"}],"Trunc""", "MalformedResponse", "")]
    public async Task An_odd_answer_is_a_limitation_or_whole(string what, string body, string? code, string rows)
    {
        var (item, read) = await CollectedAsync(Encoding.UTF8.GetBytes(body), "kms:ListKeys");

        Assert.True(item.Code == code, $"{what}: {item.Code} {item.Message}");
        Assert.Equal(code is null, item.Outcome == CollectionOutcome.Complete);
        Assert.Equal(rows, string.Join(' ', read));
    }

    [Fact]
    public async Task Bytes_that_are_no_UTF_8_never_become_a_value()
    {
        var (item, read) = await CollectedAsync([.. "{\"Keys\":[{\"KeyId\":\"caf"u8, 0xE9, .. "\"},{\"KeyId\":\"b\"}],\"Truncated\":false}"u8], "kms:ListKeys");

        Assert.Equal((CollectionOutcome.Incomplete, "ValueDoesNotFit"), (item.Outcome, item.Code));
        Assert.Equal(["{}", "{\"KeyId\":\"b\"}"], read);
    }

    [Fact]
    public async Task An_object_in_a_list_of_texts_is_no_row_without_a_value()
    {
        var (item, _) = await CollectedAsync("""{"TableNames":["a",{"TableName":"b"}]}"""u8.ToArray(), "dynamodb:ListTables");

        Assert.Equal((CollectionOutcome.Incomplete, "ValueDoesNotFit"), (item.Outcome, item.Code));
    }

    [Fact]
    public async Task A_call_gives_half_of_a_surrogate_pair_as_it_came()
    {
        await using var server = new LoopbackServer((_, n) => Reaction.Json(n == 0
            ? """{"Keys":[{"KeyId":"a\ud83dz"}],"Truncated":true,"NextMarker":"m"}"""
            : """{"Keys":[{"KeyId":"a\ud83ez"}],"Truncated":false}"""));
        await using var session = Session.Live(server.Address);

        var answer = await session.CallAsync("kms:ListKeys");

        Assert.Equal("""{"Keys":[{"KeyId":"a\ud83dz"},{"KeyId":"a\ud83ez"}]}""", answer.GetRawText());
    }

    [Theory]
    [InlineData("""{"Keys":{"KeyId":"a"},"Truncated":false}""")]
    [InlineData("""{"Keys":[null,{"KeyId":"a"}],"Truncated":false}""")]
    [InlineData("""{"Keys":null,"Truncated":null}""")]
    [InlineData("""{"Keys":[],"Keys":[{"KeyId":"a"}],"Truncated":false}""")]
    public async Task A_call_refuses_what_a_run_would_not_take_for_whole(string body)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Json(body));
        await using var session = Session.Live(server.Address);

        Assert.Equal("MalformedResponse", (await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("kms:ListKeys"))).Code);
    }

    [Fact]
    public async Task Lists_below_other_members_are_joined_and_what_is_the_same_on_every_page_is_kept()
    {
        await using var server = new LoopbackServer((_, n) => Reaction.Xml(
            "<DistributionList><Marker></Marker><MaxItems>1</MaxItems>"
            + $"<IsTruncated>{(n == 0 ? "true" : "false")}</IsTruncated>{(n == 0 ? "<NextMarker>m</NextMarker>" : "")}"
            + "<Quantity>1</Quantity>"
            + $"<Items><DistributionSummary><Id>E{n}</Id></DistributionSummary></Items></DistributionList>"));
        await using var session = Session.Live(server.Address);

        var answer = await session.CallAsync("cloudfront:ListDistributions");

        Assert.Equal(["E0", "E1"], answer.GetProperty("DistributionList").GetProperty("Items").EnumerateArray().Select(i => i.GetProperty("Id").GetString()!));
    }

    [Fact]
    public async Task A_secret_after_a_byte_order_mark_never_reaches_the_disk()
    {
        const string secret = "MARKERpasswordInAnEnvironmentMARKER";
        await using var server = new LoopbackServer((_, _) =>
            Reaction.Json(
                "\uFEFF"
                + """{"Functions":[{"FunctionName":"f","Environment":{"Variables":{"DB_PASSWORD":"secret"}}}]}""".Replace(
                    "secret", secret, StringComparison.Ordinal)));
        await using var session = Session.Live(server.Address);

        var answer = await session.CallAsync("lambda:ListFunctions");
        await session.Transport.DisposeAsync();

        Assert.DoesNotContain(secret, answer.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain(secret, MotoTests.Stored(session.Folder), StringComparison.Ordinal);
    }

    /// <summary>Returns the evidence item of one operation, and those columns of its rows that come from the provider.</summary>
    private static async Task<(EvidenceItem Item, string[] Rows)> CollectedAsync(byte[] body, string operation)
    {
        await using var server = new LoopbackServer((request, _) => request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal)
            ? Reaction.Xml(
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a</Arn>"
                + "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
            : new(200, "application/x-amz-json-1.1", body));
        await using var session = Session.Live(server.Address, new ImpatientClock());
        var plan = new CollectionPlan(
            [new(
                "keys", "prod", session.Operation(operation), Session.Parameters(), null, ImmutableSortedDictionary<string, string>.Empty,
                [], null, [])],
            [], []);
        await using var bundle = BundleWriter.Create(Path.Combine(session.Folder, "out"), "a-bundle");
        var limit = new ConcurrencyLimit(RequestLimits.Default);
        var collected = await new CollectionRun(
            plan, ImmutableDictionary<string, ICollector>.Empty.Add("aws", session.Collector), session.Transport, bundle, TimeProvider.System, limit, _ => { })
            .RunAsync([Session.Target()], [], CancellationToken.None);
        var item = Assert.Single(collected.Items);
        if (item.Table is null)
            return (item, []);
        await using var gzip = new GZipStream(File.OpenRead(bundle.PathOf(item.Table!)), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip);
        return (item, [.. (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Own)]);

        static string Own(string line)
        {
            var row = JsonElement.Parse(line);
            return "{"
                + string.Join(
                    ',',
                    row.EnumerateObject()
                        .Where(m => m.Name[0] != '_')
                        .OrderBy(m => m.Name, StringComparer.Ordinal)
                        .Select(m => $"\"{m.Name}\":{m.Value.GetRawText()}"))
                + "}";
        }
    }
}
