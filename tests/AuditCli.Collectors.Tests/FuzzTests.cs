using System.Collections.Immutable;
using System.Text;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Collectors.Files;
using AuditCli.Collectors.Gcp.Catalogue;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests;

/// <summary>Checks that registers and provider responses with arbitrary changes are either read or refused in the documented way.</summary>
public sealed class FuzzTests
{
    [Fact]
    public void A_changed_register_is_read_or_named_as_none()
    {
        var planned = new PlannedInput(
            "k", "approvals",
            [
                new("item", ColumnType.Text), new("approved_by", ColumnType.Text), new("approved_on", ColumnType.Date),
                new("n", ColumnType.Decimal), new("ok", ColumnType.Boolean),
            ],
            [])
        {
            Keys = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty.Add("item", []),
        };
        Fuzz.Changed(
            [
                .. Directory.EnumerateFiles(Repository.Path("samples", "inputs"), "*.csv")
                    .Order(StringComparer.Ordinal)
                    .Select(File.ReadAllBytes),
                "item,approved_by,approved_on,n,ok\na,\"B, C\",2026-01-02,1.5,true\n"u8.ToArray(),
            ],
            Words("\"", "\"\"", ",", ";", "\t", "\r", "\r\n", "\0", "\uFEFF", "\u200B", "\u2028", "1e999", "2026-02-30", "=cmd()", "item,item\n"),
            content =>
            {
                try
                {
                    foreach (var row in new InputReading(planned, "approvals.csv").Rows(new MemoryStream(content)))
                        _ = row.Line;
                }
                catch (InvalidDataException e)
                {
                    Assert.StartsWith("approvals.csv", e.Message, StringComparison.Ordinal);
                }
            });
    }

    [Fact]
    public void A_changed_answer_of_AWS_is_read_or_malformed()
    {
        var catalogue = new AwsCatalogue();
        foreach (var (operation, body) in new[]
        {
            ("iam:ListUsers",
                "<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated><Users><member><UserName>a</UserName>"
                + "<CreateDate>2026-01-01T00:00:00Z</CreateDate></member></Users></ListUsersResult></ListUsersResponse>"),
            ("ec2:DescribeSecurityGroups",
                "<DescribeSecurityGroupsResponse><securityGroupInfo><item><groupId>sg-1</groupId><ipPermissions><item>"
                + "<fromPort>22</fromPort></item></ipPermissions></item></securityGroupInfo></DescribeSecurityGroupsResponse>"),
            ("kms:ListKeys", """{"Keys":[{"KeyId":"a"},{"KeyId":"b"}],"Truncated":false}"""),
            ("lambda:ListFunctions",
                """{"Functions":[{"FunctionName":"f","Timeout":3,"VpcConfig":{"SubnetIds":["s"]},"Environment":{"Variables":{"A":"b"}}}]}"""),
        })
        {
            var (service, found) = catalogue.Find(operation)!.Value;
            var words = Words(
                "null", "{", "}", "[", "]", "\"", "\\ud83d", "<", "</", "&amp;", "&x;", "<!DOCTYPE a>", "<![CDATA[", "1e999", "\0", "\uFEFF");
            Fuzz.Changed([Encoding.UTF8.GetBytes(body)], words, content =>
            {
                try
                {
                    _ = Collectors.Aws.AnswerRows.Read(service, found, TypedJson.Read(service, found, new(200, new Dictionary<string, string>(), content)));
                }
                catch (CollectionException)
                {
                    // A documented refusal.
                }
            });
        }
    }

    [Fact]
    public void A_changed_answer_of_Google_is_read_or_malformed()
    {
        var (_, operation) = new GcpCatalogue().Find("iam:projects.serviceAccounts.list")!.Value;
        Fuzz.Changed(
            ["""{"accounts":[{"name":"projects/p/serviceAccounts/a","email":"a@p","disabled":true},{"name":"b"}],"nextPageToken":"t"}"""u8.ToArray()],
            Words("null", "{", "}", "[", "]", "\"", "\\ud83d", "\"error\":{},", "\"kind\":1,", "1e999", "\0", "\uFEFF"), content =>
            {
                try
                {
                    var page = Collectors.Gcp.AnswerRows.Parse("iam", content);
                    Collectors.Gcp.AnswerRows.Check("iam", operation, page);
                    _ = Collectors.Gcp.AnswerRows.Read("iam", operation, page);
                }
                catch (CollectionException)
                {
                    // A documented refusal.
                }
            });
    }

    [Fact]
    public void A_changed_answer_of_a_cluster_is_read_or_malformed()
    {
        Assert.True(KubernetesResource.TryParse("v1/pods", out var pods, out _));
        Fuzz.Changed(
            [
                """{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"t","remainingItemCount":3},"items":[{"metadata":{"name":"a","namespace":"n"},"spec":{"containers":[{"name":"c","image":"i"}]}}]}"""u8.ToArray(),
            ],
            Words("null", "{", "}", "[", "]", "\"", "\\ud83d", "\"Items\":[],", "\"kind\":1,", "1e999", "\0", "\uFEFF"), content =>
            {
                try
                {
                    _ = ObjectRows.Parse(pods, content);
                }
                catch (CollectionException)
                {
                    // A documented refusal.
                }
            });
    }

    /// <summary>Repeats what an earlier long run found: a member name that is not UTF-8, and half a surrogate pair.</summary>
    [Theory]
    [InlineData("eyJhY2NvdW50cyI6W3siZW0I4WFpbCI6ImEifV19")]
    [InlineData("eyJhY2NvdW50cyI6W3siXHVkODNkIjoiYSJ9XX0=")]
    public void An_answer_of_Google_that_is_no_text_is_malformed(string content) =>
        Assert.Equal(
            "MalformedResponse",
            Assert.Throws<CollectionException>(() => Collectors.Gcp.AnswerRows.Parse("iam", Convert.FromBase64String(content))).Code);

    private static byte[][] Words(params string[] words) => [.. words.Select(Encoding.UTF8.GetBytes)];
}
