// Access without a session, redirects, and security headers.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { journeys, newUser } from '../world/journey.js';
import { Stack, idpAdmin } from '../world/stack.js';

const world = journeys(() => Stack.dev());
const PROTECTED = ['/dashboard', '/settings', '/generate', '/new-password', '/settings/anything', '/dashboard?x=1'];

const ask = (path, headers = {}) => fetch(addresses.app + path, { redirect: 'manual', headers });

/** Returns a session cookie with this access token. */
function cookie(accessToken) {
  const session = {
    access_token: accessToken,
    refresh_token: 'made-up',
    token_type: 'bearer',
    expires_in: 3600,
    expires_at: Math.floor(Date.now() / 1000) + 3600,
    user: { id: '00000000-0000-4000-8000-000000000000', aud: 'authenticated', role: 'authenticated' },
  };
  return { cookie: `sb-127-auth-token=base64-${Buffer.from(JSON.stringify(session)).toString('base64url')}` };
}

const mint = async (request) => (await idpAdmin('POST', '/tokens', request)).access_token;

for (const path of PROTECTED) {
  test(`${path} redirects to the sign-in page with a return path`, async () => {
    for (const headers of [{}, { rsc: '1' }, { rsc: '1', 'next-router-prefetch': '1' }, { 'x-middleware-subrequest': 'proxy:proxy:proxy:proxy:proxy' }]) {
      const response = await ask(path, headers);
      assert.equal(response.status, 307, JSON.stringify(headers));
      const to = new URL(response.headers.get('location'), addresses.app);
      assert.equal(to.origin + to.pathname, `${addresses.app}/sign-in`);
      assert.equal(to.searchParams.get('next')?.split('?')[0], path.split('?')[0]);
    }
  });
}

test('invalid tokens are rejected and their cookie is deleted', async () => {
  const requests = [{ forge: 'tampered' }, { forge: 'signed_by_stranger' }, { expires_in: -60 }, { claims: { aud: 'another-service' } }];
  for (const request of requests) {
    const response = await ask('/dashboard', cookie(await mint(request)));
    assert.equal(response.status, 307, JSON.stringify(request));
    assert.match(response.headers.get('location'), /\/sign-in/);
    const deleted = response.headers.getSetCookie().find((line) => line.startsWith('sb-127-auth-token='));
    assert.match(deleted ?? '', /Max-Age=0/, JSON.stringify(request));
  }
  const good = await ask('/dashboard', cookie(await mint({})));
  assert.equal(good.status, 200, 'a valid token is accepted');
});

test('the return path does not lead to another site', async () => {
  const headers = cookie(await mint({}));
  const hostile = [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/%09/evil.example/..//evil.example',
    '/.//evil.example',
    '/x/..//evil.example',
    'javascript:alert(1)',
    '@evil.example',
    '',
    '/sign-in?next=/sign-in',
    '/auth/callback?code=x',
    '/forgot-password',
  ];
  for (const next of hostile) {
    const response = await ask(`/sign-in?next=${encodeURIComponent(next)}`, headers);
    assert.equal(response.status, 307, next);
    const to = new URL(response.headers.get('location'), addresses.app);
    assert.equal(to.origin, addresses.app, next);
    assert.ok(to.pathname === '/dashboard' || to.pathname.startsWith('/%09/'), `${next} led to ${to.pathname}`);
  }
  for (const next of ['/settings', '/generate?from=mail', '/dashboard?x=//evil.example']) {
    const response = await ask(`/sign-in?next=${encodeURIComponent(next)}`, headers);
    const to = new URL(response.headers.get('location'), addresses.app);
    assert.equal(to.pathname + to.search, next);
  }
});

