// Sign-in with Google and GitHub: consent, callback with PKCE, dashboard.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { journeys, newUser } from '../world/journey.js';
import { Stack } from '../world/stack.js';

const world = journeys(() => Stack.dev());
const grace = newUser('Grace Hopper');

/** Opens the consent page of the provider. */
async function openConsent(visitor, provider, from = '/sign-in') {
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

test('Google sign-in shows name and address on the dashboard', async () => {
  const visitor = await world.visitor();
  await openConsent(visitor, 'Google');
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
  assert.equal(search + hash, '', 'the URL contains neither code nor token');
  await visitor.leave();
});

test('a returning Google user has the same account', async () => {
  const first = await world.visitor();
  await openConsent(first, 'Google');
  await first.page.locator(`[data-email="${grace.email}"]`).click();
  await first.arrives('/dashboard');
  const before = (await first.session()).user.id;
  await first.signOut();

  await openConsent(first, 'Google', '/settings');
  await first.page.locator(`[data-email="${grace.email}"]`).click();
  await first.arrives('/settings');
  assert.equal((await first.session()).user.id, before);
  await first.leave();
});

test('a denial at Google shows a message and creates no session', async () => {
  const visitor = await world.visitor();
  await openConsent(visitor, 'Google', '/settings');
  await visitor.page.locator('#deny').click();
  await visitor.arrives('/sign-in');
  await visitor.page.getByText('You cancelled the sign-in').waitFor();
  await visitor.picture('google-3-denied');
  const url = new URL(visitor.page.url());
  assert.equal(url.searchParams.get('next'), '/settings', 'the return path is kept');
  assert.equal(url.hash, '', 'the fragment is removed');
  assert.equal(await visitor.session(), undefined);

  // A second attempt succeeds.
  await visitor.button('Continue with Google').click();
  await visitor.page.waitForURL((url) => url.origin === addresses.idp);
  await consent(visitor, newUser('Second Thought'));
  await visitor.arrives('/settings');
  await visitor.leave();
});

test('GitHub sign-in works', async () => {
  const linus = newUser('Linus Example');
  const visitor = await world.visitor();
  await openConsent(visitor, 'GitHub', '/sign-up');
  await consent(visitor, linus);
  await visitor.arrives('/dashboard');
  await visitor.sees('Linus Example');
  assert.equal((await visitor.session()).user.app_metadata.provider, 'github');
  await visitor.picture('github-dashboard');
  await visitor.leave();
});

test('a code from another browser is rejected', async () => {
  const victim = await world.visitor();
  const attacker = await world.visitor();
  // Both have started a sign-in and have a verifier.
  await openConsent(victim, 'Google');
  await openConsent(attacker, 'Google');
  // Without its verifier, the attacker's browser does not use up the code.
  await attacker.context.clearCookies({ name: /code-verifier/ });
  await consent(attacker, newUser('Mallory'));
  await attacker.arrives('/sign-in');
  await attacker.page.getByText('This sign-in was started in another browser.').waitFor();
  const callback = attacker.addresses.find((address) => address.startsWith(`${addresses.app}/auth/callback?`));
  assert.match(callback, /code=/);

  await victim.page.goto(callback);
  await victim.arrives('/sign-in');
  await victim.page.getByText('This sign-in was started in another browser.').waitFor();
  assert.equal(await victim.session(), undefined, 'the victim is not signed in as the attacker');
  await attacker.leave();
  await victim.leave();
});
