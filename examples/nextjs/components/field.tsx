import { type ComponentProps, type ReactNode, useId } from 'react';

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
