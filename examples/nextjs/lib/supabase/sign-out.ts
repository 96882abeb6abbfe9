import { announce, leave } from '@/lib/api/session';

import { supabase } from './browser';

/** Ends the sessions of all devices. Where the provider cannot be reached, this device's at least. Other tabs follow (`SessionWatch`). */
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
