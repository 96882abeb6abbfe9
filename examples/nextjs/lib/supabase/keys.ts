import type { JWK } from '@supabase/supabase-js';
import 'server-only';

import { env } from '@/lib/env';

/** How long a key set is fresh: what the identity provider says of it, too. */
const FRESH = 10 * 60_000;
/** How long the last good one serves while the provider cannot be reached. The same as bearward's `jwks.max_stale`. */
const STALE = 6 * 60 * 60_000;
/** How often a key that we do not know is asked for. Whoever makes up key ids costs the provider no more. */
const COOLDOWN = 30_000;
const TIMEOUT = 2_000;

let kept: { keys: JWK[]; at: number } | undefined;
let asked = Number.NEGATIVE_INFINITY;
let asking: Promise<void> | undefined;

/**
 * The provider's public keys, from memory where possible, so that an outage of the provider signs nobody out.
 *
 * supabase-js keeps keys of its own, but not for longer than ten minutes: after those an outage would open no page.
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
    // A failure, or an empty set, never clears a good one.
    if (response.ok && keys?.length) kept = { keys, at: Date.now() };
  } catch {
    // What is kept stays.
  } finally {
    asking = undefined;
  }
}
