using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Tests.Exchanges;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>Tests clocks that differ, and expired credentials.</summary>
[Collection("environment")]
public sealed class ExpiryTests
{
    [Theory]
    [InlineData(
        "iam:ListUsers", 403,
        "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code>"
        + "<Message>Signature expired: 20261125T100000Z is now earlier than 20261125T103000Z</Message></Error></ErrorResponse>")]
    [InlineData("iam:ListUsers", 403, "<ErrorResponse><Error><Code>RequestTimeTooSkewed</Code><Message>too far</Message></Error></ErrorResponse>")]
    [InlineData(
        "kms:ListKeys", 400,
        "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature not yet current: 20261125T103000Z is still later than "
        + "20261125T100000Z\"}")]
    public async Task A_clock_that_is_wrong_is_set_right_by_the_providers_own(string operation, int status, string refusal)
    {
        var theirs = DateTime.UtcNow.AddHours(3);
        await using var server = new LoopbackServer((request, _) =>
        {
            var signed = DateTime.ParseExact(request.Fields["X-Amz-Date"], "yyyyMMdd'T'HHmmss'Z'", System.Globalization.CultureInfo.InvariantCulture);
            var right = (theirs - signed).Duration() < TimeSpan.FromMinutes(5);
            var answer = operation == "kms:ListKeys" ? Reaction.Json("{\"Keys\":[]}") : Reaction.Xml(FaultAnswers.Users);
            return (right ? answer : Reaction.Xml(refusal, status)) with { Fields = [("Date", theirs.ToString("r"))] };
        });
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var first = await session.CallAsync(operation);
        Assert.Equal(first.GetRawText(), (await session.CallAsync(operation)).GetRawText());
        Assert.Equal([$"{status}", "200", "200"], await session.StatusesAsync(operation.Split(':')[0]));

        // The replay repeats the second attempt because it was recorded, whatever its own clock says.
        await using var replay = Session.Replay(session);
        Assert.Equal(first.GetRawText(), (await replay.CallAsync(operation)).GetRawText());
        await replay.CallAsync(operation);
        Assert.Empty(((ReplayTransport)replay.Transport).Unused);
    }

    [Theory]
    [InlineData("s3:HeadBucket", 403, "")]
    [InlineData("ec2:DescribeVpcs", 401, "<Response><Errors><Error><Code>AuthFailure</Code><Message>no</Message></Error></Errors></Response>")]
    [InlineData("iam:ListUsers", 403, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>the key is another</Message></Error></ErrorResponse>")]
    public async Task A_refusal_that_does_not_speak_of_time_is_asked_once_live_and_replayed_whatever_its_date(string operation, int status, string refusal)
    {
        (string, object)[] parameters = operation == "s3:HeadBucket" ? [("Bucket", "b")] : [];
        await using var server = new LoopbackServer((_, _) =>
            Reaction.Xml(refusal, status) with { Fields = [("Date", DateTime.UtcNow.AddYears(-1).ToString("r"))] });
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync(operation, parameters));
        Assert.Equal([$"{status}"], await session.StatusesAsync(operation.Split(':')[0]));
        await using var replay = Session.Replay(session);
        var again = await Assert.ThrowsAsync<CollectionException>(() => replay.CallAsync(operation, parameters));

        Assert.Equal((e.Code, e.Message), (again.Code, again.Message));
    }

    [Theory]
    [InlineData(true, new[] { "200", "403", "200" }, null)]
    [InlineData(false, new[] { "200", "403", "403" }, "ExpiredToken")]
    public async Task Credentials_that_expire_between_two_pages_are_renewed_once_where_they_can_be(bool role, string[] statuses, string? code)
    {
        var assumed = 0;
        await using var server = new LoopbackServer((request, _) =>
        {
            if (request.Body.Contains("Action=AssumeRole", StringComparison.Ordinal))
                return Reaction.Xml(Assumed($"ASIAROLEKEY{++assumed}", "2036-01-01T00:00:00Z"));
            if (!request.Body.Contains("Marker", StringComparison.Ordinal))
                return Reaction.Xml(FaultAnswers.Page("next"));
            return request.Fields["Authorization"].Contains("ASIAROLEKEY2/", StringComparison.Ordinal)
                ? Reaction.Xml(FaultAnswers.Users)
                : Reaction.Xml(
                    "<ErrorResponse><Error><Code>ExpiredToken</Code>"
                    + "<Message>The security token included in the request is expired</Message></Error></ErrorResponse>",
                    403);
        });
        await using var session = Session.Live(server.Address, new ImpatientClock());
        var target = role ? Session.Target(("role_arn", "arn:aws:iam::123456789012:role/Audit")) : Session.Target();
        var call = session.Collector.CallAsync(target, "iam:ListUsers", Session.Parameters(), null, CancellationToken.None);

        if (code is null)
            Assert.Equal(2, (await call).GetProperty("Users").GetArrayLength());
        else
            Assert.Equal(code, (await Assert.ThrowsAsync<CollectionException>(() => call)).Code);

        Assert.Equal(role ? 2 : 0, assumed);
        Assert.Equal(assumed, session.CredentialExchanges.Count);
        Assert.Equal(statuses, await session.StatusesAsync("iam"));
        await using var replay = Session.Replay(session);
        var again = replay.Collector.CallAsync(target, "iam:ListUsers", Session.Parameters(), null, CancellationToken.None);
        if (code is null)
            Assert.Equal((await call).GetRawText(), (await again).GetRawText());
        else
            Assert.Equal(code, (await Assert.ThrowsAsync<CollectionException>(() => again)).Code);
        Assert.Empty(((ReplayTransport)replay.Transport).Unused);
    }

    [Fact]
    public async Task A_role_is_renewed_before_it_expires()
    {
        var assumed = 0;
        await using var server = new LoopbackServer((request, _) => request.Body.Contains("Action=AssumeRole", StringComparison.Ordinal)
            ? Reaction.Xml(Assumed($"ASIAROLEKEY{++assumed}", DateTime.UtcNow.AddMinutes(assumed == 1 ? 2 : 60).ToString("s") + "Z"))
            : Reaction.Xml(FaultAnswers.Users));
        await using var session = Session.Live(server.Address, new ImpatientClock());
        var target = Session.Target(("role_arn", "arn:aws:iam::123456789012:role/Audit"));

        await session.Collector.CallAsync(target, "iam:ListUsers", Session.Parameters(), null, CancellationToken.None);
        await session.Collector.CallAsync(target, "iam:ListUsers", Session.Parameters(), null, CancellationToken.None);

        Assert.Contains("ASIAROLEKEY2/", server.Seen[^1].Fields["Authorization"], StringComparison.Ordinal);
    }

    private static string Assumed(string key, string expires) => $"""
        <AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
        <Expiration>{expires}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>
        """;
}
