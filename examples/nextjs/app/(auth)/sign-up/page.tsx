import type { Metadata } from 'next';
import Link from 'next/link';

import { Arriving } from '@/components/sign-in/arriving';
import { EmailForm } from '@/components/sign-in/email-form';
import { Providers } from '@/components/sign-in/providers';
import { returnPath } from '@/lib/return-path';

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
      <Providers next={next} />
      <p className="divider">or with your email address</p>
      <EmailForm kind="sign-up" next={next} />
      <p className="aside">
        Already have an account? <Link href={`/sign-in?next=${encodeURIComponent(next)}`}>Sign in</Link>
      </p>
    </>
  );
}
