import type { Session } from '@supabase/supabase-js';
import type { NextRequest } from 'next/server';

import { NEW_PASSWORD, returnPath, secondStep } from '@/lib/return-path';
import { clientOfRequest } from '@/lib/supabase/user';

/** OAuth callback: exchanges the code for a session, or redirects to the sign-in page with the error code. */
export async function GET(request: NextRequest): Promise<Response> {
  const { searchParams } = request.nextUrl;
  const next = returnPath(searchParams.get('next'));
  const code = searchParams.get('code');
  const refused = searchParams.get('error_code') ?? searchParams.get('error');
  const isConfirmation = searchParams.get('from') === 'confirmation';
  if (isConfirmation && refused === 'otp_expired') return to(again('confirmation_used', next));
  if (!code || refused) return to(again(refused ?? 'no_code', next));

  // The PKCE verifier is in a cookie of the browser that started the sign-in, so a code from another browser is rejected.
  const supabase = await clientOfRequest();
  const { data, error } = await supabase.auth.exchangeCodeForSession(code);
  if (!error) return to(needsSecondStep(data.session) ? secondStep(next) : next);
  // The provider has confirmed the address before it redirects here. Only this browser lacks what it takes to sign in by the link.
  if (isConfirmation && isOfAnotherBrowser(error.code)) return to(again('confirmed', next));
  return to(again(error.code ?? 'exchange_failed', next));
}

/** Whether the user has an authenticator app. The session comes from the provider itself and is new, so its level is AAL1. */
function needsSecondStep({ user }: Session): boolean {
  return user.factors?.some(({ status }) => status === 'verified') ?? false;
}

function isOfAnotherBrowser(code: string | undefined): boolean {
  return code === 'pkce_code_verifier_not_found' || code === 'bad_code_verifier';
}

/** Returns the page to start again on. That page maps known codes to messages and shows no other text from the URL. */
function again(problem: string, next: string): string {
  if (next === NEW_PASSWORD) return `/forgot-password?${new URLSearchParams({ problem }).toString()}`;
  return `/sign-in?${new URLSearchParams({ problem, next }).toString()}`;
}

/**
 * Redirects to a path without a host, so that request headers cannot choose the target. The empty fragment replaces the current one,
 * which browsers would otherwise keep together with what the provider wrote into it.
 */
function to(path: string): Response {
  return new Response(null, { status: 303, headers: { Location: `${path}#`, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' } });
}
