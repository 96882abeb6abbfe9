import { secondStep } from '@/lib/return-path';
import { ofFailure } from '@/lib/sign-in-problem';

import { supabase } from './browser';

/** An authenticator app. */
export interface Factor {
  id: string;
  name: string;
  addedAt: string;
}

/** Returns the verified authenticator apps of the user, or why they are unknown. */
export async function verifiedFactors(): Promise<{ factors: Factor[]; problem?: never } | { factors?: never; problem: string }> {
  const { data, error } = await supabase().auth.mfa.listFactors();
  if (error) return { problem: ofFailure(error, 'factor') };
  return {
    factors: data.totp.map(({ id, friendly_name, created_at }) => ({ id, name: friendly_name || 'Authenticator app', addedAt: created_at })),
  };
}

/** The assurance levels of this session: the current one, and the one that the user can reach. */
export async function assuranceLevels(): Promise<{ current: string | null; next: string | null }> {
  const { data } = await supabase().auth.mfa.getAuthenticatorAssuranceLevel();
  return { current: data?.currentLevel ?? null, next: data?.nextLevel ?? null };
}

/** Returns the page after the first step of a sign-in: the second step, if the user has an authenticator app. */
export async function afterFirstStep(next: string): Promise<string> {
  const levels = await assuranceLevels();
  return levels.next === 'aal2' && levels.current !== 'aal2' ? secondStep(next) : next;
}
