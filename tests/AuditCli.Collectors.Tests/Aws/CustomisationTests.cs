using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Amazon.Runtime;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Client;
using AuditCli.Collectors.Tests.Exchanges;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>Tests what boto3 does beyond its models; compare with the calls in <see cref="MotoTests"/>.</summary>
[Collection("environment")]
public sealed class CustomisationTests
{
    [Theory]
    [InlineData("<LocationConstraint>eu-west-1</LocationConstraint>", "eu-west-1")]
    [InlineData("<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">EU</LocationConstraint>", "EU")]
    [InlineData("<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>", null)]
    public async Task The_location_of_a_bucket_is_the_text_of_the_answer_itself(string body, string? location)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(body));
        await using var session = Session.Live(server.Address);

        var answer = await session.CallAsync("s3:GetBucketLocation", ("Bucket", "ledger"));

        Assert.Equal(location, answer.TryGetProperty("LocationConstraint", out var value) ? value.GetString() : null);
    }

    [Theory]
    [InlineData("us-east-1", "123456789012.s3-control.us-east-1.amazonaws.com")]
    [InlineData("cn-north-1", "123456789012.s3-control.cn-north-1.amazonaws.com.cn")]
    public async Task S3_control_is_asked_on_the_accounts_own_host(string region, string host)
    {
        var service = new AwsCatalogue().Service("s3control")!;
        using var wire = new Wire("<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>");
        using var client = new AwsServiceClient(
            service, new BasicAWSCredentials("AKIAIOSFODNN7EXAMPLE", "none"),
            new AwsServiceConfig(service, region, null, null, replay: true), wire, new(null, _ => { }), _ => Task.CompletedTask, _ => null);

        await client.CallAsync(service.Operation("GetPublicAccessBlock")!, new JsonObject { ["AccountId"] = "123456789012" }, CancellationToken.None);

        Assert.Equal(host, wire.Asked!.Host);
    }

    [Theory]
    [InlineData("route53:GetHostedZone", "/hostedzone/Z1D633PJN98FT9", "/2013-04-01/hostedzone/Z1D633PJN98FT9")]
    [InlineData("route53:GetHostedZone", "Z1D633PJN98FT9", "/2013-04-01/hostedzone/Z1D633PJN98FT9")]
    [InlineData("route53:GetChange", "/change/C2682N5HXP0BZ4", "/2013-04-01/change/C2682N5HXP0BZ4")]
    public async Task An_id_of_Route_53_is_asked_for_with_or_without_its_path(string operation, string given, string path)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("<Response/>"));
        await using var session = Session.Live(server.Address);

        await session.CallAsync(operation, ("Id", given));

        Assert.Equal(path, server.Seen[^1].Target);
    }

    [Fact]
    public async Task A_policy_document_is_read_as_the_JSON_that_IAM_encodes_and_other_text_stays_text()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("""
            <ListRolesResponse><ListRolesResult><Roles>
            <member><RoleName>a</RoleName><AssumeRolePolicyDocument>%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%7D%5D%7D</AssumeRolePolicyDocument></member>
            <member><RoleName>b</RoleName><AssumeRolePolicyDocument>no document</AssumeRolePolicyDocument></member>
            </Roles></ListRolesResult></ListRolesResponse>
            """));
        await using var session = Session.Live(server.Address);

        var roles = (await session.CallAsync("iam:ListRoles")).GetProperty("Roles");

        Assert.Equal("Allow", roles[0].GetProperty("AssumeRolePolicyDocument").GetProperty("Statement")[0].GetProperty("Effect").GetString());
        Assert.Equal("no document", roles[1].GetProperty("AssumeRolePolicyDocument").GetString());
    }

    [Theory]
    [InlineData(3, null)]
    [InlineData(int.MaxValue, "ReportNotReady")]
    public async Task A_credential_report_is_waited_for_and_not_for_ever(int startedTimes, string? code)
    {
        var clock = new ImpatientClock();
        var polls = 0;
        var columns = AuditCli.Collectors.Aws.CredentialReport.Columns.Select(c => c.Name).Where(n => n[0] != '_');
        var report = Convert.ToBase64String(Encoding.UTF8.GetBytes(string.Join(',', columns)));
        await using var server = new LoopbackServer((request, _) => request.Body.Contains("GenerateCredentialReport", StringComparison.Ordinal)
            ? Reaction.Xml(
                "<R><GenerateCredentialReportResult>"
                + $"<State>{(polls++ < startedTimes ? "STARTED" : "COMPLETE")}</State></GenerateCredentialReportResult></R>")
            : request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal)
                ? Reaction.Xml(
                    "<R><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a</Arn>"
                    + "<Account>123456789012</Account></GetCallerIdentityResult></R>")
                : Reaction.Xml(
                    $"<R><GetCredentialReportResult><Content>{report}</Content>"
                    + "<GeneratedTime>2026-10-01T00:00:00Z</GeneratedTime></GetCredentialReportResult></R>"));
        await using var session = Session.Live(server.Address, clock);
        await session.CallAsync("sts:GetCallerIdentity");

        if (code is null)
            Assert.Empty((await session.CollectAsync("iam:GetCredentialReport")).SelectMany(p => p.Rows));
        else
            Assert.Equal(code, (await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("iam:GetCredentialReport"))).Code);

        Assert.Equal(code is null ? 4 : 90, polls);
        Assert.Equal(polls - 1, clock.Waits.Count(w => w == TimeSpan.FromSeconds(2)));
    }

    /// <summary>Records the request and answers it, in place of hosts that tests may not reach.</summary>
    private sealed class Wire(string body) : HttpMessageHandler
    {
        public Uri? Asked { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked = request.RequestUri;
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(body), RequestMessage = request });
        }
    }
}
