using System.Text;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Tests.Exchanges;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>
/// Checks that what the catalogue marks as sensitive is removed before anything is written, and that nothing a collector needs is removed
/// with it.
/// </summary>
[Collection("environment")]
public sealed class AnswerSecretsTests
{
    /// <summary>A token that looks like a credential and is also marked as sensitive.</summary>
    private const string Token = "eyJhbGciOiJub25lIn0.eyJwYWdlIjoyfQ0K.c2lnbmF0dXJl";

    [Fact]
    public async Task A_page_token_that_the_model_calls_sensitive_reads_on_and_all_else_that_it_calls_so_is_gone_live_and_replayed()
    {
        await using var server = new LoopbackServer((_, n) => Reaction.Json(n == 0
            ? $$$"""{"Channels":[{"Name":"MARKER one","ChannelArn":"arn:1","Metadata":"MARKER two"}],"NextToken":"{{{Token}}}"}"""
            : """{"Channels":[{"Name":"MARKER three","ChannelArn":"arn:2"}]}"""));
        await using var live = Session.Live(server.Address);
        var trail = live.Transport.BeginTrail();

        var channels = await live.CallAsync("chime-sdk-messaging:ListChannels", ("AppInstanceArn", "arn:app"), ("ChimeBearer", "arn:me"));
        var listed = trail.Drain().SelectMany(r => r.Redactions).ToArray();
        var written = string.Join('\n', (await live.RecordedAsync("chime-sdk-messaging")).Select(r => Encoding.UTF8.GetString(r.Exchange.Response!.Body.Span)));
        await using var replay = Session.Replay(live);
        var again = replay.Transport.BeginTrail();
        var replayed = await replay.CallAsync("chime-sdk-messaging:ListChannels", ("AppInstanceArn", "arn:app"), ("ChimeBearer", "arn:me"));

        Assert.Contains($"next-token={Token}", server.Seen[1].Target, StringComparison.Ordinal);
        Assert.Equal(["arn:1", "arn:2"], channels.GetProperty("Channels").EnumerateArray().Select(c => c.GetProperty("ChannelArn").GetString()));
        Assert.DoesNotContain("MARKER", written, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", channels.ToString(), StringComparison.Ordinal);
        Assert.Equal(["sensitive", "sensitive", "sensitive"], listed.Select(r => r.Rule));
        Assert.EndsWith("#/Channels/0/Name", listed[0].Pointer, StringComparison.Ordinal);
        Assert.Equal(channels.ToString(), replayed.ToString());
        Assert.Equal(listed.Select(r => (r.Rule, r.Digest)), again.Drain().SelectMany(r => r.Redactions).Select(r => (r.Rule, r.Digest)));
    }

    [Fact]
    public async Task An_answer_in_XML_is_emptied_where_its_model_says_so()
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml(
            "<DistributionConfig><CallerReference>kept</CallerReference><Comment>kept too</Comment><Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id>"
            + "<CustomHeaders><Quantity>1</Quantity><Items><OriginCustomHeader><HeaderName>X-Origin</HeaderName>"
            + "<HeaderValue>MARKER</HeaderValue></OriginCustomHeader></Items></CustomHeaders>"
            + "</Origin></Items></Origins></DistributionConfig>"));
        await using var live = Session.Live(server.Address);

        var answer = (await live.CallAsync("cloudfront:GetDistributionConfig", ("Id", "E1"))).ToString();
        var written = Encoding.UTF8.GetString(Assert.Single(await live.RecordedAsync("cloudfront")).Exchange.Response!.Body.Span);

