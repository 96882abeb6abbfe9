import type { Metadata } from 'next';
import Link from 'next/link';

import { Notice } from '@/components/notice';
import { Arriving } from '@/components/sign-in/arriving';
import { Methods } from '@/components/sign-in/methods';
import { inWords } from '@/lib/sign-in-problem';
import { returnPath } from '@/lib/return-path';
import { signInMethods } from '@/lib/supabase/sign-in-methods';

export const metadata: Metadata = { title: 'Sign in' };

interface Props {
  searchParams: Promise<Record<'next' | 'problem', string | string[] | undefined>>;
}

export default async function SignIn({ searchParams }: Props) {
  const { next: asked, problem: code } = await searchParams;
  const next = returnPath(asked);
  const methods = await signInMethods();
  const problem = typeof code === 'string' ? inWords(code) : undefined;
  return (
    <>
      <Arriving next={next} />
      <h1>Welcome back</h1>
      {problem && <Notice tone={problem.tone}>{problem.text}</Notice>}
      <Methods kind="sign-in" next={next} methods={methods} />
      {(methods?.email ?? true) && (
        <p className="aside">
          <Link href="/forgot-password">Forgot your password?</Link>
        </p>
      )}
      {(methods?.signUp ?? true) && (
        <p className="aside">
          New here? <Link href={`/sign-up?next=${encodeURIComponent(next)}`}>Create an account</Link>
        </p>
      )}
    </>
  );
}
