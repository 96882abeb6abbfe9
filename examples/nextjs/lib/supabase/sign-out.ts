import { leave } from '@/lib/api/session';

import { supabase } from './browser';

/** Ends the sessions of all devices. Where the provider cannot be reached, this device's at least. Other tabs follow (`SessionWatch`). */
export async function signOut(isErased = false): Promise<void> {
  const { auth } = supabase();
  const { error } = await auth.signOut({ scope: 'global' });
  if (error) await auth.signOut({ scope: 'local' });
  await leave(isErased ? 'erased' : error ? 'here' : 'everywhere');
}
