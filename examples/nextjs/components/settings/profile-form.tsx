'use client';

import { type FormEvent, useState } from 'react';

import { Field } from '@/components/field';
import { useMe } from '@/components/me';
import { Notice } from '@/components/notice';
import { ProblemNotice } from '@/components/problem-notice';
import { Submit } from '@/components/submit';
import { api } from '@/lib/api/client';
import type { Problem } from '@/lib/api/problem';
import { result } from '@/lib/api/result';

/** Edits name and picture. The email address is managed by the identity provider. */
export function ProfileForm() {
  const { me, setMe, problem: loading, reload } = useMe();
  const [busy, setBusy] = useState(false);
  const [saved, setSaved] = useState(false);
  const [problem, setProblem] = useState<Problem>();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const form = new FormData(event.currentTarget);
    const value = (field: string) => String(form.get(field) ?? '').trim() || null;
    setBusy(true);
    setSaved(false);
    setProblem(undefined);
    const changed = await result(api.PATCH('/api/user', { body: { name: value('name'), picture: value('picture') } }));
    setBusy(false);
    setProblem(changed.problem);
    setSaved(!changed.problem);
    if (changed.data) setMe((known) => known && { ...known, ...changed.data });
  }

  if (loading && !me) return <ProblemNotice problem={loading} retry={() => void reload()} />;
  if (!me) return <p role="status">Loading your profile…</p>;
  const hasFields = problem && Object.keys(problem.fields).length > 0;
  return (
    <form method="post" className="stack" onSubmit={(event) => void submit(event)} noValidate>
      <Field label="Name" name="name" defaultValue={me.name ?? ''} autoComplete="name" problem={problem?.fields['name']} />
      <Field
        label="Picture"
        name="picture"
        type="url"
        defaultValue={me.picture ?? ''}
        placeholder="https://"
        hint="The https address of an image."
        problem={problem?.fields['picture']}
      />
      <Field label="Email" value={me.email ?? ''} readOnly hint="Set by your sign-in method." />
      {problem && !hasFields && <ProblemNotice problem={problem} />}
      {saved && <Notice tone="good">Saved.</Notice>}
      <Submit busy={busy} doing="Saving…">
        Save profile
      </Submit>
    </form>
  );
}
