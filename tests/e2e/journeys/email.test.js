// Sign-up and sign-in with email and password, and status checks.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { statusError } from '../world/browser.js';
import { journeys, newUser } from '../world/journey.js';
import { Stack } from '../world/stack.js';

const world = journeys(() => Stack.dev());
const ada = newUser('Ada Lovelace');

test('a new user signs up and records a status check', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.goto('/');
  await page.getByRole('link', { name: 'Start now' }).click();
  await visitor.arrives('/sign-up');
  await visitor.signUp(ada);

  await page.getByRole('heading', { name: 'Good to see you, Ada' }).waitFor();
  await visitor.sees('Ada Lovelace');
  assert.equal(await page.locator('.person-email').textContent(), ada.email);
  await page.getByText('No status checks yet').waitFor();
  await visitor.picture('email-1-new');

  await page.getByLabel('Client name').fill('build server');
  await visitor.button('Record').click();
  await page.getByRole('listitem').filter({ hasText: 'build server' }).waitFor();
  await visitor.picture('email-2-recorded');
  await visitor.leave();
});

test('a returning user is redirected to the requested page', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.goto('/dashboard?from=mail');
  await visitor.arrives('/sign-in');
  assert.equal(new URL(page.url()).searchParams.get('next'), '/dashboard?from=mail');
  await visitor.signIn(ada);
  await visitor.arrives('/dashboard');
  assert.equal(new URL(page.url()).search, '?from=mail');
  await page.getByRole('listitem').filter({ hasText: 'build server' }).waitFor();
  await visitor.leave();
});

test('wrong password, known address and short password show messages', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  const alert = page.getByRole('alert').filter({ hasText: /\w/ });

  await visitor.goto('/sign-in');
  await visitor.signIn({ ...ada, password: 'not the password' });
  await alert.filter({ hasText: 'The email address or the password is wrong.' }).waitFor();
  await visitor.picture('email-3-wrong-password');

  await page.getByRole('link', { name: 'Create an account' }).click();
  await visitor.arrives('/sign-up');
  await page.getByLabel('Email').fill(ada.email);
  await page.getByLabel('Password').fill(ada.password);
  await visitor.button('Create account').click();
  await alert.filter({ hasText: 'An account with this address already exists.' }).waitFor();

  await page.getByLabel('Email').fill(newUser('Bob').email);
  await page.getByLabel('Password').fill('short');
  await visitor.button('Create account').click();
  assert.equal(await page.getByLabel('Password').evaluate((input) => input.validity.tooShort), true, 'the browser validates the length');
  assert.equal(await visitor.session(), undefined);
  await visitor.leave(statusError(400, 422));
});