        Assert.All([answer, written], text =>
        {
            Assert.DoesNotContain("MARKER", text, StringComparison.Ordinal);
            Assert.Contains("hmac-sha256:", text, StringComparison.Ordinal);
            Assert.Contains("X-Origin", text, StringComparison.Ordinal);
            Assert.Contains("kept too", text, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("sagemaker:DescribeProcessingJob", """{"ProcessingJobName":"kept","Environment":{"D":"MARKER"}}""")]
    [InlineData("sagemaker:DescribeModel", """{"ModelName":"kept","PrimaryContainer":{"Environment":{"D":"MARKER"}}}""")]
    [InlineData("appsync:ListApiKeys", """{"apiKeys":[{"id":"MARKER","description":"kept"}]}""")]
    [InlineData("events:ListTargetsByRule", """{"Targets":[{"Id":"kept","HttpParameters":{"HeaderParameters":{"Authorization":"MARKER"}}}]}""")]
    [InlineData("glue:GetJobRun", """{"JobRun":{"JobName":"kept","Arguments":{"--db":"MARKER"}}}""")]
    [InlineData("apigateway:GetStage", """{"stageName":"kept","variables":{"db":"MARKER"}}""")]
    [InlineData(
        "ecs:DescribeTaskDefinition",
        """{"taskDefinition":{"containerDefinitions":[{"name":"kept","environment":[{"name":"DB","value":"MARKER"}]}]}}""")]
    [InlineData("stepfunctions:DescribeStateMachine", """{"name":"kept","definition":"MARKER"}""")]
    [InlineData(
        "iam:ListVirtualMFADevices",
        "<ListVirtualMFADevicesResponse><ListVirtualMFADevicesResult><VirtualMFADevices><member><SerialNumber>kept</SerialNumber>"
        + "<QRCodePNG>MARKER</QRCodePNG></member></VirtualMFADevices></ListVirtualMFADevicesResult></ListVirtualMFADevicesResponse>")]
    [InlineData(
        "rds:DescribeOptionGroups",
        "<DescribeOptionGroupsResponse><DescribeOptionGroupsResult><OptionGroupsList><OptionGroup>"
        + "<OptionGroupName>kept</OptionGroupName><Options><Option><OptionSettings><OptionSetting>"
        + "<Value>MARKER</Value></OptionSetting></OptionSettings></Option></Options></OptionGroup></OptionGroupsList>"
        + "</DescribeOptionGroupsResult></DescribeOptionGroupsResponse>")]
    // Members that the catalogue does not know, below a sensitive one.
    [InlineData("auditmanager:GetAssessment", """{"assessment":{"framework":{"controlSets":[{"id":"kept","new":{"deep":["MARKER"]}}]}}}""")]
    [InlineData("codebuild:BatchGetReports", """{"reports":[{"name":"kept"}],"new":"kept"}""")]
    public void What_is_sensitive_or_named_goes_and_its_neighbours_stay(string operation, string answer)
    {
        var clean = Clean(operation, answer);

        Assert.DoesNotContain("MARKER", clean, StringComparison.Ordinal);
        Assert.Contains("kept", clean, StringComparison.Ordinal);
        Assert.Equal(answer.Contains("MARKER", StringComparison.Ordinal), clean.Contains("hmac-sha256:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("apigateway:GetApiKeys", """{"item":[{"id":"kept","name":"kept"}],"apiKeys":[{"id":"kept"}]}""")]
    [InlineData("codebuild:BatchGetProjects", """{"projects":[{"environment":{"type":"LINUX_CONTAINER","image":"kept","privilegedMode":true}}]}""")]
    [InlineData(
        "identitystore:ListUsers",
        """{"Users":[{"UserName":"elena.marsh","DisplayName":"Elena Marsh","Emails":[{"Value":"elena.marsh@northquay.example"}]}]}""")]
    [InlineData(
        "ecs:DescribeTaskDefinition",
        """{"tags":[{"key":"owner","value":"trading"}],"taskDefinition":{"containerDefinitions":[{"environment":[{"name":"DB"}]}]}}""")]
    [InlineData("backup:ListTags", """{"Tags":{"owner":"trading"}}""")]
    [InlineData(
        "ec2:DescribeInstances",
        "<DescribeInstancesResponse><reservationSet><item><instancesSet><item>"
        + "<privateIpAddress>10.0.0.1</privateIpAddress></item></instancesSet></item></reservationSet></DescribeInstancesResponse>")]
    public void What_another_service_means_by_the_same_word_stays_and_so_does_who_somebody_is(string operation, string answer) =>
        Assert.Equal(answer, Clean(operation, answer));

    [Fact]
    public void Of_a_path_that_may_be_several_operations_what_any_calls_sensitive_goes_and_every_token_stays()
    {
        var service = new AwsCatalogue().Service("chime-sdk-messaging")!;
        var places = AnswerSecrets.Of(service, [service.Operation("ListChannels")!, service.Operation("DescribeChannel")!])!;

        Assert.Equal("sensitive", places([("Channel", -1), ("Name", -1)])!.Name);
        Assert.Equal("sensitive", places([("Channels", -1), (null, 0), ("Name", -1)])!.Name);
        Assert.Same(RedactedPlace.Stays, places([("NextToken", -1)]));
        Assert.Null(places([("Channels", -1), (null, 0), ("ChannelArn", -1)]));
    }

    [Fact]
    public void Every_service_that_has_places_or_exceptions_of_its_own_is_in_the_catalogue()
    {
        var known = new AwsCatalogue().ServiceNames;
        Assert.All(AwsSecretPlaces.Services.Concat(AwsKeptMembers.All.SelectMany(k => k.Services.Split(' '))).Where(s => s != "*"), s =>
            Assert.Contains(s, known));
    }

    [Fact]
    public void What_stands_in_a_header_is_sensitive_only_where_it_names_a_key()
    {
        var catalogue = new AwsCatalogue();
        Assert.Equal(
            ["s3:HeadObject:SSEKMSKeyId"],
            catalogue.ServiceNames.Select(n => catalogue.Service(n)!).SelectMany(s => s.OperationNames
                .Select(s.Operation)
                .Where(o => o!.Output is not null)
                .SelectMany(o => ((ShapeModel.Structure)s.Shape(o!.Output!)).Members
                    .Where(m => m.Sensitive && m.Location != MemberLocation.Body)
                    .Select(m => $"{s.Name}:{o.Name}:{m.Name}"))));
    }

    private static string Clean(string operation, string answer)
    {
        var (service, found) = new AwsCatalogue().Find(operation)!.Value;
        return Encoding.UTF8.GetString(new BodyRedaction(new byte[32]).Apply(Encoding.UTF8.GetBytes(answer), AnswerSecrets.Of(service, [found])).Body.Span);
    }
}
