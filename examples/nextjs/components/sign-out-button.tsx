'use client';

import { useState } from 'react';

import { signOut } from '@/lib/supabase/sign-out';

export function SignOutButton() {
  const [busy, setBusy] = useState(false);
  return (
    <button
      type="button"
      className="button button-quiet"
      aria-disabled={busy || undefined}
      onClick={() => {
        if (busy) return;
        setBusy(true);
        void signOut();
      }}
    >
      {busy ? 'Signing out…' : 'Sign out everywhere'}
    </button>
  );
}
