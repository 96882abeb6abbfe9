// What people change, and how they leave: systems B and E.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { refusal } from '../world/browser.js';
import { journeys, somebody } from '../world/journey.js';
import { MODEL_KEY } from '../world/model.js';
import { Stack } from '../world/stack.js';

const world = journeys(() => Stack.dev());

const key = (page, title) => page.locator('.key', { hasText: title });

test('a key is stored, shown masked, replaced and removed, and never comes back to the browser', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  const bodies = [];
  page.on('response', async (response) => {
    if (response.url().startsWith(addresses.api)) bodies.push(await response.text().catch(() => ''));
  });
  await visitor.signUp(somebody('Kay Keys'));
  await visitor.goto('/settings');
  await key(page, 'Together AI').getByText('Not set').waitFor();
  await visitor.button('Add Together AI key').click();
  assert.equal(await page.getByLabel('Together AI key', { exact: true }).evaluate((input) => input === document.activeElement), true);
  await page.getByLabel('Together AI key', { exact: true }).fill(MODEL_KEY);
  await visitor.button('Save key').click();
  const masked = `${MODEL_KEY.slice(0, 8)}...${MODEL_KEY.slice(-4)}`;
  await key(page, 'Together AI').getByText(masked).waitFor();
  await visitor.picture('settings-1-key');

  await page.reload();
  await key(page, 'Together AI').getByText(masked).waitFor();
  await visitor.button('Replace Together AI key').click();
  await page.getByLabel('Together AI key', { exact: true }).fill('short');
  await visitor.button('Save key').click();
  await key(page, 'Together AI').getByText(/^\*+$/).waitFor();

  await visitor.button('Remove Together AI key').click();
  await key(page, 'Together AI').getByText('Not set').waitFor();
  assert.ok(bodies.some((body) => body.includes(masked)));
  for (const body of bodies) assert.ok(!body.includes(MODEL_KEY), 'the whole key in an answer');
  await visitor.leave();
});

test('what cannot be a key is refused at its field, in words', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(somebody('Ken Mistaken'));
  await visitor.goto('/settings');
  await visitor.button('Add Kestra key').click();
  const input = page.getByLabel('Kestra key', { exact: true });
  await input.fill('two words');
  await visitor.button('Save key').click();
  await page.locator('.field-problem').waitFor();
  assert.equal(await input.getAttribute('aria-invalid'), 'true');
  const described = (await input.getAttribute('aria-describedby')).split(' ');
  assert.ok(described.includes(await page.locator('.field-problem').getAttribute('id')), 'and read out with it');
  await visitor.picture('settings-2-problem');
  await visitor.leave(refusal(422));
});

test('a name is changed, and a picture that is no https address is refused', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(somebody('Tracy Before'));
  await visitor.goto('/settings');
  await page.getByLabel('Name').fill('Pat After');
  await page.getByLabel('Picture').fill('http://example.com/pat.png');
  await visitor.button('Save profile').click();
  await page.locator('.field-problem', { hasText: 'https' }).waitFor();
  await page.getByLabel('Picture').fill('');
  await visitor.button('Save profile').click();
  await page.getByText('Saved.').waitFor();
  // At once, and from the beginning: the token still says the name of before.
  for (const walk of [() => page.getByRole('navigation').getByRole('link', { name: 'Dashboard' }).click(), () => page.reload()]) {
    await walk();
    await visitor.sees('Pat After');
    await page.getByRole('heading', { name: 'Good to see you, Pat' }).waitFor();
    await page.getByLabel('Your account').click();
    await page.locator('.account-panel').getByText('Pat After').waitFor();
    assert.equal(await page.getByText('Tracy Before').count(), 0);
  }
  await visitor.leave(refusal(422));
});

test('who deletes the account leaves nothing behind', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  const dee = somebody('Dee Leaving');
  await visitor.signUp(dee);
  await page.getByLabel('What checks in?').fill('a trace of Dee');
  await visitor.button('Record').click();
  await page.getByRole('listitem').filter({ hasText: 'a trace of Dee' }).waitFor();

  await visitor.goto('/settings');
  await visitor.button('Delete account…').click();
  await visitor.button('Delete everything').click();
  await page.getByText('Type the word “delete” to go on.').waitFor();
  await visitor.picture('settings-3-delete');
  await page.getByLabel('Type “delete” to confirm').fill('delete');
  await visitor.button('Delete everything').click();
  await visitor.arrives('/sign-in');
  await page.getByText('Everything we kept about you is erased').waitFor();
  assert.equal(await visitor.session(), undefined);

  await visitor.signIn(dee);
  await visitor.arrives('/dashboard');
  await page.getByText('Nothing has checked in yet').waitFor();
  await visitor.leave();
});
