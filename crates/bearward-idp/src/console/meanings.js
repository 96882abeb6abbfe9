// What the members of a token mean, and times in words.

export const HEADER = {
  alg: 'The algorithm of the signature. The API accepts only those of its configuration.',
  kid: 'The id of the signing key; the API looks it up in the key set of the issuer.',
  typ: 'The type of the token (RFC 9068 §2.1: at+jwt for access tokens).',
  jku: 'The URL of a key set. It is never followed, because an attacker could name a key set of their own.',
  jwk: 'A key in the token itself. It is never used for the signature.',
  x5u: 'The URL of a certificate. It is never followed.',
  x5c: 'Certificates in the token itself. They are never used.',
  crit: 'Extensions that a verifier must understand. A token with unknown ones is rejected.',
};

export const CLAIMS = {
  iss: 'The issuer of the token. It must equal a configured issuer exactly.',
  sub: 'The user, unique within the issuer. The API identifies accounts by iss and sub.',
  aud: 'The audience of the token. It must contain a configured audience.',
  exp: 'When it expires. It is rejected from then on, with 30 seconds of leeway by default.',
  iat: 'When it was issued.',
  nbf: 'When it becomes valid.',
  jti: 'The id of the token, for revocation.',
  email: 'The address of the user. It does not identify an account.',
  email_verified: 'Whether the issuer has confirmed the address.',
  phone: 'The telephone number; empty if there is none.',
  app_metadata: 'Set by administrators and the issuer. App roles are here.',
  user_metadata: 'Set by the user. Never authorise on it.',
  role: 'The database role. App roles are in app_metadata.roles.',
  aal: 'The authentication assurance level: aal2 after a second factor.',
  amr: 'How the user signed in, newest first.',
  session_id: 'The session, which a sign-out ends.',
  is_anonymous: 'Whether the user has no address yet. Anonymous users are also authenticated.',
  client_id: 'The OAuth client that the token was issued to.',
  azp: 'The client that the token was issued to.',
  scope: 'What the client may do, separated by spaces.',
  cnf: 'The key or certificate that the token is bound to: it is valid only with a proof.',
  nonce: 'Binds an ID token to the sign-in request.',
  name: 'The name of the user.',
  picture: 'The URL of a picture.',
  hd: 'The Google Workspace domain.',
};

const DATES = new Set(['exp', 'iat', 'nbf', 'auth_time', 'updated_at']);

const UNITS = [['year', 31536000], ['month', 2592000], ['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];

/** Returns a time in words, relative to now: "in 59 minutes", "5 minutes ago". */
export function relative(seconds) {
  const difference = seconds - Date.now() / 1000;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(Math.round(difference)) >= length) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat('en', { numeric: 'always' }).format(Math.round(difference / size), unit);
}

/** Returns the value of a member in words. */
export function inWords(name, value) {
  if (DATES.has(name) && typeof value === 'number' && Math.abs(value) < 8.6e12) {
    const date = new Date(value * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
    return `${relative(value)}, ${date}`;
  }
  if (typeof value === 'string') return value === '' ? 'empty' : value;
  // Spaces allow line breaks between members.
  return JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ');
}
