'use client';

import { useEffect } from 'react';

import { isSignInHere } from '@/lib/supabase/arrival';
import { supabase } from '@/lib/supabase/browser';
import { afterFirstStep } from '@/lib/supabase/second-step';

/** Continues to `next` when the user signs in in another tab. */
export function Arriving({ next }: { next: string }) {
  useEffect(() => {
    const { data } = supabase().auth.onAuthStateChange((event, session) => {
      if (event !== 'SIGNED_IN' || !session || isSignInHere()) return;
      // The client holds its lock during this call.
      setTimeout(() => void afterFirstStep(next).then((page) => window.location.replace(page)));
    });
    return () => data.subscription.unsubscribe();
  }, [next]);
  return null;
}
