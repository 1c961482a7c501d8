#!/usr/bin/env python3
"""Writes the catalogue of AWS operations that AuditCli may call, one JSON file per service beside this script.

    pip install botocore==1.43.11
    python3 src/AuditCli.Collectors/Aws/Catalogue/generate.py            # every service listed below
    python3 src/AuditCli.Collectors/Aws/Catalogue/generate.py --check    # exits 1 when a file would change

The source is botocore's service models (https://github.com/boto/botocore, Apache License 2.0, Copyright Amazon.com,
Inc. or its affiliates); documentation texts are not copied. The catalogue is the read-only promise: what stands in no
file cannot be sent. So an operation enters only by one of the read verbs or as a named exception, and never when it is
refused by name. Output depends on botocore's version alone.

A file has one line per operation and per shape, so that a diff between two botocore versions can be read:

  operations   name -> http ("GET /{Bucket}?acl"), in, out (shapes), rows (JSON pointer-like path of the list whose
               elements are the rows; absent: the whole response is one row), pager, host_prefix, wrapper, namespace
  pager        in/out (request member, response path), more (response path of the "is truncated" flag), limit (request
               member), results (response paths that grow from page to page), kept (response paths that are the same on every page),
               derived (true: botocore has no paginator, the token members were found by name)
  shapes       {"members": {name: reference}, "required": [...], "payload": name} | {"list": reference}
               | {"map": [key reference, value reference]}
  reference    a scalar type or "@Shape", then words: in=uri|query|header|headers|status, name=<wire name>,
               query_name=<ec2>, time=iso8601|unixTimestamp|rfc822, flat, attribute, host_label, sensitive, policy
  endpoints    "<partition>[ fips][ dualstack]" -> [URL with {region}, signing region or "", {region: [URL, signing region]}]
  refused      operations with a read verb that are left out, with the reason
"""
import collections
import gzip
import json
import os
import re
import sys

import botocore
from botocore.endpoint_provider import EndpointProvider

BOTOCORE = '1.43.11'
SERVICES = ('iam sts s3 s3control ec2 cloudtrail kms rds config organizations logs guardduty securityhub '
            'secretsmanager dynamodb lambda ecr eks ssm account').split()
READ_VERBS = re.compile(r'^(Get|List|Describe|BatchGet|BatchDescribe|Head|Lookup|Search|Select|Simulate)(?=[A-Z0-9]|$)')
PROTOCOLS = ('json', 'rest-json', 'rest-xml', 'query', 'ec2')

# Operations without a read verb that are needed, and what they change at the provider.
SIDE_EFFECTS = {
    'iam:GenerateCredentialReport': 'starts the credential report when there is none younger than four hours',
    'iam:GenerateServiceLastAccessedDetails': 'starts a report job about last accessed services',
    'iam:GenerateOrganizationsAccessReport': 'starts a report job about last accessed services of the organization',
}

# Read verbs that hand out secrets, credentials or customers' data, or that are not reads.
SECRET, CREDENTIAL, DATA = 'it returns secret values', 'it returns credentials', 'it returns data, not configuration'
REFUSED = {
    'secretsmanager:GetSecretValue': SECRET, 'secretsmanager:BatchGetSecretValue': SECRET,
    'secretsmanager:GetRandomPassword': SECRET,
    'ssm:GetParameter': SECRET, 'ssm:GetParameters': SECRET, 'ssm:GetParametersByPath': SECRET,
    'ssm:GetParameterHistory': SECRET, 'ssm:GetAccessToken': CREDENTIAL,
    'sts:GetSessionToken': CREDENTIAL, 'sts:GetFederationToken': CREDENTIAL, 'sts:GetWebIdentityToken': CREDENTIAL,
    'sts:GetDelegatedAccessToken': CREDENTIAL,
    's3:GetObject': DATA, 's3:SelectObjectContent': DATA, 's3:GetObjectTorrent': DATA,
    's3control:GetDataAccess': CREDENTIAL,
    'dynamodb:GetItem': DATA, 'dynamodb:BatchGetItem': DATA,
    'ec2:GetPasswordData': CREDENTIAL, 'ec2:GetConsoleOutput': DATA, 'ec2:GetConsoleScreenshot': DATA,
    'ec2:GetLaunchTemplateData': 'it may return user data with secrets',
    'ecr:GetAuthorizationToken': CREDENTIAL, 'ecr:GetDownloadUrlForLayer': 'it returns a signed URL to an image layer',
    'lambda:GetFunction': 'it returns a signed URL to the code; lambda:GetFunctionConfiguration gives the configuration',
    'lambda:GetLayerVersion': 'it returns a signed URL to the code',
    'lambda:GetLayerVersionByArn': 'it returns a signed URL to the code',
    'rds:DownloadDBLogFilePortion': DATA,
    'kms:GetParametersForImport': 'it returns an import token for key material',
    'logs:GetLogObject': DATA,
    'logs:GetLogEvents': 'its last page never says that it is the last; logs:FilterLogEvents reads the same events',
    's3:CreateSession': CREDENTIAL,
}

