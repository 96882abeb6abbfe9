// mfa.enroll, challenge, verify, challengeAndVerify, unenroll, listFactors, getAuthenticatorAssuranceLevel.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import test from 'node:test'
import { PASSWORD, UUID, assertSession, claimsOf, client, good, failed, signUpUser } from './client.js'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

// The code that an authenticator app shows for a secret (RFC 6238).
export function totp(secret, seconds = Date.now() / 1000) {
  const bits = [...secret].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(seconds / 30)))
  const tag = createHmac('sha1', key).update(counter).digest()
  const number = tag.readUInt32BE(tag[19] & 0xf) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

export default function (idps) {
  const idp = () => idps.standard
  const levels = async (supabase) => {
    const { currentLevel, nextLevel } = good(await supabase.auth.mfa.getAuthenticatorAssuranceLevel())
    return [currentLevel, nextLevel]
  }

  test('mfa: enroll, challenge and verify raise the session to AAL2', async () => {
    const { supabase, email } = await signUpUser(idp())
    assert.deepEqual(good(await supabase.auth.mfa.listFactors()).all, [])
    assert.deepEqual(await levels(supabase), ['aal1', 'aal1'])
    const factor = good(await supabase.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'Phone' }))
    assert.match(factor.id, UUID)
    assert.deepEqual([factor.type, factor.friendly_name], ['totp', 'Phone'])
    assert.match(factor.totp.qr_code, /^data:image\/svg\+xml;utf-8,<svg[^#]*<\/svg>$/)
    const uri = new URL(factor.totp.uri)
    assert.equal(uri.protocol + uri.host, 'otpauth:totp')
    assert.deepEqual([uri.searchParams.get('secret'), uri.searchParams.get('issuer')], [factor.totp.secret, 'localhost:3000'])
    const [listed] = good(await supabase.auth.mfa.listFactors()).all
    assert.deepEqual([listed.id, listed.status, listed.factor_type], [factor.id, 'unverified', 'totp'])

    const challenge = good(await supabase.auth.mfa.challenge({ factorId: factor.id }))
    assert.ok(challenge.expires_at > Date.now() / 1000)
    const code = totp(factor.totp.secret)
    const verify = (code) => supabase.auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code })
    assert.equal(failed(await verify(code === '000000' ? '000001' : '000000')), '422 mfa_verification_failed')
    const session = good(await verify(code))
    assertSession(session)
    const { aal, amr } = claimsOf(session.access_token).payload
    assert.deepEqual([aal, amr.map(({ method }) => method)], ['aal2', ['totp', 'password']])
    assert.deepEqual(await levels(supabase), ['aal2', 'aal2'])
    assert.equal(good(await supabase.auth.mfa.listFactors()).totp[0].id, factor.id)
    assert.equal(failed(await verify(code)), '422 mfa_ip_address_mismatch', 'a challenge is used once')
    assert.equal(good(await supabase.auth.getUser()).user.email, email)
  })

  test('mfa: a new sign-in has AAL1 until it is verified', async () => {
    const { supabase, email } = await signUpUser(idp())
    const factor = good(await supabase.auth.mfa.enroll({ factorType: 'totp' }))
    good(await supabase.auth.mfa.challengeAndVerify({ factorId: factor.id, code: totp(factor.totp.secret) }))
    const second = client(idp())
    good(await second.auth.signInWithPassword({ email, password: PASSWORD }))
    assert.deepEqual(await levels(second), ['aal1', 'aal2'])
    assert.equal(failed(await second.auth.updateUser({ password: 'another horse' })), '401 insufficient_aal')
    assert.equal(failed(await second.auth.mfa.unenroll({ factorId: factor.id })), '422 insufficient_aal')
    assert.equal(failed(await second.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'other' })), '403 insufficient_aal')
    good(await second.auth.mfa.challengeAndVerify({ factorId: factor.id, code: totp(factor.totp.secret) }))
    assert.deepEqual(await levels(second), ['aal2', 'aal2'])
    assert.ok(good(await supabase.auth.getUser()).user, 'another session with AAL2 goes on')
  })

  test('mfa: unenroll lowers the session to AAL1', async () => {
    const { supabase } = await signUpUser(idp())
    const factor = good(await supabase.auth.mfa.enroll({ factorType: 'totp' }))
    good(await supabase.auth.mfa.challengeAndVerify({ factorId: factor.id, code: totp(factor.totp.secret) }))
    assert.equal(good(await supabase.auth.mfa.unenroll({ factorId: factor.id })).id, factor.id)
    good(await supabase.auth.refreshSession())
    assert.deepEqual(await levels(supabase), ['aal1', 'aal1'])
    assert.deepEqual(good(await supabase.auth.mfa.listFactors()).all, [])
    assert.equal(failed(await supabase.auth.mfa.unenroll({ factorId: factor.id })), '404 mfa_factor_not_found')
    assert.equal(failed(await supabase.auth.mfa.enroll({ factorType: 'phone', phone: '+491701234567' })), '422 mfa_phone_enroll_not_enabled')
  })
}
