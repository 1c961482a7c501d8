using AuditCli.Collectors.Aws.Client;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Tests.Http;

namespace AuditCli.Collectors.Tests.Aws;

[Collection("environment")]
public sealed class FaultTests
{
    internal const string Users = """
        <ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListUsersResult><IsTruncated>false</IsTruncated><Users><member>
        <UserName>a</UserName><CreateDate>2026-01-01T00:00:00Z</CreateDate></member></Users></ListUsersResult></ListUsersResponse>
        """;

    private static readonly Reaction Throttled = Reaction.Xml(
        "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>", 400);

    [Fact]
    public async Task A_throttled_call_is_retried_and_every_attempt_is_recorded()
    {
        var clock = new ImpatientClock();
        await using var server = new LoopbackServer((_, n) => n < 2 ? Throttled : Reaction.Xml(Users));
        await using var session = Session.Live(server.Address, clock);

        var answer = await session.CallAsync("iam:ListUsers");

        Assert.Equal("a", answer.GetProperty("Users")[0].GetProperty("UserName").GetString());
        Assert.Equal(["400", "400", "200"], await session.StatusesAsync("iam"));
        Assert.Equal(2, clock.Waits.Count);
    }

    [Fact]
    public async Task A_call_throttled_for_ever_fails_with_the_providers_code_after_a_minute_of_waiting_live_and_replayed()
    {
        var clock = new ImpatientClock();
        await using var server = new LoopbackServer((_, _) => Throttled);
        await using var session = Session.Live(server.Address, clock);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListUsers"));

        Assert.Equal(("Throttling", "Rate exceeded"), (e.Code, e.Message));
        var waited = clock.Waits.Aggregate(TimeSpan.Zero, (sum, wait) => sum + wait);
        Assert.InRange(waited, CallAttempts.Patience, CallAttempts.Patience + TimeSpan.FromSeconds(20));
        var attempts = server.Seen.Count;
        Assert.Equal(clock.Waits.Count + 1, attempts);
        await session.Transport.DisposeAsync();

        await using var replay = Session.Replay(session);
        var again = await Assert.ThrowsAsync<CollectionException>(() => replay.CallAsync("iam:ListUsers"));
        Assert.Equal((e.Code, e.Message), (again.Code, again.Message));
        Assert.Equal(attempts, server.Seen.Count);
        Assert.Empty(((ReplayTransport)replay.Transport).Unused);
    }

    [Fact]
    public async Task After_a_service_that_answered_nobody_for_a_minute_the_next_calls_ask_three_times()
    {
        await using var server = new LoopbackServer((_, _) => Throttled);
        await using var session = Session.Live(server.Address, new ImpatientClock());
        await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListUsers"));
        var before = server.Seen.Count;

        await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListRoles"));

        Assert.Equal(3, server.Seen.Count - before);
    }

