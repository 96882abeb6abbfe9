// What keeps a session alive and what ends it.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { journeys, newUser } from '../world/journey.js';
import { Stack, idpAdmin } from '../world/stack.js';

const world = journeys(() => Stack.dev());

async function record(visitor, what) {
  await visitor.page.getByLabel('Client name').fill(what);
  await visitor.button('Record').click();
  await visitor.page.getByRole('listitem').filter({ hasText: what }).waitFor();
}

test('a session survives reloads, new tabs and navigation', async () => {
  const visitor = await world.visitor();
  await visitor.signUp(newUser('Rita Reload'));
  const { refresh_token: before } = await visitor.session();
  await visitor.page.reload();
  await visitor.sees('Rita Reload');
  const other = await visitor.tab();
  await other.goto(`${addresses.app}/settings`);
  await other.getByRole('heading', { name: 'Settings' }).waitFor();
  for (const [link, path] of [['Generate', '/generate'], ['Settings', '/settings'], ['Dashboard', '/dashboard']]) {
    await visitor.page.getByRole('navigation').getByRole('link', { name: link }).click();
    await visitor.arrives(path);
    assert.equal(await visitor.page.getByRole('link', { name: link }).getAttribute('aria-current'), 'page');
  }
  assert.equal((await visitor.session()).refresh_token, before, 'the session was not refreshed');
  await visitor.leave();
});

test('the sign-in page redirects signed-in users', async () => {
  const visitor = await world.visitor();
  await visitor.signUp(newUser('Hannah Home'));
  await visitor.goto('/sign-in');
  await visitor.arrives('/dashboard');
  await visitor.leave();
});

test('sign-out ends all tabs and the session at the provider', async () => {
  const visitor = await world.visitor();
  const oscar = newUser('Oscar Out');
  await visitor.signUp(oscar);
  const { refresh_token: left } = await visitor.session();
  const other = await visitor.tab();
  await other.goto(`${addresses.app}/settings`);
  await other.getByRole('heading', { name: 'Settings' }).waitFor();

  await visitor.signOut();
  await visitor.page.getByText('You are signed out, here and on all your devices.').waitFor();
  await visitor.arrives('/sign-in', other);
  await visitor.picture('signed-out-other-tab', other);
  assert.equal(await visitor.session(), undefined);

  const again = await fetch(`${addresses.idp}/auth/v1/token?grant_type=refresh_token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', apikey: 'any' },
    body: JSON.stringify({ refresh_token: left }),
  });
  assert.equal(again.status, 400, 'a copied refresh token is rejected');

  // Signing in again in one tab signs the other in.
  await visitor.signIn(oscar);
  await visitor.arrives('/dashboard');
  await visitor.arrives('/settings', other);
  await visitor.leave();
});

test('sign-out ends other devices at their next request', async () => {
  const ida = newUser('Ida Twice');
  const phone = await world.visitor();
  const laptop = await world.visitor();
  await phone.signUp(ida);
  await laptop.signIn(ida);
  await laptop.arrives('/dashboard');
  await phone.signOut();

  // The identity provider sends a logout token to the API, which rejects the access token before it expires.
  await laptop.page.reload();
  await laptop.arrives('/sign-in');
  assert.equal(await laptop.session(), undefined);
  await phone.leave();
  await laptop.leave(/status of 40[0134]/);
});

test('the next user of a browser sees no data of the previous one', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  const [ann, ben] = [newUser('Ann First'), newUser('Ben Second')];
  await visitor.signUp(ann);
  await record(visitor, 'the secret of Ann');
  await visitor.signOut();
  await visitor.signUp(ben);
  await visitor.sees('Ben Second');
  await page.getByText('No status checks yet').waitFor();
  assert.equal(await page.getByText('the secret of Ann').count(), 0);

  // The same when navigating back.
  for (let steps = 0; steps < 4; steps += 1) {
    await page.goBack().catch(() => null);
    await page.waitForLoadState();
    if (!page.url().startsWith(addresses.app)) break;
    if (new URL(page.url()).pathname === '/dashboard') await visitor.sees('Ben Second');
    assert.equal(await page.getByText('the secret of Ann').count(), 0, page.url());
    assert.equal(await page.getByText('Ann First').count(), 0, page.url());
  }
  await visitor.leave();
});

test('a page does not act for another user whose session replaced its own', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  const [wilma, dan] = [newUser('Wilma Before'), newUser('Dan After')];
  await visitor.signUp(wilma);
  await record(visitor, 'the secret of Wilma');

  const elsewhere = await world.visitor();
  await elsewhere.signUp(dan);
  // Simulates a lost message between tabs.
  await visitor.context.clearCookies();
  await visitor.context.addCookies(await elsewhere.context.cookies(addresses.app));

  await page.getByLabel('Client name').fill('meant for Wilma');
  await visitor.button('Record').click();
  await visitor.sees('Dan After');
  await page.getByText('No status checks yet').waitFor();
  assert.equal(await page.getByText('Wilma').count(), 0);
  await elsewhere.leave();
  await visitor.leave();
});

test('a key rotation does not affect users', async () => {
  const before = await world.visitor();
  await before.signUp(newUser('Olga Oldkey'));
  await idpAdmin('POST', '/keys/rotate', {});

  // Signed with the previous key.
  await before.page.reload();
  await before.sees('Olga Oldkey');
  await record(before, 'after the rotation');

  // Signed with a key unknown to the app and the API.
  const after = await world.visitor();
  await after.signUp(newUser('Nina Newkey'));
  await after.sees('Nina Newkey');
  await record(after, 'with the new key');
  const kid = async (visitor) => JSON.parse(Buffer.from((await visitor.session()).access_token.split('.')[0], 'base64url').toString()).kid;
  assert.notEqual(await kid(before), await kid(after));
  await before.leave();
  await after.leave();
});
