'use client';

import { useEffect } from 'react';

import { leaveWithoutSession, ownedBy } from '@/lib/api/session';
import { SECOND_STEP } from '@/lib/return-path';
import { supabase } from '@/lib/supabase/browser';
import { afterFirstStep } from '@/lib/supabase/second-step';

/** Binds a page to the user it was rendered for: leaves when the session ends in any tab, and reloads when another user signs in. */
export function SessionWatch({ user }: { user: string }) {
  // Set during rendering, before the effects of other components send requests.
  if (typeof window !== 'undefined') ownedBy(user);

  useEffect(() => {
    const { data } = supabase().auth.onAuthStateChange((event, session) => {
      if (event === 'SIGNED_OUT') leaveWithoutSession();
      else if (session && session.user.id !== user) window.location.reload();
      // A sign-in whose second step was left out, for example by entering an address.
      else if (event === 'INITIAL_SESSION') setTimeout(() => void completeSignIn());
    });
    // The page was restored from the back/forward cache.
    const shownAgain = (event: PageTransitionEvent) => {
      if (event.persisted) window.location.reload();
    };
    window.addEventListener('pageshow', shownAgain);
    return () => {
      data.subscription.unsubscribe();
      window.removeEventListener('pageshow', shownAgain);
    };
  }, [user]);
  return null;
}

async function completeSignIn(): Promise<void> {
  const { pathname, search } = window.location;
  if (pathname === SECOND_STEP) return;
  const here = pathname + search;
  const page = await afterFirstStep(here);
  if (page !== here) window.location.replace(page);
}
