// One list of requests. Their answers are compared with the recorded ones of a real Supabase Auth: see compare.js.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { createClient } from '@supabase/supabase-js'
import ws from 'ws'

const VERSION = { 'x-supabase-api-version': '2024-01-01' }
const PASSWORD = 'correct horse battery'

// Sends the requests to a target and returns the shape of each answer. `mode` is `autoconfirm` or `confirm`.
export async function probe(target, mode) {
  const seen = []
  const SITE = target.site
  const run = randomBytes(3).toString('hex')
  let emailCount = 0
  const newEmail = (name = 'p') => `${name}-${++emailCount}-${run}@example.com`

  // The shape of a value: what a client can depend on, without what differs from run to run.
  function shape(value, name = '') {
    if (value === null) return 'null'
    if (Array.isArray(value)) return value.length ? [shape(value[0])] : []
    if (typeof value === 'object') return Object.fromEntries(Object.keys(value).sort().map((key) => [key, shape(value[key], key)]))
    if (typeof value === 'number') return Number.isInteger(value) ? (String(value).length === 3 && name === 'code' ? value : 'integer') : 'float'
    if (typeof value === 'boolean') return value
    if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(value)) return '<uuid>'
    if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value)) return value.includes('.') ? '<time.fraction>' : '<time>'
    if (/^ey[\w-]+\.[\w-]+\.[\w-]*$/.test(value)) return '<jwt>'
    if (['code', 'error_code', 'error', 'message', 'msg', 'error_description', 'aud', 'role', 'token_type', 'provider', 'kty', 'alg', 'use', 'name', 'aal', 'method', 'iss', 'crv', 'version', 'description'].includes(name)) return plain(value)
    if (name === 'email') return value === '' ? '' : '<email>'
    return value === '' ? '' : '<text>'
  }
  const plain = (text) => text.replaceAll(target.auth, '{auth}').replaceAll(target.url, '{base}').replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>').replaceAll(/[\w.+-]+@example\.com/g, '<email>')

  // A redirect target, with the names of its parameters.
  function place(text) {
    if (!text) return undefined
    const url = new URL(text, target.auth + '/')
    const origin = url.origin === target.url ? '{base}' : url.origin === 'null' ? url.protocol : url.origin
    const members = (params) => [...params].map(([key, value]) => `${key}=${/^(error|error_code|error_description|type|token_type|sb|next|a)$/.test(key) ? value : '…'}`).join('&')
    const known = origin === '{base}' || origin === SITE || /example/.test(origin)
    return { at: known ? origin + (origin === '{base}' ? url.pathname.replace(/<uuid>|[0-9a-f]{8}-[0-9a-f-]{27}/, '<uuid>') : url.pathname) : `(provider) ${url.host}`, query: known ? members(url.searchParams) : '', fragment: members(new URLSearchParams(url.hash.slice(1))) }
  }

  const HEADERS = ['content-type', 'cache-control', 'x-supabase-api-version', 'x-sb-error-code', 'access-control-allow-origin', 'access-control-allow-headers', 'access-control-allow-methods', 'access-control-allow-credentials', 'access-control-expose-headers', 'access-control-max-age', 'allow', 'www-authenticate', 'retry-after', 'etag', 'referrer-policy', 'sb-auth-refresh-token-reuse-cause']
  async function note(name, response, extra = {}) {
    const text = await response.text()
    let body
    try { body = JSON.parse(text) } catch { body = text === '' ? undefined : `(${text.length > 120 ? 'text' : plain(text).trim()})` }
    const headers = Object.fromEntries(HEADERS.map((key) => [key, response.headers.get(key)]).filter(([, value]) => value !== null).map(([key, value]) => [key, key === 'etag' ? '<etag>' : plain(value)]))
    seen.push({ name, status: response.status, headers, body: body === undefined ? undefined : typeof body === 'string' && body.startsWith('(') ? body : shape(body), location: place(response.headers.get('location')), ...extra })
    return body
  }

  function call(method, path, { body, token, headers = {}, form, text, version = true } = {}) {
    const sent = { ...(version ? VERSION : {}), apikey: 'any', ...headers }
    if (token) sent.authorization = `Bearer ${token}`
    let content
    if (body !== undefined) { content = JSON.stringify(body); sent['content-type'] ??= 'application/json;charset=UTF-8' }
    if (form !== undefined) { content = new URLSearchParams(form).toString(); sent['content-type'] ??= 'application/x-www-form-urlencoded' }
    if (text !== undefined) { content = text; sent['content-type'] ??= 'application/json' }
    for (const key of Object.keys(sent)) if (sent[key] === null) delete sent[key]
    return fetch(target.auth + path, { method, headers: sent, body: content, redirect: 'manual' })
  }
  // Sends a request and records the answer under this name.
  const step = async (name, method, path, options) => {
    try { return await note(name, await call(method, path, options)) } catch (error) { seen.push({ name, failed: String(error.cause ?? error) }) }
  }
  const fact = (name, value) => seen.push({ name, fact: value })
  const json = async (method, path, options) => (await call(method, path, options)).json()
  const token = (grant, body, options) => json('POST', `/token?grant_type=${grant}`, { body, ...options })
  const signedUp = async (email = newEmail(), password = PASSWORD, data) => {
    let answer = await json('POST', '/signup', { body: { email, password, data } })
    if (!answer.access_token) { // to be confirmed
      const [mail] = (await target.mails(email)).slice(-1)
      await call('GET', `/verify?token=${mail.token_hash}&type=signup`)
      answer = await token('password', { email, password })
    }
    return { email, password, session: answer, id: answer.user?.id }
  }
  const decode = (jwt) => jwt.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')))
  const pkce = () => { const verifier = randomBytes(40).toString('hex'); return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') } }

  async function documents() {
    for (const path of ['/health', '/settings', '/.well-known/jwks.json', '/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']) {
      await step(`GET ${path}`, 'GET', path)
      await step(`HEAD ${path}`, 'HEAD', path)
    }
    await step('POST /health', 'POST', '/health', { body: {} })
    await step('GET /nowhere', 'GET', '/nowhere')
    await step('GET / (root of the API)', 'GET', '/')
    await step('GET /token', 'GET', '/token?grant_type=password')
    await step('DELETE /user', 'DELETE', '/user')
    await step('trailing slash: GET /settings/', 'GET', '/settings/')
    await step('trailing slash: POST /signup/', 'POST', '/signup/', { body: { email: newEmail(), password: PASSWORD } })
    await step('double slash: GET //settings', 'GET', '//settings')
    for (const [what, origin] of [['the site', SITE], ['another localhost port', 'http://localhost:5173'], ['a foreign site', 'https://attacker.invalid']]) {
      const asked = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'apikey,authorization,content-type,x-client-info,x-supabase-api-version' }
      await step(`preflight POST /token from ${what}`, 'OPTIONS', '/token?grant_type=password', { headers: asked })
      await step(`preflight PUT /user from ${what}`, 'OPTIONS', '/user', { headers: { ...asked, 'access-control-request-method': 'PUT' } })
      await step(`GET /settings from ${what}`, 'GET', '/settings', { headers: { origin } })
      await step(`POST /token refused, from ${what}`, 'POST', '/token?grant_type=password', { headers: { origin }, body: { email: 'x@example.com', password: 'nope' } })
    }
    await step('preflight GET /factors from the site', 'OPTIONS', '/factors', { headers: { origin: SITE, 'access-control-request-method': 'GET', 'access-control-request-headers': 'apikey' } })
    await step('preflight with x-retry-count', 'OPTIONS', '/token', { headers: { origin: SITE, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-retry-count' } })
  }

  async function signups() {
    const email = newEmail('Signup')
    await step('signup', 'POST', '/signup', { body: { email, password: PASSWORD, data: { name: 'Ada', nested: { a: [1] } } } })
    await step('signup: again', 'POST', '/signup', { body: { email, password: PASSWORD } })
    await step('signup: again, without a version header', 'POST', '/signup', { body: { email, password: PASSWORD }, version: false })
    await step('signup: again, in capitals', 'POST', '/signup', { body: { email: email.toUpperCase(), password: PASSWORD } })
    await step('signup: gotrue_meta_security, unknown members', 'POST', '/signup', { body: { email: newEmail(), password: PASSWORD, gotrue_meta_security: { captcha_token: 'x' }, channel: 'sms', extra: 1 } })
    await step('signup: data null', 'POST', '/signup', { body: { email: newEmail(), password: PASSWORD, data: null } })
    await step('signup: data a text', 'POST', '/signup', { body: { email: newEmail(), password: PASSWORD, data: 'x' } })
    await step('signup: data an array', 'POST', '/signup', { body: { email: newEmail(), password: PASSWORD, data: [1] } })
    await step('signup: data with sub and email_verified', 'POST', '/signup', { body: { email: newEmail(), password: PASSWORD, data: { sub: 'me', email_verified: 'yes', email: 'x' } } })
    await step('signup: password of 5', 'POST', '/signup', { body: { email: newEmail(), password: 'short' } })
    await step('signup: password of 5, without a version header', 'POST', '/signup', { body: { email: newEmail(), password: 'short' }, version: false })
    await step('signup: password of 6 letters, 12 bytes', 'POST', '/signup', { body: { email: newEmail(), password: 'пароль' } })
    await step('signup: password of 3 letters, 6 bytes', 'POST', '/signup', { body: { email: newEmail(), password: 'пар' } })
    await step('signup: password of 72', 'POST', '/signup', { body: { email: newEmail(), password: 'x'.repeat(72) } })
    await step('signup: password of 73', 'POST', '/signup', { body: { email: newEmail(), password: 'x'.repeat(73) } })
    await step('signup: empty password', 'POST', '/signup', { body: { email: newEmail(), password: '' } })
    await step('signup: no password', 'POST', '/signup', { body: { email: newEmail() } })
    await step('signup: password but no address', 'POST', '/signup', { body: { password: PASSWORD } })
    await step('signup: nothing (anonymous)', 'POST', '/signup', { body: {} })
    await step('signup: anonymous with data', 'POST', '/signup', { body: { data: { theme: 'dark' } } })
    for (const bad of ['nonsense', 'a b@example.com', '@example.com', 'a@', 'a@b', 'a@b@example.com', `${'a'.repeat(250)}@example.com`, ' padded@example.com ', 'a@example..com', 'ü@example.com', 'plus+tag@example.com'])
      await step(`signup: address ${JSON.stringify(bad.length > 60 ? bad.length + ' characters' : bad)}`, 'POST', '/signup', { body: { email: bad === 'plus+tag@example.com' ? `plus+${run}@example.com` : bad === ' padded@example.com ' ? ` padded${run}@example.com ` : bad === 'ü@example.com' ? `ü${run}@example.com` : bad, password: PASSWORD } })
    await step('signup: address a number', 'POST', '/signup', { body: { email: 1, password: PASSWORD } })
    await step('signup: phone', 'POST', '/signup', { body: { phone: '+491701234567', password: PASSWORD } })
    await step('signup: phone and address', 'POST', '/signup', { body: { email: newEmail(), phone: '+491701234567', password: PASSWORD } })
    await step('signup: not JSON', 'POST', '/signup', { text: '{"email": ' })
    await step('signup: an array', 'POST', '/signup', { text: '[]' })
    await step('signup: null', 'POST', '/signup', { text: 'null' })
    await step('signup: no body', 'POST', '/signup', { headers: { 'content-type': 'application/json' } })
    await step('signup: text/plain', 'POST', '/signup', { text: JSON.stringify({ email: newEmail(), password: PASSWORD }), headers: { 'content-type': 'text/plain' } })
    await step('signup: a form', 'POST', '/signup', { form: { email: newEmail(), password: PASSWORD } })
    await step('signup: no content-type', 'POST', '/signup', { text: JSON.stringify({ email: newEmail(), password: PASSWORD }), headers: { 'content-type': '' } })
    await step('signup: trailing text after the JSON', 'POST', '/signup', { text: JSON.stringify({ email: newEmail(), password: PASSWORD }) + ' x' })
    await step('signup: member twice', 'POST', '/signup', { text: `{"email":"${newEmail()}","email":"${newEmail()}","password":"${PASSWORD}"}` })
    await step('signup: 300 KiB of data', 'POST', '/signup', { body: { email: newEmail(), password: PASSWORD, data: { x: 'x'.repeat(300 * 1024) } } })
    await step('signup: 1.2 MB of data', 'POST', '/signup', { body: { email: newEmail(), password: PASSWORD, data: { x: 'x'.repeat(1200 * 1000) } } })
    await step('signup: challenge of 42', 'POST', '/signup', { body: { email: newEmail(), password: PASSWORD, code_challenge: 'x'.repeat(42), code_challenge_method: 's256' } })
    await step('signup: challenge without method', 'POST', '/signup', { body: { email: newEmail(), password: PASSWORD, code_challenge: 'x'.repeat(43) } })
    await step('signup: method unknown', 'POST', '/signup', { body: { email: newEmail(), password: PASSWORD, code_challenge: 'x'.repeat(43), code_challenge_method: 's512' } })
    await step('signup: by PKCE', 'POST', '/signup', { body: { email: newEmail(), password: PASSWORD, code_challenge: pkce().challenge, code_challenge_method: 's256' } })
  }

  async function passwords() {
    const { email, password, id } = await signedUp()
    const body = await step('password', 'POST', '/token?grant_type=password', { body: { email, password, gotrue_meta_security: {} } })
    const [header, claims] = decode(body.access_token)
    fact('token: header', Object.fromEntries(Object.keys(header).sort().map((key) => [key, key === 'alg' ? '(signing)' : shape(header[key])])))
    fact('token: claims of a password sign-in', shape(claims))
    fact('token: order of claims', Object.keys(claims).join(' '))
    fact('token: exp - iat', claims.exp - claims.iat)
    fact('token: iss', plain(claims.iss))
    fact('session: expires_at - exp, expires_in', [body.expires_at - claims.exp, body.expires_in])
    fact('session: length of the refresh token', body.refresh_token.length)
    await step('password: wrong', 'POST', '/token?grant_type=password', { body: { email, password: 'wrong' } })
    await step('password: wrong, without a version header', 'POST', '/token?grant_type=password', { body: { email, password: 'wrong' }, version: false })
    await step('password: wrong, an older version', 'POST', '/token?grant_type=password', { body: { email, password: 'wrong' }, headers: { 'x-supabase-api-version': '2023-01-01' } })
    await step('password: wrong, a newer version', 'POST', '/token?grant_type=password', { body: { email, password: 'wrong' }, headers: { 'x-supabase-api-version': '2027-01-01' } })
    await step('password: wrong, no version but a word', 'POST', '/token?grant_type=password', { body: { email, password: 'wrong' }, headers: { 'x-supabase-api-version': 'latest' } })
    await step('password: unknown user', 'POST', '/token?grant_type=password', { body: { email: newEmail(), password } })
    await step('password: none', 'POST', '/token?grant_type=password', { body: { email } })
    await step('password: empty', 'POST', '/token?grant_type=password', { body: { email, password: '' } })
    await step('password: a number', 'POST', '/token?grant_type=password', { body: { email, password: 123456 } })
    await step('password: no address', 'POST', '/token?grant_type=password', { body: { password } })
    await step('password: no body members', 'POST', '/token?grant_type=password', { body: {} })
    await step('password: address in capitals', 'POST', '/token?grant_type=password', { body: { email: email.toUpperCase(), password } })
    await step('password: address with spaces around it', 'POST', '/token?grant_type=password', { body: { email: ` ${email} `, password } })
    await step('password: address without form', 'POST', '/token?grant_type=password', { body: { email: 'nonsense', password } })
    await step('password: phone', 'POST', '/token?grant_type=password', { body: { phone: '+491701234567', password } })
    await step('password: phone and address', 'POST', '/token?grant_type=password', { body: { email, phone: '+491701234567', password } })
    await step('password: 200 characters', 'POST', '/token?grant_type=password', { body: { email, password: 'x'.repeat(200) } })
    await step('password: not JSON', 'POST', '/token?grant_type=password', { text: '{' })
    await step('password: a form', 'POST', '/token?grant_type=password', { form: { email, password } })
    await step('password: no body', 'POST', '/token?grant_type=password', { headers: { 'content-type': 'application/json' } })
    for (const grant of ['?grant_type=implicit', '?grant_type=', '', '?grant_type=PASSWORD', '?grant_type=client_credentials', '?grant_type=authorization_code', '?grant_type=web3', '?grant_type=password&grant_type=pkce'])
      await step(`token: ${grant || 'no grant'}`, 'POST', `/token${grant}`, { body: { email, password } })
    await step('token: grant in the body', 'POST', '/token', { body: { grant_type: 'password', email, password } })
    await target.ban(id)
    await step('password: banned', 'POST', '/token?grant_type=password', { body: { email, password } })
    await step('password: banned, and wrong', 'POST', '/token?grant_type=password', { body: { email, password: 'wrong' } })
    await target.ban(id, false)
  }

  async function refreshes() {
    const refresh = (refresh_token, name, options) => step(name, 'POST', '/token?grant_type=refresh_token', { body: { refresh_token }, ...options })
    const { session, email, password, id } = await signedUp()
    const first = await refresh(session.refresh_token, 'refresh')
    const [, before] = decode(session.access_token)
    const [, after] = decode(first.access_token)
    fact('refresh: same session', before.session_id === after.session_id)
    fact('refresh: amr', shape(after.amr))
    fact('refresh: amr timestamp is that of the sign-in', before.amr[0].timestamp === after.amr[0].timestamp)
    const again = await refresh(session.refresh_token, 'refresh: the one before the last, at once')
    fact('refresh: … answers with the last', again.refresh_token === first.refresh_token)
    await target.age(3600)
    const late = await refresh(session.refresh_token, 'refresh: the one before the last, an hour later')
    fact('refresh: … answers with the last, too', late.refresh_token === first.refresh_token)
    const second = await refresh(first.refresh_token, 'refresh: the last, an hour later')
    const third = await refresh(second.refresh_token, 'refresh: and the next')
    await refresh(session.refresh_token, 'refresh: the first, 3 behind, at once')
    await target.age(7200)
    await refresh(session.refresh_token, 'refresh: the first, 3 behind, an hour later')
    await refresh(third.refresh_token, 'refresh: the last, after that reuse')
    await target.unage()
    await step('user: with the access token of that session', 'GET', '/user', { token: await freshToken(third) })
    async function freshToken(answer) {
            const [, claims] = decode(answer.access_token)
      return target.token({ sub: claims.sub, session_id: claims.session_id })
    }
    await refresh('', 'refresh: empty')
    await refresh(undefined, 'refresh: none')
    await refresh(null, 'refresh: null')
    await refresh(7, 'refresh: a number')
    await refresh('abcdefghijkl', 'refresh: unknown, of 12')
    await refresh('x'.repeat(64), 'refresh: unknown, of 64')
    await refresh('nonsense!!', 'refresh: unknown, of other characters')
    await refresh(session.access_token, 'refresh: an access token')
    await step('refresh: a form', 'POST', '/token?grant_type=refresh_token', { form: { refresh_token: session.refresh_token } })
    await step('refresh: not JSON', 'POST', '/token?grant_type=refresh_token', { text: 'x' })
    const other = await token('password', { email, password })
    await target.ban(id)
    await refresh(other.refresh_token, 'refresh: banned')
    await target.ban(id, false)
    const third2 = await token('password', { email, password })
    await target.remove(id)
    await refresh(third2.refresh_token, 'refresh: of a deleted user')
  }

  async function users() {
    const { session, email, password, id } = await signedUp(undefined, PASSWORD, { name: 'Ada' })
    const { access_token } = session
    await step('user', 'GET', '/user', { token: access_token })
    await step('user: HEAD', 'HEAD', '/user', { token: access_token })
    await step('user: bearer in small letters', 'GET', '/user', { headers: { authorization: `bearer ${access_token}` } })
    await step('user: token without a scheme', 'GET', '/user', { headers: { authorization: access_token } })
    await step('user: Basic', 'GET', '/user', { headers: { authorization: 'Basic YTpi' } })
    await step('user: two spaces', 'GET', '/user', { headers: { authorization: `Bearer  ${access_token}` } })
    await step('user: no token', 'GET', '/user')
    await step('user: no token, without a version header', 'GET', '/user', { version: false })
    await step('user: nonsense', 'GET', '/user', { token: 'nonsense' })
    await step('user: publishable key', 'GET', '/user', { token: 'sb_publishable_x' })
    await step('user: other signature', 'GET', '/user', { token: access_token.replace(/.{6}$/, 'AAAAAA') })
    await step('user: alg none', 'GET', '/user', { token: `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${access_token.split('.')[1]}.` })
    await step('user: HS256 with any secret', 'GET', '/user', { token: `${Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')}.${access_token.split('.')[1]}.AAAA` })
    await step('user: expired', 'GET', '/user', { token: await target.token({ sub: id, email }, { expires_in: -60 }) })
    await step('user: sub of an unknown user', 'GET', '/user', { token: await target.token({ sub: randomUUID() }) })
    await step('user: sub is no uuid', 'GET', '/user', { token: await target.token({ sub: 'ada' }) })
    await step('user: no session_id', 'GET', '/user', { token: await target.token({ sub: id, session_id: undefined }) })
    await step('user: session unknown', 'GET', '/user', { token: await target.token({ sub: id, session_id: randomUUID() }) })
    await step('user: session_id is no uuid', 'GET', '/user', { token: await target.token({ sub: id, session_id: 'x' }) })
    await step('user: session_id empty', 'GET', '/user', { token: await target.token({ sub: id, session_id: '' }) })
    await step('user: another audience', 'GET', '/user', { token: await target.token({ sub: id, aud: 'other' }) })
    await step('user: another issuer', 'GET', '/user', { token: await target.token({ sub: id, iss: 'https://other.example' }) })

    const put = (name, body, options) => step(`update: ${name}`, 'PUT', '/user', { body, token: access_token, ...options })
    await put('data', { data: { theme: 'dark', name: null, count: 1 } })
    await put('data empty', { data: {} })
    await put('data null', { data: null })
    await put('data a text', { data: 'x' })
    await put('nothing', {})
    await put('unknown member', { something: 1 })
    await put('app_metadata', { app_metadata: { roles: ['admin'] } })
    await put('app_metadata empty', { app_metadata: {} })
    await put('user_metadata', { user_metadata: { roles: ['admin'] } })
    await put('role', { role: 'service_role' })
    await put('aud', { aud: 'x' })
    await put('password weak', { password: 'short' })
    await put('password empty', { password: '' })
    await put('password of 73', { password: 'x'.repeat(73) })
    await put('password same', { password })
    await put('password with a wrong nonce', { password: 'another one!', nonce: '000000' })
    await put('password again', { password: 'another two!' })
    await put('password with current_password', { password: 'another three!', current_password: 'another two!' })
    await put('email without form', { email: 'nonsense' })
    await put('email empty', { email: '' })
    await put('email a number', { email: 1 })
    await put('email same', { email })
    await put('email same in capitals', { email: email.toUpperCase() })
    const other = await signedUp()
    await put('email of another user', { email: other.email })
    await put('email of another user in capitals', { email: other.email.toUpperCase() })
    await put('phone', { phone: '+491701234567' })
    await put('phone empty', { phone: '' })
    await put('not JSON', undefined, { text: '{' })
    await put('no body', undefined, { headers: { 'content-type': 'application/json' } })
    await put('challenge without method', { email: newEmail(), code_challenge: 'x'.repeat(43) })
    await step('update: no token', 'PUT', '/user', { body: { data: {} } })
    await step('update: POST', 'POST', '/user', { body: { data: {} }, token: access_token })
    await step('update: PATCH', 'PATCH', '/user', { body: { data: {} }, token: access_token })
    const fresh = newEmail('fresh')
    await put('email new', { email: fresh })
    fact('update: mails of a new address, to the new and to the old', [(await target.mails(fresh)).length, (await target.mails(email)).length])
    const links = [...(await target.mails(fresh)), ...(await target.mails(email))]
    for (const [index, mail] of links.entries()) await note(`update: following link ${index + 1}`, await fetch(mail.link, { redirect: 'manual' }))
    const now = await json('GET', '/user', { token: access_token })
    fact('update: the address after the links', now.email === fresh ? 'new' : now.email === email ? 'old' : now)
    // A new password ends the other sessions.
    const twice = await signedUp()
    const second = await token('password', twice)
    await step('update: password, by one of two sessions', 'PUT', '/user', { body: { password: 'quite another' }, token: second.access_token })
    await step('update: … the other session', 'GET', '/user', { token: twice.session.access_token })
    await step('update: … the other session refreshes', 'POST', '/token?grant_type=refresh_token', { body: { refresh_token: twice.session.refresh_token } })
    await step('update: … this session', 'GET', '/user', { token: second.access_token })

    const anonymous = await json('POST', '/signup', { body: {} })
    fact('token: claims of an anonymous sign-in', shape(decode(anonymous.access_token)[1]))
    await step('anonymous: user', 'GET', '/user', { token: anonymous.access_token })
    await step('anonymous: password', 'PUT', '/user', { body: { password: PASSWORD }, token: anonymous.access_token })
    await step('anonymous: address of another user', 'PUT', '/user', { body: { email: other.email }, token: anonymous.access_token })
    await step('anonymous: address', 'PUT', '/user', { body: { email: newEmail('was-anonymous') }, token: anonymous.access_token })
    const both = await json('POST', '/signup', { body: {} })
    await step('anonymous: address and password', 'PUT', '/user', { body: { email: newEmail('was-anonymous'), password: PASSWORD }, token: both.access_token })
    const renewed = await token('refresh_token', { refresh_token: both.refresh_token })
    fact('token: claims of one who was anonymous', renewed.access_token ? shape(decode(renewed.access_token)[1]) : renewed)

    await target.ban(other.id)
    await step('user: banned', 'GET', '/user', { token: other.session.access_token })
    await target.ban(other.id, false)
    await target.roles(other.id, ['admin'])
    const withRoles = await token('password', other)
    fact('token: app_metadata with roles', decode(withRoles.access_token)[1].app_metadata)
    await target.remove(other.id)
    await step('user: deleted user', 'GET', '/user', { token: other.session.access_token })
    await step('update: deleted user', 'PUT', '/user', { token: other.session.access_token, body: { data: {} } })
  }

  async function logouts() {
    for (const scope of ['global', 'local', 'others', '', 'nonsense', 'GLOBAL']) {
      const member = await signedUp()
      const second = await token('password', member)
      const query = scope === '' ? '' : `?scope=${scope}`
      await step(`logout${query || ': no scope'}`, 'POST', `/logout${query}`, { token: second.access_token })
      await step(`logout${query || ': no scope'} … this session`, 'GET', '/user', { token: second.access_token })
      await step(`logout${query || ': no scope'} … this session refreshes`, 'POST', '/token?grant_type=refresh_token', { body: { refresh_token: second.refresh_token } })
      await step(`logout${query || ': no scope'} … the other session`, 'GET', '/user', { token: member.session.access_token })
      await step(`logout${query || ': no scope'} … again`, 'POST', `/logout${query}`, { token: second.access_token })
    }
    await step('logout: no token', 'POST', '/logout')
    await step('logout: nonsense', 'POST', '/logout', { token: 'nonsense' })
    await step('logout: publishable key', 'POST', '/logout', { token: 'sb_publishable_x' })
    await step('logout: expired', 'POST', '/logout', { token: await target.token({ sub: randomUUID() }, { expires_in: -60 }) })
    await step('logout: GET', 'GET', '/logout')
  }

  async function mails() {
    const member = await signedUp()
    const back = `redirect_to=${encodeURIComponent(SITE + '/auth/callback?next=/a')}`
    await step('recover', 'POST', `/recover?${back}`, { body: { email: member.email } })
    await step('recover: unknown user', 'POST', '/recover', { body: { email: newEmail() } })
    await step('recover: without form', 'POST', '/recover', { body: { email: 'nonsense' } })
    await step('recover: none', 'POST', '/recover', { body: {} })
    await step('recover: not JSON', 'POST', '/recover', { text: '{' })
    await step('recover: challenge of 42', 'POST', '/recover', { body: { email: member.email, code_challenge: 'x'.repeat(42), code_challenge_method: 's256' } })
    const last = async (email) => (await target.mails(email)).slice(-1)[0]
    let mail = await last(member.email)
    fact('mail: of a recovery', { type: new URL(mail.link).searchParams.get('type'), path: new URL(mail.link).pathname, redirect: new URL(mail.link).searchParams.get('redirect_to')?.replace(SITE, '{site}'), code: mail.code?.length ?? 'none in the mail', hash: mail.token_hash.length, prefix: mail.token_hash.startsWith('pkce_') })
    await note('recover: link followed', await fetch(mail.link, { redirect: 'manual' }))
    await note('recover: link followed again', await fetch(mail.link, { redirect: 'manual' }))
    const { verifier, challenge } = pkce()
    await call('POST', `/recover?${back}`, { body: { email: member.email, code_challenge: challenge, code_challenge_method: 's256' } })
    mail = await last(member.email)
    const followed = await fetch(mail.link, { redirect: 'manual' })
    await note('recover by PKCE: link followed', followed)
    const code = new URL(followed.headers.get('location')).searchParams.get('code')
    await step('recover by PKCE: wrong verifier', 'POST', '/token?grant_type=pkce', { body: { auth_code: code, code_verifier: 'x'.repeat(50) } })
    const session = await step('recover by PKCE: exchange', 'POST', '/token?grant_type=pkce', { body: { auth_code: code, code_verifier: verifier } })
    if (session?.access_token) fact('recover by PKCE: amr', shape(decode(session.access_token)[1].amr))
    await step('recover by PKCE: exchange again', 'POST', '/token?grant_type=pkce', { body: { auth_code: code, code_verifier: verifier } })
    await call('POST', '/recover', { body: { email: member.email, code_challenge: challenge, code_challenge_method: 's256' } })
    mail = await last(member.email)
    await target.age(90000)
    await note('recover by PKCE: link a day later', await fetch(mail.link, { redirect: 'manual' }))
    await target.unage()
    await call('POST', '/recover', { body: { email: member.email } })
    mail = await last(member.email)
    await target.age(4000)
    await note('recover: link 67 minutes later', await fetch(mail.link, { redirect: 'manual' }))
    await target.unage()
    await call('POST', '/recover', { body: { email: member.email } })
    mail = await last(member.email)
    const foreign = new URL(mail.link)
    foreign.searchParams.set('redirect_to', 'https://attacker.invalid/')
    await note('recover: link with a foreign redirect', await fetch(foreign, { redirect: 'manual' }))
    for (const [name, query] of [['nothing', ''], ['no type', 'token=abc'], ['no token', 'type=recovery'], ['type unknown', 'token=abc&type=nonsense'], ['token unknown', 'token=abc&type=recovery'], ['pkce token unknown', 'token=pkce_abc&type=recovery'], ['token_hash', 'token_hash=abc&type=recovery'], ['redirect not allowed', `token=abc&type=recovery&redirect_to=https://attacker.invalid/`], ['type sms', 'token=abc&type=sms'], ['allowed redirect', `token=abc&type=recovery&${back}`]])
      await step(`verify by GET: ${name}`, 'GET', `/verify?${query}`)

    for (const known of [true, false]) {
      const who = known ? member.email : newEmail('otp')
      const what = known ? 'known user' : 'new user'
      await step(`otp: ${what}`, 'POST', `/otp?${back}`, { body: { email: who, data: { name: 'Otp' }, create_user: true, gotrue_meta_security: {}, code_challenge: null, code_challenge_method: null } })
      mail = await last(who)
      fact(`otp: mail to ${what}`, { type: mail && new URL(mail.link).searchParams.get('type'), subject: undefined })
      const given = mail?.code ?? '(none)'
      await step(`otp: ${what}: wrong code`, 'POST', '/verify', { body: { email: who, token: '000000', type: 'email' } })
      await step(`otp: ${what}: wrong type`, 'POST', '/verify', { body: { email: who, token: given, type: 'email_change' } })
      await step(`otp: ${what}: code for another address`, 'POST', '/verify', { body: { email: newEmail(), token: given, type: 'email' } })
      const answer = await step(`otp: ${what}: code`, 'POST', '/verify', { body: { email: who, token: given, type: 'email' } })
      if (answer?.access_token) fact(`otp: ${what}: amr`, shape(decode(answer.access_token)[1].amr))
      await step(`otp: ${what}: code again`, 'POST', '/verify', { body: { email: who, token: given, type: 'email' } })
    }
    await step('otp: create_user false, known', 'POST', '/otp', { body: { email: member.email, create_user: false } })
    await step('otp: create_user false, new', 'POST', '/otp', { body: { email: newEmail(), create_user: false } })
    await step('otp: phone', 'POST', '/otp', { body: { phone: '+491701234567' } })
    await step('otp: phone and address', 'POST', '/otp', { body: { email: member.email, phone: '+491701234567' } })
    await step('otp: without form', 'POST', '/otp', { body: { email: 'nonsense' } })
    await step('otp: none', 'POST', '/otp', { body: {} })
    await step('otp: not JSON', 'POST', '/otp', { text: '{' })
    await step('otp: challenge without method', 'POST', '/otp', { body: { email: member.email, code_challenge: 'x'.repeat(43) } })
    await step('magiclink', 'POST', `/magiclink?${back}`, { body: { email: member.email } })
    await call('POST', '/otp', { body: { email: member.email } })
    mail = await last(member.email)
    await step('verify: token_hash', 'POST', '/verify', { body: { token_hash: mail.token_hash, type: 'email' } })
    await step('verify: token_hash again', 'POST', '/verify', { body: { token_hash: mail.token_hash, type: 'email' } })
    await call('POST', '/otp', { body: { email: member.email } })
    mail = await last(member.email)
    await step('verify: token_hash as magiclink', 'POST', '/verify', { body: { token_hash: mail.token_hash, type: 'magiclink' } })
    await call('POST', '/otp', { body: { email: member.email } })
    mail = await last(member.email)
    await step('verify: token_hash and address', 'POST', '/verify', { body: { token_hash: mail.token_hash, email: member.email, type: 'magiclink' } })
    await step('verify: token_hash and token', 'POST', '/verify', { body: { token_hash: mail.token_hash, token: '123456', email: member.email, type: 'magiclink' } })
    await step('verify: nothing', 'POST', '/verify', { body: {} })
    await step('verify: only a type', 'POST', '/verify', { body: { type: 'email' } })
    await step('verify: no type', 'POST', '/verify', { body: { email: member.email, token: '123456' } })
    await step('verify: type unknown', 'POST', '/verify', { body: { email: member.email, token: '123456', type: 'nonsense' } })
    await step('verify: no address', 'POST', '/verify', { body: { token: '123456', type: 'email' } })
    await step('verify: unknown user', 'POST', '/verify', { body: { email: newEmail(), token: '123456', type: 'email' } })
    await step('verify: phone', 'POST', '/verify', { body: { phone: '+491701234567', token: '123456', type: 'sms' } })
    await step('verify: both', 'POST', '/verify', { body: { email: member.email, phone: '+491701234567', token: '123456', type: 'sms' } })
    await step('verify: not JSON', 'POST', '/verify', { text: '{' })
    await step('verify: PUT', 'PUT', '/verify', { body: {} })
    await call('POST', '/recover', { body: { email: member.email } })
    mail = await last(member.email)
    await target.ban(member.id)
    await note('verify: link, banned', await fetch(mail.link, { redirect: 'manual' }))
    await step('recover: banned', 'POST', '/recover', { body: { email: member.email } })
    await step('otp: banned', 'POST', '/otp', { body: { email: member.email } })
    await target.ban(member.id, false)
    for (const type of ['signup', 'email_change', 'sms', 'phone_change', 'recovery', 'nonsense', undefined])
      await step(`resend: ${type ?? 'no type'}`, 'POST', '/resend', { body: { email: member.email, type } })
    await step('resend: unknown user', 'POST', '/resend', { body: { email: newEmail(), type: 'signup' } })
    await step('resend: no address', 'POST', '/resend', { body: { type: 'signup' } })
    await step('resend: without form', 'POST', '/resend', { body: { type: 'signup', email: 'nonsense' } })

    if (mode === 'confirm') {
      const fresh = newEmail('confirm')
      await step('confirm: signup', 'POST', `/signup?${back}`, { body: { email: fresh, password: PASSWORD, data: { name: 'C' } } })
      await step('confirm: signup again', 'POST', '/signup', { body: { email: fresh, password: 'another password' } })
      await step('confirm: signup of a confirmed user', 'POST', '/signup', { body: { email: member.email, password: PASSWORD } })
      await step('confirm: password before', 'POST', '/token?grant_type=password', { body: { email: fresh, password: PASSWORD } })
      await step('confirm: the password of the second sign-up', 'POST', '/token?grant_type=password', { body: { email: fresh, password: 'another password' } })
      await step('confirm: resend', 'POST', '/resend', { body: { email: fresh, type: 'signup' } })
      await step('confirm: recover before', 'POST', '/recover', { body: { email: fresh } })
      mail = await last(fresh)
      fact('confirm: type of the last mail', new URL(mail.link).searchParams.get('type'))
      const mailed = (await target.mails(fresh)).filter((each) => new URL(each.link).searchParams.get('type') === 'signup').slice(-1)[0]
      const answer = await fetch(mailed.link, { redirect: 'manual' })
      await note('confirm: link', answer)
      await step('confirm: password after', 'POST', '/token?grant_type=password', { body: { email: fresh, password: PASSWORD } })
      const byPkce = newEmail('confirm')
      const pair = pkce()
      await step('confirm: signup by PKCE', 'POST', `/signup?${back}`, { body: { email: byPkce, password: PASSWORD, code_challenge: pair.challenge, code_challenge_method: 's256' } })
      mail = await last(byPkce)
      const led = await fetch(mail.link, { redirect: 'manual' })
      await note('confirm by PKCE: link', led)
      const given = new URL(led.headers.get('location')).searchParams.get('code')
      const exchanged = await step('confirm by PKCE: exchange', 'POST', '/token?grant_type=pkce', { body: { auth_code: given, code_verifier: pair.verifier } })
      if (exchanged?.access_token) fact('confirm by PKCE: amr', shape(decode(exchanged.access_token)[1].amr))
      const typed = newEmail('confirm')
      await call('POST', '/signup', { body: { email: typed, password: PASSWORD } })
      mail = await last(typed)
      await step('confirm: code typed', 'POST', '/verify', { body: { email: typed, token: mail.code ?? '(none)', type: 'signup' } })
      const anonymous = await json('POST', '/signup', { body: {} })
      const later = newEmail('was-anonymous')
      await step('confirm: anonymous gives an address', 'PUT', '/user', { body: { email: later }, token: anonymous.access_token })
      mail = await last(later)
      await note('confirm: anonymous follows the link', await fetch(mail.link, { redirect: 'manual' }))
      await step('confirm: anonymous, after', 'GET', '/user', { token: anonymous.access_token })
      const unconfirmed = newEmail('unconfirmed')
      await call('POST', '/signup', { body: { email: unconfirmed, password: PASSWORD, data: { name: 'Squatter' } } })
      const { back: landed } = await target.atProvider(`${target.auth}/authorize?provider=google&redirect_to=${encodeURIComponent(SITE + '/auth/callback')}`, { email: unconfirmed, name: 'Owner', sub: '77' + Date.now() })
      const implicit = new URLSearchParams(landed.hash.slice(1)).get('access_token')
      await step('confirm: unconfirmed account, its owner signs in with Google', 'GET', '/user', { token: implicit })
      await step('confirm: … the old password', 'POST', '/token?grant_type=password', { body: { email: unconfirmed, password: PASSWORD } })
    }
  }

  async function providers() {
    const authorize = (query) => `${target.auth}/authorize?${new URLSearchParams(query)}`
    const BACK = `${SITE}/auth/callback?next=/a`
    for (const provider of ['google', 'github']) {
      const { verifier, challenge } = pkce()
      const who = { email: newEmail(provider), name: 'Ada Lovelace', sub: String(Date.now()).slice(-9) }
      const query = { provider, redirect_to: BACK, scopes: 'a b', code_challenge: challenge, code_challenge_method: 's256', access_type: 'offline' }
      await note(`${provider}: authorize`, await fetch(authorize(query), { redirect: 'manual' }))
      const { back, response } = await target.atProvider(authorize(query), who)
      await note(`${provider}: callback`, response, { back: place(back?.href) })
      const code = back?.searchParams.get('code')
      await step(`${provider}: exchange without verifier`, 'POST', '/token?grant_type=pkce', { body: { auth_code: code } })
      await step(`${provider}: exchange with an empty code`, 'POST', '/token?grant_type=pkce', { body: { auth_code: '', code_verifier: verifier } })
      await step(`${provider}: exchange, wrong verifier`, 'POST', '/token?grant_type=pkce', { body: { auth_code: code, code_verifier: verifier.slice(1) } })
      await step(`${provider}: exchange, unknown code`, 'POST', '/token?grant_type=pkce', { body: { auth_code: randomUUID(), code_verifier: verifier } })
      await step(`${provider}: exchange, code no uuid`, 'POST', '/token?grant_type=pkce', { body: { auth_code: 'nonsense', code_verifier: verifier } })
      const session = await step(`${provider}: exchange`, 'POST', '/token?grant_type=pkce', { body: { auth_code: code, code_verifier: verifier } })
      fact(`${provider}: claims`, session?.access_token ? shape(decode(session.access_token)[1]) : session)
      fact(`${provider}: user_metadata`, session?.user && Object.fromEntries(Object.entries(session.user.user_metadata).sort().map(([key, value]) => [key, key === 'iss' ? value : shape(value, key)])))
      fact(`${provider}: app_metadata`, session?.user?.app_metadata)
      await step(`${provider}: exchange again`, 'POST', '/token?grant_type=pkce', { body: { auth_code: code, code_verifier: verifier } })
      const denied = await target.atProvider(authorize(query), { ...who, deny: true })
      await note(`${provider}: denied`, denied.response, { back: place(denied.back?.href) })
      const implicit = await target.atProvider(authorize({ provider, redirect_to: BACK }), who)
      await note(`${provider}: implicit`, implicit.response, { back: place(implicit.back?.href) })
      const deniedImplicit = await target.atProvider(authorize({ provider, redirect_to: BACK }), { ...who, deny: true })
      await note(`${provider}: implicit, denied`, deniedImplicit.response, { back: place(deniedImplicit.back?.href) })
      // An expired code.
      const aged = await target.atProvider(authorize(query), who)
      await target.age(400)
      await step(`${provider}: exchange, 400 s later`, 'POST', '/token?grant_type=pkce', { body: { auth_code: aged.back?.searchParams.get('code'), code_verifier: verifier } })
      await target.unage()
      await target.ban(session?.user?.id)
      const banned = await target.atProvider(authorize(query), who)
      await note(`${provider}: banned`, banned.response, { back: place(banned.back?.href) })
      if (banned.back?.searchParams.get('code')) await step(`${provider}: banned, exchange`, 'POST', '/token?grant_type=pkce', { body: { auth_code: banned.back.searchParams.get('code'), code_verifier: verifier } })
      await target.ban(session?.user?.id, false)
      const plainVerifier = 'plain-' + 'x'.repeat(50)
      const byPlain = await target.atProvider(authorize({ provider, redirect_to: BACK, code_challenge: plainVerifier, code_challenge_method: 'plain' }), who)
      await step(`${provider}: plain challenge`, 'POST', '/token?grant_type=pkce', { body: { auth_code: byPlain.back?.searchParams.get('code'), code_verifier: plainVerifier } })
      for (const redirect_to of ['https://attacker.invalid/', 'javascript:alert(1)', '//attacker.invalid', '/relative', '', 'http://localhost:9/other-port', 'http://127.0.0.1:5/x', `${SITE}@attacker.invalid/`, 'http://localhost.attacker.invalid/', `${SITE}/deep/path?a=1#frag`]) {
        if (provider === 'github') continue
        const led = await target.atProvider(authorize({ provider, redirect_to, code_challenge: challenge, code_challenge_method: 's256' }), who)
        const at = led.back && (led.back.origin === 'null' ? led.back.protocol : led.back.origin) + led.back.pathname
        fact(`authorize: redirect_to ${redirect_to || '(empty)'} leads to`, at?.replace(SITE, '{site}') ?? led.response.status)
      }
    }
    // The account of an address, by another provider and by password.
    const member = await signedUp()
    const { back } = await target.atProvider(authorize({ provider: 'google', redirect_to: BACK }), { email: member.email, name: 'Linked', sub: '5' + String(Date.now()).slice(-8) })
    const linked = await json('GET', '/user', { token: new URLSearchParams(back.hash.slice(1)).get('access_token') })
    fact('google: linked to the account of the same address', { same: linked.id === member.id, app_metadata: linked.app_metadata, identities: linked.identities?.map((each) => each.provider) })
    await step('google: … the password still works', 'POST', '/token?grant_type=password', { body: { email: member.email, password: PASSWORD } })
    for (const [name, query] of [
      ['no provider', {}], ['provider unknown', { provider: 'nonsense' }], ['provider off', { provider: 'gitlab' }], ['provider in capitals', { provider: 'GOOGLE' }], ['provider email', { provider: 'email' }],
      ['challenge of 42', { provider: 'google', code_challenge: 'x'.repeat(42), code_challenge_method: 's256' }],
      ['challenge of 129', { provider: 'google', code_challenge: 'x'.repeat(129), code_challenge_method: 's256' }],
      ['challenge of other characters', { provider: 'google', code_challenge: '!'.repeat(43), code_challenge_method: 's256' }],
      ['challenge without method', { provider: 'google', code_challenge: 'x'.repeat(43) }],
      ['method without challenge', { provider: 'google', code_challenge_method: 's256' }],
      ['method unknown', { provider: 'google', code_challenge: 'x'.repeat(43), code_challenge_method: 's512' }],
      ['method in capitals', { provider: 'google', code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' }],
    ]) await note(`authorize: ${name}`, await fetch(authorize(query), { redirect: 'manual', headers: VERSION }))
    await note('authorize: POST', await fetch(authorize({ provider: 'google' }), { method: 'POST', redirect: 'manual' }))
    for (const [name, query] of [['nothing', ''], ['no state', 'code=x'], ['state no uuid', 'code=x&state=nonsense'], ['state unknown', `code=x&state=${randomUUID()}`], ['error without state', 'error=access_denied'], ['error, state unknown', `error=access_denied&state=${randomUUID()}`]])
      await step(`callback: ${name}`, 'GET', `/callback?${query}`)
    await step('callback: POST', 'POST', '/callback', { form: { state: randomUUID(), code: 'x' } })

    const email = newEmail('idtoken')
    const grant = (name, body) => step(`id token: ${name}`, 'POST', '/token?grant_type=id_token', { body })
    const good = await target.idToken({ email })
    const answer = await grant('google', { provider: 'google', id_token: good })
    if (answer?.access_token) {
      fact('id token: amr', shape(decode(answer.access_token)[1].amr))
      fact('id token: user_metadata', Object.fromEntries(Object.entries(answer.user.user_metadata).sort().map(([key, value]) => [key, key === 'iss' ? value : shape(value, key)])))
    }
    await grant('google, again', { provider: 'google', id_token: good })
    const nonce = randomUUID()
    const hashed = await target.idToken({ email, nonce: createHash('sha256').update(nonce).digest('hex') })
    await grant('nonce', { provider: 'google', id_token: hashed, nonce })
    await grant('nonce missing', { provider: 'google', id_token: hashed })
    await grant('nonce wrong', { provider: 'google', id_token: hashed, nonce: 'other' })
    await grant('nonce not in the token', { provider: 'google', id_token: good, nonce })
    await grant('nonce not hashed', { provider: 'google', id_token: await target.idToken({ email, nonce }), nonce })
    await grant('another audience', { provider: 'google', id_token: await target.idToken({ email, audience: 'other' }) })
    await grant('expired', { provider: 'google', id_token: await target.idToken({ email, expires_in: -600 }) })
    await grant('other signature', { provider: 'google', id_token: good.replace(/.{6}$/, 'AAAAAA') })
    await grant('nonsense', { provider: 'google', id_token: 'nonsense' })
    await grant('none', { provider: 'google' })
    await grant('empty', { provider: 'google', id_token: '' })
    await grant('provider none', { id_token: good })
    await grant('provider unknown', { provider: 'nonsense', id_token: good })
    await grant('provider github', { provider: 'github', id_token: good })
    await grant('provider apple, off', { provider: 'apple', id_token: good })
    await grant('client_id and issuer', { client_id: target.googleClient, issuer: 'https://accounts.google.com', id_token: good })
    await grant('address not verified', { provider: 'google', id_token: await target.idToken({ email: newEmail('unverified'), email_verified: false }) })
    await step('id token: not JSON', 'POST', '/token?grant_type=id_token', { text: '{' })
    await target.ban(answer?.user?.id)
    await grant('banned', { provider: 'google', id_token: await target.idToken({ email }) })
    await target.ban(answer?.user?.id, false)
  }

  async function others() {
    const { session } = await signedUp()
    const at = { token: session.access_token }
    await step('other: POST /factors', 'POST', '/factors', { ...at, body: { factor_type: 'totp', friendly_name: 'x' } })
    await step('other: GET /reauthenticate', 'GET', '/reauthenticate', at)
    await step('other: GET /user/identities/authorize', 'GET', '/user/identities/authorize?provider=google', at)
    await step('other: DELETE /user/identities/ID', 'DELETE', `/user/identities/${randomUUID()}`, at)
    await step('other: POST /invite', 'POST', '/invite', { ...at, body: { email: newEmail() } })
    await step('other: GET /admin/users', 'GET', '/admin/users', at)
    await step('other: GET /admin/users, no token', 'GET', '/admin/users')
    await step('other: POST /admin/generate_link', 'POST', '/admin/generate_link', { ...at, body: { type: 'magiclink', email: newEmail() } })
    await step('other: POST /sso', 'POST', '/sso', { body: { domain: 'example.com' } })
    await step('other: POST /token web3', 'POST', '/token?grant_type=web3', { body: { chain: 'solana' } })
  }

  // The results of supabase-js.
  async function client() {
    const memory = () => { const items = new Map(); return { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => void items.set(key, value), removeItem: (key) => void items.delete(key) } }
    const make = (auth = {}) => createClient(target.url, 'sb_publishable_x', { auth: { flowType: 'pkce', storage: memory(), autoRefreshToken: false, detectSessionInUrl: false, ...auth }, realtime: { transport: ws } })
    const outcome = ({ data, error }) => ({ error: error && { name: error.name, status: error.status, code: error.code, message: plain(error.message), reasons: error.reasons }, data: shape(data) })
    const record = async (name, doing) => { try { const answer = await doing; fact(`supabase-js: ${name}`, outcome(answer)); return answer.data } catch (error) { fact(`supabase-js: ${name}`, `threw ${error.name}: ${plain(error.message)}`) } }
    const one = make(), email = newEmail('client')
    if (mode === 'autoconfirm') await record('signUp', one.auth.signUp({ email, password: PASSWORD, options: { data: { name: 'Ada' }, emailRedirectTo: `${SITE}/auth/callback` } }))
    else { await signedUp(email); await one.auth.signInWithPassword({ email, password: PASSWORD }) }
    await record('signUp again', make().auth.signUp({ email, password: PASSWORD }))
    await record('signUp weak', make().auth.signUp({ email: newEmail(), password: 'x' }))
    await record('signInWithPassword', make().auth.signInWithPassword({ email, password: PASSWORD }))
    await record('signInWithPassword wrong', make().auth.signInWithPassword({ email, password: 'x' }))
    await record('signInAnonymously', make().auth.signInAnonymously())
    await record('getUser', one.auth.getUser())
    await record('getSession', one.auth.getSession())
    await record('getClaims', one.auth.getClaims())
    await record('getClaims of nonsense', one.auth.getClaims('nonsense'))
    await record('refreshSession', one.auth.refreshSession())
    await record('updateUser data', one.auth.updateUser({ data: { theme: 'dark' } }))
    await record('updateUser same password', one.auth.updateUser({ password: PASSWORD }))
    await record('updateUser password', one.auth.updateUser({ password: PASSWORD + '!' }))
    await record('updateUser email', one.auth.updateUser({ email: newEmail('client-new') }))
    await record('reauthenticate', one.auth.reauthenticate())
    await record('resend', one.auth.resend({ type: 'signup', email }))
    await record('resetPasswordForEmail', one.auth.resetPasswordForEmail(email, { redirectTo: `${SITE}/auth/callback` }))
    await record('signInWithOtp', make().auth.signInWithOtp({ email }))
    await record('signInWithOtp phone', make().auth.signInWithOtp({ phone: '+491701234567' }))
    await record('signInWithOtp closed', make().auth.signInWithOtp({ email: newEmail(), options: { shouldCreateUser: false } }))
    await record('verifyOtp wrong', make().auth.verifyOtp({ email, token: '000000', type: 'email' }))
    await record('exchangeCodeForSession unknown', make().auth.exchangeCodeForSession(randomUUID()))
    await record('setSession broken', make().auth.setSession({ access_token: 'x.y.z', refresh_token: 'x' }))
    await record('signInWithIdToken nonsense', make().auth.signInWithIdToken({ provider: 'google', token: 'nonsense' }))
    await record('signInWithIdToken', make().auth.signInWithIdToken({ provider: 'google', token: await target.idToken({ email: newEmail('client') }) }))
    await record('signInWithSSO', make().auth.signInWithSSO({ domain: 'example.com' }))
    await record('getUserIdentities', one.auth.getUserIdentities())
    await record('linkIdentity', one.auth.linkIdentity({ provider: 'google', options: { skipBrowserRedirect: true } }))
    await record('mfa.listFactors', one.auth.mfa.listFactors())
    await record('mfa.getAuthenticatorAssuranceLevel', one.auth.mfa.getAuthenticatorAssuranceLevel())
    await record('mfa.enroll', one.auth.mfa.enroll({ factorType: 'totp' }))
    await record('signOut others', one.auth.signOut({ scope: 'others' }))
    await record('signOut', one.auth.signOut())
    await record('getUser after', one.auth.getUser())
    await record('signOut without a session', make().auth.signOut())
  }

  for (const part of [documents, signups, passwords, refreshes, users, logouts, mails, providers, others, client]) await part()
  return seen
}
