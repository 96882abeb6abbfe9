'use client';

import { useState } from 'react';

import { signOut } from '@/lib/supabase/sign-out';

const LABELS = { local: 'Sign out of this device', global: 'Sign out everywhere' } as const;

/** The buttons that end this session, or all sessions of the user. */
export function SignOutButtons() {
  const [busy, setBusy] = useState<keyof typeof LABELS>();
  return (
    <div className="actions">
      {(['local', 'global'] as const).map((scope) => (
        <button
          key={scope}
          type="button"
          className="button button-quiet"
          aria-disabled={busy ? true : undefined}
          onClick={() => {
            if (busy) return;
            setBusy(scope);
            void signOut(scope);
          }}
        >
          {busy === scope ? 'Signing out…' : LABELS[scope]}
        </button>
      ))}
    </div>
  );
}
