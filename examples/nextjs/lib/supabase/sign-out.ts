import { revokeTokens } from '@/lib/api/revoke-tokens';
import { announce, hold, leave } from '@/lib/api/session';

import { supabase } from './browser';

/**
 * Ends this session (`local`) or all sessions of the user (`global`), at the provider and in the API. Other tabs follow (`SessionWatch`).
 *
 * The provider comes first: afterwards no session gets a new token, so revoking those that exist is enough. The API then rejects access
 * tokens at once, which would otherwise be valid until they expire.
 */
export async function signOut(scope: 'local' | 'global'): Promise<void> {
  const { auth } = supabase();
  const { data } = await auth.getSession();
  hold();
  const { error } = await auth.signOut({ scope });
  const isRevoked = data.session !== null && (await revokeTokens(data.session.access_token, scope));
  if (scope === 'local') announce('here');
  else if (error) announce('here-only');
  else announce(isRevoked ? 'everywhere' : 'soon');
  // The session is still in the browser if the provider is unreachable.
  if (error) await auth.signOut({ scope: 'local' });
  await leave('ended');
}

/** Ends the other sessions at the provider, so that none of them gets a new token. Returns whether that worked. */
export async function endOtherSessions(): Promise<boolean> {
  const { error } = await supabase().auth.signOut({ scope: 'others' });
  return !error;
}

/** Leaves after the account was deleted. The API has revoked all its tokens. */
export async function leaveDeletedAccount(): Promise<void> {
  const { auth } = supabase();
  hold();
  announce('erased');
  const { error } = await auth.signOut({ scope: 'global' });
  if (error) await auth.signOut({ scope: 'local' });
  await leave('ended');
}