# Reads that have to be asked once although their service has an endpoint in every region.
GLOBAL_SERVICES = {'s3': 'a bucket list covers all regions; other calls are redirected to the region of the bucket',
                   'sts': 'identity is the same everywhere'}
GLOBAL_OPERATIONS = {'ec2:DescribeRegions': 'the list of regions is the same everywhere',
                     's3control:GetPublicAccessBlock': 'the block applies to the whole account'}

# An answer with one list beside other members, where botocore has no paginator to say what the rows are. Here the other
# members are evidence too, so that the whole response is the row ...
WHOLE_RESPONSE = set("""
    cloudtrail:GetChannel cloudtrail:GetDashboard cloudtrail:GetImport cloudtrail:GetQueryResults
    dynamodb:DescribeContributorInsights ec2:DescribeNetworkInterfaceAttribute ec2:DescribeVolumeAttribute
    ec2:GetAllowedImagesSettings ec2:GetCapacityReservationUsage ec2:GetDeclarativePoliciesReportSummary
    ec2:GetHostReservationPurchasePreview eks:DescribeAddonConfiguration guardduty:DescribeOrganizationConfiguration
    guardduty:GetDetector guardduty:GetMalwareProtectionPlan guardduty:GetMalwareScan iam:GetOrganizationsAccessReport
    iam:GetServiceLastAccessedDetails iam:GetServiceLastAccessedDetailsWithEntities logs:GetLogAnomalyDetector
    logs:GetQueryResults logs:GetScheduledQuery s3:GetBucketWebsite securityhub:GetAggregatorV2
    securityhub:GetAutomationRuleV2 securityhub:GetFindingAggregator ssm:GetMaintenanceWindowExecution
    ssm:GetMaintenanceWindowTask""".split())
# ... and here they only repeat the question or sum up the list. An operation in neither list stops the generator.
LIST_ALONE = set("""
    cloudtrail:GetInsightSelectors config:GetAggregateConfigRuleComplianceSummary
    config:GetAggregateConformancePackComplianceSummary config:GetAggregateDiscoveredResourceCounts
    config:GetConformancePackComplianceDetails config:GetDiscoveredResourceCounts dynamodb:DescribeGlobalTableSettings
    dynamodb:DescribeKinesisStreamingDestination ec2:DescribeAggregateIdFormat ec2:DescribeElasticGpus
    ec2:DescribeFleetHistory ec2:DescribeFleetInstances ec2:DescribeSpotFleetRequestHistory ec2:GetCoipPoolUsage
    ec2:GetIpamDiscoveredPublicAddresses ec2:GetRouteServerRoutingDatabase ecr:DescribeImageReplicationStatus
    ecr:DescribeImageSigningStatus iam:ListOrganizationsFeatures logs:DescribeImportTaskBatches logs:GetTransformer
    s3:GetBucketAcl s3:GetBucketLifecycleConfiguration s3:GetObjectAcl s3:GetObjectTagging
    s3:ListBucketAnalyticsConfigurations s3:ListBucketIntelligentTieringConfigurations
    s3:ListBucketInventoryConfigurations s3:ListBucketMetricsConfigurations s3control:GetMultiRegionAccessPointRoutes
    secretsmanager:ListSecretVersionIds ssm:ListInventoryEntries""".split())
TOKENS_OUT = ('NextToken', 'nextToken', 'NextMarker', 'nextMarker', 'Marker', 'marker', 'NextPageToken', 'nextPageToken',
              'PaginationToken', 'paginationToken', 'NextContinuationToken')
TOKENS_IN = {'NextMarker': ('Marker',), 'nextMarker': ('marker', 'Marker'), 'NextPageToken': ('PageToken', 'NextPageToken'),
             'nextPageToken': ('pageToken', 'nextPageToken'), 'NextContinuationToken': ('ContinuationToken',)}
MORE = ('IsTruncated', 'isTruncated')
LIMITS = ('MaxResults', 'maxResults', 'MaxItems', 'maxItems', 'Limit', 'limit', 'MaxRecords', 'PageSize')
LOCATIONS = {'uri': 'uri', 'querystring': 'query', 'header': 'header', 'headers': 'headers', 'statusCode': 'status'}
SCALARS = {'string': 'string', 'character': 'string', 'integer': 'integer', 'short': 'integer', 'byte': 'integer',
           'long': 'long', 'float': 'double', 'double': 'double', 'bigdecimal': 'double', 'boolean': 'boolean',
           'timestamp': 'timestamp', 'blob': 'blob'}
