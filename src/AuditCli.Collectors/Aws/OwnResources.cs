using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Running;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Names the operations whose documentation says that they list the resources of the caller's account and of the region, and the member of a
/// row that is the resource's ARN. Left out are those that may list what other accounts or regions share (trails, backup vaults, snapshots,
/// clusters with IncludeShared, repositories of another registry), and those whose rows have no ARN.
/// </summary>
internal static class OwnResources
{
    private static readonly FrozenDictionary<string, (string Member, bool IsOfRegion)> Operations =
        new Dictionary<string, (string Member, bool IsOfRegion)>(StringComparer.Ordinal)
        {
            ["acm:ListCertificates"] = ("CertificateArn", true),
            ["autoscaling:DescribeAutoScalingGroups"] = ("AutoScalingGroupARN", true),
            ["cloudfront:ListDistributions"] = ("ARN", false),
            ["efs:DescribeFileSystems"] = ("FileSystemArn", true),
            ["elbv2:DescribeLoadBalancers"] = ("LoadBalancerArn", true),
            ["iam:ListGroups"] = ("Arn", false),
            ["iam:ListRoles"] = ("Arn", false),
            ["iam:ListUsers"] = ("Arn", false),
            ["kms:ListKeys"] = ("KeyArn", true),
            // Functions of Lambda@Edge are replicated to other regions.
            ["lambda:ListFunctions"] = ("FunctionArn", false),
            ["rds:DescribeDBInstances"] = ("DBInstanceArn", true),
            ["secretsmanager:ListSecrets"] = ("ARN", true),
            ["sns:ListTopics"] = ("TopicArn", true),
            ["stepfunctions:ListStateMachines"] = ("stateMachineArn", true),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Every operation of the list.</summary>
    public static IEnumerable<string> Names => Operations.Keys;

    /// <summary>
    /// Returns the failure of a page that has a resource which was read before; null if there is none. Resources are listed once each, so that
    /// pages which repeat one may leave out as many.
    /// </summary>
    /// <param name="read">The rows that were read; those of the page are added.</param>
    public static CollectionException? Repeated(ServiceModel service, OperationModel operation, ImmutableArray<PageRow> rows, ReadRows read) =>
        ArnOf(service, operation) is var (member, _) ? read.Add(Arns(rows, member))
        : operation.Rows is not null && IsOfResources(operation.Name) ? read.Add(rows)
        : null;

    /// <summary>
    /// Whether an operation lists resources, of which no two are equal. What happened may be listed twice: equal measurements, or an event that
    /// a log repeats.
    /// </summary>
    private static bool IsOfResources(string operation) =>
        (operation.StartsWith("List", StringComparison.Ordinal) || operation.StartsWith("Describe", StringComparison.Ordinal))
        && !Happenings.Any(h => operation.Contains(h, StringComparison.Ordinal));

    private static readonly ImmutableArray<string> Happenings =
        ["Event", "Activit", "History", "Histories", "Metric", "Statistic", "Data", "Log", "Price", "Offering", "Reservation", "Usage"];

    /// <summary>Returns the ARNs of rows. A text that is not well-formed is left out; the table reports that it does not fit its column.</summary>
    public static IEnumerable<string> Arns(ImmutableArray<PageRow> rows, string member) => rows.Select(r => Arn(r.Value, member)).OfType<string>();

    /// <summary>Returns the member with the ARN, and whether the ARN has the region; null for an operation that is not in the list.</summary>
    public static (string Member, bool IsOfRegion)? ArnOf(ServiceModel service, OperationModel operation) =>
        Operations.TryGetValue($"{service.Name}:{operation.Name}", out var found) ? found : null;

    private static string? Arn(JsonElement row, string member)
    {
        try
        {
            return JsonMember.Text(row, member);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
