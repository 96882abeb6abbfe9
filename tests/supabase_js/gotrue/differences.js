// The differences from Supabase Auth that are meant, each with its reason. The test fails on a difference that is not listed here, and on a rule without a difference.
//
// `names` are steps of probe.js; a rule without names holds for every step. `member` is the path of a member of the answer, or `answer` if the statuses differ; then the
// values are the status and the error code. `theirs` (Supabase Auth) and `ours` restrict a rule to these values.

const absent = undefined

// Every step.
const GENERAL = [
  { member: 'headers.cache-control', theirs: absent, ours: 'no-store', reason: 'Tokens, errors and redirects are not cached (RFC 6749 §5.1).' },
  { member: 'headers.referrer-policy', theirs: absent, ours: 'same-origin', reason: 'The address of a redirect may have a code or tokens, which a page must not send on.' },
  { member: 'headers.etag', theirs: absent, ours: '<etag>', reason: 'The JWKS has a validator, which resource servers use.' },
  { member: /\.confirmed_at$/, theirs: absent, ours: '<time.fraction>', reason: 'A column that the database generates: Supabase Auth answers before it reads the row back. It is in the next answer.' },
  { member: 'headers.access-control-expose-headers', reason: 'Only the header that exists is exposed, and also without an Origin.' },
  { member: 'headers.access-control-allow-credentials', theirs: 'true', ours: absent, reason: 'The API has no cookies.' },
  { member: 'headers.access-control-max-age', theirs: absent, ours: '600', reason: 'Fewer preflight requests.' },
  { member: 'headers.access-control-allow-methods', reason: 'All methods are listed, not only the requested one.' },
  { member: 'headers.access-control-allow-headers', reason: 'All headers are listed, not only the requested ones.' },
]

const SITES = ['the site', 'another localhost port']

const CORS = [
  {
    names: [
      ...SITES.flatMap((site) => [`preflight POST /token from ${site}`, `preflight PUT /user from ${site}`, `GET /settings from ${site}`, `POST /token refused, from ${site}`]),
      'preflight GET /factors from the site',
    ],
    member: 'headers.access-control-allow-origin',
    theirs: '*',
    reason: 'Only pages of the site, of this machine and of allowed redirects may call the API: it issues tokens for any user, so a web page must not reach it.',
  },
  {
    names: ['preflight POST /token from a foreign site', 'preflight PUT /user from a foreign site', 'GET /settings from a foreign site'],
    member: 'answer',
    ours: '400 origin_not_allowed',
    reason: 'The same.',
  },
  { names: ['POST /token refused, from a foreign site'], member: /^(body|headers)\./, reason: 'The same.' },
  { names: ['preflight with x-retry-count'], member: 'answer', theirs: '204', ours: '400 invalid_cors_request', reason: 'Neither allows the header. The answer says why, where Supabase Auth only leaves out the headers.' },
]

const WRONG_METHOD = ['POST /health', 'GET /token', 'update: POST', 'update: PATCH', 'logout: GET', 'verify: PUT', 'authorize: POST']
const HEAD = ['HEAD /health', 'HEAD /settings', 'HEAD /.well-known/jwks.json', 'HEAD /.well-known/openid-configuration', 'HEAD /.well-known/oauth-authorization-server', 'user: HEAD']
const NO_ROUTE = ['GET /nowhere', 'GET / (root of the API)', 'trailing slash: GET /settings/']

const ROUTES = [
  { names: WRONG_METHOD, member: /^(body|headers)\./, theirs: absent, reason: 'An error with a code and a message, which supabase-js shows, instead of an empty body.' },
  { names: HEAD, member: /^headers\./, theirs: absent, reason: 'The headers of that error.' },
  { names: NO_ROUTE, member: /^(body|headers\.(content-type|x-s))/, reason: 'An error with a code and a message instead of plain text.' },
]

