// The identity provider process is down.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { journeys, newUser } from '../world/journey.js';
import { Stack } from '../world/stack.js';

const world = journeys(() => Stack.apart());
const connectionErrors = /ERR_CONNECTION_REFUSED|Failed to fetch/;

test('an outage does not affect signed-in users', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(newUser('Otto Outage'));
  await visitor.sees('Otto Outage');
  await world.stack.idp.kill();
  await assert.rejects(fetch(`${addresses.idp}/health`));

  await page.reload();
  await visitor.sees('Otto Outage');
  await page.getByLabel('Client name').fill('during the outage');
  await visitor.button('Record').click();
  await page.getByRole('listitem').filter({ hasText: 'during the outage' }).waitFor();
  for (const path of ['/generate', '/settings', '/dashboard']) {
    const response = await visitor.goto(path);
    assert.equal(response.status(), 200, path);
    assert.equal(new URL(page.url()).pathname, path);
    // Only the authenticator apps are managed by the identity provider.
    if (path === '/settings') await page.getByRole('alert').getByText('We cannot reach the sign-in service.').waitFor();
  }
  await visitor.picture('outage-1-signed-in');
  await world.stack.startIdp();
  await visitor.leave(connectionErrors);
});

test('an outage longer than the key freshness does not either', async () => {
  const visitor = await world.visitor();
  await visitor.signUp(newUser('Lou Longer'));
  await visitor.sees('Lou Longer');
  await world.stack.idp.kill();
  await world.stack.next.signal('SIGUSR2', 'the clock is 660 s ahead');
  const response = await visitor.page.reload();
  assert.equal(response.status(), 200);
  await visitor.sees('Lou Longer');
  await world.stack.startIdp();
  await visitor.leave();
});

test('sign-in during an outage shows a message and works afterwards', async () => {
  const visitor = await world.visitor();
  const ines = newUser('Ines Waits');
  await visitor.signUp(ines);
  await visitor.signOut();
  await world.stack.idp.kill();
  await visitor.signIn(ines);
  await visitor.page.getByText('We cannot reach the sign-in service.').waitFor();
  await visitor.picture('outage-2-signing-in');
  await world.stack.startIdp();
  await visitor.button('Sign in').click();
  await visitor.arrives('/dashboard');
  await visitor.leave(connectionErrors);
});

test('sign-out during an outage is local and says so', async () => {
  const visitor = await world.visitor();
  const sam = newUser('Sam Leaves');
  await visitor.signUp(sam);
  await visitor.sees('Sam Leaves');
  await world.stack.idp.kill();
  await visitor.signOut();
  await visitor.page.getByText('You are signed out here.').waitFor();
  assert.equal(await visitor.session(), undefined);
  await visitor.goto('/dashboard');
  await visitor.arrives('/sign-in');
  await world.stack.startIdp();
  await visitor.leave(connectionErrors);
});

test('a session that cannot be refreshed is kept', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(newUser('Edna Expired'));
  await visitor.sees('Edna Expired');
  await world.stack.idp.kill();
  const session = await visitor.session();
  const value = `base64-${Buffer.from(JSON.stringify({ ...session, expires_at: Math.floor(Date.now() / 1000) - 1 })).toString('base64url')}`;
  await page.goto('about:blank');
  await visitor.context.clearCookies();
  const parts = value.length <= 3180 ? [['sb-127-auth-token', value]] : [['sb-127-auth-token.0', value.slice(0, 3180)], ['sb-127-auth-token.1', value.slice(3180)]];
  await visitor.context.addCookies(parts.map(([name, part]) => ({ name, value: part, url: addresses.app, sameSite: 'Lax' })));

  const response = await visitor.goto('/settings');
  assert.equal(response.status(), 503);
  assert.equal(response.headers()['retry-after'], '10');
  await page.getByRole('heading', { name: 'One moment, please' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/settings', 'the URL is unchanged');
  await visitor.picture('outage-3-renewal');
  assert.ok(await visitor.session(), 'the session is kept');

  await world.stack.startIdp();
  await page.getByRole('link', { name: 'Try again' }).click();
  await page.getByRole('heading', { name: 'Settings' }).waitFor();
  await visitor.leave(/status of 503/);
});
