import createClient from 'openapi-fetch';

import { env } from '@/lib/env';
import { supabase } from '@/lib/supabase/browser';

import type { paths } from './schema';
import { accessToken, announce, hold, leave, renewed } from './session';

/** The API client, typed by the OpenAPI document. For the browser: each request carries the access token of the signed-in user. */
export const api = createClient<paths>({ baseUrl: env.apiUrl, fetch: authorized });

/** Sends a request with the access token. On 401 the token is refreshed and the request retried once; then the user must sign in again. */
export async function authorized(request: Request): Promise<Response> {
  const again = request.clone();
  const token = await accessToken();
  const first = await send(request, token);
  if (first.status !== 401 || (await needsStepUp(first))) return first;

  const second = await send(again, await renewed(token));
  if (second.status !== 401) return second;
  // The refreshed token is rejected too. Delete the session, or the sign-in page would redirect back.
  announce('refused');
  hold();
  await supabase().auth.signOut({ scope: 'local' });
  return leave('refused');
}

/** Sends without cookies. The token is the only credential, and other sites cannot make the browser send it (CSRF). */
function send(request: Request, token: string): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set('Authorization', `Bearer ${token}`);
  return fetch(new Request(request, { headers, credentials: 'omit' }));
}

/** Whether the API requires step-up authentication (RFC 9470), which a refreshed token does not satisfy. */
async function needsStepUp(response: Response): Promise<boolean> {
  const body: unknown = await response.clone().json().catch(() => null);
  return (body as { error?: { code?: string } } | null)?.error?.code === 'STEP_UP_REQUIRED';
}
