'use client';

import { useState } from 'react';

import { ProblemNotice } from '@/components/problem-notice';
import { Time } from '@/components/time';
import { api } from '@/lib/api/client';
import type { Problem } from '@/lib/api/problem';
import { result } from '@/lib/api/result';
import { useResult } from '@/lib/api/use-result';
import { deviceName } from '@/lib/device';

const load = () => result(api.GET('/api/auth/sessions'));

/** The sessions of the user, as the API has seen them, with sign-out for each of the others. */
export function Devices() {
  const { data, setData, problem, reload } = useResult(load);
  const [said, setSaid] = useState('');

  if (problem && !data) return <ProblemNotice problem={problem} retry={() => void reload()} />;
  if (!data) return <p role="status">Loading your devices…</p>;
  return (
    <>
      <ul className="keys" aria-label="Devices">
        {data.items.map((session) => (
          <Device
            key={session.id}
            session={session}
            onEnded={() => {
              setData((known) => known && { items: known.items.filter(({ id }) => id !== session.id) });
              setSaid(`Signed out of ${deviceName(session.user_agent)}.`);
            }}
          />
        ))}
      </ul>
      {data.items.length === 0 && <p className="empty">No devices yet.</p>}
      <p className="unseen" role="status">
        {said}
      </p>
    </>
  );
}

type Session = NonNullable<Awaited<ReturnType<typeof load>>['data']>['items'][number];

function Device({ session, onEnded }: { session: Session; onEnded: () => void }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const name = deviceName(session.user_agent);

  async function end() {
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    const ended = await result(api.DELETE('/api/auth/sessions/{id}', { params: { path: { id: session.id } } }));
    setBusy(false);
    // 404: it has ended in the meantime.
    if (!ended.problem || ended.problem.code === 'NOT_FOUND') onEnded();
    else setProblem(ended.problem);
  }

  return (
    <li className="key">
      <div className="key-line">
        <div>
          <p className="key-title">
            <span title={session.user_agent ?? undefined}>{name}</span>
            {session.is_current && <span className="badge">This device</span>}
          </p>
          <p className="key-value">
            Signed in <Time at={session.first_used_at} />, last used <Time at={session.last_used_at} />
          </p>
        </div>
        {!session.is_current && (
          <button type="button" className="button button-small button-quiet" aria-disabled={busy || undefined} onClick={() => void end()}>
            {busy ? 'Signing out…' : 'Sign out'}
            <span className="unseen"> of {name}</span>
          </button>
        )}
      </div>
      {problem && <ProblemNotice problem={problem} />}
    </li>
  );
}
