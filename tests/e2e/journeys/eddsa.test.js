// An identity provider that signs with EdDSA, which supabase-js cannot verify.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addresses } from '../world/addresses.js';
import { journeys, newUser } from '../world/journey.js';
import { Stack, idpAdmin } from '../world/stack.js';

const world = journeys(() => Stack.apart({ idp: ['--alg', 'EdDSA'] }));

test('every page works with a session that is signed with EdDSA', async () => {
  const visitor = await world.visitor();
  await visitor.signUp(newUser('Edda Edwards'));
  await visitor.sees('Edda Edwards');
  const { access_token } = await visitor.session();
  assert.equal(JSON.parse(Buffer.from(access_token.split('.')[0], 'base64url')).alg, 'EdDSA');
  for (const path of ['/', '/dashboard', '/generate', '/settings']) {
    const response = await visitor.goto(path);
    assert.equal(response.status(), 200, path);
    assert.equal(new URL(visitor.page.url()).pathname, path);
  }
  // A key that the app has not fetched yet.
  await idpAdmin('POST', '/keys/rotate', {});
  const other = await world.visitor();
  await other.signUp(newUser('Rolf Rotated'));
  await other.sees('Rolf Rotated');
  await visitor.goto('/dashboard');
  await visitor.sees('Edda Edwards');
  await visitor.leave();
  await other.leave();
});

test('invalid EdDSA tokens are rejected', async () => {
  for (const request of [{ forge: 'tampered' }, { forge: 'signed_by_stranger' }, { expires_in: -60 }, { claims: { aud: 'another-service' } }]) {
    const minted = await idpAdmin('POST', '/tokens', request);
    const session = { access_token: minted.access_token, refresh_token: 'x', token_type: 'bearer', expires_in: 3600, expires_at: Math.floor(Date.now() / 1000) + 3600, user: { id: 'x' } };
    const cookie = `sb-127-auth-token=base64-${Buffer.from(JSON.stringify(session)).toString('base64url')}`;
    const response = await fetch(`${addresses.app}/dashboard`, { redirect: 'manual', headers: { cookie } });
    assert.equal(response.status, 307, JSON.stringify(request));
    assert.match(response.headers.get('location'), /\/sign-in/);
  }
});
