import type { NextRequest } from 'next/server';

import { NEW_PASSWORD, returnPath } from '@/lib/return-path';
import { clientOfRequest } from '@/lib/supabase/user';

/** Where the identity provider sends the browser back: with a code to be exchanged for a session, or with the reason why there is none. */
export async function GET(request: NextRequest): Promise<Response> {
  const { searchParams } = request.nextUrl;
  const next = returnPath(searchParams.get('next'));
  const code = searchParams.get('code');
  const refused = searchParams.get('error_code') ?? searchParams.get('error');
  if (!code || refused) return to(again(refused ?? 'no_code', next));

  // The verifier is in a cookie of the browser that began: another's code is worth nothing here.
  const supabase = await clientOfRequest();
  const { error } = await supabase.auth.exchangeCodeForSession(code);
  return to(error ? again(error.code ?? 'exchange_failed', next) : next);
}

/** Where to begin anew. The page knows a sentence for each code that it accepts; it shows no other text from the address. */
function again(problem: string, next: string): string {
  if (next === NEW_PASSWORD) return `/forgot-password?${new URLSearchParams({ problem }).toString()}`;
  return `/sign-in?${new URLSearchParams({ problem, next }).toString()}`;
}

/**
 * Without a host, so that no header decides where the browser goes. The empty fragment takes the place of the one that came: a browser
 * keeps that otherwise, with what the provider wrote in it.
 */
function to(path: string): Response {
  return new Response(null, { status: 303, headers: { Location: `${path}#`, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' } });
}
