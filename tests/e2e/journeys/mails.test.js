// What comes by mail: the link that confirms an address, and the one that leads to a new password.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { refusal } from '../world/browser.js';
import { journeys, somebody } from '../world/journey.js';
import { Stack } from '../world/stack.js';

const world = journeys(() => Stack.apart({ idp: ['--confirm-email'] }));
const mona = somebody('Mona Mails');

/** The newest mail of this kind to this address, as a page shows it to a developer. */
async function mail(page, to, type) {
  await page.goto(`${addresses.idp}/.inbox`);
  return page.locator(`article[data-to="${to}"][data-type="${type}"]`).first().getByRole('link');
}

async function forget(visitor, email) {
  await visitor.goto('/sign-in');
  await visitor.page.getByRole('link', { name: 'Forgot your password?' }).click();
  await visitor.arrives('/forgot-password');
  await visitor.page.getByLabel('Email').fill(email);
  await visitor.button('Send me a link').click();
  await visitor.page.getByText('Look into your mailbox').waitFor();
}

test('somebody new confirms the address by the link of a mail, and is signed in', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.goto('/sign-up?next=%2Fsettings');
  await page.getByLabel('Name').fill(mona.name);
  await page.getByLabel('Email').fill(mona.email);
  await page.getByLabel('Password').fill(mona.password);
  await visitor.button('Create account').click();
  await page.getByText('Look into your mailbox').waitFor();
  await visitor.picture('mails-1-confirm');
  assert.equal(await visitor.session(), undefined);

  await visitor.goto('/sign-in');
  await visitor.signIn(mona);
  await page.getByText('Confirm your address first').waitFor();

  await (await mail(page, mona.email, 'signup')).click();
  await visitor.arrives('/settings');
  await visitor.goto('/dashboard');
  await visitor.sees(mona.name);
  await visitor.leave(refusal(400));
});

test('who forgot the password sets a new one by the link of a mail, and the old one is worth nothing', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  const elsewhere = await world.visitor();
  await elsewhere.signIn(mona);
  await elsewhere.arrives('/dashboard');
  const { refresh_token: before } = await elsewhere.session();

  await forget(visitor, mona.email);
  await visitor.picture('mails-2-forgot');
  const link = await mail(page, mona.email, 'recovery');
  const address = await link.getAttribute('href');
  await link.click();
  await visitor.arrives('/new-password');
  assert.equal(new URL(page.url()).search, '', 'no code is left in the address');
  await page.getByLabel('New password').fill(mona.password);
  await visitor.button('Set new password').click();
  await page.getByText('That is the password you have already.').waitFor();
  await visitor.picture('mails-3-same');
  const old = mona.password;
  mona.password = 'another horse, another battery';
  await page.getByLabel('New password').fill(mona.password);
  await visitor.button('Set new password').click();
  await page.getByText('Your new password is set').waitFor();
  await visitor.picture('mails-4-set');
  await page.getByRole('link', { name: 'Go on' }).click();
  await visitor.arrives('/dashboard');
  await visitor.sees(mona.name);

  const renewal = await fetch(`${addresses.idp}/auth/v1/token?grant_type=refresh_token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', apikey: 'any' },
    body: JSON.stringify({ refresh_token: before }),
  });
  assert.equal(renewal.status, 400, 'whoever else was signed in is so no longer');

  await visitor.signOut();
  await visitor.signIn({ ...mona, password: old });
  await page.getByText('The email address or the password is wrong.').waitFor();
  await visitor.signIn(mona);
  await visitor.arrives('/dashboard');

  // Once more, where nobody is signed in: the link has been used.
  await visitor.signOut();
  await page.goto(address);
  await visitor.arrives('/forgot-password');
  await page.getByText('That link was used already, or is too old. Ask for a new one.').waitFor();
  await visitor.picture('mails-5-used');
  assert.equal(await visitor.session(), undefined);
  await elsewhere.leave();
  await visitor.leave(refusal(400, 422));
});

test('a link that is opened in another browser opens nothing, and says where it would', async () => {
  const visitor = await world.visitor();
  const other = await world.visitor();
  await forget(visitor, mona.email);
  await (await mail(other.page, mona.email, 'recovery')).click();
  await other.arrives('/forgot-password');
  await other.page.getByText('Open the link in the browser in which you asked for it').waitFor();
  assert.equal(await other.session(), undefined);
  await visitor.leave();
  await other.leave();
});

test('nobody learns from a forgotten password who has an account', async () => {
  const visitor = await world.visitor();
  const words = [];
  for (const email of [mona.email, 'nobody.at.all@example.com']) {
    await forget(visitor, email);
    words.push((await visitor.page.locator('.notice').innerText()).replace(email, 'X'));
  }
  assert.equal(words[0], words[1]);
  await visitor.page.goto(`${addresses.idp}/.inbox`);
  assert.equal(await visitor.page.locator('article[data-to="nobody.at.all@example.com"]').count(), 0);
  await visitor.leave();
});
