'use client';

import { type ComponentProps, type ReactNode, useId, useState } from 'react';

interface About {
  label: string;
  hint?: ReactNode;
  problem?: string | undefined;
}

/** An input with its label. Screen readers announce the hint and the problem with it. */
export function Field({ label, hint, problem, ...input }: About & ComponentProps<'input'>) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} {...described(id, hint, problem)} {...input} />
      <Below id={id} hint={hint} problem={problem} />
    </div>
  );
}

/** A password input with a button that shows what was typed. */
export function PasswordField({ label, hint, problem, ...input }: About & Omit<ComponentProps<'input'>, 'type'>) {
  const id = useId();
  const [isShown, setIsShown] = useState(false);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="field-password">
        <input id={id} type={isShown ? 'text' : 'password'} autoCapitalize="none" spellCheck={false} {...described(id, hint, problem)} {...input} />
        <button type="button" className="field-toggle" aria-pressed={isShown} onClick={() => setIsShown(!isShown)}>
          Show<span className="unseen"> password</span>
        </button>
      </div>
      <Below id={id} hint={hint} problem={problem} />
    </div>
  );
}

/** A textarea with its label, hint and problem. */
export function TextField({ label, hint, problem, ...area }: About & ComponentProps<'textarea'>) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea id={id} {...described(id, hint, problem)} {...area} />
      <Below id={id} hint={hint} problem={problem} />
    </div>
  );
}

function described(id: string, hint: ReactNode, problem: string | undefined) {
  const ids = [hint ? `${id}-hint` : '', problem ? `${id}-problem` : ''].filter(Boolean).join(' ');
  return { 'aria-invalid': problem ? true : undefined, 'aria-describedby': ids || undefined };
}

function Below({ id, hint, problem }: { id: string } & Pick<About, 'hint' | 'problem'>) {
  return (
    <>
      {problem && (
        <p className="field-problem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
      {hint && (
        <p className="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </>
  );
}
