using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Running;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Collectors.Tests.Running;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using Xunit.Abstractions;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>Checks that an incomplete or malformed list is never taken for a complete list without elements.</summary>
[Collection("environment")]
public sealed class WholeAnswerTests(ITestOutputHelper output)
{
    private const string Users = "iam:ListUsers", Keys = "kms:ListKeys", Functions = "lambda:ListFunctions", Vpcs = "ec2:DescribeVpcs",
        Buckets = "s3:ListBuckets", Zones = "route53:ListHostedZones", Distributions = "cloudfront:ListDistributions",
        Tables = "dynamodb:ListTables", Password = "iam:GetAccountPasswordPolicy",
        Analyzers = "accessanalyzer:ListAnalyzers", Versioning = "s3:GetBucketVersioning", Status = "kms:GetKeyRotationStatus";

    private static readonly Reaction Caller = Reaction.Xml(
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a</Arn>"
        + "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>");

    [Theory]
    [InlineData("a part of an answer", Keys, 206, """{"Keys":[],"Truncated":false}""")]
    [InlineData(
        "a part of an answer in XML", Users, 206,
        "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated><Users/></ListUsersResult></ListUsersResponse>")]
    [InlineData("an answer that was accepted", Functions, 202, """{"Functions":[]}""")]
    [InlineData("no content", Functions, 204, "")]
    [InlineData("no content with a body", Keys, 204, "")]
    [InlineData("an error", Keys, 200, """{"error":{"code":500}}""")]
    [InlineData("an error in another case", Functions, 200, """{"Error":{"Code":"AccessDenied"}}""")]
    [InlineData("an error beside a list", Functions, 200, """{"Functions":[],"error":"no"}""")]
    [InlineData("a proxy's words", Functions, 200, """{"message":"blocked by proxy"}""")]
    [InlineData("a proxy's words for a list of texts", Tables, 200, """{"message":"blocked by proxy"}""")]
    [InlineData("a type", Tables, 200, """{"__type":"com.amazonaws.dynamodb#AccessDeniedException","Message":"no"}""")]
    [InlineData("a type beside a list", Tables, 200, """{"TableNames":[],"__type":"AccessDeniedException"}""")]
    [InlineData("words in place of a flag", Status, 200, """{"message":"blocked by proxy"}""")]
    [InlineData("a list twice", Keys, 200, """{"Keys":[{"KeyId":"a"}],"Keys":[],"Truncated":false}""")]
    [InlineData("a name twice, deep inside", Keys, 200, """{"Keys":[{"KeyId":"a","KeyId":"b"}],"Truncated":false}""")]
    [InlineData("the list in another case", Functions, 200, """{"functions":[{"FunctionName":"a"}]}""")]
    [InlineData("the list in both cases", Functions, 200, """{"Functions":[],"functions":[{"FunctionName":"a"}]}""")]
    [InlineData("an element's member in another case", Functions, 200, """{"Functions":[{"functionName":"a"}]}""")]
    [InlineData("a member below an element in another case", Functions, 200, """{"Functions":[{"FunctionName":"a","VpcConfig":{"subnetIds":[]}}]}""")]
    [InlineData("the list under another name, and a known member", Keys, 200, """{"AllKeys":[{"KeyId":"a"}],"Truncated":false}""")]
    [InlineData("a list that the model requires", Analyzers, 200, """{"nextToken":null}""")]
    [InlineData("a list that the model requires as null", Analyzers, 200, """{"analyzers":null}""")]
    [InlineData("nothing where the model requires a list", Analyzers, 200, "{}")]
    [InlineData("a token in another case", Functions, 200, """{"Functions":[{"FunctionName":"a"}],"nextMarker":"t"}""")]
    [InlineData("a token under another name", Functions, 200, """{"Functions":[{"FunctionName":"a"}],"NextToken":"t"}""")]
    [InlineData(
        "a list in XML twice", Users, 200,
        "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated><Users/><Users><member>"
        + "<UserName>a</UserName></member></Users></ListUsersResult></ListUsersResponse>")]
    [InlineData(
        "a result twice", Users, 200,
        "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated><Users/></ListUsersResult><ListUsersResult>"
        + "<Users/></ListUsersResult></ListUsersResponse>")]
    [InlineData(
        "a list in XML in another case", Users, 200,
        "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated><users><member>"
        + "<UserName>a</UserName></member></users></ListUsersResult></ListUsersResponse>")]
    [InlineData("no list in XML", Users, 200, "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated></ListUsersResult></ListUsersResponse>")]
    [InlineData(
        "a list in XML that is a text", Users, 200,
        "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated><Users>none</Users></ListUsersResult></ListUsersResponse>")]
    [InlineData(
        "a list in XML of other things", Users, 200,
        "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated><Users>"
        + "<error>x</error></Users></ListUsersResult></ListUsersResponse>")]
    [InlineData("no list of ec2", Vpcs, 200, "<DescribeVpcsResponse><requestId>r</requestId></DescribeVpcsResponse>")]
    [InlineData("two lists of ec2", Vpcs, 200, "<DescribeVpcsResponse><vpcSet/><vpcSet><item><vpcId>v</vpcId></item></vpcSet></DescribeVpcsResponse>")]
    [InlineData("a list of ec2 in another case", Vpcs, 200, "<DescribeVpcsResponse><VpcSet><item><vpcId>v</vpcId></item></VpcSet></DescribeVpcsResponse>")]
    [InlineData("no buckets", Buckets, 200, "<ListAllMyBucketsResult><Owner><ID>a</ID></Owner></ListAllMyBucketsResult>")]
    [InlineData("words of a proxy in XML", Buckets, 200, "<message>blocked by proxy</message>")]
    [InlineData("words of a proxy for one row", Versioning, 200, "<message>blocked by proxy</message>")]
    [InlineData("other elements for one row", Versioning, 200, "<answer><blocked>by proxy</blocked></answer>")]
    [InlineData(
        "other elements in a result", Password, 200,
        "<GetAccountPasswordPolicyResponse><GetAccountPasswordPolicyResult>"
        + "<message>no</message></GetAccountPasswordPolicyResult></GetAccountPasswordPolicyResponse>")]
    [InlineData("no zones", Zones, 200, "<ListHostedZonesResponse><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesResponse>")]
    [InlineData(
        "fewer distributions than it says", Distributions, 200,
        "<DistributionList><IsTruncated>false</IsTruncated><Quantity>1</Quantity></DistributionList>")]
    public async Task A_list_that_is_not_whole_is_malformed(string what, string operation, int status, string body)
    {
        var item = await ItemAsync(operation, Answer(body, status));

        Assert.True(item.Code == "MalformedResponse", $"{what}: {item.Outcome} {item.Code} {item.Message}");
        Assert.Equal(CollectionOutcome.Failed, item.Outcome);
        Assert.Equal(status, item.Exchanges[^1].Status);
    }

