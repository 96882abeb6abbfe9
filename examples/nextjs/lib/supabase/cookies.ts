import { env } from '@/lib/env';

/**
 * How the session's cookies are written, by the browser and by the server alike. Where the identity provider is reached by https this app is
 * too, and one address mistyped with http must not send a session in the open. Not HttpOnly: the browser's client reads them.
 */
export const cookieOptions = { secure: process.env.NODE_ENV === 'production' && env.supabaseUrl.startsWith('https:') };
