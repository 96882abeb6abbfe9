'use client';

import { type AuthError, isAuthWeakPasswordError } from '@supabase/supabase-js';
import { type FormEvent, useRef, useState } from 'react';

import { Field, PasswordField } from '@/components/field';
import { Notice } from '@/components/notice';
import { Submit } from '@/components/submit';
import { type FormProblems, TOO_SHORT, emailProblem, isFine, newPasswordProblem, passwordProblem, useFocusOnProblem } from '@/lib/form-problems';
import { SHORTEST_PASSWORD, ofFailure } from '@/lib/sign-in-problem';
import { signInHere } from '@/lib/supabase/arrival';
import { supabase } from '@/lib/supabase/browser';
import { afterFirstStep } from '@/lib/supabase/second-step';

/** The form for sign-in and sign-up with email and password. */
export function EmailForm({ kind, next }: { kind: 'sign-in' | 'sign-up'; next: string }) {
  const form = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<FormProblems>({});
  const [sentTo, setSentTo] = useState<string>();
  const isNew = kind === 'sign-up';
  useFocusOnProblem(form, problems);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const entered = new FormData(event.currentTarget);
    const value = (field: string) => String(entered.get(field) ?? '');
    const [name, email, password] = [value('name').trim(), value('email').trim(), value('password')];
    const found = { email: emailProblem(email), password: isNew ? newPasswordProblem(password) : passwordProblem(password) };
    setProblems(found);
    if (!isFine(found)) return;
    setBusy(true);
    signInHere(true);
    const { auth } = supabase();
    const { data, error } = isNew
      ? await auth.signUp({
          email,
          password,
          options: {
            data: name ? { full_name: name } : {},
            emailRedirectTo: `${window.location.origin}/auth/callback?${new URLSearchParams({ next, from: 'confirmation' }).toString()}`,
          },
        })
      : await auth.signInWithPassword({ email, password });
    if (!error && data.session) {
      // A full page load, so that proxy.ts sees the session and no state of an earlier user stays in memory.
      window.location.assign(await afterFirstStep(next));
      return;
    }
    signInHere(false);
    setBusy(false);
    if (error) setProblems(problemsOf(error, isNew));
    else setSentTo(email);
  }

  if (sentTo) {
    return (
      <Notice tone="good" title="Check your email">
        We sent a link to {sentTo}. Open it to confirm your address and sign in. If you have an account already, sign in instead.
      </Notice>
    );
  }
  // All forms use POST: a form submitted before hydration must not put the password into the URL.
  return (
    <form method="post" className="stack" ref={form} onSubmit={(event) => void submit(event)} noValidate>
      {isNew && <Field label="Name" name="name" autoComplete="name" maxLength={100} hint="Optional." />}
      <Field label="Email" name="email" type="email" autoComplete="email" required problem={problems.email} />
      <PasswordField
        label="Password"
        name="password"
        autoComplete={isNew ? 'new-password' : 'current-password'}
        required
        problem={problems.password}
        hint={isNew ? `At least ${SHORTEST_PASSWORD} characters. A passphrase works best.` : undefined}
      />
      {problems.form && <Notice tone="problem">{problems.form}</Notice>}
      <Submit busy={busy} doing={isNew ? 'Creating your account…' : 'Signing in…'}>
        {isNew ? 'Create account' : 'Sign in'}
      </Submit>
    </form>
  );
}

/** Assigns an error of the identity provider to the field that can be corrected. */
function problemsOf(error: AuthError, isNew: boolean): FormProblems {
  if (isAuthWeakPasswordError(error) && error.reasons.includes('length')) return { password: TOO_SHORT };
  const text = ofFailure(error, isNew ? 'mail' : 'sign-in');
  switch (error.code) {
    case 'email_exists':
    case 'user_already_exists':
    case 'email_address_invalid':
    case 'email_address_not_authorized':
    case 'email_not_confirmed':
      return { email: text };
    case 'weak_password':
      return { password: text };
    default:
      return { form: text };
  }
}