    [Theory]
    [InlineData(Users, "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated><Users/><Marker>m</Marker></ListUsersResult></ListUsersResponse>")]
    [InlineData(Keys, """{"Keys":[{"KeyId":"a"}],"Truncated":false,"NextMarker":"m"}""")]
    [InlineData(Distributions, "<DistributionList><IsTruncated>false</IsTruncated><NextMarker>m</NextMarker><Quantity>0</Quantity></DistributionList>")]
    [InlineData(Functions, """{"Functions":[],"NextMarker":7}""")]
    [InlineData(Functions, """{"Functions":[],"NextMarker":{"next":"m"}}""")]
    [InlineData("kinesis:ListStreams", """{"StreamNames":["a"]}""")]
    public async Task A_token_that_is_not_followed_leaves_the_evidence_incomplete(string operation, string body)
    {
        var item = await ItemAsync(operation, Answer(body, 200));

        Assert.Equal((CollectionOutcome.Incomplete, "MalformedResponse"), (item.Outcome, item.Code));
    }

    [Fact]
    public async Task A_token_without_the_flag_is_followed()
    {
        await using var server = new LoopbackServer((request, _) => Reaction.Xml(request.Body.Contains("Marker=m", StringComparison.Ordinal)
            ? "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated><Users><member>"
                + "<UserName>b</UserName></member></Users></ListUsersResult></ListUsersResponse>"
            : "<ListUsersResponse><ListUsersResult><Users><member><UserName>a</UserName></member></Users>"
                + "<Marker>m</Marker></ListUsersResult></ListUsersResponse>"));
        await using var session = Session.Live(server.Address);

        Assert.Equal(2, (await session.CallAsync(Users)).GetProperty("Users").GetArrayLength());
    }

