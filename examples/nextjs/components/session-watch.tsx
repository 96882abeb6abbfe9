'use client';

import { useEffect } from 'react';

import { leaveWithoutSession, ownedBy } from '@/lib/api/session';
import { supabase } from '@/lib/supabase/browser';

/** Binds a page to the user it was rendered for: leaves when the session ends in any tab, and reloads when another user signs in. */
export function SessionWatch({ user }: { user: string }) {
  // Set during rendering, before the effects of other components send requests.
  if (typeof window !== 'undefined') ownedBy(user);

  useEffect(() => {
    const { data } = supabase().auth.onAuthStateChange((event, session) => {
      if (event === 'SIGNED_OUT') leaveWithoutSession();
      else if (session && session.user.id !== user) window.location.reload();
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
