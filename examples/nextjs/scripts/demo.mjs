// Starts `bearward dev` and this app together. To use other ports, set the variables of .env.development, and PORT for the app.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const lines = readFileSync(new URL('../.env.development', import.meta.url), 'utf8').matchAll(/^(\w+)=(.*)$/gm);
// .env.local is ignored: it configures another project, whose tokens this API does not accept.
const { PORT: port = '3000', ...env } = { ...Object.fromEntries(Array.from(lines, ([, name, value]) => [name, value])), ...process.env };
const listens = (name) => new URL(env[name]).host;

const manifest = new URL('../../../Cargo.toml', import.meta.url).pathname;
const [program, ...first] = env.BEARWARD ? [env.BEARWARD] : ['cargo', 'run', '--quiet', '--manifest-path', manifest, '--'];
const dev = ['dev', '--bind', listens('NEXT_PUBLIC_API_URL'), '--idp-bind', listens('NEXT_PUBLIC_SUPABASE_URL')];
delete env.BEARWARD;
const children = [
  spawn(program, [...first, ...dev], { stdio: 'inherit', env: { BEARWARD_SERVER__CORS_ORIGINS: `http://localhost:${port}`, ...env } }),
  // An explicit port: Next would otherwise use the next free one, which the API does not allow as an origin.
  spawn(process.execPath, ['node_modules/next/dist/bin/next', 'dev', '--port', port], { stdio: 'inherit', env }),
];

// If one process stops, stop the other. Ctrl-C reaches both.
const stop = () => children.forEach((child) => child.kill());
for (const child of children) {
  child.on('error', ({ message }) => console.error(message));
  child.on('close', stop);
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
