using System.Collections.Immutable;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Client;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Describes the operations and settings of AWS as plain data. A service's part of the catalogue is read at its first use.
/// </summary>
public static class AwsSource
{
    /// <summary>The source name in controls and engagements.</summary>
    public const string Name = "aws";

    /// <summary>Returns the source with its operations; it is cheap to create and thread-safe.</summary>
    public static EvidenceSource Create()
    {
        var catalogue = new AwsCatalogue();
        return new(
            Name,
            [
                new("profile", TargetSettingForm.Text, false, []) { Description = "Profile of the AWS configuration files." },
                new("role_arn", TargetSettingForm.TextOrList, false, [])
                {
                    Description = "A role to assume, or a list of roles to assume one after another.",
                },
                new("external_id", TargetSettingForm.Text, false, []) { Description = "The external id passed when a role is assumed." },
                new("organization", TargetSettingForm.Flag, false, [])
                {
                    Description = "Every account of the organization; the credentials are the management account's or a delegated administrator's.",
                },
                new("role_name", TargetSettingForm.Text, false, [])
                {
                    Description = "With organization: the role to assume in every account except the credentials' own.",
                },
                new("exclude_accounts", TargetSettingForm.TextList, false, [])
                {
                    Description = "With organization: account ids to exclude; the results list them.",
                },
                new("regions", TargetSettingForm.TextOrList, false, ["enabled"]) { Description = "'enabled' (the default), or a list." },
            ],
            name => name == TrailFiles.Operation.Name ? TrailFiles.Operation
                : catalogue.Find(name) is var (service, operation) ? Describe(service, operation)
                : null,
            name => Suggestions.For(catalogue, name))
        {
            TargetDescription = "An AWS account, or with organization: true every account of its organization.",
            OperationDescription = "<AWS CLI service>:<Operation>, such as iam:ListUsers.",
            WhyNotTarget = WhyNot,
        };
    }

    /// <summary>Returns why the settings of a target are not valid together; null if they are.</summary>
    private static string? WhyNot(Target target)
    {
        var organization = target.Setting("organization") == "true";
        if (organization && target.Setting("role_name") is null)
            return "organization: true needs role_name, the name of the role that is assumed in every account, such as AuditReadOnly";
        if (!organization && new[] { "role_name", "exclude_accounts" }.FirstOrDefault(target.Settings.ContainsKey) is { } alone)
            return $"{alone} can only be used with organization: true";
        if (target.Settings.GetValueOrDefault("role_arn", []).FirstOrDefault(r => !r.StartsWith("arn:", StringComparison.Ordinal)) is { } role)
            return $"role_arn must be the ARN of a role, or of several that are assumed one after another; '{role}' is not an ARN";
        if (!organization && target.Setting("external_id") is not null && !target.Settings.ContainsKey("role_arn"))
            return "external_id is passed when a role is assumed: use it with role_arn, or with organization: true";
        if (target.Settings.GetValueOrDefault("exclude_accounts", []).FirstOrDefault(a => !AccountId.Is(a)) is { } account)
            return $"exclude_accounts lists account ids of twelve digits, in quotes; '{account}' is not one";
        var regions = target.Settings.GetValueOrDefault("regions", []);
        if (regions is not ["enabled"] && regions.FirstOrDefault(r => !Partitions.IsRegion(r)) is { } region)
            return $"'{region}' cannot be a region; write its id, such as eu-west-1";
        return target.Setting("role_name") is { } name
            && (name.Length > 512 || !name.All(c => char.IsAsciiLetterOrDigit(c) || "+=,.@_/-".Contains(c, StringComparison.Ordinal)) || name.StartsWith('/'))
            ? $"role_name is the name of a role, optionally with its path before it (audit/AuditReadOnly); '{name}' cannot be one"
            : null;
    }

    /// <summary>
    /// Matches the error codes for resources that do not exist, in the forms that AWS services use: NoSuchEntity, TrailNotFoundException,
    /// DBInstanceNotFoundFault, InvalidVpcID.NotFound.
    /// </summary>
    private const string NotFound = @"NoSuch[A-Za-z]+|[A-Za-z.]+NotFound|[A-Za-z.]*NotFound(?:Exception|Fault|Error)|[A-Za-z]+DoesNotExist(?:Exception)?";

    /// <summary>Describes an operation of the catalogue.</summary>
    internal static Operation Describe(ServiceModel service, OperationModel operation) => new(
        Name, $"{service.Name}:{operation.Name}", operation.Scope,
        Parameters(service, operation),
        CredentialReport.Is(service, operation) ? CredentialReport.Columns : AnswerRows.Columns(service, operation),
        // Reading the credential report first generates it, which is a side effect.
        CredentialReport.Is(service, operation) ? service.Operation("GenerateCredentialReport")?.SideEffect : operation.SideEffect)
    {
        Reads = CredentialReport.Is(service, operation) ? CredentialReport.Reads : [$"{service.Name}:{operation.Name}"],
        Row = CredentialReport.Is(service, operation) ? "one for each line of the report" : AnswerRows.Row(operation),
        NotConfigured = operation.NotConfigured,
        NotFound = NotFound,
    };

    /// <summary>Returns the parameters without page tokens, since every page is read.</summary>
    private static ImmutableArray<OperationParameter> Parameters(ServiceModel service, OperationModel operation)
    {
        if (operation.Input is not { } input)
            return [];
        var shape = (ShapeModel.Structure)service.Shape(input);
        return
        [
            .. shape.Members
                .Where(m => operation.Pager?.Inputs.Contains(m.Name) != true)
                .Select(m => new OperationParameter(m.Name, m.Column, shape.Required.Contains(m.Name))),
        ];
    }
}
