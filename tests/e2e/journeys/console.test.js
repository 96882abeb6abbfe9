// The developer console of the development IdP, by mouse and by keyboard.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { journeys } from '../world/journey.js';
import { Stack, idpAdmin } from '../world/stack.js';

const world = journeys(() => Stack.dev());
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

async function open(options) {
  const visitor = await world.visitor(options);
  await visitor.page.goto(`${addresses.idp}/`);
  await visitor.page.locator('#keys li').first().waitFor();
  return visitor;
}

async function look(visitor, name) {
  const { page } = visitor;
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 860 });
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(tooWide, 0, `${name} at ${width} px scrolls sideways`);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await visitor.picture(`look-console-${name}-${width}-${colorScheme}`);
      const { violations } = await page.evaluate(`${axe}; axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`);
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`), [], `${name} at ${width} px, ${colorScheme}`);
    }
  }
}

test('a developer gets a token and sees how the API verifies it', async () => {
  const visitor = await open();
  const { page } = visitor;
  await page.getByLabel('Email').fill('grace@example.com');
  await page.getByLabel('Roles').fill('<img src=x onerror=alert(1)>, admin');
  await visitor.button('Get a token').click();
  await page.getByText('The API accepts it').waitFor();
  const token = await page.getByRole('textbox', { name: /Paste one/ }).inputValue();
  const answer = await fetch(`${addresses.api}/protected`, { headers: { authorization: `Bearer ${token}` } });
  assert.deepEqual([answer.status, (await answer.json()).email], [200, 'grace@example.com']);
  assert.match(await page.getByLabel('Claims', { exact: true }).textContent(), /<img src=x/, 'markup is shown as text');
  assert.equal(await page.locator('img').count(), 0);
  await look(visitor, 'accepted');

  await page.getByLabel('Forgery').selectOption('tampered');
  await visitor.button('Get a token').click();
  await page.getByText('The API rejects it: INVALID_SIGNATURE').waitFor();
  await look(visitor, 'refused');
  for (const address of visitor.addresses) assert.ok(address.startsWith(`${addresses.idp}/`) || address.startsWith('data:'), address);
  await visitor.leave();
});

test('keys and faults can be changed by keyboard', async () => {
  const visitor = await open();
  const { page } = visitor;
  await visitor.button('Rotate').focus();
  await page.keyboard.press('Enter');
  await page.getByText('previously used').waitFor();
  await page.getByRole('radio', { name: 'Works' }).focus();
  await page.keyboard.press('ArrowDown');
  await page.getByText('JWKS endpoint: Outage 503.').waitFor();
  assert.equal((await idpAdmin('GET', '/faults')).status, 503);
  await page.keyboard.press('ArrowUp');
  await page.getByText('JWKS endpoint: Works.').waitFor();
  assert.equal((await idpAdmin('GET', '/faults')).status, null);
  await visitor.leave();
});

test('long user names fit, and the inbox links back to the console', async () => {
  for (let at = 0; at < 9; at += 1) {
    const email = `user-with-a-rather-long-address-${at}@some-department.of-a-company.example.com`;
    const data = { full_name: `Maximiliana-Theodora Wolfeschlegelsteinhausenbergerdorff ${at}` };
    const body = JSON.stringify({ email, password: 'correct horse', data });
    assert.equal((await fetch(`${addresses.idp}/auth/v1/signup`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status, 200);
  }
  const visitor = await open();
  const { page } = visitor;
  await page.getByRole('button', { name: 'bergerdorff 8' }).waitFor();
  assert.match(await page.locator('#people button').first().textContent(), /bergerdorff 8/);
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 860 });
    const column = await page.locator('section', { has: page.locator('#people') }).boundingBox();
    for (const person of await page.locator('#people button').all()) {
      const { x, width: wide } = await person.boundingBox();
      assert.ok(x + wide <= column.x + column.width, `at ${width} px`);
      assert.equal(await person.evaluate((button) => button.scrollWidth > button.clientWidth), false, `at ${width} px`);
    }
    const list = await page.locator('#people').boundingBox();
    assert.ok(list.height < 400, 'the session list stays visible');
  }
  await look(visitor, 'many');
  await page.getByRole('link', { name: 'Inbox' }).click();
  await page.getByRole('heading', { name: 'Inbox' }).waitFor();
  await page.getByRole('link', { name: 'Console' }).click();
  await page.locator('#keys li').first().waitFor();
  await visitor.leave();
});
