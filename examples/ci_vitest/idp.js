// The admin API of `bearward idp`; `curl $IDP_URL` lists it.
import { inject } from 'vitest'

const url = inject('idpUrl')

export const idp = {
  url,

  /** Issues a token. Options: { claims: { sub: 'ada' }, expires_in: -60, forge: 'tampered' } */
  token: async (options = {}) => (await request('POST', '/admin/tokens', options)).access_token,

  rotate: () => request('POST', '/admin/keys/rotate', {}),

  /** Simulates a failure of the JWKS endpoint until `recover()`: { status: 503 }, { delay_ms: 2000 }, { hang: true }, … */
  fault: fault => request('PUT', '/admin/faults', fault),

  recover: () => request('DELETE', '/admin/faults'),
}

async function request(method, path, body) {
  const headers = body && { 'Content-Type': 'application/json' }
  const response = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  const text = await response.text()
  return text && JSON.parse(text)
}
