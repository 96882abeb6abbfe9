// Email confirmation and password reset.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { statusError } from '../world/browser.js';
import { journeys, newUser } from '../world/journey.js';
import { Stack } from '../world/stack.js';

const world = journeys(() => Stack.apart({ idp: ['--confirm-email'] }));
const mona = newUser('Mona Mails');

/** Opens the inbox and returns the link of the newest mail of this type. */
async function mail(page, to, type) {
  await page.goto(`${addresses.idp}/.inbox`);
  return page.locator(`article[data-to="${to}"][data-type="${type}"]`).first().getByRole('link');
}

async function requestReset(visitor, email) {
  await visitor.goto('/sign-in');
  await visitor.page.getByRole('link', { name: 'Forgot your password?' }).click();
  await visitor.arrives('/forgot-password');
  await visitor.page.getByLabel('Email').fill(email);
  await visitor.button('Send me a link').click();
  await visitor.page.getByText('Check your email').waitFor();
}

test('the confirmation link signs the new user in', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.goto('/sign-up?next=%2Fsettings');
  await page.getByLabel('Name').fill(mona.name);
  await page.getByLabel('Email').fill(mona.email);
  await page.getByLabel('Password').fill(mona.password);
  await visitor.button('Create account').click();
  await page.getByText('Check your email').waitFor();
  await visitor.picture('mails-1-confirm');
  assert.equal(await visitor.session(), undefined);

  await visitor.goto('/sign-in');
  await visitor.signIn(mona);
  await page.getByText('Confirm your address first').waitFor();

  await (await mail(page, mona.email, 'signup')).click();
  await visitor.arrives('/settings');
  await visitor.goto('/dashboard');
  await visitor.sees(mona.name);
  await visitor.leave(statusError(400));
});

test('the reset link sets a new password and revokes the old one', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  const elsewhere = await world.visitor();
  await elsewhere.signIn(mona);
  await elsewhere.arrives('/dashboard');
  const { refresh_token: before } = await elsewhere.session();

  await requestReset(visitor, mona.email);
  await visitor.picture('mails-2-forgot');
  const link = await mail(page, mona.email, 'recovery');
  const address = await link.getAttribute('href');
  await link.click();
  await visitor.arrives('/new-password');
  assert.equal(new URL(page.url()).search, '', 'the URL contains no code');
  await page.getByLabel('New password').fill(mona.password);
  await visitor.button('Set new password').click();
  await page.getByText('The new password must differ from the current one.').waitFor();
  await visitor.picture('mails-3-same');
  const old = mona.password;
  mona.password = 'another horse, another battery';
  await page.getByLabel('New password').fill(mona.password);
  await visitor.button('Set new password').click();
  await page.getByText('Your new password is set').waitFor();
  await visitor.picture('mails-4-set');
  await page.getByRole('link', { name: 'Continue' }).click();
  await visitor.arrives('/dashboard');
  await visitor.sees(mona.name);

  const renewal = await fetch(`${addresses.idp}/auth/v1/token?grant_type=refresh_token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', apikey: 'any' },
    body: JSON.stringify({ refresh_token: before }),
  });
  assert.equal(renewal.status, 400, 'other sessions are revoked');

  await visitor.signOut();
  await visitor.signIn({ ...mona, password: old });
  await page.getByText('The email address or the password is wrong.').waitFor();
  await visitor.signIn(mona);
  await visitor.arrives('/dashboard');

  // The used link, without a session.
  await visitor.signOut();
  await page.goto(address);
  await visitor.arrives('/forgot-password');
  await page.getByText('That link has expired or was already used. Request a new one.').waitFor();
  await visitor.picture('mails-5-used');
  assert.equal(await visitor.session(), undefined);
  await elsewhere.leave();
  await visitor.leave(statusError(400, 422));
});

test('a reset link in another browser shows a message', async () => {
  const visitor = await world.visitor();
  const other = await world.visitor();
  await requestReset(visitor, mona.email);
  await (await mail(other.page, mona.email, 'recovery')).click();
  await other.arrives('/forgot-password');
  await other.page.getByText('Open the link in the browser where you requested it').waitFor();
  assert.equal(await other.session(), undefined);
  await visitor.leave();
  await other.leave();
});

test('a confirmed address in another browser is told to sign in', async () => {
  const visitor = await world.visitor();
  const other = await world.visitor();
  const nora = newUser('Nora Elsewhere');
  await visitor.goto('/sign-up?next=%2Fsettings');
  await visitor.page.getByLabel('Email').fill(nora.email);
  await visitor.page.getByLabel('Password').fill(nora.password);
  await visitor.button('Create account').click();
  await visitor.page.getByText('Check your email').waitFor();
  const link = await mail(other.page, nora.email, 'signup');
  const address = await link.getAttribute('href');
  await link.click();
  await other.arrives('/sign-in');
  await other.page.getByText('Your address is confirmed. Sign in to continue.').waitFor();
  assert.equal(await other.page.getByText('start again').count(), 0);
  assert.equal(await other.session(), undefined);
  await other.picture('mails-6-confirmed-elsewhere');
  // A mail scanner or a second click has used the link.
  await other.page.goto(address);
  await other.arrives('/sign-in');
  await other.page.getByText('If you have confirmed your address, sign in.').waitFor();
  await other.signIn(nora);
  await other.arrives('/settings');
  await visitor.leave();
  await other.leave();
});

test('a reset request does not reveal whether an account exists', async () => {
  const visitor = await world.visitor();
  const messages = [];
  for (const email of [mona.email, 'unknown.user@example.com']) {
    await requestReset(visitor, email);
    messages.push((await visitor.page.locator('.notice').innerText()).replace(email, 'X'));
  }
  assert.equal(messages[0], messages[1]);
  await visitor.page.goto(`${addresses.idp}/.inbox`);
  assert.equal(await visitor.page.locator('article[data-to="unknown.user@example.com"]').count(), 0);
  await visitor.leave();
});
