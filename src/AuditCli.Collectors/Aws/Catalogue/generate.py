#!/usr/bin/env python3
"""Writes the catalogue of AWS operations that AuditCli may call: Services/<service>.json, one file per service, and
partitions.json.

    pip install botocore==1.43.11
    python3 src/AuditCli.Collectors/Aws/Catalogue/generate.py                     # every service of botocore
    python3 src/AuditCli.Collectors/Aws/Catalogue/generate.py iam s3              # some
    python3 src/AuditCli.Collectors/Aws/Catalogue/generate.py --check             # exits 1 when a file would change
    python3 src/AuditCli.Collectors/Aws/Catalogue/generate.py --models FOLDER     # judges other models, writes nothing

The source is botocore's service models (https://github.com/boto/botocore, Apache License 2.0, Copyright Amazon.com,
Inc. or its affiliates); documentation texts are not copied. The catalogue is the read-only promise: what stands in no
file cannot be sent. So an operation enters only by one of the read verbs or as a named exception, never when it is
refused by name, and not undecided when something about it raises an alarm (alarms.py, decisions.py). Output depends on
botocore's version alone.

A file has one line per operation and per shape, so that a diff between two botocore versions can be read:

  operations   name -> http ("GET /{Bucket}?acl"), in, out (shapes), rows (JSON pointer-like path of the list whose
               elements are the rows; absent: the whole response is one row), pager, host_prefix, wrapper, namespace
  status       the HTTP status of its answer, where it is not 200
  none         codes by which the operation says that what it was asked for is not configured
  pager        in/out (request member, response path), more (response path of the "is truncated" flag), limit (request
               member), results (response paths that grow from page to page), kept (response paths that are the same on every page),
               derived (true: botocore has no paginator, the token members were found by name)
  shapes       {"members": {name: reference}, "required": [...], "payload": name} | {"list": reference}
               | {"map": [key reference, value reference]}
  reference    a scalar type or "@Shape", then words: in=uri|query|header|headers|status, name=<wire name>,
               query_name=<ec2>, time=iso8601|unixTimestamp|rfc822, flat, attribute, namespace=<URI>, prefix=<its prefix>,
               host_label, sensitive (says botocore), secret (say we: never written), policy
  endpoints    where they are not https://<endpoint_prefix>[-fips].<region>.<suffix of the partition>:
               "<partition>[ fips][ dualstack]" -> [URL with {region}, signing region or "", {region: [URL, signing region]}],
               null where there is none
  refused      operations with a read verb that are left out, with the reason
"""
import collections
import gzip
import json
import os
import re
import sys

import botocore

import endpoints
from alarms import CALLED_HARMLESS, Alarms, is_secret
from decisions import CLEARED, DATA_SERVICES, LEFT_OUT, LOGS, REFUSED, SECRET_MEMBERS, SIDE_EFFECTS
from facts import GLOBAL_OPERATIONS, GLOBAL_SERVICES, LIST_ALONE, NOT_CONFIGURED, ONE_REGION, PAGERS, WHOLE_RESPONSE

BOTOCORE = '1.43.11'
READ_VERBS = re.compile(r'^(Get|List|Describe|BatchGet|BatchDescribe|Head|Lookup|Search|Select|Simulate)(?=[A-Z0-9]|$)')
PROTOCOLS = ('json', 'rest-json', 'rest-xml', 'query', 'ec2')

TOKENS_OUT = ('NextToken', 'nextToken', 'NextMarker', 'nextMarker', 'Marker', 'marker', 'NextPageToken', 'nextPageToken',
              'PaginationToken', 'paginationToken', 'NextContinuationToken', 'nextContinuationToken', 'position', 'NextPageMarker')
