#!/usr/bin/env python3
"""Writes botocore's protocol tests in the form in which AuditCli sees the same things.

    convert.py FOLDER        FOLDER has input/, output/ and ignore-list.json of botocore's tests/unit/protocols

A suite's model becomes a catalogue file, made by the same code that makes the catalogue. Parameters and results keep their
meaning and get AuditCli's form: instants in RFC 3339, binary values in base64.
"""
import base64
import datetime
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', '..', '..', 'src', 'AuditCli.Collectors', 'Aws', 'Catalogue'))
import generate  # noqa: E402


def ours(shapes, name, value):
    """A value of botocore's tests in AuditCli's form."""
    shape = shapes[name]
    if value is None or shape.get('document'):
        return value
    if shape['type'] == 'structure':
        return {k: ours(shapes, shape['members'][k]['shape'], v) for k, v in value.items() if k in shape.get('members', {}) and v is not None}
    if shape['type'] == 'list':
        return [ours(shapes, shape['member']['shape'], v) for v in value]
    if shape['type'] == 'map':
        return {k: ours(shapes, shape['value']['shape'], v) for k, v in value.items()}
    if shape['type'] == 'blob':
        return base64.b64encode(value.encode()).decode()
    if shape['type'] == 'timestamp' and isinstance(value, (int, float)):
        time = datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
        return time.strftime('%Y-%m-%dT%H:%M:%S') + (f'.{time.microsecond:06}'.rstrip('0') if time.microsecond else '') + 'Z'
    return value


def suite(given, side):
    cases = []
    for case in given['cases']:
        operation = {'http': {'method': 'POST', 'requestUri': '/'}, **case['given']}
        model = {'metadata': {'serviceId': 'Vectors', 'endpointPrefix': 'vectors', **given['metadata']},
                 'shapes': given['shapes'], 'operations': {operation['name']: operation}}
        if given['metadata']['protocol'] == 'query' and 'output' in operation:
            # Every query service of botocore has this wrapper, but the tests do not state it.
            operation['output'] = {**operation['output'], 'resultWrapper': operation['name'] + 'Result'}
        service = generate.Service('vectors', json.loads(json.dumps(model)), {})
        metadata = model['metadata']
        entry = service.operation(operation['name'], operation, 'regional')
        catalogue = {'service': 'vectors', 'id': 'Vectors', 'protocol': service.protocol, 'version': metadata['apiVersion'],
                     'endpoint_prefix': 'vectors', 'signing_name': 'vectors', 'scope': 'regional', 'endpoints': {}, 'refused': {},
                     'operations': {operation['name']: entry}, 'shapes': service.used}
        for source, name in (('targetPrefix', 'target_prefix'), ('jsonVersion', 'json_version')):
            if metadata.get(source):
                catalogue[name] = metadata[source]
        told = {'id': case.get('id', case.get('description', '?')), 'suite': given['description'], 'catalogue': catalogue}
        if side == 'input':
            shape = operation.get('input')
            told['parameters'] = ours(given['shapes'], shape['shape'], case['params']) if shape else {}
            told['request'] = case['serialized']
        else:
            told['response'] = case['response']
            if 'result' in case:
                told['result'] = ours(given['shapes'], operation['output']['shape'], case['result']) if 'output' in operation else {}
            for name in ('errorCode', 'errorMessage'):
                if name in case:
                    told[name] = case[name]
        cases.append(told)
    return cases


def main(folder):
    for side in ('input', 'output'):
        os.makedirs(os.path.join(HERE, side), exist_ok=True)
        for protocol in ('query', 'ec2', 'json', 'json_1_0', 'rest-json', 'rest-xml'):
            with open(os.path.join(folder, side, protocol + '.json'), encoding='utf-8') as file:
                cases = [case for given in json.load(file) for case in suite(given, side)]
            with open(os.path.join(HERE, side, protocol + '.json'), 'w', encoding='utf-8', newline='\n') as file:
                file.write('[\n' + ',\n'.join(json.dumps(c, separators=(',', ':'), ensure_ascii=False) for c in cases) + '\n]\n')


if __name__ == '__main__':
    main(sys.argv[1])
