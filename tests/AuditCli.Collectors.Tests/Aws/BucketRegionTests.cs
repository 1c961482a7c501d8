using AuditCli.Collectors.Tests.Exchanges;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>
/// Reads buckets of regions other than the one that was asked. Whatever form S3's redirect has, the bucket is read or reported.
/// </summary>
[Collection("environment")]
public sealed class BucketRegionTests
{
    private const string InWords = "<Error><Code>IllegalLocationConstraintException</Code>"
        + "<Message>The me-south-1 location constraint is incompatible for the region specific endpoint this request was sent to.</Message>"
        + "</Error>";
    private const string Wordless = "<Error><Code>IllegalLocationConstraintException</Code></Error>";

    [Theory]
    [InlineData("field", 400, Wordless, new[] { "400", "200" })]
    [InlineData("body", 400, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>me-south-1</Region></Error>", new[] { "400", "200" })]
    [InlineData("words", 400, InWords, new[] { "400", "200" })]
    [InlineData(
        "two regions in words", 400,
        "<Error><Code>AuthorizationHeaderMalformed</Code>"
        + "<Message>the region 'us-east-1' is wrong; expecting 'me-south-1'</Message></Error>",
        new[] { "400", "200" })]
    [InlineData("list", 400, Wordless, new[] { "200", "400", "200" })]
    [InlineData("head", 400, Wordless, new[] { "400", "301", "200" })]
    [InlineData("head", 301, "<Error><Code>PermanentRedirect</Code></Error>", new[] { "301", "301", "200" })]
    public async Task A_bucket_is_read_where_it_is_whatever_says_where_and_a_replay_agrees(string way, int status, string error, string[] statuses)
    {
        await using var server = Server(way, status, error, "me-south-1");
        await using var session = Session.Live(server.Address, new ImpatientClock());
        if (way == "list")
            await session.CallAsync("s3:ListBuckets");

        var answer = await session.CallAsync("s3:GetBucketVersioning", ("Bucket", "gulf"));

        Assert.Equal("Enabled", answer.GetProperty("Status").GetString());
        Assert.Equal(statuses, await session.StatusesAsync("s3"));
        await using var replay = Session.Replay(session);
        if (way == "list")
            await replay.CallAsync("s3:ListBuckets");
        Assert.Equal(answer.GetRawText(), (await replay.CallAsync("s3:GetBucketVersioning", ("Bucket", "gulf"))).GetRawText());
    }

    [Theory]
    [InlineData("nothing", 400, Wordless, "IllegalLocationConstraintException")]
    [InlineData(
        "nothing", 400, "<Error><Code>IllegalLocationConstraintException</Code><Message>neither eu-west-1 nor me-south-1</Message></Error>",
        "IllegalLocationConstraintException")]
    [InlineData("nothing", 400, "<Error><Code>InvalidRequest</Code><Message>me-south-1</Message></Error>", "InvalidRequest")]
    public async Task Where_nobody_says_it_the_bucket_is_unread_with_s3s_own_code(string way, int status, string error, string code)
    {
        await using var server = Server(way, status, error, "me-south-1");
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("s3:GetBucketVersioning", ("Bucket", "gulf")));

        Assert.Equal(code, e.Code);
        Assert.DoesNotContain(server.Seen, r => r.Fields["Authorization"].Contains("/me-south-1/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_bucket_in_a_region_that_the_account_has_not_enabled_says_so()
    {
        await using var server = new LoopbackServer((request, _) => request.Fields["Authorization"].Contains("/me-south-1/s3/", StringComparison.Ordinal)
            ? Reaction.Xml("<Error><Code>InvalidToken</Code><Message>The provided token is malformed or otherwise invalid.</Message></Error>", 400)
            : Reaction.Xml(InWords, 400));
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("s3:GetBucketVersioning", ("Bucket", "gulf")));

        Assert.Equal("RegionNotEnabled", e.Code);
        Assert.Contains("s3:GetBucketVersioning in me-south-1: InvalidToken: ", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "ec2:DescribeVolumes", "AuthFailure",
        "<Response><Errors><Error><Code>AuthFailure</Code>"
        + "<Message>AWS was not able to validate the provided access credentials</Message></Error></Errors></Response>",
        401)]
    [InlineData(
        "ec2:DescribeVolumes", "OptInRequired",
        "<Response><Errors><Error><Code>OptInRequired</Code>"
        + "<Message>You are not subscribed to this service.</Message></Error></Errors></Response>",
        401)]
    [InlineData(
        "rds:DescribeDBInstances", "InvalidClientTokenId",
        "<ErrorResponse><Error><Code>InvalidClientTokenId</Code>"
        + "<Message>The security token included in the request is invalid.</Message></Error></ErrorResponse>",
        403)]
    [InlineData(
        "cloudtrail:DescribeTrails", "UnrecognizedClientException",
        """{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}""", 400)]
    public async Task A_region_that_takes_valid_credentials_for_invalid_ones_is_told_from_a_denial(string operation, string code, string body, int status)
    {
        await using var server = new LoopbackServer((_, _) => body.StartsWith('{') ? Reaction.Json(body, status) : Reaction.Xml(body, status));
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => CallAsync(session, operation, "me-south-1"));
        var home = await Assert.ThrowsAsync<CollectionException>(() => CallAsync(session, operation, "us-east-1"));

        Assert.Equal("RegionNotEnabled", e.Code);
        Assert.Contains($"{operation} in me-south-1: {code}: ", e.Message, StringComparison.Ordinal);
        Assert.Contains("us-east-1 accepts the same credentials", e.Message, StringComparison.Ordinal);
        Assert.Equal(code, home.Code);
    }

    [Fact]
    public async Task A_denial_in_another_region_stays_a_denial()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Json("""{"__type":"AccessDeniedException","message":"no"}""", 400));
        await using var session = Session.Live(server.Address, new ImpatientClock());

        Assert.Equal(
            "AccessDeniedException",
            (await Assert.ThrowsAsync<CollectionException>(() => CallAsync(session, "cloudtrail:DescribeTrails", "me-south-1"))).Code);
    }

    private static Task<System.Text.Json.JsonElement> CallAsync(Session session, string operation, string region) =>
        session.Collector.CallAsync(Session.Target(), operation, Session.Parameters(), region, CancellationToken.None);

    private static LoopbackServer Server(string way, int status, string error, string region) => new((request, _) =>
        request.Target == "/?x-id=ListBuckets" || request.Target == "/"
            ? Reaction.Xml(
                "<ListAllMyBucketsResult><Buckets><Bucket><Name>gulf</Name>"
                + $"<BucketRegion>{region}</BucketRegion></Bucket></Buckets></ListAllMyBucketsResult>")
        : request.Fields["Authorization"].Contains($"/{region}/s3/", StringComparison.Ordinal)
            ? Reaction.Xml("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
        : request.Method == "HEAD"
            ? Reaction.Xml("", way == "head" ? 301 : 400) with { Fields = way == "head" ? [("x-amz-bucket-region", region)] : [] }
        : Reaction.Xml(error, status) with { Fields = way == "field" ? [("x-amz-bucket-region", region)] : [] });
}
