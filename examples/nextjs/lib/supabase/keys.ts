import type { JWK } from '@supabase/supabase-js';
import 'server-only';

import { env } from '@/lib/env';

/** How long a key set is fresh, as in the provider's Cache-Control. */
const FRESH = 10 * 60_000;
/** How long the last key set is used while the provider is unreachable, as in bearward's `jwks.max_stale`. */
const STALE = 6 * 60 * 60_000;
/** Minimum interval between fetches for unknown key ids, which may be forged. */
const COOLDOWN = 30_000;
const TIMEOUT = 2_000;

let kept: { keys: JWK[]; at: number } | undefined;
let asked = Number.NEGATIVE_INFINITY;
let asking: Promise<void> | undefined;

/**
 * Returns the provider's public keys, cached so that an outage of the provider does not sign users out.
 *
 * The cache of supabase-js lasts only ten minutes.
 */
export async function signingKeys(kid: string | undefined): Promise<{ keys: JWK[] }> {
  const age = kept ? Date.now() - kept.at : Number.POSITIVE_INFINITY;
  const isKnown = kept?.keys.some((key) => key.kid === kid) ?? false;
  if ((age > FRESH || !isKnown) && (!kept || Date.now() - asked > COOLDOWN)) await (asking ??= ask());
  return { keys: kept && Date.now() - kept.at < STALE ? kept.keys : [] };
}

async function ask(): Promise<void> {
  asked = Date.now();
  try {
    const response = await fetch(`${env.supabaseUrl}/auth/v1/.well-known/jwks.json`, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT) });
    const { keys } = (await response.json()) as { keys?: JWK[] };
    // A failed fetch or an empty set does not replace the cached keys.
    if (response.ok && keys?.length) kept = { keys, at: Date.now() };
  } catch {
    // Keep the cached keys.
  } finally {
    asking = undefined;
  }
}
