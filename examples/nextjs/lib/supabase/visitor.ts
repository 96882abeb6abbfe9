import { type SupabaseClient, isAuthRetryableFetchError } from '@supabase/supabase-js';
import 'server-only';

import { env } from '@/lib/env';

import { signingKeys } from './keys';

/** Somebody whose access token was verified. */
export interface User {
  id: string;
  email: string;
  name: string;
  /** An address that a page may show: the content security policy stops others. */
  picture: string | undefined;
}

/** Who asks: somebody, nobody, or somebody who has a session while the identity provider, which would have to renew it, is out of reach. */
export type Visitor = { state: 'signed-in'; user: User } | { state: 'signed-out' } | { state: 'unknown' };

/**
 * Verifies the session that came with a request.
 *
 * `getSession` only takes the token out of the cookie, and renews it when it is about to end: nothing in it is believed. `getClaims`
 * checks its signature and its end with the provider's public keys.
 */
export async function visitor(supabase: SupabaseClient): Promise<Visitor> {
  const { data, error } = await supabase.auth.getSession();
  if (!data.session) return { state: isAuthRetryableFetchError(error) ? 'unknown' : 'signed-out' };
  const token = data.session.access_token;
  const verified = await supabase.auth.getClaims(token, { jwks: await signingKeys(keyId(token)) });
  if (isAuthRetryableFetchError(verified.error)) return { state: 'unknown' };
  const { sub, aud, email, user_metadata: told } = verified.data?.claims ?? {};
  // The same keys sign tokens for other purposes, such as ID tokens for a client of the project.
  if (typeof sub !== 'string' || ![aud].flat().includes('authenticated')) {
    // Out of the cookies with it: the browser would take it for a session, and go round in a circle.
    await supabase.auth.signOut({ scope: 'local' });
    return { state: 'signed-out' };
  }
  const spoken = [told?.['full_name'], told?.['name']].find((text) => typeof text === 'string');
  const picture = [told?.['avatar_url'], told?.['picture']].find(isShown);
  return { state: 'signed-in', user: { id: sub, email: typeof email === 'string' ? email : '', name: spoken ?? '', picture } };
}

/** The same as in `contentSecurityPolicy`. */
function isShown(address: unknown): address is string {
  return typeof address === 'string' && (address.startsWith('https://') || address.startsWith(`${env.supabaseUrl}/`));
}

/** Unverified: only says which key to look for. */
function keyId(token: string): string | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    return header && typeof header === 'object' && 'kid' in header && typeof header.kid === 'string' ? header.kid : undefined;
  } catch {
    return undefined;
  }
}