DATA_FOLDER = os.path.join(os.path.dirname(botocore.__file__), 'data')


def load(*parts):
    path = os.path.join(DATA_FOLDER, *parts)
    if os.path.exists(path + '.gz'):
        with gzip.open(path + '.gz') as file:
            return json.load(file)
    if os.path.exists(path):
        with open(path, 'rb') as file:
            return json.load(file)
    return None


def model(service, name):
    versions = sorted(v for v in os.listdir(os.path.join(DATA_FOLDER, service))
                      if os.path.isdir(os.path.join(DATA_FOLDER, service, v)))
    return load(service, versions[-1], name)


class Service:
    """One service's model while it is turned into a file."""

    def __init__(self, name):
        self.name = name
        self.model = model(name, 'service-2.json')
        self.shapes = self.model['shapes']
        self.paginators = (model(name, 'paginators-1.json') or {}).get('pagination', {})
        extras = (model(name, 'paginators-1.sdk-extras.json') or {}).get('merge', {}).get('pagination', {})
        for operation, extra in extras.items():
            self.paginators.setdefault(operation, {}).update(extra)
        self.used = {}

    def reference(self, ref, member=None):
        shape = self.shapes[ref['shape']]
        if shape.get('document'):
            words = ['document']
        elif shape['type'] in SCALARS:
            words = [SCALARS[shape['type']]]
        else:
            words = ['@' + self.shape(ref['shape'])]
        if ref.get('location'):
            words.append('in=' + LOCATIONS[ref['location']])
        if ref.get('locationName') and ref['locationName'] != member:
            words.append('name=' + ref['locationName'])
        if ref.get('queryName'):
            words.append('query_name=' + ref['queryName'])
        if ref.get('flattened') or shape.get('flattened'):
            words.append('flat')
        if ref.get('xmlAttribute'):
            words.append('attribute')
        time = ref.get('timestampFormat') or shape.get('timestampFormat')
        if time and shape['type'] == 'timestamp':
            words.append('time=' + time)
        if ref.get('hostLabel'):
            words.append('host_label')
        if shape.get('sensitive') or ref.get('sensitive'):
            words.append('sensitive')
        if self.name == 'iam' and ref['shape'] == 'policyDocumentType':
            words.append('policy')
        return ' '.join(words)

    def shape(self, name):
        if name in self.used:
            return name
        self.used[name] = None
        shape = self.shapes[name]
        if shape['type'] == 'structure':
            entry = {'members': {m: self.reference(r, m) for m, r in shape.get('members', {}).items()}}
            if shape.get('required'):
                entry['required'] = shape['required']
            if shape.get('payload'):
                entry['payload'] = shape['payload']
        elif shape['type'] == 'list':
            entry = {'list': self.reference(shape['member'])}
        elif shape['type'] == 'map':
            entry = {'map': [self.reference(shape['key']), self.reference(shape['value'])]}
        else:
            raise SystemExit(f'{self.name}: shape {name} has the unknown type {shape["type"]}')
        self.used[name] = entry
        return name

    def speakable(self, full, operation, protocol):
        """Input forms that no read needs so far are not spoken; one that does must not be half-sent."""
        ref = operation.get('input')
        if not ref or not protocol.startswith('rest'):
            return
        shape = self.shapes[ref['shape']]
        body = [m for m, r in shape.get('members', {}).items() if 'location' not in r]
        if shape.get('payload') or any(r.get('location') == 'headers' for r in shape.get('members', {}).values()) \
                or body and (protocol == 'rest-xml' or operation['http']['method'] in ('GET', 'HEAD')):
            raise SystemExit(f'{full}: its input has a form that AuditCli does not speak')

    def members(self, operation, side):
        ref = operation.get(side)
        return self.shapes[ref['shape']].get('members', {}) if ref else {}

    def pager(self, name, operation):
        many = lambda value: value if isinstance(value, list) else [value]
        if name in self.paginators:
            found = self.paginators[name]
            pager = {'in': many(found['input_token']), 'out': many(found['output_token'])}
            if found.get('more_results'):
                pager['more'] = found['more_results']
            if found.get('limit_key'):
                pager['limit'] = found['limit_key']
            keys = many(found.get('result_key', []))
            pager['results'] = keys
            if found.get('non_aggregate_keys'):
                pager['kept'] = found['non_aggregate_keys']
            return pager, keys
        given, returned = self.members(operation, 'input'), self.members(operation, 'output')
        candidates = {t: TOKENS_IN.get(t, (t,)) for t in TOKENS_OUT}
        candidates.update({t: (t.replace('LastEvaluated', 'ExclusiveStart', 1),) for t in returned if t.startswith('LastEvaluated')})
        for token, answers in candidates.items():
            answer = next((t for t in answers if t in given), None)
            if token in returned and answer:
                pager = {'in': [answer], 'out': [token], 'derived': True}
                limit = next((l for l in LIMITS if l in given), None)
                if limit:
                    pager['limit'] = limit
                more = next((m for m in MORE if m in returned), None)
                if more:
                    pager['more'] = more
                return pager, None
        if any(m in returned for m in MORE):
            raise SystemExit(f'{self.name}:{name} can be truncated, and nothing says how to read on')
        return None, None

    def rows(self, name, operation, keys, pager):
        """The path of the list whose elements are rows, or None for the whole response."""
        full = f'{self.name}:{name}'
        if full in WHOLE_RESPONSE or 'output' not in operation:
            return None
        if keys is not None and len(keys) != 0:
            return keys[0] if len(keys) == 1 and self.at(operation, keys[0]) == 'list' else None
        lists = [m for m, r in self.members(operation, 'output').items() if self.shapes[r['shape']]['type'] == 'list']
        if len(lists) != 1:
            return None
        paging = {*(pager or {}).get('out', ()), *MORE}
        if set(self.members(operation, 'output')) - paging - set(lists) and full not in LIST_ALONE:
            raise SystemExit(f'{full}: decide whether its rows are {lists[0]} alone (LIST_ALONE) or the response (WHOLE_RESPONSE)')
        return lists[0]

    def at(self, operation, path):
        shape = self.shapes[operation['output']['shape']]
        for step in path.split('.'):
            if step not in shape.get('members', {}):
                return None
            shape = self.shapes[shape['members'][step]['shape']]
        return shape['type']

    def operation(self, name, operation, scope):
        http = operation['http']
        entry = {'http': f"{http['method']} {http['requestUri']}"}
        if 'input' in operation:
            entry['in'] = self.shape(operation['input']['shape'])
        if 'output' in operation:
            entry['out'] = self.shape(operation['output']['shape'])
            wrapper = operation['output'].get('resultWrapper')
            if wrapper:
                entry['wrapper'] = wrapper
        pager, keys = self.pager(name, operation)
        rows = self.rows(name, operation, keys, pager)
        if rows:
            entry['rows'] = rows
        if pager:
            entry['pager'] = pager
        prefix = operation.get('endpoint', {}).get('hostPrefix')
        if prefix:
            entry['host_prefix'] = prefix
        if operation.get('authtype') == 'none':
            entry['unsigned'] = True
        full = f'{self.name}:{name}'
        if full in GLOBAL_OPERATIONS and scope != 'global':
            entry['scope'] = 'global'
        if full in SIDE_EFFECTS:
            entry['side_effect'] = SIDE_EFFECTS[full]
        self.columns(full, entry)
        return entry

    def columns(self, full, entry):
        """Column names that differ only by case would be one column in SQL."""
        if 'out' not in entry:
            return
        shape = self.shapes[entry['out']]
        for step in entry.get('rows', '').split('.') if 'rows' in entry else ():
            shape = self.shapes[shape['members'][step]['shape']]
        if shape['type'] == 'list':
            shape = self.shapes[shape['member']['shape']]
        names = collections.Counter(m.lower() for m in shape.get('members', {}))
        doubled = [n for n, count in names.items() if count > 1]
        if doubled:
            raise SystemExit(f'{full}: column names differ only by case: {", ".join(doubled)}')

    def endpoints(self, partitions):
        rules = model(self.name, 'endpoint-rule-set-1.json')
        provider, parameters = EndpointProvider(rules, partitions), rules['parameters']
        table = {}
        for partition in partitions['partitions']:
            regions = sorted(r for r in partition['regions'] if not r.endswith('-global'))
            for fips in (False, True):
                for dual in (False, True):
                    given = {'Region': None, 'UseFIPS': fips, 'UseDualStack': dual}
                    given.update({k: v['default'] for k, v in parameters.items() if 'default' in v and k not in given})
                    found = {r: self.resolve(provider, {k: v for k, v in {**given, 'Region': r}.items() if k in parameters})
                             for r in regions}
                    found = {r: e for r, e in found.items() if e}
                    if not found:
                        continue
                    form = {r: self.form(r, e) for r, e in found.items()}
                    usual = collections.Counter(form.values()).most_common(1)[0][0]
                    others = {r: list(form[r]) for r, e in found.items() if usual not in (form[r], e)}
                    key = partition['id'] + (' fips' if fips else '') + (' dualstack' if dual else '')
                    table[key] = [*usual, others] if others else list(usual)
        return table

    @staticmethod
    def resolve(provider, given):
        try:
            endpoint = provider.resolve_endpoint(**given)
        except botocore.exceptions.EndpointProviderError:
            return None     # the rule set says that this combination does not exist
        scheme = next((s for s in endpoint.properties.get('authSchemes') or [] if s['name'] == 'sigv4'), {})
        return endpoint.url, scheme.get('signingRegion', '')

    @staticmethod
    def form(region, endpoint):
        url, signing = endpoint
        return (url.replace(region, '{region}'), '') if region in url and signing in ('', region) else endpoint

    def scope(self, endpoints):
        if self.name in GLOBAL_SERVICES:
            return 'global'
        usual = endpoints.get('aws')
        return 'global' if usual and '{region}' not in usual[0] and len(usual) == 2 else 'regional'

    def file(self, partitions):
        metadata = self.model['metadata']
        protocol = next((p for p in metadata.get('protocols', [metadata['protocol']]) if p in PROTOCOLS), None)
        if protocol is None:
            raise SystemExit(f'{self.name}: none of its protocols is spoken')
        endpoints = self.endpoints(partitions)
        scope = self.scope(endpoints)
        head = {'service': self.name, 'from': f'botocore {botocore.__version__}, Apache-2.0, Copyright Amazon.com, Inc. or its affiliates',
                'id': metadata['serviceId'], 'protocol': protocol, 'version': metadata['apiVersion'],
                'endpoint_prefix': metadata['endpointPrefix'],
                'signing_name': metadata.get('signingName', metadata['endpointPrefix']), 'scope': scope}
        for source, name in (('targetPrefix', 'target_prefix'), ('jsonVersion', 'json_version')):
            if metadata.get(source):
                head[name] = metadata[source]
        operations, refused = {}, {}
        for name, operation in sorted(self.model['operations'].items()):
            full = f'{self.name}:{name}'
            if full in REFUSED:
                refused[name] = REFUSED[full]
            elif not READ_VERBS.match(name) and full not in SIDE_EFFECTS:
                continue
            elif self.streams_events(operation):
                refused[name] = 'its answer is an event stream without end'
            else:
                self.speakable(full, operation, protocol)
                operations[name] = self.operation(name, operation, scope)
        sections = [('endpoints', endpoints), ('refused', refused), ('operations', operations),
                    ('shapes', dict(sorted(self.used.items())))]
        lines = [f'"{key}":{compact(value)}' for key, value in head.items()]
        for key, entries in sections:
            body = ',\n'.join(f'{compact(name)}:{compact(value)}' for name, value in entries.items())
            lines.append(f'"{key}":{{\n{body}\n}}' if entries else f'"{key}":{{}}')
        return '{' + ',\n'.join(lines) + '}\n'

    def streams_events(self, operation):
        return any(self.shapes[r['shape']].get('eventstream') for r in self.members(operation, 'output').values())


