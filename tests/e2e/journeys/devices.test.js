// The sessions of a user: list, sign-out of one, of this one and of all. The provider reports no sign-out to the API, as the hosted service.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { journeys, newUser } from '../world/journey.js';
import { look } from '../world/look.js';
import { Stack, idpAdmin } from '../world/stack.js';

const world = journeys(() => Stack.apart({ settings: { BEARWARD_ADMIN__ISSUERS: 'supabase' } }));
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1';
const ended = /status of 40[0134]/;

const list = (page) => page.getByRole('list', { name: 'Devices' }).getByRole('listitem');

/** Returns the status and the error code of the API for a token. */
async function check(token) {
  const response = await fetch(`${addresses.api}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } });
  const body = await response.json();
  return response.status === 200 ? 'accepted' : `${response.status} ${body.error.code}`;
}

const refresh = (refresh_token) =>
  fetch(`${addresses.idp}/auth/v1/token?grant_type=refresh_token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', apikey: 'any' },
    body: JSON.stringify({ refresh_token }),
  });

/** Signs a new user in on a laptop and on a phone. */
async function twoDevices(name) {
  const user = newUser(name);
  const laptop = await world.visitor();
  await laptop.signUp(user);
  await laptop.sees(name);
  const phone = await world.visitor({ userAgent: IPHONE });
  await phone.signIn(user);
  await phone.arrives('/dashboard');
  await phone.sees(name);
  return { user, laptop, phone };
}

test('devices are listed, and one of them is signed out at once', async () => {
  const { laptop, phone } = await twoDevices('Dora Devices');
  const other = await world.visitor();
  await other.signUp(newUser('Omar Other'));
  await other.sees('Omar Other');

  const { page } = laptop;
  await laptop.goto('/settings');
  await list(page).filter({ hasText: 'Safari on iPhone' }).waitFor();
  assert.equal(await list(page).count(), 2, 'not the session of another user');
  const own = list(page).filter({ hasText: 'This device' });
  assert.match(await own.textContent(), /on Linux.*This device.*Signed in.*last used/s);
  assert.equal(await own.getByRole('button').count(), 0);
  await look(laptop, 'settings-devices');

  const before = await phone.session();
  assert.equal(await check(before.access_token), 'accepted');
  await page.getByRole('button', { name: 'Sign out of Safari on iPhone' }).click();
  await list(page).filter({ hasText: 'iPhone' }).waitFor({ state: 'detached' });
  await page.getByRole('status').filter({ hasText: 'Signed out of Safari on iPhone.' }).waitFor();
  assert.equal(await check(before.access_token), '401 TOKEN_REVOKED');
  // The provider still renews the session. The API rejects those tokens too.
  const renewed = await (await refresh(before.refresh_token)).json();
  assert.equal(await check(renewed.access_token), '401 TOKEN_REVOKED');

  await phone.page.reload();
  await phone.arrives('/sign-in');
  assert.equal(await phone.session(), undefined);
  assert.equal((await refresh(renewed.refresh_token)).status, 400, 'the app has ended the session at the provider');
  await laptop.page.reload();
  await list(page).filter({ hasText: 'This device' }).waitFor();
  assert.equal(await list(page).count(), 1);
  assert.equal(await check((await other.session()).access_token), 'accepted');
  for (const visitor of [laptop, other]) await visitor.leave();
  await phone.leave(ended);
});

test('signing out of this device keeps the others', async () => {
  const { laptop, phone } = await twoDevices('Hanna Here');
  const [left, kept] = [await laptop.session(), await phone.session()];
  await laptop.page.getByLabel('Your account', { exact: true }).click();
  await laptop.page.locator('.account-panel').getByRole('button', { name: 'Sign out of this device' }).click();
  await laptop.arrives('/sign-in');
  await laptop.page.getByText('You are signed out on this device.').waitFor();
  assert.equal(await laptop.session(), undefined);
  assert.equal(await check(left.access_token), '401 TOKEN_REVOKED');
  assert.equal((await refresh(left.refresh_token)).status, 400);
  assert.equal(await check(kept.access_token), 'accepted');
  await phone.goto('/settings');
  await list(phone.page).filter({ hasText: 'This device' }).waitFor();
  assert.equal(await list(phone.page).count(), 1);
  await phone.leave();
  await laptop.leave(ended);
});

test('signing out everywhere rejects all tokens at once', async () => {
  const { laptop, phone } = await twoDevices('Eva Everywhere');
  const sessions = [await laptop.session(), await phone.session()];
  await laptop.goto('/settings');
  await laptop.page.locator('.setting').getByRole('button', { name: 'Sign out everywhere' }).click();
  await laptop.arrives('/sign-in');
  await laptop.page.getByText('You are signed out, here and on all your devices.').waitFor();
  for (const session of sessions) {
    assert.equal(await check(session.access_token), '401 TOKEN_REVOKED');
    assert.equal((await refresh(session.refresh_token)).status, 400);
  }
  await phone.page.reload();
  await phone.arrives('/sign-in');
  await laptop.leave(ended);
  await phone.leave(ended);
});

test('a deleted account is not created again by tokens and devices of before', async () => {
  const { user, laptop, phone } = await twoDevices('Della Deleted');
  const sessions = [await laptop.session(), await phone.session()];
  const { id } = sessions[0].user;
  await laptop.goto('/settings');
  await laptop.button('Delete account…').click();
  await laptop.page.getByLabel('Type “delete” to confirm').fill('delete');
  await laptop.button('Delete everything').click();
  await laptop.arrives('/sign-in');
  await laptop.page.getByText('Your account and its data are deleted').waitFor();

  for (const session of sessions) {
    assert.equal(await check(session.access_token), '401 TOKEN_REVOKED');
    assert.equal((await refresh(session.refresh_token)).status, 400);
  }
  await phone.page.getByLabel('Client name').fill('too late');
  await phone.button('Record').click();
  await phone.arrives('/sign-in');
  const { access_token: admin } = await idpAdmin('POST', '/tokens', { claims: { sub: 'root', app_metadata: { roles: ['admin'] } } });
  const response = await fetch(`${addresses.api}/api/admin/users?limit=100`, { headers: { authorization: `Bearer ${admin}` } });
  const accounts = await response.json();
  assert.equal(response.status, 200, JSON.stringify(accounts));
  assert.ok(accounts.items.some(({ subject }) => subject === 'root'));
  assert.ok(!accounts.items.some(({ subject }) => subject === id), 'no account was created');

  // Only a new sign-in begins again, with nothing of before.
  await laptop.signIn(user);
  await laptop.arrives('/dashboard');
  await laptop.page.getByText('No status checks yet').waitFor();
  await laptop.leave(ended);
  await phone.leave(ended);
});

test('nothing is deleted while the sign-in service is unreachable', async () => {
  const visitor = await world.visitor();
  await visitor.signUp(newUser('Petra Patient'));
  await visitor.goto('/settings');
  await visitor.page.getByLabel('Name').waitFor();
  const { access_token } = await visitor.session();
  await world.stack.idp.kill();
  await visitor.button('Delete account…').click();
  await visitor.page.getByLabel('Type “delete” to confirm').fill('delete');
  await visitor.button('Delete everything').click();
  await visitor.page.getByText('The sign-in service is unavailable').waitFor();
  assert.equal(await check(access_token), 'accepted');
  await world.stack.startIdp();
  await visitor.leave(/ERR_CONNECTION_REFUSED|Failed to fetch/);
});
