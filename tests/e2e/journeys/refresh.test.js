// Refresh of access tokens during use.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { journeys, newUser } from '../world/journey.js';
import { Stack, idpAdmin } from '../world/stack.js';

// The browser's client checks every 30 s and refreshes if less than 120 s are left, so it refreshes at the first check.
const LIFETIME = 130;
const world = journeys(() => Stack.apart({ idp: ['--token-lifetime', String(LIFETIME)] }));

const authorization = (request) => request.headers().authorization;

test('a token is refreshed while the page is open', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await page.clock.install();
  await visitor.signUp(newUser('Tess Ticker'));
  await visitor.sees('Tess Ticker');
  const first = await visitor.session();
  await page.evaluate(() => (window.sameDocument = true));

  const renewal = page.waitForResponse((response) => response.url().includes('grant_type=refresh_token'));
  await page.clock.runFor(31_000);
  assert.equal((await renewal).status(), 200);
  await until(async () => (await visitor.session()).refresh_token !== first.refresh_token);

  const posted = page.waitForRequest((request) => request.method() === 'POST' && request.url() === `${addresses.api}/api/status`);
  await page.getByLabel('Client name').fill('with the new token');
  await visitor.button('Record').click();
  await page.getByRole('listitem').filter({ hasText: 'with the new token' }).waitFor();
  assert.equal(authorization(await posted), `Bearer ${(await visitor.session()).access_token}`);
  assert.equal(await page.evaluate(() => window.sameDocument), true);
  await visitor.leave();
});

/** Polls from the test, because the clock of the page is stopped. */
async function until(condition) {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail('the condition was not met');
}

test('a rejected token is refreshed once and the request retried', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(newUser('Rex Retry'));
  await visitor.sees('Rex Retry');
  const session = await visitor.session();
  // The browser considers the token valid; the API rejects it.
  const expired = await idpAdmin('POST', '/tokens', { claims: { sub: session.user.id }, expires_in: -60 });
  await put(visitor, { ...session, access_token: expired.access_token });

  const seen = [];
  page.on('response', (response) => {
    if (response.request().method() === 'POST' && response.url() === `${addresses.api}/api/status`) seen.push(response.status());
  });
  await page.getByLabel('Client name').fill('second attempt');
  await visitor.button('Record').click();
  await page.getByRole('listitem').filter({ hasText: 'second attempt' }).waitFor();
  assert.deepEqual(seen, [401, 201]);
  await visitor.leave(/status of 401/);
});

test('if the refreshed token is rejected, the user signs in again', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(newUser('Nora Never'));
  await visitor.sees('Nora Never');
  let requests = 0;
  await page.route(`${addresses.api}/api/status`, (route) => {
    requests += 1;
    const error = { code: 'INVALID_AUDIENCE', message: 'not for this service', details: null };
    const headers = { 'access-control-allow-origin': addresses.app };
    return route.fulfill({ status: 401, headers, json: { success: false, error, request_id: 'e2e' } });
  });
  await page.getByLabel('Client name').fill('in vain');
  await visitor.button('Record').click();
  await visitor.arrives('/sign-in');
  await page.getByText('Our server did not accept your sign-in').waitFor();
  assert.equal(requests, 2);
  assert.equal(await visitor.session(), undefined, 'a session would redirect back from the sign-in page');
  await visitor.picture('refused-twice');
  await visitor.leave(/status of 401/);
});

test('the server refreshes an expiring token for concurrent tabs', async () => {
  const visitor = await world.visitor();
  await visitor.signUp(newUser('Sid Server'));
  await visitor.sees('Sid Server');
  for (let round = 0; round < 2; round += 1) {
    const session = await visitor.session();
    // Below the 90 s at which the client refreshes.
    await put(visitor, { ...session, expires_at: Math.floor(Date.now() / 1000) + 60 });
    const reloaded = visitor.page.reload();
    const other = await visitor.tab();
    await Promise.all([reloaded, other.goto(`${addresses.app}/settings`)]);
    await visitor.sees('Sid Server');
    await other.getByRole('heading', { name: 'Settings' }).waitFor();
    await other.close();
    assert.notEqual((await visitor.session()).refresh_token, session.refresh_token);
    const response = await reloaded;
    assert.match(response.headers()['cache-control'], /no-store/, 'the response with the new session is not cached');
  }
  await visitor.leave();
});

/** Replaces the session cookies, in the format of the browser's client. */
async function put(visitor, session) {
  const value = `base64-${Buffer.from(JSON.stringify(session)).toString('base64url')}`;
  const old = (await visitor.context.cookies(addresses.app)).filter(({ name }) => /^sb-127-auth-token(\.\d)?$/.test(name));
  await visitor.page.evaluate(
    ({ names, parts }) => {
      for (const name of names) document.cookie = `${name}=; path=/; max-age=0`;
      for (const [name, part] of parts) document.cookie = `${name}=${part}; path=/; max-age=3600; samesite=lax`;
    },
    { names: old.map(({ name }) => name), parts: chunks(value) },
  );
}

function chunks(value) {
  const size = 3180;
  if (value.length <= size) return [['sb-127-auth-token', value]];
  return Array.from({ length: Math.ceil(value.length / size) }, (_, at) => [`sb-127-auth-token.${at}`, value.slice(at * size, (at + 1) * size)]);
}
