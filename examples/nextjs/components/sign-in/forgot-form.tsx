'use client';

import { type FormEvent, useRef, useState } from 'react';

import { Field } from '@/components/field';
import { Notice } from '@/components/notice';
import { Submit } from '@/components/submit';
import { type FormProblems, emailProblem, isFine, useFocusOnProblem } from '@/lib/form-problems';
import { NEW_PASSWORD } from '@/lib/return-path';
import { ofFailure } from '@/lib/sign-in-problem';
import { supabase } from '@/lib/supabase/browser';

/** Requests a password reset email. The response does not reveal whether an account exists, nor, without a mail server, that no mail is sent. */
export function ForgotForm({ mayHaveNoMail }: { mayHaveNoMail: boolean }) {
  const form = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<FormProblems>({});
  const [sentTo, setSentTo] = useState<string>();
  useFocusOnProblem(form, problems);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const email = String(new FormData(event.currentTarget).get('email') ?? '').trim();
    const found = { email: emailProblem(email) };
    setProblems(found);
    if (!isFine(found)) return;
    setBusy(true);
    const redirectTo = `${window.location.origin}/auth/callback?next=${encodeURIComponent(NEW_PASSWORD)}`;
    const { error } = await supabase().auth.resetPasswordForEmail(email, { redirectTo });
    setBusy(false);
    if (!error) setSentTo(email);
    else if (error.code === 'email_address_invalid' || error.code === 'validation_failed') setProblems({ email: 'Enter a valid email address.' });
    else setProblems({ form: ofFailure(error, 'mail') });
  }

  if (sentTo) {
    return (
      <Notice tone="good" title="Check your email">
        <p>If {sentTo} has an account, we sent a link to it. Open the link in this browser within one hour.</p>
        {mayHaveNoMail && <p>No mail after a few minutes? This sign-in service may not send any. Contact support to set a new password.</p>}
      </Notice>
    );
  }
  return (
    <form method="post" className="stack" ref={form} onSubmit={(event) => void submit(event)} noValidate>
      <Field label="Email" name="email" type="email" autoComplete="email" required problem={problems.email} />
      {problems.form && <Notice tone="problem">{problems.form}</Notice>}
      <Submit busy={busy} doing="Sending…">
        Send me a link
      </Submit>
    </form>
  );
}
