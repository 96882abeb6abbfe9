import { cookies } from 'next/headers';
import { redirect } from 'next/navigation';
import { cache } from 'react';
import 'server-only';

import { serverClient } from './server';
import { type User, visitor } from './visitor';

/** For route handlers, which may set cookies, and for pages, which may not: there proxy.ts has already set them. */
export async function clientOfRequest() {
  const store = await cookies();
  return serverClient({
    getAll: () => store.getAll(),
    setAll(changed) {
      try {
        for (const { name, value, options } of changed) store.set(name, value, options);
      } catch {
        // While a page is rendered.
      }
    },
  });
}

/** Who asks for this page; asked once for the page and the layout around it. */
export const visitorOfRequest = cache(async () => visitor(await clientOfRequest()));

/** The same where it must be somebody. It stands beside proxy.ts, so that a page left out of the list there is not open. */
export async function userOf(path: string): Promise<User> {
  const asking = await visitorOfRequest();
  if (asking.state === 'signed-in') return asking.user;
  redirect(`${asking.state === 'unknown' ? '/unavailable' : '/sign-in'}?next=${encodeURIComponent(path)}`);
}
