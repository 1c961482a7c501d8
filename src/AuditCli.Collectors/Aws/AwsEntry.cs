namespace AuditCli.Collectors.Aws;

/// <summary>AWS in the catalogue of sources.</summary>
internal static class AwsEntry
{
    private const string EveryRegion = "-global";

    public static CollectorEntry Create() => new()
    {
        Source = AwsSource.Create(),
        Title = "AWS",
        Implementation = typeof(AwsCollector),
        Open = context => new AwsCollector(context.Transport, context.Clock, context.CredentialUsed),
        Permissions = AwsPermissions.Document,
        PermissionForm = "an IAM policy (JSON)",
        Call = new(
            "Call one operation of an AWS account, with the AWS SDK's own credentials or those of an engagement's target.",
            "As <AWS CLI service name>:<Operation>, such as iam:ListUsers.",
            """
            The pages of a list are joined into one.

            Examples:
              auditcli call aws iam:ListUsers
              auditcli call aws iam:ListMFADevices UserName=alice
              auditcli call aws cloudtrail:LookupEvents --region us-east-1 'LookupAttributes=[{"AttributeKey":"Username","AttributeValue":"root"}]'
              auditcli call aws s3:GetBucketAcl Bucket=ledger --engagement engagement.yaml --target prod
            """,
            [],
            new("--region", "R", "The region to call; default: the one configured for the credentials.", ""),
            item => item.Region.EndsWith(EveryRegion, StringComparison.Ordinal) ? null : item.Region),
        Starter = new("prod", "{ regions: enabled }", "profile: NAME and role_arn: ARN use other credentials than those in your environment")
        {
            Variables =
            [
                "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONFIG_FILE",
            ],
            HomeFiles = [".aws/config", ".aws/credentials"],
        },
        NewControl = new("AWS", "iam:ListUsers", "Arn"),
        Quick = new("Without an engagement: the AWS account of the credentials in your environment."),
        Fields = new()
        {
            Dropped = ["X-Amz-Security-Token", "X-Amzn-Sso-Bearer-Token", "X-Aws-Ec2-Metadata-Token"],
            DroppedParameters =
            [
                "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Algorithm",
            ],
            Key = ["X-Amz-Target"],
            RequestIds = ["x-amzn-RequestId", "x-amz-request-id", "x-amzn-request-id"],
        },
        Codes = AwsCodes.All,
        SecretPlaces = AwsSecretPlaces.All,
        SecretReferences = ["kms:", "aws/", "alias/"],
    };
}
