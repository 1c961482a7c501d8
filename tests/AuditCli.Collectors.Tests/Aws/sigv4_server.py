"""Checks signatures with botocore's own code (botocore.auth), which shares none with the SDK for .NET.

    sigv4_server.py SECRET SESSION_TOKEN      prints its port, then answers 200 to a right signature and 403 to a wrong one

It knows the secret, takes the request as it came over the wire, signs that again, and compares. What is not signed counts as
wrong: the body's digest must be the body's, the date recent, and the host, the date and the token under the signature.
"""
import datetime
import hashlib
import http.server
import json
import re
import sys

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SECRET, TOKEN = sys.argv[1:3]
AUTHORIZATION = re.compile(r'AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})')


def fault(method, target, fields, body):
    """Why the signature is not right; None when it is. The fields' names are in lower case."""
    given = AUTHORIZATION.fullmatch(fields.get('authorization', ''))
    if not given:
        return 'there is no signature: ' + fields.get('authorization', 'nothing')
    access_key, day, region, service, signed, signature = given.groups()
    signed = signed.split(';')
    date = fields['x-amz-date']
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.strptime(date + '+0000', '%Y%m%dT%H%M%SZ%z')
    if not date.startswith(day) or abs(age.total_seconds()) > 300:
        return 'the date is ' + date
    for needed in ('host', 'x-amz-date', 'x-amz-security-token'):
        if needed not in signed:
            return needed + ' is not signed'
    if fields['x-amz-security-token'] != TOKEN:
        return 'the token is another'
    digest = fields.get('x-amz-content-sha256')
    if digest is not None and digest != hashlib.sha256(body).hexdigest():
        return 'the digest is not the body\'s'
    if service == 's3' and digest is None:
        return 'S3 wants the digest of the body'
    headers = {name: value for name, value in fields.items() if name in signed}
    if sorted(headers) != sorted(signed):
        return 'a header is signed that did not come'
    request = AWSRequest(method=method, url=f"http://{fields['host']}{target}", headers=headers, data=body)
    request.context.update(timestamp=date, signing={}, payload_signing_enabled=True)
    signer = (S3SigV4Auth if service == 's3' else SigV4Auth)(Credentials(access_key, SECRET, TOKEN), service, region)
    canonical = signer.canonical_request(request)
    right = signer.signature(signer.string_to_sign(request, canonical), request)
    return None if right == signature else 'the signature should be of\n' + canonical


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        said = fault(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        answer = json.dumps({'__type': 'WrongSignature', 'message': said} if said else {}).encode()
        self.send_response(403 if said else 200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(answer)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(answer)

    do_GET = do_POST = do_HEAD = do_PUT = do

    def log_message(self, *_):
        pass


with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
    print(server.server_port, flush=True)
    server.serve_forever()
