'use client';

import { Avatar } from '@/components/avatar';
import { useMe } from '@/components/me';
import { ProblemNotice } from '@/components/problem-notice';
import { Time } from '@/components/time';

/** The account as returned by the API. */
export function ProfileCard() {
  const { me, problem, reload, shown } = useMe();
  return (
    <section className="card" aria-labelledby="profile-title" aria-busy={!me && !problem}>
      <h2 id="profile-title">Profile</h2>
      {problem && <ProblemNotice problem={problem} retry={() => void reload()} />}
      {!me && !problem && <Loading />}
      {me && (
        <>
          <div className="person">
            <Avatar large name={me.name ?? me.email ?? '?'} picture={shown.picture} />
            <div>
              <p className="person-name">{me.name ?? 'No name yet'}</p>
              <p className="person-email">{me.email ? <Email address={me.email} /> : 'No email address'}</p>
            </div>
          </div>
          <dl className="facts">
            <div>
              <dt>Member since</dt>
              <dd>
                <Time at={me.created_at} style="date" />
              </dd>
            </div>
            <div>
              <dt>Last sign-in</dt>
              <dd>
                <Time at={me.last_login} />
              </dd>
            </div>
            <div>
              <dt>Security</dt>
              <dd>{me.claims.aal === 'aal2' ? 'Two steps (AAL2)' : 'One step (AAL1)'}</dd>
            </div>
            <div>
              <dt>Roles</dt>
              <dd>{me.claims.roles.join(', ') || 'None'}</dd>
            </div>
            <div>
              <dt>User id</dt>
              <dd className="mono">{me.subject}</dd>
            </div>
          </dl>
        </>
      )}
    </section>
  );
}

/** Allows a line break only before the `@`. */
function Email({ address }: { address: string }) {
  const at = address.lastIndexOf('@');
  return (
    <>
      {address.slice(0, at)}
      <wbr />
      {address.slice(at)}
    </>
  );
}

function Loading() {
  return (
    <div className="skeleton" role="status">
      <span className="unseen">Loading your profile…</span>
      <span className="bone bone-wide" />
      <span className="bone" />
      <span className="bone bone-short" />
    </div>
  );
}
