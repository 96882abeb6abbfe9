'use client';

import { isAuthRetryableFetchError } from '@supabase/supabase-js';
import { type FormEvent, useState } from 'react';

import { Field } from '@/components/field';
import { Notice } from '@/components/notice';
import { Submit } from '@/components/submit';
import { HOME } from '@/lib/return-path';
import { OUT_OF_REACH, SHORTEST_PASSWORD, inWords } from '@/lib/sign-in-problem';
import { supabase } from '@/lib/supabase/browser';

/** Sets a new password for the signed-in user. */
export function NewPasswordForm({ email }: { email: string }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [isSet, setIsSet] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const password = String(new FormData(event.currentTarget).get('password') ?? '');
    setBusy(true);
    setProblem(undefined);
    const { error } = await supabase().auth.updateUser({ password });
    setBusy(false);
    setIsSet(!error);
    if (error) setProblem(isAuthRetryableFetchError(error) ? OUT_OF_REACH : inWords(error.code, NOT_SET).text);
  }

  if (isSet) {
    return (
      <>
        <Notice tone="good" title="Your new password is set">
          You are signed in on this device. All other sessions have ended.
        </Notice>
        {/* A full page load, as after every sign-in. */}
        <a className="button" href={HOME}>
          Continue
        </a>
      </>
    );
  }
  return (
    <form method="post" className="stack" onSubmit={(event) => void submit(event)}>
      {/* For password managers. */}
      <Field label="Email" type="email" value={email} readOnly autoComplete="username" />
      <Field
        label="New password"
        name="password"
        type="password"
        autoComplete="new-password"
        required
        minLength={SHORTEST_PASSWORD}
        hint={`At least ${SHORTEST_PASSWORD} characters. A passphrase works best.`}
      />
      {problem && <Notice tone="problem">{problem}</Notice>}
      <Submit busy={busy} doing="Saving…">
        Set new password
      </Submit>
    </form>
  );
}

const NOT_SET = { tone: 'problem', text: 'The password could not be set. Please try again in a moment.' } as const;
