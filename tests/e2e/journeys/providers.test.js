// People who come by Google or GitHub: systems A and B (consent, callback with PKCE, dashboard), and E.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { journeys, somebody } from '../world/journey.js';
import { Stack } from '../world/stack.js';

const world = journeys(() => Stack.dev());
const grace = somebody('Grace Hopper');

/** To the provider's page. */
async function leaveFor(visitor, provider, from = '/sign-in') {
  await visitor.goto(from);
  await visitor.button(`Continue with ${provider}`).click();
  await visitor.page.waitForURL((url) => url.origin === addresses.idp);
  await visitor.page.getByRole('heading', { name: `Sign in with ${provider}` }).waitFor();
}

async function consent({ page }, { name, email }) {
  await page.locator('#email').fill(email);
  await page.locator('#name').fill(name);
  await page.locator('#continue').click();
}

test('somebody consents at Google, and finds name and address on the dashboard', async () => {
  const visitor = await world.visitor();
  await leaveFor(visitor, 'Google');
  await visitor.picture('google-1-consent');
  await consent(visitor, grace);
  await visitor.arrives('/dashboard');
  await visitor.sees('Grace Hopper');
  assert.equal(await visitor.page.locator('.person-email').textContent(), grace.email);
  for (const place of ['.person', '.bar']) {
    await visitor.page.waitForFunction((where) => document.querySelector(`${where} img.avatar`)?.naturalWidth > 0, place);
  }
  await visitor.picture('google-2-dashboard');

  const { user } = await visitor.session();
  assert.equal(user.app_metadata.provider, 'google');
  const { search, hash } = new URL(visitor.page.url());
  assert.equal(search + hash, '', 'neither code nor token is left in the address');
  await visitor.leave();
});

test('the same person returning by Google finds the same account, on the page that was asked for', async () => {
  const first = await world.visitor();
  await leaveFor(first, 'Google');
  await first.page.locator(`[data-email="${grace.email}"]`).click();
  await first.arrives('/dashboard');
  const before = (await first.session()).user.id;
  await first.signOut();

  await leaveFor(first, 'Google', '/settings');
  await first.page.locator(`[data-email="${grace.email}"]`).click();
  await first.arrives('/settings');
  assert.equal((await first.session()).user.id, before);
  await first.leave();
});

test('somebody who denies at Google is told so, and is nobody', async () => {
  const visitor = await world.visitor();
  await leaveFor(visitor, 'Google', '/settings');
  await visitor.page.locator('#deny').click();
  await visitor.arrives('/sign-in');
  await visitor.page.getByText('You cancelled the sign-in').waitFor();
  await visitor.picture('google-3-denied');
  const url = new URL(visitor.page.url());
  assert.equal(url.searchParams.get('next'), '/settings', 'the way on is not lost');
  assert.equal(url.hash, '', 'what the provider wrote into the fragment is gone');
  assert.equal(await visitor.session(), undefined);

  // And may think again.
  await visitor.button('Continue with Google').click();
  await visitor.page.waitForURL((url) => url.origin === addresses.idp);
  await consent(visitor, somebody('Second Thought'));
  await visitor.arrives('/settings');
  await visitor.leave();
});

test('somebody comes by GitHub', async () => {
  const linus = somebody('Linus Example');
  const visitor = await world.visitor();
  await leaveFor(visitor, 'GitHub', '/sign-up');
  await consent(visitor, linus);
  await visitor.arrives('/dashboard');
  await visitor.sees('Linus Example');
  assert.equal((await visitor.session()).user.app_metadata.provider, 'github');
  await visitor.picture('github-dashboard');
  await visitor.leave();
});

test('a code that was begun in another browser opens nothing', async () => {
  const victim = await world.visitor();
  const attacker = await world.visitor();
  // Each has begun a sign-in, so each has a verifier.
  await leaveFor(victim, 'Google');
  await leaveFor(attacker, 'Google');
  // The attacker's own browser forgets its verifier, and so leaves the code unused.
  await attacker.context.clearCookies({ name: /code-verifier/ });
  await consent(attacker, somebody('Mallory'));
  await attacker.arrives('/sign-in');
  await attacker.page.getByText('This sign-in began in another browser.').waitFor();
  const callback = attacker.addresses.find((address) => address.startsWith(`${addresses.app}/auth/callback?`));
  assert.match(callback, /code=/);

  await victim.page.goto(callback);
  await victim.arrives('/sign-in');
  await victim.page.getByText('This sign-in began in another browser.').waitFor();
  assert.equal(await victim.session(), undefined, 'nobody is signed in as somebody else');
  await attacker.leave();
  await victim.leave();
});
