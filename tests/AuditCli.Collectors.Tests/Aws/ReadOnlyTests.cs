using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Client;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Tests.Exchanges;

namespace AuditCli.Collectors.Tests.Aws;

[Collection("environment")]
public sealed class ReadOnlyTests
{
    [Theory]
    [InlineData("iam:DeleteUser")]
    [InlineData("secretsmanager:GetSecretValue")]
    [InlineData("nonsense")]
    public async Task What_the_catalogue_does_not_list_is_refused_before_anything_is_sent(string operation)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("<a/>"));
        await using var session = Session.Live(server.Address);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync(operation));

        Assert.Equal("RefusedReadOnly", e.Code);
        Assert.Empty(server.Seen);
    }

    [Theory]
    [InlineData("iam", "POST", "/", "Action=DeleteUser&Version=2010-05-08&UserName=a", null)]
    [InlineData("iam", "POST", "/", "Action=ListUsers&Action=DeleteUser", null)]
    [InlineData("iam", "GET", "/?Action=ListUsers", null, null)]
    [InlineData("kms", "POST", "/", "{}", "TrentService.ScheduleKeyDeletion")]
    [InlineData("kms", "POST", "/", "{}", "Other.ListKeys")]
    [InlineData("s3", "GET", "/bucket/key", null, null)]
    [InlineData("s3", "PUT", "/bucket?acl", null, null)]
    [InlineData("s3", "DELETE", "/bucket", null, null)]
    [InlineData("lambda", "POST", "/2015-03-31/functions", "{}", null)]
    public async Task The_guard_refuses_by_what_is_sent_and_not_by_what_was_asked(string service, string method, string path, string? body, string? target)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("<a/>"));
        await using var session = Session.Live(server.Address);
        var check = new RequestCheck(new AwsCatalogue().Service(service)!);
        using var client = new HttpClient(session.Transport.Open(new("prod", service, "us-east-1"), check.Refusal));
        using var request = new HttpRequestMessage(new(method), new Uri(server.Address, path));
        request.Content = body is null ? null : new StringContent(body);
        if (target is not null)
            request.Headers.Add("X-Amz-Target", target);

        await Assert.ThrowsAsync<ExchangeRefusedException>(() => client.SendAsync(request));

        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task Credentials_are_nowhere_in_what_is_stored_even_when_the_provider_quotes_them()
    {
        await using var server = new LoopbackServer((request, _) =>
        {
            var quoted = $"expected {request.Fields["X-Amz-Security-Token"]} {request.Fields["Authorization"]}";
            var answer = Reaction.Xml($"<Error><Code>SignatureDoesNotMatch</Code><Message>{quoted}</Message></Error>", 403);
            return answer with { Fields = [("Set-Cookie", "MARKERcookieMARKER=1")] };
        });
        await using var session = Session.Live(server.Address, new ImpatientClock());

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("s3:ListBuckets"));
        await session.Transport.DisposeAsync();

        Assert.Equal("SignatureDoesNotMatch", e.Code);
        Assert.DoesNotContain("MARKER", e.ToString(), StringComparison.Ordinal);
        Assert.Contains(Session.SessionToken, server.Seen[0].Fields["X-Amz-Security-Token"], StringComparison.Ordinal);
        var stored = MotoTests.Stored(session.Folder);
        Assert.DoesNotContain("MARKER", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("Signature=", stored.Replace("Signature=[", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_credentials_nothing_is_sent()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("<a/>"));
        await using var session = Session.Live(server.Address);
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", null);
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", null);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("iam:ListUsers"));

        Assert.Equal("NoCredentials", e.Code);
        Assert.Empty(server.Seen);
    }

    [Theory]
    [InlineData("iam:GetRole", "needs the parameter RoleName")]
    [InlineData("iam:ListUsers", "has no parameter", "Nonsense")]
    [InlineData("iam:ListUsers", "which reads every page", "Marker")]
    [InlineData("iam:ListUsers", "must be a whole number", "MaxItems")]
    public async Task Wrong_parameters_are_named_before_anything_is_sent(string operation, string said, string? parameter = null)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("<a/>"));
        await using var session = Session.Live(server.Address);

        var e = await Assert.ThrowsAsync<CollectionException>(() =>
            parameter is null ? session.CallAsync(operation) : session.CallAsync(operation, (parameter, "x")));

        Assert.Equal("InvalidParameter", e.Code);
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
        Assert.Empty(server.Seen);
    }

    /// <summary>
    /// Puts the value into path parameters of one segment, of several segments, and of several operations, unescaped and escaped once and
    /// twice.
    /// </summary>
    [Theory]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("../x")]
    [InlineData("x/../../y")]
    [InlineData("x/.")]
    [InlineData("%2e%2e")]
    [InlineData("%2E%2e%2Fx")]
    [InlineData(".%2e")]
    [InlineData("%2e")]
    [InlineData("%252e%252e")]
    [InlineData("x\\..\\y")]
    [InlineData("..%5cx")]
    public async Task A_part_of_a_path_leads_nowhere_else(string value)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("<a/>"));
        await using var session = Session.Live(server.Address);
        (string, (string, object)[])[] calls =
        [
            ("lambda:GetPolicy", [("FunctionName", value)]),
            ("s3:GetBucketAcl", [("Bucket", value)]),
            ("s3:GetObjectTagging", [("Bucket", "b"), ("Key", value)]),
            ("eks:DescribeCluster", [("name", value)]),
            ("route53:GetHostedZone", [("Id", value)]),
        ];
        foreach (var (operation, parameters) in calls)
        {
            var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync(operation, parameters));
            Assert.Equal("InvalidParameter", e.Code);
            Assert.Contains(value.Length == 0 ? "must not be empty" : "must not have '.' or '..' as a part of a path", e.Message, StringComparison.Ordinal);
        }
        Assert.Empty(server.Seen);
    }

    [Theory]
    [InlineData("evil.example/")]
    [InlineData("evil.example#")]
    [InlineData("a.b")]
    [InlineData("-a")]
    [InlineData("a@b")]
    public async Task A_part_of_a_host_leads_to_nobody_else(string value)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("<a/>"));
        await using var session = Session.Live(server.Address);
        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync("s3control:GetPublicAccessBlock", ("AccountId", value)));
        Assert.Equal("InvalidParameter", e.Code);
        Assert.Empty(server.Seen);
    }

    [Theory]
    [InlineData("a..b")]
    [InlineData("...")]
    [InlineData(".hidden")]
    [InlineData("a%20b")]
    public void Names_with_points_are_names(string value) => Assert.Null(PathSegments.WhyNot(value));

    /// <summary>Applies the same rule as for Google's logs: what programs wrote into a log is data, which may not be read.</summary>
    [Theory]
    [InlineData("logs:GetLogEvents")]
    [InlineData("logs:FilterLogEvents")]
    [InlineData("logs:GetQueryResults")]
    [InlineData("logs:StartQuery")]
    [InlineData("logs:StartLiveTail")]
    [InlineData("rds:DownloadDBLogFilePortion")]
    [InlineData("lightsail:GetContainerLog")]
    [InlineData("s3:GetObject")]
    public async Task Logs_of_programs_are_not_read(string operation)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("<a/>"));
        await using var session = Session.Live(server.Address);
        Assert.Equal("RefusedReadOnly", (await Assert.ThrowsAsync<CollectionException>(() => session.CallAsync(operation))).Code);
        Assert.Empty(server.Seen);
    }
}
