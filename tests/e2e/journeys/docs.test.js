// The documentation page of the API.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { statusError } from '../world/browser.js';
import { Dev } from '../world/dev.js';
import { journeys } from '../world/journey.js';
import { look } from '../world/look.js';

const world = journeys(() => Dev.start());

async function open() {
  const visitor = await world.visitor();
  await visitor.page.goto(`${addresses.api}/docs`);
  await visitor.page.locator('.operation').first().waitFor();
  return visitor;
}

const operation = (page, method, path) => page.locator('.operation', { has: page.locator('summary', { hasText: new RegExp(`^${method}${path.replaceAll(/[{}]/g, '\\$&')}[A-Z]`) }) });

test('an operation is tried with a development token', async () => {
  const visitor = await open();
  const { page } = visitor;
  await look(visitor, 'docs');
  const me = operation(page, 'GET', '/api/auth/me');
  await me.locator('> summary').click();
  await me.getByRole('button', { name: 'Send' }).click();
  await me.getByText(/^401 /).waitFor();
  await me.getByText('MISSING_TOKEN').waitFor();
  await visitor.button('Get a development token').click();
  await page.getByText('A token for ada@example.com').waitFor();
  await me.getByRole('button', { name: 'Send' }).click();
  await me.getByText(/^200 /).waitFor();
  await me.getByText('"ada@example.com"').first().waitFor();
  await visitor.leave(statusError(401));
});

test('parameters and bodies are sent, and administrators have a token of their own', async () => {
  const visitor = await open();
  const { page } = visitor;
  await page.getByLabel('as administrator').check();
  await visitor.button('Get a development token').click();
  await page.getByText('A token for ada@example.com').waitFor();
  const add = operation(page, 'POST', '/api/status');
  await add.locator('> summary').click();
  await add.getByRole('textbox', { name: 'Body' }).fill('{ "client_name": "<b>docs</b>" }');
  await add.getByRole('button', { name: 'Send' }).click();
  await add.getByText(/^201 /).waitFor();
  await add.getByText('"<b>docs</b>"').waitFor();
  const list = operation(page, 'GET', '/api/status');
  await list.locator('> summary').click();
  await list.getByLabel(/^limit/).fill('1');
  await list.getByRole('button', { name: 'Send' }).click();
  await list.getByText(/^200 /).waitFor();
  assert.ok(visitor.addresses.includes(`${addresses.api}/api/status?limit=1`));
  const users = operation(page, 'GET', '/api/admin/users');
  await users.locator('> summary').click();
  await users.getByRole('button', { name: 'Send' }).click();
  await users.getByText(/^200 /).waitFor();
  await look(visitor, 'docs-open');
  for (const address of visitor.addresses) assert.ok(address.startsWith(addresses.api) || address === `${addresses.idp}/admin/tokens` || address.startsWith('data:'), address);
  await visitor.leave();
});

test('an operation of all methods is one entry, and words find it', async () => {
  const visitor = await open();
  const { page } = visitor;
  assert.equal(await page.locator('summary', { hasText: '/api/auth/verify' }).count(), 1);
  await page.getByLabel('Filter').fill('forwarded verify');
  assert.equal(await page.locator('.operation:visible').count(), 1);
  await page.locator('.operation:visible > summary').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('table').first().getByText('X-Auth-Subject').waitFor();
  await page.getByLabel('Method').selectOption('PATCH');
  await look(visitor, 'docs-verify');
  await page.getByLabel('Filter').fill('no such words');
  await page.getByText('No operation has these words.').waitFor();
  await visitor.leave();
});
