import { createBrowserClient } from '@supabase/ssr';

import { env } from '@/lib/env';

import { cookieOptions } from './cookies';

/** The browser's client; the same one each time. For handlers and effects: while a page is rendered on the server there is none. */
export function supabase() {
  return createBrowserClient(env.supabaseUrl, env.supabaseKey, {
    cookieOptions,
    // The callback route exchanges the code. No page of this app finds a session in its address.
    auth: { detectSessionInUrl: false },
  });
}
