import type { Metadata } from 'next';
import Link from 'next/link';

import { Notice } from '@/components/notice';
import { EmailForm } from '@/components/sign-in/email-form';
import { Arriving } from '@/components/sign-in/arriving';
import { Providers } from '@/components/sign-in/providers';
import { inWords } from '@/lib/sign-in-problem';
import { returnPath } from '@/lib/return-path';

export const metadata: Metadata = { title: 'Sign in' };

interface Props {
  searchParams: Promise<Record<'next' | 'problem', string | string[] | undefined>>;
}

export default async function SignIn({ searchParams }: Props) {
  const { next: asked, problem: code } = await searchParams;
  const next = returnPath(asked);
  const problem = typeof code === 'string' ? inWords(code) : undefined;
  return (
    <>
      <Arriving next={next} />
      <h1>Welcome back</h1>
      {problem && <Notice tone={problem.tone}>{problem.text}</Notice>}
      <Providers next={next} />
      <p className="divider">or with your email address</p>
      <EmailForm kind="sign-in" next={next} />
      <p className="aside">
        <Link href="/forgot-password">Forgot your password?</Link>
      </p>
      <p className="aside">
        New here? <Link href={`/sign-up?next=${encodeURIComponent(next)}`}>Create an account</Link>
      </p>
    </>
  );
}
