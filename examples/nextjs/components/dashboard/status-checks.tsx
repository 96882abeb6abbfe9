'use client';

import { type FormEvent, useState } from 'react';

import { Field } from '@/components/field';
import { ProblemNotice } from '@/components/problem-notice';
import { Submit } from '@/components/submit';
import { Time } from '@/components/time';
import { api } from '@/lib/api/client';
import type { Problem } from '@/lib/api/problem';
import { result } from '@/lib/api/result';
import { useResult } from '@/lib/api/use-result';

const PAGE = 5;
const load = () => result(api.GET('/api/status', { params: { query: { limit: PAGE } } }));

/** The status checks of the user, newest first. */
export function StatusChecks() {
  const { data: page, setData: setPage, problem, reload } = useResult(load);
  const [older, setOlder] = useState<{ busy: boolean; problem?: Problem }>({ busy: false });
  const [said, setSaid] = useState('');

  async function showOlder(cursor: string) {
    if (older.busy) return;
    setOlder({ busy: true });
    const next = await result(api.GET('/api/status', { params: { query: { limit: PAGE, cursor } } }));
    setOlder(next.problem ? { busy: false, problem: next.problem } : { busy: false });
    if (next.data) setPage((known) => ({ ...next.data, items: [...(known?.items ?? []), ...next.data.items] }));
  }

  return (
    <section className="card" aria-labelledby="status-title" aria-busy={!page && !problem}>
      <h2 id="status-title">Status checks</h2>
      <p className="card-lead">Record when a machine, job or app checks in. Only you can see this list.</p>
      <AddCheck
        onAdded={(check) => {
          setPage((known) => ({ next_cursor: known?.next_cursor ?? null, items: [check, ...(known?.items ?? [])] }));
          setSaid(`Recorded ${check.client_name}.`);
        }}
      />
      <p className="unseen" role="status">
        {said}
      </p>
      {problem && <ProblemNotice problem={problem} retry={() => void reload()} />}
      {!page && !problem && (
        <div className="skeleton" role="status">
          <span className="unseen">Loading your status checks…</span>
          <span className="bone bone-wide" />
          <span className="bone bone-wide" />
        </div>
      )}
      {page?.items.length === 0 && <p className="empty">No status checks yet. Record the first one above.</p>}
      {page && page.items.length > 0 && (
        <ul className="checks">
          {page.items.map((check) => (
            <li key={check.id}>
              <span className="checks-name">{check.client_name}</span>
              <Time at={check.timestamp} />
            </li>
          ))}
        </ul>
      )}
      {older.problem && <ProblemNotice problem={older.problem} />}
      {page?.next_cursor && (
        <button
          type="button"
          className="button button-quiet button-small"
          aria-disabled={older.busy || undefined}
          onClick={() => void showOlder(page.next_cursor ?? '')}
        >
          {older.busy ? 'Loading…' : 'Show older'}
        </button>
      )}
    </section>
  );
}

type Check = NonNullable<Awaited<ReturnType<typeof load>>['data']>['items'][number];

function AddCheck({ onAdded }: { onAdded: (check: Check) => void }) {
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const ofField = problem?.fields['client_name'];

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    const added = await result(api.POST('/api/status', { body: { client_name: name.trim() } }));
    setBusy(false);
    setProblem(added.problem);
    if (added.problem) return;
    setName('');
    onAdded(added.data);
  }

  return (
    <form method="post" className="inline-form" onSubmit={(event) => void submit(event)} noValidate>
      <Field label="Client name" placeholder="build server" value={name} onChange={(event) => setName(event.target.value)} problem={ofField} autoComplete="off" />
      <Submit busy={busy} doing="Recording…">
        Record
      </Submit>
      {problem && !ofField && <ProblemNotice problem={problem} />}
    </form>
  );
}
