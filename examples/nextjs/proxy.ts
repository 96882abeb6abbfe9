import type { CookieOptions } from '@supabase/ssr';
import { type NextRequest, NextResponse } from 'next/server';

import { contentSecurityPolicy } from '@/lib/content-security-policy';
import { returnPath } from '@/lib/return-path';
import { serverClient } from '@/lib/supabase/server';
import { type Visitor, visitor } from '@/lib/supabase/visitor';

/** Pages that require a session. Each also calls `userOf`, so that a page missing here is still protected. */
const PROTECTED = /^\/(dashboard|generate|settings|new-password|second-step)(\/|$)/;
/** Pages for visitors without a session. */
const SIGNING_IN = /^\/(sign-in|sign-up)$/;
/** Timeout for refreshing a session. supabase-js would retry for 30 seconds. */
const REFRESH_TIMEOUT = 8_000;

/** Runs before every page: refreshes the session, redirects visitors without one, and sets the content security policy. */
export async function proxy(request: NextRequest) {
  const changed: { name: string; value: string; options: CookieOptions }[] = [];
  const uncached = new Headers();
  const deadline = AbortSignal.timeout(REFRESH_TIMEOUT);
  const supabase = serverClient(
    {
      getAll: () => request.cookies.getAll(),
      setAll(cookies, headers) {
        // Set them on the request for the page, and on the response for the browser.
        for (const { name, value } of cookies) request.cookies.set(name, value);
        changed.push(...cookies);
        for (const [name, value] of Object.entries(headers)) uncached.set(name, value);
      },
    },
    (input, init) => fetch(input, { ...init, signal: deadline }),
  );
  const asking = await Promise.race([visitor(supabase), unknownAfter(deadline)]);

  const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64');
  const policy = contentSecurityPolicy(nonce);
  const response = answer(request, asking, policy);
  for (const { name, value, options } of changed) response.cookies.set(name, value, options);
  for (const [name, value] of uncached) response.headers.set(name, value);
  response.headers.set('Content-Security-Policy', policy);
  return response;
}

function answer(request: NextRequest, asking: Visitor, policy: string): NextResponse {
  const { pathname, search, searchParams } = request.nextUrl;
  const to = (path: string) => new URL(path, request.nextUrl);
  // Next reads the nonce from the request header and adds it to its scripts.
  const headers = new Headers(request.headers);
  headers.set('Content-Security-Policy', policy);

  if (PROTECTED.test(pathname) && asking.state === 'signed-out') {
    return NextResponse.redirect(to(`/sign-in?next=${encodeURIComponent(pathname + search)}`));
  }
  if (PROTECTED.test(pathname) && asking.state === 'unknown') {
    return NextResponse.rewrite(to('/unavailable'), { status: 503, headers: { 'Retry-After': '10' }, request: { headers } });
  }
  if (SIGNING_IN.test(pathname) && asking.state === 'signed-in') {
    return NextResponse.redirect(to(returnPath(searchParams.get('next'))));
  }
  return NextResponse.next({ request: { headers } });
}

function unknownAfter(deadline: AbortSignal): Promise<Visitor> {
  return new Promise((resolve) => {
    deadline.addEventListener('abort', () => resolve({ state: 'unknown' }), { once: true });
  });
}

export const config = {
  // Excludes static files, images, and the callback, which sets its own cookies.
  matcher: ['/((?!_next/static|_next/image|auth/callback|icon.svg|favicon.ico|robots.txt).*)'],
};
