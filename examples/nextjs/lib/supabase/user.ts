import { cookies } from 'next/headers';
import { redirect } from 'next/navigation';
import { cache } from 'react';
import 'server-only';

import { serverClient } from './server';
import { type User, visitor } from './visitor';

/** Creates a client for a route handler or a page. Pages cannot set cookies; proxy.ts has already set them. */
export async function clientOfRequest() {
  const store = await cookies();
  return serverClient({
    getAll: () => store.getAll(),
    setAll(changed) {
      try {
        for (const { name, value, options } of changed) store.set(name, value, options);
      } catch {
        // Cookies are read-only while a page is rendered.
      }
    },
  });
}

/** Returns the visitor of this request, cached for the page and its layout. */
export const visitorOfRequest = cache(async () => visitor(await clientOfRequest()));

/** Returns the signed-in user or redirects. It complements proxy.ts, so that a page missing from the list there is still protected. */
export async function userOf(path: string): Promise<User> {
  const asking = await visitorOfRequest();
  if (asking.state === 'signed-in') return asking.user;
  redirect(`${asking.state === 'unknown' ? '/unavailable' : '/sign-in'}?next=${encodeURIComponent(path)}`);
}
