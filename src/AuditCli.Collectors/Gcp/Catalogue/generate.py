#!/usr/bin/env python3
"""Writes the catalogue of Google Cloud operations that AuditCli may call, one JSON file per API beside this script.

    python3 src/AuditCli.Collectors/Gcp/Catalogue/generate.py            # every API listed below
    python3 src/AuditCli.Collectors/Gcp/Catalogue/generate.py --check    # exits 1 when a file would change

The source is the API description inside the Google Cloud CLI (its generated client modules), which is read and never run.
Only names, paths and types are taken, no text. GCLOUD_SDK names the CLI's folder where it is not the packaged one.

The catalogue is the read-only promise: what stands in no file cannot be sent. An operation enters by GET with one of the
read verbs, or by name with a reason; what is refused by name never enters. Every other verb stays out unless it is named,
and a GET whose name has no read verb fails the generator until somebody decides: there are GETs that change things
(approveRedaction). Output depends on the CLI's version alone.

A file has one line per operation:

  http     verb and path below the API's base, with {+name} where a name of several segments stands
  path     what really may stand in the path, one {} per segment; the guard compares with it. Absent: as http
  host     template of the host that serves it, where that is one of a location; {location} is the parameter of that name
  in       parameters, "type word...": in=path|query|host (else body), required
  fill     what the collector gives where the control gives nothing; {project} is the partition's project, {location} the parameter
  rows     member whose elements are the rows; absent: the whole response is one row
  inner    for a map of lists: the member of each map value that has the rows, which then carry the map's key as _key
  paged    query|body: where pageToken goes; the answer has nextPageToken
  partial  members of the answer that say that some of it is missing
  beside   other members of an answer with rows
  kind     what the answer's own kind is, where the description says it
  row_kind what the kind of a row is, where the description says it
  whole    members of the answer that are true when nothing is missing; what is false is left out of an answer
  out      columns of a row
  reads    for what is not a plain GET with a read verb: why it only reads
"""
import ast
import json
import os
import re
import sys

VERSION = '528.0.0'
SDK = os.environ.get('GCLOUD_SDK', '/usr/lib/google-cloud-sdk')
CLIENTS = os.path.join(SDK, 'lib/googlecloudsdk/generated_clients/apis')

# Name control authors write -> folder of the CLI, its endpoint override variable. Where an API is offered in two
# versions, the current one has the plain name and the older one says its version.
APIS = {
    'cloudresourcemanager': ('cloudresourcemanager/v3', 'CLOUDRESOURCEMANAGER'),
    'cloudresourcemanager.v1': ('cloudresourcemanager/v1', 'CLOUDRESOURCEMANAGER'),
    'iam': ('iam/v1', 'IAM'),
    'cloudasset': ('cloudasset/v1', 'CLOUDASSET'),
    'logging': ('logging/v2', 'LOGGING'),
    'cloudkms': ('cloudkms/v1', 'CLOUDKMS'),
    'storage': ('storage/v1', 'STORAGE'),
    'compute': ('compute/v1', 'COMPUTE'),
    'container': ('container/v1', 'CONTAINER'),
    'sqladmin': ('sqladmin/v1beta4', 'SQL'),
    'orgpolicy': ('orgpolicy/v2', 'ORGPOLICY'),
    'serviceusage': ('serviceusage/v1', 'SERVICEUSAGE'),
    'bigquery': ('bigquery/v2', 'BIGQUERY'),
    'policyanalyzer': ('policyanalyzer/v1', 'POLICYANALYZER'),
    'aiplatform': ('aiplatform/v1', 'AIPLATFORM'),
}

# APIs of which only these operations are taken: others return data, or definitions with environment variables of programs.
ONLY = {
    'aiplatform': {f'projects.locations.{of}.{m}' for of in ('endpoints', 'indexEndpoints') for m in ('get', 'list')},
}
# APIs whose operations below a location are served by a host of that location (https://cloud.google.com/vertex-ai/docs/reference/rest).
REGIONAL = {
    'aiplatform': 'https://{location}-aiplatform.googleapis.com/',
}

READ_VERB = re.compile(r'^(get|list|search|aggregatedList|fetch|analyze|effective|query)(?=[A-Z]|$)')

# The rule for contents of logs, which is the same for every provider.
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../log_contents.json'), encoding='utf-8') as rule:
    LOGS = json.load(rule)

