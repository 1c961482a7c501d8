using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Gcp;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Tests;

/// <summary>
/// Checks that the granted permissions are exactly those that are used: none that writes, none for unknown operations, and none missing.
/// </summary>
public sealed class PermissionTests
{
    private static readonly string[] ReadVerbs = ["Get", "List", "Describe", "BatchGet", "Lookup", "Search", "Select", "Simulate"];

    [Fact]
    public void Every_operation_of_the_AWS_catalogue_has_read_actions_or_says_why_it_has_none()
    {
        var catalogue = new AwsCatalogue();
        var table = PermissionTable.Read();
        foreach (var service in catalogue.ServiceNames.Select(n => catalogue.Service(n)!))
        {
            foreach (var operation in service.OperationNames.Select(n => service.Operation(n)!))
            {
                var (actions, reason) = table.Actions(service.Name, operation.Name);
                Assert.True((reason is null) != actions.IsEmpty || operation.Name == "GetCallerIdentity", $"{service.Name}:{operation.Name}");
                Assert.All(actions, action =>
                {
                    Assert.Matches("^[a-z0-9-]+:[A-Za-z0-9]+$", action);
                    Assert.True(operation.SideEffect is not null || ReadVerbs.Any(v => action.Split(':')[1].StartsWith(v, StringComparison.Ordinal)), action);
                });
            }
        }
    }

    [Fact]
    public void The_AWS_table_was_checked_against_this_catalogue_and_names_nothing_else()
    {
        var catalogue = new AwsCatalogue();
        var table = PermissionTable.Read();
        Assert.Empty(table.Services.Keys.Except(catalogue.ServiceNames));
        foreach (var (name, service) in table.Services)
        {
            using var file = typeof(AwsCatalogue).Assembly.GetManifestResourceStream($"Aws/Catalogue/Services/{name}.json")!;
            using var document = JsonDocument.Parse(file);
            // A newer catalogue can have operations for which the naming rule is wrong: compare them first, then change checked_with.
            Assert.StartsWith(document.RootElement.GetProperty("from").GetString()!.Split(',')[0] + ",", table.CheckedWith, StringComparison.Ordinal);
            Assert.All(service.Others.Keys.Concat(service.Unmapped.Keys), o => Assert.NotNull(catalogue.Find($"{name}:{o}")));
        }
    }

    [Theory]
    [InlineData("s3:ListBuckets", "s3:ListAllMyBuckets")]
    [InlineData("s3:GetBucketEncryption", "s3:GetEncryptionConfiguration")]
    [InlineData("s3:GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration")]
    [InlineData("s3:GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock")]
    [InlineData("s3control:GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock")]
    [InlineData("s3control:GetBucketPolicy", "s3-outposts:GetBucketPolicy")]
    [InlineData("s3:ListObjectsV2", "s3:ListBucket")]
    [InlineData("kms:GetKeyRotationStatus", "kms:GetKeyRotationStatus")]
    [InlineData("config:DescribeConfigurationRecorders", "config:DescribeConfigurationRecorders")]
    public void An_action_that_AWS_names_otherwise_is_named_as_AWS_does(string operation, string action) =>
        Assert.Equal([action], Actions(Aws([operation], regions: "eu-west-1")));

    [Fact]
    public void Making_the_credential_report_is_granted_with_reading_it_and_named_as_a_side_effect()
    {
        var document = Aws(["iam:GetCredentialReport"], regions: "eu-west-1");
        Assert.Equal(["iam:GenerateCredentialReport", "iam:GetCredentialReport"], Actions(document));
        Assert.Equal("iam:GenerateCredentialReport", Assert.Single(document.Remarks.SideEffects).Operation);
    }

