'use client';

import { type ReactNode, createContext, useContext } from 'react';

import { api } from '@/lib/api/client';
import { result } from '@/lib/api/result';
import { useResult } from '@/lib/api/use-result';
import type { User } from '@/lib/supabase/visitor';

const load = () => result(api.GET('/api/auth/me'));

const Me = createContext<ReturnType<typeof useLoaded> | undefined>(undefined);

/** The account as the API knows it, loaded once for the bar and for the page below it. */
export function MeProvider({ user, children }: { user: User; children: ReactNode }) {
  return <Me value={useLoaded(user)}>{children}</Me>;
}

function useLoaded(user: User) {
  const { data: me, setData: setMe, problem, reload } = useResult(load);
  // A name that was chosen here counts more than what the session says; until it is there, that is shown.
  const name = me ? me.name ?? '' : user.name;
  const shown = { name, email: me?.email ?? user.email, picture: me?.picture ?? user.picture };
  return { me, setMe, problem, reload, shown };
}

export function useMe() {
  const me = useContext(Me);
  if (!me) throw new Error('there is no MeProvider around this component');
  return me;
}