TOKENS_IN = {'NextMarker': ('Marker', 'NextMarker'), 'nextMarker': ('marker', 'Marker'), 'NextPageToken': ('PageToken', 'NextPageToken', 'pageToken'),
             'nextPageToken': ('pageToken', 'nextPageToken'), 'NextContinuationToken': ('ContinuationToken',),
             'nextContinuationToken': ('continuationToken',), 'NextPageMarker': ('Marker',), 'nextToken': ('nextToken', 'NextToken'),
             'NextToken': ('NextToken', 'nextToken')}
MORE = ('IsTruncated', 'isTruncated')
LIMITS = ('MaxResults', 'maxResults', 'MaxItems', 'maxItems', 'Limit', 'limit', 'MaxRecords', 'PageSize')
LOCATIONS = {'uri': 'uri', 'querystring': 'query', 'header': 'header', 'headers': 'headers', 'statusCode': 'status'}
SCALARS = {'string': 'string', 'character': 'string', 'integer': 'integer', 'short': 'integer', 'byte': 'integer',
           'long': 'long', 'float': 'double', 'double': 'double', 'bigdecimal': 'double', 'boolean': 'boolean',
           'timestamp': 'timestamp', 'blob': 'blob'}
LISTING = re.compile(r'^(List|Search|Lookup|BatchGet|BatchDescribe)')
FOLDER = os.path.dirname(os.path.abspath(__file__))
BOTOCORE_MODELS = os.path.join(os.path.dirname(botocore.__file__), 'data')


def load(*parts):
    path = os.path.join(*parts)
    if os.path.exists(path + '.gz'):
        with gzip.open(path + '.gz') as file:
            return json.load(file)
    if os.path.exists(path):
        with open(path, 'rb') as file:
            return json.load(file)
    return None


def services(models):
    """The services of a folder of models, each with the folder of its newest version."""
    for name in sorted(os.listdir(models)):
        folder = os.path.join(models, name)
        versions = sorted(v for v in os.listdir(folder) if os.path.isdir(os.path.join(folder, v))) if os.path.isdir(folder) else []
        if versions:
            yield name, os.path.join(folder, versions[-1])


def paginators(folder):
    found = (load(folder, 'paginators-1.json') or {}).get('pagination', {})
    extras = (load(folder, 'paginators-1.sdk-extras.json') or {}).get('merge', {}).get('pagination', {})
    for operation, extra in extras.items():
        found.setdefault(operation, {}).update(extra)
    return found


