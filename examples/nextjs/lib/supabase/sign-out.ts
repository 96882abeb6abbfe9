import { announce, leave } from '@/lib/api/session';

import { supabase } from './browser';

/** Revokes all sessions of the user, or only the local one if the provider is unreachable. Other tabs follow (`SessionWatch`). */
export async function signOut(isErased = false): Promise<void> {
  const { auth } = supabase();
  announce(isErased ? 'erased' : 'everywhere');
  const { error } = await auth.signOut({ scope: 'global' });
  if (error) {
    announce(isErased ? 'erased' : 'here');
    await auth.signOut({ scope: 'local' });
  }
  await leave('ended');
}
