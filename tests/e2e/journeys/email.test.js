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

test('problems are shown at their field, and a wrong password at the form', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  const alert = page.getByRole('alert').filter({ hasText: /\w/ });
  /** Waits until the field has this problem, which screen readers announce, and the focus. */
  const problemAt = async (label, text) => {
    const input = page.getByLabel(label, { exact: true });
    await page.locator('.field', { has: input }).locator('.field-problem', { hasText: text }).waitFor();
    assert.equal(await input.getAttribute('aria-invalid'), 'true');
    const [described] = (await input.getAttribute('aria-describedby')).split(' ').slice(0, 1);
    assert.match(await page.locator(`[id="${described}"]`).textContent(), text);
    await page.waitForFunction((element) => element === document.activeElement, await input.elementHandle());
  };

  await visitor.goto('/sign-in');
  await visitor.button('Sign in').click();
  await problemAt('Email', /Enter your email address\./);
  await page.locator('.field-problem', { hasText: 'Enter your password.' }).waitFor();
  await page.getByLabel('Email').fill('ada at example.com');
  await visitor.button('Sign in').click();
  await problemAt('Email', /Enter a valid email address/);
  await visitor.picture('email-3-inline');

  await visitor.goto('/sign-in');
  await visitor.signIn({ ...ada, password: 'not the password' });
  await alert.filter({ hasText: 'The email address or the password is wrong.' }).waitFor();
  await visitor.picture('email-3-wrong-password');

  await page.getByRole('link', { name: 'Create an account' }).click();
  await visitor.arrives('/sign-up');
  await page.getByLabel('Email').fill(ada.email);
  await page.getByLabel('Password').fill(ada.password);
  await visitor.button('Create account').click();
  await problemAt('Email', /An account with this address already exists\./);

  await page.getByLabel('Email').fill(newUser('Bob').email);
  await page.getByLabel('Password').fill('short');
  await visitor.button('Create account').click();
  await page.locator('.field-problem', { hasText: 'Use at least 6 characters' }).waitFor();
  await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'password');
  assert.equal(await visitor.session(), undefined);
  await visitor.leave(statusError(400, 422));
});

test('the password can be shown, by keyboard too', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.goto('/sign-in');
  const password = page.getByLabel('Password', { exact: true });
  const toggle = page.getByRole('button', { name: 'Show password' });
  await password.fill('correct horse');
  assert.deepEqual([await password.getAttribute('type'), await toggle.getAttribute('aria-pressed')], ['password', 'false']);
  await password.press('Tab');
  await page.keyboard.press('Enter');
  assert.deepEqual([await password.getAttribute('type'), await toggle.getAttribute('aria-pressed')], ['text', 'true']);
  assert.equal(await password.inputValue(), 'correct horse');
  await visitor.picture('email-4-shown');
  await toggle.click();
  assert.equal(await password.getAttribute('type'), 'password');
  assert.equal(new URL(page.url()).pathname, '/sign-in', 'the form was not sent');
  await visitor.leave();
});