    [Fact]
    public async Task A_throttled_call_waits_for_as_long_as_others_are_answered()
    {
        var (asked, answered, seen) = (0, 0, 0);
        await using var server = new LoopbackServer((request, _) =>
        {
            if (!request.Body.Contains("ListUsers", StringComparison.Ordinal))
                return Reaction.Xml(
                    "<ListAccountAliasesResponse><ListAccountAliasesResult><IsTruncated>false</IsTruncated>"
                    + "<AccountAliases/></ListAccountAliasesResult></ListAccountAliasesResponse>");
            // Somebody else is answered between any two attempts.
            SpinWait.SpinUntil(() => Volatile.Read(ref answered) > seen, TimeSpan.FromSeconds(30));
            seen = Volatile.Read(ref answered);
            return ++asked <= 40 ? Throttled : Reaction.Xml(Users);
        });
        await using var session = Session.Live(server.Address, new ImpatientClock());
        using var end = new CancellationTokenSource();
        var others = Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                await session.CallAsync("iam:ListAccountAliases");
                Interlocked.Increment(ref answered);
            }
        });

        // Forty times the wait would have been minutes; only the answers of others say that it is worth it.
        var answer = await session.CallAsync("iam:ListUsers");
        await end.CancelAsync();
        await others;

        Assert.Equal(1, answer.GetProperty("Users").GetArrayLength());
        Assert.Equal(41, asked);
    }

    [Fact]
    public async Task A_throttled_call_that_is_cancelled_ends_at_once()
    {
        using var end = new CancellationTokenSource();
        await using var server = new LoopbackServer((request, _) =>
        {
            if (request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal))
                return Reaction.Xml("<Error><Code>AccessDenied</Code></Error>", 403);
            end.CancelAfter(TimeSpan.FromMilliseconds(200));
            return Throttled with { Fields = [("Retry-After", "60")] };
        });
        await using var session = Session.Live(server.Address);
        await ConnectAsync(session);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.CollectAsync("iam:ListUsers", end.Token));
    }

    [Theory]
    [InlineData("17")]
    [InlineData("Wed, 25 Nov 2026 10:00:17 GMT")]
    public async Task A_provider_that_asks_for_a_longer_wait_gets_it(string after)
    {
        var clock = new ImpatientClock();
        await using var server = new LoopbackServer((_, n) => n == 0
            ? Throttled with { Fields = [("Retry-After", after), ("Date", "Wed, 25 Nov 2026 10:00:00 GMT")] }
            : Reaction.Xml(Users));
        await using var session = Session.Live(server.Address, clock);

        await session.CallAsync("iam:ListUsers");

        Assert.Contains(TimeSpan.FromSeconds(17), clock.Waits);
    }

    [Fact]
    public async Task A_status_429_for_ever_is_asked_three_times_and_never_waited_for_longer_than_a_minute()
    {
        var waits = new ImpatientClock(TimeSpan.FromSeconds(61));
        await using var server = new LoopbackServer((_, _) => new Reaction(429, "text/plain", []) { Fields = [("Retry-After", "86400")] });
        await using var session = Session.Live(server.Address, waits, ExchangeLimits.Default with { Attempt = TimeSpan.FromMinutes(5) });

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("kms:ListKeys"));

        Assert.Equal("429", e.Code);
        Assert.Equal([TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60)], waits.Waits);
        Assert.Equal(["429", "429", "429"], await session.StatusesAsync("kms"));
    }

    [Fact]
    public async Task An_unavailable_service_is_asked_three_times()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("<Error><Code>ServiceUnavailable</Code><Message>later</Message></Error>", 503));
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("s3:ListBuckets"));

        Assert.Equal("ServiceUnavailable", e.Code);
        Assert.Equal(["503", "503", "503"], await session.StatusesAsync("s3"));
    }

    [Fact]
    public async Task A_denied_call_is_asked_once()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Json("""{"__type":"AccessDeniedException","Message":"no kms:ListKeys"}""", 400));
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("kms:ListKeys"));

        Assert.Equal("AccessDeniedException", e.Code);
        Assert.Equal("no kms:ListKeys", e.Message);
        Assert.Equal(["400"], await session.StatusesAsync("kms"));
    }

    [Fact]
    public async Task A_connection_that_breaks_inside_a_body_is_retried_and_then_named()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(Users) with { BreakAfter = 40 });
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
        await using var server = new LoopbackServer((_, n) => n == 0 ? Reaction.Xml(Users) with { BreakAfter = 40 } : Reaction.Xml(Users));
        await using var session = Session.Live(server.Address, new ImpatientClock());

        await session.CallAsync("iam:ListUsers");

        Assert.Equal(["failed", "200"], await session.StatusesAsync("iam"));
    }

    [Fact]
    public async Task A_break_in_the_middle_of_paging_fails_after_the_first_page()
    {
        await using var server = new LoopbackServer((request, _) => request.Body.Contains("Marker", StringComparison.Ordinal)
            ? Reaction.Xml(Users) with { BreakAfter = 0 }
            : Reaction.Xml(Page("next")));
        await using var session = Session.Live(server.Address, new ImpatientClock());
        await ConnectAsync(session);
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
        await using var server = new LoopbackServer((_, n) => Reaction.Xml(Page($"token{n % circle}")));
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
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(Users.Replace(">false<", ">true<", StringComparison.Ordinal)));
        await using var session = Session.Live(server.Address);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListUsers"));

        Assert.Equal("MalformedResponse", e.Code);
    }

    [Fact]
    public async Task A_redirect_is_reported_and_not_followed()
    {
        await using var elsewhere = new LoopbackServer((_, _) => Reaction.Xml(Users));
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
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(Users) with { Stall = true });
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
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(Users) with { Drip = TimeSpan.FromMilliseconds(20) });
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
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(Users));
        await using var session = Session.Live(server.Address, TimeProvider.System, ExchangeLimits.Default with { MaxBodyBytes = 100 });

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListUsers"));

        Assert.Equal("ResponseTooLarge", e.Code);
        Assert.Equal(["failed"], await session.StatusesAsync("iam"));
    }

    [Fact]
    public async Task A_cancelled_wait_between_attempts_ends_at_once()
    {
        await using var server = new LoopbackServer((_, _) => Throttled with { Fields = [("Retry-After", "60")] });
        await using var session = Session.Live(server.Address);
        using var cancelled = new CancellationTokenSource();
        var call = session.Collector.CallAsync(Session.Target(), "iam:ListUsers", Session.Parameters(), null, cancelled.Token);
        while (server.Seen.Count == 0)
            await Task.Delay(10);
        await Task.Delay(100);

        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Single(server.Seen);
    }

    [Fact]
    public async Task Nobody_listening_is_a_failed_connection()
    {
        Uri address;
        await using (var server = new LoopbackServer((_, _) => Throttled))
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
            : n % 2 == 0 ? Throttled : Reaction.Xml(Users));
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

    internal static string Page(string marker) => $"""
        <ListUsersResponse><ListUsersResult><IsTruncated>true</IsTruncated><Marker>{marker}</Marker><Users><member><UserName>a</UserName></member></Users>
        </ListUsersResult></ListUsersResponse>
        """;

    private static AuditCli.Evidence.EvidenceRequest Request(Session session, string operation) =>
        new("prod", "123456789012", "aws-global", session.Operation(operation), Session.Parameters());

    /// <summary>A call that needs no answer opens the session.</summary>
    private static async Task ConnectAsync(Session session) =>
        await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("sts:GetCallerIdentity"));
}
