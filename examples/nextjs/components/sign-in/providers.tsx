'use client';

import { useState } from 'react';

import { Notice } from '@/components/notice';
import { OUT_OF_REACH, inWords } from '@/lib/sign-in-problem';
import { supabase } from '@/lib/supabase/browser';
import { PROVIDERS, type ProviderId, fetchSignInMethods } from '@/lib/supabase/settings';

import { GitHubMark, GoogleMark } from './marks';

const MARKS: Partial<Record<ProviderId, () => React.JSX.Element>> = { google: GoogleMark, github: GitHubMark };

/** Buttons that start the OAuth flow with PKCE. The callback route completes it. */
export function Providers({ ids, next }: { ids: ProviderId[]; next: string }) {
  const [leaving, setLeaving] = useState<ProviderId>();
  const [problem, setProblem] = useState<string>();

  async function leave(provider: ProviderId) {
    if (leaving) return;
    setLeaving(provider);
    setProblem(undefined);
    const failed = await start(provider, next);
    if (failed) {
      setLeaving(undefined);
      setProblem(failed);
    }
  }

  return (
    <div className="providers">
      {ids.map((id) => {
        const Mark = MARKS[id];
        return (
          <button key={id} type="button" className="button button-quiet" aria-disabled={leaving ? true : undefined} onClick={() => void leave(id)}>
            {Mark && <Mark />}
            {leaving === id ? `Going to ${PROVIDERS[id]}…` : `Continue with ${PROVIDERS[id]}`}
          </button>
        );
      })}
      {problem && <Notice tone="problem">{problem}</Notice>}
    </div>
  );
}

/** Leaves for the provider, or returns why not. The identity provider answers a navigation with an error page of its own, so ask it first. */
async function start(provider: ProviderId, next: string): Promise<string | undefined> {
  const methods = await fetchSignInMethods();
  if (!methods) return OUT_OF_REACH;
  if (!methods.providers.includes(provider)) return inWords('provider_disabled').text;
  const redirectTo = `${window.location.origin}/auth/callback?next=${encodeURIComponent(next)}`;
  const { error } = await supabase().auth.signInWithOAuth({ provider, options: { redirectTo } });
  return error ? inWords(error.code).text : undefined;
}
