// Two-step verification with an authenticator app: enrolment, sign-in, removal.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { statusError } from '../world/browser.js';
import { journeys, newUser } from '../world/journey.js';
import { look } from '../world/look.js';
import { Stack } from '../world/stack.js';

const world = journeys(() => Stack.dev());
const mia = newUser('Mia Factor');
let secret;

/** Returns the code that an authenticator app shows (RFC 6238). */
function totp(base32, seconds = Date.now() / 1000) {
  const bits = [...base32].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(seconds / 30)));
  const tag = createHmac('sha1', key).update(counter).digest();
  const number = tag.readUInt32BE(tag[19] & 0xf) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

const wrong = () => (totp(secret) === '000000' ? '111111' : '000000');
const level = async (visitor) => JSON.parse(Buffer.from((await visitor.session()).access_token.split('.')[1], 'base64url')).aal;
const setting = (page) => page.locator('.setting', { has: page.getByRole('heading', { name: 'Two-step verification' }) });

test('an authenticator app is added with its QR code or secret', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(mia);
  await visitor.goto('/settings');
  await setting(page).getByText('signed in with one step (AAL1)').waitFor();
  await visitor.button('Add an authenticator app').click();
  const code = page.getByAltText('QR code with the secret below');
  await code.waitFor();
  assert.ok(await code.evaluate((image) => image.decode().then(() => image.naturalWidth > 0)), 'the image is shown');
  secret = (await page.locator('.enrolment code').textContent()).replaceAll(' ', '');
  assert.match(secret, /^[A-Z2-7]{16,}$/);
  await look(visitor, 'settings-enrolment');

  // A cancelled enrolment leaves nothing behind.
  await visitor.button('Cancel').click();
  await visitor.button('Add an authenticator app').click();
  await code.waitFor();
  const second = (await page.locator('.enrolment code').textContent()).replaceAll(' ', '');
  assert.notEqual(second, secret);
  secret = second;

  await page.getByLabel('Code from the app').fill('12');
  await visitor.button('Verify').click();
  await page.locator('.field-problem', { hasText: 'Enter the 6 digits' }).waitFor();
  await page.getByLabel('Code from the app').fill(wrong());
  await visitor.button('Verify').click();
  await page.locator('.field-problem', { hasText: 'The code is wrong' }).waitFor();
  await page.getByLabel('Code from the app').fill(totp(secret));
  await visitor.button('Verify').click();
  await setting(page).getByText('signed in with two steps (AAL2)').waitFor();
  await page.getByRole('list', { name: 'Authenticator apps' }).getByRole('listitem').waitFor();
  await look(visitor, 'settings-second-step');
  assert.equal(await level(visitor), 'aal2');
  await visitor.goto('/dashboard');
  await page.getByText('Two steps (AAL2)').waitFor();
  await visitor.leave(statusError(422));
});

test('a sign-in asks for the code and cannot go on without it', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.goto('/sign-in?next=%2Fgenerate');
  await visitor.signIn(mia);
  await visitor.arrives('/second-step');
  assert.equal(await level(visitor), 'aal1');
  await look(visitor, 'second-step');
  // Leaving the step out leads back to it.
  await visitor.goto('/settings');
  await visitor.arrives('/second-step');
  await page.getByLabel('Code').fill(wrong());
  await visitor.button('Continue').click();
  await page.locator('.field-problem', { hasText: 'The code is wrong' }).waitFor();
  await page.getByLabel('Code').fill(totp(secret));
  await page.keyboard.press('Enter');
  await visitor.arrives('/settings');
  await setting(page).getByText('signed in with two steps (AAL2)').waitFor();
  assert.equal(await level(visitor), 'aal2');
  const { access_token } = await visitor.session();
  const narrowed = await fetch(`${addresses.api}/api/auth/verify?aal=aal2`, { headers: { authorization: `Bearer ${access_token}` } });
  assert.equal(narrowed.status, 200);
  await visitor.leave(statusError(422));
});

test('the second step can be cancelled', async () => {
  const visitor = await world.visitor();
  await visitor.goto('/sign-in');
  await visitor.signIn(mia);
  await visitor.arrives('/second-step');
  const { access_token } = await visitor.session();
  const narrowed = await fetch(`${addresses.api}/api/auth/verify?aal=aal2`, { headers: { authorization: `Bearer ${access_token}` } });
  assert.equal(narrowed.status, 401);
  await visitor.button('Cancel and sign out').click();
  await visitor.arrives('/sign-in');
  assert.equal(await visitor.session(), undefined);
  await visitor.leave();
});

test('removing the app lowers the session and the next sign-in to one step', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.goto('/sign-in?next=%2Fsettings');
  await visitor.signIn(mia);
  await visitor.arrives('/second-step');
  await page.getByLabel('Code').fill(totp(secret));
  await visitor.button('Continue').click();
  await visitor.arrives('/settings');
  await visitor.button('Remove Authenticator app').click();
  await setting(page).getByText('signed in with one step (AAL1)').waitFor();
  assert.equal(await level(visitor), 'aal1');
  await visitor.signOut();
  await visitor.signIn(mia);
  await visitor.arrives('/dashboard');
  await visitor.leave();
});
