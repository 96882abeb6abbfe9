// The HTML report of the conformance suite, for a server that accepts more algorithms than it should.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { addresses } from '../world/addresses.js';
import { journeys } from '../world/journey.js';
import { look } from '../world/look.js';

const { ports } = addresses;

class Report {
  #folder = mkdtempSync(join(tmpdir(), 'bearward-e2e-'));

  get url() {
    return pathToFileURL(join(this.#folder, 'report.html')).href;
  }

  static async write() {
    const report = new Report();
    const env = {
      PATH: process.env.PATH,
      DATABASE_URL: `sqlite://${join(report.#folder, 'report.db')}`,
      SUPABASE_URL: addresses.idp,
      BEARWARD_SERVER__BIND: `127.0.0.1:${ports.api}`,
    };
    const options = ['contract', '--target', `${addresses.api}/protected`, '--issuer-bind', `127.0.0.1:${ports.idp}`, '--start', `${process.env.BEARWARD} serve`];
    const choice = ['--quick', '--strict', '--algorithms', 'RS256', '--html', join(report.#folder, 'report.html')];
    const suite = spawn(process.env.BEARWARD, [...options, ...choice], { cwd: report.#folder, env, stdio: 'ignore' });
    const [code] = await once(suite, 'exit');
    assert.equal(code, 1, 'the suite finds failures');
    return report;
  }

  stop() {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const world = journeys(() => Report.write());

test('the report groups failures by cause, and each can be replayed', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await page.goto(world.stack.url);
  await page.getByRole('heading', { level: 1, name: 'Conformance suite failed' }).waitFor();
  await look(visitor, 'report');
  for (const folded of await page.locator('details.group').all()) await folded.evaluate((details) => (details.open = true));
  for (const folded of await page.locator('details.cases').all()) await folded.evaluate((details) => (details.open = true));
  await page.getByText('--only').first().waitFor();
  await look(visitor, 'report-open');
  await visitor.leave();
});
