import type { Metadata } from 'next';
import Link from 'next/link';

import { Arriving } from '@/components/sign-in/arriving';
import { Methods } from '@/components/sign-in/methods';
import { returnPath } from '@/lib/return-path';
import { signInMethods } from '@/lib/supabase/sign-in-methods';

export const metadata: Metadata = { title: 'Create an account' };

interface Props {
  searchParams: Promise<Record<'next', string | string[] | undefined>>;
}

export default async function SignUp({ searchParams }: Props) {
  const next = returnPath((await searchParams).next);
  return (
    <>
      <Arriving next={next} />
      <h1>Create an account</h1>
      <Methods kind="sign-up" next={next} methods={await signInMethods()} />
      <p className="aside">
        Already have an account? <Link href={`/sign-in?next=${encodeURIComponent(next)}`}>Sign in</Link>
      </p>
    </>
  );
}