const DOCUMENTS = [
  { names: ['GET /health'], member: 'body.description', reason: 'The answer says that this is a development IdP.' },
  { names: ['GET /health'], member: 'body.version', reason: 'The version of bearward.' },
  {
    names: ['GET /.well-known/openid-configuration'],
    member: /^body\.(authorization_response_iss_parameter_supported|backchannel_logout_|dpop_signing_alg_|registration_endpoint)/,
    theirs: absent,
    reason: 'The OAuth server is on. It supports client registration, DPoP and back-channel logout.',
  },
  { names: ['GET /.well-known/oauth-authorization-server'], member: 'answer', theirs: '404 feature_disabled', reason: 'The OAuth server is on. In the recorded project it is off.' },
]

const GO = 'The words of Go’s JSON parser, with names of its types. Status and code are alike.'
const CONTENT_TYPE = 'A page of another site can send this content type without a preflight request, and so sign a developer up or in.'

const SIGN_UP = [
  {
    names: ['signup: data a text', 'signup: data an array', 'signup: address a number', 'signup: an array', 'signup: trailing text after the JSON', 'password: a number', 'refresh: a number', 'refresh: not JSON', 'update: data a text', 'update: email a number'],
    member: 'body.message',
    reason: GO,
  },
  { names: ['signup: text/plain', 'signup: no content-type'], member: 'answer', ours: '400 bad_json', reason: CONTENT_TYPE },
  { names: ['signup: a form', 'password: a form', 'refresh: a form'], member: 'body.message', reason: 'Both refuse a form. The message says what is wrong.' },
  { names: ['signup: method unknown'], member: 'answer', ours: '400 validation_failed', reason: 'Supabase Auth ignores the method or fails with 500. A mistake in the client is reported.' },
  { names: ['signup: address "a@b"'], member: /^(answer|body\.)/, reason: 'The database of the recorded service had a user with this address.' },
  { names: ['confirm: signup of a confirmed user'], member: 'body.recovery_sent_at', theirs: '<time.fraction>', ours: absent, reason: 'The time would reveal that the address belongs to a user.' },
]

const TOKENS = [
  { names: ['token: order of claims'], member: 'fact', reason: 'The members of a JSON object have no order.' },
  { names: ['user: other signature', 'user: alg none', 'user: HS256 with any secret'], member: 'body.message', reason: 'The words of a Go library. Status and code are alike.' },
  { names: ['user: another audience', 'user: another issuer'], member: 'answer', ours: '403 bad_jwt', reason: 'A token of another issuer, or for another audience, is refused although the key is the same.' },
]

const USERS = [
  { names: ['update: phone'], member: 'answer', theirs: '500 unexpected_failure', ours: '400 phone_provider_disabled', reason: 'Supabase Auth fails without an SMS provider. Phones are not supported.' },
  { names: ['update: challenge without method'], member: 'answer', theirs: '500 unexpected_failure', ours: '400 validation_failed', reason: 'Supabase Auth fails. A mistake in the client is reported.' },
]

const CONSENT = ['google: authorize', 'github: authorize', 'authorize: provider in capitals', 'authorize: method in capitals']
const PROVIDERS = [
  { names: CONSENT, member: 'location.at', reason: 'The consent page of the IdP takes the place of the provider.' },
  { names: CONSENT, member: 'body', reason: 'The same address, in the body of the redirect.' },
  { names: ['google: exchange'], member: 'body.provider_refresh_token', theirs: absent, reason: 'Google issues a refresh token for access_type=offline. The provider of the recording did not.' },
  { names: ['github: exchange', 'github: claims', 'github: user_metadata', 'github: plain challenge'], member: /\biss$/, ours: 'https://api.github.com', reason: 'The provider of the recording had another address than GitHub.' },
]

export const RULES = [...GENERAL, ...CORS, ...ROUTES, ...DOCUMENTS, ...SIGN_UP, ...TOKENS, ...USERS, ...PROVIDERS]
