"""What moto holds beside the first seed of boto3_calls.py: something of many services, so that answers have more than empty lists."""
import io
import json
import zipfile

ROLE = 'arn:aws:iam::123456789012:role/role0'
QUEUE = 'arn:aws:sqs:us-east-1:123456789012:jobs'
CODE = io.BytesIO()
with zipfile.ZipFile(CODE, 'w') as package:
    package.writestr('a.py', 'def h(e, c): return 1')

# Service, boto3 method and arguments.
MORE = [
    ('sns', 'create_topic', dict(Name='alerts')),
    ('sns', 'subscribe', dict(TopicArn='arn:aws:sns:us-east-1:123456789012:alerts', Protocol='email', Endpoint='a@example.com')),
    ('sqs', 'create_queue', dict(QueueName='jobs', Attributes={'VisibilityTimeout': '45'})),
    ('sqs', 'create_queue', dict(QueueName='jobs-dead')),
    ('cloudwatch', 'put_metric_alarm', dict(
        AlarmName='root-used', MetricName='RootUse', Namespace='Audit', Statistic='Sum', Period=300, EvaluationPeriods=1, Threshold=1.0,
        ComparisonOperator='GreaterThanOrEqualToThreshold')),
    ('cloudwatch', 'put_dashboard', dict(DashboardName='board', DashboardBody='{"widgets":[]}')),
    ('events', 'put_rule', dict(Name='nightly', ScheduleExpression='rate(1 day)')),
    ('events', 'put_targets', dict(Rule='nightly', Targets=[{'Id': '1', 'Arn': QUEUE}])),
    ('events', 'create_event_bus', dict(Name='bus')),
    ('stepfunctions', 'create_state_machine', dict(
        name='flow', definition='{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}', roleArn=ROLE)),
    ('kinesis', 'create_stream', dict(StreamName='stream', ShardCount=2)),
    ('firehose', 'create_delivery_stream', dict(
        DeliveryStreamName='pipe', S3DestinationConfiguration={'RoleARN': ROLE, 'BucketARN': 'arn:aws:s3:::bucket-0'})),
    ('route53', 'create_hosted_zone', dict(Name='example.com.', CallerReference='one')),
    ('route53', 'create_hosted_zone', dict(Name='example.org.', CallerReference='two')),
    ('lambda', 'create_function', dict(
        FunctionName='hook', Runtime='python3.12', Role=ROLE, Handler='a.h', Code={'ZipFile': CODE.getvalue()}, Environment={'Variables':
        {'A': 'b'}})),
    ('lambda', 'create_alias', dict(FunctionName='hook', Name='live', FunctionVersion='$LATEST')),
    ('ecs', 'create_cluster', dict(clusterName='web')),
    ('ecs', 'register_task_definition', dict(
        family='site', containerDefinitions=[{'name': 'c', 'image': 'nginx', 'memory': 128, 'environment': [{'name': 'A', 'value': 'b'}]}])),
    ('efs', 'create_file_system', dict(CreationToken='fs1', Encrypted=True)),
    ('elasticache', 'create_cache_cluster', dict(CacheClusterId='cache', Engine='redis', CacheNodeType='cache.t3.micro', NumCacheNodes=1)),
    ('redshift', 'create_cluster', dict(ClusterIdentifier='wh', NodeType='dc2.large', MasterUsername='admin', MasterUserPassword='Abcdef123')),
    ('opensearch', 'create_domain', dict(DomainName='logs')),
    ('es', 'create_elasticsearch_domain', dict(DomainName='old')),
    ('glue', 'create_database', dict(DatabaseInput={'Name': 'db'})),
    ('glue', 'create_table', dict(DatabaseName='db', TableInput={'Name': 't', 'StorageDescriptor': {'Columns': [{'Name': 'a', 'Type': 'string'}]}})),
    ('glue', 'create_job', dict(Name='job', Role=ROLE, Command={'Name': 'glueetl', 'ScriptLocation': 's3://bucket-0/x'})),
    ('athena', 'create_work_group', dict(Name='wg', Description='x')),
    ('athena', 'create_named_query', dict(Name='q', Database='db', QueryString='select 1')),
    ('codebuild', 'create_project', dict(
        name='build', source={'type': 'GITHUB', 'location': 'https://github.com/a/b'}, artifacts={'type': 'NO_ARTIFACTS'},
        environment={'type': 'LINUX_CONTAINER', 'image': 'aws/codebuild/standard:7.0', 'computeType': 'BUILD_GENERAL1_SMALL'},
        serviceRole=ROLE)),
    ('codecommit', 'create_repository', dict(repositoryName='code', repositoryDescription='d')),
    ('cloudformation', 'create_stack', dict(
        StackName='stack', TemplateBody=json.dumps({'Resources': {'Q': {'Type': 'AWS::SQS::Queue', 'Properties': {'QueueName':
        'from-stack'}}}}))),
    ('backup', 'create_backup_vault', dict(BackupVaultName='vault')),
    ('backup', 'create_backup_plan', dict(BackupPlan={'BackupPlanName': 'plan', 'Rules': [{'RuleName': 'r', 'TargetBackupVaultName': 'vault'}]})),
    ('wafv2', 'create_ip_set', dict(Name='ips', Scope='REGIONAL', IPAddressVersion='IPV4', Addresses=['192.0.2.0/24'])),
    ('wafv2', 'create_web_acl', dict(
        Name='acl', Scope='REGIONAL', DefaultAction={'Allow': {}}, VisibilityConfig={'SampledRequestsEnabled': True,
        'CloudWatchMetricsEnabled': True, 'MetricName': 'm'})),
    ('cognito-idp', 'create_user_pool', dict(PoolName='pool')),
    ('cognito-identity', 'create_identity_pool', dict(IdentityPoolName='ids', AllowUnauthenticatedIdentities=False)),
    ('ses', 'verify_email_identity', dict(EmailAddress='a@example.com')),
    ('sesv2', 'create_email_identity', dict(EmailIdentity='example.net')),
    ('sesv2', 'create_configuration_set', dict(ConfigurationSetName='set1')),
    ('ssm', 'create_document', dict(
        Name='doc', DocumentType='Command', DocumentFormat='JSON', Content=json.dumps({'schemaVersion': '2.2', 'description': 'x',
        'mainSteps': [{'action': 'aws:runShellScript', 'name': 'a', 'inputs': {'runCommand': ['ls']}}]}))),
    ('config', 'put_configuration_recorder', dict(
        ConfigurationRecorder={'name': 'default', 'roleARN': ROLE, 'recordingGroup': {'allSupported': True}})),
    ('config', 'put_delivery_channel', dict(DeliveryChannel={'name': 'default', 's3BucketName': 'bucket-0'})),
    ('config', 'put_config_rule', dict(ConfigRule={'ConfigRuleName': 'rule', 'Source': {'Owner': 'AWS', 'SourceIdentifier': 'IAM_PASSWORD_POLICY'}})),
    ('servicediscovery', 'create_http_namespace', dict(Name='space')),
    ('emr', 'create_security_configuration', dict(Name='sec', SecurityConfiguration='{}')),
    ('transfer', 'create_server', dict(Protocols=['SFTP'])),
    ('sagemaker', 'create_model', dict(ModelName='model', ExecutionRoleArn=ROLE, PrimaryContainer={'Image': '1.dkr.ecr.us-east-1.amazonaws.com/x'})),
    ('sagemaker', 'create_notebook_instance', dict(NotebookInstanceName='nb', InstanceType='ml.t3.medium', RoleArn=ROLE)),
    ('dms', 'create_replication_subnet_group', dict(
        ReplicationSubnetGroupIdentifier='rsg', ReplicationSubnetGroupDescription='d', SubnetIds=['subnet-1'])),
    ('budgets', 'create_budget', dict(
        AccountId='123456789012', Budget={'BudgetName': 'b', 'BudgetLimit': {'Amount': '10', 'Unit': 'USD'}, 'TimeUnit': 'MONTHLY',
        'BudgetType': 'COST'})),
    ('ram', 'create_resource_share', dict(name='share')),
    ('resource-groups', 'create_group', dict(
        Name='rg', ResourceQuery={'Type': 'TAG_FILTERS_1_0', 'Query': json.dumps({'ResourceTypeFilters': ['AWS::AllSupported'],
        'TagFilters': [{'Key': 'a', 'Values': ['b']}]})})),
    ('mq', 'create_broker', dict(
        BrokerName='mq1', AutoMinorVersionUpgrade=True, EngineType='ACTIVEMQ', EngineVersion='5.17.6', HostInstanceType='mq.t3.micro',
        DeploymentMode='SINGLE_INSTANCE', PubliclyAccessible=False, Users=[{'Username': 'admin', 'Password': 'adminadmin123'}])),
    ('appsync', 'create_graphql_api', dict(name='api', authenticationType='API_KEY')),
    ('iot', 'create_thing', dict(thingName='thing')),
    ('iot', 'create_policy', dict(policyName='pol', policyDocument='{"Version":"2012-10-17","Statement":[]}')),
    ('glacier', 'create_vault', dict(vaultName='gv')),
    ('swf', 'register_domain', dict(name='dom', workflowExecutionRetentionPeriodInDays='1')),
    ('scheduler', 'create_schedule', dict(
        Name='sch', ScheduleExpression='rate(1 day)', FlexibleTimeWindow={'Mode': 'OFF'}, Target={'Arn': QUEUE, 'RoleArn': ROLE})),
    ('acm', 'request_certificate', dict(DomainName='www.example.com')),
    ('acm-pca', 'create_certificate_authority', dict(
        CertificateAuthorityType='ROOT', CertificateAuthorityConfiguration={'KeyAlgorithm': 'RSA_2048', 'SigningAlgorithm':
        'SHA256WITHRSA', 'Subject': {'CommonName': 'ca'}})),
    ('apigateway', 'create_rest_api', dict(name='rest')),
    ('apigateway', 'create_api_key', dict(name='key', enabled=True)),
    ('apigatewayv2', 'create_api', dict(Name='http', ProtocolType='HTTP')),
    ('timestream-write', 'create_database', dict(DatabaseName='ts')),
    ('kafka', 'create_cluster', dict(
        ClusterName='k', KafkaVersion='3.5.1', NumberOfBrokerNodes=3, BrokerNodeGroupInfo={'InstanceType': 'kafka.m5.large',
        'ClientSubnets': ['subnet-1', 'subnet-2', 'subnet-3']})),
    ('cloudfront', 'create_distribution', dict(
        DistributionConfig={'CallerReference': 'r', 'Origins': {'Quantity': 1, 'Items': [{'Id': 'o', 'DomainName':
        'bucket-0.s3.amazonaws.com', 'S3OriginConfig': {'OriginAccessIdentity': ''}}]}, 'DefaultCacheBehavior': {'TargetOriginId': 'o',
        'ViewerProtocolPolicy': 'https-only', 'MinTTL': 1, 'ForwardedValues': {'QueryString': False, 'Cookies': {'Forward': 'none'}}},
        'Comment': 'c', 'Enabled': True})),
    ('macie2', 'enable_macie', dict()),
    ('inspector2', 'create_filter', dict(name='f', action='NONE', filterCriteria={})),
    ('datasync', 'create_location_s3', dict(S3BucketArn='arn:aws:s3:::bucket-0', S3Config={'BucketAccessRoleArn': ROLE})),
    ('autoscaling', 'create_launch_configuration', dict(LaunchConfigurationName='lc', ImageId='ami-1', InstanceType='t3.micro')),
    ('bedrock-agent', 'create_agent', dict(agentName='agent', agentResourceRoleArn=ROLE)),
    ('pipes', 'create_pipe', dict(Name='pipe1', RoleArn=ROLE, Source=QUEUE, Target='arn:aws:sns:us-east-1:123456789012:alerts')),
    ('shield', 'create_subscription', dict()),
    ('sso-admin', 'create_permission_set', dict(Name='ps', InstanceArn='arn:aws:sso:::instance/ssoins-aaaabbbbccccdddd')),
    ('lakeformation', 'register_resource', dict(ResourceArn='arn:aws:s3:::bucket-0', RoleArn=ROLE)),
    ('networkmanager', 'create_global_network', dict(Description='net')),
    ('identitystore', 'create_user', dict(IdentityStoreId='d-1234567890', UserName='u', DisplayName='U', Name={'GivenName': 'a', 'FamilyName': 'b'})),
    ('memorydb', 'create_cluster', dict(ClusterName='mem', NodeType='db.t4g.small', ACLName='open-access')),
    ('dsql', 'create_cluster', dict()),
    ('s3tables', 'create_table_bucket', dict(name='tables')),
    ('s3vectors', 'create_vector_bucket', dict(vectorBucketName='vectors')),
    ('opensearchserverless', 'create_security_policy', dict(
        name='policy', type='encryption',
        policy='{"Rules":[{"ResourceType":"collection","Resource":["collection/x"]}],"AWSOwnedKey":true}')),
]


def seed(client):
    for service, method, arguments in MORE:
        getattr(client(service), method)(**arguments)
