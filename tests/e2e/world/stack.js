// The stack of a journey: bearward with its development IdP, the built app, and a fake chat service.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { addresses } from './addresses.js';
import { Child } from './child.js';
import { FakeIdp } from './fake-idp.js';
import { Model } from './model.js';

const bearward = process.env.BEARWARD;
const app = new URL('../../../examples/nextjs/', import.meta.url).pathname;
const clock = new URL('clock.cjs', import.meta.url).pathname;
const { ports } = addresses;

export class Stack {
  #folder = mkdtempSync(join(tmpdir(), 'bearward-e2e-'));
  #children = [];
  #serveSettings;

  /** Starts `bearward dev`. */
  static async dev(settings = {}) {
    const stack = new Stack();
    return stack.#run(async () => {
      const options = ['dev', '--bind', `127.0.0.1:${ports.api}`, '--idp-bind', `127.0.0.1:${ports.idp}`, '--mail-interval', '0'];
      await stack.#child('bearward dev', bearward, options, stack.#settings(settings)).answers(`${addresses.api}/readyz`);
    });
  }

  /** Starts `bearward idp` and `bearward serve` separately, so that each can be stopped. */
  static async apart({ idp = [], settings = {} } = {}) {
    const stack = new Stack();
    return stack.#run(async () => {
      stack.#serveSettings = { ...stack.#settings(settings), SUPABASE_URL: addresses.idp, BEARWARD_SERVER__BIND: `127.0.0.1:${ports.api}` };
      await stack.startIdp(idp);
      await stack.startServe();
    });
  }

  /** Starts the app with a fake identity provider and without an API. */
  static async withFakeIdp() {
    const stack = new Stack();
    return stack.#run(async () => {
      stack.fakeIdp = await new FakeIdp().listen(ports.idp);
    });
  }

  async #run(start) {
    try {
      this.model = await new Model().listen(ports.model);
      await start();
      const next = join(app, 'node_modules/next/dist/bin/next');
      this.next = this.#child('next start', process.execPath, ['--require', clock, next, 'start', '-p', String(ports.app), '-H', 'localhost'], { NEXT_TELEMETRY_DISABLED: '1' }, app);
      await this.next.answers(`${addresses.app}/`);
      return this;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Starts the IdP with the data file of earlier starts. */
  async startIdp(options = []) {
    this.idpOptions ??= ['idp', '--bind', `127.0.0.1:${ports.idp}`, '--data', join(this.#folder, 'idp.json'), '--mail-interval', '0', ...options];
    this.idp = await this.#child('bearward idp', bearward, this.idpOptions, {}).answers(`${addresses.idp}/health`);
  }

  /** Starts or restarts the server. */
  async startServe(answersAt = '/readyz') {
    await this.serve?.stop();
    this.serve = await this.#child('bearward serve', bearward, ['serve'], this.#serveSettings).answers(addresses.api + answersAt);
  }

  /** Restarts the server while the JWKS endpoint fails. */
  async startServeWithoutKeys() {
    await idpAdmin('PUT', '/faults', { status: 503 });
    await this.startServe('/livez');
  }

  async stop() {
    for (const child of this.#children.reverse()) await child.stop();
    await this.fakeIdp?.close();
    this.model?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #child(name, program, options, env, cwd = this.#folder) {
    const child = new Child(name, program, options, { env, cwd });
    this.#children.push(child);
    return child;
  }

  #settings(more) {
    return {
      DATABASE_URL: `sqlite://${join(this.#folder, 'e2e.db')}`,
      BEARWARD_SERVER__CORS_ORIGINS: addresses.app,
      BEARWARD_VAULT__KEYS: `e2e:${Buffer.alloc(32, 7).toString('base64')}`,
      BEARWARD_GENERATE__BASE_URL: `${addresses.model}/v1`,
      RUST_LOG: 'info',
      ...more,
    };
  }
}

/** Calls the IdP's admin API. */
export async function idpAdmin(method, path, body) {
  const response = await fetch(`${addresses.idp}/admin${path}`, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}
