// signInWithIdToken, getClaims, settings, health, discovery, CORS, both error formats.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { admin } from './idp.js'
import { UUID, assertSession, claimsOf, client, good, failed, seen, signUpUser, newEmail } from './client.js'

export default function (idps) {
  const credential = (idp, request) => admin(idp, 'POST /google/credential', request)
  const signIn = (token, nonce) => client(idps.standard).auth.signInWithIdToken({ provider: 'google', token, nonce })

  test('signInWithIdToken accepts an ID token of the fake Google', async () => {
    const email = newEmail()
    const { credential: token, claims } = await credential(idps.standard, { email, name: 'Ada Lovelace' })
    const { header } = claimsOf(token)
    assert.equal(header.alg, 'RS256')
    assert.match(claims.sub, /^[0-9]{21}$/)
    assert.deepEqual([claims.iss, claims.azp, claims.email_verified], [`${idps.standard.url}/google`, claims.aud, true])
    const { session, user } = good(await signIn(token))
    assertSession(session)
    assert.deepEqual([user.email, user.user_metadata.name, user.user_metadata.sub], [email, 'Ada Lovelace', claims.sub])
    assert.deepEqual(user.app_metadata, { provider: 'google', providers: ['google'] })
  })

  test('signInWithIdToken compares the SHA-256 of the nonce', async () => {
    const nonce = createHash('sha256').update('once').digest('hex')
    const { credential: token } = await credential(idps.standard, { email: newEmail(), nonce })
    assert.ok(good(await signIn(token, 'once')).session)
    for (const [sent, message] of [['twice', 'Nonces mismatch'], [undefined, /either both exist or not/]]) {
      const { error } = await signIn(token, sent)
      assert.equal(error.status, 400)
      assert.match(error.message, new RegExp(message))
    }
  })

  test('signInWithIdToken rejects invalid ID tokens', async () => {
    const email = newEmail()
    const other = (await credential(idps.standard, { email, audience: 'another-client' })).credential
    const old = (await credential(idps.standard, { email, expires_in: -1 })).credential
    const foreign = (await credential(idps.named, { email })).credential
    const { access_token } = (await signUpUser(idps.standard)).session
    for (const token of [other, old, foreign, access_token, 'x']) {
      const { error } = await signIn(token)
      assert.equal(error?.status, 400)
      const raw = await fetch(`${idps.standard.issuer}/token?grant_type=id_token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-supabase-api-version': '2024-01-01' },
        body: JSON.stringify({ provider: 'google', id_token: token }),
      })
      assert.deepEqual(Object.keys(await raw.json()).sort(), ['error', 'error_description'])
    }
  })

  test('an unverified Google address does not sign in to an existing user', async () => {
    const { email, user } = await signUpUser(idps.standard)
    const { credential: token } = await credential(idps.standard, { email, sub: '999999999999999999999', email_verified: false })
    const other = good(await signIn(token)).user
    assert.notEqual(other.id, user.id)
    assert.equal(other.email, '')
  })

  test('getClaims verifies RS256 and ES256 locally', async () => {
    for (const [name, algorithm] of [['standard', 'RS256'], ['elliptic', 'ES256']]) {
      const { supabase, user, session } = await signUpUser(idps[name])
      assert.equal(claimsOf(session.access_token).header.alg, algorithm)
      const { claims, header } = good(await supabase.auth.getClaims())
      assert.deepEqual([claims.sub, claims.email, header.alg], [user.id, user.email, algorithm])
      const [start, , signature] = session.access_token.split('.')
      const other = Buffer.from(JSON.stringify({ ...claimsOf(session.access_token).payload, role: 'service_role' })).toString('base64url')
      assert.equal((await supabase.auth.getClaims(`${start}.${other}.${signature}`)).error.message, 'Invalid JWT signature')
    }
  })

  test('getClaims calls GET /user for unknown keys and does not support EdDSA', async () => {
    const { supabase, session } = await signUpUser(idps.standard)
    assert.ok(good(await supabase.auth.getClaims()).claims)
    await admin(idps.standard, 'PUT /admin/faults', { body: JSON.stringify({ keys: [] }) })
    seen.delete('GET /user 200')
    try {
      // A separate storage key, because clients with the same one share a JWKS cache for ten minutes.
      assert.ok(good(await client(idps.standard, { storageKey: 'apart' }).auth.getClaims(session.access_token)).claims)
      assert.ok(seen.has('GET /user 200'))
    } finally {
      await admin(idps.standard, 'DELETE /admin/faults')
    }

    const edwards = await signUpUser(idps.edwards)
    await assert.rejects(edwards.supabase.auth.getClaims(), /Invalid alg claim/)
    assert.equal(good(await edwards.supabase.auth.getUser()).user.id, edwards.user.id)
  })

  test('keys rotate: standby, in use, previously used, revoked', async () => {
    const idp = idps.elliptic
    const { supabase, session } = await signUpUser(idp)
    const before = claimsOf(session.access_token).header.kid
    const { keys } = await admin(idp, 'POST /admin/keys/standby')
    const next = keys.find((key) => key.state === 'standby').kid
    const published = async () => (await (await fetch(`${idp.issuer}/.well-known/jwks.json`)).json()).keys.map((key) => key.kid)
    assert.deepEqual((await published()).sort(), [before, next].sort(), 'the standby key is published')
    await admin(idp, 'POST /admin/keys/rotate')
    assert.ok(good(await client(idp).auth.getUser(session.access_token)).user, 'the previous key still verifies')
    assert.ok(good(await client(idp).auth.getClaims(session.access_token)).claims)
    const renewed = good(await supabase.auth.refreshSession()).session
    assert.equal(claimsOf(renewed.access_token).header.kid, next)
    await admin(idp, `POST /admin/keys/${before}/revoke`)
    assert.equal(failed(await client(idp).auth.getUser(session.access_token)), '403 bad_jwt')
    assert.ok(good(await client(idp).auth.getUser(renewed.access_token)).user)
  })

  test('settings, health, discovery and key set match the hosted service', async () => {
    const get = async (idp, path) => (await fetch(idp.issuer + path, { headers: { apikey: 'sb_publishable_any' } })).json()
    const settings = await get(idps.standard, '/settings')
    assert.deepEqual([settings.external.google, settings.external.github, settings.external.email, settings.external.apple], [true, true, true, false])
    assert.deepEqual([settings.disable_signup, settings.mailer_autoconfirm, settings.external.anonymous_users], [false, true, true])
    assert.equal((await get(idps.confirming, '/settings')).mailer_autoconfirm, false)
    assert.equal((await get(idps.closed, '/settings')).disable_signup, true)
    assert.equal((await get(idps.named, '/settings')).external.anonymous_users, false)
    const health = await get(idps.standard, '/health')
    assert.deepEqual([health.name, typeof health.version, typeof health.description], ['GoTrue', 'string', 'string'])
    const discovery = await get(idps.standard, '/.well-known/openid-configuration')
    assert.equal(discovery.issuer, idps.standard.issuer)
    const keys = await fetch(discovery.jwks_uri)
    assert.equal(keys.headers.get('cache-control'), 'public, max-age=600')
    assert.match((await keys.json()).keys[0].kid, UUID)
  })

  test('CORS allows only origins of allowed redirects', async () => {
    const preflight = (path, origin, method) => fetch(idps.listed.issuer + path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': 'apikey,authorization,content-type,x-client-info,x-supabase-api-version',
      },
    })
    const calls = [['/token', 'POST'], ['/signup', 'POST'], ['/user', 'GET'], ['/user', 'PUT'], ['/logout', 'POST'], ['/.well-known/jwks.json', 'GET']]
    for (const origin of ['http://localhost:3000', 'http://127.0.0.1:5173', 'https://pr-7.preview.example', 'capacitor://localhost', 'null']) {
      for (const [path, method] of calls) {
        const response = await preflight(path, origin, method)
        assert.equal(response.status, 204, `${method} ${path} from ${origin}`)
        assert.equal(response.headers.get('access-control-allow-origin'), origin)
        const allowed = response.headers.get('access-control-allow-headers').toLowerCase()
        for (const name of ['apikey', 'authorization', 'content-type', 'x-client-info', 'x-supabase-api-version']) assert.ok(allowed.includes(name), name)
      }
      for (const path of ['/.well-known/jwks.json', '/user']) {
        const response = await fetch(idps.listed.issuer + path, { headers: { origin } })
        assert.equal(response.headers.get('access-control-allow-origin'), origin)
        assert.match(response.headers.get('access-control-expose-headers').toLowerCase(), /x-supabase-api-version/)
      }
    }
    for (const origin of ['https://attacker.invalid', 'ionic://localhost']) {
      for (const [path, method] of calls) {
        assert.equal((await preflight(path, origin, method)).headers.get('access-control-allow-origin'), null)
      }
    }
  })

  test('the version header selects the error format', async () => {
    const ask = (version) => fetch(`${idps.standard.issuer}/token?grant_type=password`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(version && { 'x-supabase-api-version': version }) },
      body: JSON.stringify({ email: newEmail(), password: 'wrong horse' }),
    })
    for (const version of ['2024-01-01', '2025-06-30']) {
      const response = await ask(version)
      assert.equal(response.headers.get('x-supabase-api-version'), '2024-01-01')
      assert.equal(response.headers.get('x-sb-error-code'), 'invalid_credentials')
      assert.deepEqual(await response.json(), { code: 'invalid_credentials', message: 'Invalid login credentials' })
    }
    for (const version of [undefined, '2023-12-31', 'latest']) {
      const response = await ask(version)
      assert.equal(response.headers.get('x-supabase-api-version'), null)
      assert.deepEqual(await response.json(), { code: 400, error_code: 'invalid_credentials', msg: 'Invalid login credentials' })
    }
  })
}