    [Theory]
    [InlineData(Functions, "{}")]
    [InlineData(Functions, """{"Functions":null,"NextMarker":null}""")]
    [InlineData(Functions, """{"Functions":[],"aNewMember":"x"}""")]
    [InlineData(Tables, """{"TableNames":[],"__type":"com.amazonaws.dynamodb#ListTablesOutput"}""")]
    [InlineData(Keys, """{"Truncated":false}""")]
    [InlineData(Analyzers, """{"analyzers":[]}""")]
    [InlineData(
        Users,
        "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated><Users/></ListUsersResult><ResponseMetadata>"
        + "<RequestId>r</RequestId></ResponseMetadata></ListUsersResponse>")]
    [InlineData(Vpcs, "<DescribeVpcsResponse><requestId>r</requestId><vpcSet/></DescribeVpcsResponse>")]
    [InlineData(Buckets, "<ListAllMyBucketsResult><Owner><ID>a</ID></Owner><Buckets/></ListAllMyBucketsResult>")]
    [InlineData(Distributions, "<DistributionList><Marker/><MaxItems>100</MaxItems><IsTruncated>false</IsTruncated><Quantity>0</Quantity></DistributionList>")]
    public async Task Every_form_in_which_a_service_writes_an_empty_list_is_read(string operation, string body)
    {
        var item = await ItemAsync(operation, Answer(body, 200));

        Assert.True(item.Outcome == CollectionOutcome.Complete, item.Message);
        Assert.Equal(0, item.Items);
    }

