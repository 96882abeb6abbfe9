// `bearward dev` without the app and with its own defaults, for the pages of the IdP and of the API.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { addresses } from './addresses.js';
import { Child } from './child.js';

export class Dev {
  #folder = mkdtempSync(join(tmpdir(), 'bearward-e2e-'));
  #child;

  static async start() {
    const { ports } = addresses;
    const dev = new Dev();
    const options = ['dev', '--data', dev.#folder, '--bind', `127.0.0.1:${ports.api}`, '--idp-bind', `127.0.0.1:${ports.idp}`];
    dev.#child = new Child('bearward dev', process.env.BEARWARD, options, { env: { RUST_LOG: 'info' } });
    try {
      await dev.#child.answers(`${addresses.api}/readyz`);
    } catch (error) {
      await dev.stop();
      throw error;
    }
    return dev;
  }

  async stop() {
    await this.#child.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
