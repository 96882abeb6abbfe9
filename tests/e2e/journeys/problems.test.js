// Messages for errors of the API.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { statusError } from '../world/browser.js';
import { journeys, newUser } from '../world/journey.js';
import { Stack, idpAdmin } from '../world/stack.js';

// Without vault keys, which the server does not need to start.
const settings = { BEARWARD_RATE_LIMIT__PER_USER: '60', BEARWARD_RATE_LIMIT__BURST: '12', BEARWARD_VAULT__KEYS: undefined };
const world = journeys(() => Stack.apart({ settings }));

test('422: validation errors are shown at the field', async () => {
  const visitor = await world.visitor();
  await visitor.signUp(newUser('Vera Validates'));
  await visitor.button('Record').click();
  await visitor.page.locator('.field-problem', { hasText: 'must not be empty' }).waitFor();
  await visitor.page.getByLabel('Client name').fill('x'.repeat(101));
  await visitor.button('Record').click();
  await visitor.page.locator('.field-problem', { hasText: 'at most 100 characters' }).waitFor();
  await visitor.picture('problem-422');
  await visitor.leave(statusError(422));
});

test('429: the message contains the time to wait', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(newUser('Quick Quentin'));
  await visitor.sees('Quick Quentin');
  const { access_token } = await visitor.session();
  const ask = () => fetch(`${addresses.api}/api/status`, { headers: { authorization: `Bearer ${access_token}` } });
  const statuses = (await Promise.all(Array.from({ length: 40 }, ask))).map(({ status }) => status);
  assert.ok(statuses.includes(429), 'the limit was reached');
  await page.getByLabel('Client name').fill('one too many');
  await visitor.button('Record').click();
  await page.getByRole('alert').getByText('Too many requests').waitFor();
  await page.getByText(/Try again in (a second|\d+ seconds)\./).waitFor();
  await visitor.picture('problem-429');
  await visitor.leave(statusError(429));
});

test('503: without JWKS the user stays signed in and can retry', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(newUser('Uma Unavailable'));
  await visitor.sees('Uma Unavailable');
  await world.stack.startServeWithoutKeys();
  await page.reload();
  await page.getByRole('alert').getByText('The service is temporarily unavailable').first().waitFor();
  await page.getByText('You stay signed in.').first().waitFor();
  await visitor.picture('problem-503');

  await idpAdmin('DELETE', '/faults');
  await world.stack.startServe();
  await page.getByRole('region', { name: 'Profile' }).getByRole('button', { name: 'Try again' }).click();
  await visitor.sees('Uma Unavailable');
  await visitor.leave(statusError(503));
});

test('503: without a vault there is no retry', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(newUser('Val Tless'));
  await visitor.goto('/settings');
  await visitor.button('Add Together AI key').click();
  await page.getByLabel('Together AI key', { exact: true }).fill('tgp_v1_0123456789abcdef');
  await visitor.button('Save key').click();
  await page.getByRole('alert').getByText('API keys cannot be stored yet').waitFor();
  await page.getByText(/Reference: \S/).waitFor();
  assert.equal(await page.getByText('Try again').count(), 0);
  await visitor.picture('problem-vault');
  await visitor.leave(statusError(503));
});

test('an unreachable API shows a message and keeps the input', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(newUser('Gil Gone'));
  await visitor.sees('Gil Gone');
  await world.stack.serve.kill();
  await page.getByLabel('Client name').fill('typed before');
  await visitor.button('Record').click();
  await page.getByRole('alert').getByText('We cannot reach the server').waitFor();
  assert.equal(await page.getByLabel('Client name').inputValue(), 'typed before');
  await world.stack.startServe();
  await visitor.button('Record').click();
  await page.getByRole('listitem').filter({ hasText: 'typed before' }).waitFor();
  await visitor.leave(/ERR_CONNECTION_REFUSED/);
});
