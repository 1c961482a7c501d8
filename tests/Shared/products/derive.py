#!/usr/bin/env python3
"""Derives the shapes of the operations from the vendors' packages in ./packages, and compares them with a catalogue.

derive.py                      writes okta.json, entra.json, jira.json and servicenow.json beside itself
derive.py --compare FOLDER     compares the catalogue files of FOLDER with them, and prints every difference
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = HERE / 'packages'
OKTA = PACKAGES / 'okta-okta-sdk-nodejs-8.1.0/src/generated'
GRAPH = PACKAGES / 'microsoft-msgraph-sdk-1.0.0-preview.90/models/index.js'
GRAPH_PATHS = sorted(PACKAGES.glob('microsoft-msgraph-sdk-*-1.0.0-preview.90'))
GRAPH_TEMPLATES = HERE / 'graph-url-templates.txt'
JIRA = PACKAGES / 'jira.js-6.2.0/src'
SERVICENOW = PACKAGES / 'servicenow-sdk-core-4.9.0/src/fluent/tables'


def merged(one, other):
    """The properties of two forms of a row; if a property has another type in each, it is 'mixed' until the end, where that becomes 'any'."""
    result = dict(one)
    for name, kind in other.items():
        before = result.get(name, kind)
        result[name] = kind if before in (kind, 'any') else before if kind == 'any' else 'mixed'
    return result


# Okta: the generated client of Okta's own OpenAPI description.

def okta_model(name, seen=()):
    path = OKTA / f'models/{name}.js'
    if not path.exists() or name in seen:
        return None
    text = path.read_text()
    if 'attributeTypeMap = [' not in text:
        row = {}
        for kind in sorted(set(re.findall(r"'[^']+': '(\w+)'", text[text.index('.mapping = '):]))) if '.mapping = ' in text else []:
            row = merged(row, okta_model(kind, (*seen, name)) or {})
        return row or None
    own = re.findall(r"'baseName': '([^']*)',\s*'type': '((?:[^'\\]|\\.)*)',\s*'format': '([^']*)'", text[text.index('attributeTypeMap = ['):])
    row = {}
    parent = re.search(r'class \w+ extends (\w+)_\d+\.', text)
    if parent:
        row.update(okta_model(parent[1], (*seen, name)) or {})
    row.update({n: okta_type(t, f) for n, t, f in own})
    for kind in sorted(set(re.findall(r"'[^']+': '(\w+)'", text[text.index('.mapping = '):text.index('attributeTypeMap = [')]))) if '.mapping = ' in text else []:
        row = merged(row, okta_model(kind, (*seen, name)) or {})
    return row


def okta_type(kind, form):
    if kind.startswith(('Array<', 'Set<')):
        return 'array'
    if kind.startswith('{'):
        return 'object'
    if kind == 'Date' or form == 'date-time':
        return 'date-time'
    if kind == 'number':
        return 'integer' if form.lower().startswith('int') else 'number'
    if kind in ('string', 'boolean', 'any'):
        return kind
    path = OKTA / f'models/{kind}.js'
    return 'object' if path.exists() and 'attributeTypeMap = [' in path.read_text() else 'string'


def okta():
    calls = {}
    for api in sorted((OKTA / 'apis').glob('*Api.js')):
        text = api.read_text()
        for m in re.finditer(r"async (\w+)\([^)]*_options\) \{(.*?)\n  \}\n", text, re.S):
            name, body = m[1], m[2]
            path = re.search(r"const path = '([^']*)'", body)
            method = re.search(r'HttpMethodEnum\.(\w+)', body)
            if not path or not method or method[1] != 'GET':
                continue
            required = set(re.findall(r"RequiredError\('\w+', '\w+', '(\w+)'\)", body))
            query = {q: {'in': 'query', 'type': okta_type(t, f), 'required': v in required} for q, v, t, f in
                     re.findall(r"setQueryParam\('([^']+)', ObjectSerializer_1\.ObjectSerializer\.serialize\((\w+), '((?:[^'\\]|\\.)*)', '([^']*)'\)", body)}
            listed = re.findall(r"serialize\((\w+), 'Array<[^']*'", body)
            for q in re.findall(r"appendQueryParam\('([^']+)'", body):
                query[q] = {'in': 'query', 'type': 'array', 'required': q in required}
            for value, q in re.findall(r"const (\w+) = .*?\n.*?QueryParam\('([^']+)'", body) if listed else []:
                query.setdefault(q, {'in': 'query', 'type': 'array', 'required': value in required})
            answer = re.search(r"async " + name + r"\(response\) \{.*?isCodeInRange\)\('200'.*?contentType\), '([^']*)'", text, re.S)
            kinds = {p: 'string' for p in re.findall(r'\{(\w+)\}', path[1])}
            calls[path[1]] = (name, {**{p: {'in': 'path', 'type': k, 'required': True} for p, k in kinds.items()}, **query}, answer[1] if answer else '')
    table = [line.split('|') for line in '''
users.me|/api/v1/users/{userId}|
users.list|/api/v1/users|
users.factors.list|/api/v1/users/{userId}/factors|
users.roles.list|/api/v1/users/{userId}/roles|
users.authenticatorEnrollments.list|/api/v1/users/{userId}/authenticator-enrollments|
users.appLinks.list|/api/v1/users/{userId}/appLinks|
users.groups.list|/api/v1/users/{userId}/groups|
users.grants.list|/api/v1/users/{userId}/grants|
groups.list|/api/v1/groups|
groups.users.list|/api/v1/groups/{groupId}/users|
groups.roles.list|/api/v1/groups/{groupId}/roles|
groups.apps.list|/api/v1/groups/{groupId}/apps|
groups.owners.list|/api/v1/groups/{groupId}/owners|
groups.rules.list|/api/v1/groups/rules|
apps.list|/api/v1/apps|
apps.users.list|/api/v1/apps/{appId}/users|
apps.groups.list|/api/v1/apps/{appId}/groups|
apps.grants.list|/api/v1/apps/{appId}/grants|
clients.roles.list|/oauth2/v1/clients/{clientId}/roles|
iam.assignees.users.list|/api/v1/iam/assignees/users|value
iam.roles.list|/api/v1/iam/roles|roles
iam.roles.permissions.list|/api/v1/iam/roles/{roleIdOrLabel}/permissions|permissions
iam.resourceSets.list|/api/v1/iam/resource-sets|resource-sets
iam.resourceSets.bindings.list|/api/v1/iam/resource-sets/{resourceSetId}/bindings|roles
iam.resourceSets.bindings.members.list|/api/v1/iam/resource-sets/{resourceSetId}/bindings/{roleIdOrLabel}/members|members
iam.resourceSets.resources.list|/api/v1/iam/resource-sets/{resourceSetId}/resources|resources
policies.list|/api/v1/policies|
policies.rules.list|/api/v1/policies/{policyId}/rules|
authenticators.list|/api/v1/authenticators|
zones.list|/api/v1/zones|
apiTokens.list|/api/v1/api-tokens|
org.get|/api/v1/org|
org.oktaSupport.get|/api/v1/org/privacy/oktaSupport|
threats.configuration.get|/api/v1/threats/configuration|
logs.list|/api/v1/logs|
'''.split('\n') if line]
    operations = {}
    for name, path, member in table:
        call, parameters, answer = calls[path]
        listed = re.fullmatch(r'(?:Array|Set)<(.*)>', answer)
        envelope = {}
        if member:
            holder = okta_model(answer)
            of = re.search(r"'baseName': '" + re.escape(member) + r"',\s*'type': '(?:Array|Set)<(\w+)>'", (OKTA / f'models/{answer}.js').read_text())[1]
            envelope = {k: v for k, v in holder.items() if k != member}
            source = f'{answer}.{member}: {of}'
        else:
            of = listed[1] if listed else answer
            source = answer
        if name == 'users.me':
            path, parameters = '/api/v1/users/me', {k: v for k, v in parameters.items() if v['in'] == 'query'}
        operations[name] = shape(path, parameters, member if member else '' if listed else None, okta_model(of) or {}, envelope, f'{call} -> {source}')
    return {'from': '@okta/okta-sdk-nodejs@8.1.0 (npm), generated by Okta from its OpenAPI description management.yaml 5.1.0', 'operations': operations}


def shape(path, parameters, rows, row, envelope, source):
    row = {n: 'any' if k == 'mixed' else k for n, k in row.items()}
    return {'method': 'GET', 'path': path, 'parameters': dict(sorted(parameters.items())), 'rows': rows, 'row': row, 'envelope': envelope, 'source': source}


# Microsoft Graph: the models of the generated client, and the URL templates of the clients.

def graph():
    text = GRAPH.read_text()
    bodies = {}
    for m in re.finditer(r'export function deserializeInto(\w+)\(\w+ = \{\}\) \{\n(.*?)\n\}\n', text, re.S):
        bodies[m[1]] = m[2]
    kinds = {'String': 'string', 'Guid': 'string', 'Boolean': 'boolean', 'Number': 'number', 'Date': 'date-time', 'DateOnly': 'string',
             'TimeOnly': 'string', 'Duration': 'string', 'Enum': 'string', 'Object': 'object', 'CollectionOfObject': 'array',
             'CollectionOfPrimitive': 'array', 'CollectionOfEnum': 'array', 'ByteArray': 'string'}
    children = {}
    for name, body in bodies.items():
        if parent := re.search(r'deserializeInto(\w+)\(', body):
            children.setdefault(parent[1], []).append(name)

    def up(name):
        body = bodies[name]
        parent = re.search(r'deserializeInto(\w+)\(', body)
        row = up(parent[1]) if parent else {}
        for member, rest in re.findall(r'"([@\w.]+)": n => \{ \w+\.\w+ = ([^}]*?); \}', body):
            if kind := re.match(r'n\.get(\w+?)(?:Values?)\(', rest):
                row[member] = kinds[kind[1]]
            elif 'getEnum' in rest:
                row[member] = 'string'
        return row

    def model(name, below):
        row = up(name)
        for child in children.get(name, []) if below else []:
            row = merged(row, model(child, True))
        return row

    templates = {}
    for folder in GRAPH_PATHS:
        for index in folder.rglob('index.js'):
            for t in re.findall(r'RequestBuilderUriTemplate = "\{\+baseurl\}(/[^"]*)"', index.read_text()):
                templates[re.sub(r'\{\?.*', '', t)] = (t, folder.name)
    for line in GRAPH_TEMPLATES.read_text().splitlines():
        if line.startswith('/'):
            template, found = line.split('\t')
            templates[re.sub(r'\{\?.*', '', template)] = (template, found)
    types = {'$top': 'integer', '$skip': 'integer', '$count': 'boolean', '$filter': 'string', '$search': 'string', '$orderby': 'array',
             '$select': 'array', '$expand': 'array'}
    table = [line.split('|') for line in '''
organization.list|/organization|Organization|
users.list|/users|User|
users.authentication.methods.list|/users/{user-id}/authentication/methods|AuthenticationMethod|+
users.memberOf.list|/users/{user-id}/memberOf|DirectoryObject|+
directory.deletedItems.users.list|/directory/deletedItems/graph.user|User|
reports.authenticationMethods.userRegistrationDetails.list|/reports/authenticationMethods/userRegistrationDetails|UserRegistrationDetails|
groups.list|/groups|Group|
groups.members.list|/groups/{group-id}/members|DirectoryObject|+
groups.owners.list|/groups/{group-id}/owners|DirectoryObject|+
roleManagement.directory.roleAssignments.list|/roleManagement/directory/roleAssignments|UnifiedRoleAssignment|
roleManagement.directory.roleDefinitions.list|/roleManagement/directory/roleDefinitions|UnifiedRoleDefinition|
roleManagement.directory.roleEligibilitySchedules.list|/roleManagement/directory/roleEligibilitySchedules|UnifiedRoleEligibilitySchedule|
roleManagement.directory.roleAssignmentScheduleInstances.list|/roleManagement/directory/roleAssignmentScheduleInstances|UnifiedRoleAssignmentScheduleInstance|
roleManagement.directory.roleAssignmentScheduleRequests.list|/roleManagement/directory/roleAssignmentScheduleRequests|UnifiedRoleAssignmentScheduleRequest|
applications.list|/applications|Application|
applications.owners.list|/applications/{application-id}/owners|DirectoryObject|+
servicePrincipals.list|/servicePrincipals|ServicePrincipal|
servicePrincipals.memberOf.list|/servicePrincipals/{servicePrincipal-id}/memberOf|DirectoryObject|+
servicePrincipals.appRoleAssignments.list|/servicePrincipals/{servicePrincipal-id}/appRoleAssignments|AppRoleAssignment|
servicePrincipals.appRoleAssignedTo.list|/servicePrincipals/{servicePrincipal-id}/appRoleAssignedTo|AppRoleAssignment|
oauth2PermissionGrants.list|/oauth2PermissionGrants|OAuth2PermissionGrant|
identity.conditionalAccess.policies.list|/identity/conditionalAccess/policies|ConditionalAccessPolicy|
identity.conditionalAccess.namedLocations.list|/identity/conditionalAccess/namedLocations|NamedLocation|+
policies.identitySecurityDefaultsEnforcementPolicy.get|/policies/identitySecurityDefaultsEnforcementPolicy|IdentitySecurityDefaultsEnforcementPolicy|1
policies.authenticationMethodsPolicy.get|/policies/authenticationMethodsPolicy|AuthenticationMethodsPolicy|1
policies.authorizationPolicy.get|/policies/authorizationPolicy|AuthorizationPolicy|1
policies.roleManagementPolicyAssignments.list|/policies/roleManagementPolicyAssignments|UnifiedRoleManagementPolicyAssignment|
identityGovernance.accessReviews.definitions.list|/identityGovernance/accessReviews/definitions|AccessReviewScheduleDefinition|
identityGovernance.accessReviews.instances.list|/identityGovernance/accessReviews/definitions/{accessReviewScheduleDefinition-id}/instances|AccessReviewInstance|
identityGovernance.accessReviews.decisions.list|/identityGovernance/accessReviews/definitions/{accessReviewScheduleDefinition-id}/instances/{accessReviewInstance-id}/decisions|AccessReviewInstanceDecisionItem|
identityGovernance.entitlementManagement.assignmentRequests.list|/identityGovernance/entitlementManagement/assignmentRequests|AccessPackageAssignmentRequest|
auditLogs.directoryAudits.list|/auditLogs/directoryAudits|DirectoryAudit|
auditLogs.signIns.list|/auditLogs/signIns|SignIn|
'''.split('\n') if line]
    operations = {}
    envelope = {k: v for k, v in up('BaseCollectionPaginationCountResponse').items() if k != 'backingStoreEnabled'}
    for name, path, kind, how in table:
        template, found = templates[path.replace('{', '{').replace('-id}', '%2Did}')]
        query = re.search(r'\{\?(.*)\}', template)
        names = [q.replace('%24', '$').rstrip('*') for q in query[1].split(',')] if query else []
        parameters = {p: {'in': 'path', 'type': 'string', 'required': True} for p in re.findall(r'\{([\w-]+)\}', path)}
        parameters |= {q: {'in': 'query', 'type': types[q], 'required': False} for q in names}
        row = {'@odata.type': 'string', **{k: v for k, v in model(kind, how == '+').items() if k not in ('backingStoreEnabled', '@odata.type')}}
        operations[name] = shape('/v1.0' + path, parameters, None if how == '1' else 'value', row,
                                 {'@odata.context': 'string'} if how == '1' else {'@odata.context': 'string', **envelope},
                                 f'{kind}{" and the types below it" if how == "+" else ""}; URL template: {found}')
    return {'from': '@microsoft/msgraph-sdk@1.0.0-preview.90 (npm; models of v1.0), URL templates of @microsoft/msgraph-sdk-{users,organization,directory}'
                    '@1.0.0-preview.90 and of the generated v1.0 clients of microsoftgraph on GitHub (graph-url-templates.txt)',
            'operations': operations}


# Jira: a client generated from Atlassian's own swagger files.

def jira():
    def files(part):
        return {p.stem[0].upper() + p.stem[1:]: p.read_text() for p in sorted((JIRA / part / 'models').glob('*.ts'))}

    models = {'cloud': files('cloud'), 'serviceDesk': files('serviceDesk')}

    def members(text):
        """The members of the first object of a schema, with what is written behind each."""
        text = re.sub(r'/\*.*?\*/', '', text, flags=re.S)
        start = re.search(r'(?:apiObject|z\.object|z\.looseObject)\(\{', text)
        if not start:
            return {}
        depth, at, result, name, begun = 0, start.end(), {}, None, 0
        while at < len(text):
            c = text[at]
            if c in '([{':
                depth += 1
            elif c in ')]}':
                if depth == 0:
                    if name:
                        result[name] = text[begun:at].strip().rstrip(',')
                    break
                depth -= 1
            elif depth == 0 and (m := re.match(r"\s*'?([\w$@./-]+)'?:\s*", text[at:])) and (name is None or text[at - 1] == ',' or text[at] == '\n'):
                if name:
                    result[name] = text[begun:at].strip().rstrip(',')
                name, begun = m[1], at + m.end()
                at = begun
                continue
            at += 1
        return result

    def kind(part, written):
        written = re.sub(r'\s+', ' ', written.strip())
        rules = [(r'z\.coerce\.date|z\.iso\.datetime|z\.date\(', 'date-time'), (r'z\.(string|url|email|uuid|enum|literal)|openEnum', 'string'),
                 (r'z\.(int)\(|z\.number\(\)\.int', 'integer'), (r'z\.number', 'number'), (r'z\.boolean', 'boolean'), (r'z\.array|z\.set', 'array'),
                 (r'z\.(record|object|looseObject|lazy)|apiObject', 'object')]
        if written.startswith('z .union') or written.startswith('z.union'):
            found = {kind(part, 'z.' + w) for w in re.findall(r'z\.(\w+\()', written)[1:]} - {'any'}
            return found.pop() if len(found) == 1 else 'any'
        for pattern, name in rules:
            if re.match(pattern, written):
                return name
        if m := re.match(r'(\w+)Schema\b', written):
            text = models[part].get(m[1], '')
            inner = re.search(r'export const ' + m[1] + r'Schema(?::[^=]*)? = (.*)', text, re.S)
            if inner and not inner[1].startswith(m[1]):
                return kind(part, inner[1])
        return 'any'

    def model(part, name):
        return {k: kind(part, v) for k, v in members(models[part][name]).items()}

    table = [line.split('|') for line in '''
myself.get|cloud|myself|getCurrentUser|
serverInfo.get|cloud|serverInfo|getServerInfo|
issues.search|cloud|issueSearch|searchAndReconsileIssuesUsingJql|issues
issues.changelog.list|cloud|issues|getChangeLogs|values
issues.comments.list|cloud|issueComments|getComments|comments
users.search|cloud|users|getAllUsers|
users.groups.list|cloud|users|getUserGroups|
groups.members.list|cloud|groups|getUsersFromGroup|values
applicationRoles.list|cloud|applicationRoles|getAllApplicationRoles|
projects.search|cloud|projects|searchProjects|values
projects.roles.get|cloud|projectRoles|getProjectRole|
projects.permissionScheme.get|cloud|projectPermissionSchemes|getAssignedPermissionScheme|
roles.list|cloud|projectRoles|getAllProjectRoles|
permissionSchemes.list|cloud|permissionSchemes|getAllPermissionSchemes|permissionSchemes
workflows.search|cloud|workflows|searchWorkflows|values
workflowSchemes.list|cloud|workflowSchemes|getAllWorkflowSchemes|values
fields.list|cloud|issueFields|getFields|
auditing.records.list|cloud|auditRecords|getAuditRecords|records
requests.list|serviceDesk|request|getCustomerRequests|values
requests.approvals.list|serviceDesk|request|getApprovals|values
requests.status.list|serviceDesk|request|getCustomerRequestStatus|values
requests.sla.list|serviceDesk|request|getSlaInformation|values
servicedesks.list|serviceDesk|servicedesk|getServiceDesks|values
'''.split('\n') if line]
    operations = {}
    for name, part, file, call, member in table:
        text = next(p for p in (JIRA / part / 'api').glob('*.ts') if p.stem.lower() == file.lower()).read_text() if file else ''
        m = re.search(r'export async function ' + call + r'\(((?:(?!export async).)*?)\): Promise<((?:(?!export async).)*?)> \{(.*?)\n\}', text, re.S)
        if not m:
            missing.append(f'jira {name}: no {call} in {file}')
            continue
        answer, body = re.sub(r'\s+', '', m[2]), m[3]
        path = re.sub(r'\$\{parameters\??\.(\w+)\}', r'{\1}', re.search(r"url: [`']([^`']*)[`']", body)[1])
        path = re.sub(r'\$\{[^}]*\.(\w+)\)?\}', r'{\1}', path)
        chosen = re.search(r'parameters\??: (\w+)', m[1])
        given = {}
        for p in (JIRA / part / 'parameters').glob('*.ts') if chosen else []:
            if re.search(r'export const ' + chosen[1] + r'Schema\b', text := p.read_text()):
                given = members(text)
        if chosen and not given:
            missing.append(f'jira {name}: no parameters {chosen[1]}')
        places = set(re.findall(r'\{(\w+)\}', path))
        parameters = {n: {'in': 'path' if n in places else 'query', 'type': kind(part, w), 'required': 'optional()' not in w} for n, w in given.items()}
        page = re.fullmatch(r'Page<(\w+)>', answer)
        listed = re.fullmatch(r'(\w+)\[\]|Array<(\w+)>', answer)
        envelope = {}
        if page:
            of = page[1]
            envelope = {k: kind(part, v) for k, v in members((JIRA / part / 'models/page.ts').read_text()).items() if k != member}
        elif listed:
            of = listed[1] or listed[2]
        elif member:
            holder = members(models[part][answer])
            of = re.search(r'z\.array\((\w+)Schema\)', holder[member])
            of = of[1] if of else None
            envelope = {k: kind(part, v) for k, v in holder.items() if k != member}
        else:
            of = answer
        row = model(part, of) if of in models[part] else {}
        operations[name] = shape(path, parameters, '' if listed else member or None, row, envelope, f'{call} -> {answer}')
        if not row:
            missing.append(f'jira {name}: no row for {answer}')
    older = PACKAGES / 'jira.js-5.4.0/src/version3'
    call = re.search(r"url: '(/rest/api/3/group/bulk)',\s*method: 'GET',\s*params: \{(.*?)\}", (older / 'groups.ts').read_text(), re.S)
    typed = dict(re.findall(r'\n  (\w+)\?: ([^;]+);', next(older.glob('parameters/bulkGetGroups.ts')).read_text()))
    of = {n: 'string' for n in re.findall(r'\n  (\w+)\?: string;', next(older.glob('models/groupDetails.ts')).read_text())}
    plain = {'number': 'number', 'string[]': 'array'}
    operations['groups.list'] = shape(
        call[1], {n: {'in': 'query', 'type': plain.get(typed[n], 'string'), 'required': False} for n in re.findall(r'(\w+): parameters', call[2])}, 'values', of,
        operations['groups.members.list']['envelope'], 'jira.js@5.4.0 bulkGetGroups -> PageGroupDetails (jira.js@6.2.0 leaves it out)')
    return {'from': "jira.js@6.2.0 (npm), generated from Atlassian's swagger-v3.v3.json and the Jira Service Management description", 'operations': operations}


# ServiceNow: the tables in ServiceNow's own SDK, and what other public code shows of the rest.

def servicenow():
    kinds = {'Boolean': 'boolean', 'Integer': 'integer', 'Decimal': 'number', 'Float': 'number', 'Long': 'integer', 'DateTime': 'date-time', 'Date': 'date',
             'BasicDateTime': 'date-time', 'DueDate': 'date-time', 'CalendarDateTime': 'date-time'}

    def table(name):
        path = SERVICENOW / f'{name}.now.ts'
        if not path.exists():
            return None
        text = path.read_text()
        start = text.index('schema: {')
        indent = re.search(r'\n( *)schema: \{', text)[1]
        body = text[start:text.find('\n' + indent + '}', start)]
        row = {n: kinds.get(k, 'string') for n, k in re.findall(r'\n' + indent + r"    '?(\w+)'?: (\w+?)Column\(", body)}
        parent = re.search(r"\n    extends: '(\w+)'", text)
        return {**(table(parent[1]) or {} if parent else {}), **row}

    from_code = json.loads((PACKAGES / 'servicenow-tables.json').read_text()) if (PACKAGES / 'servicenow-tables.json').exists() else {}
    parameters = {n: {'in': 'query', 'type': t, 'required': False} for n, t in {
        'sysparm_query': 'string', 'sysparm_display_value': 'string', 'sysparm_exclude_reference_link': 'boolean', 'sysparm_fields': 'string',
        'sysparm_limit': 'integer', 'sysparm_offset': 'integer', 'sysparm_view': 'string', 'sysparm_query_category': 'string',
        'sysparm_query_no_domain': 'boolean', 'sysparm_no_count': 'boolean', 'sysparm_suppress_pagination_header': 'boolean'}.items()}
    system = {'sys_id': 'string', 'sys_created_on': 'date-time', 'sys_created_by': 'string', 'sys_updated_on': 'date-time', 'sys_updated_by': 'string',
              'sys_mod_count': 'integer'}
    names = ('incident change_request change_task problem sc_request sc_req_item sc_task sysapproval_approver task_sla sys_user sys_user_group '
             'sys_user_grmember sys_user_has_role sys_user_role sys_user_role_contains sys_group_has_role sys_audit sys_audit_delete sys_update_set '
             'sys_security_acl sys_dictionary sys_db_object').split()
    operations = {}
    for name in names:
        row = table(name)
        source = f'@servicenow/sdk-core, table {name}'
        other = from_code.get(name)
        if other:
            row = {**(table(other['extends']) or {} if other.get('extends') else {}), **(row or {}), **other['columns']}
            source = (source + '; ' if (SERVICENOW / f'{name}.now.ts').exists() else '') + '; '.join(other['seen'])
        if row is None:
            missing.append(f'servicenow {name}: no table')
            continue
        own = {n: k for n, k in system.items() if n in (other or {}).get('system', system)}
        operations[f'{name}.list'] = shape(f'/api/now/table/{name}', parameters, 'result', {**own, **row}, {}, source)
    return {'from': "@servicenow/sdk-core@4.9.0 (npm; ServiceNow's own tables), and for tables that it lacks the public code and pages named in source; "
                    'the Table API writes every value as text, so the types are those of the columns, not of the JSON',
            'operations': operations}


# The comparison with a catalogue.

FITS = {'text': {'string', 'date-time', 'date'}, 'timestamp': {'date-time'}, 'boolean': {'boolean'}, 'integer': {'integer', 'number'}, 'double': {'number', 'integer'},
        'json': {'object', 'array', 'any'}}


def compare(product, catalogue, shapes):
    for name, o in catalogue['operations'].items():
        s = shapes['operations'].get(name)
        if s is None:
            print(f'{product} {name}: no shape')
            continue
        method, path = o['http'].split(' ')
        path = '/' + catalogue['base_path'] + path
        plain = lambda p: re.sub(r'\{[^}]*\}', '{}', p)
        if method != s['method'] or plain(path).replace('/microsoft.graph.', '/graph.') != plain(s['path']):
            print(f"{product} {name}: {method} {path}, described as {s['method']} {s['path']}")
        wanted = {re.sub(r'[^a-z]', '', n.lower()): (n, p) for n, p in s['parameters'].items()}
        in_path = [n for n, w in o['in'].items() if 'in=path' in w]
        for n, w in o['in'].items():
            if 'in=path' in w:
                continue
            if n not in s['parameters']:
                print(f'{product} {name}: parameter {n} is not described')
                continue
            if product != 'servicenow' and s['parameters'][n]['type'] not in FITS[w.split()[0]] and not (product == 'entra' and w.startswith('text')):
                print(f"{product} {name}: parameter {n} is {w}, described as {s['parameters'][n]['type']}")
        for n, p in s['parameters'].items():
            if p['required'] and p['in'] == 'query' and 'required' not in o['in'].get(n, ''):
                print(f'{product} {name}: parameter {n} is required')
        if o.get('rows') != s['rows']:
            print(f"{product} {name}: rows {o.get('rows')}, described as {s['rows']}")
        for n, t in o['out'].items():
            if n == '_other':
                continue
            if n not in s['row']:
                print(f'{product} {name}: column {n} is not described')
            elif product == 'servicenow':
                if t != 'text':
                    print(f'{product} {name}: column {n} is {t}, but every value is text')
            elif s['row'][n] not in FITS[t]:
                print(f"{product} {name}: column {n} is {t}, described as {s['row'][n]}")
        left = [n for n in s['row'] if n not in o['out']]
        if left and '-v' in sys.argv:
            print(f"{product} {name}: not in the catalogue: {', '.join(f'{n}:' + s['row'][n] for n in left)}")
        pager = o.get('pages', {})
        known = {re.split('/', pager[k].lstrip('!'))[1] for k in ('from', 'last', 'total') if str(pager.get(k, '')).lstrip('!').startswith('/')}
        beside = [n for n in s['envelope'] if n not in o.get('beside', []) and n not in known and n not in o.get('partial', [])]
        if beside and o.get('rows'):
            print(f"{product} {name}: beside lacks {', '.join(beside)}")


missing = []
# How each product writes a date-time in its JSON.
TIMES = {'okta': '2021-01-17T12:34:00.000Z', 'entra': '2021-01-17T12:34:00Z', 'jira': '2021-01-17T12:34:00.000+0000', 'servicenow': '2021-01-17 12:34:00'}
PRODUCTS = {'okta': okta, 'entra': graph, 'jira': jira, 'servicenow': servicenow}
if __name__ == '__main__':
    if '--compare' in sys.argv:
        folder = pathlib.Path(sys.argv[sys.argv.index('--compare') + 1])
        for product in PRODUCTS:
            if (HERE / f'{product}.json').exists():
                compare(product, json.loads((folder / f'{product}.json').read_text()), json.loads((HERE / f'{product}.json').read_text()))
    else:
        for product, make in PRODUCTS.items():
            made = make()
            made = {'from': made['from'], 'formats': {'date-time': TIMES[product]}, 'operations': made['operations']}
            (HERE / f'{product}.json').write_text(json.dumps(made, indent=1, ensure_ascii=False) + '\n')
            print(product, len(made['operations']), {n: len(o['row']) for n, o in made['operations'].items()})
        print('\n'.join(missing))