class Service:
    """One service's model while it is turned into a file."""

    def __init__(self, name, model, pagination):
        self.name, self.model, self.paginators = name, model, pagination
        self.shapes = model['shapes']
        self.alarms = Alarms(name, self.shapes)
        self.used, self.faults = {}, []

    @property
    def protocol(self):
        metadata = self.model['metadata']
        return next((p for p in metadata.get('protocols') or [metadata['protocol']] if p in PROTOCOLS), None)

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
        # A map of headers without a name takes every header: there the name is never left out for being the member's own.
        if ref.get('locationName') and (ref['locationName'] != member or ref.get('location') == 'headers'):
            words.append('name=' + ref['locationName'])
        if ref.get('queryName'):
            words.append('query_name=' + ref['queryName'])
        if ref.get('flattened') or shape.get('flattened'):
            words.append('flat')
        if ref.get('xmlAttribute'):
            words.append('attribute')
        space = self.namespace(ref)
        if space and self.protocol == 'rest-xml':
            words.append('namespace=' + space['uri'])
            if space.get('prefix'):
                words.append('prefix=' + space['prefix'])
        time = ref.get('timestampFormat') or shape.get('timestampFormat')
        if time and shape['type'] == 'timestamp':
            words.append('time=' + time)
        if ref.get('hostLabel'):
            words.append('host_label')
        if shape.get('sensitive') or ref.get('sensitive'):
            words.append('sensitive')
        if member and shape['type'] in ('string', 'blob') and is_secret(self.name, member):
            words.append('secret')
        if self.name == 'iam' and ref['shape'] == 'policyDocumentType':
            words.append('policy')
        return ' '.join(words)

    def namespace(self, ref):
        space = ref.get('xmlNamespace') or self.shapes[ref['shape']].get('xmlNamespace')
        return {'uri': space} if isinstance(space, str) else space

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
            keys = many(found.get('result_key') or [])
            pager['results'] = keys
            if found.get('non_aggregate_keys'):
                pager['kept'] = found['non_aggregate_keys']
            return pager, keys
        given, returned = self.members(operation, 'input'), self.members(operation, 'output')
        if f'{self.name}:{name}' in PAGERS:
            ins, outs, more = PAGERS[f'{self.name}:{name}']
            limit = next((l for l in LIMITS if l in given), None)
            return {'in': ins.split(), 'out': outs.split(), 'derived': True, 'more': more, **({'limit': limit} if limit else {})}, None
        candidates = {t: TOKENS_IN.get(t, (t,)) for t in TOKENS_OUT}
        candidates.update({t: (t.replace('LastEvaluated', 'ExclusiveStart', 1),) for t in returned if t.startswith('LastEvaluated')})
        for token, answers in candidates.items():
            answer = next((t for t in answers if t in given), None)
            if token in returned:
                # A token that cannot be given back: what follows it can never be read, and the collector says so.
                pager = {'in': [answer] if answer else [], 'out': [token], 'derived': True}
                limit = next((l for l in LIMITS if l in given), None)
                if limit:
                    pager['limit'] = limit
                more = next((m for m in MORE if m in returned), None)
                if more:
                    pager['more'] = more
                return pager, None
        if any(m in returned for m in MORE) or any(m.startswith(('HasMore', 'hasMore')) for m in returned):
            self.faults.append(f'{self.name}:{name} can be truncated, and nothing says how to read on')
        return None, None

    def rows(self, name, operation, keys, pager):
        """The path of the list whose elements are rows, or None for the whole response.

        What botocore's paginator collects, when that is one list. Else the one list of the answer, when the operation lists
        or looks something up, or when beside it there are only page tokens, numbers, and what the request said already.
        """
        full = f'{self.name}:{name}'
        if full in WHOLE_RESPONSE or 'output' not in operation:
            return None
        if keys:
            return keys[0] if len(keys) == 1 and self.at(operation, keys[0]) == 'list' else None
        returned = self.members(operation, 'output')
        kind = lambda member: self.shapes[returned[member]['shape']]['type']
        lists = [m for m in returned if kind(m) == 'list']
        if len(lists) != 1:
            return None
        asked = {m.lower() for m in self.members(operation, 'input')}
        beside = [m for m in returned if m not in lists and m not in MORE and m not in (pager or {}).get('out', ())
                  and m.lower() not in asked and kind(m) not in ('integer', 'long', 'double', 'float')]
        return lists[0] if not beside or LISTING.match(name) or full in LIST_ALONE else None

    def at(self, operation, path):
        shape = self.shapes[operation['output']['shape']]
        for step in path.split('.'):
            if step not in shape.get('members', {}):
                return None
            shape = self.shapes[shape['members'][step]['shape']]
        return shape['type']

    def operation(self, name, operation, scope):
        full = f'{self.name}:{name}'
        http = operation['http']
        entry = {'http': f"{http['method']} {http['requestUri']}"}
        if 'input' in operation:
            entry['in'] = self.input(full, operation['input'])
            if self.protocol == 'rest-xml' and operation['input'].get('locationName'):
                entry['root'] = operation['input']['locationName']
                space = self.namespace(operation['input'])
                if space:
                    entry['namespace'] = space['uri']
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
        if operation['http'].get('responseCode', 200) != 200:
            entry['status'] = operation['http']['responseCode']
        if full in GLOBAL_OPERATIONS and scope != 'global':
            entry['scope'] = 'global'
        if CLEARED.get(full) in LOGS['read'].values():
            entry['reads'] = CLEARED[full]
        if full in SIDE_EFFECTS:
            entry['side_effect'] = SIDE_EFFECTS[full]
        none = [code for code, operations in NOT_CONFIGURED.items() if full in operations]
        if none:
            entry['none'] = none
        self.columns(full, entry)
        return entry

    def input(self, full, ref):
        """The input shape; a copy of its own where members are left out."""
        if full not in LEFT_OUT:
            return self.shape(ref['shape'])
        name = full.split(':')[1] + 'Input'
        shape = self.shapes[ref['shape']]
        if set(LEFT_OUT[full]) - set(shape['members']):
            self.faults.append(f'{full}: it has no member {", ".join(set(LEFT_OUT[full]) - set(shape["members"]))}')
        self.shapes[name] = {**shape, 'members': {m: r for m, r in shape['members'].items() if m not in LEFT_OUT[full]}}
        return self.shape(name)

    def columns(self, full, entry):
        """Column names that differ only by case would be one column in SQL."""
        if 'out' not in entry:
            return
        shape = self.shapes[entry['out']]
        for step in entry.get('rows', '').split('.') if 'rows' in entry else ():
            shape = self.shapes[shape['members'][step]['shape']]
        if shape['type'] == 'list':
            shape = self.shapes[shape['member']['shape']]
        counted = collections.Counter(m.lower() for m in shape.get('members', {}))
        doubled = [n for n, count in counted.items() if count > 1]
        if doubled:
            self.faults.append(f'{full}: column names differ only by case: {", ".join(doubled)}')

    def decide(self, name, operation):
        """Whether the operation enters, and why not; an alarm that nobody decided is a fault."""
        full = f'{self.name}:{name}'
        if full in REFUSED:
            return False, REFUSED[full]
        if not READ_VERBS.match(name) and full not in SIDE_EFFECTS:
            return False, None
        if self.name in DATA_SERVICES and full not in CLEARED:
            return False, DATA_SERVICES[self.name]
        if any(self.shapes[r['shape']].get('eventstream') for r in self.members(operation, 'output').values()):
            return False, 'its answer is an event stream without end'
        alarms = self.alarms.of(name, operation)
        if alarms and full not in CLEARED:
            self.faults.append(f'{full}: decide whether it may be read (decisions.py): {"; ".join(alarms)}')
        return True, None

    def operations(self, scope='regional'):
        entered, refused = {}, {}
        for name, operation in sorted(self.model['operations'].items()):
            enters, reason = self.decide(name, operation)
            if enters:
                entered[name] = self.operation(name, operation, scope)
            elif reason:
                refused[name] = reason
        return entered, refused

    def file(self, rules, partitions):
        """The text of the service's file; None when it has no read at all."""
        metadata = self.model['metadata']
        if self.protocol is None:
            raise SystemExit(f'{self.name}: none of its protocols is spoken')
        table = endpoints.table(self.name, rules, partitions)
        usual = table.get('aws')
        pinned = usual and '{region}' not in usual[0] and len(usual) == 2
        scope = 'global' if self.name in GLOBAL_SERVICES or pinned else 'regional'
        entered, refused = self.operations(scope)
        if not entered and not refused:
            return None
        head = {'service': self.name, 'from': f'botocore {botocore.__version__}, Apache-2.0, Copyright Amazon.com, Inc. or its affiliates',
                'id': metadata['serviceId'], 'protocol': self.protocol, 'version': metadata['apiVersion'],
                'endpoint_prefix': metadata['endpointPrefix'],
                'signing_name': metadata.get('signingName', metadata['endpointPrefix']), 'scope': scope}
        for source, name in (('targetPrefix', 'target_prefix'), ('jsonVersion', 'json_version')):
            if metadata.get(source):
                head[name] = metadata[source]
        sections = [('endpoints', endpoints.exceptions(metadata['endpointPrefix'], table, partitions)), ('refused', refused),
                    ('operations', entered), ('shapes', dict(sorted(self.used.items())))]
        lines = [f'"{key}":{compact(value)}' for key, value in head.items()]
        for key, entries in sections:
            body = ',\n'.join(f'{compact(name)}:{compact(value)}' for name, value in entries.items())
            lines.append(f'"{key}":{{\n{body}\n}}' if entries else f'"{key}":{{}}')
        return '{' + ',\n'.join(lines) + '}\n'


