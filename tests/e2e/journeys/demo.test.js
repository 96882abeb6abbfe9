// The quick start: `npm run demo`, sign-in with Google, and an API call.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { Child } from '../world/child.js';
import { journeys, newUser } from '../world/journey.js';

const app = new URL('../../../examples/nextjs/', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'bearward-demo-'));

/** Starts the demo on the ports of this run. */
async function demo() {
  const env = {
    NEXT_PUBLIC_SUPABASE_URL: addresses.idp,
    NEXT_PUBLIC_API_URL: addresses.api,
    PORT: String(addresses.ports.app),
    BEARWARD: process.env.BEARWARD,
    DATABASE_URL: `sqlite://${join(folder, 'demo.db')}`,
    NEXT_TELEMETRY_DISABLED: '1',
  };
  const child = new Child('npm run demo', process.execPath, ['scripts/demo.mjs'], { env, cwd: app });
  const stop = async () => {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await child.answers(`${addresses.api}/readyz`);
    await child.answers(`${addresses.app}/sign-in`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { child, stop };
}

const world = journeys(demo);

test('npm run demo starts an app where Google sign-in works', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  // The development server compiles pages on demand.
  visitor.context.setDefaultTimeout(60_000);
  await visitor.goto('/sign-in');
  await visitor.button('Continue with Google').click();
  const greta = newUser('Greta Google');
  await page.locator('#email').fill(greta.email);
  await page.locator('#name').fill(greta.name);
  await page.locator('#continue').click();
  await visitor.arrives('/dashboard');
  await visitor.sees('Greta Google');
  await page.getByLabel('Client name').fill('the first minute');
  await visitor.button('Record').click();
  await page.getByRole('listitem').filter({ hasText: 'the first minute' }).waitFor();
  await visitor.picture('demo');
  await visitor.leave();
});

test('stopping the demo stops all processes', async () => {
  await world.stack.child.stop();
  for (const address of [addresses.api, addresses.idp, addresses.app]) await assert.rejects(fetch(address), address);
});
