// Every page in both colour schemes and four widths: no horizontal scrolling, no accessibility violations (axe).
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { statusError } from '../world/browser.js';
import { journeys, newUser } from '../world/journey.js';
import { look } from '../world/look.js';
import { MODEL_KEY } from '../world/model.js';
import { Stack } from '../world/stack.js';

const world = journeys(() => Stack.dev());

test('public pages', async () => {
  const visitor = await world.visitor();
  for (const [path, name] of [['/', 'start'], ['/sign-in', 'sign-in'], ['/sign-in?problem=access_denied', 'sign-in-denied'], ['/sign-up', 'sign-up'], ['/forgot-password', 'forgot-password'], ['/forgot-password?problem=otp_expired', 'forgot-password-late'], ['/nothing', 'not-found'], ['/unavailable', 'unavailable']]) {
    await visitor.goto(path);
    await visitor.page.getByRole('heading', { level: 1 }).waitFor();
    await look(visitor, name);
  }
  await visitor.leave(statusError(404));
});

test('pages with a session', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(newUser('Wilhelmina Featherstonehaugh'));
  await visitor.sees('Wilhelmina');
  await page.getByText('No status checks yet').waitFor();
  await look(visitor, 'dashboard-empty');

  const { access_token } = await visitor.session();
  const headers = { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' };
  const post = (path, body) => fetch(addresses.api + path, { method: 'POST', headers, body: JSON.stringify(body) });
  for (const client_name of ['build server', 'nightly backup', 'kitchen tablet', 'ci runner 7', 'a-host-name-that-is-rather-long.internal.example.com', 'laptop', 'phone']) {
    assert.equal((await post('/api/status', { client_name })).status, 201);
  }
  assert.equal((await post('/api/user/api-keys', { togetherAI: MODEL_KEY, oumi: 'oumi-0123456789abcdef' })).status, 200);
  await page.reload();
  await page.getByRole('listitem').filter({ hasText: 'phone' }).waitFor();
  await visitor.button('Show older').click();
  await page.getByRole('listitem').filter({ hasText: 'build server' }).waitFor();
  await look(visitor, 'dashboard');

  await page.getByLabel('Your account', { exact: true }).click();
  await page.locator('.account-panel').waitFor();
  await look(visitor, 'account');
  await page.keyboard.press('Escape');
  await page.locator('.account-panel').waitFor({ state: 'hidden' });

  await visitor.goto('/settings');
  await page.getByText(MODEL_KEY.slice(-4)).waitFor();
  await page.getByLabel('Name').waitFor();
  await visitor.button('Add CodeRabbit key').click();
  await page.locator('.badge', { hasText: 'This device' }).waitFor();
  await look(visitor, 'settings');

  await visitor.goto('/new-password');
  await visitor.page.getByLabel('New password').waitFor();
  await look(visitor, 'new-password');

  await visitor.goto('/generate');
  await look(visitor, 'generate-empty');
  world.stack.model.pieces = CODE.split(/(?<= )/);
  await page.getByLabel('Your idea').fill('A function that turns a title into a URL slug, in TypeScript, with a test.');
  await visitor.button('Write the code').click();
  await page.getByText(`${CODE.split('\n').length} lines`).waitFor();
  await look(visitor, 'generate');
  await visitor.leave();
});

test('sign-up and sign-out work by keyboard', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  const kim = newUser('Kim Keyboard');
  await visitor.goto('/sign-up');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'Skip to the content');
  await page.keyboard.press('Enter');
  for (const text of ['Continue with Google', 'Continue with GitHub']) {
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), text);
  }
  for (const text of [kim.name, kim.email, kim.password]) {
    await page.keyboard.press('Tab');
    await page.keyboard.type(text);
  }
  await page.keyboard.press('Enter');
  await visitor.arrives('/dashboard');
  await visitor.sees('Kim Keyboard');
  await page.getByLabel('Your account').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await visitor.arrives('/sign-in');
  await visitor.leave();
});

const CODE = `export function slug(title: string): string {
  return title
    .normalize('NFKD')
    .replace(/\\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

test('accents and spaces become plain', () => {
  expect(slug('Crème brûlée, twice!')).toBe('creme-brulee-twice'); // the longest line of this example, which scrolls
});
`;
