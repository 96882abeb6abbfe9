import { env } from '@/lib/env';

/**
 * Options of the session cookies, for browser and server. With an https identity provider the app is served over https too, so the cookies
 * are `Secure` and are not sent over plain http. Not HttpOnly, because the browser's client reads them.
 */
export const cookieOptions = { secure: process.env.NODE_ENV === 'production' && env.supabaseUrl.startsWith('https:') };
