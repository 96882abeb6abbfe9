// signUp, signInWithPassword, signInAnonymously.
import assert from 'node:assert/strict'
import test from 'node:test'
import { admin } from './idp.js'
import { PASSWORD, UUID, assertSession, claimsOf, client, good, refused, signedUp, somebody } from './client.js'

export default function (idps) {
  test('signUp answers with a session whose user and token are the hosted ones', async () => {
    const email = somebody()
    const supabase = client(idps.usual)
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
    assert.equal(payload.iss, idps.usual.issuer)
    assert.deepEqual([payload.sub, payload.aud, payload.role, payload.aal, payload.phone], [user.id, 'authenticated', 'authenticated', 'aal1', ''])
    assert.equal(payload.exp - payload.iat, 3600)
    assert.equal(payload.amr[0].method, 'password')
    assert.match(payload.session_id, UUID)
  })

  test('signUp refuses a weak password, a known address, and everybody where it is turned off', async () => {
    const supabase = client(idps.usual)
    const weak = await supabase.auth.signUp({ email: somebody(), password: '12345' })
    assert.equal(refused(weak), '422 weak_password')
    assert.deepEqual(weak.error.reasons, ['length'])
    assert.ok(good(await supabase.auth.signUp({ email: somebody(), password: '123456' })).session)
    assert.equal(refused(await supabase.auth.signUp({ email: somebody(), password: 'x'.repeat(73) })), '400 validation_failed')
    assert.equal(refused(await supabase.auth.signUp({ email: 'nobody', password: PASSWORD })), '400 validation_failed')
    const { email } = await signedUp(idps.usual)
    assert.equal(refused(await supabase.auth.signUp({ email: email.toUpperCase(), password: PASSWORD })), '422 user_already_exists')
    assert.equal(refused(await client(idps.closed).auth.signUp({ email: somebody(), password: PASSWORD })), '422 signup_disabled')
  })

  test('signInWithPassword answers with a session, however the address is written', async () => {
    const { email, user } = await signedUp(idps.usual)
    const { session } = good(await client(idps.usual).auth.signInWithPassword({ email: email.toUpperCase(), password: PASSWORD }))
    assertSession(session)
    assert.equal(session.user.id, user.id)
  })

  test('signInWithPassword tells a wrong password and an unknown address alike', async () => {
    const { email } = await signedUp(idps.usual)
    const supabase = client(idps.usual)
    for (const credentials of [{ email, password: 'wrong horse' }, { email: somebody(), password: PASSWORD }]) {
      const answer = await supabase.auth.signInWithPassword(credentials)
      assert.equal(refused(answer), '400 invalid_credentials')
      assert.equal(answer.error.message, 'Invalid login credentials')
    }
  })

  test('signInWithPassword refuses whoever is banned, and whoever has not confirmed the address', async () => {
    const { email, user } = await signedUp(idps.usual)
    const supabase = client(idps.usual)
    await admin(idps.usual, `PATCH /admin/users/${user.id}`, { banned: true })
    assert.equal(refused(await supabase.auth.signInWithPassword({ email, password: PASSWORD })), '400 user_banned')
    await admin(idps.usual, `PATCH /admin/users/${user.id}`, { banned: false })
    assert.ok(good(await supabase.auth.signInWithPassword({ email, password: PASSWORD })).session)

    const unconfirmed = somebody()
    const strict = client(idps.confirming)
    assert.equal(good(await strict.auth.signUp({ email: unconfirmed, password: PASSWORD })).session, null)
    assert.equal(refused(await strict.auth.signInWithPassword({ email: unconfirmed, password: PASSWORD })), '400 email_not_confirmed')
    assert.equal(refused(await strict.auth.signInWithPassword({ email: unconfirmed, password: 'wrong horse' })), '400 invalid_credentials')
  })

  test('signInAnonymously answers with a session without a name, unless that is turned off', async () => {
    const supabase = client(idps.usual)
    const { session, user } = good(await supabase.auth.signInAnonymously())
    assertSession(session)
    assert.deepEqual([user.email, user.is_anonymous, user.identities, user.app_metadata], ['', true, [], {}])
    const { payload } = claimsOf(session.access_token)
    assert.deepEqual([payload.is_anonymous, payload.email, payload.role, payload.amr[0].method], [true, '', 'authenticated', 'anonymous'])
    assert.equal(refused(await client(idps.closed).auth.signInAnonymously()), '422 signup_disabled')
    assert.equal(refused(await client(idps.named).auth.signInAnonymously()), '422 anonymous_provider_disabled')

    const email = somebody()
    const grown = good(await supabase.auth.updateUser({ email, password: PASSWORD })).user
    assert.deepEqual([grown.id, grown.email, grown.is_anonymous], [user.id, email, false])
    assert.equal(good(await client(idps.usual).auth.signInWithPassword({ email, password: PASSWORD })).user.id, user.id)
  })
}
