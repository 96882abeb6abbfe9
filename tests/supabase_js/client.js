// The real client, unmodified, with its traffic on record.
import assert from 'node:assert/strict'
import { createClient } from '@supabase/supabase-js'
import ws from 'ws'

// What the tests have asked the IdP for, as "POST /token?grant_type=password 200".
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
    // Node 20 has no WebSocket, and the client does not start without one.
    realtime: { transport: ws },
  })
}

async function recorded(input, init) {
  const response = await fetch(input, init)
  const url = new URL(input)
  const kept = ['grant_type', 'scope'].filter((name) => url.searchParams.has(name)).map((name) => `${name}=${url.searchParams.get(name)}`)
  const path = url.pathname.replace('/auth/v1', '') + (kept.length ? `?${kept}` : '')
  seen.add(`${init?.method ?? 'GET'} ${path} ${response.status}`)
  return response
}

// What a call returned that must have gone well.
export function good({ data, error }) {
  assert.equal(error, null)
  return data
}

// The status and the code of a call that must have been refused.
export function refused({ data, error }) {
  assert.ok(error, `not refused: ${JSON.stringify(data)}`)
  return `${error.status} ${error.code}`
}

let people = 0
export const somebody = () => `person-${++people}-${process.pid}@example.com`
export const PASSWORD = 'correct horse'

export async function signedUp(idp, email = somebody(), auth) {
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
