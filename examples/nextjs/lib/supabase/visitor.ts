import { type SupabaseClient, isAuthRetryableFetchError } from '@supabase/supabase-js';
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
 * `getSession` reads the token from the cookie and refreshes it if it is about to expire, without verifying it. `getClaims` verifies
 * signature and expiry with the provider's public keys.
 */
export async function visitor(supabase: SupabaseClient): Promise<Visitor> {
  const { data, error } = await supabase.auth.getSession();
  if (!data.session) return { state: isAuthRetryableFetchError(error) ? 'unknown' : 'signed-out' };
  const token = data.session.access_token;
  const verified = await supabase.auth.getClaims(token, { jwks: await signingKeys(keyId(token)) });
  if (isAuthRetryableFetchError(verified.error)) return { state: 'unknown' };
  const { sub, aud, email, user_metadata: metadata } = verified.data?.claims ?? {};
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

/** Whether `contentSecurityPolicy` allows the image. */
function isShown(address: unknown): address is string {
  return typeof address === 'string' && (address.startsWith('https://') || address.startsWith(`${env.supabaseUrl}/`));
}

/** Returns the unverified key id, used only to select a key. */
function keyId(token: string): string | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    return header && typeof header === 'object' && 'kid' in header && typeof header.kid === 'string' ? header.kid : undefined;
  } catch {
    return undefined;
  }
}
