'use client';

import { type FormEvent, useEffect, useRef, useState } from 'react';

import { Field } from '@/components/field';
import { Notice } from '@/components/notice';
import { Submit } from '@/components/submit';
import { type FormProblems, codeProblem, isFine, useFocusOnProblem } from '@/lib/form-problems';
import { isOfCode, ofFailure } from '@/lib/sign-in-problem';
import { supabase } from '@/lib/supabase/browser';
import { type Factor, verifiedFactors } from '@/lib/supabase/second-step';
import { signOut } from '@/lib/supabase/sign-out';

/** Verifies a code of one of the user's authenticator apps, which raises the session to AAL2. */
export function SecondStepForm({ next }: { next: string }) {
  const form = useRef<HTMLFormElement>(null);
  const [factors, setFactors] = useState<Factor[]>();
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<FormProblems>({});
  useFocusOnProblem(form, problems);

  useEffect(() => {
    void verifiedFactors().then((listed) => {
      if (listed.factors?.length === 0) window.location.replace(next);
      else if (listed.factors) setFactors(listed.factors);
      else setProblems({ form: listed.problem });
    });
  }, [next]);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy || !factors) return;
    const entered = new FormData(event.currentTarget);
    const code = String(entered.get('code') ?? '').replace(/\s/g, '');
    const factorId = String(entered.get('factor') ?? factors[0]?.id ?? '');
    const found = { code: codeProblem(code) };
    setProblems(found);
    if (!isFine(found)) return;
    setBusy(true);
    const { error } = await supabase().auth.mfa.challengeAndVerify({ factorId, code });
    if (!error) return window.location.assign(next);
    setBusy(false);
    const text = ofFailure(error, 'factor');
    setProblems(isOfCode(error.code) ? { code: text } : { form: text });
  }

  return (
    <form method="post" className="stack" ref={form} onSubmit={(event) => void submit(event)} noValidate>
      {factors && factors.length > 1 && (
        <div className="field">
          <label htmlFor="factor">Authenticator app</label>
          <select id="factor" name="factor">
            {factors.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </div>
      )}
      <Field label="Code" name="code" inputMode="numeric" autoComplete="one-time-code" maxLength={7} required autoFocus problem={problems.code} />
      {problems.form && <Notice tone="problem">{problems.form}</Notice>}
      <Submit busy={busy} doing="Checking…">
        Continue
      </Submit>
      <button type="button" className="button button-quiet" onClick={() => void signOut('local')}>
        Cancel and sign out
      </button>
    </form>
  );
}
