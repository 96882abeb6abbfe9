'use client';

import { type ReactNode, createContext, useContext } from 'react';

import { api } from '@/lib/api/client';
import { result } from '@/lib/api/result';
import { useResult } from '@/lib/api/use-result';
import type { User } from '@/lib/supabase/visitor';

const load = () => result(api.GET('/api/auth/me'));

const Me = createContext<ReturnType<typeof useLoaded> | undefined>(undefined);

/** Loads the account from the API once, for the header and the page. */
export function MeProvider({ user, children }: { user: User; children: ReactNode }) {
  return <Me value={useLoaded(user)}>{children}</Me>;
}

function useLoaded(user: User) {
  const { data: me, setData: setMe, problem, reload } = useResult(load);
  // The account's name overrides the one in the session, which is shown until the account is loaded.
  const name = me ? me.name ?? '' : user.name;
  const shown = { name, email: me?.email ?? user.email, picture: me?.picture ?? user.picture };
  return { me, setMe, problem, reload, shown };
}

export function useMe() {
  const me = useContext(Me);
  if (!me) throw new Error('useMe requires a MeProvider');
  return me;
}