POLICY = 'it returns who has which role, and changes nothing'
EFFECTIVE = 'it returns the policy in effect, and changes nothing'
# Reads that are sent by POST, or have no read verb, one by one: exact names, or every operation whose name ends so.
READS = {
    'cloudresourcemanager.v1:organizations.search': 'it lists the organizations the caller can see',
    'cloudresourcemanager.v1:projects.getAncestry': 'it returns the folders above a project',
    'logging:entries.list': LOGS['read']['trail'],  # AuditLogFilter.cs: the filter must restrict it to that
    'iam:roles.queryGrantableRoles': 'it lists the roles that can be granted on a resource',
    **{f'storage:{of}.testIamPermissions': 'it says which permissions the caller has' for of in ('buckets', 'managedFolders', 'objects')},
    'compute:backendServices.getHealth': 'it returns the health of backends',
    'compute:regionBackendServices.getHealth': 'it returns the health of backends',
    'compute:targetPools.getHealth': 'it returns the health of instances',
    'compute:instanceGroups.listInstances': 'it lists the instances of a group',
    'compute:regionInstanceGroups.listInstances': 'it lists the instances of a group',
    'compute:instanceGroupManagers.listManagedInstances': 'it lists the instances of a managed group',
    'compute:regionInstanceGroupManagers.listManagedInstances': 'it lists the instances of a managed group',
    'compute:instanceGroupManagers.listErrors': 'it lists errors that have happened',
    'compute:instanceGroupManagers.listPerInstanceConfigs': 'it lists the configurations of instances',
    'compute:regionInstanceGroupManagers.listPerInstanceConfigs': 'it lists the configurations of instances',
    'compute:networkEndpointGroups.listNetworkEndpoints': 'it lists the endpoints of a group',
    'compute:regionNetworkEndpointGroups.listNetworkEndpoints': 'it lists the endpoints of a group',
    'compute:globalNetworkEndpointGroups.listNetworkEndpoints': 'it lists the endpoints of a group',
    'cloudasset:batchGetAssetsHistory': 'it returns earlier states of assets',
    'cloudasset:effectiveIamPolicies.batchGet': 'it returns the policies in effect on resources',
    'cloudkms:projects.showEffectiveAutokeyConfig': EFFECTIVE,
    'cloudkms:projects.showEffectiveKeyAccessJustificationsEnrollmentConfig': EFFECTIVE,
    'cloudkms:projects.showEffectiveKeyAccessJustificationsPolicyConfig': EFFECTIVE,
    'compute:nodeGroups.listNodes': 'it lists the nodes of a group',
    'container:projects.locations.clusters.checkAutopilotCompatibility': 'it says what stands in the way of Autopilot',
    'sqladmin:instances.ListServerCertificates': 'it lists certificates',
    'serviceusage:services.batchGet': 'it returns the state of services',
    'compute:projects.listXpnHosts': 'it lists the projects that share their network',
}
READS_BY_END = {
    'getIamPolicy': POLICY,
    'getEffectiveOrgPolicy': EFFECTIVE,
    'getOrgPolicy': EFFECTIVE,
    'listOrgPolicies': EFFECTIVE,
    'listAvailableOrgPolicyConstraints': 'it lists the constraints that can be set',
    'getEffectiveTags': EFFECTIVE,
}

DATA, CREDENTIAL = 'it returns data, not configuration', 'it hands out credentials'
# What looks like a read and is none, or gives out what is not evidence.
REFUSED = {
    'storage:objects.get': DATA,
    'storage:folders.getStorageLayout': DATA,
    'bigquery:tabledata.list': DATA,
    'bigquery:jobs.getQueryResults': DATA,
    'compute:instances.getSerialPortOutput': LOGS['not_read']['written'],
    'compute:instances.getScreenshot': DATA,
    'compute:instances.getGuestAttributes': DATA,
    'cloudasset:queryAssets': 'it starts a query job',
    'sqladmin:connect.get': 'it prepares a connection to a database',
    'logging:entries.tail': LOGS['not_read']['written'],
    'cloudkms:projects.locations.ekmConnections.verifyConnectivity': 'it makes the key manager call somebody else',
    **{f'logging:{p}locations.operations.approveRedaction': 'it approves a change'
       for p in ('', 'billingAccounts.', 'folders.', 'organizations.', 'projects.')},
}
# What the collector gives where the control gives nothing; {project} is the partition's project.
FILL = {
    'logging:entries.list': {'resourceNames': ['projects/{project}']},
}
POLICY_VERSION = 3  # less, and bindings with conditions are left out or made to look unconditional

