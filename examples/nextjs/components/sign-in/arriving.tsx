'use client';

import { useEffect } from 'react';

import { isSignInHere } from '@/lib/supabase/arrival';
import { supabase } from '@/lib/supabase/browser';

/** Continues to `next` when the user signs in in another tab. */
export function Arriving({ next }: { next: string }) {
  useEffect(() => {
    const { data } = supabase().auth.onAuthStateChange((event, session) => {
      if (event === 'SIGNED_IN' && session && !isSignInHere()) window.location.replace(next);
    });
    return () => data.subscription.unsubscribe();
  }, [next]);
  return null;
}
