// Writes lib/api/schema.d.ts from the API's own OpenAPI document; with --check, says whether it is still the same.
// BEARWARD names the program; without it cargo builds and runs it.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

import openapiTypescript, { astToString } from 'openapi-typescript';

const file = new URL('../lib/api/schema.d.ts', import.meta.url);
const cargo = ['cargo', 'run', '--quiet', '--manifest-path', new URL('../../../Cargo.toml', import.meta.url).pathname, '--'];
const [program, ...options] = process.env.BEARWARD ? [process.env.BEARWARD] : cargo;

const document = JSON.parse(execFileSync(program, [...options, 'openapi'], { encoding: 'utf8', maxBuffer: 16 << 20 }));
const text = `// Made by \`npm run schema\` from the document of \`bearward openapi\`. Not to be edited.\n${astToString(await openapiTypescript(document, { alphabetize: true }))}`;

if (!process.argv.includes('--check')) {
  writeFileSync(file, text);
} else if (readFileSync(file, 'utf8') !== text) {
  console.error('lib/api/schema.d.ts is not what the API says of itself any more: npm run schema');
  process.exit(1);
}
