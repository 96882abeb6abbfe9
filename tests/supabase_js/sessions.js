// refreshSession, getUser, updateUser, signOut.
import assert from 'node:assert/strict'
import test from 'node:test'
import { admin, ahead } from './idp.js'
import { PASSWORD, assertSession, claimsOf, client, good, refused, signedUp, somebody } from './client.js'

export default function (idps) {
  const idp = () => idps.usual
  // The access token of a session that has been ended.
  async function ended() {
    const { supabase, session } = await signedUp(idp())
    await supabase.auth.signOut()
    return session.access_token
  }

  const refresh = (refresh_token) => client(idp()).auth.refreshSession({ refresh_token })

  test('refreshSession gives another refresh token and another access token of the same session', async () => {
    const { supabase, session } = await signedUp(idp())
    const next = good(await supabase.auth.refreshSession()).session
    assertSession(next)
    assert.notEqual(next.refresh_token, session.refresh_token)
    assert.equal(claimsOf(next.access_token).payload.session_id, claimsOf(session.access_token).payload.session_id)
    assert.deepEqual(claimsOf(next.access_token).payload.amr, claimsOf(session.access_token).payload.amr)
  })

  test('a client that has less than 90 seconds left refreshes by itself', async () => {
    const supabase = client(idps.brief)
    const { session } = good(await supabase.auth.signUp({ email: somebody(), password: PASSWORD }))
    assert.equal(session.expires_in, 60)
    assert.notEqual(good(await supabase.auth.getSession()).session.refresh_token, session.refresh_token)
  })

  test('two tabs that refresh at once are both answered, with the same next token', async () => {
    const { session } = await signedUp(idp())
    const [one, other] = await Promise.all([refresh(session.refresh_token), refresh(session.refresh_token)])
    assert.equal(good(one).session.refresh_token, good(other).session.refresh_token)
  })

  test('an old refresh token is good for ten seconds, and then ends the session for everybody', async () => {
    const { session: first } = await signedUp(idp())
    const second = good(await refresh(first.refresh_token)).session
    const third = good(await refresh(second.refresh_token)).session
    assert.equal(good(await refresh(first.refresh_token)).session.refresh_token, third.refresh_token)
    await ahead(idp(), 12, async () => {
      assert.equal(good(await refresh(second.refresh_token)).session.refresh_token, third.refresh_token, 'its answer may have been lost')
      assert.equal(refused(await refresh(first.refresh_token)), '400 refresh_token_already_used')
      assert.equal(refused(await refresh(third.refresh_token)), '400 refresh_token_not_found')
      assert.equal((await client(idp()).auth.getUser(third.access_token)).error.name, 'AuthSessionMissingError')
    })
  })

  test('a refresh token that was never given out, or of somebody banned, is refused', async () => {
    assert.equal(refused(await refresh('never-given-out')), '400 refresh_token_not_found')
    const { session, user } = await signedUp(idp())
    await admin(idp(), `PATCH /admin/users/${user.id}`, { banned: true })
    assert.equal(refused(await refresh(session.refresh_token)), '400 user_banned')
  })

  test('getUser gives the user of a token, with what has been changed since it was signed', async () => {
    const { supabase, user } = await signedUp(idp())
    assert.deepEqual(good(await supabase.auth.getUser()).user, user)
    await admin(idp(), `PATCH /admin/users/${user.id}`, { app_metadata: { roles: ['admin'] } })
    assert.deepEqual(good(await supabase.auth.getUser()).user.app_metadata.roles, ['admin'])
    const { session } = good(await supabase.auth.refreshSession())
    assert.deepEqual(claimsOf(session.access_token).payload.app_metadata, { provider: 'email', providers: ['email'], roles: ['admin'] })
  })

  test('getUser refuses what is no token of a user here', async () => {
    const supabase = client(idp())
    const minted = await admin(idp(), 'POST /admin/tokens', {})
    assert.equal(refused(await supabase.auth.getUser(minted.access_token)), '403 user_not_found')
    const forged = await admin(idp(), 'POST /admin/tokens', { forge: 'signed_by_stranger' })
    assert.equal(refused(await supabase.auth.getUser(forged.access_token)), '403 bad_jwt')
    const { session } = await signedUp(idp())
    await ahead(idp(), 3601, async () => {
      assert.equal(refused(await supabase.auth.getUser(session.access_token)), '403 bad_jwt')
    })
    // The client sends its API key where nobody is signed in.
    assert.equal(refused(await supabase.auth.getUser('sb_publishable_any')), '403 bad_jwt')
    const forSession = await fetch(`${idp().issuer}/user`, {
      headers: { authorization: `Bearer ${await ended()}`, 'x-supabase-api-version': '2024-01-01' },
    })
    assert.deepEqual([forSession.status, (await forSession.json()).code], [403, 'session_not_found'])
    const bare = await fetch(`${idp().issuer}/user`, { headers: { 'x-supabase-api-version': '2024-01-01' } })
    assert.deepEqual([bare.status, (await bare.json()).code], [401, 'no_authorization'])
  })

  test('a session that was ended elsewhere is dropped by the client that asks for its user', async () => {
    const { supabase, email } = await signedUp(idp())
    const other = client(idp())
    good(await other.auth.signInWithPassword({ email, password: PASSWORD }))
    assert.equal((await other.auth.signOut({ scope: 'global' })).error, null)
    const answer = await supabase.auth.getUser()
    assert.equal(answer.error.name, 'AuthSessionMissingError')
    assert.equal(good(await supabase.auth.getSession()).session, null, 'the client drops it')
  })

  test('updateUser changes data and password; a new address waits for its mail', async () => {
    const { supabase, email, user } = await signedUp(idp())
    const renamed = good(await supabase.auth.updateUser({ data: { full_name: 'Grace', theme: 'dark' } })).user
    assert.deepEqual([renamed.user_metadata.full_name, renamed.user_metadata.theme], ['Grace', 'dark'])
    good(await supabase.auth.updateUser({ password: 'another horse' }))
    assert.equal(refused(await client(idp()).auth.signInWithPassword({ email, password: PASSWORD })), '400 invalid_credentials')
    assert.equal(good(await client(idp()).auth.signInWithPassword({ email, password: 'another horse' })).user.id, user.id)
    const next = somebody()
    const waiting = good(await supabase.auth.updateUser({ email: next })).user
    assert.deepEqual([waiting.email, waiting.new_email], [email, next])
  })

  test('updateUser refuses a taken address, the same password and a weak one', async () => {
    const { email: taken } = await signedUp(idp())
    const { supabase } = await signedUp(idp())
    assert.equal(refused(await supabase.auth.updateUser({ email: taken })), '422 email_exists')
    assert.equal(refused(await supabase.auth.updateUser({ password: PASSWORD })), '422 same_password')
    assert.equal(refused(await supabase.auth.updateUser({ password: '12345' })), '422 weak_password')
  })

  test('a new password signs out every other session', async () => {
    const { supabase, email } = await signedUp(idp())
    const other = client(idp())
    good(await other.auth.signInWithPassword({ email, password: PASSWORD }))
    good(await supabase.auth.updateUser({ password: 'another horse' }))
    assert.equal((await other.auth.getUser()).error.name, 'AuthSessionMissingError')
    assert.ok(good(await supabase.auth.getUser()).user)
  })

  test('signOut ends this session, the others, or all of them', async () => {
    for (const [scope, left] of [['local', [false, true]], ['others', [true, false]], ['global', [false, false]]]) {
      const { supabase, email, session } = await signedUp(idp())
      const other = good(await client(idp()).auth.signInWithPassword({ email, password: PASSWORD })).session
      assert.equal((await supabase.auth.signOut({ scope })).error, null)
      const alive = []
      for (const each of [session, other]) {
        const answer = await refresh(each.refresh_token)
        if (answer.error) assert.equal(refused(answer), '400 refresh_token_not_found')
        alive.push(!answer.error)
      }
      assert.deepEqual(alive, left, scope)
    }
  })

  test('signOut of a session that has ended is a success to the client', async () => {
    const { supabase, email } = await signedUp(idp())
    const other = client(idp())
    good(await other.auth.signInWithPassword({ email, password: PASSWORD }))
    await other.auth.signOut({ scope: 'global' })
    assert.equal((await supabase.auth.signOut()).error, null)
    const { session } = await signedUp(idp())
    const headers = { authorization: `Bearer ${session.access_token}` }
    const unknown = await fetch(`${idp().issuer}/logout?scope=everything`, { method: 'POST', headers })
    assert.deepEqual([unknown.status, (await unknown.json()).error_code], [400, 'validation_failed'])
  })
}