test('the callback redirects only within this app', async () => {
  for (const query of ['', '?code=made-up', '?error=access_denied', '?error=%3Cscript%3E', '?code=x&next=//evil.example', '?code=x&next=https://evil.example']) {
    const response = await ask(`/auth/callback${query}`, { 'x-forwarded-host': 'evil.example' });
    assert.equal(response.status, 303, query);
    const location = response.headers.get('location');
    assert.match(location, /^\/sign-in\?[^#]*#$/, query);
    assert.doesNotMatch(location, /evil/, query);
    assert.equal(response.headers.get('cache-control'), 'no-store');
  }
});

test('the retry link leads to the requested page only', async () => {
  for (const [next, to] of [['/settings?x=1', '/settings?x=1'], ['//evil.example', '/dashboard'], ['/unavailable', '/dashboard']]) {
    const html = await (await ask(`/unavailable?next=${encodeURIComponent(next)}`)).text();
    assert.equal(/<a class="button" href="([^"]*)"/.exec(html)?.[1], to, next);
  }
});

test('text from the URL is not shown', async () => {
  const visitor = await world.visitor();
  await visitor.goto(`/sign-in?problem=${encodeURIComponent('Your account was hacked, call 555')}`);
  await visitor.page.getByText('The sign-in did not work.').waitFor();
  assert.equal(await visitor.page.getByText('hacked').count(), 0);
  for (const inherited of ['constructor', '__proto__', 'toString']) {
    await visitor.goto(`/sign-in?problem=${inherited}`);
    await visitor.page.getByText('The sign-in did not work.').waitFor();
  }
  await visitor.leave();
});

test('a form submitted before hydration puts no password into the URL', async () => {
  const session = cookie(await mint({}));
  const pages = [['/sign-in', ['Email', 'Password']], ['/sign-up', ['Email', 'Password']], ['/forgot-password', ['Email']], ['/new-password', ['New password'], session]];
  for (const [path, labels, extraHTTPHeaders] of pages) {
    const visitor = await world.visitor({ javaScriptEnabled: false, ...(extraHTTPHeaders && { extraHTTPHeaders }) });
    await visitor.goto(path);
    for (const label of labels) await visitor.page.getByLabel(label).fill(label === 'Email' ? 'early@example.com' : 'correct horse battery');
    const sent = visitor.page.waitForRequest((request) => request.isNavigationRequest());
    await visitor.page.getByLabel(labels.at(-1)).press('Enter');
    assert.equal((await sent).method(), 'POST');
    for (const address of visitor.addresses) assert.doesNotMatch(address, /horse|early/);
    await visitor.leave(/./);
  }
});

test('every page has a policy with its own nonce and is not cached', async () => {
  const headers = cookie(await mint({}));
  const nonces = new Set();
  for (const [path, sent] of [['/', {}], ['/sign-in', {}], ['/nothing-here', {}], ['/dashboard', headers], ['/settings', headers], ['/generate', headers], ['/new-password', headers]]) {
    const response = await ask(path, sent);
    const policy = response.headers.get('content-security-policy');
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1];
    assert.ok(nonce && !nonces.has(nonce), path);
    nonces.add(nonce);
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(response.headers.get('x-frame-options'), 'DENY');
    assert.equal(response.headers.get('x-powered-by'), null);
    assert.match(response.headers.get('cache-control'), /no-store/, path);
    const html = await response.text();
    for (const [script] of html.matchAll(/<script[^>]*>/g)) assert.ok(script.includes(nonce), `${path}: ${script}`);
  }
});

test('a disabled account shows a message and no data', async () => {
  const visitor = await world.visitor();
  await visitor.signUp(newUser('Closed Example'));
  await visitor.sees('Closed Example');
  const { user } = await visitor.session();
  const admin = { authorization: `Bearer ${await mint({ claims: { sub: 'root', app_metadata: { roles: ['admin'] } } })}`, 'content-type': 'application/json' };
  const { items } = await (await fetch(`${addresses.api}/api/admin/users?limit=100`, { headers: admin })).json();
  const account = items.find(({ subject }) => subject === user.id);
  const disabled = await fetch(`${addresses.api}/api/admin/users/${account.id}`, { method: 'PATCH', headers: admin, body: '{"is_active":false}' });
  assert.equal(disabled.status, 200);
  // Tokens of the second in which the account was disabled are revoked; later ones get 403.
  const status = async () => (await fetch(`${addresses.api}/api/auth/me`, { headers: { authorization: `Bearer ${await mint({ claims: { sub: user.id } })}` } })).status;
  while ((await status()) === 401);

  await visitor.page.reload();
  await visitor.page.getByRole('alert').getByText('This account is disabled').first().waitFor();
  assert.equal(await visitor.page.locator('.person-name').count(), 0);
  await visitor.picture('closed');
  // Disabling has revoked the token, so the app refreshes it once.
  await visitor.leave(/status of 40[13]/);
});
