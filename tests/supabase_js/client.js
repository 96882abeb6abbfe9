// The unmodified supabase-js client, with recorded requests.
import assert from 'node:assert/strict'
import { createClient } from '@supabase/supabase-js'
import ws from 'ws'

// All requests and their status, such as "POST /token?grant_type=password 200".
export const seen = new Set()

export function memory() {
  const items = new Map()
  return {
    items,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  }
}

export function client(idp, auth = {}) {
  return createClient(idp.url, 'sb_publishable_any', {
    auth: { flowType: 'pkce', storage: memory(), autoRefreshToken: false, detectSessionInUrl: false, ...auth },
    global: { fetch: recorded },
    // The client requires a WebSocket implementation, which Node 20 lacks.
    realtime: { transport: ws },
  })
}

async function recorded(input, init) {
  const response = await fetch(input, init)
  const url = new URL(input)
  const parameters = ['grant_type', 'scope'].filter((name) => url.searchParams.has(name)).map((name) => `${name}=${url.searchParams.get(name)}`)
  const path = url.pathname.replace('/auth/v1', '') + (parameters.length ? `?${parameters}` : '')
  seen.add(`${init?.method ?? 'GET'} ${path} ${response.status}`)
  return response
}

// Returns the data of a successful call.
export function good({ data, error }) {
  assert.equal(error, null)
  return data
}

// Returns status and code of a failed call.
export function failed({ data, error }) {
  assert.ok(error, `no error: ${JSON.stringify(data)}`)
  return `${error.status} ${error.code}`
}

let userCount = 0
export const newEmail = () => `user-${++userCount}-${process.pid}@example.com`
export const PASSWORD = 'correct horse'

export async function signUpUser(idp, email = newEmail(), auth) {
  const supabase = client(idp, auth)
  const { session, user } = good(await supabase.auth.signUp({ email, password: PASSWORD }))
  return { supabase, email, session, user }
}

export function claimsOf(token) {
  const [header, payload] = token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')))
  return { header, payload }
}

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function assertSession(session) {
  assert.equal(session.token_type, 'bearer')
  assert.ok(session.expires_in > 0)
  assert.equal(session.expires_at, claimsOf(session.access_token).payload.exp)
  assert.ok(session.refresh_token.length >= 12)
  assert.match(session.user.id, UUID)
}
