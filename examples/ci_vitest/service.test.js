import { afterEach, expect, test } from 'vitest'

import { idp } from './idp.js'
import { service } from './service.js'

// Without a cooldown, so that the tests need not wait.
const app = service(idp.url, { cooldown: 0 })

async function orders(token, method = 'GET') {
  return app.inject({ method, url: '/orders', headers: token && { authorization: `Bearer ${token}` } })
}

afterEach(() => idp.recover())

test('returns the orders of the caller', async () => {
  const response = await orders(await idp.token({ claims: { sub: 'ada' } }))
  expect(response.statusCode).toBe(200)
  expect(response.json()).toEqual({ of: 'ada' })
})

test('rejects requests without a token', async () => {
  expect((await orders()).statusCode).toBe(401)
})

test.each([
  { expires_in: -60 },
  { claims: { aud: 'another-service' } },
  { claims: { iss: 'https://elsewhere.example' } },
  { forge: 'tampered' },
  { forge: 'signed_by_stranger' },
  { forge: 'alg_none' },
  { forge: 'hmac_with_public_key' },
  { forge: 'stripped_signature' },
  { forge: 'embedded_jwk' },
])('rejects an invalid token: %o', async options => {
  expect((await orders(await idp.token(options))).statusCode).toBe(401)
})

test('only admins can delete', async () => {
  const admin = await idp.token({ claims: { app_metadata: { role: 'admin' } } })
  expect((await orders(admin, 'DELETE')).statusCode).toBe(200)
  expect((await orders(await idp.token(), 'DELETE')).statusCode).toBe(403)
})

test('accepts tokens across a rotation', async () => {
  const before = await idp.token()
  expect((await orders(before)).statusCode).toBe(200)
  await idp.rotate()
  expect((await orders(await idp.token())).statusCode).toBe(200)
  expect((await orders(before)).statusCode).toBe(200)
})

test('accepts tokens during an outage', async () => {
  const token = await idp.token()
  expect((await orders(token)).statusCode).toBe(200)
  await idp.fault({ status: 503 })
  expect((await orders(token)).statusCode).toBe(200)
})
