'use client';

import { useEffect } from 'react';

import { supabase } from '@/lib/supabase/browser';

/** Continues to `next` when the user signs in in another tab. */
export function Arriving({ next }: { next: string }) {
  useEffect(() => {
    const { data } = supabase().auth.onAuthStateChange((event, session) => {
      if (event === 'SIGNED_IN' && session) window.location.replace(next);
    });
    return () => data.subscription.unsubscribe();
  }, [next]);
  return null;
}
