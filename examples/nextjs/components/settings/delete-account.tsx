'use client';

import { type FormEvent, useRef, useState } from 'react';

import { Field } from '@/components/field';
import { ProblemNotice } from '@/components/problem-notice';
import { Submit } from '@/components/submit';
import { api } from '@/lib/api/client';
import { type Problem, problemOfFailure } from '@/lib/api/problem';
import { result } from '@/lib/api/result';
import { SignInUnreachable } from '@/lib/api/session';
import { endOtherSessions, leaveDeletedAccount } from '@/lib/supabase/sign-out';

/** The confirmation word. */
const WORD = 'delete';

/** Deletes all data of the user in the API and signs out. The user at the identity provider is not deleted. */
export function DeleteAccount() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [hint, setHint] = useState<string>();
  const [problem, setProblem] = useState<Problem>();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const typed = String(new FormData(event.currentTarget).get('word') ?? '').trim().toLowerCase();
    setHint(typed === WORD ? undefined : `Type the word “${WORD}” to continue.`);
    if (typed !== WORD) return;
    setBusy(true);
    setProblem(undefined);
    // First, so that no other device renews its token afterwards: the API would create a new account for it.
    const isAlone = await endOtherSessions();
    const erased = isAlone ? await result(api.DELETE('/api/user')) : { problem: problemOfFailure(new SignInUnreachable()) };
    if (!erased.problem) return leaveDeletedAccount();
    setBusy(false);
    setProblem(erased.problem);
  }

  return (
    <>
      <button type="button" className="button button-danger" onClick={() => dialog.current?.showModal()}>
        Delete account…
      </button>
      <dialog ref={dialog} className="dialog" aria-labelledby="delete-title">
        <form method="post" className="stack" onSubmit={(event) => void submit(event)} noValidate>
          <h2 id="delete-title">Delete your account?</h2>
          <p>Your profile, status checks and API keys are deleted immediately, and you are signed out everywhere. This cannot be undone.</p>
          <Field label={`Type “${WORD}” to confirm`} name="word" autoComplete="off" autoCapitalize="none" problem={hint} />
          {problem && <ProblemNotice problem={problem} />}
          <div className="dialog-actions">
            <button type="button" className="button button-quiet" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
            <Submit busy={busy} doing="Deleting…" className="button button-danger">
              Delete everything
            </Submit>
          </div>
        </form>
      </dialog>
    </>
  );
}
