// Code generation with the user's own model key.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { statusError } from '../world/browser.js';
import { journeys, newUser } from '../world/journey.js';
import { MODEL_KEY } from '../world/model.js';
import { Stack } from '../world/stack.js';

const world = journeys(() => Stack.dev());

/** Signs up a new user and stores this key. */
async function withKey(name, key) {
  const visitor = await world.visitor();
  await visitor.signUp(newUser(name));
  const { access_token } = await visitor.session();
  const headers = { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' };
  const stored = await fetch(`${addresses.api}/api/user/api-keys`, { method: 'POST', headers, body: JSON.stringify({ togetherAI: key }) });
  assert.equal(stored.status, 200);
  await visitor.goto('/generate');
  return visitor;
}

async function ask(visitor, prompt) {
  await visitor.page.getByLabel('Your idea').fill(prompt);
  await visitor.button('Write the code').click();
}

test('without a key the user is sent to the settings', async () => {
  const visitor = await world.visitor();
  await visitor.signUp(newUser('Nokia Nokey'));
  await visitor.goto('/generate');
  await ask(visitor, 'A slug function');
  await visitor.page.getByRole('alert').getByText('A key is missing').waitFor();
  await visitor.picture('generate-1-no-key');
  await visitor.page.getByRole('link', { name: 'Go to your keys' }).click();
  await visitor.arrives('/settings');
  await visitor.leave(statusError(409));
});

test('code is streamed with the own key and the selected model', async () => {
  const visitor = await withKey('Gene Rates', MODEL_KEY);
  const { page } = visitor;
  const before = world.stack.model.requests.length;
  const resume = world.stack.model.hold();
  await page.getByText('Another model').click();
  await page.getByLabel('Model', { exact: true }).fill('some/model');
  await ask(visitor, 'A slug function in Python');
  const code = page.getByLabel('Code', { exact: true }).locator('code');
  // The first chunk has arrived and the rest is held back.
  await page.waitForFunction(() => document.querySelector('.code code')?.textContent === 'def ');
  await visitor.picture('generate-2-writing');
  assert.equal(await page.getByLabel('Code', { exact: true }).getAttribute('aria-busy'), 'true');
  resume();
  await page.getByText('2 lines').waitFor();
  assert.equal(await code.textContent(), 'def slug(title):\n    return title');
  await visitor.picture('generate-3-written');

  const [request] = world.stack.model.requests.slice(before);
  assert.equal(request.headers.authorization, `Bearer ${MODEL_KEY}`);
  assert.equal(request.body.model, 'some/model');
  assert.ok(JSON.stringify(request.body.messages).includes('A slug function in Python'));
  await visitor.leave();
});

test('stopping keeps the partial code and closes the upstream connection', async () => {
  const visitor = await withKey('Stan Stops', MODEL_KEY);
  const { page } = visitor;
  const dropped = world.stack.model.dropped;
  const resume = world.stack.model.hold();
  await ask(visitor, 'Something long');
  await page.waitForFunction(() => document.querySelector('.code code')?.textContent === 'def ');
  await visitor.button('Stop').click();
  await visitor.button('Write the code').waitFor();
  assert.equal(await page.getByRole('alert').filter({ hasText: /\w/ }).count(), 0, 'stopping shows no error');
  assert.equal(await page.locator('.code code').textContent(), 'def ');
  for (let tries = 0; tries < 200 && world.stack.model.dropped === dropped; tries += 1) await new Promise((resolve) => setTimeout(resolve, 25));
  assert.equal(world.stack.model.dropped, dropped + 1, 'the upstream connection is closed');
  resume();
  await visitor.leave();
});

test('a key that the service rejects shows a message', async () => {
  const visitor = await withKey('Rita Revoked', 'tgp_v1_revoked_revoked_revoked');
  await ask(visitor, 'Anything');
  await visitor.page.getByRole('alert').getByText('Together AI rejected your key').waitFor();
  await visitor.page.getByRole('link', { name: 'Go to your keys' }).waitFor();
  await visitor.leave(statusError(502));
});

test('a broken connection shows a message and keeps the partial code', async () => {
  const visitor = await withKey('Brooke Breaks', MODEL_KEY);
  const { page } = visitor;
  const resume = world.stack.model.hold();
  await ask(visitor, 'Anything');
  await page.waitForFunction(() => document.querySelector('.code code')?.textContent === 'def ');
  world.stack.model.breakOff();
  await page.getByRole('alert').getByText('The model did not answer').waitFor();
  assert.equal(await page.locator('.code code').textContent(), 'def ');
  resume();
  await visitor.leave();
});

test('an empty prompt is not sent', async () => {
  const visitor = await withKey('Emma Empty', MODEL_KEY);
  const before = world.stack.model.requests.length;
  await ask(visitor, '   ');
  await visitor.page.getByText('Describe your idea first.').waitFor();
  assert.equal(world.stack.model.requests.length, before);
  await visitor.leave();
});
