import type { Metadata } from 'next';

import { Generator } from '@/components/generate/generator';
import { userOf } from '@/lib/supabase/user';

export const metadata: Metadata = { title: 'Generate' };

export default async function Generate() {
  await userOf('/generate');
  return (
    <>
      <header className="page-head">
        <h1>Generate code</h1>
        <p>Describe what you need. The code is generated with your own Together AI key.</p>
      </header>
      <Generator />
    </>
  );
}
