using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Running;

/// <summary>
/// Collects for controls that allow a code as an empty answer. The loader refuses codes that do not say "there is none", but a control in
/// an old bundle may still have one, and would pass without data.
/// </summary>
[Collection("environment")]
public sealed class AllowedCodesTests
{
    private const string Users = "iam:ListUsers", Keys = "kms:ListKeys", Accounts = "iam:projects.serviceAccounts.list", Pods = "v1/pods";
    private const string Blocked = """{"message":"blocked by proxy"}""";

    private const string NoSuchEntity = "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code></Error><RequestId>r</RequestId></ErrorResponse>";

    /// <summary>The status of a server that closes the connection in the middle of its answer.</summary>
    private const int Broken = 0;

    [Theory]
    [InlineData(Users, "AccessDenied", 403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>")]
    [InlineData(Users, "Throttling", 400, "<ErrorResponse><Error><Code>Throttling</Code><Message>later</Message></Error></ErrorResponse>")]
    [InlineData(Users, "ExpiredToken", 403, "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>old</Message></Error></ErrorResponse>")]
    [InlineData(Users, "ServiceUnavailable", 503, "<ErrorResponse><Error><Code>ServiceUnavailable</Code></Error></ErrorResponse>")]
    [InlineData(Users, "MalformedResponse", 200, "<html>blocked by proxy</html>")]
    [InlineData(Users, "ConnectionFailed", Broken, "<ListUsersResponse/>")]
    [InlineData(Users, "404", 404, "<ErrorResponse><Error><Code>Sender:NoSuchEntity</Code></Error></ErrorResponse>")]
    [InlineData(Accounts, "PERMISSION_DENIED", 403, """{"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}}""")]
    [InlineData(Accounts, "RESOURCE_EXHAUSTED", 429, """{"error":{"code":429,"message":"later","status":"RESOURCE_EXHAUSTED"}}""")]
    [InlineData(Accounts, "UNAUTHENTICATED", 401, """{"error":{"code":401,"message":"old","status":"UNAUTHENTICATED"}}""")]
    [InlineData(Accounts, "UNAVAILABLE", 503, """{"error":{"code":503,"message":"later","status":"UNAVAILABLE"}}""")]
    [InlineData(Accounts, "MalformedResponse", 200, Blocked)]
    [InlineData(Pods, "Forbidden", 403, """{"kind":"Status","status":"Failure","reason":"Forbidden","message":"no"}""")]
    [InlineData(Pods, "TooManyRequests", 429, """{"kind":"Status","status":"Failure","reason":"TooManyRequests","message":"later"}""")]
    [InlineData(Pods, "Unauthorized", 401, """{"kind":"Status","status":"Failure","reason":"Unauthorized","message":"who?"}""")]
    [InlineData(Pods, "Expired", 410, """{"kind":"Status","status":"Failure","reason":"Expired","message":"old"}""")]
    [InlineData(Pods, "ServiceUnavailable", 503, """{"kind":"Status","status":"Failure","reason":"ServiceUnavailable","message":"later"}""")]
    [InlineData(Pods, "MalformedResponse", 200, Blocked)]
    [InlineData(Pods, "ConnectionFailed", Broken, Blocked)]
    public async Task A_code_that_does_not_say_none_is_a_failure_whatever_the_control_allows(string operation, string code, int status, string body)
    {
        var item = await CollectedAsync(operation, code, status, body);

        Assert.True((item.Outcome, item.Code) == (CollectionOutcome.Failed, code), $"{item.Outcome} {item.Code} {item.Message}");
        Assert.Empty(item.TakenAsNone);
    }

    /// <summary>
    /// Answers with the word for "there is none", which the control allows, where the provider would not say it: in another document, beside
    /// another error, or with a status that a refusal or a failing server has.
    /// </summary>
    [Theory]
    [InlineData(Users, 404, "<html><Code>NoSuchEntity</Code></html>")]
    [InlineData(Users, 404, "<html><body><Error><Code>NoSuchEntity</Code></Error></body></html>")]
    [InlineData(Users, 404, "<ErrorResponse><Code>NoSuchEntity</Code></ErrorResponse>")]
    [InlineData(Users, 404, "<ErrorResponse><Error><Code>AccessDenied</Code></Error><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>")]
    [InlineData(Users, 404, "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error><Error><Code>AccessDenied</Code></Error></ErrorResponse>")]
    [InlineData(Users, 404, "<ErrorResponse><Error><Code>NoSuchEntity</Code><Code>AccessDenied</Code></Error></ErrorResponse>")]
    [InlineData(Users, 404, "<Response><Errors><Error><Code>NoSuchEntity</Code></Error><Error><Code>Other</Code></Error></Errors></Response>")]
    [InlineData(Users, 404, "<ErrorResponse><Error><Code>AccessDenied#NoSuchEntity</Code></Error></ErrorResponse>")]
    [InlineData(Users, 404, "<ErrorResponse><Error><Code>NoSuchEntity:AccessDenied</Code></Error></ErrorResponse>")]
    [InlineData(Users, 404, "<ErrorResponse><Error><Code>NoSuchEntity </Code></Error></ErrorResponse>")]
    [InlineData(Users, 404, """{"__type":"NoSuchEntity"}""")]
    [InlineData(Users, 404, "<Error><Code>NoSuchEntity</Code><Message>none</Message></Error>")]
    [InlineData(Users, 404, "<ErrorResponse><Error><code>AccessDenied</code><Code>NoSuchEntity</Code></Error></ErrorResponse>")]
    [InlineData(Users, 404, NoSuchEntity, "Content-Range")]
    [InlineData(Users, 404, "", "x-amzn-ErrorType")]
    [InlineData(Users, 404, "", "x-amzn-query-error")]
    [InlineData(Users, 401, NoSuchEntity)]
    [InlineData(Users, 403, NoSuchEntity)]
    [InlineData(Users, 407, NoSuchEntity)]
    [InlineData(Users, 429, NoSuchEntity)]
    [InlineData(Users, 500, NoSuchEntity)]
    [InlineData(Users, 503, NoSuchEntity)]
    [InlineData(Keys, 404, """{"__type":"AccessDenied:NoSuchEntity"}""")]
    [InlineData(Keys, 404, "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>")]
    [InlineData(Keys, 403, """{"__type":"NoSuchEntity"}""")]
    [InlineData(Accounts, 403, """{"error":{"code":403,"message":"none","status":"NOT_FOUND"}}""")]
    [InlineData(Accounts, 404, """{"error":{"code":403,"message":"none","status":"NOT_FOUND"}}""")]
    [InlineData(Accounts, 400, """{"error":{"message":"none","status":"NOT_FOUND"}}""")]
    [InlineData(Accounts, 404, """{"error":{"code":404,"message":"none","status":"NOT_FOUND","status":"PERMISSION_DENIED"}}""")]
    [InlineData(Accounts, 404, "<html>NOT_FOUND</html>")]
    [InlineData(Pods, 403, """{"kind":"Status","status":"Failure","reason":"NotFound","code":404}""")]
    [InlineData(Pods, 404, """{"kind":"Status","status":"Failure","reason":"NotFound","code":403}""")]
    [InlineData(Pods, 404, """{"kind":"Status","status":"Success","reason":"NotFound","code":404}""")]
    [InlineData(Pods, 404, """{"kind":"Status","reason":"NotFound"}""")]
    [InlineData(Pods, 404, """{"kind":"Status","apiVersion":"meta/v9","status":"Failure","reason":"NotFound","code":404}""")]
    [InlineData(Pods, 404, """{"kind":"Status","status":"Failure","reason":"NotFound","code":404,"Reason":"Forbidden"}""")]
    [InlineData(Pods, 404, """{"kind":"Status","status":"Failure","reason":"NotFound","code":404,"errors":["upstream"]}""")]
    [InlineData(Pods, 404, """{"kind":"Status","status":"Failure","reason":"Forbidden","reason":"NotFound"}""")]
    public async Task A_word_for_none_that_is_not_the_providers_own_answer_is_a_failure(string operation, int status, string body, string? header = null)
    {
        var code = operation switch { Users or Keys => "NoSuchEntity", Accounts => "NOT_FOUND", _ => "NotFound" };

        var item = await CollectedAsync(operation, code, status, body, header);

        Assert.True(item.Outcome == CollectionOutcome.Failed, $"{item.Outcome} {item.Code} {item.Message}");
        Assert.NotEqual(code, item.Code);
        Assert.Empty(item.TakenAsNone);
    }

    /// <summary>
    /// The code NotServed is what this program found out by discovery. A server that sends it as a reason says nothing about what exists.
    /// </summary>
    [Theory]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(429)]
    public async Task A_code_of_the_program_itself_is_not_taken_from_a_server(int status)
    {
        var body = $$"""{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotServed","message":"no","code":{{status}}}""";

        var item = await CollectedAsync(Pods, "NotServed", status, body);

        Assert.True(item.Outcome == CollectionOutcome.Failed, $"{item.Outcome} {item.Code} {item.Message}");
        Assert.NotEqual("NotServed", item.Code);
    }

    /// <summary>Shows that the codes above would be taken as none if they were of that kind.</summary>
    [Theory]
    [InlineData(Users, "NoSuchEntity", 404, "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>none</Message></Error></ErrorResponse>")]
    [InlineData(Users, "NoSuchEntity", 404, NoSuchEntity)]
    [InlineData(Users, "InvalidVpcID.NotFound", 400, "<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code></Error></Errors></Response>")]
    [InlineData(Users, "ReportNotFound", 410, "<ErrorResponse><Error><Code>ReportNotFound</Code></Error></ErrorResponse>")]
    [InlineData(Keys, "NotFoundException", 400, """{"__type":"com.amazonaws.kms#NotFoundException","message":"none"}""")]
    [InlineData(Keys, "NotFoundException", 400, """{"__type":"NotFoundException:http://internal.amazon.com/x/"}""")]
    [InlineData(Accounts, "NOT_FOUND", 404, """{"error":{"code":404,"message":"none","status":"NOT_FOUND"}}""")]
    [InlineData(Accounts, "notFound", 404, """{"error":{"code":404,"message":"none","errors":[{"reason":"notFound"}]}}""")]
    [InlineData(Pods, "NotServed", 404, "404 page not found")]
    public async Task A_code_that_says_none_is_an_empty_answer_where_the_control_allows_it(string operation, string code, int status, string body)
    {
        var item = await CollectedAsync(operation, code, status, body);

        Assert.True(item.Outcome == CollectionOutcome.Complete, $"{item.Outcome} {item.Code} {item.Message}");
        Assert.Equal(code, Assert.Single(item.TakenAsNone).Code);
        Assert.Equal(CollectionOutcome.Failed, (await CollectedAsync(operation, "Other", status, body)).Outcome);
    }

    /// <summary>Collects one operation whose only answer is this one.</summary>
    private static async Task<EvidenceItem> CollectedAsync(string operation, string allowed, int status, string body, string? header = null)
    {
        if (operation == Accounts)
        {
            using var google = new GoogleServer(fault: (request, _) => request.Path == "/v1/userinfo" ? null : new(status, body));
            await using var session = Gcp.Session.Live(google, new ImpatientClock());
            return (await CollectedRows.OfAsync(session.Collector, session.Transport, Gcp.Session.Target(), session.Operation(operation), [allowed])).Item;
        }
        await using var server = new LoopbackServer((request, _) => request switch
        {
            { Method: "POST" } when operation == Pods =>
                Reaction.Json("""{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"auditor"}}}""", 201),
            _ when request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal) => Reaction.Xml(
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a</Arn>"
                + "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"),
            _ when status == Broken => Reaction.Xml(body) with { BreakAfter = 1 },
            _ when header is not null => Reaction.Xml(body, status) with { Fields = [(header, allowed)] },
            _ when operation == Users => Reaction.Xml(body, status),
            _ => Reaction.Json(body, status),
        });
        if (operation == Pods)
        {
            await using var cluster = Kubernetes.ClusterSession.Live(Kubernetes.ClusterSession.Kubeconfig(server.Address), new ImpatientClock());
            var pods = AuditCli.Collectors.Kubernetes.KubernetesSource.Create().FindOperation(operation)!;
            return (await CollectedRows.OfAsync(cluster.Collector, cluster.Transport, cluster.Named, pods, [allowed])).Item;
        }
        await using var aws = Aws.Session.Live(server.Address, new ImpatientClock());
        return (await CollectedRows.OfAsync(aws.Collector, aws.Transport, Aws.Session.Target(), aws.Operation(operation), [allowed])).Item;
    }
}
