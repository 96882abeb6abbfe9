'use client';

import { type FormEvent, useState } from 'react';

import { Field } from '@/components/field';
import { ProblemNotice } from '@/components/problem-notice';
import { Submit } from '@/components/submit';
import { api } from '@/lib/api/client';
import type { Problem } from '@/lib/api/problem';
import { result } from '@/lib/api/result';
import { useResult } from '@/lib/api/use-result';

const load = () => result(api.GET('/api/user/api-keys'));

/** The supported services, with their names in the API. */
const SERVICES = [
  { name: 'togetherAI', title: 'Together AI', use: 'Writes your code.' },
  { name: 'codeRabbit', title: 'CodeRabbit', use: 'Reviews it.' },
  { name: 'oumi', title: 'Oumi', use: 'Trains and evaluates models.' },
  { name: 'kestra', title: 'Kestra', use: 'Runs your workflows.' },
] as const;

type Service = (typeof SERVICES)[number];

export function ApiKeys() {
  const { data, setData, problem, reload } = useResult(load);
  const [said, setSaid] = useState('');

  if (problem && !data) return <ProblemNotice problem={problem} retry={() => void reload()} />;
  if (!data) return <p role="status">Loading your keys…</p>;
  return (
    <>
      <ul className="keys">
        {SERVICES.map((service) => (
          <Key
            key={service.name}
            service={service}
            masked={data.apiKeys[service.name]}
            onChanged={(answer, what) => {
              setData(answer);
              setSaid(`${service.title}: ${what}`);
            }}
          />
        ))}
      </ul>
      <p className="unseen" role="status">
        {said}
      </p>
    </>
  );
}

type Keys = NonNullable<Awaited<ReturnType<typeof load>>['data']>;

function Key({ service, masked, onChanged }: { service: Service; masked: string | undefined; onChanged: (answer: Keys, what: string) => void }) {
  const [editing, setEditing] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const ofField = problem ? Object.values(problem.fields)[0] : undefined;

  async function change(call: ReturnType<typeof save> | ReturnType<typeof remove>, what: string) {
    setBusy(true);
    setProblem(undefined);
    const changed = await call;
    setBusy(false);
    setProblem(changed.problem);
    if (changed.problem) return;
    setEditing(false);
    onChanged(changed.data, what);
  }

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const key = String(new FormData(event.currentTarget).get('key') ?? '').trim();
    if (!busy) void change(save(service.name, key), 'key saved.');
  }

  return (
    <li className="key">
      <div className="key-line">
        <div>
          <p className="key-title">{service.title}</p>
          <p className="key-value">{masked ? <code>{masked}</code> : <span>Not set. {service.use}</span>}</p>
        </div>
        <div className="key-actions">
          <button type="button" className="button button-small button-quiet" aria-expanded={editing} onClick={() => setEditing(!editing)}>
            {editing ? 'Cancel' : masked ? 'Replace' : 'Add'}
            <span className="unseen"> {service.title} key</span>
          </button>
          {masked && !editing && (
            <button
              type="button"
              className="button button-small button-quiet"
              aria-disabled={busy || undefined}
              onClick={() => !busy && void change(remove(service.name), 'key removed.')}
            >
              Remove<span className="unseen"> {service.title} key</span>
            </button>
          )}
        </div>
      </div>
      {editing && (
        <form method="post" className="inline-form" onSubmit={submit} noValidate>
          <Field label={`${service.title} key`} name="key" type="password" autoComplete="off" spellCheck={false} autoFocus problem={ofField} />
          <Submit busy={busy} doing="Saving…">
            Save key
          </Submit>
        </form>
      )}
      {problem && !ofField && <ProblemNotice problem={problem} />}
    </li>
  );
}

const save = (name: Service['name'], key: string) => result(api.POST('/api/user/api-keys', { body: { [name]: key } }));
const remove = (provider: Service['name']) => result(api.DELETE('/api/user/api-keys/{provider}', { params: { path: { provider } } }));
