'use client';

import { useEffect } from 'react';

import { leave, ownedBy } from '@/lib/api/session';
import { supabase } from '@/lib/supabase/browser';

/** Keeps a page to the person it was made for: it ends with their session, whichever tab ended it, and never passes to somebody else. */
export function SessionWatch({ user }: { user: string }) {
  // Before the effects of the page's own components, which begin to load.
  if (typeof window !== 'undefined') ownedBy(user);

  useEffect(() => {
    const { data } = supabase().auth.onAuthStateChange((event, session) => {
      if (event === 'SIGNED_OUT') void leave('ended');
      else if (session && session.user.id !== user) window.location.reload();
    });
    // A page that the browser kept and shows again when somebody goes back.
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
