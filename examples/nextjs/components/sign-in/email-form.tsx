'use client';

import { isAuthRetryableFetchError, isAuthWeakPasswordError } from '@supabase/supabase-js';
import { type FormEvent, useState } from 'react';

import { Field } from '@/components/field';
import { Notice } from '@/components/notice';
import { Submit } from '@/components/submit';
import { OUT_OF_REACH, SHORTEST_PASSWORD, inWords } from '@/lib/sign-in-problem';
import { supabase } from '@/lib/supabase/browser';

/** The form for sign-in and sign-up with email and password. */
export function EmailForm({ kind, next }: { kind: 'sign-in' | 'sign-up'; next: string }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [sentTo, setSentTo] = useState<string>();
  const isNew = kind === 'sign-up';

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const form = new FormData(event.currentTarget);
    const [name, email, password] = ['name', 'email', 'password'].map((field) => String(form.get(field) ?? '')) as [string, string, string];
    setBusy(true);
    setProblem(undefined);
    const { auth } = supabase();
    const { data, error } = isNew
      ? await auth.signUp({
          email: email.trim(),
          password,
          options: {
            data: name.trim() ? { full_name: name.trim() } : {},
            emailRedirectTo: `${window.location.origin}/auth/callback?next=${encodeURIComponent(next)}`,
          },
        })
      : await auth.signInWithPassword({ email: email.trim(), password });
    if (!error && data.session) {
      // A full page load, so that proxy.ts sees the session and no state of an earlier user stays in memory.
      window.location.assign(next);
      return;
    }
    setBusy(false);
    if (!error) setSentTo(email.trim());
    else if (isAuthRetryableFetchError(error)) setProblem(OUT_OF_REACH);
    else if (isAuthWeakPasswordError(error) && error.reasons.includes('length')) setProblem(`Use at least ${SHORTEST_PASSWORD} characters for your password.`);
    else setProblem(inWords(error.code).text);
  }

  if (sentTo) {
    return (
      <Notice tone="good" title="Check your email">
        We sent a link to {sentTo}. Open it to confirm your address and sign in.
      </Notice>
    );
  }
  // All forms use POST: a form submitted before hydration must not put the password into the URL.
  return (
    <form method="post" className="stack" onSubmit={(event) => void submit(event)}>
      {isNew && <Field label="Name" name="name" autoComplete="name" maxLength={100} hint="Optional." />}
      <Field label="Email" name="email" type="email" autoComplete="email" required />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete={isNew ? 'new-password' : 'current-password'}
        required
        minLength={isNew ? SHORTEST_PASSWORD : undefined}
        hint={isNew ? `At least ${SHORTEST_PASSWORD} characters. A passphrase works best.` : undefined}
      />
      {problem && <Notice tone="problem">{problem}</Notice>}
      <Submit busy={busy} doing={isNew ? 'Creating your account…' : 'Signing in…'}>
        {isNew ? 'Create account' : 'Sign in'}
      </Submit>
    </form>
  );
}
