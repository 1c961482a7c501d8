"""What AuditCli knows of AWS beside botocore's models, each named one by one."""


def names(text):
    """`service:A B C` on each line, as full names; a line without a service goes on with the one before."""
    found, service = [], None
    for line in text.strip().splitlines():
        if ':' in line:
            service, line = line.strip().split(':')
        found += [f'{service}:{operation}' for operation in line.split()]
    return found


# Codes by which an operation says that what it was asked for is not configured, though what it belongs to exists. Where the
# same code also means that the owner does not exist, ask for owners that a list named.
NOT_CONFIGURED = {code: names(text) for code, text in {
    'NoSuchBucketPolicy': 's3:GetBucketPolicy GetBucketPolicyStatus\ns3control:GetBucketPolicy',
    'NoSuchTagSet': 's3:GetBucketTagging\ns3control:GetBucketTagging',
    'NoSuchCORSConfiguration': 's3:GetBucketCors',
    'NoSuchLifecycleConfiguration': 's3:GetBucketLifecycle GetBucketLifecycleConfiguration\ns3control:GetBucketLifecycleConfiguration',
    'NoSuchWebsiteConfiguration': 's3:GetBucketWebsite',
    'NoSuchConfiguration': 's3:GetBucketAnalyticsConfiguration GetBucketIntelligentTieringConfiguration GetBucketInventoryConfiguration GetBucketMetricsConfiguration',
    'ReplicationConfigurationNotFoundError': 's3:GetBucketReplication\ns3control:GetBucketReplication',
    'ServerSideEncryptionConfigurationNotFoundError': 's3:GetBucketEncryption',
    'OwnershipControlsNotFoundError': 's3:GetBucketOwnershipControls',
    'ObjectLockConfigurationNotFoundError': 's3:GetObjectLockConfiguration',
    'NoSuchObjectLockConfiguration': 's3:GetObjectLegalHold GetObjectRetention',
    'NoSuchPublicAccessBlockConfiguration': 's3:GetPublicAccessBlock\ns3control:GetPublicAccessBlock',
    'NoSuchAccessPointPolicy': 's3control:GetAccessPointPolicy GetAccessPointPolicyForObjectLambda GetAccessPointPolicyStatus',
    'NoSuchEntity': 'iam:GetAccountPasswordPolicy GetLoginProfile',
    'ReportNotPresent': 'iam:GetCredentialReport',
    'ResourceNotFoundException': """
        account:GetAlternateContact GetContactInformation
        dynamodb:GetResourcePolicy
        glue:GetResourcePolicy
        lambda:GetFunctionUrlConfig GetFunctionEventInvokeConfig GetPolicy
        logs:GetDataProtectionPolicy GetTransformer
        backup:GetBackupVaultAccessPolicy GetBackupVaultNotifications
        securityhub:DescribeHub
        sso-admin:GetInlinePolicyForPermissionSet GetPermissionsBoundaryForPermissionSet
        wafv2:GetLoggingConfiguration GetPermissionPolicy""",
    'EntityNotFoundException': 'glue:GetResourcePolicy',
    'WAFNonexistentItemException': 'wafv2:GetLoggingConfiguration GetPermissionPolicy',
    'PolicyNotFoundException': 'dynamodb:GetResourcePolicy',
    'ProvisionedConcurrencyConfigNotFoundException': 'lambda:GetProvisionedConcurrencyConfig',
    'RepositoryPolicyNotFoundException': 'ecr:GetRepositoryPolicy\necr-public:GetRepositoryPolicy',
    'LifecyclePolicyNotFoundException': 'ecr:GetLifecyclePolicy',
    'RegistryPolicyNotFoundException': 'ecr:GetRegistryPolicy',
    'ScanNotFoundException': 'ecr:DescribeImageScanFindings',
    'AWSOrganizationsNotInUseException': 'organizations:DescribeOrganization ListAccounts ListRoots',
    'EffectivePolicyNotFoundException': 'organizations:DescribeEffectivePolicy',
    # A trail of another region, or of an organization's other account, has no selectors here.
    'InvalidHomeRegionException': 'cloudtrail:GetEventSelectors',
    'CloudTrailARNInvalidException': 'cloudtrail:GetEventSelectors',
    'InsightNotEnabledException': 'cloudtrail:GetInsightSelectors',
    'PolicyNotFound': 'efs:DescribeBackupPolicy DescribeFileSystemPolicy',
    'ReplicationNotFound': 'efs:DescribeReplicationConfigurations',
    'UnsupportedOperationException': 'kms:GetKeyRotationStatus',
}.items()}

