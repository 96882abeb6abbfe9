import { createBrowserClient } from '@supabase/ssr';

import { env } from '@/lib/env';

import { cookieOptions } from './cookies';

/** Returns the browser's client, which is a singleton. Call it in handlers and effects only, not during server rendering. */
export function supabase() {
  return createBrowserClient(env.supabaseUrl, env.supabaseKey, {
    cookieOptions,
    // The callback route exchanges the code; no page reads a session from its URL.
    auth: { detectSessionInUrl: false },
  });
}
