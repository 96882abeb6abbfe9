import { type JwtPayload, type SupabaseClient, isAuthRetryableFetchError } from '@supabase/supabase-js';
import { type JSONWebKeySet, createLocalJWKSet, decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import 'server-only';

import { env } from '@/lib/env';

import { signingKeys } from './keys';

/** A user whose access token was verified. */
export interface User {
  id: string;
  email: string;
  name: string;
  /** A picture URL that the content security policy allows. */
  picture: string | undefined;
}

/** The visitor of a request. `unknown`: the session must be refreshed and the identity provider is unreachable. */
export type Visitor = { state: 'signed-in'; user: User } | { state: 'signed-out' } | { state: 'unknown' };

/**
 * Verifies the session that came with a request.
 *
 * `getSession` reads the token from the cookie and refreshes it if it is about to expire, without verifying it. `verifiedClaims` verifies
 * signature and expiry with the provider's public keys.
 */
export async function visitor(supabase: SupabaseClient): Promise<Visitor> {
  const { data, error } = await supabase.auth.getSession();
  if (!data.session) return { state: isAuthRetryableFetchError(error) ? 'unknown' : 'signed-out' };
  const claims = await verifiedClaims(supabase, data.session.access_token);
  if (claims === 'unknown') return { state: 'unknown' };
  const { sub, aud, email, user_metadata: metadata } = claims ?? {};
  // The same keys also sign other tokens, such as ID tokens for OAuth clients of the project.
  if (typeof sub !== 'string' || ![aud].flat().includes('authenticated')) {
    // Delete the cookies: the browser would treat them as a session and redirect in a loop.
    await supabase.auth.signOut({ scope: 'local' });
    return { state: 'signed-out' };
  }
  const name = [metadata?.['full_name'], metadata?.['name']].find((text) => typeof text === 'string');
  const picture = [metadata?.['avatar_url'], metadata?.['picture']].find(isShown);
  return { state: 'signed-in', user: { id: sub, email: typeof email === 'string' ? email : '', name: name ?? '', picture } };
}

/** The other algorithms with public keys, which jose verifies. */
const ASYMMETRIC = ['EdDSA', 'Ed25519', 'ES384', 'ES512', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
/** Algorithms that `getClaims` supports. For all others it throws, although Supabase has announced EdDSA. */
const BY_SUPABASE = ['RS256', 'ES256', 'HS256', 'HS384', 'HS512'];

/** Returns the claims of a token whose signature and expiry are valid. `unknown`: the identity provider must be asked and is unreachable. */
async function verifiedClaims(supabase: SupabaseClient, token: string): Promise<JwtPayload | 'unknown' | undefined> {
  const { alg, kid } = headerOf(token);
  const jwks = await signingKeys(kid);
  if (alg === undefined || BY_SUPABASE.includes(alg)) {
    const { data, error } = await supabase.auth.getClaims(token, { jwks });
    return isAuthRetryableFetchError(error) ? 'unknown' : data?.claims;
  }
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(jwks as JSONWebKeySet), { algorithms: ASYMMETRIC, requiredClaims: ['exp'] });
    return payload as JwtPayload;
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey)) return undefined;
    // As getClaims does for a key that is not published yet, or while the keys cannot be fetched.
    const { error: refusal } = await supabase.auth.getUser(token);
    if (isAuthRetryableFetchError(refusal)) return 'unknown';
    return refusal ? undefined : (decodeJwt(token) as JwtPayload);
  }
}

/** Whether `contentSecurityPolicy` allows the image. */
function isShown(address: unknown): address is string {
  return typeof address === 'string' && (address.startsWith('https://') || address.startsWith(`${env.supabaseUrl}/`));
}

/** Returns algorithm and key id of the unverified header, used only to select how and with which key the token is verified. */
function headerOf(token: string): { alg?: string | undefined; kid?: string | undefined } {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return {};
  }
}
