// What the identity provider offers, as its settings say, and what it cannot do.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { statusError } from '../world/browser.js';
import { SETTINGS } from '../world/fake-idp.js';
import { journeys } from '../world/journey.js';
import { look } from '../world/look.js';
import { Stack } from '../world/stack.js';

const world = journeys(() => Stack.withFakeIdp());

afterEach(async () => {
  world.stack.fakeIdp.answers = {};
  await change({});
});

/** Changes the settings. The app keeps them for 30 seconds, so its clock is moved. */
async function change(settings) {
  world.stack.fakeIdp.settings = { ...SETTINGS, ...settings };
  await world.stack.next.signal('SIGUSR2', 'the clock is');
}

const offered = (page) => page.getByRole('button', { name: /^Continue with/ }).allTextContents();

test('only the enabled providers are offered', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  for (const path of ['/sign-in', '/sign-up']) {
    await visitor.goto(path);
    assert.deepEqual(await offered(page), ['Continue with Google', 'Continue with GitHub']);
  }
  await change({ external: { ...SETTINGS.external, github: false, gitlab: true, unknown_to_the_app: true } });
  for (const path of ['/sign-in', '/sign-up']) {
    await visitor.goto(path);
    assert.deepEqual(await offered(page), ['Continue with Google', 'Continue with GitLab']);
    await page.getByLabel('Email').waitFor();
  }
  await look(visitor, 'methods-providers');

  await change({ external: { email: true } });
  await visitor.goto('/sign-in');
  assert.deepEqual(await offered(page), []);
  assert.equal(await page.getByText('or with your email address').count(), 0);
  await visitor.button('Sign in').waitFor();

  await change({ external: { google: true, email: false } });
  await visitor.goto('/sign-in');
  assert.deepEqual(await offered(page), ['Continue with Google']);
  assert.equal(await page.getByLabel('Email').count(), 0);
  assert.equal(await page.getByRole('link', { name: 'Forgot your password?' }).count(), 0);

  await change({ external: {} });
  await visitor.goto('/sign-in');
  await page.getByText('No sign-in method is enabled.').waitFor();
  await visitor.leave();
});

test('sign-up is not offered when it is disabled', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await change({ disable_signup: true });
  await visitor.goto('/sign-in');
  await visitor.button('Sign in').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Create an account' }).count(), 0);
  await visitor.goto('/sign-up');
  await page.getByText('Sign-up is currently disabled.').waitFor();
  assert.equal(await visitor.button('Create account').count(), 0);
  await visitor.picture('methods-2-no-sign-up');
  await visitor.leave();
});

test('a provider that was disabled meanwhile shows a message instead of an error of the IdP', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.goto('/sign-in');
  world.stack.fakeIdp.settings = { ...SETTINGS, external: { google: false, email: true } };
  await visitor.button('Continue with Google').click();
  await page.getByRole('alert').getByText('This sign-in method is not available.').waitFor();
  assert.equal(new URL(page.url()).pathname, '/sign-in');
  await visitor.picture('methods-3-disabled-meanwhile');
  await visitor.leave();
});

test('the app says that the IdP may send no mail', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  world.stack.fakeIdp.answers['/auth/v1/recover'] = [200, {}];
  const request = async () => {
    await visitor.goto('/forgot-password');
    await page.getByLabel('Email').fill('ada@example.com');
    await visitor.button('Send me a link').click();
    await page.getByText('Check your email').waitFor();
  };
  await request();
  assert.equal(await page.getByText('may not').count(), 0);

  // Without a mail server, Supabase Auth confirms addresses automatically and answers as if it had sent a mail.
  await change({ mailer_autoconfirm: true });
  await visitor.goto('/forgot-password');
  await page.getByText('so it may not be able to send one').waitFor();
  await look(visitor, 'methods-no-mail');
  await request();
  await page.getByText('No mail after a few minutes? This sign-in service may not send any.').waitFor();
  await visitor.leave();
});

test('the app says that a mail could not be sent', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  const answers = [
    [500, { code: 'unexpected_failure', message: 'Error sending mail' }, 'could not send the mail'],
    [504, { code: 'request_timeout', message: 'Processing this request timed out' }, 'could not send the mail'],
    [429, { code: 'over_email_send_rate_limit', message: 'email rate limit exceeded' }, 'Too many emails were requested'],
    [400, { code: 'email_address_not_authorized', message: 'Email address not authorized' }, 'cannot send mail to this address'],
  ];
  for (const [status, body, text] of answers) {
    for (const path of ['/auth/v1/recover', '/auth/v1/signup']) world.stack.fakeIdp.answers[path] = [status, body];
    await visitor.goto('/forgot-password');
    await page.getByLabel('Email').fill('ada@example.com');
    await visitor.button('Send me a link').click();
    await page.getByText(text).waitFor();
    assert.equal(await page.getByText('Check your email').count(), 0);

    await visitor.goto('/sign-up');
    await page.getByLabel('Email').fill('ada@example.com');
    await page.getByLabel('Password').fill('correct horse battery');
    await visitor.button('Create account').click();
    await page.getByText(text).waitFor();
  }
  await visitor.picture('methods-5-mail-failed');
  await visitor.leave(statusError(400, 429, 500, 504));
});

test('an unreachable IdP is said, and the page recovers', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.goto('/sign-in');
  await world.stack.fakeIdp.close();
  await visitor.button('Continue with Google').click();
  await page.getByText('We cannot reach the sign-in service.').waitFor();

  await world.stack.next.signal('SIGUSR2', 'the clock is');
  for (const path of ['/sign-in', '/sign-up']) {
    await visitor.goto(path);
    await page.getByRole('alert').getByText('The sign-in service cannot be reached').waitFor();
    assert.deepEqual(await offered(page), []);
  }
  await visitor.goto('/forgot-password');
  await page.getByText('We cannot reach the sign-in service.').waitFor();
  await visitor.goto('/sign-in');
  await page.getByText('cannot be reached').waitFor();
  await look(visitor, 'methods-unreachable');

  await world.stack.fakeIdp.reopen();
  await page.getByRole('link', { name: 'Try again' }).click();
  await visitor.button('Continue with Google').waitFor();
  assert.equal(await page.getByText('cannot be reached').count(), 0);
  await visitor.leave(/ERR_CONNECTION_REFUSED/);
});
