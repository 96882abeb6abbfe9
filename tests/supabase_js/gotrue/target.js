// A `bearward idp`, and what the requests cannot do: reading mails, banning users, moving the clock, choosing a user at a provider.
import { admin } from '../idp.js'
import { Browser } from '../browser.js'

export const SITE = 'http://localhost:18310'

export function target(idp) {
  const send = (line, body) => admin(idp, line, body)
  return {
    url: idp.url,
    auth: idp.issuer,
    site: SITE,
    googleClient: 'bearward-dev.apps.googleusercontent.com',
    // Oldest first.
    async mails(to) {
      const { mails } = await send('GET /.inbox')
      return mails.filter((mail) => mail.to === to).reverse()
    },
    ban: (id, banned = true) => send(`PATCH /admin/users/${id}`, { banned }),
    roles: (id, roles) => send(`PATCH /admin/users/${id}`, { app_metadata: { roles } }),
    remove: (id) => send(`DELETE /admin/users/${id}`),
    age: (ahead_seconds) => send('PUT /admin/clock', { ahead_seconds }),
    unage: () => send('PUT /admin/clock', { ahead_seconds: 0 }),
    // A token of a user; the session exists only if it is named.
    async token(claims, { expires_in = 3600 } = {}) {
      const session_id = claims.session_id ?? null
      return (await send('POST /admin/tokens', { claims: { ...claims, session_id }, expires_in })).access_token
    },
    // Signs in at a provider as this user. `back` is the redirect to the app.
    async atProvider(url, { email, name = '', deny = false }) {
      const browser = new Browser()
      const first = await browser.go(url)
      if (!first.next) return { response: first.response }
      const page = await (await browser.go(first.next)).response.text()
      const csrf_token = page.match(/name="csrf_token" value="([^"]+)"/)[1]
      const chosen = await browser.go(first.next, {
        method: 'POST',
        headers: { origin: idp.url, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ csrf_token, ...(deny ? { action: 'deny' } : { email, name }) }).toString(),
      })
      const { response, next } = await browser.go(chosen.next)
      return { response, back: next }
    },
    async idToken(request) {
      return (await send('POST /google/credential', { name: 'Ada', ...request })).credential
    },
  }
}
