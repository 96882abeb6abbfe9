import type { Metadata } from 'next';

import { ProfileCard } from '@/components/dashboard/profile-card';
import { StatusChecks } from '@/components/dashboard/status-checks';
import { userOf } from '@/lib/supabase/user';

export const metadata: Metadata = { title: 'Dashboard' };

export default async function Dashboard() {
  const { name } = await userOf('/dashboard');
  return (
    <>
      <header className="page-head">
        <h1>{name ? `Good to see you, ${name.split(' ')[0]}` : 'Good to see you'}</h1>
      </header>
      <div className="dashboard">
        <ProfileCard />
        <StatusChecks />
      </div>
    </>
  );
}