# A list beside others, where it must be said which holds the rows; None: the whole answer is one row.
ROWS = {
    'storage:objects.list': 'items',    # without a delimiter there are no prefixes
    'compute:subnetworks.listUsable': 'items',
    'compute:securityPolicies.listPreconfiguredExpressionSets': None,
    **{f'container:projects.{of}.clusters.{m}': None for of in ('locations', 'zones')
       for m in ('fetchClusterUpgradeInfo', 'nodePools.fetchNodePoolUpgradeInfo')},
}
# The description has a nextPageToken and no way to send it: a token in the answer makes the evidence Incomplete.
NO_TOKEN_TO_SEND = {'sqladmin:users.list'}
# Members that are true when nothing is missing, as the messages' own comments say; a dot leads into a member.
WHOLE = {
    'cloudasset:analyzeIamPolicy': ['fullyExplored', 'mainAnalysis.fullyExplored'],
}
# Text that is named like an instant and holds something else.
NO_TIMESTAMPS = set()


def const(node):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def methods(path):
    base, found = None, []
    with open(path, encoding='utf-8') as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == 'BASE_URL':
            base = const(node.value)
        if isinstance(node, ast.Call) and getattr(node.func, 'attr', '') == 'ApiMethodInfo':
            found.append({k.arg: const(k.value) for k in node.keywords})
    return base, found


KINDS = {'StringField': 'text', 'BooleanField': 'boolean', 'IntegerField': 'integer', 'FloatField': 'double',
         'BytesField': 'text', 'EnumField': 'text', 'DateTimeField': 'timestamp', 'MessageField': 'json'}


def messages(path):
    """Message -> [(member, type, repeated, required, message type)], with the names that JSON has."""
    with open(path, encoding='utf-8') as file:
        tree = ast.parse(file.read())
    found, maps, renamed, kinds = {}, set(), {}, {}

    def visit(node, prefix):
        name = prefix + node.name
        members = found.setdefault(name, [])
        if any(getattr(d.func if isinstance(d, ast.Call) else d, 'attr', '') == 'MapUnrecognizedFields' for d in node.decorator_list):
            maps.add(name)
        for item in node.body:
            if isinstance(item, ast.ClassDef):
                visit(item, name + '.')
            elif isinstance(item, ast.Assign) and isinstance(item.value, ast.Call):
                kind = KINDS.get(getattr(item.value.func, 'attr', ''))
                if kind is None:
                    continue
                words = {k.arg: const(k.value) for k in item.value.keywords}
                of = const(item.value.args[0]) if kind == 'json' else None
                members.append((item.targets[0].id, kind, bool(words.get('repeated')), bool(words.get('required')), of))
                if item.targets[0].id == 'kind' and words.get('default'):
                    kinds[name] = words['default']

    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            visit(node, '')
        elif isinstance(node, ast.Expr) and getattr(getattr(node.value, 'func', None), 'attr', '') == 'AddCustomJsonFieldMapping':
            of, python, wire = node.value.args[:3]
            renamed[ast.unparse(of), const(python)] = const(wire)
    return {name: [(renamed.get((name, m[0]), m[0]), *m[1:]) for m in members] for name, members in found.items()}, maps, renamed, kinds


def instant(name):
    return name == 'timestamp' or re.search(r'(?<![a-z])?(Time|Timestamp)$', name) is not None


