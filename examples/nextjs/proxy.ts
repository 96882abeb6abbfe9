import type { CookieOptions } from '@supabase/ssr';
import { type NextRequest, NextResponse } from 'next/server';

import { contentSecurityPolicy } from '@/lib/content-security-policy';
import { returnPath } from '@/lib/return-path';
import { serverClient } from '@/lib/supabase/server';
import { type Visitor, visitor } from '@/lib/supabase/visitor';

/** Pages for people who are signed in. Each also asks `userOf`, so that one missing here is not open. */
const PROTECTED = /^\/(dashboard|generate|settings|new-password)(\/|$)/;
/** Pages for people who are not. */
const SIGNING_IN = /^\/(sign-in|sign-up)$/;
/** How long the identity provider may take to renew a session. supabase-js alone would try for 30 seconds. */
const PATIENCE = 8_000;

/** Before every page: renews the session, keeps strangers out, and says what the page may load. */
export async function proxy(request: NextRequest) {
  const changed: { name: string; value: string; options: CookieOptions }[] = [];
  const uncached = new Headers();
  const deadline = AbortSignal.timeout(PATIENCE);
  const supabase = serverClient(
    {
      getAll: () => request.cookies.getAll(),
      setAll(cookies, headers) {
        // For the page that this request goes on to, and for the browser.
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
  // Next reads the nonce out of the request's policy, and gives it to its own scripts.
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
  // Not what everybody may have: built files, pictures, and the callback, which sets its own cookies.
  matcher: ['/((?!_next/static|_next/image|auth/callback|icon.svg|favicon.ico|robots.txt).*)'],
};