def compact(value):
    return json.dumps(value, separators=(',', ':'), ensure_ascii=False)


def partitions_file(partitions):
    """What the usual rule needs: the suffixes of each partition, and what it has."""
    told = {p['id']: {'suffix': p['outputs']['dnsSuffix'], 'dual_stack_suffix': p['outputs']['dualStackDnsSuffix'],
                      'fips': p['outputs']['supportsFIPS'], 'dual_stack': p['outputs']['supportsDualStack']}
            for p in partitions['partitions']}
    return '{\n' + ',\n'.join(f'{compact(name)}:{compact(value)}' for name, value in told.items()) + '\n}\n'


def write(path, text, check, changed):
    """Writes the file unless it is the same already; None removes it."""
    if text is not None and len(text.encode()) >= 1 << 20:
        raise SystemExit(f'{path}: {len(text.encode())} bytes are too many for one file')
    old = open(path, encoding='utf-8').read() if os.path.exists(path) else None
    if old == text:
        return
    changed.append(os.path.splitext(os.path.basename(path))[0])
    if check:
        return
    if text is None:
        os.remove(path)
    else:
        with open(path, 'w', encoding='utf-8', newline='\n') as file:
            file.write(text)


def stale(known, used):
    """Decisions about what is not there: a name that is wrong, or that nobody needs any more."""
    named = {*SIDE_EFFECTS, *REFUSED, *CLEARED, *LEFT_OUT, *GLOBAL_OPERATIONS, *WHOLE_RESPONSE, *LIST_ALONE, *PAGERS,
             *(o for operations in NOT_CONFIGURED.values() for o in operations)}
    services_named = {*DATA_SERVICES, *GLOBAL_SERVICES, *ONE_REGION}
    return ([f'{name} is decided (decisions.py, facts.py) but not in botocore {BOTOCORE}' for name in sorted(named - known)]
            + [f'{name} is decided (decisions.py, facts.py) but no service of botocore {BOTOCORE}' for name in sorted(services_named - {k.split(":")[0] for k in known})]
            + [f'the member {name} is named in decisions.py, and no answer has it' for name in sorted((CALLED_HARMLESS | SECRET_MEMBERS) - used)])


