#!/usr/bin/env python3
"""Records the exchanges that engagement.yaml replays. Nobody needs it to run the sample.

    record.py serve [--aws]       start the invented company and wait; with --aws its two AWS accounts alone
    record.py check               start the AWS accounts, make every call that the controls make, show what they should conclude
    record.py record              start everything, run auditcli against it, keep what it recorded in exchanges/

Needs Python 3.10 or newer with boto3 and moto[server] 5.2.1. moto answers as AWS would; what it leaves out or invents is put
right in this file, at the place where it is needed, and said there. Google Cloud (google.json) and the cluster (cluster.yaml)
come from the project's test servers, which need kube-apiserver (tests/tools/install-kube-apiserver.sh) and kubectl.
"""
import argparse
import contextlib
import csv
import datetime
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import uuid

# moto reads these when it is imported. AWS's own policies are loaded, and cut down to the attached ones in seed().
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
for name in [n for n in os.environ if n.startswith("AWS_")]:
    del os.environ[name]
os.environ.update(AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY="not-a-key", AWS_DEFAULT_REGION="us-east-1")

import boto3  # noqa: E402
import botocore.exceptions  # noqa: E402
from botocore.config import Config  # noqa: E402
from moto.cloudtrail.models import TrailStatus, cloudtrail_backends  # noqa: E402
from moto.iam.models import IAMBackend, get_account_id_from, iam_backends  # noqa: E402
from moto.iam.responses import IamResponse  # noqa: E402
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: E402
from moto.s3.models import s3_backends  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent
PROD, DEV = "111122223333", "444455556666"
ACCOUNTS = {"prod": PROD, "dev": DEV}
REGIONS = ["us-east-1", "eu-west-1"]
PERIOD_START = datetime.date(2026, 9, 1)
ADMIN_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"

# The one call that is refused. It leaves INF-AWS-001 undecided for one account, and touches nothing else.
DENIED = {(DEV, "s3:GetBucketPolicyStatus")}

# moto has no LookupEvents. (account, region) -> events, as CloudTrail's event history would show them.
EVENTS = {
    (PROD, "us-east-1"): [
        dict(id="0d9c7f0e-93f6-4f0b-8f1a-2f6f0e6d1b11", name="ConsoleLogin", source="signin.amazonaws.com", user="root",
             time="2026-10-08T06:12:44Z", read_only="false",
             record=dict(userIdentity=dict(type="Root", principalId=PROD, arn=f"arn:aws:iam::{PROD}:root", accountId=PROD),
                         eventType="AwsConsoleSignIn", sourceIPAddress="192.0.2.17", responseElements=dict(ConsoleLogin="Success"),
                         additionalEventData=dict(MFAUsed="Yes"))),
        dict(id="3b7d2a46-52a4-4c5d-8a55-0b8c6c1e9f22", name="PutContactInformation", source="account.amazonaws.com", user="root",
             time="2026-10-08T06:19:03Z", read_only="false",
             record=dict(userIdentity=dict(type="Root", principalId=PROD, arn=f"arn:aws:iam::{PROD}:root", accountId=PROD),
                         eventType="AwsApiCall", sourceIPAddress="192.0.2.17")),
        dict(id="6a1f3a52-8a0e-4d7f-9b0e-5c2f1d7e9a01", name="UpdateTrail", source="cloudtrail.amazonaws.com", user="pipeline",
             time="2026-09-22T09:30:11Z", read_only="false",
             record=dict(userIdentity=dict(type="AssumedRole", arn=f"arn:aws:sts::{PROD}:assumed-role/OrgAdmin/pipeline", accountId=PROD),
                         eventType="AwsApiCall", sourceIPAddress="192.0.2.30", requestParameters=dict(name="northquay-audit"))),
        *(dict(id=event_id, name="DeleteUser", source="iam.amazonaws.com", user="offboarding", time=time, read_only="false",
               record=dict(userIdentity=dict(type="AssumedRole", arn=f"arn:aws:sts::{PROD}:assumed-role/OrgAdmin/offboarding", accountId=PROD),
                           eventType="AwsApiCall", sourceIPAddress="192.0.2.30", requestParameters=dict(userName=name)))
          for event_id, time, name in [
              ("8f0d5f5c-4c7e-4b57-a3a5-6f7f3f1c2a10", "2026-10-01T06:12:09Z", "jonas.keller"),
              ("c1a5b9e2-7d43-49c0-9a3f-1e0b6d8c4f77", "2026-10-16T17:41:30Z", "mira.solano"),
          ]),
    ],
}

