using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Aws;

public sealed partial class CatalogueTests
{
    private readonly AwsCatalogue _catalogue = new();
    private readonly EvidenceSource _source = AwsSource.Create();

    public static TheoryData<string> Services => [.. new AwsCatalogue().ServiceNames];

    [Theory]
    [MemberData(nameof(Services))]
    public void Every_operation_of_a_service_has_a_read_verb_or_says_what_it_changes(string name)
    {
        var service = _catalogue.Service(name)!;

        Assert.True(service.OperationNames.Length + service.Refused.Count > 0);
        Assert.All(service.Refused, r => Assert.NotEmpty(r.Value));
        Assert.Equal(service.OperationNames.Length, service.OperationNames.Distinct(StringComparer.Ordinal).Count());
        Assert.All(service.OperationNames, o => Assert.True(ReadVerb().IsMatch(o) || service.Operation(o)!.SideEffect is not null, o));
        Assert.All(service.Refused, r => Assert.Null(service.Operation(r.Key)));
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void Every_operation_of_a_service_can_be_described(string name)
    {
        foreach (var operation in _catalogue.Service(name)!.OperationNames)
        {
            var found = _source.FindOperation($"{name}:{operation}")!;
            Assert.Equal(found.Columns.Length, found.Columns.Select(c => c.Name.ToLowerInvariant()).Distinct().Count());
        }
    }

    [Theory]
    [InlineData("secretsmanager:GetSecretValue")]
    [InlineData("ssm:GetParametersByPath")]
    [InlineData("sts:GetSessionToken")]
    [InlineData("s3:GetObject")]
    [InlineData("dynamodb:GetItem")]
    [InlineData("ec2:GetPasswordData")]
    [InlineData("ecr:GetAuthorizationToken")]
    [InlineData("lambda:GetFunction")]
    [InlineData("bedrock-agentcore:GetResourceApiKey")]
    [InlineData("quicksight:GetDashboardEmbedUrl")]
    [InlineData("cloudfront-keyvaluestore:GetKey")]
    [InlineData("wafv2:GetSampledRequests")]
    public void Secrets_and_data_are_refused_with_the_reason(string operation)
    {
        Assert.Null(_source.FindOperation(operation));
        Assert.Contains("is refused because", Assert.Single(_source.Suggest(operation)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("iam:ListUser", "iam:ListUsers")]
    [InlineData("security-hub:GetFindings", "securityhub:GetFindings")]
    [InlineData("s3:DescribeKey", "kms:DescribeKey")]
    [InlineData("ListUsers", "iam:ListUsers")]
    [InlineData("configservice:DescribeConfigRules", "config:DescribeConfigRules")]
    [InlineData("elasticloadbalancing:DescribeLoadBalancers", "elbv2:DescribeLoadBalancers")]
    public void A_near_miss_gets_a_hint(string written, string meant) => Assert.Contains(meant, _source.Suggest(written));

    [Theory]
    [InlineData("iam:ListUsers", OperationScope.Global)]
    [InlineData("organizations:ListAccounts", OperationScope.Global)]
    [InlineData("s3:ListBuckets", OperationScope.Global)]
    [InlineData("s3control:GetPublicAccessBlock", OperationScope.Global)]
    [InlineData("ec2:DescribeRegions", OperationScope.Global)]
    [InlineData("ec2:DescribeVpcs", OperationScope.Regional)]
    [InlineData("kms:ListKeys", OperationScope.Regional)]
    [InlineData("cloudfront:ListDistributions", OperationScope.Global)]
    [InlineData("globalaccelerator:ListAccelerators", OperationScope.Global)]
    [InlineData("wafv2:ListWebACLs", OperationScope.Regional)]
    public void An_operation_knows_whether_it_is_asked_once_or_in_every_region(string operation, OperationScope scope) =>
        Assert.Equal(scope, _source.FindOperation(operation)!.Scope);

    [Theory]
    [InlineData("iam", "aws", "eu-west-1", false, false, "https://iam.amazonaws.com", "us-east-1")]
    [InlineData("kms", "aws-cn", "cn-north-1", false, false, "https://kms.cn-north-1.amazonaws.com.cn", null)]
    [InlineData("ec2", "aws", "us-east-1", true, true, "https://ec2-fips.us-east-1.api.aws", null)]
    [InlineData("s3", "aws", "eu-west-1", false, true, "https://s3.dualstack.eu-west-1.amazonaws.com", null)]
    [InlineData("iam", "aws-us-gov", "us-gov-east-1", false, false, "https://iam.us-gov.amazonaws.com", "us-gov-west-1")]
    [InlineData("elbv2", "aws-iso", "us-iso-east-1", false, false, "https://elasticloadbalancing.us-iso-east-1.c2s.ic.gov", null)]
    [InlineData("globalaccelerator", "aws", "eu-west-1", false, false, "https://globalaccelerator.us-west-2.amazonaws.com", "us-west-2")]
    [InlineData("bcm-data-exports", "aws", "eu-west-1", false, true, "https://bcm-data-exports.us-east-1.api.aws", "us-east-1")]
    [InlineData("accessanalyzer", "aws-us-gov", "us-gov-west-1", true, false, "https://access-analyzer.us-gov-west-1.amazonaws.com", null)]
    public void An_endpoint_is_what_the_providers_rules_say(
        string service, string partition, string region, bool fips, bool dual, string url, string? signing) =>
        Assert.Equal(new EndpointRule(url, signing), _catalogue.Service(service)!.Endpoint(partition, region, fips, dual));

    [Theory]
    [InlineData("aws-cn", true)]
    [InlineData("nowhere", false)]
    public void A_kind_of_endpoint_that_a_partition_lacks_is_none(string partition, bool fips) =>
        Assert.Null(_catalogue.Service("s3")!.Endpoint(partition, "cn-north-1", fips, dualStack: false));

    [Fact]
    public void Every_member_that_holds_a_secret_is_replaced_before_anything_is_written()
    {
        var secrets = _catalogue.ServiceNames.Select(n => _catalogue.Service(n)!)
            .SelectMany(s => s.Shapes.OfType<ShapeModel.Structure>().SelectMany(x => x.Members).Where(m => m.Secret).Select(m => (s.Protocol, m.Wire)))
            .Distinct().ToArray();
        var redaction = new BodyRedaction(new byte[32]);

        Assert.True(secrets.Length > 40);
        Assert.All(secrets, m =>
        {
            var body = m.Protocol is WireProtocol.Json or WireProtocol.RestJson
                ? $$$"""{"webhook":{"{{{m.Wire}}}":"tr0ub4dor","CreatedBy":"somebody"}}"""
                : $"<webhook><{m.Wire}>tr0ub4dor</{m.Wire}><CreatedBy>somebody</CreatedBy></webhook>";
            var stored = Encoding.UTF8.GetString(redaction.Apply(Encoding.UTF8.GetBytes(body), null).Body.Span);
            Assert.DoesNotContain("tr0ub4dor", stored, StringComparison.Ordinal);
            Assert.Contains("somebody", stored, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("s3:GetBucketPolicy", "NoSuchBucketPolicy")]
    [InlineData("ecr:GetLifecyclePolicy", "LifecyclePolicyNotFoundException")]
    [InlineData("kms:ListKeys", null)]
    public void An_operation_knows_by_which_codes_it_says_that_there_is_none(string operation, string? code) =>
        Assert.Equal(code, _catalogue.Find(operation)!.Value.Operation.NotConfigured.SingleOrDefault());

    [Theory]
    [InlineData("wafv2:ListWebACLs", "NextMarker", "NextMarker")]
    [InlineData("kinesis:ListTagsForStream", "ExclusiveStartTagKey", "Tags[-1].Key")]
    [InlineData("route53:ListTrafficPolicies", "TrafficPolicyIdMarker", "TrafficPolicyIdMarker")]
    public void A_list_without_a_paginator_is_read_on_all_the_same(string operation, string input, string output)
    {
        var pager = _catalogue.Find(operation)!.Value.Operation.Pager!;

        Assert.Equal((input, output), (Assert.Single(pager.Inputs), Assert.Single(pager.Outputs)));
    }

    [Fact]
    public void What_the_documents_say_of_its_size_is_right()
    {
        var services = _catalogue.ServiceNames.Select(n => _catalogue.Service(n)!).ToArray();
        var (asked, refused) = (services.Sum(s => s.OperationNames.Length), services.Sum(s => s.Refused.Count));

        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"{asked:N0} read operations of {services.Count(s => s.OperationNames.Length > 0)} services"),
            File.ReadAllText(Repository.Path("src", "README.md")), StringComparison.Ordinal);
        Assert.All(["src/README.md", "controls/README.md"], d => Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $" {refused} that return "),
            File.ReadAllText(Repository.Path(d)).ReplaceLineEndings(" "), StringComparison.Ordinal));
    }

    [Fact]
    public void A_name_that_holds_what_separates_two_entries_is_none()
    {
        var service = _catalogue.Service("kms")!;
        var file = File.ReadAllText(Repository.Path("src/AuditCli.Collectors/Aws/Catalogue/Services/kms.json"));
        var (first, second) = (service.OperationNames[0], service.OperationNames[1]);
        var begin = file.IndexOf($"\n\"{first}\":", StringComparison.Ordinal) + 2;
        var both = file[begin..(file.IndexOf($"\n\"{second}\":", StringComparison.Ordinal) + second.Length + 2)];

        Assert.NotNull(service.Operation(first));
        Assert.Contains(second, both, StringComparison.Ordinal);
        Assert.Null(service.Operation(both));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"service":"x","operations":{},"shapes":{}}""")]
    public void A_file_without_lines_is_none(string file) =>
        Assert.Throws<InvalidDataException>(() => ServiceModel.Read(Encoding.UTF8.GetBytes(file), new(() => throw new InvalidOperationException())));

    [Fact]
    public void A_parameter_that_would_bring_secrets_into_the_answer_cannot_be_given()
    {
        Assert.DoesNotContain(_source.FindOperation("apigateway:GetApiKeys")!.Parameters, p => p.Name == "includeValues");
        Assert.Contains(_source.FindOperation("apigateway:GetApiKeys")!.Parameters, p => p.Name == "nameQuery");
    }

    [Theory]
    [InlineData("iam:ListUsers", "one for each element of Users")]                          // what the paginator collects
    [InlineData("wafv2:ListWebACLs", "one for each element of WebACLs")]                    // the one list
    [InlineData("cloudfront:ListDistributions", "one for each element of DistributionList.Items")]
    [InlineData("organizations:DescribeOrganization", "one, the whole response")]             // no list
    [InlineData("guardduty:GetDetector", "one, the whole response")]                          // a list among other members
    [InlineData("iam:GetAccountAuthorizationDetails", "one for each page of the response")]   // several lists, in pages
    [InlineData("budgets:DescribeBudgets", "one for each element of Budgets")]
    public void The_rows_of_an_operation_follow_one_rule_and_are_told(string operation, string row) => Assert.Equal(row, _source.FindOperation(operation)!.Row);

    [Fact]
    public void Columns_have_the_apis_names_and_types()
    {
        Column[] users = [.. _source.FindOperation("iam:ListUsers")!.Columns];

        Assert.Contains(new Column("UserName", ColumnType.Text), users);
        Assert.Contains(new Column("CreateDate", ColumnType.Timestamp), users);
        Assert.Contains(new Column("Tags", ColumnType.Json), users);
        Assert.Contains(new Column("AssumeRolePolicyDocument", ColumnType.Json), _source.FindOperation("iam:ListRoles")!.Columns);
        Assert.Equal(new Column("Value", ColumnType.Text), Assert.Single(_source.FindOperation("guardduty:ListDetectors")!.Columns));
        Assert.DoesNotContain(_source.FindOperation("iam:ListUsers")!.Parameters, p => p.Name == "Marker");
        Assert.True(_source.FindOperation("iam:GetRole")!.Parameters.Single(p => p.Name == "RoleName").Required);
    }

    [GeneratedRegex("^(Get|List|Describe|BatchGet|BatchDescribe|Head|Lookup|Search|Select|Simulate)(?=[A-Z0-9]|$)")]
    private static partial Regex ReadVerb();
}

public sealed class CredentialReportTests
{
    private const string Header = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
        + "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
        + "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,"
        + "cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

    private const string Root = "<root_account>,arn:aws:iam::1:root,2020-01-01T00:00:00+00:00,not_supported,no_information,not_supported,not_supported,true,"
        + "false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";

    [Theory]
    [InlineData("user,arn\n")]
    [InlineData("")]
    [InlineData(Header + "\na,b\n")]
    [InlineData(Header + "\n\"a,b\n")]
    public void A_report_that_is_none_is_malformed(string csv) =>
        Assert.Equal("MalformedResponse", Assert.Throws<CollectionException>(() => CredentialReport.Pages(Answer(csv)).Count()).Code);

    [Fact]
    public void The_root_account_and_what_it_does_not_have_are_read_as_they_are()
    {
        var row = Assert.Single(CredentialReport.Pages(Answer(Header + "\n" + Root + "\n")).Single().Rows);

        Assert.Equal("/Content/0", row.Pointer);
        Assert.Equal("<root_account>", row.Value.GetProperty("user").GetString());
        Assert.Equal("2020-01-01T00:00:00Z", row.Value.GetProperty("user_creation_time").GetString());
        Assert.All(["password_enabled", "password_last_used", "access_key_1_last_rotated"], n =>
            Assert.Equal(JsonValueKind.Null, row.Value.GetProperty(n).ValueKind));
        Assert.True(row.Value.GetProperty("mfa_active").GetBoolean());
        Assert.False(row.Value.GetProperty("access_key_1_active").GetBoolean());
        Assert.Equal("2026-10-01T00:00:00Z", row.Value.GetProperty("_generated_at").GetString());
    }

    [Fact]
    public void Two_hundred_thousand_users_are_read_as_a_stream()
    {
        var csv = new StringBuilder(Header).Append('\n');
        for (var i = 0; i < 200_000; i++)
            csv.Append(System.Globalization.CultureInfo.InvariantCulture, $"user{i},").Append(Root.AsSpan("<root_account>,".Length)).Append('\n');
        var answer = Answer(csv.ToString());
        csv.Clear();

        var rows = CredentialReport.Pages(answer).Sum(p => (long)p.Rows.Length);

        Assert.Equal(200_000, rows);
    }

    private static byte[] Answer(string csv) => Encoding.UTF8.GetBytes($"""
        <GetCredentialReportResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetCredentialReportResult>
        <Content>{Convert.ToBase64String(Encoding.UTF8.GetBytes(csv))}</Content><ReportFormat>text/csv</ReportFormat>
        <GeneratedTime>2026-10-01T00:00:00Z</GeneratedTime></GetCredentialReportResult></GetCredentialReportResponse>
        """);
}