    /// <summary>
    /// Skips changes whose result is another valid response: JSON services omit empty lists, and without a flag a page without a token is
    /// the last one.
    /// </summary>
    [Fact]
    public async Task A_changed_answer_is_complete_only_with_the_same_rows()
    {
        Session? session = null;
        var answers = new ChangedAnswers(output, operation => RowsAsync(session!, operation));
        await using var server = new LoopbackServer((request, _) =>
        {
            if (request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal))
                return Caller;
            var (body, status) = answers.Page((request.Target + request.Body).Contains("second-page", StringComparison.Ordinal) ? 1 : 0);
            return Answer(body, status);
        });
        await using var live = session = Session.Live(server.Address, new ImpatientClock());
        await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None);

        await answers.AreCompleteOnlyWithTheSameRowsAsync(
            Honest(), l => (l.Operation, l.Pages),
            (lot, l) => l.Pages[0][0] == '<'
                ? MutatedXml.Of(lot, l.Pages, Around, IsToken)
                : Mutation.Of(lot, l.Pages, r => r.EnumerateObject().Select(m => ImmutableArray.Create(m.Name)), p => IsToken(p[0])),
            (l, m) => m.Path is [.., var last] && l.Optional.Contains(last) && IsGone(m, last));
    }

    [Fact]
    public async Task A_changed_row_is_complete_only_as_it_was_said()
    {
        Session? session = null;
        var changed = new ChangedRows(output, operation =>
            CollectedRows.OfAsync(session!.Collector, session.Transport, Session.Target(), session.Operation(operation)));
        await using var server = new LoopbackServer((request, _) =>
            request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal) ? Caller : Answer(changed.Body, 200));
        await using var live = session = Session.Live(server.Address, new ImpatientClock());

        await changed.AreKeptAsTheyWereSaidAsync(
        [
            new(Keys, "{\"Truncated\":false,\"Keys\":[", ["""{"KeyId":"a","KeyArn":"arn:aws:kms:us-east-1:123456789012:key/a"}""", """{"KeyId":"b"}"""], "]}"),
            new(Functions, "{\"Functions\":[",
            [
                """{"FunctionName":"a","MemorySize":128,"Runtime":"python3.13","Architectures":["x86_64"],"VpcConfig":{"SubnetIds":["s"],"VpcId":"v","Ipv6AllowedForDualStack":false},"TracingConfig":{"Mode":"Active"}}""",
                """{"FunctionName":"b","Timeout":3}""",
            ], "]}"),
            new(Analyzers, "{\"analyzers\":[",
            [
                """{"name":"a","arn":"arn:a","type":"ACCOUNT","status":"ACTIVE","createdAt":"2026-01-01T00:00:00Z","tags":{"owner":"x"}}""",
                """{"name":"b","arn":"arn:b","type":"ACCOUNT","status":"DISABLED","createdAt":"2026-01-02T00:00:00Z"}""",
            ], "]}"),
            new("cloudtrail:DescribeTrails", "{\"trailList\":[",
            [
                """{"Name":"a","IsMultiRegionTrail":true,"LogFileValidationEnabled":false,"S3BucketName":"logs"}""",
                """{"Name":"b","IsMultiRegionTrail":false,"HomeRegion":"us-east-1"}""",
            ], "]}"),
            new("ecr:DescribeRepositories", "{\"repositories\":[",
            [
                """{"repositoryName":"a","createdAt":1767225600.0,"imageTagMutability":"IMMUTABLE","imageScanningConfiguration":{"scanOnPush":true}}""",
                """{"repositoryName":"b","imageScanningConfiguration":{"scanOnPush":false}}""",
            ], "]}"),
        ], member => [member], leavesOut: true);
    }

    /// <summary>Applies every change to every element of a row in XML. The response contains the row twice.</summary>
    [Theory]
    [InlineData(Users, "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated><Users>{0}</Users></ListUsersResult></ListUsersResponse>",
        "<member><UserName>a</UserName><Arn>arn:aws:iam::123456789012:user/a</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>"
        + "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType></PermissionsBoundary></member>")]
    [InlineData(
        "ec2:DescribeSecurityGroups",
        "<DescribeSecurityGroupsResponse><requestId>r</requestId>"
        + "<securityGroupInfo>{0}</securityGroupInfo></DescribeSecurityGroupsResponse>",
        "<item><groupId>sg-1</groupId><groupName>a</groupName><ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort>"
        + "<ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item></ipPermissions></item>")]
    [InlineData(
        Vpcs, "<DescribeVpcsResponse><requestId>r</requestId><vpcSet>{0}</vpcSet></DescribeVpcsResponse>",
        "<item><vpcId>v1</vpcId><isDefault>true</isDefault><cidrBlock>10.0.0.0/8</cidrBlock></item>")]
    [InlineData(Distributions, "<DistributionList><IsTruncated>false</IsTruncated><Quantity>2</Quantity><Items>{0}</Items></DistributionList>",
        "<DistributionSummary><Id>E1</Id><Enabled>false</Enabled><Aliases><Quantity>1</Quantity><Items>"
        + "<CNAME>a.example</CNAME></Items></Aliases></DistributionSummary>")]
    public async Task A_changed_element_of_a_row_is_complete_only_as_it_was_said(string operation, string answer, string row)
    {
        var body = "";
        await using var server = new LoopbackServer((request, _) =>
            request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal) ? Caller : Answer(body, 200));
        await using var session = Session.Live(server.Address, new ImpatientClock());
        var whole = await CollectAsync(row);
        Assert.True(whole.Item.Outcome == CollectionOutcome.Complete && whole.Rows.Length == 2, whole.Item.Message);
        var tried = 0;
        foreach (var (change, text, path, said) in MutatedXml.OfRow(row))
        {
            tried++;
            var (item, rows) = await CollectAsync(text);
            if (item.Outcome != CollectionOutcome.Complete)
                continue;
            Assert.False(change is Change.Duplicate or Change.Case, $"{change} {text}");
            var column = item.Columns.Single(c => c.Name.Equals(path[0], StringComparison.OrdinalIgnoreCase));
            Assert.Equal(Without(whole.Rows[1], "_ref"), Without(rows[1], "_ref"));
            Assert.Equal(Without(whole.Rows[0], "_ref", column.Name), Without(rows[0], "_ref", column.Name));
            // A member of the row itself must have the changed value, or be absent if that says nothing.
            if (path.Length == 1)
                Assert.True(rows[0].TryGetProperty(column.Name, out var found) ? IsSaid(found, said) : said is null, $"{change} {text}: {rows[0]}");
        }
        Assert.InRange(tried, 15, 1000);

        Task<(EvidenceItem Item, ImmutableArray<JsonElement> Rows)> CollectAsync(string first)
        {
            body = answer.Replace("{0}", first + Another(row), StringComparison.Ordinal);
            return CollectedRows.OfAsync(session.Collector, session.Transport, Session.Target(), session.Operation(operation));
        }

        // No list of resources has the same one twice.
        static string Another(string one) => new[] { (":user/a<", ":user/b<"), (">v1<", ">v2<"), (">sg-1<", ">sg-2<") }
            .Aggregate(one, (text, r) => text.Replace(r.Item1, r.Item2, StringComparison.Ordinal));

        static bool IsSaid(JsonElement found, string? said) => found.ValueKind switch
        {
            // A time can also be given in seconds.
            JsonValueKind.String => found.GetString() == said
                || long.TryParse(said, CultureInfo.InvariantCulture, out var seconds)
                    && found.TryGetDateTimeOffset(out var instant)
                    && instant == DateTimeOffset.FromUnixTimeSeconds(seconds),
            JsonValueKind.Object or JsonValueKind.Array => found.GetRawText() is "{}" or "[]" && string.IsNullOrEmpty(said),
            _ => found.GetRawText() == said,
        };

        static string Without(JsonElement row, params string[] columns) =>
            string.Join('\n', row.EnumerateObject().Where(m => !columns.Contains(m.Name)).Select(m => m.ToString()));
    }

    /// <summary>Tests entries of a map with a part twice or missing, and a repeated key.</summary>
    [Theory]
    [InlineData("<entry><key>Users</key><key>Groups</key><value>1</value></entry>")]
    [InlineData("<entry><key>Users</key><value>1</value><value>2</value></entry>")]
    [InlineData("<entry><key>Users</key></entry>")]
    [InlineData("<entry><value>1</value></entry>")]
    [InlineData("<entry><key>Users</key><Value>1</Value></entry>")]
    [InlineData("<entry><key>Users</key><value>1</value></entry><entry><key>Users</key><value>2</value></entry>")]
    [InlineData("<other><key>Users</key><value>1</value></other>")]
    public async Task A_map_whose_entries_are_not_whole_is_malformed(string entries)
    {
        var item = await ItemAsync(
            "iam:GetAccountSummary",
            Answer(
                "<GetAccountSummaryResponse><GetAccountSummaryResult>"
                + $"<SummaryMap>{entries}</SummaryMap></GetAccountSummaryResult></GetAccountSummaryResponse>",
                200));

        Assert.True(item.Code == "MalformedResponse", $"{item.Outcome} {item.Code} {item.Message}");
    }

    /// <summary>Returns operations of every protocol, with the members that a valid response may lack.</summary>
    private static (string Operation, string[] Pages, string[] Optional)[] Honest() =>
    [
        (Users,
        [
            "<ListUsersResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ListUsersResult><IsTruncated>true</IsTruncated>"
            + "<Users><member><UserName>a</UserName></member><member><UserName>b</UserName></member></Users><Marker>second-page</Marker>"
            + "</ListUsersResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></ListUsersResponse>",
            "<ListUsersResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ListUsersResult><IsTruncated>false</IsTruncated>"
            + "<Users><member><UserName>c</UserName></member></Users></ListUsersResult></ListUsersResponse>",
        ], []),
        (Vpcs,
        [
            "<DescribeVpcsResponse><requestId>r</requestId><vpcSet><item><vpcId>v1</vpcId></item></vpcSet>"
            + "<nextToken>second-page</nextToken></DescribeVpcsResponse>",
            "<DescribeVpcsResponse><requestId>r</requestId><vpcSet><item><vpcId>v2</vpcId></item></vpcSet></DescribeVpcsResponse>",
        ], ["nextToken"]),
        (Keys, ["""{"Keys":[{"KeyId":"a"}],"Truncated":true,"NextMarker":"second-page"}""", """{"Keys":[{"KeyId":"b"}],"Truncated":false}"""], ["Keys"]),
        (Functions,
            [
                """{"Functions":[{"FunctionName":"a"}],"NextMarker":"second-page"}""",
                """{"Functions":[{"FunctionName":"b"}],"NextMarker":null}""",
            ],
            ["Functions", "NextMarker"]),
        (Analyzers, ["""{"analyzers":[{"name":"a"}],"nextToken":"second-page"}""", """{"analyzers":[{"name":"b"}]}"""], ["nextToken"]),
        (Tables, ["""{"TableNames":["a"],"LastEvaluatedTableName":"second-page"}""", """{"TableNames":["b"]}"""], ["TableNames", "LastEvaluatedTableName"]),
        (Buckets, ["<ListAllMyBucketsResult><Owner><ID>a</ID></Owner><Buckets><Bucket><Name>a</Name></Bucket></Buckets></ListAllMyBucketsResult>"], []),
        (Zones,
        [
            "<ListHostedZonesResponse><HostedZones><HostedZone><Id>/hostedzone/Z1</Id></HostedZone></HostedZones>"
            + "<IsTruncated>true</IsTruncated><NextMarker>second-page</NextMarker><MaxItems>1</MaxItems></ListHostedZonesResponse>",
            "<ListHostedZonesResponse><HostedZones><HostedZone><Id>/hostedzone/Z2</Id></HostedZone></HostedZones>"
            + "<IsTruncated>false</IsTruncated><MaxItems>1</MaxItems></ListHostedZonesResponse>",
        ], []),
        (Distributions,
        [
            "<DistributionList><Marker/><NextMarker>second-page</NextMarker><MaxItems>1</MaxItems><IsTruncated>true</IsTruncated>"
            + "<Quantity>1</Quantity><Items><DistributionSummary><Id>E1</Id></DistributionSummary></Items></DistributionList>",
            "<DistributionList><Marker/><MaxItems>1</MaxItems><IsTruncated>false</IsTruncated><Quantity>1</Quantity><Items>"
            + "<DistributionSummary><Id>E2</Id></DistributionSummary></Items></DistributionList>",
        ], []),
    ];

    private static bool IsToken(string name) => name.Contains("Marker", StringComparison.Ordinal) || name.Contains("oken", StringComparison.Ordinal)
        || name.Contains("Truncated", StringComparison.Ordinal) || name.StartsWith("LastEval", StringComparison.Ordinal);

    /// <summary>Returns whether a member was removed or is null.</summary>
    private static bool IsGone(Mutation mutation, string name) =>
        mutation.Change == Change.Drop || mutation.Change == Change.Retype && mutation.Body.Contains($"\"{name}\":null", StringComparison.Ordinal);

    /// <summary>Returns all elements except the root and those that hold the rows.</summary>
    private static IEnumerable<ImmutableArray<string>> Around(XElement root) =>
        root.Elements().Where(e => e.Name.LocalName is not ("ResponseMetadata" or "Owner" or "requestId")).SelectMany(e =>
            e.Name.LocalName.EndsWith("Result", StringComparison.Ordinal)
                ? e.Elements().Select(c => ImmutableArray.Create(e.Name.LocalName, c.Name.LocalName)).Prepend([e.Name.LocalName])
                : [ImmutableArray.Create(e.Name.LocalName)]);

    private static Reaction Answer(string body, int status) => new(
        status, body.StartsWith('<') ? "text/xml" : "application/x-amz-json-1.1", Encoding.UTF8.GetBytes(status is 204 or 205 ? "" : body));

    private static async Task<string?> RowsAsync(Session session, string operation)
    {
        try
        {
            return string.Join('\n', (await session.CollectAsync(operation)).SelectMany(p => p.Rows).Select(r => r.Value.GetRawText()));
        }
        catch (CollectionException)
        {
            return null;
        }
    }

    private static async Task<EvidenceItem> ItemAsync(string operation, Reaction answer)
    {
        await using var server = new LoopbackServer((request, _) => request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal) ? Caller : answer);
        await using var session = Session.Live(server.Address, new ImpatientClock());
        var parameters = operation switch
        {
            Versioning => Session.Parameters(("Bucket", "b")),
            Status => Session.Parameters(("KeyId", "k")),
            _ => Session.Parameters(),
        };
        var plan = new CollectionPlan(
            [new(
                "rows", "prod", session.Operation(operation), parameters, null, ImmutableSortedDictionary<string, string>.Empty, [], null,
                [])],
            [], []);
        await using var bundle = BundleWriter.Create(Path.Combine(session.Folder, "out"), "a-bundle");
        var run = new CollectionRun(
            plan, ImmutableDictionary<string, ICollector>.Empty.Add("aws", session.Collector), session.Transport, bundle,
            TimeProvider.System, new ConcurrencyLimit(RequestLimits.Default), _ => { });
        return Assert.Single((await run.RunAsync([Session.Target()], [], CancellationToken.None)).Items);
    }
}
