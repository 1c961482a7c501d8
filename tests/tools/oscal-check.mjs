// Validates an OSCAL document with NIST's own schema, whose patterns are ECMAScript ones with Unicode classes.
// usage: node oscal-check.mjs SCHEMA FILE
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import formats from 'ajv-formats';

const [schema, file] = process.argv.slice(2).map(f => JSON.parse(readFileSync(f, 'utf8')));
const ajv = formats(new Ajv({ strict: false, allErrors: true, unicodeRegExp: true }));
const valid = ajv.validate(schema, file);
console.log(JSON.stringify({ valid, errors: (ajv.errors ?? []).slice(0, 10).map(e => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`) }));
