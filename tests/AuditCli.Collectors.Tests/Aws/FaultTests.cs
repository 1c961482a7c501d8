using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Tests.Exchanges;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>Checks that a broken connection, a redirect or an unexpected response is a failure with a code, live and replayed.</summary>
[Collection("environment")]
public sealed class FaultTests
{
    [Fact]
    public async Task A_connection_that_breaks_inside_a_body_is_retried_and_then_named()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(FaultAnswers.Users) with { BreakAfter = 40 });
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListUsers"));

        Assert.Equal("ConnectionFailed", e.Code);
        var recorded = await session.RecordedAsync("iam");
        Assert.Equal(3, recorded.Count);
        Assert.All(recorded, r => Assert.Equal("HttpRequestException", r.Exchange.Failure[0].Type));
    }

    [Fact]
    public async Task A_connection_that_breaks_once_does_no_harm()
    {
        await using var server = new LoopbackServer((_, n) => n == 0
            ? Reaction.Xml(FaultAnswers.Users) with { BreakAfter = 40 }
            : Reaction.Xml(FaultAnswers.Users));
        await using var session = Session.Live(server.Address, new ImpatientClock());

        await session.CallAsync("iam:ListUsers");

        Assert.Equal(["failed", "200"], await session.StatusesAsync("iam"));
    }

    [Fact]
    public async Task A_break_in_the_middle_of_paging_fails_after_the_first_page()
    {
        await using var server = new LoopbackServer((request, _) => request.Body.Contains("Marker", StringComparison.Ordinal)
            ? Reaction.Xml(FaultAnswers.Users) with { BreakAfter = 0 }
            : Reaction.Xml(FaultAnswers.Page("next")));
        await using var session = Session.Live(server.Address, new ImpatientClock());
        await FaultAnswers.ConnectAsync(session);
        var pages = 0;

        var e = await Assert.ThrowsAsync<CollectionException>(async () =>
        {
            await foreach (var _ in session.Collector.CollectAsync(Request(session, "iam:ListUsers"), CancellationToken.None))
                pages++;
        });

        Assert.Equal("ConnectionFailed", e.Code);
        Assert.Equal(1, pages);
        Assert.Equal(["200", "failed", "failed", "failed"], await session.StatusesAsync("iam"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_page_token_that_comes_again_ends_the_reading(int circle)
    {
        await using var server = new LoopbackServer((_, n) => Reaction.Xml(FaultAnswers.Page($"token{n % circle}")));
        await using var session = Session.Live(server.Address);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListUsers"));

        Assert.Equal("RepeatedToken", e.Code);
        Assert.Equal(circle + 1, server.Seen.Count);
    }

    [Theory]
    [InlineData("iam:ListUsers", "<ListUsersResponse><ListUsersResult>")]
    [InlineData("iam:ListUsers", "<html><body>Please sign in to the guest network</body></html>")]
    [InlineData("iam:ListUsers", "<!DOCTYPE a [<!ENTITY b 'c'>]><ListUsersResponse>&b;</ListUsersResponse>")]
    [InlineData("iam:ListUsers", "")]
    [InlineData("ec2:DescribeVpcs", "<Response/>")]
    [InlineData("s3:ListBuckets", "<html/>")]
    [InlineData("kms:ListKeys", "{\"Keys\":[")]
    [InlineData("kms:ListKeys", "[]")]
    [InlineData("kms:ListKeys", "")]
    [InlineData("lambda:ListFunctions", "<html/>")]
    public async Task An_answer_that_is_none_is_malformed_and_never_an_empty_list(string operation, string body)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(body));
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync(operation));

        Assert.Equal("MalformedResponse", e.Code);
    }

    [Fact]
    public async Task A_truncated_answer_without_a_token_is_malformed()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(FaultAnswers.Users.Replace(">false<", ">true<", StringComparison.Ordinal)));
        await using var session = Session.Live(server.Address);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListUsers"));

        Assert.Equal("MalformedResponse", e.Code);
    }

    [Fact]
    public async Task A_redirect_is_reported_and_not_followed()
    {
        await using var elsewhere = new LoopbackServer((_, _) => Reaction.Xml(FaultAnswers.Users));
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("", 302) with { Fields = [("Location", elsewhere.Address + "x")] });
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListUsers"));

        Assert.Equal("Redirected", e.Code);
        Assert.Contains(elsewhere.Address.Authority, e.Message, StringComparison.Ordinal);
        Assert.Empty(elsewhere.Seen);
        Assert.Equal(["302"], await session.StatusesAsync("iam"));
    }

    [Fact]
    public async Task A_bucket_of_another_region_is_asked_there_and_both_attempts_are_recorded()
    {
        await using var server = new LoopbackServer((request, _) => request.Fields["Authorization"].Contains("/eu-west-1/s3/", StringComparison.Ordinal)
            ? Reaction.Xml("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
            : Reaction.Xml("<Error><Code>PermanentRedirect</Code></Error>", 301) with { Fields = [("x-amz-bucket-region", "eu-west-1")] });
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var answer = await session.CallAsync("s3:GetBucketVersioning", ("Bucket", "b"));

        Assert.Equal("Enabled", answer.GetProperty("Status").GetString());
        Assert.Equal(["301", "200"], await session.StatusesAsync("s3"));
    }

    [Fact]
    public async Task A_bucket_of_another_partition_is_not_asked_there()
    {
        await using var server = new LoopbackServer((_, _) =>
            Reaction.Xml("<Error><Code>PermanentRedirect</Code></Error>", 301) with { Fields = [("x-amz-bucket-region", "cn-north-1")] });
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("s3:GetBucketVersioning", ("Bucket", "b")));

        Assert.Equal("Redirected", e.Code);
        Assert.Single(server.Seen);
    }

    [Fact]
    public async Task An_answer_that_does_not_end_times_out_and_is_recorded_as_that()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(FaultAnswers.Users) with { Stall = true });
        await using var session = Session.Live(server.Address, TimeProvider.System, ExchangeLimits.Default with { Attempt = TimeSpan.FromMilliseconds(200) });

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListUsers"));

        Assert.Equal("TimedOut", e.Code);
        var recorded = await session.RecordedAsync("iam");
        Assert.Equal(3, recorded.Count);
        Assert.All(recorded, r => Assert.Contains(r.Exchange.Failure, f => f.Type == "TimeoutException"));
    }

    [Fact]
    public async Task An_answer_that_comes_too_slowly_times_out_however_steady_it_is()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(FaultAnswers.Users) with { Drip = TimeSpan.FromMilliseconds(20) });
        await using var session = Session.Live(
            server.Address, new ImpatientClock(), ExchangeLimits.Default with { Attempt = TimeSpan.FromMilliseconds(26_000) });
        await using var hasty = Session.Live(server.Address, TimeProvider.System, ExchangeLimits.Default with { Attempt = TimeSpan.FromMilliseconds(300) });

        var e = await Assert.ThrowsAsync<CollectionException>(() => hasty.CallAsync("iam:ListUsers"));

        Assert.Equal("TimedOut", e.Code);
        Assert.Equal(["failed", "failed", "failed"], await hasty.StatusesAsync("iam"));
        Assert.Equal(1, (await session.CallAsync("iam:ListUsers")).GetProperty("Users").GetArrayLength());
    }

    [Theory]
    [InlineData("text/plain", "{\"Keys\":[{\"KeyId\":\"k\"}],\"Truncated\":false}", null)]
    [InlineData("text/html", "{\"Keys\":[{\"KeyId\":\"k\"}],\"Truncated\":false}", null)]
    [InlineData("application/x-amz-json-1.1", "<html>Please sign in</html>", "MalformedResponse")]
    [InlineData("application/x-amz-json-1.1", "{\"Keys\":[{\"KeyId\":\"k\"}", "MalformedResponse")]
    public async Task What_an_answer_is_says_its_body_and_not_its_content_type(string type, string body, string? code)
    {
        await using var server = new LoopbackServer((_, _) => new Reaction(200, type, System.Text.Encoding.UTF8.GetBytes(body)));
        await using var session = Session.Live(server.Address, new ImpatientClock());

        if (code is null)
            Assert.Equal("k", (await session.CallAsync("kms:ListKeys")).GetProperty("Keys")[0].GetProperty("KeyId").GetString());
        else
            Assert.Equal(code, (await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("kms:ListKeys"))).Code);
        Assert.Equal(["200"], await session.StatusesAsync("kms"));
    }

    [Fact]
    public async Task A_bucket_that_every_region_sends_elsewhere_is_asked_twice_and_no_more()
    {
        await using var server = new LoopbackServer((request, _) =>
        {
            var other = request.Fields["Authorization"].Contains("/eu-west-1/s3/", StringComparison.Ordinal) ? "us-east-1" : "eu-west-1";
            return Reaction.Xml("<Error><Code>PermanentRedirect</Code><Endpoint>b.s3.amazonaws.com</Endpoint></Error>", 301) with
            {
                Fields = [("x-amz-bucket-region", other)],
            };
        });
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("s3:GetBucketVersioning", ("Bucket", "b")));

        Assert.Equal("Redirected", e.Code);
        Assert.Equal(["301", "301"], await session.StatusesAsync("s3"));
    }

    [Fact]
    public async Task Keys_that_no_XML_can_hold_are_asked_for_encoded_and_read_decoded()
    {
        await using var server = new LoopbackServer((request, _) => Reaction.Xml(request.Target.Contains("encoding-type=url", StringComparison.Ordinal)
            ? "<ListBucketResult><EncodingType>url</EncodingType><Prefix>a%2F</Prefix><IsTruncated>false</IsTruncated><Contents>"
                + "<Key>a/one+two%01%C3%A9%2B</Key></Contents>"
                + "<CommonPrefixes><Prefix>b%20c/</Prefix></CommonPrefixes></ListBucketResult>"
            : "<ListBucketResult><Contents><Key>a/\u0001</Key></Contents></ListBucketResult>"));
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var page = await session.CallAsync("s3:ListObjectsV2", ("Bucket", "b"));
        var asked = await session.CallAsync("s3:ListObjectsV2", ("Bucket", "b"), ("EncodingType", "url"));

        Assert.Equal("a/one two\u0001\u00e9+", page.GetProperty("Contents")[0].GetProperty("Key").GetString());
        Assert.Equal("b c/", page.GetProperty("CommonPrefixes")[0].GetProperty("Prefix").GetString());
        Assert.Equal("a/", page.GetProperty("Prefix").GetString());
        Assert.Equal("a/one+two%01%C3%A9%2B", asked.GetProperty("Contents")[0].GetProperty("Key").GetString());
    }

    [Fact]
    public async Task An_answer_over_the_limit_is_refused_at_once()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(FaultAnswers.Users));
        await using var session = Session.Live(server.Address, TimeProvider.System, ExchangeLimits.Default with { MaxBodyBytes = 100 });

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListUsers"));

        Assert.Equal("ResponseTooLarge", e.Code);
        Assert.Equal(["failed"], await session.StatusesAsync("iam"));
    }

    [Fact]
    public async Task Nobody_listening_is_a_failed_connection()
    {
        Uri address;
        await using (var server = new LoopbackServer((_, _) => FaultAnswers.Throttled))
            address = server.Address;
        await using var session = Session.Live(address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListUsers"));

        Assert.Equal("ConnectionFailed", e.Code);
        Assert.Equal(["failed", "failed", "failed"], await session.StatusesAsync("iam"));
    }

    [Fact]
    public async Task Every_fault_is_the_same_in_a_replay()
    {
        await using var server = new LoopbackServer((request, n) => request.Fields.ContainsKey("X-Amz-Target")
            ? Reaction.Json("{}") with { BreakAfter = 1 }
            : n % 2 == 0 ? FaultAnswers.Throttled : Reaction.Xml(FaultAnswers.Users));
        await using var live = Session.Live(server.Address, new ImpatientClock());
        var first = await live.CallAsync("iam:ListUsers");
        var broken = await Assert.ThrowsAsync<CollectionException>(() => live.CallAsync("kms:ListKeys"));
        await live.Transport.DisposeAsync();

        await using var replay = Session.Replay(live);
        var again = await replay.CallAsync("iam:ListUsers");
        var brokenAgain = await Assert.ThrowsAsync<CollectionException>(() => replay.CallAsync("kms:ListKeys"));
        var exhausted = await Assert.ThrowsAsync<CollectionException>(() => replay.CallAsync("iam:ListUsers"));

        Assert.Equal(first.GetRawText(), again.GetRawText());
        Assert.Equal((broken.Code, broken.Message), (brokenAgain.Code, brokenAgain.Message));
        Assert.Equal("NoRecording", exhausted.Code);
        Assert.Empty(((ReplayTransport)replay.Transport).Unused);
        Assert.Equal((await live.RecordedAsync("kms")).Select(r => r.Answer.Id), (await replay.RecordedAsync("kms")).Select(r => r.Answer.Id));
        Assert.Equal((await live.RecordedAsync("iam")).Select(r => r.Answer.Id), (await replay.RecordedAsync("iam")).Select(r => r.Answer.Id));
    }

    private static AuditCli.Evidence.EvidenceRequest Request(Session session, string operation) =>
        new("prod", "123456789012", "aws-global", session.Operation(operation), Session.Parameters());
}
