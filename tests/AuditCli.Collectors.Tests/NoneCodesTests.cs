using System.Collections.Immutable;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests;

/// <summary>Tests which codes may count as an empty answer. If a control could allow any other, it would pass without data.</summary>
public sealed class NoneCodesTests
{
    private static readonly ImmutableArray<string> Operations =
    [
        "aws iam:ListUsers", "aws iam:GetLoginProfile", "aws s3:GetBucketPolicy", "aws ec2:DescribeVpcs",
        "aws cloudtrail:GetEventSelectors", "aws iam:GetCredentialReport",
        "gcp iam:projects.serviceAccounts.list", "gcp compute:instances.list", "kubernetes v1/pods",
    ];

    private static Operation Find(string named) =>
        CollectorCatalog.All.Single(c => c.Source.Name == named.Split(' ')[0]).Source.FindOperation(named.Split(' ')[1])!;

    [Theory]
    [InlineData("AccessDenied")]
    [InlineData("AccessDeniedException")]
    [InlineData("UnauthorizedOperation")]
    [InlineData("AuthFailure")]
    [InlineData("Forbidden")]
    [InlineData("PERMISSION_DENIED")]
    [InlineData("UNAUTHENTICATED")]
    [InlineData("Unauthorized")]
    [InlineData("Throttling")]
    [InlineData("ThrottlingException")]
    [InlineData("TooManyRequests")]
    [InlineData("RESOURCE_EXHAUSTED")]
    [InlineData("SlowDown")]
    [InlineData("ExpiredToken")]
    [InlineData("Expired")]
    [InlineData("InvalidClientTokenId")]
    [InlineData("ServiceUnavailable")]
    [InlineData("InternalFailure")]
    [InlineData("INTERNAL")]
    [InlineData("RequestTimeout")]
    [InlineData("HTTP404")]
    [InlineData("HTTP502")]
    [InlineData("NoSuchEntity\n")]
    [InlineData(" NotFound")]
    [InlineData("AccessDenied NotFound")]
    [InlineData("")]
    [InlineData("*")]
    public void A_code_that_means_anything_but_none_is_none_of_no_operation(string code) =>
        Assert.DoesNotContain(Operations, o => Find(o).SaysNone(code));

    [Fact]
    public void None_of_our_own_codes_says_that_there_is_none_but_those_that_a_source_lists()
    {
        var own = OwnCodes.Examples(Codes.All);
        var taken = Operations.SelectMany(o => own.Where(Find(o).SaysNone).Select(code => $"{o}: {code}")).Order(StringComparer.Ordinal);
        // TrailNotFoundException is also a code of AWS itself, whose codes for something that does not exist are recognized by their form.
        var trails = Operations.Where(o => o.StartsWith("aws ", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(o => $"{o}: TrailNotFoundException");
        Assert.Equal([.. trails, "kubernetes v1/pods: NotFound", "kubernetes v1/pods: NotServed"], taken);
    }

    [Theory]
    [InlineData("aws iam:ListSSHPublicKeys", "NoSuchEntity")]
    [InlineData("aws s3:GetBucketPolicy", "NoSuchBucketPolicy")]
    [InlineData("aws rds:DescribeDBInstances", "DBInstanceNotFoundFault")]
    [InlineData("aws ec2:DescribeVpcs", "InvalidVpcID.NotFound")]
    [InlineData("aws cloudtrail:GetEventSelectors", "TrailNotFoundException")]
    [InlineData("aws cloudtrail:GetEventSelectors", "InvalidHomeRegionException")]
    [InlineData("aws iam:GetCredentialReport", "ReportNotPresent")]
    [InlineData("gcp iam:projects.serviceAccounts.list", "NOT_FOUND")]
    [InlineData("gcp policyanalyzer:projects.locations.activityTypes.activities.query", "ApiNotEnabled")]
    [InlineData("kubernetes v1/pods", "NotFound")]
    public void A_providers_word_for_none_may_be_taken_as_none_where_the_control_says_so(string operation, string code)
    {
        PlannedRequest Asked(params string[] allowed) => new(
            "k", "t", Find(operation), ImmutableSortedDictionary<string, System.Text.Json.JsonElement>.Empty, null,
            ImmutableSortedDictionary<string, string>.Empty, [.. allowed], null, []);
        Assert.True(Asked(code).TakesAsNone(code));
        Assert.False(Asked().TakesAsNone(code));
        Assert.False(Asked("AccessDenied", "Throttling").TakesAsNone("AccessDenied"));
    }
}
