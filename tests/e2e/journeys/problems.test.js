// What the API refuses, in words for people.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { refusal } from '../world/browser.js';
import { journeys, somebody } from '../world/journey.js';
import { Stack, idpAdmin } from '../world/stack.js';

// Without a vault, as a server has none that was started with an issuer alone.
const settings = { BEARWARD_RATE_LIMIT__PER_USER: '60', BEARWARD_RATE_LIMIT__BURST: '12', BEARWARD_VAULT__KEYS: undefined };
const world = journeys(() => Stack.apart({ settings }));

test('422: an empty and a too long name are told at the field', async () => {
  const visitor = await world.visitor();
  await visitor.signUp(somebody('Vera Validates'));
  await visitor.button('Record').click();
  await visitor.page.locator('.field-problem', { hasText: 'must not be empty' }).waitFor();
  await visitor.page.getByLabel('What checks in?').fill('x'.repeat(101));
  await visitor.button('Record').click();
  await visitor.page.locator('.field-problem', { hasText: 'at most 100 characters' }).waitFor();
  await visitor.picture('problem-422');
  await visitor.leave(refusal(422));
});

test('429: too much at once is told, with the time to wait', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(somebody('Quick Quentin'));
  await visitor.sees('Quick Quentin');
  const { access_token } = await visitor.session();
  const ask = () => fetch(`${addresses.api}/api/status`, { headers: { authorization: `Bearer ${access_token}` } });
  const statuses = (await Promise.all(Array.from({ length: 40 }, ask))).map(({ status }) => status);
  assert.ok(statuses.includes(429), 'the limit was reached');
  await page.getByLabel('What checks in?').fill('one too many');
  await visitor.button('Record').click();
  await page.getByRole('alert').getByText('That was a lot at once').waitFor();
  await page.getByText(/Try again in (a second|\d+ seconds)\./).waitFor();
  await visitor.picture('problem-429');
  await visitor.leave(refusal(429));
});

test('503: an API without keys says that nobody is signed out, and goes on afterwards', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(somebody('Uma Unavailable'));
  await visitor.sees('Uma Unavailable');
  await world.stack.startServeWithoutKeys();
  await page.reload();
  await page.getByRole('alert').getByText('We are out of service for a moment').first().waitFor();
  await page.getByText('You stay signed in.').first().waitFor();
  await visitor.picture('problem-503');

  await idpAdmin('DELETE', '/faults');
  await world.stack.startServe();
  await page.getByRole('region', { name: 'Profile' }).getByRole('button', { name: 'Try again' }).click();
  await visitor.sees('Uma Unavailable');
  await visitor.leave(refusal(503));
});

test('503: a server that was given no vault does not ask people to try again', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(somebody('Val Tless'));
  await visitor.goto('/settings');
  await visitor.button('Add Together AI key').click();
  await page.getByLabel('Together AI key', { exact: true }).fill('tgp_v1_0123456789abcdef');
  await visitor.button('Save key').click();
  await page.getByRole('alert').getByText('Keys cannot be stored here yet').waitFor();
  await page.getByText(/Reference: \S/).waitFor();
  assert.equal(await page.getByText('Try again').count(), 0);
  await visitor.picture('problem-vault');
  await visitor.leave(refusal(503));
});

test('an API that is gone is told, and what was typed is kept', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(somebody('Gil Gone'));
  await visitor.sees('Gil Gone');
  await world.stack.serve.kill();
  await page.getByLabel('What checks in?').fill('typed before');
  await visitor.button('Record').click();
  await page.getByRole('alert').getByText('We cannot reach the server').waitFor();
  assert.equal(await page.getByLabel('What checks in?').inputValue(), 'typed before');
  await world.stack.startServe();
  await visitor.button('Record').click();
  await page.getByRole('listitem').filter({ hasText: 'typed before' }).waitFor();
  await visitor.leave(/ERR_CONNECTION_REFUSED/);
});