def main(arguments):
    if botocore.__version__ != BOTOCORE:
        raise SystemExit(f'botocore {BOTOCORE} is needed, {botocore.__version__} is installed')
    check = '--check' in arguments
    other = arguments[arguments.index('--models') + 1] if '--models' in arguments else None
    wanted = [] if other else [a for a in arguments if not a.startswith('--')]
    partitions = load(BOTOCORE_MODELS, 'partitions.json')
    faults, changed, known, used, texts = [], [], set(), set(), {}
    for name, folder in services(other or BOTOCORE_MODELS):
        if wanted and name not in wanted:
            continue
        service = Service(name, load(folder, 'service-2.json'), paginators(folder))
        known |= {f'{name}:{o}' for o in service.model['operations']}
        if other:
            service.operations()
        else:
            texts[name] = service.file(load(folder, 'endpoint-rule-set-1.json'), partitions)
        faults += service.faults
        used |= service.alarms.used
    if not wanted and not other:
        faults += stale(known, used)
        texts.update({n[:-5]: None for n in os.listdir(os.path.join(FOLDER, 'Services')) if n[:-5] not in texts})
        write(os.path.join(FOLDER, 'partitions.json'), partitions_file(partitions), check, changed)
    if faults:
        raise SystemExit('\n'.join(faults))
    for name, text in texts.items():
        write(os.path.join(FOLDER, 'Services', name + '.json'), text, check, changed)
    print('changed: ' + (' '.join(changed) or 'nothing'))
    if check and changed:
        sys.exit(1)


if __name__ == '__main__':
    main(sys.argv[1:])
