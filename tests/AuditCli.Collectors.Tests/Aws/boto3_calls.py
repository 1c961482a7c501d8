"""Asks the same as AuditCli through boto3, which nobody here wrote.

    boto3_calls.py ENDPOINT seed             makes some users, buckets, keys and more
    boto3_calls.py ENDPOINT auditor          makes a user who may read a little, and prints its key and secret
    boto3_calls.py ENDPOINT < calls          one line "service:Operation {parameters}" in, one JSON line out
"""
import base64
import datetime
import functools
import json
import sys

import boto3
import botocore.exceptions
import botocore.parsers

import boto3_seed

TRUST = json.dumps({'Version': '2012-10-17', 'Statement': [
    {'Effect': 'Allow', 'Principal': {'Service': 'lambda.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]})


@functools.cache
def client(service):
    return boto3.client(service, endpoint_url=sys.argv[1], region_name='us-east-1',
                        aws_access_key_id='AKIAIOSFODNN7EXAMPLE', aws_secret_access_key='x' * 40)


def seed():
    iam, s3, kms, ec2, logs = (client(s) for s in ('iam', 's3', 'kms', 'ec2', 'logs'))
    for i in range(5):
        iam.create_user(UserName=f'user{i}', Path='/staff/' if i % 2 else '/', Tags=[{'Key': 'dept', 'Value': f'd{i}'}])
        iam.create_role(RoleName=f'role{i}', AssumeRolePolicyDocument=TRUST)
        s3.create_bucket(Bucket=f'bucket-{i}')
        logs.create_log_group(logGroupName=f'/app/{i}')
    iam.create_access_key(UserName='user0')
    iam.create_login_profile(UserName='user0', Password='Abcdef123!xyz')
    iam.update_account_password_policy(MinimumPasswordLength=14, RequireSymbols=True)
    iam.create_policy(PolicyName='star', PolicyDocument=json.dumps(
        {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'}]}))
    s3.put_bucket_versioning(Bucket='bucket-1', VersioningConfiguration={'Status': 'Enabled'})
    s3.put_bucket_encryption(Bucket='bucket-1', ServerSideEncryptionConfiguration={
        'Rules': [{'ApplyServerSideEncryptionByDefault': {'SSEAlgorithm': 'AES256'}}]})
    s3.put_public_access_block(Bucket='bucket-1', PublicAccessBlockConfiguration={'BlockPublicAcls': True})
    s3.put_bucket_tagging(Bucket='bucket-1', Tagging={'TagSet': [{'Key': 'a', 'Value': 'b c'}]})
    for key in ('plain', 'with space', 'plus+and~tilde', 'é/ä'):
        s3.put_object(Bucket='bucket-0', Key=key, Body=b'x')
    kms.enable_key_rotation(KeyId=kms.create_key(Description='k', KeyUsage='ENCRYPT_DECRYPT')['KeyMetadata']['KeyId'])
    vpc = ec2.describe_vpcs()['Vpcs'][0]['VpcId']
    group = ec2.create_security_group(GroupName='sg', Description='x', VpcId=vpc)['GroupId']
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}])
    client('cloudtrail').create_trail(Name='trail', S3BucketName='bucket-0', IsMultiRegionTrail=True)
    client('guardduty').create_detector(Enable=True)
    client('eks').create_cluster(name='c1', roleArn='arn:aws:iam::123456789012:role/role0', resourcesVpcConfig={'subnetIds': ['subnet-1']})
    client('dynamodb').create_table(
        TableName='t1', KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}],
        AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}], BillingMode='PAY_PER_REQUEST')
    client('secretsmanager').create_secret(Name='s1', SecretString='x')
    client('ssm').put_parameter(Name='/p1', Value='x', Type='SecureString')
    client('ecr').create_repository(repositoryName='app')
    client('rds').create_db_instance(
        DBInstanceIdentifier='db1', DBInstanceClass='db.t3.micro', Engine='postgres', MasterUsername='a',
        MasterUserPassword='abcdefgh1', AllocatedStorage=20, StorageEncrypted=True)
    client('organizations').create_organization(FeatureSet='ALL')
    client('securityhub').enable_security_hub()
    boto3_seed.seed(client)


def auditor():
    iam = client('iam')
    iam.create_user(UserName='auditor')
    iam.put_user_policy(UserName='auditor', PolicyName='read', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [{
        'Effect': 'Allow', 'Resource': '*',
        'Action': ['iam:ListUsers', 'kms:ListKeys', 'ec2:DescribeVpcs', 's3:ListAllMyBuckets', 'lambda:ListFunctions', 'sts:GetCallerIdentity']}]}))
    key = iam.create_access_key(UserName='auditor')['AccessKey']
    print(key['AccessKeyId'], key['SecretAccessKey'], sep='\n')


def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k != 'ResponseMetadata' and v is not None}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, datetime.datetime):
        text = value.astimezone(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.%f').rstrip('0').rstrip('.')
        return text + 'Z'
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    return value


def call(line):
    name, parameters = line.split(' ', 1)
    parameters = parameters.replace('{endpoint}', sys.argv[1].rstrip('/'))
    service, operation = name.split(':')
    api = client(service)
    method = next(m for m, o in api.meta.method_to_api_mapping.items() if o == operation)
    try:
        if api.can_paginate(method):
            answer = api.get_paginator(method).paginate(**json.loads(parameters)).build_full_result()
        else:
            answer = getattr(api, method)(**json.loads(parameters))
        return plain(answer)
    except botocore.exceptions.ClientError as error:
        return {'Error': error.response['Error']['Code']}
    except (botocore.exceptions.BotoCoreError, botocore.parsers.ResponseParserError) as error:
        return {'Broken': f'{type(error).__name__}: {error}'}    # moto's response is one that boto3 cannot read, so it is not compared


if len(sys.argv) > 2:
    {'seed': seed, 'auditor': auditor}[sys.argv[2]]()
else:
    for asked in sys.stdin:
        print(json.dumps(call(asked.strip()), sort_keys=True), flush=True)