# Reads that have to be asked once although their service has an endpoint in every region.
GLOBAL_SERVICES = {'s3': 'a bucket list covers all regions; other calls are redirected to the region of the bucket',
                   'sts': 'identity is the same everywhere'}
GLOBAL_OPERATIONS = {'ec2:DescribeRegions': 'the list of regions is the same everywhere',
                     's3control:GetPublicAccessBlock': 'the block applies to the whole account'}

# Services that one region serves for the whole account, though their endpoint rules would form a name for every region.
ONE_REGION = {
    'cost-optimization-hub': 'us-east-1', 'cur': 'us-east-1', 'devicefarm': 'us-west-2', 'ecr-public': 'us-east-1',
    'globalaccelerator': 'us-west-2', 'health': 'us-east-1', 'marketplace-agreement': 'us-east-1',
    'marketplace-catalog': 'us-east-1', 'marketplace-entitlement': 'us-east-1', 'mturk': 'us-east-1', 'pricing': 'us-east-1',
    'route53domains': 'us-east-1',
}

# What the endpoint rules of a service ask for beside region, FIPS and dual-stack.
ENDPOINT_PARAMETERS = {'neptune-graph': {'ApiType': 'ControlPlane'}}

# An answer with one list beside other members, where botocore has no paginator and the rule of generate.py (rows) would
# take the other choice: here the whole response is the row ...
WHOLE_RESPONSE = set(names("""
"""))
# ... and here the elements of its list are.
LIST_ALONE = set(names("""
    cloudtrail:GetInsightSelectors
    ec2:DescribeAggregateIdFormat DescribeFleetHistory DescribeSpotFleetRequestHistory GetCoipPoolUsage
        GetIpamDiscoveredPublicAddresses GetRouteServerRoutingDatabase
    logs:DescribeImportTaskBatches
    s3:GetBucketAcl GetBucketLifecycleConfiguration GetObjectAcl"""))

# How to read on where botocore has no paginator and no member that is called a token: what to give, what the answer has, and
# its flag that there is more.
PAGERS = {
    'firehose:ListDeliveryStreams': ('ExclusiveStartDeliveryStreamName', 'DeliveryStreamNames[-1]', 'HasMoreDeliveryStreams'),
    'firehose:ListTagsForDeliveryStream': ('ExclusiveStartTagKey', 'Tags[-1].Key', 'HasMoreTags'),
    'kinesis:ListTagsForStream': ('ExclusiveStartTagKey', 'Tags[-1].Key', 'HasMoreTags'),
    'kinesisanalytics:ListApplications': ('ExclusiveStartApplicationName', 'ApplicationSummaries[-1].ApplicationName', 'HasMoreApplications'),
    'route53:ListGeoLocations': ('StartContinentCode StartCountryCode StartSubdivisionCode', 'NextContinentCode NextCountryCode NextSubdivisionCode', 'IsTruncated'),
    'route53:ListHostedZonesByName': ('DNSName HostedZoneId', 'NextDNSName NextHostedZoneId', 'IsTruncated'),
    'route53:ListTrafficPolicies': ('TrafficPolicyIdMarker', 'TrafficPolicyIdMarker', 'IsTruncated'),
    'route53:ListTrafficPolicyInstances': (
        'HostedZoneIdMarker TrafficPolicyInstanceNameMarker TrafficPolicyInstanceTypeMarker',
        'HostedZoneIdMarker TrafficPolicyInstanceNameMarker TrafficPolicyInstanceTypeMarker', 'IsTruncated'),
    'route53:ListTrafficPolicyInstancesByHostedZone': (
        'TrafficPolicyInstanceNameMarker TrafficPolicyInstanceTypeMarker',
        'TrafficPolicyInstanceNameMarker TrafficPolicyInstanceTypeMarker', 'IsTruncated'),
    'route53:ListTrafficPolicyInstancesByPolicy': (
        'HostedZoneIdMarker TrafficPolicyInstanceNameMarker TrafficPolicyInstanceTypeMarker',
        'HostedZoneIdMarker TrafficPolicyInstanceNameMarker TrafficPolicyInstanceTypeMarker', 'IsTruncated'),
    'route53:ListTrafficPolicyVersions': ('TrafficPolicyVersionMarker', 'TrafficPolicyVersionMarker', 'IsTruncated'),
}