def compact(value):
    return json.dumps(value, separators=(',', ':'), ensure_ascii=False)


def main():
    if botocore.__version__ != BOTOCORE:
        raise SystemExit(f'botocore {BOTOCORE} is needed, {botocore.__version__} is installed')
    partitions = load('partitions.json')
    folder, changed = os.path.dirname(os.path.abspath(__file__)), []
    for name in SERVICES:
        service = Service(name)
        text = service.file(partitions)
        path = os.path.join(folder, name + '.json')
        if len(text.encode()) >= 1 << 20:
            raise SystemExit(f'{name}: {len(text.encode())} bytes are too many for one file')
        old = open(path, encoding='utf-8').read() if os.path.exists(path) else None
        if old != text:
            changed.append(name)
            if '--check' not in sys.argv:
                with open(path, 'w', encoding='utf-8', newline='\n') as file:
                    file.write(text)
        known = {f'{name}:{o}' for o in service.model['operations']}
        for listed in (*SIDE_EFFECTS, *REFUSED, *GLOBAL_OPERATIONS, *WHOLE_RESPONSE, *LIST_ALONE):
            if listed.startswith(name + ':') and listed not in known:
                raise SystemExit(f'{listed} is named here but not in botocore {BOTOCORE}')
    print('changed: ' + (' '.join(changed) or 'nothing'))
    if '--check' in sys.argv and changed:
        sys.exit(1)


if __name__ == '__main__':
    main()
