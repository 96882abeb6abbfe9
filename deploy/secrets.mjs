// Writes .env for the profile `supabase` of docker-compose.yml: passwords and keys of this machine alone. Node 20 or later, nothing to install.
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
  // Never over an older one: the database keeps the passwords of its first start, and the vault what its key has sealed.
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  console.log('.env is written. Keep it: the database and the vault are of no use without it.');
} catch (error) {
  console.error(error.code === 'EEXIST' ? '.env is there already, and stays. Delete it and the volumes (docker compose --profile supabase down -v) to begin anew.' : error.message);
  process.exitCode = 1;
}
