import type { Metadata } from 'next';

import { Generator } from '@/components/generate/generator';
import { userOf } from '@/lib/supabase/user';

export const metadata: Metadata = { title: 'Generate' };

export default async function Generate() {
  await userOf('/generate');
  return (
    <>
      <header className="page-head">
        <h1>What should it do?</h1>
        <p>Describe it. The code is written by the model you pay for, with your own Together AI key.</p>
      </header>
      <Generator />
    </>
  );
}
