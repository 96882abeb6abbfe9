// A minimal browser for sign-in flows: single redirects, cookies and forms.
import assert from 'node:assert/strict'

export class Browser {
  #cookies = new Map()

  async go(url, init = {}) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { redirect: 'manual', ...init, headers: { ...(cookie && { cookie }), ...init.headers } })
    for (const text of response.headers.getSetCookie()) {
      const [name, value] = text.split(';')[0].split('=')
      this.#cookies.set(name, value)
    }
    const location = response.headers.get('location')
    return { response, next: location && new URL(location, url) }
  }

  // Submits the consent page and returns the redirect to the app.
  async signIn(idp, authorize, choice) {
    return this.choose(idp, await this.go(authorize).then(({ response, next }) => {
      assert.equal(response.status, 302)
      return next
    }), choice)
  }

  // Does the same at the URL of a consent page.
  async choose(idp, consent, choice) {
    const shown = await this.go(consent)
    const page = await shown.response.text()
    assert.equal(shown.response.status, 200, page)
    assert.match(page, /Development only/)
    const csrfToken = page.match(/name="csrf_token" value="([^"]+)"/)[1]
    const sent = await this.go(consent, {
      method: 'POST',
      headers: { origin: idp.url, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ csrf_token: csrfToken, ...choice }).toString(),
    })
    assert.equal(sent.response.status, 303)
    assert.equal(sent.next.pathname, '/auth/v1/callback')
    const back = await this.go(sent.next)
    assert.equal(back.response.status, 302)
    return { back: back.next, page, callback: sent.next }
  }
}
