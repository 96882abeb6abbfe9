// The unmodified client of the MCP SDK against the example: discovery, registration, consent in a browser, refresh, step-up.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { chromium } from 'playwright-core';

import { admin, startIdp, startMcpServer } from './programs.js';
import { Provider } from './provider.js';

let idp, server, browser, provider, client, transport;
const requests = [];

before(async () => {
  idp = await startIdp();
  server = await startMcpServer(idp);
  browser = await chromium.launch({ executablePath: process.env.E2E_CHROMIUM, headless: true, args: ['--no-sandbox', '--disable-gpu'] });
  provider = await Provider.listen();
});

after(async () => {
  await client?.close();
  provider?.close();
  await browser?.close();
  await server?.stop();
  await idp?.stop();
});

/** Records the requests of the SDK. */
async function recordingFetch(url, init) {
  const response = await fetch(url, init);
  requests.push({ url: String(url), status: response.status, challenge: response.headers.get('www-authenticate') });
  return response;
}

function connect() {
  transport = new StreamableHTTPClientTransport(new URL(server.resource), { authProvider: provider, fetch: recordingFetch });
  client = new Client({ name: 'test', version: '1.0.0' });
  return client.connect(transport);
}

function claims() {
  return JSON.parse(Buffer.from(provider.saved.access_token.split('.')[1], 'base64url'));
}

/** Allows the latest authorization request as Ada, and returns the text of the consent page. */
async function consent() {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(String(provider.redirects.at(-1)));
    const text = await page.locator('main').innerText();
    const callback = provider.callback();
    await page.locator('[data-email="ada@example.com"]').click();
    const parameters = await callback;
    assert.equal(parameters.get('state'), provider.sentState);
    assert.equal(parameters.get('iss'), idp.issuer);
    await page.waitForURL((url) => url.pathname === '/callback');
    return { text, code: parameters.get('code') };
  } finally {
    await context.close();
  }
}

async function call(name, args = {}) {
  const result = await client.callTool({ name, arguments: args });
  assert.ok(!result.isError, JSON.stringify(result));
  return result.content[0].text;
}

test('the 401 leads to discovery, registration and an authorization request', async () => {
  await assert.rejects(connect(), UnauthorizedError);
  const paths = requests.map(({ url, status }) => `${status} ${new URL(url).pathname}`);
  assert.deepEqual(paths, [
    '401 /mcp',
    '200 /.well-known/oauth-protected-resource/mcp',
    '200 /.well-known/oauth-authorization-server/auth/v1',
    '201 /auth/v1/oauth/clients/register',
  ]);
  assert.match(requests[0].challenge, /scope="notes:read"/);
  const parameters = provider.redirects.at(-1).searchParams;
  assert.equal(parameters.get('resource'), server.resource);
  assert.equal(parameters.get('scope'), 'notes:read');
  assert.equal(parameters.get('code_challenge_method'), 'S256');
  assert.equal(parameters.get('client_id'), provider.client.client_id);
});

test('after consent in the browser the client connects and calls a tool', async () => {
  const { text, code } = await consent();
  assert.match(text, /Test host/);
  assert.match(text, /notes:read/);
  assert.ok(text.includes(server.resource), text);
  await transport.finishAuth(code);
  await connect();
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map(({ name }) => name).sort(), ['add_note', 'delete_note', 'list_notes']);
  assert.equal(await call('list_notes'), '[]');
  const { aud, client_id, scope } = claims();
  assert.deepEqual({ aud, client_id, scope }, { aud: server.resource, client_id: provider.client.client_id, scope: 'notes:read' });
});

test('an expired token is refreshed without the user, after the signing key was rotated', async () => {
  const { exp, iat, ...rest } = claims();
  const expired = await admin(idp, 'POST /admin/tokens', { claims: rest, expires_in: -3600 });
  const before = provider.saved;
  provider.saved = { ...before, access_token: expired.access_token };
  const { keys } = await admin(idp, 'POST /admin/keys/rotate').then(() => fetch(`${idp.issuer}/.well-known/jwks.json`)).then((response) => response.json());
  assert.equal(keys.length, 2);
  const redirects = provider.redirects.length;
  assert.equal(await call('list_notes'), '[]');
  assert.equal(provider.redirects.length, redirects, 'the user was not asked');
  assert.notEqual(provider.saved.refresh_token, before.refresh_token);
  const kid = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;
  assert.notEqual(kid(provider.saved.access_token), kid(before.access_token));
  const refreshed = requests.findLast(({ url }) => url.endsWith('/oauth/token'));
  assert.equal(refreshed.status, 200);
});

test('a tool that changes notes asks for the second scope', async () => {
  // With a refresh token the SDK refreshes instead of asking for more, and receives the granted scope again.
  provider.saved = { ...provider.saved, refresh_token: undefined };
  await assert.rejects(call('add_note', { text: 'Write tests' }), UnauthorizedError);
  const refused = requests.findLast(({ status }) => status === 403);
  assert.match(refused.challenge, /error="insufficient_scope"/);
  const parameters = provider.redirects.at(-1).searchParams;
  assert.equal(parameters.get('scope'), 'notes:read notes:write');
  assert.equal(parameters.get('resource'), server.resource);
  const { text, code } = await consent();
  assert.match(text, /notes:write/);
  await transport.finishAuth(code);
  assert.equal(claims().scope, 'notes:read notes:write');
  assert.equal(await call('add_note', { text: 'Write tests' }), '{"id":1,"text":"Write tests"}');
  assert.equal(await call('list_notes'), '[{"id":1,"text":"Write tests"}]');
});

test('a refresh restores the scope that the user granted', async () => {
  const granted = provider.saved;
  const narrowed = await fetch(`${idp.issuer}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: granted.refresh_token,
      client_id: provider.client.client_id,
      scope: 'notes:read',
    }),
  }).then((response) => response.json());
  provider.saved = { ...granted, ...narrowed };
  // The refresh returns the granted scope, which is sufficient here.
  assert.equal(await call('add_note', { text: 'Refreshed' }), '{"id":2,"text":"Refreshed"}');
  assert.equal(claims().scope, 'notes:read notes:write');
});

test('tokens for other resources are refused', async () => {
  const own = provider.saved.access_token;
  const { exp, iat, ...rest } = claims();
  const send = (token) =>
    fetch(server.resource, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
  assert.equal((await send(own)).status, 200);
  for (const aud of ['authenticated', 'http://127.0.0.1:1/mcp', undefined]) {
    const { access_token } = await admin(idp, 'POST /admin/tokens', { claims: { ...rest, aud: aud ?? null } });
    const response = await send(access_token);
    assert.equal(response.status, 401, String(aud));
    assert.match(response.headers.get('www-authenticate'), /error="invalid_token"/);
  }
});

test('denial is reported to the client', async () => {
  provider.invalidateCredentials('all');
  await assert.rejects(connect(), UnauthorizedError);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(String(provider.redirects.at(-1)));
  const callback = provider.callback();
  await page.locator('#deny').click();
  assert.equal((await callback).get('error'), 'access_denied');
  await context.close();
});
