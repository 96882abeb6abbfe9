import createClient from 'openapi-fetch';

import { env } from '@/lib/env';
import { supabase } from '@/lib/supabase/browser';

import type { paths } from './schema';
import { accessToken, announce, leave, renewed } from './session';

/** The API, typed by its own document. For the browser: each request carries the access token of whoever is signed in. */
export const api = createClient<paths>({ baseUrl: env.apiUrl, fetch: authorized });

/** Sends a request with the access token. A 401 renews the token and tries once more; after that, people sign in again. */
export async function authorized(request: Request): Promise<Response> {
  const again = request.clone();
  const token = await accessToken();
  const first = await send(request, token);
  if (first.status !== 401 || (await needsStepUp(first))) return first;

  const second = await send(again, await renewed(token));
  if (second.status !== 401) return second;
  // Even a new token is refused. It goes, or the sign-in page would send people straight back.
  announce('refused');
  await supabase().auth.signOut({ scope: 'local' });
  return leave('refused');
}

/** Without cookies: the token is the only thing that speaks for the user, and no other site can make a browser send it. */
function send(request: Request, token: string): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set('Authorization', `Bearer ${token}`);
  return fetch(new Request(request, { headers, credentials: 'omit' }));
}

/** RFC 9470: the token is good, and a second factor is asked for. A new token would not help. */
async function needsStepUp(response: Response): Promise<boolean> {
  const body: unknown = await response.clone().json().catch(() => null);
  return (body as { error?: { code?: string } } | null)?.error?.code === 'STEP_UP_REQUIRED';
}
