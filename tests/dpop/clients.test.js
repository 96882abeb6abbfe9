// Binds tokens of the development IdP to a key, and uses them at the server, with unmodified clients.
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import * as dpop from 'dpop'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { allow, REDIRECT, startIdp, startServer } from './servers.js'

const http = { [oauth.allowInsecureRequests]: true }
let idp, plain, strict

before(async () => {
  idp = await startIdp()
  plain = await startServer(idp)
  strict = await startServer(idp, { BEARWARD_DPOP__NONCE: 'required' })
})
after(() => Promise.all([idp, plain, strict].map((server) => server?.stop())))

async function discover() {
  const issuer = new URL(idp.issuer)
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...http, algorithm: 'oauth2' }))
}

async function register(server) {
  const metadata = { client_name: 'Notes', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' }
  return oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(server, metadata, http))
}

// Signs in with oauth4webapi and returns everything that belongs to the session.
async function signIn(exchangedBy = (DPoP) => DPoP) {
  const server = await discover()
  const client = await register(server)
  const keys = await oauth.generateKeyPair('ES256')
  const DPoP = oauth.DPoP(client, keys)
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(server.authorization_endpoint)
  for (const [name, value] of Object.entries({
    client_id: client.client_id, redirect_uri: REDIRECT, response_type: 'code', scope: 'email', state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    dpop_jkt: await DPoP.calculateThumbprint(),
  })) url.searchParams.set(name, value)
  const parameters = oauth.validateAuthResponse(server, client, await allow(idp, url), state)
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, oauth.None(), parameters, REDIRECT, verifier, { ...http, DPoP: await exchangedBy(DPoP, client) })
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response)
  return { server, client, keys, DPoP, tokens }
}

const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))

const get = (session, token, server, path = '/protected') =>
  oauth.protectedResourceRequest(token, 'GET', new URL(path, server.url), new Headers(), null, { ...http, DPoP: session.DPoP })

test('oauth4webapi: code, request, refresh', async () => {
  const session = await signIn()
  assert.equal(session.tokens.token_type, 'dpop')
  assert.equal(claims(session.tokens.access_token).cnf.jkt, await session.DPoP.calculateThumbprint())
  const response = await get(session, session.tokens.access_token, plain)
  assert.equal(response.status, 200)
  assert.equal((await response.json()).user_id, claims(session.tokens.access_token).sub)

  const refreshed = await oauth.processRefreshTokenResponse(session.server, session.client, await oauth.refreshTokenGrantRequest(
    session.server, session.client, oauth.None(), session.tokens.refresh_token, { ...http, DPoP: session.DPoP }))
  assert.notEqual(refreshed.refresh_token, session.tokens.refresh_token)
  assert.deepEqual(claims(refreshed.access_token).cnf, claims(session.tokens.access_token).cnf)
  assert.equal((await get(session, refreshed.access_token, plain)).status, 200)
})

test('oauth4webapi: a code is bound to the key of the authorization request', async () => {
  const other = async (_, client) => oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  await assert.rejects(signIn(other), { error: 'invalid_grant' })
})

test('oauth4webapi: a refresh token is bound to its key', async () => {
  const session = await signIn()
  const other = oauth.DPoP(session.client, await oauth.generateKeyPair('ES256'))
  const response = await oauth.refreshTokenGrantRequest(
    session.server, session.client, oauth.None(), session.tokens.refresh_token, { ...http, DPoP: other })
  await assert.rejects(oauth.processRefreshTokenResponse(session.server, session.client, response), { error: 'invalid_dpop_proof' })
})

test('oauth4webapi: a nonce is learned from the rejection', async () => {
  const session = await signIn()
  const rejected = await get(session, session.tokens.access_token, strict).then(() => assert.fail('no nonce'), (error) => error)
  assert.ok(oauth.isDPoPNonceError(rejected), rejected)
  assert.equal((await get(session, session.tokens.access_token, strict)).status, 200)
  assert.equal((await get(session, session.tokens.access_token, strict, '/api/auth/me?x=1')).status, 200)
})

test('oauth4webapi: a stolen token is rejected', async () => {
  const session = await signIn()
  const token = session.tokens.access_token
  const bearer = await fetch(`${plain.url}/protected`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal(bearer.status, 401)
  assert.match(bearer.headers.get('www-authenticate'), /DPoP .*algs="[^"]*ES256/)
  const thief = { DPoP: oauth.DPoP(session.client, await oauth.generateKeyPair('ES256')) }
  const error = await get(thief, token, plain).then(() => assert.fail('accepted'), (error) => error)
  assert.ok(error instanceof oauth.WWWAuthenticateChallengeError, error)
  assert.equal(error.cause[0].parameters.error, 'invalid_dpop_proof')
})

test('dpop: every algorithm of the package', async () => {
  for (const algorithm of ['ES256', 'Ed25519', 'RS256', 'PS256']) {
    const keys = await dpop.generateKeyPair(algorithm, { extractable: true })
    const session = await signInWith(keys)
    const url = `${plain.url}/protected`
    const proof = await dpop.generateProof(keys, url, 'GET', undefined, session.access_token)
    const send = () => fetch(url, { headers: { authorization: `DPoP ${session.access_token}`, dpop: proof } })
    assert.equal((await send()).status, 200, algorithm)
    assert.equal((await send()).status, 401, 'a replay')
  }
})

// Signs in with proofs of the package dpop.
async function signInWith(keys) {
  const server = await discover()
  const client = await register(server)
  const verifier = oauth.generateRandomCodeVerifier()
  const url = new URL(server.authorization_endpoint)
  for (const [name, value] of Object.entries({
    client_id: client.client_id, redirect_uri: REDIRECT, response_type: 'code', scope: 'email',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })) url.searchParams.set(name, value)
  const code = (await allow(idp, url)).searchParams.get('code')
  const response = await fetch(server.token_endpoint, {
    method: 'POST',
    headers: { dpop: await dpop.generateProof(keys, server.token_endpoint, 'POST') },
    body: new URLSearchParams({
      grant_type: 'authorization_code', client_id: client.client_id, code, code_verifier: verifier, redirect_uri: REDIRECT,
    }),
  })
  const tokens = await response.json()
  assert.equal(response.status, 200, JSON.stringify(tokens))
  assert.equal(claims(tokens.access_token).cnf.jkt, await dpop.calculateThumbprint(keys.publicKey))
  return tokens
}

test('openid-client: code, request, refresh, nonce', async () => {
  const options = { execute: [openid.allowInsecureRequests], algorithm: 'oauth2' }
  const metadata = { client_name: 'Notes', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' }
  const config = await openid.dynamicClientRegistration(new URL(idp.issuer), metadata, openid.None(), options)
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT, scope: 'email',
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
  })
  const tokens = await openid.authorizationCodeGrant(config, await allow(idp, url), { pkceCodeVerifier }, undefined, { DPoP })
  assert.equal(tokens.token_type, 'dpop')
  for (const server of [plain, strict]) {
    const request = () => openid.fetchProtectedResource(
      config, tokens.access_token, new URL('/protected', server.url), 'GET', null, new Headers(), { DPoP })
    assert.equal((await request()).status, 200)
    assert.equal((await request()).status, 200)
  }
  const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
  const response = await openid.fetchProtectedResource(
    config, refreshed.access_token, new URL('/protected', plain.url), 'GET', null, new Headers(), { DPoP })
  assert.equal(response.status, 200)
})