    [Fact]
    public void An_AWS_operation_whose_action_is_not_known_is_listed_and_not_guessed()
    {
        var document = Aws(["securityhub:GetFindingsV2", "iam:ListUsers"], regions: "eu-west-1");
        Assert.Equal(["iam:ListUsers"], Actions(document));
        Assert.Equal("securityhub:GetFindingsV2", Assert.Single(document.Remarks.Unmapped).Operation);
        Assert.DoesNotContain("securityhub", document.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_service_that_nobody_compared_with_AWSs_reference_is_listed_and_not_guessed()
    {
        var document = Aws(["elbv2:DescribeLoadBalancers", "iam:ListUsers"], regions: "eu-west-1");
        Assert.Equal(["iam:ListUsers"], Actions(document));
        Assert.Contains("has not compared its service", Assert.Single(document.Remarks.Unmapped).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Regions_are_listed_only_for_targets_that_ask_for_all_of_them()
    {
        Assert.Equal(["iam:ListUsers"], Actions(Aws(["iam:ListUsers"], regions: "eu-west-1")));
        Assert.Equal(["ec2:DescribeRegions", "iam:ListUsers"], Actions(Aws(["iam:ListUsers"], regions: "enabled")));
        Assert.Equal(["ec2:DescribeRegions", "iam:ListUsers"], Actions(Permissions("aws", ["iam:ListUsers"], [Target("aws")])));
        Assert.Equal(["ec2:DescribeRegions", "iam:ListUsers"], Actions(Permissions("aws", ["iam:ListUsers"], [])));
    }

    [Fact]
    public void The_document_is_the_same_in_whatever_order_it_is_asked_for()
    {
        ImmutableArray<string> operations = ["s3:ListBuckets", "iam:ListUsers", "ec2:DescribeVpcs", "iam:ListUsers"];
        Assert.Equal(Permissions("aws", operations, []).Text, Permissions("aws", [.. operations.Reverse()], []).Text);
    }

    [Fact]
    public void Every_permission_of_the_Google_table_reads_and_belongs_to_an_operation_of_the_catalogue()
    {
        var catalogue = new RestCatalogue(GcpSource.Catalogue);
        using var stream = typeof(RestCatalogue).Assembly.GetManifestResourceStream("Gcp/permissions.json")!;
        using var document = JsonDocument.Parse(stream);
        var operations = document.RootElement.GetProperty("operations").EnumerateObject().ToImmutableArray();
        Assert.Equal(operations.Select(o => o.Name).Order(StringComparer.Ordinal), operations.Select(o => o.Name).Distinct());
        Assert.All(
            operations.Select(o => o.Name).Concat(document.RootElement.GetProperty("notes").EnumerateObject().Select(n => n.Name)),
            o => Assert.NotNull(catalogue.Find(o)));
        Assert.All(operations.SelectMany(o => o.Value.EnumerateArray()), p =>
            Assert.Matches(
                @"^[a-z]+(\.googleapis\.com/|\.)([a-zA-Z]+\.)?[a-zA-Z]+\.(get|list|search|query|viewPublicKey)[A-Za-z]*$", p.GetString()));
    }

    [Fact]
    public void A_Google_operation_that_is_not_in_the_table_is_listed_in_the_role_and_not_guessed()
    {
        var document = Permissions("gcp", ["cloudasset:assets.list", "iam:projects.serviceAccounts.list"], []);
        Assert.Equal("cloudasset:assets.list", Assert.Single(document.Remarks.Unmapped).Operation);
        Assert.Contains("# unmapped, not granted: cloudasset:assets.list", document.Text, StringComparison.Ordinal);
        Assert.EndsWith("includedPermissions:\n- iam.serviceAccounts.list\n", document.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("folder")]
    [InlineData("organization")]
    public void A_folder_and_an_organization_need_their_projects_listed_which_no_role_of_a_project_can(string way)
    {
        var document = Permissions("gcp", ["iam:projects.serviceAccounts.list"], [Target("gcp", (way, "123456789012"))]);
        Assert.EndsWith(
            "includedPermissions:\n- iam.serviceAccounts.list\n- resourcemanager.folders.list\n- resourcemanager.projects.list\n",
            document.Text, StringComparison.Ordinal);
        Assert.Contains(
            "# a role of a project cannot hold resourcemanager.folders.list, resourcemanager.projects.list\n", document.Text,
            StringComparison.Ordinal);
        Assert.Contains($"must be bound at the {way} 123456789012\n", document.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("--project=", document.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_break_in_an_engagement_does_not_leave_the_comment()
    {
        var document = Permissions(
            "gcp", ["iam:projects.serviceAccounts.list"],
            [Target("gcp", ("projects", "p"), ("quota_project", "payer\nincludedPermissions: [resourcemanager.projects.delete]"))]);
        Assert.Single(document.Text.Split('\n'), l => l.StartsWith("includedPermissions", StringComparison.Ordinal));
    }

    [Fact]
    public void A_ClusterRole_has_a_rule_for_each_group_whatever_the_version_and_lists_only()
    {
        var document = Permissions("kubernetes", ["v1/pods", "v1/configmaps", "batch/v1/cronjobs", "batch/v1beta1/cronjobs"], []);
        Assert.EndsWith("""
            rules:
            - apiGroups: [""]
              resources: ["configmaps", "pods"]
              verbs: ["list"]
            - apiGroups: ["batch"]
              resources: ["cronjobs"]
              verbs: ["list"]

            """.ReplaceLineEndings("\n"), document.Text, StringComparison.Ordinal);
        Assert.Contains(document.Remarks.Notes, n => n.Contains("whoever may list them may also read their data", StringComparison.Ordinal));
    }

    [Fact]
    public void A_table_made_from_several_lists_needs_each_of_them_and_what_is_no_list_is_unmapped()
    {
        var made = new Operation("kubernetes", "made_here", OperationScope.Global, [], []) { Reads = ["v1/pods", "apps/v1/deployments", "v1/secrets"] };
        var document = Entry("kubernetes").Permissions([made], []);
        Assert.Contains("""apiGroups: ["apps"]""", document.Text, StringComparison.Ordinal);
        Assert.Contains("""resources: ["pods"]""", document.Text, StringComparison.Ordinal);
        Assert.Equal("v1/secrets", Assert.Single(document.Remarks.Unmapped).Operation);
    }

    private static CollectorEntry Entry(string source) => CollectorCatalog.All.Single(c => c.Source.Name == source);

    private static PermissionDocument Aws(ImmutableArray<string> operations, string regions) =>
        Permissions("aws", operations, [Target("aws", ("regions", regions))]);

    private static PermissionDocument Permissions(string source, ImmutableArray<string> operations, ImmutableArray<Target> targets) =>
        Entry(source).Permissions([.. operations.Select(o => Entry(source).Source.FindOperation(o) ?? throw new ArgumentException(o))], targets);

    private static Target Target(string source, params (string Name, string Value)[] settings) =>
        new("prod", source, settings.ToImmutableSortedDictionary(s => s.Name, s => ImmutableArray.Create(s.Value), StringComparer.Ordinal));

    private static IEnumerable<string> Actions(PermissionDocument document) => JsonElement.Parse(document.Text).GetProperty("Statement").EnumerateArray()
        .SelectMany(s => s.GetProperty("Action").EnumerateArray()).Select(a => a.GetString()!);
}
