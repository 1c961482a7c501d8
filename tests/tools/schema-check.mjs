// Validates JSON documents with one of the program's schemas (draft 2020-12). A .jsonl or .ndjson file holds one document per line.
// usage: node schema-check.mjs SCHEMA FILE
import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

const [schema, file] = process.argv.slice(2);
const validate = formats(new Ajv2020({ strict: false, allErrors: true, unicodeRegExp: true })).compile(JSON.parse(readFileSync(schema, 'utf8')));
const text = readFileSync(file, 'utf8');
const documents = /\.(jsonl|ndjson)$/.test(file) ? text.split('\n').filter(Boolean) : [text];
const errors = documents.flatMap((document, n) =>
  validate(JSON.parse(document)) ? [] : validate.errors.map(e => `${n} ${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`));
console.log(JSON.stringify({ documents: documents.length, errors: errors.slice(0, 10) }));
