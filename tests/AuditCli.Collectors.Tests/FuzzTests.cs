using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Collectors.Files;
using AuditCli.Collectors.Gcp;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;
using AuditCli.Tests;
using DuckDB.NET.Data;

namespace AuditCli.Collectors.Tests;

/// <summary>Checks that registers and provider responses with arbitrary changes are either read or refused in the documented way.</summary>
public sealed class FuzzTests
{
    [Theory]
    [InlineData("csv")]
    [InlineData("json")]
    [InlineData("ndjson")]
    [InlineData("xlsx")]
    [InlineData("parquet")]
    public void A_changed_register_is_read_or_named_as_none(string format)
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
        using var folder = new TemporaryFolder();
        var supplied = new SuppliedInput("approvals", Path.Combine(folder.Path, $"approvals.{format}"), null, "approvals");
        Fuzz.Changed(
            Registers(format, supplied.Path),
            Words(
                "\"", "\"\"", ",", ";", "\t", "\r", "\r\n", "\0", "\uFEFF", "\u200B", "\u2028", "1e999", "2026-02-30", "=cmd()", "item,item\n",
                "{", "]", "<v>", "PAR1"),
            content =>
            {
                File.WriteAllBytes(supplied.Path, content);
                try
                {
                    foreach (var row in new InputReading(planned, supplied).Rows(supplied.Path))
                        _ = row.Line;
                }
                catch (InvalidDataException e)
                {
                    Assert.StartsWith("approvals", e.Message, StringComparison.Ordinal);
                }
            });
    }

    private static byte[][] Registers(string format, string path)
    {
        switch (format)
        {
            case "json":
                return ["""[{"item":"a","approved_by":"B","approved_on":"2026-01-02","n":1.5,"ok":true},{"item":"b","more":[{}]}]"""u8.ToArray()];
            case "ndjson":
                return ["{\"item\":\"a\",\"approved_by\":\"B\",\"approved_on\":\"2026-01-02\",\"n\":1.5,\"ok\":true}\n{\"item\":\"b\"}\n"u8.ToArray()];
            case "xlsx":
                string[] names = ["item", "approved_by", "approved_on", "n", "ok"];
                var head = string.Concat(names.Select((n, i) => $"<c r=\"{(char)('A' + i)}1\" t=\"inlineStr\"><is><t>{n}</t></is></c>"));
                return
                [
                    WrittenWorkbook.Of(
                        [
                            ("Data", "", $"<sheetData><row r=\"1\">{head}</row><row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c>"
                                + "<c r=\"C2\" s=\"1\"><v>46053</v></c>"
                                + "<c r=\"D2\"><v>1.5</v></c><c r=\"E2\" t=\"b\"><v>1</v></c></row></sheetData>"
                                + "<mergeCells><mergeCell ref=\"A2:B2\"/></mergeCells>"),
                        ],
                        "<si><t>a</t></si>"),
                ];
            case "parquet":
                using (var connection = new DuckDBConnection("DataSource=:memory:"))
                {
                    connection.Open();
                    using var command = connection.CreateCommand();
                    command.CommandText = $"""
                        COPY (SELECT 'a' AS item, 'B' AS approved_by, DATE '2026-01-02' AS approved_on, 1.5::DECIMAL(9,1) AS n, true AS ok)
                        TO '{path}' (FORMAT parquet, COMPRESSION uncompressed)
                        """;
                    command.ExecuteNonQuery();
                }
                return [File.ReadAllBytes(path)];
            default:
                return
                [
                    .. Directory.EnumerateFiles(Repository.Path("samples", "inputs"), "*.csv").Order(StringComparer.Ordinal).Select(File.ReadAllBytes),
                    "item,approved_by,approved_on,n,ok\na,\"B, C\",2026-01-02,1.5,true\n"u8.ToArray(),
                ];
        }
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
        var (_, operation) = new RestCatalogue(GcpSource.Catalogue).Find("iam:projects.serviceAccounts.list")!.Value;
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
    public void A_changed_answer_of_a_product_is_read_or_malformed()
    {
        var operation = new RestCatalogue("HttpApi/Catalogue").Find("jira:groups.members.list")!.Value.Operation;
        Fuzz.Changed(
            ["""{"startAt":0,"total":2,"isLast":true,"values":[{"accountId":"a","active":true,"avatarUrls":{"48x48":"u"}},{"accountId":"b"}]}"""u8.ToArray()],
            Words("null", "{", "}", "[", "]", "\"", "\\ud83d", "\"error\":{},", "\"Values\":[],", "1e999", "\0", "\uFEFF"), content =>
            {
                try
                {
                    var answer = new RestAnswer(200, content, name => name == "Link" ? Encoding.Latin1.GetString(content) : null);
                    var body = answer.Json("jira");
                    var rows = RestRows.Read("jira", operation, RestRows.Elements("jira", operation, body));
                    _ = new RestPages("jira", operation, ImmutableSortedDictionary<string, JsonElement>.Empty)
                        .After(new("https://h.example/"), answer, body, rows.Length);
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
                """{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"t","remainingItemCount":3},"items":[{"metadata":{"name":"a","namespace":"n","uid":"1"},"spec":{"containers":[{"name":"c","image":"i"}]}}]}"""u8.ToArray(),
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

    /// <summary>Repeats what a later long run found: half of a surrogate pair in a text of a row that has members besides the API's own.</summary>
    [Fact]
    public void An_answer_of_a_product_that_is_no_text_is_malformed()
    {
        var found = Convert.FromBase64String(
            "eyJzdGFydEF0IjowLCJ0b3RhbCI6MiwiaXNMYXN0Ijp0cnVlLCJ2YWx1ZXMiOlt7ImFjY291bnRJZCI6Ilx1ZDgzZGEiLCJhY2RpdmUiOnRydWUsImF2YXRhclVybHMiOnsiNDh4NDgi"
            + "OiJ1In19LHsiYWNjb3VudElkIjoiYiJ9XX0=");
        var refused = Assert.Throws<CollectionException>(() => new RestAnswer(200, found, _ => null).Json("jira"));
        Assert.Equal("MalformedResponse", refused.Code);
        Assert.Contains("half of a surrogate pair", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>A failure, too, is told by what its status says where its body cannot be decoded.</summary>
    [Fact]
    public void A_body_of_a_failure_that_is_no_text_is_no_object() => Assert.Null(JsonAnswer.Object("{\"error\":{\"message\":\"\\ud83da\"}}"u8));

    private static byte[][] Words(params string[] words) => [.. words.Select(Encoding.UTF8.GetBytes)];
}
