import { type CookieMethodsServer, createServerClient } from '@supabase/ssr';
import type { SupabaseClientOptions } from '@supabase/supabase-js';
import 'server-only';

import { env } from '@/lib/env';

import { cookieOptions } from './cookies';

/** Creates a client for one request. It holds the session of that request and must not be shared. */
export function serverClient(cookies: CookieMethodsServer, fetch?: typeof globalThis.fetch) {
  return createServerClient(env.supabaseUrl, env.supabaseKey, {
    cookies,
    cookieOptions,
    ...(fetch && { global: { fetch } }),
    realtime: { transport: NoRealtime as unknown as Transport },
  });
}

type Transport = NonNullable<NonNullable<SupabaseClientOptions<'public'>['realtime']>['transport']>;

/** supabase-js requires a WebSocket implementation when a client is created, and Node 20 has none. The server opens no channel. */
class NoRealtime {
  constructor() {
    throw new Error('realtime channels are not supported on the server');
  }
}
