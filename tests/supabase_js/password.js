// signUp, signInWithPassword, signInAnonymously.
import assert from 'node:assert/strict'
import test from 'node:test'
import { admin } from './idp.js'
import { PASSWORD, UUID, assertSession, claimsOf, client, good, failed, signUpUser, newEmail } from './client.js'

export default function (idps) {
  test('signUp returns a session with the hosted user and token format', async () => {
    const email = newEmail()
    const supabase = client(idps.standard)
    const { session, user } = good(await supabase.auth.signUp({ email, password: PASSWORD, options: { data: { full_name: 'Ada' } } }))
    assertSession(session)
    assert.equal(user.email, email)
    assert.deepEqual([user.aud, user.role, user.phone, user.is_anonymous], ['authenticated', 'authenticated', '', false])
    assert.deepEqual(user.app_metadata, { provider: 'email', providers: ['email'] })
    assert.deepEqual(user.user_metadata, { full_name: 'Ada', sub: user.id, email, email_verified: true, phone_verified: false })
    for (const at of ['created_at', 'updated_at', 'email_confirmed_at', 'confirmed_at', 'last_sign_in_at']) {
      assert.ok(!Number.isNaN(Date.parse(user[at])), at)
    }
    const [identity] = user.identities
    assert.match(identity.identity_id, UUID)
    assert.deepEqual([identity.id, identity.user_id, identity.provider, identity.email], [user.id, user.id, 'email', email])
    assert.deepEqual([identity.identity_data.sub, identity.identity_data.email], [user.id, email])

    const { header, payload } = claimsOf(session.access_token)
    assert.deepEqual(Object.keys(header).sort(), ['alg', 'kid', 'typ'])
    assert.match(header.kid, UUID)
    assert.deepEqual([header.alg, header.typ], ['RS256', 'JWT'])
    assert.deepEqual(Object.keys(payload).sort(), [
      'aal', 'amr', 'app_metadata', 'aud', 'email', 'exp', 'iat', 'is_anonymous', 'iss', 'phone', 'role', 'session_id', 'sub', 'user_metadata',
    ])
    assert.equal(payload.iss, idps.standard.issuer)
    assert.deepEqual([payload.sub, payload.aud, payload.role, payload.aal, payload.phone], [user.id, 'authenticated', 'authenticated', 'aal1', ''])
    assert.equal(payload.exp - payload.iat, 3600)
    assert.equal(payload.amr[0].method, 'password')
    assert.match(payload.session_id, UUID)
  })

  test('signUp rejects weak passwords, known addresses, and if disabled', async () => {
    const supabase = client(idps.standard)
    const weak = await supabase.auth.signUp({ email: newEmail(), password: '12345' })
    assert.equal(failed(weak), '422 weak_password')
    assert.deepEqual(weak.error.reasons, ['length'])
    assert.ok(good(await supabase.auth.signUp({ email: newEmail(), password: '123456' })).session)
    assert.equal(failed(await supabase.auth.signUp({ email: newEmail(), password: 'x'.repeat(73) })), '400 validation_failed')
    assert.equal(failed(await supabase.auth.signUp({ email: 'no-address', password: PASSWORD })), '400 validation_failed')
    const { email } = await signUpUser(idps.standard)
    assert.equal(failed(await supabase.auth.signUp({ email: email.toUpperCase(), password: PASSWORD })), '422 user_already_exists')
    assert.equal(failed(await client(idps.closed).auth.signUp({ email: newEmail(), password: PASSWORD })), '422 signup_disabled')
  })

  test('signInWithPassword ignores the case of the address', async () => {
    const { email, user } = await signUpUser(idps.standard)
    const { session } = good(await client(idps.standard).auth.signInWithPassword({ email: email.toUpperCase(), password: PASSWORD }))
    assertSession(session)
    assert.equal(session.user.id, user.id)
  })

  test('signInWithPassword does not distinguish password and address errors', async () => {
    const { email } = await signUpUser(idps.standard)
    const supabase = client(idps.standard)
    for (const credentials of [{ email, password: 'wrong horse' }, { email: newEmail(), password: PASSWORD }]) {
      const result = await supabase.auth.signInWithPassword(credentials)
      assert.equal(failed(result), '400 invalid_credentials')
      assert.equal(result.error.message, 'Invalid login credentials')
    }
  })

  test('signInWithPassword rejects banned and unconfirmed users', async () => {
    const { email, user } = await signUpUser(idps.standard)
    const supabase = client(idps.standard)
    await admin(idps.standard, `PATCH /admin/users/${user.id}`, { banned: true })
    assert.equal(failed(await supabase.auth.signInWithPassword({ email, password: PASSWORD })), '400 user_banned')
    await admin(idps.standard, `PATCH /admin/users/${user.id}`, { banned: false })
    assert.ok(good(await supabase.auth.signInWithPassword({ email, password: PASSWORD })).session)

    const unconfirmed = newEmail()
    const strict = client(idps.confirming)
    assert.equal(good(await strict.auth.signUp({ email: unconfirmed, password: PASSWORD })).session, null)
    assert.equal(failed(await strict.auth.signInWithPassword({ email: unconfirmed, password: PASSWORD })), '400 email_not_confirmed')
    assert.equal(failed(await strict.auth.signInWithPassword({ email: unconfirmed, password: 'wrong horse' })), '400 invalid_credentials')
  })

  test('signInAnonymously creates an anonymous user, unless disabled', async () => {
    const supabase = client(idps.standard)
    const { session, user } = good(await supabase.auth.signInAnonymously())
    assertSession(session)
    assert.deepEqual([user.email, user.is_anonymous, user.identities, user.app_metadata], ['', true, [], {}])
    const { payload } = claimsOf(session.access_token)
    assert.deepEqual([payload.is_anonymous, payload.email, payload.role, payload.amr[0].method], [true, '', 'authenticated', 'anonymous'])
    assert.equal(failed(await client(idps.closed).auth.signInAnonymously()), '422 signup_disabled')
    assert.equal(failed(await client(idps.named).auth.signInAnonymously()), '422 anonymous_provider_disabled')

    const email = newEmail()
    const converted = good(await supabase.auth.updateUser({ email, password: PASSWORD })).user
    assert.deepEqual([converted.id, converted.email, converted.is_anonymous], [user.id, email, false])
    assert.equal(good(await client(idps.standard).auth.signInWithPassword({ email, password: PASSWORD })).user.id, user.id)
  })
}