class Api:
    def __init__(self, name, folder, override):
        where = os.path.join(CLIENTS, folder)
        stem = next(f for f in sorted(os.listdir(where)) if f.endswith('_client.py'))
        self.name, self.folder, self.override = name, folder, override
        self.base, self.methods = methods(os.path.join(where, stem))
        self.messages, self.maps, self.renamed, self.kinds = messages(os.path.join(where, stem.replace('_client', '_messages')))
        self.problems, self.refused = [], {}

    def read(self):
        operations = {}
        for info in sorted(self.methods, key=lambda m: m['method_id']):
            method = info['method_id'].split('.', 1)[1]
            full, last = f'{self.name}:{method}', method.rsplit('.', 1)[-1]
            if method not in ONLY.get(self.name, {method}):
                continue
            if full in REFUSED:
                self.refused[method] = REFUSED[full]
                continue
            why = READS.get(full) or READS_BY_END.get(last)
            if re.search(LOGS['names'], method) and (why or info['http_method'] == 'GET') and why not in LOGS['read'].values():
                self.problems.append(f'{full}: it may return the contents of a log; decide by log_contents.json')
                continue
            if why is None and info['http_method'] != 'GET':
                continue
            if why is None and not READ_VERB.match(last):
                self.problems.append(f'{full}: GET without a read verb')
                continue
            operations[method] = self.operation(full, method, info, why if info['http_method'] != 'GET' or not READ_VERB.match(last) else None)
        return operations

    def operation(self, full, method, info, why):
        relative = info['relative_path']
        flat = info.get('flat_path') or relative
        segments = re.sub(r'\{\+?[^}]*\}', '{}', flat)
        if '{+' in flat:
            self.problems.append(f'{full}: {flat} does not say how many segments a name has')
        given, fill = self.parameters(full, info)
        regional = '/locations/{' in flat and REGIONAL.get(self.name)
        for name, value in self.project(relative, flat, regional).items():
            fill.setdefault(name, value)
        if 'project' in given and 'in=query' in given['project']:
            fill['project'] = '{project}'
        fill.update(FILL.get(full, {}))
        version = next((p for p in ('options.requestedPolicyVersion', 'optionsRequestedPolicyVersion') if p in given), None)
        if version:
            fill[version] = POLICY_VERSION
        elif method.endswith('getIamPolicy') and 'options' in given:
            fill['options'] = {'requestedPolicyVersion': POLICY_VERSION}
        for name in fill:
            given[name] = given[name].replace(' required', '')
        if regional:
            # Where the path does not name a location by itself, only the control can.
            given['location'] = 'text in=host' + (' required' if any('{location}' in str(f) for f in fill.values()) else '')
            given = dict(sorted(given.items()))
        out = self.messages.get(info['response_type_name'], [])
        paged = None
        if any(m[0] == 'nextPageToken' for m in out):
            paged = next((('query' if 'in=query' in t else 'body') for n, t in given.items() if n == 'pageToken'), None)
            if paged is None and full not in NO_TOKEN_TO_SEND:
                self.problems.append(f'{full}: there is a nextPageToken and no pageToken')
        given.pop('pageToken', None)
        entry = {'http': f"{info['http_method']} {relative}"}
        if regional:
            entry['host'] = regional
        if segments != re.sub(r'\{\+?[^}]*\}', '{}', relative):
            entry['path'] = segments
        entry['in'] = given
        if fill:
            entry['fill'] = dict(sorted(fill.items()))
        self.rows(full, method, info, out, paged, entry)
        if why:
            entry['reads'] = why
        return entry

    def parameters(self, full, info):
        given, field = {}, info['request_field']
        request = self.messages.get(info['request_type_name'], [])
        wire = lambda n: self.renamed.get((info['request_type_name'], n), n)
        path, query = [wire(p) for p in info['path_params']], [wire(p) for p in info['query_params']]
        body = []
        for name, kind, repeated, required, of in request:
            if name in path or name in query:
                place = 'path' if name in path else 'query'
                kind = 'json' if repeated else kind
                given[name] = f"{kind} in={place}" + (' required' if required or place == 'path' else '')
            elif field == '<request>':
                body.append((name, kind, repeated))
            elif name == field:
                body.extend((n, k, r) for n, k, r, _, _ in self.messages.get(of, []))
        if info['http_method'] != 'GET':
            for name, kind, repeated in body:
                if name in given:
                    self.problems.append(f'{full}: {name} stands in the path and in the body')
                given[name] = 'json' if repeated else kind
        return dict(sorted(given.items())), {}

    @staticmethod
    def project(relative, flat, regional):
        """Parameters that name exactly a project, or a location of one where the host is the location's."""
        fill, there, real = {}, relative.split('/'), flat.split('/')
        at = 0
        for i, segment in enumerate(there):
            found = re.match(r'\{(\+?)([^}]*)\}(.*)$', segment)
            if not found:
                at += 1
                continue
            plus, name, rest = found.groups()
            width = len(real) - at - (len(there) - i - 1) if plus else 1
            covers = real[at:at + width]
            at += width
            before = there[i - 1] if i else ''
            plain = [re.sub(r'\}.*$', '}', c) for c in covers]
            if len(covers) == 1 and before == 'projects':
                fill[name] = '{project}'
            elif len(covers) == 2 and (covers[0] == 'projects' or all(re.fullmatch(r'\{v\d.*\}', c) for c in plain)):
                fill[name] = 'projects/{project}'
            elif regional and plain[:1] + plain[2:3] == ['projects', 'locations'] and len(covers) == 4:
                fill[name] = 'projects/{project}/locations/{location}'
        return fill

    def rows(self, full, method, info, out, paged, entry):
        last = method.rsplit('.', 1)[-1]
        partial = [n for n, *_ in out if n in ('unreachable', 'unreachables', 'missingZones', 'warning', 'warnings', 'errors', 'partialErrors', 'scopedWarnings')]
        if full in NO_TOKEN_TO_SEND:
            partial.append('nextPageToken')
        listing = paged or re.match(r'(list|search|aggregatedList|query|fetch)', last)
        columns = out
        if listing:
            lists = [m for m in out if m[2] and m[0] not in partial]
            maps = [m for m in out if m[4] and f"{info['response_type_name']}.{m[4]}" in self.maps]
            rows = ROWS.get(full, 'unsaid')
            if rows == 'unsaid':
                if len(lists) == 1:
                    rows = lists[0][0]
                elif not lists and len(maps) == 1 and paged:
                    rows = maps[0][0]
                else:
                    self.problems.append(f'{full}: which of {[m[0] for m in lists]} {[m[0] for m in maps]} are the rows of {[m[0] for m in out]}?')
                    rows = None
            if rows is not None:
                member = next(m for m in out if m[0] == rows)
                entry['rows'] = rows
                if member in lists:
                    of = next((n for n in (f"{info['response_type_name']}.{member[4]}", member[4]) if n in self.messages), None)
                    columns = self.messages[of] if of else [('value', member[1], False, False, None)]
                    row_kind = self.kinds.get(of, '')
                else:
                    pair = self.messages[f"{info['response_type_name']}.{member[4]}.AdditionalProperty"]
                    value = self.messages[next(m[4] for m in pair if m[0] == 'value')]
                    inner = [m for m in value if m[2]]
                    if len(inner) != 1:
                        self.problems.append(f'{full}: a map of {[m[0] for m in inner]}')
                        return
                    entry['inner'] = inner[0][0]
                    columns = [('_key', 'text', False, False, None)] + self.messages[inner[0][4]]
                    row_kind = self.kinds.get(inner[0][4], '')
        if paged:
            entry['paged'] = paged
        if partial and listing:
            entry['partial'] = partial
        if listing and entry.get('rows'):
            beside = [n for n, *_ in out if n not in partial and n not in (entry['rows'], 'nextPageToken')]
            if beside:
                entry['beside'] = beside
            kind = self.kinds.get(info['response_type_name'], '')
            # A few descriptions of Compute's lists name the kind of one element.
            if kind and (self.name != 'compute' or 'List' in kind):
                entry['kind'] = kind
            if row_kind:
                entry['row_kind'] = row_kind
        if full in WHOLE:
            entry['whole'] = WHOLE[full]
        kinds = {}
        for name, kind, repeated, _, _ in columns:
            if listing and entry.get('rows') is None and name == 'nextPageToken':
                continue
            kinds[name] = 'json' if repeated else 'timestamp' if kind == 'text' and instant(name) and f'{full}.{name}' not in NO_TIMESTAMPS else kind
        if len({n.lower() for n in kinds}) != len(kinds):
            self.problems.append(f'{full}: two columns differ only by case')
        entry['out'] = kinds

    def write(self):
        operations = self.read()
        base, _, path = self.base.partition('googleapis.com/')
        lines = [f'"api":{json.dumps(self.name)}', f'"from":"names, paths and types of the Google Cloud CLI {VERSION}, {self.folder}"',
                 f'"host":{json.dumps(base + "googleapis.com/")}', f'"base_path":{json.dumps(path)}', f'"override":{json.dumps(self.override)}',
                 f'"refused":{json.dumps(self.refused, sort_keys=True)}']
        body = ',\n'.join(f'{json.dumps(n)}:{json.dumps(o, separators=(",", ":"))}' for n, o in sorted(operations.items()))
        return '{' + ',\n'.join(lines) + ',\n"operations":{\n' + body + '\n}}\n', len(operations)


def main():
    with open(os.path.join(SDK, 'VERSION'), encoding='utf-8') as file:
        if (version := file.read().strip()) != VERSION:
            sys.exit(f'the catalogue is made from Google Cloud CLI {VERSION}, and {SDK} is {version}')
    here, problems, changed, count = os.path.dirname(os.path.abspath(__file__)), [], [], 0
    for name, (folder, override) in APIS.items():
        api = Api(name, folder, override)
        text, operations = api.write()
        count += operations
        problems += api.problems
        path = os.path.join(here, name + '.json')
        if not os.path.exists(path) or open(path, encoding='utf-8').read() != text:
            changed.append(path)
            if '--check' not in sys.argv and not api.problems:
                with open(path, 'w', encoding='utf-8', newline='\n') as file:
                    file.write(text)
    if problems:
        sys.exit('\n'.join(problems))
    print(f'{count} operations of {len(APIS)} APIs, {len(changed)} files changed')
    if changed and '--check' in sys.argv:
        sys.exit(1)


main()
