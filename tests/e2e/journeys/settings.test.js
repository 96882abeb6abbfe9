// Profile, API keys and account deletion.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { statusError } from '../world/browser.js';
import { journeys, newUser } from '../world/journey.js';
import { MODEL_KEY } from '../world/model.js';
import { Stack } from '../world/stack.js';

const world = journeys(() => Stack.dev());

const key = (page, title) => page.locator('.key', { hasText: title });

test('a key is stored, masked, replaced, removed and never returned', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  const bodies = [];
  page.on('response', async (response) => {
    if (response.url().startsWith(addresses.api)) bodies.push(await response.text().catch(() => ''));
  });
  await visitor.signUp(newUser('Kay Keys'));
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
  for (const body of bodies) assert.ok(!body.includes(MODEL_KEY), 'a response contains the whole key');
  await visitor.leave();
});

test('an invalid key shows a message at its field', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(newUser('Ken Mistaken'));
  await visitor.goto('/settings');
  await visitor.button('Add Kestra key').click();
  const input = page.getByLabel('Kestra key', { exact: true });
  await input.fill('two words');
  await visitor.button('Save key').click();
  await page.locator('.field-problem').waitFor();
  assert.equal(await input.getAttribute('aria-invalid'), 'true');
  const described = (await input.getAttribute('aria-describedby')).split(' ');
  assert.ok(described.includes(await page.locator('.field-problem').getAttribute('id')), 'the problem describes the input');
  await visitor.picture('settings-2-problem');
  await visitor.leave(statusError(422));
});

test('a name can be changed and a picture must be an https URL', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await visitor.signUp(newUser('Tracy Before'));
  await visitor.goto('/settings');
  await page.getByLabel('Name').fill('Pat After');
  await page.getByLabel('Picture').fill('http://example.com/pat.png');
  await visitor.button('Save profile').click();
  await page.locator('.field-problem', { hasText: 'https' }).waitFor();
  await page.getByLabel('Picture').fill('');
  await visitor.button('Save profile').click();
  await page.getByText('Saved.').waitFor();
  // Immediately and after a reload, although the token still has the old name.
  for (const walk of [() => page.getByRole('navigation').getByRole('link', { name: 'Dashboard' }).click(), () => page.reload()]) {
    await walk();
    await visitor.sees('Pat After');
    await page.getByRole('heading', { name: 'Good to see you, Pat' }).waitFor();
    await page.getByLabel('Your account', { exact: true }).click();
    await page.locator('.account-panel').getByText('Pat After').waitFor();
    assert.equal(await page.getByText('Tracy Before').count(), 0);
  }
  await visitor.leave(statusError(422));
});

test('deleting the account deletes its data', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  const dee = newUser('Dee Leaving');
  await visitor.signUp(dee);
  await page.getByLabel('Client name').fill('a trace of Dee');
  await visitor.button('Record').click();
  await page.getByRole('listitem').filter({ hasText: 'a trace of Dee' }).waitFor();

  await visitor.goto('/settings');
  await visitor.button('Delete account…').click();
  await visitor.button('Delete everything').click();
  await page.getByText('Type the word “delete” to continue.').waitFor();
  await visitor.picture('settings-3-delete');
  await page.getByLabel('Type “delete” to confirm').fill('delete');
  await visitor.button('Delete everything').click();
  await visitor.arrives('/sign-in');
  await page.getByText('Your account and its data are deleted').waitFor();
  assert.equal(await visitor.session(), undefined);

  await visitor.signIn(dee);
  await visitor.arrives('/dashboard');
  await page.getByText('No status checks yet').waitFor();
  await visitor.leave();
});
