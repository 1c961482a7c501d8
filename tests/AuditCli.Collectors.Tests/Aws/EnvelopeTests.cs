using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>
/// Reads successes that hold a whole list, and around it something which says that it is not the answer: an error, a flag, an element of the
/// list outside of it, another vocabulary.
/// </summary>
[Collection("environment")]
public sealed class EnvelopeTests
{
    private const string Users = "iam:ListUsers", Keys = "kms:ListKeys", Vpcs = "ec2:DescribeVpcs", Buckets = "s3:ListBuckets";
    private const string Iam = " xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"";
    private const string Row = "<member><UserName>a</UserName></member>";
    private const string List = $"<Users>{Row}</Users><IsTruncated>false</IsTruncated>";
    private const string S3 = "<Owner><ID>a</ID></Owner><Buckets><Bucket><Name>b</Name></Bucket></Buckets>";
    private const string WholeKeys = """{"Keys":[{"KeyId":"a"}],"Truncated":false}""";

    [Theory]
    [InlineData("an element outside its list", Users, $"<ListUsersResponse><ListUsersResult>{List}{Row}</ListUsersResult></ListUsersResponse>")]
    [InlineData(
        "an error in the result", Users,
        $"<ListUsersResponse><ListUsersResult>{List}<Error><Code>Throttling</Code></Error></ListUsersResult></ListUsersResponse>")]
    [InlineData(
        "an error beside the result", Users,
        $"<ListUsersResponse><ListUsersResult>{List}</ListUsersResult><Error><Code>Throttling</Code></Error></ListUsersResponse>")]
    [InlineData(
        "a flag beside the result", Users,
        $"<ListUsersResponse><ListUsersResult>{List}</ListUsersResult><IsTruncated>true</IsTruncated></ListUsersResponse>")]
    [InlineData("a token beside the result", Users, $"<ListUsersResponse><ListUsersResult>{List}</ListUsersResult><Marker>m</Marker></ListUsersResponse>")]
    [InlineData(
        "a token of another name beside it", Users,
        $"<ListUsersResponse><ListUsersResult>{List}</ListUsersResult><NextPage>m</NextPage></ListUsersResponse>")]
    [InlineData("a list beside the result", Users, $"<ListUsersResponse><ListUsersResult>{List}</ListUsersResult><Users/></ListUsersResponse>")]
    [InlineData("another namespace", Users, $"<ListUsersResponse xmlns=\"urn:x\"><ListUsersResult>{List}</ListUsersResult></ListUsersResponse>")]
    [InlineData(
        "a second namespace", Users,
        $"<ListUsersResponse{Iam}><ListUsersResult><Users>{Row}</Users><IsTruncated xmlns=\"urn:x\">false</IsTruncated></ListUsersResult></ListUsersResponse>")]
    [InlineData(
        "another service's namespace inside", Users,
        $"<ListUsersResponse{Iam}><ListUsersResult xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">{List}</ListUsersResult></ListUsersResponse>")]
    [InlineData(
        "a row of nothing", Users,
        "<ListUsersResponse><ListUsersResult><Users><member/></Users><IsTruncated>false</IsTruncated></ListUsersResult></ListUsersResponse>")]
    [InlineData("an error in a list of ec2", Vpcs, "<DescribeVpcsResponse><vpcSet/><Errors><Error><Code>x</Code></Error></Errors></DescribeVpcsResponse>")]
    [InlineData("an element of ec2 outside its list", Vpcs, "<DescribeVpcsResponse><vpcSet/><item><vpcId>v</vpcId></item></DescribeVpcsResponse>")]
    [InlineData("an error in a list of buckets", Buckets, $"<ListAllMyBucketsResult>{S3}<Error><Code>InternalError</Code></Error></ListAllMyBucketsResult>")]
    [InlineData("a bucket outside the list", Buckets, $"<ListAllMyBucketsResult>{S3}<Bucket><Name>c</Name></Bucket></ListAllMyBucketsResult>")]
    [InlineData("a row of nothing in JSON", Keys, """{"Keys":[{}],"Truncated":false}""")]
    [InlineData("a row of other members in JSON", Keys, """{"Keys":[{"foo":1}],"Truncated":false}""")]
    [InlineData("an error in the header", Keys, WholeKeys, "x-amzn-ErrorType")]
    [InlineData("an error of the older form in the header", Keys, WholeKeys, "x-amzn-query-error")]
    [InlineData("a range", Keys, WholeKeys, "Content-Range")]
    [InlineData("two lengths", Keys, WholeKeys, "Content-Length")]
    public async Task A_list_beside_what_contradicts_it_is_malformed(string what, string operation, string body, string? header = null)
    {
        var item = await ItemAsync(operation, body, header);

        Assert.True(item.Code == "MalformedResponse", $"{what}: {item.Outcome} {item.Code} {item.Message}");
        Assert.NotEqual(CollectionOutcome.Complete, item.Outcome);
    }

    [Theory]
    [InlineData(
        Users,
        $"<ListUsersResponse{Iam}><ListUsersResult>{List}</ListUsersResult><ResponseMetadata>"
        + $"<RequestId>r</RequestId></ResponseMetadata></ListUsersResponse>")]
    [InlineData(Users, $"<ListUsersResponse><ListUsersResult>{List}<Added>x</Added></ListUsersResult><Added/></ListUsersResponse>")]
    [InlineData(
        Vpcs,
        "<DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>"
        + "<vpcSet><item><vpcId>v</vpcId></item></vpcSet></DescribeVpcsResponse>")]
    [InlineData(Buckets, $"<?xml version=\"1.0\"?>\n<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{S3}</ListAllMyBucketsResult>")]
    [InlineData(Keys, WholeKeys)]
    [InlineData(Keys, """{"Keys":[{"KeyId":"a"}],"Truncated":false,"added":{"x":1}}""")]
    public async Task A_list_with_members_that_were_added_is_whole(string operation, string body)
    {
        var item = await ItemAsync(operation, body, null);

        Assert.True(item.Outcome == CollectionOutcome.Complete, $"{item.Code} {item.Message}");
        Assert.Equal(1, item.Items);
    }

    private static async Task<EvidenceItem> ItemAsync(string operation, string body, string? header)
    {
        await using var server = new LoopbackServer((request, _) =>
            request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal)
                ? Reaction.Xml(
                    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a</Arn>"
                    + "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
                : (body[0] == '<' ? Reaction.Xml(body) : Reaction.Json(body)) with
                {
                    Fields = header switch
                    {
                        null => [],
                        "Content-Range" => [(header, "bytes 0-100/999")],
                        "Content-Length" => [(header, "5")],
                        _ => [(header, "ThrottlingException")],
                    },
                });
        await using var session = Session.Live(server.Address, new ImpatientClock());
        return (await CollectedRows.OfAsync(session.Collector, session.Transport, Session.Target(), session.Operation(operation))).Item;
    }
}
