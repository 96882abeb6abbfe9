import { isAuthRetryableFetchError } from '@supabase/supabase-js';

import { supabase } from '@/lib/supabase/browser';

/** The session must be refreshed and the identity provider is unreachable. The session is kept. */
export class SignInUnreachable extends Error {
  override name = 'SignInUnreachable';
}

/** The user for whom the page was rendered. */
let owner: string | undefined;

/** Set by `SessionWatch`, with the user that the server verified. */
export function ownedBy(user: string): void {
  owner = user;
}

/** Returns the access token of the page's owner, refreshed if it is about to expire. */
export async function accessToken(): Promise<string> {
  const { data, error } = await supabase().auth.getSession();
  if (data.session) return own(data.session);
  return refused(error);
}

/** Returns a newer token than `used`, which the API rejected. */
export async function renewed(used: string): Promise<string> {
  const { auth } = supabase();
  const current = await accessToken();
  // Another request has already refreshed it.
  if (current !== used) return current;
  const { data, error } = await auth.refreshSession();
  if (data.session) return own(data.session);
  return refused(error);
}

/** Why the user leaves the page; `lib/sign-in-problem.ts` has the messages. */
export type Ending = 'ended' | 'erased' | 'everywhere' | 'here' | 'here-only' | 'refused' | 'soon';

let announced: Ending | undefined;
let isLeaving = false;

/** Records why the session is about to end, because `SessionWatch` only sees that it ended. */
export function announce(ending: Ending): void {
  announced = ending;
}

let isHeld = false;

/** Keeps the page until `leave` is called. Leaving when the client deletes the session would abort the requests that end it elsewhere. */
export function hold(): void {
  isHeld = true;
}

/** Leaves because the session was deleted, here or in another tab. */
export function leaveWithoutSession(): void {
  if (!isHeld) void leave('ended');
}

/** Redirects to the sign-in page with a full page load, which discards all state in memory. */
export function leave(known: Ending): Promise<never> {
  const ending = announced ?? known;
  // Several places detect the end of a session; a second navigation would abort the first.
  if (isLeaving) return new Promise(() => undefined);
  isLeaving = true;
  const isWanted = ending !== 'ended' && ending !== 'refused';
  const { pathname, search } = window.location;
  const query = new URLSearchParams({ problem: ending, ...(!isWanted && { next: pathname + search }) });
  window.location.replace(`/sign-in?${query.toString()}`);
  // Never resolves, so that callers do not show an error during the navigation.
  return new Promise(() => undefined);
}

function own(session: { access_token: string; user: { id: string } }): string | Promise<never> {
  if (owner === undefined || session.user.id === owner) return session.access_token;
  // Another user has signed in in another tab; this page shows the data of the previous one.
  window.location.reload();
  return new Promise(() => undefined);
}

async function refused(error: unknown): Promise<never> {
  if (isAuthRetryableFetchError(error)) throw new SignInUnreachable();
  // The client keeps a session whose access token has not expired. The API has rejected the token, and the server would redirect back here.
  hold();
  await supabase().auth.signOut({ scope: 'local' });
  return leave('ended');
}
