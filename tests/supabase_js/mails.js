// resetPasswordForEmail, signInWithOtp, verifyOtp, resend: the inbox, links and codes.
import assert from 'node:assert/strict'
import test from 'node:test'
import { admin, ahead } from './idp.js'
import { Browser } from './browser.js'
import { PASSWORD, UUID, assertSession, claimsOf, client, good, failed, signUpUser, newEmail } from './client.js'

const BACK = 'http://localhost:3000/auth/callback'

export default function (idps) {
  async function mail(idp, to, type) {
    const { mails } = await admin(idp, 'GET /.inbox')
    const found = mails.find((each) => each.to === to && each.type === type)
    assert.ok(found, `${type} to ${to}`)
    return found
  }

  async function follow(link) {
    const { response, next } = await new Browser().go(link)
    assert.equal(response.status, 303)
    return next
  }

  test('resetPasswordForEmail sends a link that yields a PKCE code', async () => {
    const { email, user } = await signUpUser(idps.standard)
    const supabase = client(idps.standard)
    good(await supabase.auth.resetPasswordForEmail(email, { redirectTo: BACK }))
    const { link } = await mail(idps.standard, email, 'recovery')
    const back = await follow(link)
    assert.equal(back.origin + back.pathname, BACK)
    assert.match(back.searchParams.get('code'), UUID)
    const { session } = good(await supabase.auth.exchangeCodeForSession(back.searchParams.get('code')))
    assertSession(session)
    assert.equal(session.user.id, user.id)
    good(await supabase.auth.updateUser({ password: 'another horse' }))
    assert.ok(good(await client(idps.standard).auth.signInWithPassword({ email, password: 'another horse' })).session)
    const again = await follow(link)
    assert.equal(again.searchParams.get('error_code'), 'otp_expired')
    assert.equal(again.searchParams.get('error'), 'access_denied')
  })

  test('a password reset does not reveal whether a user exists', async () => {
    const unknown = newEmail()
    assert.deepEqual(good(await client(idps.standard).auth.resetPasswordForEmail(unknown)), {})
    const { mails } = await admin(idps.standard, 'GET /.inbox')
    assert.ok(!mails.some((each) => each.to === unknown))
  })

  test('signInWithOtp creates a user; an implicit link contains the session', async () => {
    const email = newEmail()
    const supabase = client(idps.standard, { flowType: 'implicit' })
    good(await supabase.auth.signInWithOtp({ email, options: { emailRedirectTo: BACK } }))
    const back = await follow((await mail(idps.standard, email, 'magiclink')).link)
    const fragment = new URLSearchParams(back.hash.slice(1))
    assert.equal(fragment.get('type'), 'magiclink')
    const { user } = good(await supabase.auth.setSession({ access_token: fragment.get('access_token'), refresh_token: fragment.get('refresh_token') }))
    assert.equal(user.email, email)
  })

  test('signInWithOtp does not create users if disabled', async () => {
    const supabase = client(idps.standard)
    assert.equal(failed(await supabase.auth.signInWithOtp({ email: newEmail(), options: { shouldCreateUser: false } })), '422 otp_disabled')
    assert.equal(failed(await client(idps.closed).auth.signInWithOtp({ email: newEmail() })), '422 signup_disabled')
  })

  test('verifyOtp accepts a code once, and a token hash', async () => {
    const email = newEmail()
    const supabase = client(idps.standard)
    good(await supabase.auth.signInWithOtp({ email }))
    const { code } = await mail(idps.standard, email, 'magiclink')
    const wrong = code === '000000' ? '000001' : '000000'
    assert.equal(failed(await supabase.auth.verifyOtp({ email, token: wrong, type: 'email' })), '403 otp_expired')
    const { session } = good(await supabase.auth.verifyOtp({ email, token: code, type: 'email' }))
    assertSession(session)
    assert.equal(claimsOf(session.access_token).payload.amr[0].method, 'otp')
    assert.equal(failed(await supabase.auth.verifyOtp({ email, token: code, type: 'email' })), '403 otp_expired')

    good(await supabase.auth.signInWithOtp({ email }))
    const { token_hash } = await mail(idps.standard, email, 'magiclink')
    assert.ok(good(await client(idps.standard).auth.verifyOtp({ token_hash, type: 'email' })).session)
  })

  test('a code expires, is limited to ten attempts, and is superseded', async () => {
    const supabase = client(idps.standard)
    const sent = async (email) => {
      good(await supabase.auth.signInWithOtp({ email }))
      return (await mail(idps.standard, email, 'magiclink')).code
    }
    const verify = (email, token) => client(idps.standard).auth.verifyOtp({ email, token, type: 'email' })
    const late = newEmail()
    const lateCode = await sent(late)
    await ahead(idps.standard, 3601, async () => assert.equal(failed(await verify(late, lateCode)), '403 otp_expired'))
    assert.ok(good(await verify(late, lateCode)).session, 'the code is valid before it expires')

    const guessed = newEmail()
    const right = await sent(guessed)
    const wrong = right === '000000' ? '000001' : '000000'
    for (let tries = 0; tries < 10; tries++) assert.equal(failed(await verify(guessed, wrong)), '403 otp_expired')
    assert.equal(failed(await verify(guessed, right)), '403 otp_expired')

    const impatient = newEmail()
    const first = await sent(impatient)
    const second = await sent(impatient)
    if (first !== second) assert.equal(failed(await verify(impatient, first)), '403 otp_expired')
    assert.ok(good(await verify(impatient, second)).session)
  })

  test('signUp with confirmation waits for the link; resend replaces it', async () => {
    const email = newEmail()
    const supabase = client(idps.confirming)
    const options = { emailRedirectTo: BACK }
    const waiting = good(await supabase.auth.signUp({ email, password: PASSWORD, options }))
    assert.equal(waiting.session, null)
    assert.ok(waiting.user.confirmation_sent_at)
    const first = await mail(idps.confirming, email, 'signup')
    good(await supabase.auth.resend({ type: 'signup', email, options }))
    const second = await mail(idps.confirming, email, 'signup')
    assert.notEqual(second.token_hash, first.token_hash)
    assert.equal((await follow(first.link)).searchParams.get('error_code'), 'otp_expired')
    const back = await follow(second.link)
    const { user } = good(await supabase.auth.exchangeCodeForSession(back.searchParams.get('code')))
    assert.ok(user.email_confirmed_at)
    assert.ok(good(await client(idps.confirming).auth.signInWithPassword({ email, password: PASSWORD })).session)
    // Another sign-up with the address reveals and changes nothing.
    const decoy = good(await client(idps.confirming).auth.signUp({ email, password: 'another horse' }))
    assert.deepEqual([decoy.session, decoy.user.identities, decoy.user.id === user.id], [null, [], false])
  })

  test('a new address takes effect when its link is followed', async () => {
    const { supabase, email, user } = await signUpUser(idps.standard)
    const next = newEmail()
    good(await supabase.auth.updateUser({ email: next }, { emailRedirectTo: BACK }))
    const back = await follow((await mail(idps.standard, next, 'email_change')).link)
    good(await supabase.auth.exchangeCodeForSession(back.searchParams.get('code')))
    const now = good(await supabase.auth.getUser()).user
    assert.deepEqual([now.id, now.email, now.new_email], [user.id, next, undefined])
    assert.equal(failed(await client(idps.standard).auth.signInWithPassword({ email, password: PASSWORD })), '400 invalid_credentials')
    assert.ok(good(await client(idps.standard).auth.signInWithPassword({ email: next, password: PASSWORD })).session)
  })

  test('a new address is confirmed by both addresses where confirmation is on', async () => {
    const email = newEmail()
    const supabase = client(idps.confirming, { flowType: 'implicit' })
    good(await supabase.auth.signUp({ email, password: PASSWORD }))
    await follow((await mail(idps.confirming, email, 'signup')).link)
    good(await supabase.auth.signInWithPassword({ email, password: PASSWORD }))
    const next = newEmail()
    good(await supabase.auth.updateUser({ email: next }, { emailRedirectTo: BACK }))
    const first = await follow((await mail(idps.confirming, next, 'email_change')).link)
    assert.match(new URLSearchParams(first.hash.slice(1)).get('message'), /^Confirmation link accepted/)
    assert.equal(good(await supabase.auth.getUser()).user.email, email)
    const { code } = await mail(idps.confirming, email, 'email_change')
    assert.ok(good(await supabase.auth.verifyOtp({ email, token: code, type: 'email_change' })).session)
    assert.equal(good(await supabase.auth.getUser()).user.email, next)
  })

  test('a second mail of a kind waits for a minute', async () => {
    const { supabase, email } = await signUpUser(idps.limited)
    good(await supabase.auth.resetPasswordForEmail(email))
    const { error } = await supabase.auth.signInWithOtp({ email })
    assert.deepEqual([error.status, error.code], [429, 'over_email_send_rate_limit'])
    assert.match(error.message, /^For security purposes, you can only request this after [1-5]?\d seconds\.$/)
    await ahead(idps.limited, 61, async () => good(await supabase.auth.signInWithOtp({ email })))
  })

  test('reauthenticate sends a code', async () => {
    const { supabase, email } = await signUpUser(idps.standard)
    good(await supabase.auth.reauthenticate())
    const { code, link } = await mail(idps.standard, email, 'reauthentication')
    assert.match(code, /^\d{6}$/)
    assert.equal(link, null)
    good(await supabase.auth.updateUser({ password: 'another horse', nonce: code }))
  })

  test('the inbox page has working links', async () => {
    const email = newEmail()
    good(await client(idps.standard, { flowType: 'implicit' }).auth.signInWithOtp({ email, options: { emailRedirectTo: BACK } }))
    const response = await fetch(`${idps.standard.url}/.inbox`, { headers: { accept: 'text/html' } })
    const page = await response.text()
    assert.match(page, /Development only/)
    assert.match(response.headers.get('content-security-policy'), /default-src 'none'/)
    const article = page.match(new RegExp(`<article data-type="magiclink" data-to="${email}">.*?</article>`, 's'))[0]
    const link = article.match(/href="([^"]+)"/)[1].replaceAll('&amp;', '&')
    assert.ok(new URLSearchParams((await follow(link)).hash.slice(1)).get('access_token'))
    await admin(idps.standard, 'DELETE /.inbox')
    assert.deepEqual(await admin(idps.standard, 'GET /.inbox'), { mails: [] })
  })
}
