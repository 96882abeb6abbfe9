// refreshSession, getUser, updateUser, signOut.
import assert from 'node:assert/strict'
import test from 'node:test'
import { admin, ahead } from './idp.js'
import { PASSWORD, assertSession, claimsOf, client, good, failed, signUpUser, newEmail } from './client.js'

export default function (idps) {
  const idp = () => idps.standard
  // Returns the access token of a revoked session.
  async function revokedToken() {
    const { supabase, session } = await signUpUser(idp())
    await supabase.auth.signOut()
    return session.access_token
  }

  const refresh = (refresh_token) => client(idp()).auth.refreshSession({ refresh_token })

  test('refreshSession rotates the refresh token of the same session', async () => {
    const { supabase, session } = await signUpUser(idp())
    const next = good(await supabase.auth.refreshSession()).session
    assertSession(next)
    assert.notEqual(next.refresh_token, session.refresh_token)
    assert.equal(claimsOf(next.access_token).payload.session_id, claimsOf(session.access_token).payload.session_id)
    assert.deepEqual(claimsOf(next.access_token).payload.amr, claimsOf(session.access_token).payload.amr)
  })

  test('a client with less than 90 seconds left refreshes', async () => {
    const supabase = client(idps.brief)
    const { session } = good(await supabase.auth.signUp({ email: newEmail(), password: PASSWORD }))
    assert.equal(session.expires_in, 60)
    assert.notEqual(good(await supabase.auth.getSession()).session.refresh_token, session.refresh_token)
  })

  test('concurrent refreshes return the same token', async () => {
    const { session } = await signUpUser(idp())
    const [one, other] = await Promise.all([refresh(session.refresh_token), refresh(session.refresh_token)])
    assert.equal(good(one).session.refresh_token, good(other).session.refresh_token)
  })

  test('reuse of an old refresh token after ten seconds revokes the session', async () => {
    const { session: first } = await signUpUser(idp())
    const second = good(await refresh(first.refresh_token)).session
    const third = good(await refresh(second.refresh_token)).session
    assert.equal(good(await refresh(first.refresh_token)).session.refresh_token, third.refresh_token)
    await ahead(idp(), 12, async () => {
      assert.equal(good(await refresh(second.refresh_token)).session.refresh_token, third.refresh_token, 'the previous token is always accepted')
      assert.equal(failed(await refresh(first.refresh_token)), '400 refresh_token_already_used')
      assert.equal(failed(await refresh(third.refresh_token)), '400 refresh_token_not_found')
      assert.equal((await client(idp()).auth.getUser(third.access_token)).error.name, 'AuthSessionMissingError')
    })
  })

  test('unknown refresh tokens and banned users are rejected', async () => {
    assert.equal(failed(await refresh('never-given-out')), '400 validation_failed')
    assert.equal(failed(await refresh('abcdefghijkl')), '400 refresh_token_not_found', 'the form of older refresh tokens')
    const { session, user } = await signUpUser(idp())
    await admin(idp(), `PATCH /admin/users/${user.id}`, { banned: true })
    assert.equal(failed(await refresh(session.refresh_token)), '400 user_banned')
  })

  test('getUser returns the current user, not the claims', async () => {
    const { supabase } = await signUpUser(idp())
    const { user } = good(await supabase.auth.refreshSession())
    assert.deepEqual(good(await supabase.auth.getUser()).user, user)
    await admin(idp(), `PATCH /admin/users/${user.id}`, { app_metadata: { roles: ['admin'] } })
    assert.deepEqual(good(await supabase.auth.getUser()).user.app_metadata.roles, ['admin'])
    const { session } = good(await supabase.auth.refreshSession())
    assert.deepEqual(claimsOf(session.access_token).payload.app_metadata, { provider: 'email', providers: ['email'], roles: ['admin'] })
  })

  test('getUser rejects tokens without a user or session', async () => {
    const supabase = client(idp())
    const minted = await admin(idp(), 'POST /admin/tokens', {})
    assert.equal(failed(await supabase.auth.getUser(minted.access_token)), '403 user_not_found')
    const forged = await admin(idp(), 'POST /admin/tokens', { forge: 'signed_by_stranger' })
    assert.equal(failed(await supabase.auth.getUser(forged.access_token)), '403 bad_jwt')
    const { session } = await signUpUser(idp())
    await ahead(idp(), 3601, async () => {
      assert.equal(failed(await supabase.auth.getUser(session.access_token)), '403 bad_jwt')
    })
    // The client sends its API key if there is no session.
    assert.equal(failed(await supabase.auth.getUser('sb_publishable_any')), '403 bad_jwt')
    const revoked = await fetch(`${idp().issuer}/user`, {
      headers: { authorization: `Bearer ${await revokedToken()}`, 'x-supabase-api-version': '2024-01-01' },
    })
    assert.deepEqual([revoked.status, (await revoked.json()).code], [403, 'session_not_found'])
    const bare = await fetch(`${idp().issuer}/user`, { headers: { 'x-supabase-api-version': '2024-01-01' } })
    assert.deepEqual([bare.status, (await bare.json()).code], [401, 'no_authorization'])
  })

  test('the client drops a session that was revoked elsewhere', async () => {
    const { supabase, email } = await signUpUser(idp())
    const other = client(idp())
    good(await other.auth.signInWithPassword({ email, password: PASSWORD }))
    assert.equal((await other.auth.signOut({ scope: 'global' })).error, null)
    const result = await supabase.auth.getUser()
    assert.equal(result.error.name, 'AuthSessionMissingError')
    assert.equal(good(await supabase.auth.getSession()).session, null, 'the session is deleted')
  })

  test('updateUser changes data and password; a new address needs confirmation', async () => {
    const { supabase, email, user } = await signUpUser(idp())
    const renamed = good(await supabase.auth.updateUser({ data: { full_name: 'Grace', theme: 'dark' } })).user
    assert.deepEqual([renamed.user_metadata.full_name, renamed.user_metadata.theme], ['Grace', 'dark'])
    good(await supabase.auth.updateUser({ password: 'another horse' }))
    assert.equal(failed(await client(idp()).auth.signInWithPassword({ email, password: PASSWORD })), '400 invalid_credentials')
    assert.equal(good(await client(idp()).auth.signInWithPassword({ email, password: 'another horse' })).user.id, user.id)
    const next = newEmail()
    const waiting = good(await supabase.auth.updateUser({ email: next })).user
    assert.deepEqual([waiting.email, waiting.new_email], [email, next])
  })

  test('updateUser rejects taken addresses and invalid passwords', async () => {
    const { email: taken } = await signUpUser(idp())
    const { supabase } = await signUpUser(idp())
    assert.equal(failed(await supabase.auth.updateUser({ email: taken })), '422 email_exists')
    assert.equal(failed(await supabase.auth.updateUser({ password: PASSWORD })), '422 same_password')
    assert.equal(failed(await supabase.auth.updateUser({ password: '12345' })), '422 weak_password')
  })

  test('a new password revokes all other sessions', async () => {
    const { supabase, email } = await signUpUser(idp())
    const other = client(idp())
    good(await other.auth.signInWithPassword({ email, password: PASSWORD }))
    good(await supabase.auth.updateUser({ password: 'another horse' }))
    assert.equal((await other.auth.getUser()).error.name, 'AuthSessionMissingError')
    assert.ok(good(await supabase.auth.getUser()).user)
  })

  test('signOut revokes the session, the others, or all', async () => {
    for (const [scope, left] of [['local', [false, true]], ['others', [true, false]], ['global', [false, false]]]) {
      const { supabase, email, session } = await signUpUser(idp())
      const other = good(await client(idp()).auth.signInWithPassword({ email, password: PASSWORD })).session
      assert.equal((await supabase.auth.signOut({ scope })).error, null)
      const alive = []
      for (const each of [session, other]) {
        const result = await refresh(each.refresh_token)
        if (result.error) assert.equal(failed(result), '400 refresh_token_not_found')
        alive.push(!result.error)
      }
      assert.deepEqual(alive, left, scope)
    }
  })

  test('signOut of a revoked session succeeds', async () => {
    const { supabase, email } = await signUpUser(idp())
    const other = client(idp())
    good(await other.auth.signInWithPassword({ email, password: PASSWORD }))
    await other.auth.signOut({ scope: 'global' })
    assert.equal((await supabase.auth.signOut()).error, null)
    const { session } = await signUpUser(idp())
    const headers = { authorization: `Bearer ${session.access_token}` }
    const unknown = await fetch(`${idp().issuer}/logout?scope=everything`, { method: 'POST', headers })
    assert.deepEqual([unknown.status, (await unknown.json()).error_code], [400, 'validation_failed'])
  })
}
