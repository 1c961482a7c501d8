"""Makes an organization in a moto server: five member accounts, one of them in a unit and one closed, each with users of its own."""
import json
import sys

import boto3


def session(credentials=None):
    keys = (credentials['AccessKeyId'], credentials['SecretAccessKey'], credentials['SessionToken']) if credentials else ('AKIAIOSFODNN7EXAMPLE', 'not-a-key', None)
    return boto3.Session(*keys, region_name='us-east-1')


def client(of, name):
    return of.client(name, endpoint_url=sys.argv[1])


management = session()
organizations = client(management, 'organizations')
organizations.create_organization(FeatureSet='ALL')
accounts = {name: organizations.create_account(AccountName=name, Email=f'{name}@northquay.example')['CreateAccountStatus']['AccountId']
            for name in ('ledger', 'matching', 'refusing', 'sandbox', 'closed')}
root = organizations.list_roots()['Roots'][0]['Id']
unit = organizations.create_organizational_unit(ParentId=root, Name='workloads')['OrganizationalUnit']['Id']
organizations.move_account(AccountId=accounts['ledger'], SourceParentId=root, DestinationParentId=unit)
organizations.close_account(AccountId=accounts['closed'])
for users, (name, account) in enumerate(accounts.items(), start=1):
    role = client(management, 'sts').assume_role(RoleArn=f'arn:aws:iam::{account}:role/Seed', RoleSessionName='seed')['Credentials']
    iam = client(session(role), 'iam')
    for number in range(users):
        iam.create_user(UserName=f'{name}-{number}')
        iam.create_access_key(UserName=f'{name}-{number}')
iam = client(management, 'iam')
iam.create_user(UserName='management-0')
iam.create_access_key(UserName='management-0')
json.dump({'management': '123456789012', **accounts}, sys.stdout)
