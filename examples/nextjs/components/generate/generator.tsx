'use client';

import Link from 'next/link';
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react';

import { Field, TextField } from '@/components/field';
import { ProblemNotice } from '@/components/problem-notice';
import { Submit } from '@/components/submit';
import { generate } from '@/lib/api/generate';
import type { Problem } from '@/lib/api/problem';

import { Code } from './code';

/** Problems that are solved by setting an API key. */
const OF_THE_KEY = ['API_KEY_MISSING', 'UPSTREAM_REJECTED_KEY'];

export function Generator() {
  const [code, setCode] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [hint, setHint] = useState<string>();
  const stopping = useRef<AbortController>(null);

  // Abort on unmount, so that no more tokens are generated and billed.
  useEffect(() => () => stopping.current?.abort(), []);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const form = new FormData(event.currentTarget);
    const [prompt, model] = ['prompt', 'model'].map((field) => String(form.get(field) ?? '').trim()) as [string, string];
    setHint(prompt ? undefined : 'Describe your idea first.');
    if (!prompt) return;
    const stop = new AbortController();
    stopping.current = stop;
    setBusy(true);
    setCode('');
    setProblem(undefined);
    const failed = await generate(prompt, model, stop.signal, (text) => setCode((known) => known + text));
    if (stopping.current !== stop) return;
    setBusy(false);
    setProblem(failed);
  }

  return (
    <div className="generator">
      <form method="post" className="stack" onSubmit={(event) => void submit(event)} noValidate>
        <TextField
          label="Your idea"
          name="prompt"
          rows={5}
          placeholder="A function that turns a title into a URL slug, with tests."
          problem={hint ?? problem?.fields['prompt']}
          onKeyDown={submitOnCommandEnter}
        />
        <details className="more">
          <summary>Another model</summary>
          <Field
            label="Model"
            name="model"
            placeholder="Qwen/Qwen2.5-Coder-32B-Instruct"
            autoComplete="off"
            spellCheck={false}
            hint="The Together AI model name. Leave empty for the default."
            problem={problem?.fields['model']}
          />
        </details>
        <div className="actions">
          <Submit busy={busy} doing="Writing…">
            Write the code
          </Submit>
          {busy && (
            <button type="button" className="button button-quiet" onClick={() => stopping.current?.abort()}>
              Stop
            </button>
          )}
        </div>
      </form>
      {problem && (
        <ProblemNotice problem={problem}>
          {OF_THE_KEY.includes(problem.code) && (
            <Link className="button button-small" href="/settings#keys-title">
              Go to your keys
            </Link>
          )}
        </ProblemNotice>
      )}
      <Code text={code} busy={busy} />
    </div>
  );
}

function submitOnCommandEnter(event: KeyboardEvent<HTMLTextAreaElement>) {
  if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) event.currentTarget.form?.requestSubmit();
}