EXPECTED = """What the controls should conclude
                prod          dev            control
  APD-AWS-001   PASS          PASS           PASS           two uses of root in prod, both under ticket BG-0042
  APD-AWS-002   PASS (1 app.) FAIL           FAIL           dev: lukas.berg has no device; prod: break-glass-1 is registered
  APD-AWS-004   PASS          PASS           PASS           every key is inactive
  APD-AWS-006   PASS (3 app.) PASS (1 app.)  PASS           four administrators, all registered; TradingDeploy has a boundary
  INF-AWS-001   PASS (1 app.) INCONCLUSIVE   INCONCLUSIVE   dev: s3:GetBucketPolicyStatus is denied; prod: northquay-public-site is registered
  INF-AWS-002   PASS          FAIL           FAIL           dev, eu-west-1: tcp 20-30 from ::/0
  LOG-AWS-001   PASS          PASS           PASS           one change of a trail in prod, under CHG-1187

                nq-ledger-prod  nq-matching-prod  nq-sandbox  control
  APD-GCP-001   PASS            PASS              FAIL        FAIL      developers are editors by their folder, two people are owners
  APD-GCP-002   FAIL            PASS              PASS        FAIL      two keys are old, unregistered, and one of them unused; one is registered
  INF-GCP-001   PASS            FAIL              PASS        FAIL      SSH and the console from anywhere, a default network, a public machine

                trading
  APD-K8S-001   FAIL            lukas.berg may do everything, by a role of another name; the platform team is registered
  APD-K8S-004   FAIL            anonymous callers may read metrics
  INF-K8S-002   FAIL            somebody's debugging pod; node-exporter is registered

                everywhere
  APD-XSR-001   FAIL            jonas.keller is still bound in the cluster; mira.solano lost Google access after three days
"""


# --- the server -------------------------------------------------------------------------------------------------------

