import type { Metadata } from 'next';

import { Greeting } from '@/components/dashboard/greeting';
import { ProfileCard } from '@/components/dashboard/profile-card';
import { StatusChecks } from '@/components/dashboard/status-checks';
import { userOf } from '@/lib/supabase/user';

export const metadata: Metadata = { title: 'Dashboard' };

export default async function Dashboard() {
  await userOf('/dashboard');
  return (
    <>
      <header className="page-head">
        <Greeting />
      </header>
      <div className="dashboard">
        <ProfileCard />
        <StatusChecks />
      </div>
    </>
  );
}
