'use client';

import { type AuthError, isAuthWeakPasswordError } from '@supabase/supabase-js';
import { type FormEvent, useRef, useState } from 'react';

import { Field, PasswordField } from '@/components/field';
import { Notice } from '@/components/notice';
import { Submit } from '@/components/submit';
import { type FormProblems, TOO_SHORT, isFine, newPasswordProblem, useFocusOnProblem } from '@/lib/form-problems';
import { HOME } from '@/lib/return-path';
import { SHORTEST_PASSWORD, ofFailure } from '@/lib/sign-in-problem';
import { supabase } from '@/lib/supabase/browser';

/** Sets a new password for the signed-in user. */
export function NewPasswordForm({ email }: { email: string }) {
  const form = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<FormProblems>({});
  const [isSet, setIsSet] = useState(false);
  useFocusOnProblem(form, problems);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const password = String(new FormData(event.currentTarget).get('password') ?? '');
    const found = { password: newPasswordProblem(password) };
    setProblems(found);
    if (!isFine(found)) return;
    setBusy(true);
    const { error } = await supabase().auth.updateUser({ password });
    setBusy(false);
    setIsSet(!error);
    if (error) setProblems(problemsOf(error));
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
    <form method="post" className="stack" ref={form} onSubmit={(event) => void submit(event)} noValidate>
      {/* For password managers. */}
      <Field label="Email" type="email" value={email} readOnly autoComplete="username" />
      <PasswordField
        label="New password"
        name="password"
        autoComplete="new-password"
        required
        problem={problems.password}
        hint={`At least ${SHORTEST_PASSWORD} characters. A passphrase works best.`}
      />
      {problems.form && <Notice tone="problem">{problems.form}</Notice>}
      <Submit busy={busy} doing="Saving…">
        Set new password
      </Submit>
    </form>
  );
}

function problemsOf(error: AuthError): FormProblems {
  if (isAuthWeakPasswordError(error) && error.reasons.includes('length')) return { password: TOO_SHORT };
  const text = ofFailure(error, 'password');
  return error.code === 'same_password' || error.code === 'weak_password' ? { password: text } : { form: text };
}