class Account:
    """WSGI: whose request it is, from the credentials that moto gave out; then the answers that moto cannot give."""

    def __init__(self, moto):
        self.moto = moto

    def __call__(self, environ, start_response):
        scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split(",")[0].split("/")
        key, region, service = (scope[0], scope[2], scope[3]) if len(scope) > 4 else ("", "", "")
        query = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        account = get_account_id_from(key) if key else ""
        if service == "s3" and "policyStatus" in query:
            return self.policy_status(environ, start_response, account)
        if service == "cloudtrail" and target.endswith(".LookupEvents"):
            return self.lookup_events(environ, start_response, account, region)
        if service == "iam" and environ["REQUEST_METHOD"] == "POST":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            if b"Action=ListServiceSpecificCredentials" in body:
                return self.no_service_credentials(start_response)
            environ["wsgi.input"] = io.BytesIO(body)
        return self.moto(environ, start_response)

    @staticmethod
    def answer(start_response, status, content_type, body, **headers):
        body = body.encode()
        start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body))), *headers.items()])
        return [body]

    def s3_error(self, start_response, status, code, message, bucket):
        return self.answer(start_response, status, "application/xml", '<?xml version="1.0" encoding="UTF-8"?>\n'
                           f"<Error><Code>{code}</Code><Message>{message}</Message><BucketName>{bucket}</BucketName>"
                           f"<RequestId>{uuid.uuid4().hex[:16].upper()}</RequestId></Error>")

    def policy_status(self, environ, start_response, account):
        """moto 5.2.1 answers GetBucketPolicyStatus with a listing of the bucket."""
        bucket = environ["PATH_INFO"].strip("/")
        if (account, "s3:GetBucketPolicyStatus") in DENIED:
            return self.s3_error(start_response, "403 Forbidden", "AccessDenied",
                                 f"User: arn:aws:sts::{account}:assumed-role/AuditReadOnly/auditcli is not authorized to perform: "
                                 f"s3:GetBucketPolicyStatus on resource: &quot;arn:aws:s3:::{bucket}&quot;", bucket)
        policy = s3_backends[account]["aws"].buckets[bucket].policy
        if policy is None:
            return self.s3_error(start_response, "404 Not Found", "NoSuchBucketPolicy", "The bucket policy does not exist", bucket)
        public = any(s["Effect"] == "Allow" and s["Principal"] in ("*", {"AWS": "*"}) and "Condition" not in s
                     for s in json.loads(policy)["Statement"])
        return self.answer(start_response, "200 OK", "application/xml", '<?xml version="1.0" encoding="UTF-8"?>\n'
                           '<PolicyStatus xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                           f"<IsPublic>{str(public).lower()}</IsPublic></PolicyStatus>")

    def no_service_credentials(self, start_response):
        """moto 5.2.1 does not have ListServiceSpecificCredentials. Nobody in the company has any."""
        return self.answer(start_response, "200 OK", "text/xml", '<ListServiceSpecificCredentialsResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
                           "<ListServiceSpecificCredentialsResult><ServiceSpecificCredentials/></ListServiceSpecificCredentialsResult>"
                           f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></ListServiceSpecificCredentialsResponse>")

    def lookup_events(self, environ, start_response, account, region):
        asked = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or "{}")
        wanted = {a["AttributeKey"]: a["AttributeValue"] for a in asked.get("LookupAttributes", [])}
        found = []
        for e in EVENTS.get((account, region), []):
            if wanted.get("Username", e["user"]) != e["user"] or wanted.get("EventName", e["name"]) != e["name"]:
                continue
            record = dict(eventVersion="1.11", eventTime=e["time"], eventSource=e["source"], eventName=e["name"], awsRegion=region,
                          eventID=e["id"], readOnly=e["read_only"] == "true", recipientAccountId=account, **e["record"])
            when = datetime.datetime.fromisoformat(e["time"].replace("Z", "+00:00")).timestamp()
            found.append(dict(EventId=e["id"], EventName=e["name"], ReadOnly=e["read_only"], EventTime=when, EventSource=e["source"],
                              Username=e["user"], Resources=[], CloudTrailEvent=json.dumps(record)))
        found.sort(key=lambda e: -e["EventTime"])
        return self.answer(start_response, "200 OK", "application/x-amz-json-1.1", json.dumps(dict(Events=found)),
                           **{"x-amzn-RequestId": str(uuid.uuid4())})


def put_moto_right():
    """The credential report has no root row in moto, and was always made in 2015; no trail ever delivered a digest."""
    without_root = IAMBackend.get_credential_report

    def with_root(self):
        header, rest = without_root(self).split("\n", 1)
        row = {name: "N/A" for name in next(csv.reader([header]))}
        row.update({"user": "<root_account>", "arn": f"arn:aws:iam::{self.account_id}:root", "user_creation_time": "2024-02-12T09:00:00+00:00",
                    "password_enabled": "not_supported", "password_last_used": ROOT_LAST_USED[self.account_id],
                    "password_last_changed": "not_supported", "password_next_rotation": "not_supported", "mfa_active": "true"})
        row.update({name: "false" for name in row if name.endswith("_active") and name != "mfa_active"})
        line = io.StringIO()
        csv.DictWriter(line, row, lineterminator="\n").writerow(row)
        return f"{header}\n{line.getvalue()}{rest}"

    answer = IamResponse.get_credential_report

    def made_now(self):
        result = answer(self)
        result._result["GeneratedTime"] = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return result

    description = TrailStatus.description

    def with_digests(self):
        status = description(self)
        if self.is_logging:
            status["LatestDigestDeliveryTime"] = status["LatestDeliveryTime"]
        return status

    TrailStatus.description = with_digests
    IAMBackend.get_credential_report = with_root
    IamResponse.get_credential_report = made_now


ROOT_LAST_USED = {PROD: "2026-10-08T06:12:44+00:00", DEV: "no_information"}


def serve(port):
    put_moto_right()
    server = make_server("127.0.0.1", port, Account(DomainDispatcherApplication(create_backend_app)), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


@contextlib.contextmanager
def test_servers():
    """The Google server and a Kubernetes API server with cluster.yaml in it; the variables that lead there."""
    command = ["dotnet", "run", "--project", str(REPOSITORY / "tests/AuditCli.TestServers"), "--", str(HERE / "google.json")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as servers:
        try:
            variables = {}
            for line in servers.stdout:
                if line.strip() == "READY":
                    break
                name, _, value = line.strip().partition("=")
                variables[name] = value
            else:
                sys.exit("the test servers did not start")
            admin = variables.pop("ADMIN_KUBECONFIG")
            subprocess.run(["kubectl", "--kubeconfig", admin, "create", "-f", str(HERE / "cluster.yaml")], check=True, stdout=subprocess.DEVNULL)
            yield variables
        finally:
            servers.stdin.close()     # they end with their input


# --- the two accounts -------------------------------------------------------------------------------------------------

def session(endpoint, account, role="AuditReadOnly"):
    """moto follows the account of the role that was assumed."""
    sts = boto3.client("sts", endpoint_url=endpoint, region_name="us-east-1")
    c = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName="auditcli")["Credentials"]
    return boto3.Session(aws_access_key_id=c["AccessKeyId"], aws_secret_access_key=c["SecretAccessKey"], aws_session_token=c["SessionToken"])


def client(s, endpoint, service, region="us-east-1"):
    c = s.client(service, endpoint_url=endpoint, region_name=region, config=Config(retries={"max_attempts": 0}))
    if service == "s3control":
        # boto3 puts the account in front of the host, which an address has no room for. auditcli does not, and moto goes by the path.
        def straight(request, **_):
            request.url = endpoint + urllib.parse.urlsplit(request.url).path
        c.meta.events.register("before-send.s3-control.*", straight)
    return c


def date(text):
    return datetime.datetime.fromisoformat(text)


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


TRUST = document({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::777788889999:root"}, "Action": "sts:AssumeRole"})


def seed(endpoint):
    people = {
        PROD: [  # name, since, password, device, key status
            ("elena.marsh", "2024-03-04T09:00:00", True, True, None),
            ("tomasz.wrona", "2024-06-17T09:00:00", True, True, None),
            ("break-glass-1", "2024-02-12T10:00:00", True, False, None),
            ("svc-market-feed", "2024-05-02T10:00:00", False, False, "Inactive"),
            ("svc-settlement", "2025-01-20T10:00:00", False, False, None),
        ],
        DEV: [
            ("priya.nair", "2025-02-03T09:00:00", True, True, None),
            ("tomasz.wrona", "2024-06-17T09:00:00", True, True, None),
            ("lukas.berg", "2026-07-13T09:00:00", True, False, None),
            ("svc-build", "2024-05-02T10:00:00", False, False, "Inactive"),
            ("tv-legacy", "2024-09-09T09:00:00", False, False, "Inactive"),
        ],
    }
    for account in (PROD, DEV):
        s = session(endpoint, account)
        iam = client(s, endpoint, "iam")
        backend = iam_backends[account]["aws"]
        for name, since, password, device, key in people[account]:
            iam.create_user(UserName=name)
            if password:
                iam.create_login_profile(UserName=name, Password="Not-a-password-1")
            if device:
                serial = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
                iam.enable_mfa_device(UserName=name, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321")
            if key:
                iam.create_access_key(UserName=name)
                made = backend.users[name].access_keys[0]
                made.status = key
            # The API gives everything today's date.
            backend.users[name].create_date = date(since)
            if device:
                backend.users[name].password_last_used = date("2026-11-13T08:05:00")
            for made in backend.users[name].access_keys:
                made.create_date = date(since)
            for made in backend.users[name].mfa_devices.values():
                made.enable_date = date(since)

        iam.create_role(RoleName="AuditReadOnly", AssumeRolePolicyDocument=TRUST)
        iam.put_role_policy(RoleName="AuditReadOnly", PolicyName="read-configuration", PolicyDocument=document(
            {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*", "iam:GenerateCredentialReport", "cloudtrail:Describe*", "cloudtrail:Get*",
                                           "cloudtrail:LookupEvents", "ec2:Describe*", "s3:ListAllMyBuckets", "s3:GetBucket*",
                                           "s3:GetAccountPublicAccessBlock"], "Resource": "*"}))
        iam.create_role(RoleName="OrgAdmin", AssumeRolePolicyDocument=TRUST)
        iam.attach_role_policy(RoleName="OrgAdmin", PolicyArn=ADMIN_ACCESS)
        if account == PROD:
            iam.attach_user_policy(UserName="break-glass-1", PolicyArn=ADMIN_ACCESS)
            iam.create_group(GroupName="platform-administrators")
            iam.put_group_policy(GroupName="platform-administrators", PolicyName="everything", PolicyDocument=document(
                {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}))
            iam.add_user_to_group(GroupName="platform-administrators", UserName="elena.marsh")
            limit = iam.create_policy(PolicyName="trading-boundary", PolicyDocument=document(
                {"Effect": "Allow", "Action": ["ecs:*", "ecr:*", "logs:*"], "Resource": "*"}))["Policy"]["Arn"]
            iam.create_role(RoleName="TradingDeploy", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=limit)
            iam.attach_role_policy(RoleName="TradingDeploy", PolicyArn=ADMIN_ACCESS)
        # AWS answers with the managed policies in use, moto with all it knows.
        attached = {p for holder in (*backend.users.values(), *backend.roles.values(), *backend.groups.values()) for p in holder.managed_policies}
        for arn in [a for a in backend.managed_policies if a.startswith("arn:aws:iam::aws:") and a not in attached]:
            del backend.managed_policies[arn]
        # Root cannot be given a device through any API: the report says it in put_moto_right, the summary here.
        backend.account_summary._account_mfa_enabled = 1

        s3 = client(s, endpoint, "s3")
        stem = "northquay" if account == PROD else "northquay-dev"
        buckets = [f"{stem}-cloudtrail", f"{stem}-ledger-archive" if account == PROD else f"{stem}-scratch"]
        for bucket in buckets:
            s3.create_bucket(Bucket=bucket)
            s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={
                k: True for k in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")})
        s3.put_bucket_policy(Bucket=buckets[0], Policy=document(
            {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{buckets[0]}/*"}))
        if account == PROD:
            s3.create_bucket(Bucket="northquay-public-site")
            s3.put_bucket_policy(Bucket="northquay-public-site", Policy=document(
                {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::northquay-public-site/*"}))
        else:
            client(s, endpoint, "s3control").put_public_access_block(AccountId=account, PublicAccessBlockConfiguration={
                k: True for k in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")})
        for made in s3_backends[account]["aws"].buckets.values():
            made.creation_date = date("2024-02-12T11:00:00")

        trail = client(s, endpoint, "cloudtrail")
        trail.create_trail(Name="northquay-audit", S3BucketName=buckets[0], IsMultiRegionTrail=True, EnableLogFileValidation=True,
                           IncludeGlobalServiceEvents=True, KmsKeyId=f"arn:aws:kms:us-east-1:{account}:key/2f9c1f34-6a2e-4f0b-9d57-0c9b7e1d5a10")
        trail.start_logging(Name="northquay-audit")
        trail.put_event_selectors(TrailName="northquay-audit", EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True}])
        cloudtrail_backends[account]["us-east-1"].trails["northquay-audit"].status.started = date("2024-02-12T12:00:00")

        for region in REGIONS:
            ec2 = client(s, endpoint, "ec2", region)
            vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
            for group in ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"]:
                if group["IpPermissions"]:
                    ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
                if group["IpPermissionsEgress"]:
                    ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
            web = ec2.create_security_group(GroupName="web", Description="Public web tier", VpcId=vpc)["GroupId"]
            ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}])
            subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
            ec2.create_network_interface(SubnetId=subnet, Groups=[web])
            if account == PROD and region == "eu-west-1":
                engine = ec2.create_security_group(GroupName="matching-engine", Description="Matching engine console", VpcId=vpc)["GroupId"]
                ec2.authorize_security_group_ingress(GroupId=engine, IpPermissions=[
                    {"IpProtocol": "tcp", "FromPort": 7400, "ToPort": 7400, "IpRanges": [{"CidrIp": "198.51.100.0/24", "Description": "office"}]}])
            if account == DEV and region == "eu-west-1":
                debug = ec2.create_security_group(GroupName="tmp-debug", Description="remove after the load test", VpcId=vpc)["GroupId"]
                ec2.authorize_security_group_ingress(GroupId=debug, IpPermissions=[
                    {"IpProtocol": "tcp", "FromPort": 20, "ToPort": 30, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}])
                ec2.create_network_interface(SubnetId=subnet, Groups=[debug])


# --- commands ---------------------------------------------------------------------------------------------------------

def check(endpoint):
    """Every call that the AWS controls make, by boto3, in both accounts."""
    failed = 0

    def call(label, function, key=None, allow=(), **parameters):
        nonlocal failed
        try:
            r = function(**parameters)
            r.pop("ResponseMetadata")
            value = r[key] if key else r
            print(f"  {label}: {len(value) if isinstance(value, list) else json.dumps(value, default=str)[:150]}")
            return value
        except (botocore.exceptions.ClientError, botocore.exceptions.ParamValidationError, KeyError) as e:
            code = e.response["Error"]["Code"] if isinstance(e, botocore.exceptions.ClientError) else repr(e)
            failed += code not in allow
            print(f"  {label}: {code}{'' if code in allow else '   <-- NOT EXPECTED'}")
            return []

    for name, account in ACCOUNTS.items():
        s = session(endpoint, account)
        print(f"{name} {account}")
        iam, s3, sts = client(s, endpoint, "iam"), client(s, endpoint, "s3"), client(s, endpoint, "sts")
        assert call("sts:GetCallerIdentity", sts.get_caller_identity)["Account"] == account
        while iam.generate_credential_report()["State"] != "COMPLETE":
            pass
        report = call("iam:GetCredentialReport", iam.get_credential_report)
        print("    " + report["Content"].decode().strip().replace("\n", "\n    "))
        summary = call("iam:GetAccountSummary", iam.get_account_summary, "SummaryMap")
        users = call("iam:ListUsers", iam.list_users, "Users")
        call("iam:ListVirtualMFADevices", iam.list_virtual_mfa_devices, "VirtualMFADevices")
        for u in users:
            call(f"iam:ListMFADevices {u['UserName']}", iam.list_mfa_devices, "MFADevices", UserName=u["UserName"])
            call(f"iam:GetLoginProfile {u['UserName']}", iam.get_login_profile, "LoginProfile", ["NoSuchEntity"], UserName=u["UserName"])
            call(f"iam:ListAccessKeys {u['UserName']}", iam.list_access_keys, "AccessKeyMetadata", UserName=u["UserName"])
        details = call("iam:GetAccountAuthorizationDetails", iam.get_account_authorization_details)
        for member, count in (("UserDetailList", "Users"), ("RoleDetailList", "Roles"), ("GroupDetailList", "Groups")):
            print(f"    {member} {len(details[member])}, account summary {summary[count]}")
            failed += len(details[member]) != summary[count]
        print(f"    Policies {[(p.get('Arn'), p.get('PolicyName'), len(p.get('PolicyVersionList', []))) for p in details['Policies']]}")
        print(f"    boundaries {[(r['RoleName'], r['PermissionsBoundary']) for r in details['RoleDetailList'] if 'PermissionsBoundary' in r]}")
        call("s3control:GetPublicAccessBlock", client(s, endpoint, "s3control").get_public_access_block, "PublicAccessBlockConfiguration",
             ["NoSuchPublicAccessBlockConfiguration"], AccountId=account)
        for b in call("s3:ListBuckets", s3.list_buckets, "Buckets"):
            call(f"s3:GetPublicAccessBlock {b['Name']}", s3.get_public_access_block, "PublicAccessBlockConfiguration",
                 ["NoSuchPublicAccessBlockConfiguration"], Bucket=b["Name"])
            call(f"s3:GetBucketPolicyStatus {b['Name']}", s3.get_bucket_policy_status, "PolicyStatus",
                 ["NoSuchBucketPolicy"] + (["AccessDenied"] if account == DEV else []), Bucket=b["Name"])
            call(f"s3:GetBucketAcl {b['Name']}", s3.get_bucket_acl, "Grants", Bucket=b["Name"])
        call("ec2:DescribeRegions", client(s, endpoint, "ec2").describe_regions, "Regions", AllRegions=True)
        for region in REGIONS:
            ec2, trail = client(s, endpoint, "ec2", region), client(s, endpoint, "cloudtrail", region)
            print(f" {region}")
            zones = call("ec2:DescribeAvailabilityZones", ec2.describe_availability_zones, "AvailabilityZones")
            failed += any(z["RegionName"] != region for z in zones)
            vpcs = call("ec2:DescribeVpcs", ec2.describe_vpcs, "Vpcs")
            groups = call("ec2:DescribeSecurityGroups", ec2.describe_security_groups, "SecurityGroups")
            defaults = [g for g in groups if g["GroupName"] == "default"]
            print(f"    owners {sorted({v['OwnerId'] for v in vpcs} | {g['OwnerId'] for g in groups})}, default groups {len(defaults)}, "
                  f"their rules {sum(len(g['IpPermissions']) + len(g['IpPermissionsEgress']) for g in defaults)}")
            call("ec2:DescribeNetworkInterfaces", ec2.describe_network_interfaces, "NetworkInterfaces")
            for t in call("cloudtrail:DescribeTrails", trail.describe_trails, "trailList", includeShadowTrails=True):
                print(f"    {json.dumps(t)}")
                call("cloudtrail:GetTrailStatus", trail.get_trail_status, Name=t["TrailARN"])
                call("cloudtrail:GetEventSelectors", trail.get_event_selectors, None, ["TrailNotFoundException"], TrailName=t["TrailARN"])
            for key, value in (("Username", "root"), ("EventName", "StopLogging"), ("EventName", "DeleteTrail"),
                               ("EventName", "UpdateTrail"), ("EventName", "PutEventSelectors")):
                call(f"cloudtrail:LookupEvents {key}={value}", trail.lookup_events, "Events",
                     LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])
    print(f"\n{EXPECTED}\n{failed} unexpected answers")
    return 1 if failed else 0


def record(endpoint, clouds):
    age = (datetime.date.today() - PERIOD_START).days
    if age >= 90:
        sys.exit(f"The period began {age} days ago, and CloudTrail's event history holds 90. Move the period in engagement.yaml, the dates "
                 "in inputs/ and EVENTS in this file first.")
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        shutil.copytree(HERE / "inputs", work / "inputs")
        lines = (HERE / "engagement.yaml").read_text().splitlines(keepends=True)
        live = "".join(line for line in lines if not line.startswith("replay:"))
        (work / "engagement.yaml").write_text(live.replace("library: ../controls", f"library: {REPOSITORY / 'controls'}"))
        environment = {**os.environ, **clouds, "AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true",
                       "AWS_CONFIG_FILE": str(work / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(work / "none")}
        done = subprocess.run(["dotnet", "run", "--project", str(REPOSITORY / "src/AuditCli"), "--", "run", str(work / "engagement.yaml"),
                               "--out", str(work / "out")], env=environment)
        print(f"auditcli ended with {done.returncode}; 2 is expected, because controls fail")
        found = [p for p in (work / "out").glob("**/data/exchanges") if ".partial" not in str(p)]
        if done.returncode not in (0, 2, 3) or len(found) != 1:
            sys.exit("No bundle was sealed; exchanges/ is as it was.")
        shutil.rmtree(HERE / "exchanges", ignore_errors=True)
        shutil.copytree(found[0], HERE / "exchanges")
    files = [p for p in (HERE / "exchanges").rglob("*") if p.is_file()]
    print(f"exchanges/ holds {len(files)} files, {sum(p.stat().st_size for p in files)} bytes\n\n{EXPECTED}")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["serve", "check", "record"])
    parser.add_argument("--aws", action="store_true", help="with serve: only the AWS accounts")
    parser.add_argument("--port", type=int, default=0, help="of the AWS accounts, at 127.0.0.1; a free one unless given")
    arguments = parser.parse_args()
    server, endpoint = serve(arguments.port)
    try:
        seed(endpoint)
        if arguments.command == "check":
            return check(endpoint)
        with contextlib.nullcontext({}) if arguments.aws else test_servers() as clouds:
            if arguments.command == "record":
                return record(endpoint, clouds)
            print("\n".join(f"{name}={value}" for name, value in {**clouds, "AWS_ENDPOINT_URL": endpoint}.items()))
            print(f"{EXPECTED}\nCtrl-C ends it.", flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        return 130
    finally:
        server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
