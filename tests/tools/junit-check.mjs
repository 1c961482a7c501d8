// Reads JUnit XML as the tools of CI systems do, and prints the counts. usage: node junit-check.mjs FILE
import { readFileSync } from 'node:fs';
import { parse } from 'junit2json';

const suites = await parse(readFileSync(process.argv[2], 'utf8'));
const cases = suites.testsuite.flatMap(s => s.testcase ?? []);
console.log(JSON.stringify({
  name: suites.name, tests: suites.tests, failures: suites.failures, errors: suites.errors, skipped: suites.skipped,
  suites: suites.testsuite.map(s => s.name),
  cases: cases.length, failed: cases.filter(c => c.failure?.length).length, broken: cases.filter(c => c.error?.length).length, left: cases.filter(c => c.skipped?.length).length,
}));
