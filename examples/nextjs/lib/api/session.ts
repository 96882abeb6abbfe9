import { isAuthRetryableFetchError } from '@supabase/supabase-js';

import { supabase } from '@/lib/supabase/browser';

/** The identity provider, which would have to renew the session, cannot be reached. The session is kept. */
export class SignInUnreachable extends Error {
  override name = 'SignInUnreachable';
}

/** For whom the page on the screen was made. */
let owner: string | undefined;

/** Set by `SessionWatch`, with the user that the server verified. */
export function ownedBy(user: string): void {
  owner = user;
}

/** The access token of the page's owner; it is renewed when it is about to end. */
export async function accessToken(): Promise<string> {
  const { data, error } = await supabase().auth.getSession();
  if (data.session) return own(data.session);
  return refused(error);
}

/** Another token than this one, which the API did not accept. */
export async function renewed(used: string): Promise<string> {
  const { auth } = supabase();
  const current = await accessToken();
  // Somebody else here has renewed it in the meantime.
  if (current !== used) return current;
  const { data, error } = await auth.refreshSession();
  if (data.session) return own(data.session);
  return refused(error);
}

/** Why a page ends; `lib/sign-in-problem.ts` has the sentences. */
export type Ending = 'ended' | 'erased' | 'everywhere' | 'here' | 'refused';

let announced: Ending | undefined;
let isLeaving = false;

/** Says why the session is about to end. `SessionWatch` leaves as soon as it has, and knows no reason. */
export function announce(ending: Ending): void {
  announced = ending;
}

/** Leaves for the sign-in page. The whole page goes, with all that it has in memory. */
export function leave(known: Ending): Promise<never> {
  const ending = announced ?? known;
  // Once: the end of a session is noticed in several places, and a second departure would break off the first.
  if (isLeaving) return new Promise(() => undefined);
  isLeaving = true;
  const isWanted = ending === 'erased' || ending === 'everywhere' || ending === 'here';
  const { pathname, search } = window.location;
  const query = new URLSearchParams({ problem: ending, ...(!isWanted && { next: pathname + search }) });
  window.location.replace(`/sign-in?${query.toString()}`);
  // Whoever waits for an answer goes on waiting, and shows no error that nobody could read.
  return new Promise(() => undefined);
}

function own(session: { access_token: string; user: { id: string } }): string | Promise<never> {
  if (owner === undefined || session.user.id === owner) return session.access_token;
  // Another person has signed in in another tab. What is shown here is not theirs.
  window.location.reload();
  return new Promise(() => undefined);
}

function refused(error: unknown): Promise<never> {
  if (isAuthRetryableFetchError(error)) throw new SignInUnreachable();
  return leave('ended');
}
