"""Which operations with a read verb may be more than a read, and therefore need a decision (decisions.py)."""
import re

from decisions import HARMLESS, LOGS, SECRET_MEMBERS

# What an operation is called when it hands out secrets, credentials, signed URLs or data.
NAME = re.compile(r'Secret|Passw|Token|Credential|A[Pp][Ii]Key|AccessKey|Decrypt|[Uu][Rr][Ll]$|Presigned|Download|Unlock|ShardIterator'
                  r'|^(Batch)?GetRecords?$|^(Batch)?Get[A-Za-z]*(Object|Item|Message|MessageContent|LogEvents|Transcript|Clip|Media)s?$'
                  r'|^(Get|List)[A-Za-z]*(QueryResults|StatementResult|ResultsData)$|^(Select|Head|Lookup)')
LOG = re.compile(LOGS['names'])
NO_LIST_OF = re.compile(r'^(List|Describe|Search)[A-Za-z]*(Objects|Items)')

# How a member of an answer is called that holds a secret, and what such a name ends with when it only speaks of one.
SECRET = re.compile(r'(?i)secret|passw|passphrase|credential|access_?key|private_?key|token|presigned|signed_?url|api_?key|session_?key'
                    r'|auth_?key|key_?material|unlock|psk|preshared|shared_?key|plaintext|webhook_?url|gateway_?configuration$')
SPEAKS_OF = re.compile(r'(?i).*(arn|arns|id|ids|name|names|type|types|status|state|expir\w*|version\w*|policy|policies|date|enabled|required|method|methods'
                       r'|count|unit|use|used|usage|format|algorithm|region|regions|endpointauthenticationscheme|description|source|reason)$')
PAGE_TOKEN = re.compile(r'(?i)^((next|prev|previous|client|pagination|continuation|nextpage)?_?(page|backward|forward|request|continuation)?token'
                        r'|next.*token|.*continuationtoken|clientrequesttoken)$')
SAFE_METHODS = ('GET', 'HEAD', 'POST')

CALLED_HARMLESS = {name for text in HARMLESS.values() for name in text.split()}


def is_secret(service, name):
    """Whether a member of that name is replaced by a keyed digest before anything is written."""
    return name in SECRET_MEMBERS or f'{service}:{name}' in SECRET_MEMBERS


class Alarms:
    """Finds them in one service's model, and notes which decisions it took to silence them."""

    def __init__(self, service, shapes):
        self.service, self.shapes = service, shapes
        self.used = set()

    def of(self, name, operation):
        """Why the operation needs a decision; empty when it is a read and nothing else."""
        found = []
        if operation['http']['method'] not in SAFE_METHODS:
            found.append(f'its method is {operation["http"]["method"]}')
        if NAME.search(name) and not NO_LIST_OF.search(name):
            found.append('its name')
        if LOG.search(name):
            found.append('it may return the contents of a log')
        if 'output' in operation:
            output = self.shapes[operation['output']['shape']]
            payload = output.get('payload')
            if payload and self.shapes[output['members'][payload]['shape']]['type'] in ('blob', 'string'):
                found.append(f'its whole answer is {payload}')
            found += [f'its member {path}' for path in sorted({self.told(p) for p in self.leaves(operation['output'], ('',), frozenset())} - {None})]
        return found

    def leaves(self, ref, path, inside):
        """The paths of all texts and blobs of a shape; `*` is the value of a map."""
        name, shape = ref['shape'], self.shapes[ref['shape']]
        if shape['type'] == 'structure':
            if name not in inside:
                for member, inner in shape.get('members', {}).items():
                    yield from self.leaves(inner, (*path, member), inside | {name})
        elif shape['type'] == 'list':
            yield from self.leaves(shape['member'], path, inside)
        elif shape['type'] == 'map':
            yield from self.leaves(shape['value'], (*path, '*'), inside)
        elif shape['type'] in ('string', 'blob'):
            yield path

    def told(self, path):
        """The path when it sounds like a secret and nobody decided what it is."""
        named = path[-2] if path[-1] == '*' else path[-1]
        if not SECRET.search(named) or SPEAKS_OF.match(named) or PAGE_TOKEN.match(named):
            return None
        decided = [known for known in (path[-1], '.'.join(path[-2:]), f'{self.service}:{path[-1]}')
                   if known in CALLED_HARMLESS or known in SECRET_MEMBERS]
        self.used.update(decided)
        return None if decided else '.'.join(path[1:])
