// signInWithOAuth, the callback, exchangeCodeForSession.
import assert from 'node:assert/strict'
import test from 'node:test'
import { ahead } from './idp.js'
import { Browser } from './browser.js'
import { UUID, assertSession, claimsOf, client, good, failed, newEmail, signUpUser } from './client.js'

const BACK = 'http://localhost:3000/auth/callback?next=%2Fdashboard'

export default function (idps) {
  const idp = () => idps.standard

  async function startSignIn(provider = 'google', options = {}, auth) {
    const supabase = client(idp(), auth)
    const { url } = good(await supabase.auth.signInWithOAuth({ provider, options: { redirectTo: BACK, skipBrowserRedirect: true, ...options } }))
    return { supabase, url }
  }

  test('signInWithOAuth with PKCE yields a code and a session', async () => {
    for (const provider of ['google', 'github']) {
      const email = newEmail()
      const { supabase, url } = await startSignIn(provider, { queryParams: { access_type: 'offline' } })
      assert.match(new URL(url).searchParams.get('code_challenge'), /^[A-Za-z0-9_-]{43}$/)
      const { back } = await new Browser().signIn(idp(), url, { email, name: 'Ada Lovelace' })
      assert.equal(back.origin + back.pathname, 'http://localhost:3000/auth/callback')
      assert.deepEqual([...back.searchParams.keys()], ['code', 'next'])
      assert.equal(back.searchParams.get('next'), '/dashboard')
      assert.match(back.searchParams.get('code'), UUID)

      const { session, user } = good(await supabase.auth.exchangeCodeForSession(back.searchParams.get('code')))
      assertSession(session)
      assert.ok(session.provider_token)
      assert.equal(Boolean(session.provider_refresh_token), provider === 'google')
      assert.equal(claimsOf(session.access_token).payload.amr[0].method, 'oauth')
      assert.deepEqual(user.app_metadata, { provider, providers: [provider] })
      const metadata = user.user_metadata
      assert.deepEqual([metadata.email, metadata.name, metadata.full_name], [email, 'Ada Lovelace', 'Ada Lovelace'])
      assert.deepEqual([metadata.email_verified, metadata.phone_verified], [true, false])
      assert.ok(metadata.avatar_url)
      assert.equal(metadata.provider_id, metadata.sub)
      if (provider === 'google') assert.deepEqual([metadata.iss, metadata.picture], ['https://accounts.google.com', metadata.avatar_url])
      else assert.deepEqual([metadata.iss, metadata.user_name], ['https://api.github.com', metadata.preferred_username])
      const [identity] = user.identities
      assert.deepEqual([identity.provider, identity.id, identity.email], [provider, metadata.sub, email])
    }
  })

  test('the implicit flow returns the session in the fragment', async () => {
    const { supabase, url } = await startSignIn('google', {}, { flowType: 'implicit' })
    assert.equal(new URL(url).searchParams.get('code_challenge'), null)
    const { back } = await new Browser().signIn(idp(), url, { email: newEmail() })
    assert.equal(back.search, '?next=%2Fdashboard')
    const fragment = new URLSearchParams(back.hash.slice(1))
    for (const name of ['access_token', 'expires_at', 'expires_in', 'refresh_token', 'token_type', 'provider_token']) {
      assert.ok(fragment.get(name), name)
    }
    const session = { access_token: fragment.get('access_token'), refresh_token: fragment.get('refresh_token') }
    assertSession(good(await supabase.auth.setSession(session)).session)
  })

  test('both providers sign in to the same user', async () => {
    const email = newEmail()
    const ids = []
    for (const provider of ['google', 'github', 'google']) {
      const { supabase, url } = await startSignIn(provider)
      const { back } = await new Browser().signIn(idp(), url, { email })
      const { user } = good(await supabase.auth.exchangeCodeForSession(back.searchParams.get('code')))
      ids.push(user.id)
      assert.equal(user.app_metadata.provider, 'google')
      if (ids.length > 1) assert.deepEqual(user.app_metadata.providers, ['google', 'github'])
    }
    assert.equal(new Set(ids).size, 1)
  })

  test('the consent page lists known users', async () => {
    const email = newEmail()
    const first = await startSignIn()
    await new Browser().signIn(idp(), first.url, { email, name: 'Ada <script>alert(1)</script> & Co' })
    const { supabase, url } = await startSignIn()
    const { back, page } = await new Browser().signIn(idp(), url, { email })
    assert.ok(page.includes(`value="${email}"`))
    assert.ok(!page.includes('<script>') && page.includes('Ada &lt;script&gt;alert(1)&lt;/script&gt; &amp; Co'))
    const { user } = good(await supabase.auth.exchangeCodeForSession(back.searchParams.get('code')))
    assert.equal(user.user_metadata.name, 'Ada <script>alert(1)</script> & Co')
  })

  test('a denial returns an error in query and fragment', async () => {
    for (const flowType of ['pkce', 'implicit']) {
      const { url } = await startSignIn('google', {}, { flowType })
      const { back } = await new Browser().signIn(idp(), url, { action: 'deny' })
      assert.equal(back.searchParams.get('next'), '/dashboard')
      for (const members of [back.searchParams, new URLSearchParams(back.hash.slice(1))]) {
        assert.equal(members.get('error'), 'access_denied')
        assert.ok(members.get('error_description'))
        assert.equal(members.get('code'), null)
        assert.equal(members.get('access_token'), null)
      }
    }
  })

  test('a redirect that is not allowed falls back to the site URL', async () => {
    for (const redirectTo of ['https://attacker.invalid/', 'http://localhost:3000@attacker.invalid/', '//attacker.invalid', 'javascript:alert(1)']) {
      const { url } = await startSignIn('google', { redirectTo })
      const { back } = await new Browser().signIn(idp(), url, { email: newEmail() })
      assert.equal(back.origin + back.pathname, 'http://localhost:3000/', redirectTo)
    }
    const supabase = client(idps.listed)
    const options = { redirectTo: 'https://pr-7.preview.example/back', skipBrowserRedirect: true }
    const { url } = good(await supabase.auth.signInWithOAuth({ provider: 'google', options }))
    const { back } = await new Browser().signIn(idps.listed, url, { email: newEmail() })
    assert.equal(back.origin + back.pathname, 'https://pr-7.preview.example/back')
  })

  test('exchangeCodeForSession rejects a wrong verifier and keeps the code', async () => {
    const { supabase, url } = await startSignIn()
    const { back } = await new Browser().signIn(idp(), url, { email: newEmail() })
    const code = back.searchParams.get('code')
    // Another client with its own verifier obtains the code.
    const thief = await startSignIn()
    assert.equal(failed(await thief.supabase.auth.exchangeCodeForSession(code)), '400 bad_code_verifier')
    assert.ok(good(await supabase.auth.exchangeCodeForSession(code)).session)
  })

  test('a code works once; unknown and expired codes differ', async () => {
    const one = await startSignIn()
    const { back } = await new Browser().signIn(idp(), one.url, { email: newEmail() })
    const code = back.searchParams.get('code')
    assert.ok(good(await one.supabase.auth.exchangeCodeForSession(code)).session)
    const again = await startSignIn()
    assert.equal(failed(await again.supabase.auth.exchangeCodeForSession(code)), '404 flow_state_not_found')
    const third = await startSignIn()
    const late = (await new Browser().signIn(idp(), third.url, { email: newEmail() })).back.searchParams.get('code')
    await ahead(idp(), 301, async () => {
      assert.equal(failed(await third.supabase.auth.exchangeCodeForSession(late)), '422 flow_state_expired')
    })
    const fourth = await startSignIn()
    assert.equal(failed(await fourth.supabase.auth.exchangeCodeForSession('')), '400 validation_failed')
  })

  test('a callback works once and needs a consent page', async () => {
    const { url } = await startSignIn()
    const browser = new Browser()
    const { callback } = await browser.signIn(idp(), url, { email: newEmail() })
    const again = await browser.go(callback)
    assert.equal(again.next.origin, 'http://localhost:3000')
    assert.equal(again.next.searchParams.get('error_code'), 'flow_state_already_used')
    for (const query of ['', '?state=x', '?state=00000000-0000-4000-8000-000000000000&code=x']) {
      const { next } = await browser.go(`${idp().issuer}/callback${query}`)
      assert.match(next.searchParams.get('error_code'), /^bad_oauth_(state|callback)$/)
    }
  })

  test('authorize rejects unknown providers and incomplete challenges', async () => {
    for (const query of ['', 'provider=myspace', 'provider=google&code_challenge_method=s256', 'provider=google&code_challenge=short&code_challenge_method=s256']) {
      const response = await fetch(`${idp().issuer}/authorize?${query}`, { redirect: 'manual' })
      assert.equal(response.status, 400)
      assert.equal(response.headers.get('x-sb-error-code'), 'validation_failed')
      const body = await response.json()
      assert.deepEqual([body.code, body.error_code, typeof body.msg], [400, 'validation_failed', 'string'])
    }
  })

  test('linkIdentity adds a provider, unlinkIdentity removes it', async () => {
    const { supabase, email, user } = await signUpUser(idp())
    const work = newEmail()
    const link = () => supabase.auth.linkIdentity({ provider: 'google', options: { redirectTo: BACK, skipBrowserRedirect: true } })
    const { url } = good(await link())
    assert.match(url, new RegExp(`^${idp().url}/`))
    const { back } = await new Browser().choose(idp(), url, { email: work })
    const linked = good(await supabase.auth.exchangeCodeForSession(back.searchParams.get('code'))).user
    assert.deepEqual([linked.id, linked.email, linked.app_metadata.providers], [user.id, email, ['email', 'google']])
    const again = await new Browser().choose(idp(), good(await link()).url, { email: work })
    assert.equal(again.back.searchParams.get('error_code'), 'identity_already_exists')
    const { identities } = good(await supabase.auth.getUserIdentities())
    good(await supabase.auth.unlinkIdentity(identities.find(({ provider }) => provider === 'google')))
    const left = good(await supabase.auth.getUserIdentities()).identities
    assert.deepEqual(left.map(({ provider }) => provider), ['email'])
    assert.equal(failed(await supabase.auth.unlinkIdentity(left[0])), '422 single_identity_not_deletable')
    const off = await signUpUser(idps.limited)
    assert.equal(failed(await off.supabase.auth.linkIdentity({ provider: 'google', options: { skipBrowserRedirect: true } })), '404 manual_linking_disabled')
  })

  test('forms from other sites or without the page are rejected', async () => {
    const { url } = await startSignIn()
    const browser = new Browser()
    const page = (await browser.go(url)).next
    const csrf_token = (await (await browser.go(page)).response.text()).match(/name="csrf_token" value="([^"]+)"/)[1]
    const form = (body, origin = idp().url) => ({
      method: 'POST',
      headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(body).toString(),
    })
    const otherBrowser = new Browser()
    for (const [who, init] of [
      [browser, form({ email: 'x@example.com' })],
      [browser, form({ email: 'x@example.com', csrf_token: 'guessed' })],
      [browser, form({ email: 'x@example.com', csrf_token }, 'http://localhost:3000')],
      [browser, form({ email: 'x@example.com', csrf_token }, 'null')],
      [otherBrowser, form({ email: 'x@example.com', csrf_token })],
    ]) {
      assert.equal((await who.go(page, init)).response.status, 403)
    }
    assert.equal((await browser.go(page, form({ email: 'x@example.com', csrf_token }))).response.status, 303)
  })
}
