// Starts programs on free ports; they stop with the test process.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** Starts a program and returns the first match of `pattern` in its output. */
async function start(command, args, env, pattern) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  process.once('exit', () => child.kill('SIGKILL'));
  const stop = () =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once('exit', resolve);
      child.kill('SIGKILL');
    });
  for await (const line of createInterface({ input: child.stdout })) {
    const match = line.match(pattern);
    if (match) {
      child.stdout.resume();
      return { match, stop };
    }
  }
  throw new Error(`${command} exited before it was ready`);
}

export async function startIdp() {
  const { match, stop } = await start(process.env.BEARWARD, ['idp', '--bind', '127.0.0.1:0'], {}, /^issuer\s+(\S+)/);
  const issuer = match[1];
  return { issuer, url: issuer.replace('/auth/v1', ''), stop };
}

export async function startMcpServer(idp) {
  // The URL is part of the configuration, so the port must be known before.
  const port = await new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
  const bind = `127.0.0.1:${port}`;
  const resource = `http://${bind}/mcp`;
  const env = { SUPABASE_URL: idp.url, MCP_URL: resource, MCP_BIND: bind };
  const { stop } = await start(process.env.MCP_SERVER, [], env, /^Listening on/);
  return { resource, stop };
}

/** Calls the admin API of the development IdP; `line` is method and path. */
export async function admin(idp, line, body) {
  const [method, path] = line.split(' ');
  const response = await fetch(idp.url + path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body ?? {}),
  });
  if (!response.ok) throw new Error(`${line}: ${response.status} ${await response.text()}`);
  return response.json();
}
