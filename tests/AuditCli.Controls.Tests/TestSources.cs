using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests;

/// <summary>Small sources whose operations look like those of the real catalogues.</summary>
internal static class TestSources
{
    /// <summary>
    /// The sources and settings of the program and of the schemas. A test of the program compares them with its collectors.
    /// </summary>
    public static ImmutableArray<EvidenceSource> Shipped { get; } =
    [
        Source("aws",
            [
                new("profile", TargetSettingForm.Text, false, []),
                new("role_arn", TargetSettingForm.TextOrList, false, []),
                new("external_id", TargetSettingForm.Text, false, []),
                new("organization", TargetSettingForm.Flag, false, []),
                new("role_name", TargetSettingForm.Text, false, []),
                new("exclude_accounts", TargetSettingForm.TextList, false, []),
                new("regions", TargetSettingForm.TextOrList, false, ["enabled"]),
            ],
            new("aws", "iam:ListUsers", OperationScope.Global, [Path, new("MaxItems", ColumnType.Integer, false)],
                [
                    new("Arn", ColumnType.Text), new("CreateDate", ColumnType.Timestamp), new("PasswordLastUsed", ColumnType.Timestamp),
                    new("Tags", ColumnType.Json), new("UserName", ColumnType.Text),
                ])
            {
                // As if this parameter chose the columns.
                Selected = parameters => parameters.TryGetValue("PathPrefix", out var chosen) && chosen.GetString() is ['=', .. var names]
                    ? [.. names.Split(',')]
                    : null,
            },
            new("aws", "iam:ListMFADevices", OperationScope.Global, [new("UserName", ColumnType.Text, true)],
                [new("EnableDate", ColumnType.Timestamp), new("SerialNumber", ColumnType.Text)]),
            new("aws", "iam:GetCredentialReport", OperationScope.Global, [],
                [
                    new("user", ColumnType.Text), new("arn", ColumnType.Text),
                    new("password_enabled", ColumnType.Boolean), new("mfa_active", ColumnType.Boolean),
                ]),
            new("aws", "cloudtrail:LookupEvents", OperationScope.Regional,
                [
                    new("EndTime", ColumnType.Timestamp, false), new("LookupAttributes", ColumnType.Json, false),
                    new("StartTime", ColumnType.Timestamp, false), new("EventCategory", ColumnType.Text, false),
                ],
                [new("EventId", ColumnType.Text)]),
            new("aws", "ec2:DescribeSecurityGroups", OperationScope.Regional,
                [new("Filters", ColumnType.Json, false), new("DryRun", ColumnType.Boolean, false)],
                [
                    new("GroupId", ColumnType.Text), new("IpPermissions", ColumnType.Json),
                    new("Priority", ColumnType.Integer), new("Weight", ColumnType.Double),
                ])),
        Source("gcp",
            [
                new("projects", TargetSettingForm.TextList, false, []),
                new("folder", TargetSettingForm.Text, false, []),
                new("organization", TargetSettingForm.Text, false, []),
                new("credentials", TargetSettingForm.File, false, []),
                new("impersonate", TargetSettingForm.Text, false, []),
                new("quota_project", TargetSettingForm.Text, false, []),
            ],
            new Operation("gcp", "iam:serviceAccounts.list", OperationScope.Global, [], [new("email", ColumnType.Text)])),
        Source("kubernetes", [new("context", TargetSettingForm.Text, false, []), new("kubeconfig", TargetSettingForm.File, false, [])], Pods),
        Source("http",
            [
                new("url", TargetSettingForm.Text, false, []),
                new("product", TargetSettingForm.Text, false, ["entra", "jira", "okta", "servicenow"]),
                new("auth", TargetSettingForm.Text, false, ["bearer", "basic", "client-secret", "federated", "jwt-rs256"]),
                new("token_env", TargetSettingForm.Text, false, []),
                new("user", TargetSettingForm.Text, false, []),
                new("password_env", TargetSettingForm.Text, false, []),
                new("client_id", TargetSettingForm.Text, false, []),
                new("client_secret_env", TargetSettingForm.Text, false, []),
                new("private_key_file", TargetSettingForm.File, false, []),
                new("assertion_file", TargetSettingForm.File, false, []),
                new("tenant", TargetSettingForm.Text, false, []),
                new("token_url", TargetSettingForm.Text, false, []),
                new("scope", TargetSettingForm.Text, false, []),
                new("ca", TargetSettingForm.File, false, []),
                new("client_certificate", TargetSettingForm.File, false, []),
                new("client_key", TargetSettingForm.File, false, []),
                new("socket", TargetSettingForm.File, false, []),
            ],
            new Operation("http", "okta:users.list", OperationScope.Global, [], [new("id", ColumnType.Text)])),
    ];

    /// <summary>Three of the program's sources, one with an additional setting, so that every form of setting occurs.</summary>
    public static ImmutableArray<EvidenceSource> All { get; } =
    [
        .. Shipped.Where(s => s.Name is "aws" or "gcp"),
        Source("kubernetes",
            [
                new("context", TargetSettingForm.Text, false, []), new("kubeconfig", TargetSettingForm.File, false, []),
                new("in_cluster", TargetSettingForm.Flag, false, []),
            ],
            Pods),
    ];

    private static OperationParameter Path => new("PathPrefix", ColumnType.Text, false)
    {
        WhyNot = text => text == "!" ? "is '!', and must be a path" : null,
    };

    private static Operation Pods => new("kubernetes", "v1/pods", OperationScope.Global, [], [new("name", ColumnType.Text)]);

    private static EvidenceSource Source(string name, ImmutableArray<TargetSetting> settings, params ImmutableArray<Operation> operations) => new(
        name, settings,
        wanted => operations.FirstOrDefault(o => o.Name == wanted) is { } found ? found with { NotFound = "NoSuch[A-Za-z]+" } : null,
        wanted => [.. operations.Select(o => o.Name).Where(o => o[..^2] == wanted[..Math.Min(wanted.Length, o.Length - 2)])]);
}
