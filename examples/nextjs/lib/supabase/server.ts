import { type CookieMethodsServer, createServerClient } from '@supabase/ssr';
import type { SupabaseClientOptions } from '@supabase/supabase-js';
import 'server-only';

import { env } from '@/lib/env';

import { cookieOptions } from './cookies';

/** A client for one request. It must not be shared: it holds that request's session. */
export function serverClient(cookies: CookieMethodsServer, fetch?: typeof globalThis.fetch) {
  return createServerClient(env.supabaseUrl, env.supabaseKey, {
    cookies,
    cookieOptions,
    ...(fetch && { global: { fetch } }),
    realtime: { transport: NoRealtime as unknown as Transport },
  });
}

type Transport = NonNullable<NonNullable<SupabaseClientOptions<'public'>['realtime']>['transport']>;

/** supabase-js asks for a WebSocket when it is made, which Node 20 has not. Nothing on this server opens a channel. */
class NoRealtime {
  constructor() {
    throw new Error('this server opens no realtime channel');
  }
}
