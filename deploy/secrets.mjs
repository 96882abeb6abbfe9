// Writes .env with random passwords and keys for the profile `supabase` of docker-compose.yml. Needs Node 20 or later, no packages.
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';

const path = process.argv[2] ?? new URL('../.env', import.meta.url);
const { kty, crv, x, y, d } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const key = { kty, crv, kid: randomUUID(), alg: 'ES256', use: 'sig', key_ops: ['sign', 'verify'], x, y, d };
const password = () => randomBytes(24).toString('hex');
const lines = [
  `POSTGRES_PASSWORD=${password()}`,
  `AUTH_DB_PASSWORD=${password()}`,
  `BEARWARD_DB_PASSWORD=${password()}`,
  `GOTRUE_JWT_SECRET=${password()}`,
  `GOTRUE_JWT_KEYS='${JSON.stringify([key])}'`,
  `BEARWARD_VAULT_KEYS=compose:${randomBytes(32).toString('base64')}`,
];
try {
  // Never overwrite: the database keeps the passwords of its first start, and stored API keys need the vault key.
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  console.log('.env written. Keep it: the database and the stored API keys cannot be used without it.');
} catch (error) {
  console.error(error.code === 'EEXIST' ? '.env already exists and was not changed. To start over, delete it and the volumes (docker compose --profile supabase down -v).' : error.message);
  process.exitCode = 1;
}
