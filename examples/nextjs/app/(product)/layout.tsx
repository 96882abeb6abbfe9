import type { ReactNode } from 'react';

import { AccountMenu } from '@/components/account-menu';
import { MeProvider } from '@/components/me';
import { Navigation } from '@/components/navigation';
import { SessionWatch } from '@/components/session-watch';
import { Wordmark } from '@/components/wordmark';
import { HOME } from '@/lib/return-path';
import { userOf } from '@/lib/supabase/user';

/** Layout of all pages that require a session. */
export default async function ProductLayout({ children }: { children: ReactNode }) {
  const user = await userOf(HOME);
  return (
    <MeProvider user={user}>
      <SessionWatch user={user.id} />
      <header className="bar">
        <div className="bar-inner">
          <Wordmark href={HOME} />
          <Navigation />
          <AccountMenu />
        </div>
      </header>
      <main id="main" className="page">
        {children}
      </main>
    </MeProvider>
  );
}
