// The pages of the development IdP beside its console: consent, approval of OAuth clients, errors, and the console without an API.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { statusError } from '../world/browser.js';
import { Child } from '../world/child.js';
import { journeys } from '../world/journey.js';
import { look } from '../world/look.js';

class Idp {
  #child;

  static async start() {
    const idp = new Idp();
    const options = ['idp', '--bind', `127.0.0.1:${addresses.ports.idp}`, '--site-url', addresses.app, '--mail-interval', '0'];
    idp.#child = await new Child('bearward idp', process.env.BEARWARD, options).answers(`${addresses.idp}/health`);
    return idp;
  }

  stop() {
    return this.#child.stop();
  }
}

const world = journeys(() => Idp.start());
const redirect = `${addresses.app}/auth/callback`;
const authorize = `${addresses.idp}/auth/v1/authorize?provider=github&redirect_to=${encodeURIComponent(redirect)}`;

async function register(client_name) {
  const response = await fetch(`${addresses.idp}/auth/v1/oauth/clients/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name, redirect_uris: [redirect], token_endpoint_auth_method: 'none' }),
  });
  assert.equal(response.status, 201);
  return (await response.json()).client_id;
}

test('a user allows an OAuth client', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await page.route(`${redirect}*`, (route) => route.fulfill({ body: 'the client' }));
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: await register('Notes <b>Assistant</b>'),
    redirect_uri: redirect,
    scope: 'openid email notes:read notes:write',
    resource: 'https://notes.example.com/mcp',
    state: 'client-state',
    code_challenge: createHash('sha256').update(randomBytes(32)).digest('base64url'),
    code_challenge_method: 'S256',
  });
  await page.goto(`${addresses.idp}/auth/v1/oauth/authorize?${query}`);
  await page.getByRole('heading', { level: 1, name: 'Allow Notes <b>Assistant</b>?' }).waitFor();
  await look(visitor, 'approval');
  await page.getByLabel('Email').fill('nina@example.com');
  await page.getByLabel('Name').fill('Nina New');
  await page.locator('#continue').click();
  await page.waitForURL((url) => url.searchParams.get('state') === 'client-state' && url.searchParams.has('code'));
  const { users } = await (await fetch(`${addresses.idp}/admin/users`)).json();
  assert.equal(users.find(({ email }) => email === 'nina@example.com').user_metadata.full_name, 'Nina New');
  await visitor.leave();
});

test('problems of the consent pages are shown in their design', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await page.goto(authorize);
  await look(visitor, 'consent-github');
  await page.getByLabel('Email').fill('nina@localhost@example');
  await page.locator('#other-user').evaluate((form) => form.setAttribute('novalidate', ''));
  await page.locator('#continue').click();
  await page.getByRole('heading', { level: 1, name: 'Invalid email address' }).waitFor();
  await look(visitor, 'consent-invalid-email');
  await page.getByRole('link', { name: 'Back' }).click();
  await page.getByRole('heading', { level: 1, name: 'Sign in with GitHub' }).waitFor();
  await page.goto(`${addresses.idp}/.consent/00000000-0000-4000-8000-000000000000`);
  await page.getByRole('heading', { level: 1, name: 'Sign-in not found' }).waitFor();
  await look(visitor, 'consent-not-found');
  await page.goto(`${addresses.idp}/.approval/00000000-0000-4000-8000-000000000000`);
  await page.getByRole('heading', { level: 1, name: 'Authorization not found' }).waitFor();
  await visitor.leave(statusError(404, 422));
});

test('the console without an API decodes tokens and says what is missing', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  await page.goto(`${addresses.idp}/`);
  await page.getByText('No API runs in this process').first().waitFor();
  await look(visitor, 'console-without-api');
  await visitor.button('Get a token').click();
  await page.getByText('decoded but not verified').waitFor();
  await page.goto(`${addresses.idp}/.inbox`);
  await page.getByText('No mail yet').waitFor();
  await look(visitor, 'inbox-empty');
  await visitor.leave();
});

test('a rate limit that the console sets reaches an app, and sessions show their assurance level', async () => {
  const visitor = await world.visitor();
  const { page } = visitor;
  const signUp = () => fetch(`${addresses.idp}/auth/v1/signup`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"email": "rita@example.com", "password": "correct horse"}' });
  assert.equal((await signUp()).status, 200);
  await page.goto(`${addresses.idp}/`);
  await page.getByLabel('Answer sign-in requests with 429').check();
  await page.getByText('Sign-in requests are answered with 429.').waitFor();
  const limited = await signUp();
  assert.deepEqual([limited.status, (await limited.json()).error_code], [429, 'over_request_rate_limit']);
  await page.getByLabel('Answer sign-in requests with 429').uncheck();
  await page.getByText('Sign-in requests are answered again.').waitFor();
  const item = page.locator('#people > li', { hasText: 'rita@example.com' });
  await item.locator('summary').click();
  await item.getByText(/^aal1, /).waitFor();
  await visitor.leave();
});
