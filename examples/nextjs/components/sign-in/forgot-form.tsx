'use client';

import { isAuthRetryableFetchError } from '@supabase/supabase-js';
import { type FormEvent, useState } from 'react';

import { Field } from '@/components/field';
import { Notice } from '@/components/notice';
import { Submit } from '@/components/submit';
import { NEW_PASSWORD } from '@/lib/return-path';
import { OUT_OF_REACH, inWords } from '@/lib/sign-in-problem';
import { supabase } from '@/lib/supabase/browser';

/** Requests a password reset email. The response does not reveal whether an account exists. */
export function ForgotForm() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [sentTo, setSentTo] = useState<string>();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const email = String(new FormData(event.currentTarget).get('email') ?? '').trim();
    setBusy(true);
    setProblem(undefined);
    const redirectTo = `${window.location.origin}/auth/callback?next=${encodeURIComponent(NEW_PASSWORD)}`;
    const { error } = await supabase().auth.resetPasswordForEmail(email, { redirectTo });
    setBusy(false);
    if (!error) setSentTo(email);
    else setProblem(isAuthRetryableFetchError(error) ? OUT_OF_REACH : inWords(error.code, NOT_SENT).text);
  }

  if (sentTo) {
    return (
      <Notice tone="good" title="Check your email">
        If {sentTo} has an account, we sent a link to it. Open the link in this browser within one hour.
      </Notice>
    );
  }
  return (
    <form method="post" className="stack" onSubmit={(event) => void submit(event)}>
      <Field label="Email" name="email" type="email" autoComplete="email" required />
      {problem && <Notice tone="problem">{problem}</Notice>}
      <Submit busy={busy} doing="Sending…">
        Send me a link
      </Submit>
    </form>
  );
}

const NOT_SENT = { tone: 'problem', text: 'The mail could not be sent. Please try again in a moment.' } as const;
