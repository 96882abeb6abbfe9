// Calls every endpoint of the auth API with supabase-js, against `bearward idp`.
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { seen } from './client.js'
import documents from './documents.js'
import { startIdp } from './idp.js'
import mails from './mails.js'
import mfa from './mfa.js'
import oauth from './oauth.js'
import password from './password.js'
import sessions from './sessions.js'

const SETTINGS = {
  standard: ['--mail-interval', '0', '--manual-linking'],
  limited: [],
  closed: ['--disable-signup'],
  named: ['--disable-anonymous'],
  confirming: ['--confirm-email', '--mail-interval', '0'],
  brief: ['--token-lifetime', '60'],
  listed: ['--redirect', 'https://*.preview.example/**', '--redirect', 'capacitor://localhost/**', '--allow-origin', 'null'],
  elliptic: ['--alg', 'ES256'],
  edwards: ['--alg', 'EdDSA'],
}

const idps = {}

before(async () => {
  await Promise.all(Object.entries(SETTINGS).map(async ([name, flags]) => (idps[name] = await startIdp(...flags))))
})
after(() => Promise.all(Object.values(idps).map((idp) => idp.stop())))

for (const resource of [password, sessions, oauth, mails, mfa, documents]) resource(idps)

test('every endpoint was called', () => {
  const missing = [
    'POST /signup 200', 'POST /signup 422',
    'POST /token?grant_type=password 200', 'POST /token?grant_type=password 400',
    'POST /token?grant_type=refresh_token 200', 'POST /token?grant_type=refresh_token 400',
    'POST /token?grant_type=pkce 200', 'POST /token?grant_type=pkce 400', 'POST /token?grant_type=pkce 404', 'POST /token?grant_type=pkce 422',
    'POST /token?grant_type=id_token 200', 'POST /token?grant_type=id_token 400',
    'GET /user 200', 'GET /user 403', 'PUT /user 200', 'PUT /user 422',
    'POST /logout?scope=global 204', 'POST /logout?scope=local 204', 'POST /logout?scope=others 204',
    'POST /recover 200', 'POST /otp 200', 'POST /verify 200', 'POST /verify 403', 'POST /resend 200',
    'POST /factors 200', 'POST /factors 403', 'GET /reauthenticate 200', 'GET /user/identities/authorize 200',
    'GET /.well-known/jwks.json 200',
  ].filter((call) => !seen.has(call))
  assert.deepEqual(missing, [])
})
