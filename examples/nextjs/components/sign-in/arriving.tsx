'use client';

import { useEffect } from 'react';

import { supabase } from '@/lib/supabase/browser';

/** Somebody who signs in in another tab is signed in here as well. */
export function Arriving({ next }: { next: string }) {
  useEffect(() => {
    const { data } = supabase().auth.onAuthStateChange((event, session) => {
      if (event === 'SIGNED_IN' && session) window.location.replace(next);
    });
    return () => data.subscription.unsubscribe();
  }, [next]);
  return null;
}
