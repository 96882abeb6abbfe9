'use client';

import { useState } from 'react';

import { Notice } from '@/components/notice';
import { inWords } from '@/lib/sign-in-problem';
import { supabase } from '@/lib/supabase/browser';

import { GitHubMark, GoogleMark } from './marks';

const PROVIDERS = [
  { id: 'google', title: 'Google', Mark: GoogleMark },
  { id: 'github', title: 'GitHub', Mark: GitHubMark },
] as const;

/** Buttons that start the OAuth flow with PKCE. The callback route completes it. */
export function Providers({ next }: { next: string }) {
  const [leaving, setLeaving] = useState<string>();
  const [problem, setProblem] = useState<string>();

  async function leave(provider: 'google' | 'github') {
    if (leaving) return;
    setLeaving(provider);
    setProblem(undefined);
    const redirectTo = `${window.location.origin}/auth/callback?next=${encodeURIComponent(next)}`;
    const { error } = await supabase().auth.signInWithOAuth({ provider, options: { redirectTo } });
    if (error) {
      setLeaving(undefined);
      setProblem(error.code);
    }
  }

  return (
    <div className="providers">
      {PROVIDERS.map(({ id, title, Mark }) => (
        <button key={id} type="button" className="button button-quiet" aria-disabled={leaving ? true : undefined} onClick={() => void leave(id)}>
          <Mark />
          {leaving === id ? `Going to ${title}…` : `Continue with ${title}`}
        </button>
      ))}
      {problem && <Notice tone="problem">{inWords(problem).text}</Notice>}
    </div>
  );
}
