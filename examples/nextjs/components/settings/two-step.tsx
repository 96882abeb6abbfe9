'use client';

import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';

import { Field } from '@/components/field';
import { Notice } from '@/components/notice';
import { Submit } from '@/components/submit';
import { Time } from '@/components/time';
import { type FormProblems, codeProblem, isFine, useFocusOnProblem } from '@/lib/form-problems';
import { isOfCode, ofFailure } from '@/lib/sign-in-problem';
import { supabase } from '@/lib/supabase/browser';
import { type Factor, assuranceLevels, verifiedFactors } from '@/lib/supabase/second-step';

/** What an authenticator app needs to show codes for this account. */
interface Enrolment {
  id: string;
  qrCode: string;
  secret: string;
}

/** The authenticator apps of the user: add, verify, remove. They are managed by the identity provider. */
export function TwoStep() {
  const [factors, setFactors] = useState<Factor[]>();
  const [level, setLevel] = useState<string | null>(null);
  const [enrolment, setEnrolment] = useState<Enrolment>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [said, setSaid] = useState('');

  const reload = useCallback(async () => {
    const [listed, levels] = await Promise.all([verifiedFactors(), assuranceLevels()]);
    setProblem(listed.problem);
    if (listed.factors) setFactors(listed.factors);
    setLevel(levels.current);
  }, []);
  useEffect(() => void reload(), [reload]);

  async function begin() {
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    setSaid('');
    const begun = await enrol(factors ?? []);
    setBusy(false);
    if (begun.enrolment) setEnrolment(begun.enrolment);
    else setProblem(begun.problem);
  }

  async function cancel() {
    if (enrolment) await supabase().auth.mfa.unenroll({ factorId: enrolment.id });
    setEnrolment(undefined);
  }

  async function remove(factor: Factor) {
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    const { auth } = supabase();
    const { error } = await auth.mfa.unenroll({ factorId: factor.id });
    // The token still says AAL2; the next one does not.
    if (!error) await auth.refreshSession();
    setBusy(false);
    if (error) return setProblem(ofFailure(error, 'factor'));
    setSaid(`${factor.name} removed.`);
    await reload();
  }

  if (!factors && !problem) return <p role="status">Loading…</p>;
  return (
    <div className="stack">
      {factors && factors.length > 0 && (
        <ul className="keys" aria-label="Authenticator apps">
          {factors.map((factor) => (
            <li className="key" key={factor.id}>
              <div className="key-line">
                <div>
                  <p className="key-title">{factor.name}</p>
                  <p className="key-value">
                    Added <Time at={factor.addedAt} />
                  </p>
                </div>
                <button type="button" className="button button-small button-quiet" aria-disabled={busy || undefined} onClick={() => void remove(factor)}>
                  Remove<span className="unseen"> {factor.name}</span>
                </button>
              </div>
            </li>
          ))}
        </ul>
      )}
      {factors && (
        <p className="key-value">
          This session: <strong>{level === 'aal2' ? 'signed in with two steps (AAL2)' : 'signed in with one step (AAL1)'}</strong>
        </p>
      )}
      {problem && <Notice tone="problem">{problem}</Notice>}
      <p className="unseen" role="status">
        {said}
      </p>
      {enrolment ? (
        <Verify
          enrolment={enrolment}
          onCancel={() => void cancel()}
          onVerified={() => {
            setEnrolment(undefined);
            setSaid('Authenticator app added.');
            void reload();
          }}
        />
      ) : (
        <button type="button" className="button" aria-disabled={busy || undefined} onClick={() => void begin()}>
          {factors?.length ? 'Add another authenticator app' : 'Add an authenticator app'}
        </button>
      )}
    </div>
  );
}

/** Starts an enrolment. An earlier one that was not completed is removed: the provider limits their number. */
async function enrol(existing: Factor[]): Promise<{ enrolment: Enrolment; problem?: never } | { enrolment?: never; problem: string }> {
  const { mfa } = supabase().auth;
  const { data: listed } = await mfa.listFactors();
  for (const { id, status } of listed?.all ?? []) {
    if (status !== 'verified') await mfa.unenroll({ factorId: id });
  }
  // Names are unique among the factors of a user.
  const names = new Set(existing.map(({ name }) => name));
  let friendlyName = 'Authenticator app';
  for (let number = 2; names.has(friendlyName); number += 1) friendlyName = `Authenticator app ${number}`;
  const { data, error } = await mfa.enroll({ factorType: 'totp', friendlyName });
  if (error) return { problem: ofFailure(error, 'factor') };
  return { enrolment: { id: data.id, qrCode: data.totp.qr_code, secret: data.totp.secret } };
}

function Verify({ enrolment, onVerified, onCancel }: { enrolment: Enrolment; onVerified: () => void; onCancel: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<FormProblems>({});
  useFocusOnProblem(form, problems);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const code = String(new FormData(event.currentTarget).get('code') ?? '').replace(/\s/g, '');
    const found = { code: codeProblem(code) };
    setProblems(found);
    if (!isFine(found)) return;
    setBusy(true);
    const { error } = await supabase().auth.mfa.challengeAndVerify({ factorId: enrolment.id, code });
    setBusy(false);
    if (!error) return onVerified();
    const text = ofFailure(error, 'factor');
    setProblems(isOfCode(error.code) ? { code: text } : { form: text });
  }

  return (
    <form method="post" className="enrolment" ref={form} onSubmit={(event) => void submit(event)} noValidate>
      <p>Scan this code with an authenticator app, or enter the secret there by hand.</p>
      <img className="qr-code" src={enrolment.qrCode} alt="QR code with the secret below" width={240} height={240} />
      <div className="field">
        <span className="field-label" id="mfa-secret">
          Secret
        </span>
        <code className="mono" aria-labelledby="mfa-secret" role="group">
          {enrolment.secret.match(/.{1,4}/g)?.join(' ')}
        </code>
      </div>
      <Field label="Code from the app" name="code" inputMode="numeric" autoComplete="one-time-code" maxLength={7} required autoFocus problem={problems.code} />
      {problems.form && <Notice tone="problem">{problems.form}</Notice>}
      <div className="actions">
        <Submit busy={busy} doing="Checking…">
          Verify
        </Submit>
        <button type="button" className="button button-quiet" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
