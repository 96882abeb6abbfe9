// The developer console of the development IdP, by mouse and by keyboard.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { statusError } from '../world/browser.js';
import { Dev } from '../world/dev.js';
import { journeys } from '../world/journey.js';
import { look } from '../world/look.js';
import { idpAdmin } from '../world/stack.js';

const world = journeys(() => Dev.start());

async function open(options) {
  const visitor = await world.visitor(options);
  await visitor.page.goto(`${addresses.idp}/`);
  await visitor.page.locator('#keys li').first().waitFor();
  return visitor;
}

const section = (page, name) => page.locator('section', { has: page.getByRole('heading', { name, exact: false }) });
const tokenField = (page) => page.getByRole('textbox', { name: /Paste one/ });

async function post(base, path, body, headers = {}) {
  return fetch(`${base}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
}

async function signUp(email, full_name) {
  const response = await post(addresses.idp, '/auth/v1/signup', { email, password: 'correct horse', data: { full_name } });
  assert.equal(response.status, 200);
  return response.json();
}

test('a developer connects, gets a token and sees how the API verifies it', async () => {
  const visitor = await open();
  const { page } = visitor;
  const connect = section(page, 'Connect');
  await connect.getByText(`${addresses.idp}/auth/v1/.well-known/jwks.json`).first().waitFor();
  await page.getByRole('tab', { name: 'Next.js' }).focus();
  await page.keyboard.press('End');
  assert.match(await page.getByRole('tabpanel').textContent(), /curl -i http:.*\/protected/);
  await page.keyboard.press('ArrowLeft');
  assert.match(await page.getByRole('tabpanel').textContent(), /keyfunc\.NewDefaultCtx/);

  await page.getByLabel('Email').fill('grace@example.com');
  await section(page, 'Sign in as anyone').getByLabel('Roles').fill('<img src=x onerror=alert(1)>, admin');
  await visitor.button('Get a token').click();
  await page.getByText('The API accepts it').waitFor();
  assert.match(await section(page, 'Sign in as anyone').getByRole('status').textContent(), /Issued a token for grace/);
  const token = await tokenField(page).inputValue();
  const answer = await fetch(`${addresses.api}/protected`, { headers: { authorization: `Bearer ${token}` } });
  assert.deepEqual([answer.status, (await answer.json()).email], [200, 'grace@example.com']);
  assert.match(await page.getByLabel('Claims', { exact: true }).textContent(), /<img src=x/, 'markup is shown as text');
  assert.equal(await page.locator('img').count(), 0);
  assert.match(await page.getByRole('row', { name: /^exp / }).textContent(), /in 59 minutes|in 60 minutes|in 1 hour/);
  await look(visitor, 'console-accepted');

  await page.getByLabel('Forgery').selectOption('tampered');
  await visitor.button('Get a token').click();
  await page.getByText('The API rejects it: INVALID_SIGNATURE').waitFor();
  await page.getByRole('heading', { name: 'Failed: signature' }).waitFor();
  assert.equal(await page.getByRole('table', { name: /checks passed/ }).isVisible(), false, 'passed checks are folded');
  await look(visitor, 'console-refused');
  for (const address of visitor.addresses) assert.ok(address.startsWith(`${addresses.idp}/`) || address.startsWith('data:'), address);
  await visitor.leave();
});

test('a request that the API rejects appears with its reason, and its token is explained', async () => {
  const visitor = await open();
  const { page } = visitor;
  const { access_token } = await idpAdmin('POST', '/tokens', { claims: { aud: 'another' } });
  const answer = await fetch(`${addresses.api}/protected`, { headers: { authorization: `Bearer ${access_token}` } });
  assert.equal(answer.status, 401);
  const row = page.locator('#requests li', { hasText: 'INVALID_AUDIENCE' });
  await row.waitFor();
  assert.match(await row.textContent(), /401GET \/protected.*invalid audience/i);
  await tokenField(page).fill(`Authorization: Bearer ${access_token}`);
  await visitor.button('Explain').click();
  await page.getByRole('heading', { name: 'Failed: claims' }).waitFor();
  await visitor.leave();
});

test('claims are edited and signed again', async () => {
  const visitor = await open();
  const { page } = visitor;
  await visitor.button('Get a token').click();
  await page.getByText('The API accepts it').waitFor();
  await page.getByText('Edit and sign again').click();
  const claims = page.getByLabel('Claims, as JSON');
  await claims.fill('{ "sub": ');
  await visitor.button('Sign').click();
  await page.getByText('Invalid JSON in Claims').waitFor();
  await visitor.button('Undo changes').click();
  const edited = { ...JSON.parse(await claims.inputValue()), exp: 1, own: true };
  await claims.fill(JSON.stringify(edited));
  await visitor.button('Sign').click();
  await page.getByText('The API rejects it: TOKEN_EXPIRED').waitFor();
  const signed = JSON.parse(Buffer.from((await tokenField(page).inputValue()).split('.')[1], 'base64url'));
  assert.deepEqual(signed, edited);
  await visitor.leave();
});

test('keys and faults can be changed by keyboard, and a key is revoked after a confirmation', async () => {
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

  const old = page.locator('#keys li', { hasText: 'previously used' }).getByRole('button');
  await old.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: /^Revoke / }).waitFor();
  await page.keyboard.press('Escape');
  assert.equal((await idpAdmin('GET', '/keys')).keys.length, 2, 'Escape changes nothing');
  await old.click();
  await look(visitor, 'console-confirm');
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await section(page, 'Signing keys').getByText(/^Revoked /).waitFor();
  assert.equal((await idpAdmin('GET', '/keys')).keys.length, 1);
  await visitor.leave();
});

test('a user gets roles, is banned, loses a session and is deleted', async () => {
  await signUp('eve@example.com', 'Eve <b>Example</b>');
  const visitor = await open();
  const { page } = visitor;
  const item = page.locator('#people > li', { hasText: 'eve@example.com' });
  await item.locator('summary').click();
  await item.getByLabel('Roles').fill('admin, editor');
  await item.getByRole('button', { name: 'Save roles' }).click();
  await item.getByText('roles admin, editor').waitFor();
  await item.getByRole('button', { name: /^Eve/ }).click();
  await page.getByText('The API accepts it').waitFor();
  assert.match(await page.getByRole('row', { name: /^roles/ }).textContent(), /admin, editor/);
  await item.getByRole('button', { name: /Revoke the session/ }).click();
  await item.getByText('No sessions.').waitFor();
  await item.getByRole('button', { name: 'Ban', exact: true }).click();
  await item.getByText('eve@example.com (banned)').waitFor();
  await look(visitor, 'console-user');
  await item.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await item.waitFor({ state: 'detached' });
  await visitor.leave();
});

test('the clock moves and mails arrive in the console and in the inbox without a reload', async () => {
  await signUp('mia@example.com', 'Mia Example');
  const visitor = await open();
  const { page } = visitor;
  await visitor.button('+1 hour').click();
  await page.getByText('1 h ahead').waitFor();
  assert.equal((await idpAdmin('GET', '/clock')).ahead_seconds, 3600);
  await visitor.button('Reset').click();
  await page.getByText('the time of this machine', { exact: false }).first().waitFor();

  const inbox = await visitor.tab();
  await inbox.goto(`${addresses.idp}/.inbox`);
  await inbox.getByText('No mail yet').waitFor();
  assert.equal((await post(addresses.idp, '/auth/v1/recover', { email: 'mia@example.com' })).status, 200);
  await page.getByRole('link', { name: 'Inbox (1)' }).waitFor();
  await page.locator('#mails li', { hasText: 'mia@example.com' }).waitFor();
  await inbox.locator('article', { hasText: 'mia@example.com' }).waitFor();
  const shown = visitor.page;
  visitor.page = inbox;
  await look(visitor, 'inbox');
  await inbox.getByRole('button', { name: 'Delete all' }).click();
  await inbox.getByText('No mail yet').waitFor();
  visitor.page = shown;
  await page.getByRole('link', { name: 'Inbox', exact: true }).waitFor();
  await inbox.getByRole('link', { name: 'Console' }).click();
  await inbox.locator('#keys li').first().waitFor();
  await visitor.leave();
});

test('code generation fails as the console says', async () => {
  const { access_token } = await idpAdmin('POST', '/tokens');
  const headers = { authorization: `Bearer ${access_token}` };
  assert.equal((await post(addresses.api, '/api/user/api-keys', { togetherAI: 'any' }, headers)).status, 200);
  const visitor = await open();
  const { page } = visitor;
  await page.getByRole('radio', { name: /Rate limit/ }).check();
  await page.getByText('Code generation: Rate limit 429.').waitFor();
  assert.equal((await post(addresses.api, '/api/generate', { prompt: 'x' }, headers)).status, 429);
  await page.locator('#requests li', { hasText: 'RATE_LIMITED' }).waitFor();
  await page.getByRole('radio', { name: /Answers/ }).check();
  await page.getByText('Code generation: Answers.').waitFor();
  const answer = await post(addresses.api, '/api/generate', { prompt: 'x' }, headers);
  assert.match((await answer.json()).code, /development stand-in/);
  await visitor.leave();
});

test('long user names fit', async () => {
  for (let at = 0; at < 9; at += 1) {
    await signUp(`user-with-a-rather-long-address-${at}@some-department.of-a-company.example.com`, `Maximiliana-Theodora Wolfeschlegelsteinhausenbergerdorff ${at}`);
  }
  const visitor = await open();
  const { page } = visitor;
  await page.getByRole('button', { name: 'bergerdorff 8' }).waitFor();
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 860 });
    const column = await section(page, 'Users').boundingBox();
    for (const person of await page.locator('#people .person').all()) {
      const { x, width: wide } = await person.boundingBox();
      assert.ok(x + wide <= column.x + column.width, `at ${width} px`);
      assert.equal(await person.evaluate((button) => button.scrollWidth > button.clientWidth), false, `at ${width} px`);
    }
  }
  await look(visitor, 'console-many');
  await visitor.leave();
});

test('the simulated Google signs in the chosen person with name and picture', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await page.goto(`${addresses.idp}/auth/v1/authorize?provider=google&redirect_to=${encodeURIComponent(`${addresses.idp}/`)}`);
  await page.getByRole('button', { name: /Ada Example/ }).waitFor();
  await look(visitor, 'consent');
  await page.getByRole('button', { name: /Ada Example/ }).click();
  await page.waitForURL(`${addresses.idp}/**`);
  const { users } = await idpAdmin('GET', '/users');
  const { user_metadata } = users.find(({ email }) => email === 'ada@example.com');
  assert.equal(user_metadata.full_name, 'Ada Example');
  assert.equal((await fetch(user_metadata.picture)).headers.get('content-type'), 'image/svg+xml');
  // The implicit flow has the session in the fragment of the address.
  visitor.addresses.length = 0;
  await visitor.leave(statusError(404));
});
