// The admin API of `bearward idp`: `curl $IDP_URL` lists all of it.
import { inject } from 'vitest'

const url = inject('idpUrl')

export const idp = {
  url,

  /** { claims: { sub: 'ada' }, expires_in: -60, forge: 'tampered' }, all optional. */
  token: async (wish = {}) => (await ask('POST', '/admin/tokens', wish)).access_token,

  rotate: () => ask('POST', '/admin/keys/rotate', {}),

  /** { status: 503 } until `recover()`, { delay_ms: 2000 }, { hang: true } and the like, of the key endpoint. */
  fault: fault => ask('PUT', '/admin/faults', fault),

  recover: () => ask('DELETE', '/admin/faults'),
}

async function ask(method, path, body) {
  const headers = body && { 'Content-Type': 'application/json' }
  const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  const text = await answer.text()
  return text && JSON.parse(text)
}
