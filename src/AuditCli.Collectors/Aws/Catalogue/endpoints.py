"""Endpoints of a service as exceptions to the usual rule, from botocore's rule sets evaluated for every region."""
import collections

from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError

from facts import ENDPOINT_PARAMETERS, ONE_REGION


def usual(prefix, partition, fips, dual):
    """The URL that most services have; None where the partition has none of that kind."""
    outputs = partition['outputs']
    if fips and not outputs['supportsFIPS'] or dual and not outputs['supportsDualStack']:
        return None
    return f"https://{prefix}{'-fips' if fips else ''}.{{region}}.{outputs['dualStackDnsSuffix' if dual else 'dnsSuffix']}"


def regions(partition):
    return sorted(r for r in partition['regions'] if not r.endswith('-global'))


def table(service, rules, partitions):
    """kind -> [URL, signing region or "", {region: [URL, signing region]}], every kind that exists."""
    provider, parameters = EndpointProvider(rules, partitions), rules['parameters']
    found = {}
    for partition in partitions['partitions']:
        pinned = ONE_REGION.get(service) if partition['id'] == 'aws' else None
        for fips in (False, True):
            for dual in (False, True):
                given = {'UseFIPS': fips, 'UseDualStack': dual, **ENDPOINT_PARAMETERS.get(service, {})}
                given.update({k: v['default'] for k, v in parameters.items() if 'default' in v and k not in given})
                given = {k: v for k, v in given.items() if k in parameters}
                answers = {r: resolve(provider, {**given, 'Region': r}) for r in [pinned] * bool(pinned) or regions(partition)}
                answers = {r: e for r, e in answers.items() if e}
                if not answers:
                    continue
                key = partition['id'] + (' fips' if fips else '') + (' dualstack' if dual else '')
                if pinned:
                    found[key] = [answers[pinned][0], pinned]
                    continue
                forms = {r: form(r, e) for r, e in answers.items()}
                common = collections.Counter(forms.values()).most_common(1)[0][0]
                others = {r: list(forms[r]) for r, e in answers.items() if common not in (forms[r], e)}
                found[key] = [*common, others] if others else list(common)
    return found


def exceptions(prefix, found, partitions):
    """The table without what the usual rule says; null is a kind that the rule would promise and that does not exist."""
    told = {}
    for partition in partitions['partitions']:
        for fips in (False, True):
            for dual in (False, True):
                key = partition['id'] + (' fips' if fips else '') + (' dualstack' if dual else '')
                expected = usual(prefix, partition, fips, dual)
                if found.get(key) != ([expected, ''] if expected else None):
                    told[key] = found.get(key)
    return told


def resolve(provider, given):
    try:
        endpoint = provider.resolve_endpoint(**given)
    except EndpointProviderError:
        return None     # the rule set says that this combination does not exist
    scheme = next((s for s in endpoint.properties.get('authSchemes') or [] if s['name'] == 'sigv4'), {})
    return endpoint.url, scheme.get('signingRegion', '')


def form(region, endpoint):
    url, signing = endpoint
    return (url.replace(region, '{region}'), '') if region in url and signing in ('', region) else endpoint
